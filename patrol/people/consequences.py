"""What higher rooms say of a change to an account: each registers a function, since imports go down only."""

from collections.abc import Callable

from patrol.foundation.texts import Text
from patrol.people.models import Person

_sayers: list[Callable[[Person], list[Text]]] = []


def says_of_leaving(sayer: Callable[[Person], list[Text]]) -> Callable[[Person], list[Text]]:
    """Register the decorated function as one that tells what is left open by an account that was just disabled, or has just lost the role chief."""
    _sayers.append(sayer)
    return sayer


def said_of_leaving(person: Person) -> list[Text]:
    """Return what all rooms say of an account that has just been disabled, or has just lost the role chief."""
    return [text for sayer in _sayers for text in sayer(person)]
