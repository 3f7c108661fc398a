"""Keeping photos: first the file, durably, then the row. None of these commits."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import select

from patrol.evidence.events import PhotoReceived
from patrol.evidence.exif import PhotoFacts
from patrol.evidence.intake import ExaminedPhoto, examine
from patrol.evidence.models import Photo
from patrol.evidence.storage import PhotoStore
from patrol.foundation import clock, events, outbox
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text

_ID_TAKEN = Text("编号 {id} 已被使用，请换用新编号", "The id {id} is taken: send the photo under a new id")


@dataclass(frozen=True)
class StoredPhoto:
    """A photo whose original lies durably in the store; no row knows it yet."""

    examined: ExaminedPhoto

    @property
    def sha256(self) -> str:
        """The original's digest, 64 hexadecimal digits."""
        return self.examined.sha256


def store_photo(source: bytes | BinaryIO, *, store: PhotoStore, most_bytes: int) -> StoredPhoto:
    """Examine a file and store it durably. Call this before the first query of a request: it is slow and locks nothing.

    Raises TooLarge (413), UnsupportedKind (415), Invalid (422), or Unavailable (503) when the store is away.
    """
    data = source if isinstance(source, bytes) else source.read(most_bytes + 1)
    examined = examine(data, most_bytes=most_bytes)
    store.keep(examined.sha256, data)
    return StoredPhoto(examined)


def record_photo(
    stored: StoredPhoto, *, photo_id: UUID | None = None, kind: str | None = None, owner_id: UUID | None = None,
    recorded_at: datetime | None = None, latitude: float | None = None, longitude: float | None = None, from_gallery: bool | None = None,
) -> tuple[Photo, bool]:
    """Write the row of a stored photo; return it, and whether it is new.

    The same id with the same bytes and facts from the same person is the same photo. Raises Conflict (409) for anything
    else under an id in use; of somebody else's photo it tells nothing.
    """
    if photo_id is not None:
        known = known_photo(
            photo_id, sha256=stored.sha256, kind=kind, owner_id=owner_id, recorded_at=recorded_at, latitude=latitude, longitude=longitude,
            from_gallery=from_gallery,
        )
        if known is not None:
            return known, False
    examined, facts = stored.examined, stored.examined.exif
    photo = Photo(
        id=photo_id or new_id(), sha256=examined.sha256, media_type=examined.media_type, size_bytes=examined.size_bytes,
        width=examined.width, height=examined.height, kind=kind, owner_id=owner_id, recorded_at=recorded_at,
        received_at=clock.now(), latitude=latitude, longitude=longitude, from_gallery=from_gallery, exif_local_time=facts.taken_local,
        exif_taken_at=moment_of(facts), exif_latitude=facts.latitude, exif_longitude=facts.longitude,
        exif_orientation=facts.orientation, exif_software=facts.software,
        exif_camera=" ".join(filter(None, (facts.camera_make, facts.camera_model)))[:200] or None,
    )
    twin = db.session.scalar(select(Photo).where(Photo.sha256 == examined.sha256, Photo.derived_at.is_not(None)).limit(1))
    if twin is not None:
        photo.derived_at, photo.likeness, photo.broken = clock.now(), twin.likeness, twin.broken
    db.session.add(photo)
    db.session.flush()
    if twin is None:
        outbox.put("evidence.derive", sha256=photo.sha256)
    events.record(PhotoReceived(photo_id=photo.id, sha256=photo.sha256))
    return photo, True


def known_photo(
    photo_id: UUID, *, sha256: str, kind: str | None, owner_id: UUID | None, recorded_at: datetime | None, latitude: float | None,
    longitude: float | None, from_gallery: bool | None,
) -> Photo | None:
    """Return the photo that has this id already, if it is the one described; None for a free id.

    Raises Conflict (409), with the digests unless the photo is somebody else's.
    """
    known = db.session.get(Photo, photo_id)
    if known is None:
        return None
    if known.owner_id != owner_id:
        raise Conflict(_ID_TAKEN.format(id=photo_id))
    # A client can compare a file's digest with its own, so other bytes are told by it alone.
    refuse_other_content(photo_id, stored=known.sha256, sent=sha256)
    refuse_other_content(
        photo_id, stored=_facts_digest(known.sha256, known.kind, known.recorded_at, known.latitude, known.longitude, known.from_gallery),
        sent=_facts_digest(sha256, kind, recorded_at, latitude, longitude, from_gallery),
    )
    return known


def _facts_digest(
    sha256: str, kind: str | None, recorded_at: datetime | None, latitude: float | None, longitude: float | None, from_gallery: bool | None
) -> str:
    return content_digest({
        "sha256": sha256, "kind": kind, "recorded_at": recorded_at and recorded_at.astimezone(UTC),
        "latitude": latitude, "longitude": longitude, "from_gallery": from_gallery,
    })


def moment_of(facts: PhotoFacts) -> datetime | None:
    """Return when the photo was taken, if the file says so with a zone: by the satellites, else by camera and offset."""
    if facts.gps_at is not None:
        return facts.gps_at
    if facts.taken_local and facts.taken_offset:
        try:
            return datetime.fromisoformat(facts.taken_local + facts.taken_offset).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    return None
