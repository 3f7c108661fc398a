"""What is in the list of a role: the law of `lifecycle` and `allowed`, as conditions of the database.

Each list is made of branches, one for each reason to be in it, and each has an index to go by. Nothing in them lies
outside of what the actor may see.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select, true

from patrol.foundation import clock
from patrol.foundation.database import db, one_of
from patrol.issues.accusations import CHARGES
from patrol.issues.branches import Branch, unindexed
from patrol.issues.categories import Severity
from patrol.issues.deciding import LATE_CODE
from patrol.issues.due import CLOCK_RUNS
from patrol.issues.filters import among, decision_late, late, plan_late
from patrol.issues.four_eyes import is_own_work_of, looks_alone
from patrol.issues.lifecycle import State
from patrol.issues.models import CoHandler, Extension, Issue
from patrol.issues.queries import Scope, districts_signed_by, scope_of, scope_within
from patrol.issues.role_lists import RoleList
from patrol.issues.signing import Higher, is_left_to, signs_higher
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.people.permissions import Permission as P

# Written as the partial indexes ix_issues_led, ix_issues_led_by_nobody, ix_issues_came_back and ix_issues_to_sign have it, so that they can be chosen.
_IN_WORK: ColumnElement[bool] = literal_column("issues.state IN ('dispatched', 'in_progress')")
_LED_BY_NOBODY: ColumnElement[bool] = literal_column("issues.lead_id IS NULL AND issues.state IN ('dispatched', 'in_progress')")
_CAME_TO_OFFICE: ColumnElement[bool] = literal_column(
    "issues.state = 'accepted' AND (issues.declined_at IS NOT NULL OR issues.reopened_times > 0)"
)
_TO_SIGN: ColumnElement[bool] = literal_column("issues.severity = 'major' AND issues.state IN ('verified', 'suspended')")

# A township with its villages.
_FEW_REGIONS = 60
# The state of what another condition leaves few of: SQLite, which knows nothing of how many there are, would look up all that is closed.
_STATE_OF_FEW = func.coalesce(Issue.state, "")


class Known(NamedTuple):
    """What is asked about somebody before the lists of that person's roles are put together.

    `regions` are those of the actor's area (None: all there are), `alone` as `looks_alone` tells, `districts` and `higher`
    where the actor signs.
    """

    regions: tuple[UUID, ...] | None
    today: date
    end_of_today: datetime
    dialect: str
    alone: bool = False
    districts: tuple[str, ...] = ()
    higher: tuple[Higher, ...] = ()


def known_of(actor: Actor, *, decides: bool) -> Known:
    """Ask what is to be known of the actor today; `decides` says that the list of what waits for decisions is asked for."""
    timezone: str = current_app.extensions["settings"].timezone
    regions, today = scope_of(actor).regions, clock.today(timezone)
    known = Known(None if regions is None else tuple(regions), today, clock.end_of_day(today, timezone), db.engine.dialect.name)
    if not decides:
        return known
    alone = actor.person_id is not None and looks_alone(actor.person_id, today)
    return known._replace(alone=alone, districts=tuple(districts_signed_by(actor, today)), higher=signs_higher(actor, today))


def branches_of(role_list: RoleList, actor: Actor, known: Known | None = None) -> Sequence[Branch]:
    """Return the reasons for which an issue is in the actor's list now; none for somebody who has nothing to do there."""
    known = known or known_of(actor, decides=role_list is RoleList.WAITING_FOR_ME)
    return _put_together(role_list, actor, known)


# Nothing in a branch lasts shorter than what it was put together from: that takes longer than asking it.
@lru_cache(maxsize=128)
def _put_together(role_list: RoleList, actor: Actor, known: Known) -> Sequence[Branch]:
    return _BRANCHES[role_list](actor, scope_within(actor, known.regions), known)


def _mine_today(actor: Actor, scope: Scope, known: Known) -> list[Branch]:
    """Return what the actor leads or co-handles and cannot wait, and all that nobody leads, where bureau or office stand in."""
    if not actor.may(P.HANDLE_ISSUE):
        return []
    # The due moment is the first that is too late: what must be done today is due when tomorrow begins.
    plan_soon = and_(Issue.plan_due_at <= known.end_of_today, Issue.plan_reported_at.is_(None))
    soon = and_(Issue.state == State.IN_PROGRESS.value, or_(Issue.due_at <= known.end_of_today, plan_soon))
    pressing = or_(Issue.state == State.DISPATCHED.value, soon)
    found = [Branch({}, [mine, _IN_WORK, pressing], few=True) for mine in _mine(actor)]
    if actor.may(P.DISPATCH_ISSUE):
        found.append(_in_area(scope, _LED_BY_NOBODY))
    elif actor.department:
        found.append(_in_area(scope, _LED_BY_NOBODY, Issue.department == actor.department))
    return found


def _waiting_for_me(actor: Actor, scope: Scope, known: Known) -> list[Branch]:
    """Return what stands until the actor decides: on each, a step of the lifecycle or a request for more time is open."""
    found, today = [], known.today
    by_chief, on_ledger = and_(Issue.severity == Severity.MAJOR.value, Issue.category.not_in(CHARGES)), Issue.state == State.SUSPENDED.value
    not_mine = ~is_own_work_of(actor.person_id, today, alone=known.alone) if actor.person_id else true()
    # A day of review is there from its morning on, and so is a milestone; both are late when that day is over.
    to_review = or_(and_(on_ledger, Issue.review_on <= today), and_(on_ledger, Issue.decide_by <= known.end_of_today))
    to_sign = and_(_TO_SIGN, by_chief, or_(and_(Issue.state == State.VERIFIED.value, not_mine), to_review))
    first = [state for state, may in ((State.SUBMITTED, P.RECEIVE_ISSUE), (State.ACCEPTED, P.DISPATCH_ISSUE)) if actor.may(may)]
    if first:
        found.append(scope.area({Issue.state: [state.value for state in first]}))
    if actor.may(P.DISPATCH_ISSUE):
        found += [_in_area(scope, *_more_time_asked(actor), not_mine), _in_area(scope, to_review, ~by_chief)]
    if actor.may(P.REVIEW_ISSUE):
        found.append(scope.area({Issue.state: [State.RECTIFIED.value]}, not_mine))
        asked = and_(_STATE_OF_FEW.in_([State.CLOSED.value]), Issue.decide_by.is_not(None))
        found.append(_in_area(scope, asked, not_mine, *_of_others(actor)))
    if actor.may(P.CLOSE_ISSUE):
        found.append(scope.area({Issue.state: [State.VERIFIED.value]}, ~by_chief, not_mine))
    if known.districts:
        below = or_(*(Region.path.startswith(path, autoescape=True) for path in known.districts))
        found.append(_in_area(scope, to_sign, among(Issue.region_id, select(Region.id).where(below))))
    if known.higher:
        found.append(_in_area(scope, to_sign, is_left_to(known.higher, today)))
    return found


def _late_below_me(actor: Actor, scope: Scope, _known: Known) -> list[Branch]:
    """Return what is overdue in the actor's area, waits too long for an office there, or lacks its plan, with others in charge.

    A chief reads of those below, which he may supervise.
    """
    if not (actor.may(P.SUPERVISE_ISSUE) or actor.may(P.REVIEW_ISSUE)):
        return []
    of_others, undecided = _of_others(actor), list(LATE_CODE)
    if not actor.may(P.REVIEW_ISSUE):
        of_others.append(Issue.region_id != actor.region_id)
        undecided.remove(State.CLOSED)
    return [
        replace(scope.area({Issue.state: [state.value for state in CLOCK_RUNS]}, late(), *of_others), few=_is_small(scope)),
        _in_area(scope, decision_late(), _STATE_OF_FEW.in_([state.value for state in undecided]), *of_others),
        _in_area(scope, plan_late(), *of_others),
    ]


def _came_back(actor: Actor, scope: Scope, _known: Known) -> list[Branch]:
    """Return what was returned or reopened and is the actor's to handle, or was declined or reopened and waits for the office."""
    found = []
    if actor.may(P.HANDLE_ISSUE):
        returned = and_(Issue.state == State.IN_PROGRESS.value, Issue.returned_times > 0)
        found += [Branch({}, [mine, _IN_WORK, or_(returned, Issue.reopened_times > 0)], few=True) for mine in _mine(actor)]
    if actor.may(P.DISPATCH_ISSUE):
        found.append(_in_area(scope, _CAME_TO_OFFICE))
    return found


_BRANCHES: dict[RoleList, Callable[[Actor, Scope, Known], list[Branch]]] = {
    RoleList.MINE_TODAY: _mine_today,
    RoleList.WAITING_FOR_ME: _waiting_for_me,
    RoleList.LATE_BELOW_ME: _late_below_me,
    RoleList.CAME_BACK: _came_back,
}


def _in_area(scope: Scope, *conditions: ColumnElement[bool]) -> Branch:
    """Return the few issues of the area that the conditions leave."""
    regions = [] if scope.regions is None else [one_of(unindexed(Issue.region_id), scope.regions)]
    return Branch({}, [*conditions, *regions, *scope.conditions], few=True)


def _is_small(scope: Scope) -> bool:
    """Tell whether what is late in an area is so little that it is found by its index and sorted, not looked for in the list's order."""
    return scope.regions is not None and len(scope.regions) <= _FEW_REGIONS


def _of_others(actor: Actor) -> list[ColumnElement[bool]]:
    return [Issue.lead_id.is_distinct_from(actor.person_id), Issue.id.not_in(_co_handled(actor.person_id))]


def _co_handled(person_id: UUID | None) -> Select[UUID]:
    return select(CoHandler.issue_id).where(CoHandler.person_id == person_id)


def _mine(actor: Actor) -> Sequence[ColumnElement[bool]]:
    return Issue.lead_id == actor.person_id, among(Issue.id, _co_handled(actor.person_id))


def _more_time_asked(actor: Actor) -> Sequence[ColumnElement[bool]]:
    open_to_me = and_(Extension.decided_at.is_(None), Extension.asked_by_id != actor.person_id)
    asked = among(Issue.id, select(Extension.issue_id).where(open_to_me))
    # Asked since the issue was last reopened: a scalar for each of the few, where a join would read all issues on SQLite.
    openings = select(Extension.opening).where(open_to_me, Extension.issue_id == Issue.id).correlate(Issue)
    return asked, Issue.reopened_times.in_(openings), _IN_WORK
