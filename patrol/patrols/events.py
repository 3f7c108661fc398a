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
