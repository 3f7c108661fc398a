"""Reads of gaps: the reaches that nobody patrolled in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, or_, select

from patrol.foundation.database import UtcDateTime, db
from patrol.foundation.paging import Page, page_of
from patrol.issues.due import chinese_calendar
from patrol.patrols import duties
from patrol.patrols.duties import Colour, Policy
from patrol.patrols.duty_models import FrequencyPolicy, ReachWarning
from patrol.patrols.duty_queries import all_policies, as_rule, moment_of, warnings_on
from patrol.patrols.examination_models import Examination, ReachCoverage
from patrol.patrols.models import Patrol
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.people.queries import region_with_code
from patrol.waters.models import Reach
from patrol.waters.queries import REACH_BY_CODE, visible_reaches

COUNTING_VERDICTS = ("valid", "partial")


@dataclass(frozen=True)
class Gap:
    """A reach that nobody patrolled in time, the row that asked for it, and when it was patrolled last (None: never)."""

    reach: Reach
    policy: FrequencyPolicy
    last_patrolled_at: datetime | None
    latest_day_in_time: date


# A patrol that was given up as doubtful or invalid, or did not touch the reach, leaves the gap as it is.
_LAST_WALK = (
    select(func.max(Patrol.started_at))
    .join(Examination, Examination.patrol_id == Patrol.id)
    .join(ReachCoverage, ReachCoverage.patrol_id == Patrol.id)
    .where(ReachCoverage.reach_id == Reach.id, ReachCoverage.covered_m > 0, Examination.verdict.in_(COUNTING_VERDICTS))
    .correlate(Reach).scalar_subquery()
)  # fmt: skip


def list_gaps(actor: Actor, *, day: date, region: str | None, timezone: str, limit: int, cursor: str | None) -> Page[Gap]:
    """List the visible reaches that were not patrolled for longer than their chief's row of `day` allows, by code.

    Raises NotFound (404) for an unknown region.
    """
    stored = all_policies()
    rules = [rule for rule in duties.by_precedence(map(as_rule, stored.values())) if rule.title is None and _in_season(rule, day)]
    in_time = {rule.id: duties.latest_day_in_time(rule, day, chinese_calendar()) for rule in rules}
    statement = visible_reaches(actor).where(Reach.retired_at.is_(None), _late(rules, in_time, day, timezone))
    if region:
        statement = statement.where(Region.path.startswith(region_with_code(region).path, autoescape=True))
    page = page_of(statement, REACH_BY_CODE, limit=limit, cursor=cursor)
    ids = [reach.id for reach in page.items]
    last = {reach_id: at for reach_id, at in db.session.execute(select(Reach.id, _LAST_WALK).where(Reach.id.in_(ids)))}  # noqa: C416
    warnings, found = warnings_on(ids), []
    for reach in page.items:
        colour = duties.colour_on(day, warnings[reach.id])
        rule = next(r for r in rules if r.colour <= colour and duties.fits(r, level=reach.level, region_path=reach.region.path, title="chief"))
        found.append(Gap(reach, stored[rule.id], last[reach.id], in_time[rule.id]))
    return Page(found, page.next)


def _in_season(rule: Policy, day: date) -> bool:
    return rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to) and day.month in rule.months


def _late(rules: Iterable[Policy], in_time: dict[UUID, date], day: date, timezone: str) -> ColumnElement[bool]:
    """Return the condition that a reach (joined with its region) was walked last before the day that its row allows.

    The rows stand in the order of precedence, as `policy_on` goes through them.
    """
    whens = []
    for rule in rules:
        here = and_(Reach.level == rule.level, Region.path.startswith(rule.region_path, autoescape=True))
        if rule.colour:
            here = and_(here, exists().where(
                ReachWarning.reach_id == Reach.id, ReachWarning.colour.in_([c.name.lower() for c in Colour if c >= rule.colour]),
                ReachWarning.valid_from <= day, or_(ReachWarning.valid_to.is_(None), ReachWarning.valid_to >= day),
            ))  # fmt: skip
        whens.append((here, literal(moment_of(in_time[rule.id], timezone), UtcDateTime())))
    if not whens:
        return false()
    latest = case(*whens, else_=None)
    return and_(latest.is_not(None), or_(_LAST_WALK.is_(None), latest > _LAST_WALK))
