"""Things that happened: recorded by actions, told to subscribers inside the transaction, just before the commit."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from patrol.foundation.database import db


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, named in the past tense by its subclass."""


E = TypeVar("E", bound=Event)
_subscribers: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(kind: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register the decorated function for events of `kind`; it may only write rows, since it runs before the commit."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        if handler not in _subscribers[kind]:
            _subscribers[kind].append(handler)
        return handler

    return register


def record(event: Event) -> None:
    """Note that `event` happened in the transaction under way."""
    db.session().info.setdefault("events", []).append(event)


def tell_subscribers() -> None:
    """Tell the subscribers of each recorded event, those recorded meanwhile included."""
    waiting = db.session().info.setdefault("events", [])
    while waiting:
        event = waiting.pop(0)
        for handler in _subscribers[type(event)]:
            handler(event)


def forget() -> None:
    """Drop what was recorded: the transaction did not happen."""
    db.session().info.pop("events", None)


def mark() -> int:
    """Return how many events wait now."""
    return len(db.session().info.get("events", []))


def back_to(mark: int) -> None:
    """Drop what was recorded after `mark`."""
    del db.session().info.get("events", [])[mark:]
