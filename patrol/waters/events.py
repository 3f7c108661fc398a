"""What happened in the registers of waters."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from patrol.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class ReachHandedOver(Event):
    """From the day `on` the successor is appointed in the other's place; `on` may lie in the past or in the future."""

    reach_id: UUID
    from_person_id: UUID
    to_person_id: UUID
    title: str
    on: date
