"""What happens on patrol."""

from dataclasses import dataclass
from uuid import UUID

from patrol.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class CheckedIn(Event):
    """Somebody checked in."""

    check_in_id: UUID
    patrol_id: UUID | None
    reach_id: UUID | None
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class TrackArrived(Event):
    """The stored fixes of a patrol changed; what is reckoned from them is out of date. `goes_on`: it has not ended."""

    patrol_id: UUID
    goes_on: bool


@dataclass(frozen=True, kw_only=True)
class PatrolPaused(Event):
    """A pause of a patrol became known. `goes_on`: it has not ended."""

    patrol_id: UUID
    goes_on: bool


@dataclass(frozen=True, kw_only=True)
class PatrolEnded(Event):
    """A patrol ended, by its person or by the system, or the person's end took the place of the system's."""

    patrol_id: UUID


@dataclass(frozen=True, kw_only=True)
class FindingJudged(Event):
    """A reviewer's judgement of a finding came into force, or was taken back."""

    patrol_id: UUID
    code: str
