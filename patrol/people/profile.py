"""What higher rooms add to somebody's own profile: each registers a function, since imports go down only."""

from collections.abc import Callable
from typing import Any

from patrol.people.actor import Actor

_parts: dict[str, Callable[[Actor], Any]] = {}


def adds_to_profile(name: str) -> Callable[[Callable[[Actor], Any]], Callable[[Actor], Any]]:
    """Register the decorated function as what gives the member `name` of GET /me."""

    def register(part: Callable[[Actor], Any]) -> Callable[[Actor], Any]:
        _parts[name] = part
        return part

    return register


def profile_parts(actor: Actor) -> dict[str, Any]:
    """Return what all rooms add to this actor's profile."""
    return {name: part(actor) for name, part in _parts.items()}
