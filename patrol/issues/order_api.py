"""Supervision of late issues over HTTP: orders, and the rungs that issues have reached."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma

from patrol.foundation.clock import beginning_of_day, end_of_day
from patrol.foundation.moments import Moment, MomentOrDay
from patrol.foundation.paging import Page, PageArgs, page_schema
from patrol.foundation.problems import language
from patrol.foundation.texts import Text, in_both
from patrol.issues import orders
from patrol.issues.api import person_asked, room
from patrol.issues.escalating import order_texts, rung_names
from patrol.issues.escalation_models import Escalation, Order
from patrol.issues.field_shapes import SomebodyField, filled
from patrol.issues.lifecycle import ORDER_NAME
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


class OrderArgs(PageArgs):
    issue = ma.fields.UUID(load_default=None)
    kind = ma.fields.String(load_default=None, validate=ma.validate.OneOf(list(ORDER_NAME)))
    to = SomebodyField(load_default=None, metadata={"description": "`me`, or an account's id or user name."})
    standing = ma.fields.String(load_default=None, validate=ma.validate.OneOf(orders.STANDINGS))


class OrderOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    issue = ma.fields.Dict(required=True, metadata={"example": {"number": "XH0000123", "state": "in_progress"}})
    kind = ma.fields.String(required=True, metadata={"example": "letter"})
    name = ma.fields.String(required=True, metadata={"example": "督办函"})
    text = ma.fields.String(required=True)
    by = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "Null: the system, by `rule`."})
    rule = ma.fields.String(required=True, allow_none=True)
    to = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "Null: the office."})
    at = Moment(required=True)
    acknowledged_at = Moment(required=True, allow_none=True)
    answer = ma.fields.String(required=True, allow_none=True)
    answered_at = Moment(required=True, allow_none=True)


class OrderAnswerIn(ma.Schema):
    text = ma.fields.String(required=True, validate=filled(4000), metadata={"example": "已组织清理，三日内完成"})


class EscalationArgs(PageArgs):
    code = ma.fields.String(load_default=None, validate=ma.validate.Length(max=20), metadata={"example": "overdue"})
    after = MomentOrDay(beginning_of_day, load_default=None, metadata={
        "description": "Reached at this moment or later; a plain local day counts from its beginning.", "example": "2026-11-01"})
    before = MomentOrDay(end_of_day, load_default=None, metadata={
        "description": "Reached before this moment; a plain local day counts to its end.", "example": "2026-11-30"})


class EscalationOut(ma.Schema):
    issue = ma.fields.Dict(required=True, metadata={"example": {"number": "XH0000123", "state": "in_progress"}})
    code = ma.fields.String(required=True, metadata={"example": "overdue"})
    name = ma.fields.String(required=True, metadata={"example": "超期，报上级河长"})
    due_at = Moment(required=True)
    planned_at = Moment(required=True)
    at = Moment(required=True)


def _issue_in_short(row: Order | Escalation) -> dict[str, Any]:
    return {"id": str(row.issue.id), "number": row.issue.number, "state": row.issue.state}


def _shown(order: Order) -> dict[str, Any]:
    return _all_shown([order])[0]


def _all_shown(found: Sequence[Order]) -> list[dict[str, Any]]:
    # The system's own words are stored in Chinese, with the rung's name of that time.
    own = order_texts({order.rule for order in found if order.rule}) if language() == "en" else []
    return [_shown_by(order, own if order.rule else ()) for order in found]


def _shown_by(order: Order, own_words: Sequence[Text]) -> dict[str, Any]:
    plain = ("id", "kind", "rule", "at", "acknowledged_at", "answer", "answered_at")
    people = {name: {"id": str(person.id), "name": person.name} if person else None for name, person in (("by", order.by), ("to", order.to))}
    return {
        **{name: getattr(order, name) for name in plain}, **people, "issue": _issue_in_short(order),
        "name": ORDER_NAME[order.kind].in_language(language()), "text": in_both(order.text, *own_words).in_language(language()),
    }  # fmt: skip


@room.route("/orders", may=P.SEE_ISSUES)
@room.arguments(OrderArgs, location="query")
@room.response(200, page_schema(OrderOut))
def list_orders(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the orders of supervision that concern one, the latest first: who works in the field sees those on the own issues."""
    actor = current_actor()
    page = orders.list_orders(actor, **{**args, "to": person_asked(args["to"], actor, "to")})
    return Page(_all_shown(page.items), page.next)


@room.route("/orders/<uuid:order_id>/acknowledge", may=P.SEE_ISSUES, methods=("POST",))
@room.response(200, OrderOut)
def acknowledge_order(order_id: UUID) -> dict[str, Any]:
    """Say that one has read an order."""
    return _shown(orders.acknowledge(orders.get_order(current_actor(), order_id, lock=True), by=current_actor()))


@room.route("/orders/<uuid:order_id>/answer", may=P.SEE_ISSUES, methods=("POST",), refuses=(409,))
@room.body(OrderAnswerIn)
@room.response(200, OrderOut)
def answer_order(data: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    """Answer an order; the answer becomes a part of the issue's history."""
    return _shown(orders.answer(orders.get_order(current_actor(), order_id, lock=True), by=current_actor(), text=data["text"]))


@room.route("/escalations", may=P.SEE_ISSUES)
@room.arguments(EscalationArgs, location="query")
@room.response(200, page_schema(EscalationOut))
def list_escalations(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List how far issues that concern one have climbed for being late, the latest first; who works in the field sees the own ones."""
    page = orders.list_escalations(current_actor(), **args)
    called = rung_names() if page.items else {}
    names = [called.get(row.code, Text(row.code, row.code)).in_language(language()) for row in page.items]
    return Page([
        {"issue": _issue_in_short(row), "code": row.code, "name": name, "due_at": row.due_at, "planned_at": row.planned_at, "at": row.at}
        for row, name in zip(page.items, names, strict=True)
    ], page.next)  # fmt: skip
