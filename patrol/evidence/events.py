"""What happens to photos."""

from dataclasses import dataclass
from uuid import UUID

from patrol.foundation.events import Event


@dataclass(frozen=True, kw_only=True)
class PhotoReceived(Event):
    """A photo's row was written; its original lay in the store before."""

    photo_id: UUID
    sha256: str


@dataclass(frozen=True, kw_only=True)
class PhotoDerived(Event):
    """The sizes and the likeness of an original are there."""

    sha256: str
