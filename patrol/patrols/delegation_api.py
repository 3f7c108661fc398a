"""Delegations over HTTP."""

from typing import Any
from uuid import UUID

from patrol.foundation.http import expected_version, refuse_stale, set_etag
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.same_content import content_digest
from patrol.patrols import delegating, duty_lists
from patrol.patrols.api import room
from patrol.patrols.duty_models import Delegation
from patrol.patrols.duty_schemas import DelegationArgs, DelegationIn, DelegationOut
from patrol.patrols.queries import person_meant
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

# Two kinds of people may: whoever delegates her own duties, and the office of her area. `delegating` tells them apart.
_WHO = f"{P.PATROL}, {P.MANAGE_DUTIES} for others' duties"


@room.route("/delegations", may=P.SEE_PATROLS)
@room.arguments(DelegationArgs, location="query")
@room.response(200, page_schema(DelegationOut))
def list_delegations(args: dict[str, Any]) -> Page[Delegation]:
    """List who may patrol on whose behalf, the latest first."""
    person = person_meant(args.pop("person"), current_actor())
    return duty_lists.list_delegations(current_actor(), person=person, **args)


@room.route("/delegations/<uuid:delegation_id>", may=P.SEE_PATROLS)
@room.response(200, DelegationOut)
def show_delegation(delegation_id: UUID) -> Delegation:
    """Show a delegation."""
    row = duty_lists.get_delegation(current_actor(), delegation_id)
    set_etag(row.version)
    return row


@room.route("/delegations/<uuid:delegation_id>", may=P.SEE_PATROLS, methods=("PUT",), refuses=(409,))
@room.body(DelegationIn)
@room.response(201, DelegationOut)
@room.alt_response(200, schema=DelegationOut, description="It was here already", success=True)
@room.doc(**{"x-permission": _WHO})
def delegate_patrols(data: dict[str, Any], delegation_id: UUID) -> tuple[Delegation, int]:
    """Let somebody patrol on a principal's behalf for some days."""
    _, is_new = delegating.delegate(by=current_actor(), id=delegation_id, digest=content_digest(data), **data)
    row = duty_lists.get_delegation(current_actor(), delegation_id)
    set_etag(row.version)
    return row, 201 if is_new else 200


@room.route("/delegations/<uuid:delegation_id>/revoke", may=P.SEE_PATROLS, methods=("POST",), if_match=True, refuses=(409,))
@room.response(200, DelegationOut)
@room.doc(**{"x-permission": _WHO})
def revoke_delegation(delegation_id: UUID) -> Delegation:
    """End a delegation now; patrols begun before keep it."""
    expected = expected_version()
    row = duty_lists.get_delegation(current_actor(), delegation_id, lock=True)
    refuse_stale(expected, row.version)
    delegating.revoke(row, by=current_actor())
    set_etag(row.version)
    return row
