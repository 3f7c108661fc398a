"""The life of the demo district: ninety days of patrols and the issues that came of them and of what citizens wrote."""

import random
from dataclasses import replace
from datetime import date

from patrol.demo.cases import CaseBook
from patrol.demo.landscape import Landscape
from patrol.demo.oversight import overseen
from patrol.demo.phrases import GROUP_OF_PICTURE, PROBLEM_NOTES, TROUBLES
from patrol.demo.positions import Waterside
from patrol.demo.records import CheckIn, Issue, Patrol, Stories
from patrol.demo.repeats import repeats_of
from patrol.demo.residents import Residents
from patrol.demo.rounds import patrols_of
from patrol.demo.standing_in import stood_in, waiting_phones, warnings_of


def stories(land: Landscape, people: Residents, today: date, seed: int = 2026) -> Stories:
    """Return what happened in the 90 days before `today` (nothing on the day itself), the same for the same arguments."""
    rng = random.Random(seed)  # noqa: S311 - invented events, nothing secret
    waterside = Waterside(land)
    patrols, delegations = stood_in(patrols_of(land, people, waterside, today, rng), people, today, rng)
    issues = CaseBook(land, people, waterside, patrols, today, rng).issues()
    # With chance of its own, so that everything else stays as it was.
    again = repeats_of(issues, people, waterside, today, random.Random(seed + 1))  # noqa: S311
    issues = sorted([*issues, *again], key=lambda issue: (issue.recorded_at, issue.id))
    issues, oversight = overseen(issues, people, today, random.Random(seed + 2))  # noqa: S311 - as above
    return Stories(
        tuple(_with_findings(patrols, issues, rng)), tuple(issues), tuple(delegations),
        tuple(warnings_of(people, waterside, today, rng)), tuple(waiting_phones(patrols, today)),
        oversight,
    )  # fmt: skip


def _with_findings(patrols: list[Patrol], issues: list[Issue], rng: random.Random) -> list[Patrol]:
    """Return the patrols with what led to issues ticked on the check list."""
    group_of = {trouble.category: GROUP_OF_PICTURE[trouble.picture] for trouble in TROUBLES}
    found = {issue.check_in_id: group_of[issue.category] for issue in issues if issue.check_in_id}
    return [
        replace(patrol, check_ins=tuple(_ticked(row, found.get(row.id), rng) for row in patrol.check_ins))
        for patrol in patrols
    ]


def _ticked(row: CheckIn, group: str | None, rng: random.Random) -> CheckIn:
    if group is None:
        return row
    checklist = tuple((name, "abnormal" if name == group else answer) for name, answer in row.checklist)
    return replace(row, checklist=checklist, note=rng.choice(PROBLEM_NOTES))
