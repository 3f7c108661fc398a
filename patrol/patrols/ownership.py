"""Whose a patrol is: only the person who walks it adds to it."""

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.patrols.models import Patrol
from patrol.people.actor import Actor

_NOT_YOURS = Text("巡河记录 {id} 不是您的", "The patrol {id} is not yours")


def refuse_foreign(patrol: Patrol, by: Actor, field: str) -> None:
    """Raise Invalid (422) at `field` unless the patrol is the actor's own."""
    if patrol.person_id != by.person_id:
        fault = _NOT_YOURS.format(id=patrol.id)
        raise Invalid(fault, errors={field: [fault]})
