"""Reads of gaps: the reaches that nobody patrolled in time, as far as the row that counts there asks for."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, ScalarSelect, and_, case, func, literal, not_, null, or_, select, true

from patrol.foundation import clock
from patrol.foundation.database import SecondsBetween, UtcDateTime, db
from patrol.foundation.paging import Page, page_of
from patrol.issues.due import chinese_calendar
from patrol.patrols import duties
from patrol.patrols.duties import Colour, Policy
from patrol.patrols.duty_models import FrequencyPolicy, ReachWarning
from patrol.patrols.duty_queries import all_policies, as_rule, warnings_on
from patrol.patrols.examination_models import Examination, ReachCoverage
from patrol.patrols.models import Patrol
from patrol.patrols.tallying import metres
from patrol.patrols.window import AHEAD
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.people.queries import region_with_code
from patrol.waters.models import Reach
from patrol.waters.queries import REACH_BY_CODE, visible_reaches

COUNTING_VERDICTS = ("valid", "partial")
_BEGAN = func.coalesce(Examination.began_at, Patrol.started_at, type_=UtcDateTime())
_IN_TIME = or_(Examination.began_at.is_not(None), SecondsBetween(Patrol.started_at, Patrol.received_at) <= AHEAD.total_seconds())
# A millimetre forgives what floating point loses, as in `tallying`.
_SLACK_M = 0.001


@dataclass(frozen=True)
class Gap:
    """A reach that nobody patrolled in time, and the row that asked for it.

    `covered_m` is the union of what was walked since `latest_day_in_time`, `needed_m` what makes one time;
    `last_patrolled_at` is the last patrol that covered as much by itself (None: never).
    """

    reach: Reach
    policy: FrequencyPolicy
    last_patrolled_at: datetime | None
    latest_day_in_time: date
    covered_m: float
    needed_m: float


@dataclass(frozen=True)
class _Asked:
    """What the rows of a day ask of a reach, as columns beside Reach and Region: since when, and how many metres."""

    since: ColumnElement[datetime | None]
    needed_m: ColumnElement[float | None]


def list_gaps(actor: Actor, *, day: date, region: str | None, timezone: str, limit: int, cursor: str | None) -> Page[Gap]:
    """List the visible reaches of which too little was walked for longer than their chief's row of `day` allows, by code.

    Too little is less than the row's share, short walks of anybody together. Raises NotFound (404) for an unknown region.
    """
    stored = all_policies()
    rules = [rule for rule in duties.by_precedence(map(as_rule, stored.values())) if rule.title is None and _in_season(rule, day)]
    days = {rule.id: duties.latest_day_in_time(rule, day, chinese_calendar()) for rule in rules}
    # Before the first row of all, that of `begin_duties`, nobody owed a patrol: what is asked for since then is not late yet.
    begin = min((rule.valid_from for rule in map(as_rule, stored.values())), default=day)
    since = {rule_id: clock.beginning_of_day(first, timezone) for rule_id, first in days.items() if first >= begin}
    if not since:
        return Page([], None)
    asked = _asked(rules, since, day)
    visible = visible_reaches(actor).where(Reach.retired_at.is_(None), asked.since.is_not(None))
    if region:
        visible = visible.where(Region.path.startswith(region_with_code(region).path, autoescape=True))
    in_time = _in_time_together(visible.with_only_columns(Reach.id, asked.since, asked.needed_m), asked, min(since.values()))
    late = visible.where(_walks(asked, func.max(_BEGAN), whole=True).is_(None), Reach.id.not_in(in_time))
    page = page_of(late, REACH_BY_CODE, limit=limit, cursor=cursor)
    return Page(_told(page.items, stored, rules, days, since, asked, day), page.next)


def _in_season(rule: Policy, day: date) -> bool:
    return rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to) and day.month in rule.months


def _asked(rules: Sequence[Policy], since: Mapping[UUID, datetime], day: date) -> _Asked:
    """Return what counts on each reach, as `policy_on` chooses: of each colour the first row, of those the one that asks most."""
    firsts = []
    for number, rule in enumerate(rules):
        before = [_place_of(r) for r in rules[:number] if (r.colour, r.level) == (rule.colour, rule.level)]
        firsts.append((rule, and_(_place_of(rule), *([not_(or_(*before))] if before else []), _warned(rule.colour, day))))
    firsts.sort(key=lambda pair: duties.most_asking(pair[0]), reverse=True)
    return _Asked(
        case(*((here, literal(since.get(rule.id), UtcDateTime())) for rule, here in firsts), else_=null()),
        case(*((here, literal(rule.least_share, Float())) for rule, here in firsts), else_=null()) * Reach.length_m - _SLACK_M,
    )


def _place_of(rule: Policy) -> ColumnElement[bool]:
    return and_(Reach.level == rule.level, Region.path.startswith(rule.region_path, autoescape=True))


def _warned(colour: Colour, day: date) -> ColumnElement[bool]:
    if not colour:
        return true()
    return select(ReachWarning.id).where(
        ReachWarning.reach_id == Reach.id, ReachWarning.colour.in_([c.name.lower() for c in Colour if c >= colour]),
        ReachWarning.valid_from <= day, or_(ReachWarning.valid_to.is_(None), ReachWarning.valid_to >= day),
    ).correlate(Reach).exists()  # fmt: skip


def _walks(asked: _Asked, figure: Any, *, whole: bool, ever: bool = False) -> ScalarSelect[Any]:
    """Return a figure over the patrols of a reach that count, since it is asked for or `ever`; `whole`: that cover enough alone.

    A patrol that was given up as doubtful or invalid, did not touch the reach, or begins after it was received by nobody
    knows how much, leaves the gap as it is.
    """
    found = (
        select(figure).select_from(Patrol)
        .join(Examination, Examination.patrol_id == Patrol.id).join(ReachCoverage, ReachCoverage.patrol_id == Patrol.id)
        .where(ReachCoverage.reach_id == Reach.id, ReachCoverage.covered_m > 0, Examination.verdict.in_(COUNTING_VERDICTS), _IN_TIME)
    )
    if whole:
        found = found.where(ReachCoverage.covered_m >= asked.needed_m)
    if not ever:
        # What began by our clock began before it by the phone's, and that has an index.
        found = found.where(Patrol.started_at >= asked.since, asked.since <= _BEGAN)
    return found.correlate(Reach, Region).scalar_subquery()


def _in_time_together(visible: Any, asked: _Asked, earliest: datetime) -> list[UUID]:
    """Return the reaches of which no patrol covered enough alone, but several together did: by their union, never their sum."""
    lately = select(ReachCoverage.reach_id).join(Patrol, Patrol.id == ReachCoverage.patrol_id).where(Patrol.started_at >= earliest)
    rows = db.session.execute(visible.where(
        Reach.id.in_(lately), _walks(asked, func.max(_BEGAN), whole=True).is_(None),
        _walks(asked, func.sum(ReachCoverage.covered_m), whole=False) >= asked.needed_m,
    )).all()  # fmt: skip
    covered_m = _covered_m({reach_id: since for reach_id, since, _ in rows})
    return [reach_id for reach_id, _, needed_m in rows if covered_m[reach_id] >= needed_m]


def _covered_m(since: Mapping[UUID, datetime]) -> Mapping[UUID, float]:
    """Return the metres of each reach that counting patrols covered together since its moment."""
    parts: dict[UUID, list[Any]] = defaultdict(list)
    if since:
        rows = db.session.execute(
            select(ReachCoverage.reach_id, _BEGAN, ReachCoverage.covered)
            .join(Patrol, Patrol.id == ReachCoverage.patrol_id).join(Examination, Examination.patrol_id == Patrol.id)
            .where(ReachCoverage.reach_id.in_(since), Patrol.started_at >= min(since.values()), Examination.verdict.in_(COUNTING_VERDICTS), _IN_TIME)
        )
        for reach_id, began_at, covered in rows:
            if began_at >= since[reach_id]:
                parts[reach_id].append([(float(low), float(high)) for low, high in covered])
    return defaultdict(float, {reach_id: metres(several) for reach_id, several in parts.items()})


def _told(
    reaches: Collection[Reach], stored: Mapping[UUID, FrequencyPolicy], rules: Sequence[Policy], days: Mapping[UUID, date],
    since: Mapping[UUID, datetime], asked: _Asked, day: date,
) -> list[Gap]:  # fmt: skip
    ids = [reach.id for reach in reaches]
    whole = _walks(asked, func.max(_BEGAN, type_=UtcDateTime()), whole=True, ever=True)
    rows = db.session.execute(select(Reach.id, whole).join(Region, Region.id == Reach.region_id).where(Reach.id.in_(ids)))
    last: dict[UUID, datetime | None] = dict(rows.all())
    warnings = warnings_on(ids)
    chosen = {reach.id: _rule_of(reach, rules, duties.colour_on(day, warnings[reach.id])) for reach in reaches}
    covered_m = _covered_m({reach_id: since[rule.id] for reach_id, rule in chosen.items()})
    return [
        Gap(reach, stored[rule.id], last[reach.id], days[rule.id], covered_m[reach.id], rule.least_share * reach.length_m)
        for reach in reaches for rule in [chosen[reach.id]]
    ]  # fmt: skip


def _rule_of(reach: Reach, rules: Sequence[Policy], colour: Colour) -> Policy:
    standing: dict[Colour, Policy] = {}
    for rule in rules:
        if rule.colour <= colour and duties.fits(rule, level=reach.level, region_path=reach.region.path, title="chief"):
            standing.setdefault(rule.colour, rule)
    return max(standing.values(), key=duties.most_asking)
