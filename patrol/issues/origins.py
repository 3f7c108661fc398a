"""Where a staff's report comes from: its source, and the patrol or check-in it names. Higher rooms know whose those are."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.categories import Source
from patrol.people.actor import Actor
from patrol.people.permissions import Permission

Refusal = Callable[[Actor, UUID], None]
_refusals: dict[str, Refusal] = {}
_NOT_CITIZEN = Text("群众投诉须经公众入口提交", "Citizens' complaints come in through the public entrance")
_NOT_PATROL = Text("没有巡河权限，来源不能是巡河发现", "Only those who may patrol find issues on patrol")


def refuses_foreign_origin(name: str) -> Callable[[Refusal], Refusal]:
    """Register the decorated function: it raises Invalid at field `name` for an id that belongs to somebody else."""

    def register(refusal: Refusal) -> Refusal:
        _refusals[name] = refusal
        return refusal

    return register


def refuse_foreign_origins(actor: Actor, data: Mapping[str, Any]) -> None:
    """Refuse a report of `actor` on somebody else's patrol or check-in. Raises Invalid (422) at the field."""
    for name, refuse in _refusals.items():
        if data[name] is not None:
            refuse(actor, data[name])


def source_of(actor: Actor, named: Source | None) -> Source:
    """Return the source of a report of `actor`: the one named, otherwise patrol for who may patrol, else inspection.

    Raises Invalid (422) for a source that is not the actor's to name.
    """
    patrols = actor.may(Permission.PATROL)
    fault = {Source.CITIZEN: _NOT_CITIZEN, Source.PATROL: None if patrols else _NOT_PATROL}.get(named) if named else None
    if fault:
        raise Invalid(fault, errors={"source": [fault]})
    return named or (Source.PATROL if patrols else Source.INSPECTION)
