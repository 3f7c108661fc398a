"""What happens to accounts."""

from dataclasses import dataclass
from uuid import UUID

from patrol.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class HandlingLost(Event):
    """An account that could handle issues no longer can: it was disabled, or its roles no longer allow it."""

    person_id: UUID
