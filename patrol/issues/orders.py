"""Orders of supervision: listed, acknowledged, answered. None of these commits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from patrol.foundation.paging import Order as Sorted
from patrol.foundation.paging import Page, page_of
from patrol.foundation.texts import Text
from patrol.issues.accusations import CHARGES
from patrol.issues.allowed import NOT_LEAD, leads
from patrol.issues.beside import ANSWER_ORDER, rows_to_say
from patrol.issues.deciding import LATE_NAME
from patrol.issues.escalation_models import Escalation, EscalationPolicy, Order
from patrol.issues.events import EntryNoted
from patrol.issues.history import add_entry
from patrol.issues.models import CoHandler, Issue
from patrol.issues.queries import actor_facts, issue_facts, locked_issue, visible_to
from patrol.people.actor import SYSTEM, Actor
from patrol.people.permissions import Permission as P

LATEST = Sorted("latest", (Order.at, Order.id), descending=True)
LATEST_ESCALATIONS = Sorted("latest", (Escalation.at, Escalation.id), descending=True)
STANDINGS = ("open", "acknowledged", "answered")
# Who holds one of these looks after the work of others.
_OVERSEE = (P.SUPERVISE_ISSUE, P.RECEIVE_ISSUE, P.REVIEW_ISSUE, P.SEE_AUDIT)
_NO_ORDER = Text("没有这个督办件", "There is no such order")
_NO_RUNG = Text("没有这一级催办督办；可用：{codes}", "There is no such rung of the ladder: choose one of {codes}")
_ANSWERED = Text("此督办件已答复", "This order has been answered")


def _concerns(actor: Actor, table: type[Order] | type[Escalation]) -> ColumnElement[bool]:
    """Return the condition that orders or rungs are of an issue that concerns the actor; asked one by one, not gathered first.

    To who works in the field or a department it is only the own ones: a patroller sees what was reported in the township; who
    was urged for it, and how late they are, is their superiors' matter.
    """
    seen = visible_to(actor).with_only_columns(Issue.id, maintain_column_froms=True).options().order_by(None)
    seen = seen.where(Issue.id == table.issue_id).correlate(table)
    if actor.person_id is None or any(actor.may(permission) for permission in _OVERSEE):
        return seen.exists()
    assigned = [Issue.lead_id == actor.person_id, Issue.id.in_(select(CoHandler.issue_id).where(CoHandler.person_id == actor.person_id))]
    if actor.department and actor.may(P.HANDLE_ISSUE):
        assigned.append(Issue.department == actor.department)
    return seen.where(or_(*assigned)).exists()


def visible_orders(actor: Actor) -> Select[Order]:
    """Select the orders on issues that concern the actor, and those addressed to the actor.

    Of what became a charge since, those are only for whoever may see it still: the order may have gone to the accused.
    """
    no_charge = select(Issue.id).where(Issue.id == Order.issue_id, Issue.category.not_in(CHARGES)).correlate(Order).exists()
    own = and_(Order.to_id == actor.person_id, no_charge) if actor.person_id else false()
    return (
        select(Order).where(own | _concerns(actor, Order))
        .options(joinedload(Order.issue).joinedload(Issue.region), joinedload(Order.by), joinedload(Order.to))
    )  # fmt: skip


def list_orders(
    actor: Actor, *, issue: UUID | None, kind: str | None, to: UUID | None, standing: str | None, limit: int, cursor: str | None
) -> Page[Order]:
    """List orders, the latest first."""
    statement = visible_orders(actor)
    if issue:
        statement = statement.where(Order.issue_id == issue)
    if kind:
        statement = statement.where(Order.kind == kind)
    if to:
        statement = statement.where(Order.to_id == to)
    if standing == "open":
        statement = statement.where(Order.acknowledged_at.is_(None), Order.answered_at.is_(None))
    elif standing == "acknowledged":
        statement = statement.where(Order.acknowledged_at.is_not(None), Order.answered_at.is_(None))
    elif standing == "answered":
        statement = statement.where(Order.answered_at.is_not(None))
    return page_of(statement, LATEST, limit=limit, cursor=cursor)


def list_escalations(
    actor: Actor, *, code: str | None, after: datetime | None, before: datetime | None, limit: int, cursor: str | None
) -> Page[Escalation]:
    """List the rungs that issues which concern the actor have reached, the latest first. Raises Invalid (422) for a code that no rung has."""
    statement = select(Escalation).where(_concerns(actor, Escalation)).options(joinedload(Escalation.issue))
    if code:
        _refuse_unknown_rung(code)
        statement = statement.where(Escalation.code == code)
    if after:
        statement = statement.where(Escalation.at >= after)
    if before:
        statement = statement.where(Escalation.at < before)
    return page_of(statement, LATEST_ESCALATIONS, limit=limit, cursor=cursor)


def _refuse_unknown_rung(code: str) -> None:
    rungs = db.session.scalars(select(EscalationPolicy.code).distinct().order_by(EscalationPolicy.code)).all()
    codes = [*rungs, *LATE_NAME]
    if code not in codes:
        fault = _NO_RUNG.format(codes=", ".join(codes))
        raise Invalid(fault, errors={"code": [fault]})


def get_order(actor: Actor, order_id: UUID, *, lock: bool = False) -> Order:
    """Return one visible order; `lock` keeps others from answering it meanwhile. Raises NotFound (404)."""
    statement = visible_orders(actor).where(Order.id == order_id).execution_options(populate_existing=True)
    order = db.session.scalar(statement.with_for_update(of=Order) if lock else statement)
    if order is None:
        raise NotFound(_NO_ORDER)
    return order


def acknowledge(order: Order, *, by: Actor) -> Order:
    """Say that a locked order was read; a second time changes nothing. Only its addressee, or whoever leads now."""
    _refuse_all_but_addressee(order, by)
    order.acknowledged_at = order.acknowledged_at or clock.now()
    return order


def answer(order: Order, *, by: Actor, text: str) -> Order:
    """Answer a locked order; the answer stands in the issue's history. Raises Conflict (409) for one that was answered."""
    _refuse_all_but_addressee(order, by)
    if order.answered_at is not None:
        raise Conflict(_ANSWERED)
    now = clock.now()
    order.answer, order.answered_at, order.answered_by_id = text, now, by.person_id
    order.acknowledged_at = order.acknowledged_at or now
    # Whoever was addressed may answer, although the issue may have gone to another area since, unless it is a charge now.
    issue = locked_issue(SYSTEM, order.issue_id)
    entry = add_entry(
        issue, verb=ANSWER_ORDER, by=by, from_state=issue.state, brought={"note": text},
        changes={"order": {"from": None, "to": str(order.id)}}, rows=rows_to_say(order, "acknowledged_at", "answered_at"),
    )  # fmt: skip
    events.record(EntryNoted(issue_id=issue.id, verb=ANSWER_ORDER, seq=entry.seq))
    return order


def _refuse_all_but_addressee(order: Order, by: Actor) -> None:
    if order.to_id == by.person_id and by.person_id is not None:
        return
    issue = locked_issue(by, order.issue_id)
    if not leads(issue_facts(issue, clock.now()), actor_facts(by, issue, ())):
        raise NotAllowed(NOT_LEAD)
