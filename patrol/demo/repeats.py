"""The same trouble reported twice, and troubles that came back after they were closed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from patrol.demo.matters import matter_of
from patrol.demo.names import FAMILY, fictional_phone
from patrol.demo.phrases import TROUBLES
from patrol.demo.positions import Position, Waterside
from patrol.demo.records import CHINA, Contact, Issue, Step, at_work, dated_id
from patrol.demo.registers import METRES_PER_DEGREE_NORTH
from patrol.demo.residents import Residents

DUPLICATES, RELAPSES = 8, 3
_AGAIN = ("才处理没多久，又成老样子了。", "上次说处理好了，现在又出现了。", "同一个地方又开始了，麻烦再来看看。")


def repeats_of(issues: Sequence[Issue], people: Residents, waterside: Waterside, today: date, rng: random.Random) -> list[Issue]:
    """Return citizens' later reports of what `issues` tell: some are merged into these, some bring back what was closed."""
    limit = datetime.combine(today, time(0), CHINA)
    pool = [issue for issue in issues if _is_plain(issue)]
    rng.shuffle(pool)
    duplicates = (made for issue in pool if (made := _duplicate(issue, people, waterside, limit, rng)))
    found = _first(duplicates, DUPLICATES)
    closed = [issue for issue in pool if issue.state == "closed"]
    return [*found, *_first((made for issue in closed if (made := _relapse(issue, people, waterside, limit, rng))), RELAPSES)]


def _first(made: Iterator[Issue], count: int) -> list[Issue]:
    found = [issue for issue, _ in zip(made, range(count), strict=False)]
    if len(found) < count:
        raise RuntimeError("too few issues that could be reported again")
    return found


def _is_plain(issue: Issue) -> bool:
    """Tell whether an issue went straight to the chief of its reach, who still has it or closed it."""
    verbs = [step.verb for step in issue.steps]
    return issue.reach_code is not None and issue.steps[:1] != () and issue.steps[0].automatic and not {"transfer", "reopen"} & set(verbs)


def _duplicate(issue: Issue, people: Residents, waterside: Waterside, limit: datetime, rng: random.Random) -> Issue | None:
    """Return the same trouble seen by a neighbour before it was put right, and merged by the town's office the next day."""
    seen = issue.recorded_at + timedelta(hours=rng.uniform(1, 20))
    merged = at_work(seen + timedelta(hours=rng.uniform(1, 20)), rng)
    put_right = next((step.at for step in issue.steps if step.verb == "rectify"), limit)
    if not seen < merged < min(put_right, limit):
        return None
    straight = _straight(issue, people, waterside, seen, rng)
    if straight is None:
        return None
    merging = Step("merge", "merged", straight[0].actor, merged, reason=rng.choice(matter_of(issue.category).same), into=issue.id)
    return _told(issue, seen, (*straight, merging), rng.choice(_words(issue)), rng)


def _relapse(issue: Issue, people: Residents, waterside: Waterside, limit: datetime, rng: random.Random) -> Issue | None:
    """Return the trouble that came back within weeks of the closing; it goes to the chief of that day."""
    seen = issue.steps[-1].at + timedelta(days=rng.uniform(4, 40))
    straight = _straight(issue, people, waterside, seen, rng)
    if straight is None or seen >= limit - timedelta(hours=1):
        return None
    return _told(issue, seen, straight, rng.choice(_AGAIN), rng)


def _straight(issue: Issue, people: Residents, waterside: Waterside, at: datetime, rng: random.Random) -> tuple[Step, ...] | None:
    """Return how policy sends a report to the chief of the reach, None when there is none on that day."""
    assert issue.reach_code
    chief = people.chief_on(issue.reach_code, at.date())
    if chief is None:
        return None
    office = people.office_of(waterside.reaches[issue.reach_code].region_code)
    first, second = at + timedelta(seconds=rng.randint(1, 3)), at + timedelta(seconds=rng.randint(4, 6))
    return (
        Step("accept", "accepted", office, first, automatic=True),
        Step("dispatch", "dispatched", office, second, automatic=True, lead=chief),
    )


def _words(issue: Issue) -> Sequence[str]:
    return next(trouble.reports for trouble in TROUBLES if trouble.category == issue.category)


def _beside(issue: Issue, rng: random.Random) -> Position:
    """Return a place a few metres away, as another telephone finds the same spot."""
    latitude, longitude = (round(v + rng.gauss(0, 6) / METRES_PER_DEGREE_NORTH, 6) for v in (issue.latitude, issue.longitude))
    return latitude, longitude


def _told(issue: Issue, at: datetime, steps: tuple[Step, ...], words: str, rng: random.Random) -> Issue:
    place = _beside(issue, rng)
    contact = None
    if rng.random() < 0.5:
        name = rng.choice(FAMILY)[0] + rng.choice(("先生", "女士"))
        contact = Contact(name, fictional_phone(50_000_000 + rng.randrange(10_000)))
    return replace(
        issue, id=dated_id(at, rng), source="citizen", severity="general", description=words, latitude=place[0], longitude=place[1],
        accuracy_m=round(rng.uniform(5, 20), 1), recorded_at=at, reporter=None, patrol_id=None, check_in_id=None, board_code=None,
        contact=contact, photos=(), steps=steps, rating=None,
    )  # fmt: skip
