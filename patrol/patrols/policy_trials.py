"""What another version of a policy would change, tried on what is stored; nothing is written."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.patrols.duty_models import FrequencyPolicy
from patrol.patrols.duty_periods import Span
from patrol.patrols.duty_queries import Duty, all_policies, list_duties
from patrol.patrols.examination_input import ExaminationInput, input_of
from patrol.patrols.examination_models import Examination
from patrol.patrols.examining import examined_now
from patrol.patrols.models import Patrol
from patrol.patrols.policy_queries import INTEGRITY
from patrol.patrols.queries import PATROLS_LATEST, visible_patrols
from patrol.patrols.thresholds import Thresholds
from patrol.people.actor import Actor

# A page of duties is reckoned once as it is and once as it would be.
MOST_DUTIES = 200


@dataclass
class VerdictTrial:
    """How verdicts would change: patrols looked at, those without their raw track, counts by verdict, and who changes."""

    looked_at: int = 0
    purged: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    changed: list[tuple[Patrol, str, str, list[Text]]] = field(default_factory=list)


def try_thresholds(kind: str, thresholds: Thresholds, trusted: list[str] | None, *, actor: Actor, patrols: int, timezone: str) -> VerdictTrial:
    """Examine the last `patrols` ended patrols that the actor sees as if the thresholds had been in force on their days."""
    # What a phone with a wrong clock dates into the future is not the last that was patrolled.
    last = visible_patrols(actor).where(Patrol.ended_at.is_not(None), Patrol.started_at <= clock.now() + timedelta(days=1))
    trial, receivers = VerdictTrial(), frozenset(trusted) if trusted is not None and kind == INTEGRITY else None
    for patrol in db.session.scalars(last.order_by(*PATROLS_LATEST.clauses()).limit(patrols)).unique().all():
        given = input_of(patrol, timezone=timezone)
        if given.purged:
            trial.purged += 1
            continue
        before = _verdict_before(given)
        verdict = examined_now(replace(given, policy=given.policy.with_kind(kind, thresholds, receivers))).verdict
        trial.looked_at += 1
        trial.before[before] += 1
        trial.after[verdict.value] += 1
        if verdict.value != before:
            trial.changed.append((patrol, before, verdict.value, list(verdict.reasons)))
    return trial


def _verdict_before(given: ExaminationInput) -> str:
    stored = db.session.get(Examination, given.patrol.id)
    fresh = stored is not None and stored.input_hash == given.digest
    return stored.verdict if fresh and stored is not None else examined_now(given).verdict.value


@dataclass(frozen=True)
class DutyTrial:
    """The same duties as they are and as they would be, in one window; `whole` is False when there were more of them."""

    window: Span
    before: list[Duty]
    after: list[Duty]
    whole: bool


def try_frequency(row: FrequencyPolicy, *, actor: Actor, window: Span, timezone: str) -> DutyTrial:
    """Count the duties of a window, at most `MOST_DUTIES`, with and without a row of policy that is in no table."""
    known = all_policies()
    pages = [
        list_duties(actor, window=window, timezone=timezone, limit=MOST_DUTIES, cursor=None, policies=policies)
        for policies in (known, {**known, row.id: row})
    ]
    duties: list[dict[tuple[UUID, UUID], Duty]] = [{(duty.person.id, duty.reach.id): duty for duty in page.items} for page in pages]
    both = [key for key in duties[0] if key in duties[1]]
    return DutyTrial(window, [duties[0][key] for key in both], [duties[1][key] for key in both], pages[0].next is None)


def sums_of(duties: list[Duty]) -> dict[str, int]:
    """Return what these duties require together, and what of it is counted as done."""
    periods = [period for duty in duties for period in duty.periods]
    return {
        "required": sum(period.due.required for period in periods),
        "counted": sum(min(len(period.tally.groups), period.due.required) for period in periods),
    }  # fmt: skip


def candidate(id: UUID, region: Any, valid_from: date, **figures: Any) -> FrequencyPolicy:  # noqa: A002
    """Return a row of frequency policy that is not added to anything."""
    return FrequencyPolicy(id=id, region=region, valid_from=valid_from, version=1, **figures)
