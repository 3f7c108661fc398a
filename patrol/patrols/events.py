"""What happens on patrol."""

from dataclasses import dataclass
from uuid import UUID

from patrol.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class CheckedIn(Event):
    """Somebody checked in."""

    check_in_id: UUID
    reach_id: UUID | None
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class TrackArrived(Event):
    """The stored fixes of a patrol changed; what is reckoned from them is out of date."""

    patrol_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatrolPaused(Event):
    """A pause of a patrol became known."""

    patrol_id: UUID


@dataclass(frozen=True, kw_only=True)
class PatrolEnded(Event):
    """A patrol ended, by its person or by the system, or the person's end took the place of the system's."""

    patrol_id: UUID
