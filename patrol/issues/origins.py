"""Where a staff's report comes from: its source, and the patrol or check-in it names. Higher rooms know whose those are."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.categories import SOURCE_NAME, Source
from patrol.people.actor import Actor
from patrol.people.permissions import Permission

Refusal = Callable[[Actor, UUID], None]
_refusals: dict[str, Refusal] = {}


class Claim(NamedTuple):
    """Who may name a source: whoever holds one of the permissions and not `but_not`; `fault` tells the others why not."""

    permissions: frozenset[Permission]
    fault: Text
    but_not: Permission | None = None

    def is_open_to(self, actor: Actor) -> bool:
        """Tell whether the actor may name the source."""
        return bool(self.permissions & actor.permissions) and self.but_not not in actor.permissions


_P = Permission
_OFFICE, _SUPERVISION = frozenset({_P.RECEIVE_ISSUE}), frozenset({_P.RECEIVE_ISSUE, _P.REVIEW_ISSUE})
_FIELD = frozenset({_P.PATROL, _P.HANDLE_ISSUE})
_OFFICIAL = Text(
    "来源“{source}”只能由河长办或督查人员登记", "The source “{source}” is entered by the river chief office or a supervisor only"
)
_OFFICE_ONLY = Text("来源“{source}”只能由河长办登记", "The source “{source}” is entered by the river chief office only")

CLAIMS: Mapping[Source, Claim] = {
    Source.PATROL: Claim(
        frozenset({_P.PATROL}), Text("没有巡河权限，来源不能是巡河发现", "Only those who may patrol find issues on patrol")),
    Source.CITIZEN: Claim(
        frozenset(), Text("群众投诉须经公众入口提交", "Citizens' complaints come in through the public entrance")),
    Source.HOTLINE: Claim(_OFFICE, _OFFICE_ONLY),
    Source.SUPERIOR: Claim(_SUPERVISION, _OFFICIAL),
    Source.INSPECTION: Claim(_SUPERVISION, _OFFICIAL),
    Source.CEPI: Claim(_SUPERVISION, _OFFICIAL),
    Source.MEDIA: Claim(_SUPERVISION, _OFFICIAL),
    Source.DRONE: Claim(_FIELD | _SUPERVISION, _OFFICIAL),
    Source.SENSOR: Claim(_OFFICE, _OFFICE_ONLY),
    Source.DEPARTMENT: Claim(
        frozenset({_P.HANDLE_ISSUE}), Text("来源“{source}”由责任部门或河长办登记；巡河人员请选巡河发现",
                                           "The source “{source}” is for bureaus and the office; who patrols finds on patrol"), _P.PATROL),
}  # fmt: skip
"""Who may say that an issue comes from there. A source decides who sees it first and how it is counted, so that it must be true."""
_USUAL = (Source.PATROL, Source.INSPECTION, Source.DEPARTMENT)
"""What a report comes from when none is named: the first of these that is the reporter's to name."""
_NAME_IT = Text("请填写来源", "Name the source")


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
    """Return the source of a report of `actor`: the one named, otherwise the first usual one that the actor may name.

    That is patrol for who may patrol, inspection for office and supervisors, department for a bureau's staff. Raises
    Invalid (422) for a source that is not the actor's to name, by the table `CLAIMS`, and where none is usual.
    """
    found = named or next((source for source in _USUAL if CLAIMS[source].is_open_to(actor)), None)
    if found is None or not CLAIMS[found].is_open_to(actor):
        fault = CLAIMS[found].fault.format(source=SOURCE_NAME[found]) if found else _NAME_IT
        raise Invalid(fault, errors={"source": [fault]})
    return found
