"""Who may see a photo: its sender, and whoever may see the thing it hangs on. Higher rooms register what they know."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Select, or_, select

from patrol.evidence.models import Photo
from patrol.people.actor import Actor

PhotoIds = Callable[[Actor], Select[UUID]]
_ways: dict[str, PhotoIds] = {}


def photos_seen_through(thing: str) -> Callable[[PhotoIds], PhotoIds]:
    """Register the decorated function: it selects the ids of the photos that an actor sees through `thing`."""

    def register(way: PhotoIds) -> PhotoIds:
        _ways[thing] = way
        return way

    return register


def visible_photos(actor: Actor) -> Select[Photo]:
    """Select the photos that `actor` sent or sees through an issue, a check-in and the like."""
    return select(Photo).where(or_(Photo.owner_id == actor.person_id, *(Photo.id.in_(way(actor)) for way in _ways.values())))
