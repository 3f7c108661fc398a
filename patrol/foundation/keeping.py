"""Holding in memory what is built from tables, once for each state that a row of the database says they are in.

States are random names: counted ones would repeat after a rollback or a restored backup, and a process would take what it
holds for current.
"""

import secrets
import threading
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


def fresh_state() -> int:
    """Return a name that no state has had."""
    return secrets.randbits(62)


class _Held(NamedTuple, Generic[T]):
    state: tuple[object, ...]
    content: T


class Keeper(Generic[T]):
    """Holds one thing built from tables; of several threads that need it anew, one builds and the rest wait."""

    def __init__(self, build: Callable[..., T]) -> None:
        self._build, self._lock = build, threading.Lock()
        self._held: _Held[T] | None = None

    def peek(self, *arguments: object) -> tuple[T, int] | None:
        """Return what is held for these arguments and the state of the tables then, without asking."""
        held = self._held
        # What was built while the tables had no state yet proves nothing: their first state may look the same.
        current = held is not None and held.state[0] is not None and held.state[1:] == arguments
        return (held.content, held.state[0]) if held and current else None  # type: ignore[return-value]

    def get(self, version: int | None, *arguments: object) -> T:
        """Return the content for the tables' state `version`; built each time while they have no state."""
        state = (version, *arguments)
        held = self._held
        if held and held.state == state and version is not None:
            return held.content
        with self._lock:
            held = self._held
            if held is None or held.state != state or version is None:
                held = self._held = _Held(state, self._build(*arguments))
            return held.content
