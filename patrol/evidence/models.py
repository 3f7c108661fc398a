"""Photographs: the facts about an original that lies in the store under its SHA-256; and uploads on their way to it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base


class Photo(Base):
    """One photo as its sender named it. Two photos may share one original (`sha256`).

    `exif_*` is what the file claims, `recorded_at`, `latitude`, `longitude` what the sender's device said beside it, and
    whether it was picked `from_gallery` instead of taken now; None where it does not say.
    `exif_local_time` has no zone, as cameras write it; `exif_taken_at` is set only when the file gives one.
    """

    __tablename__ = "photos"
    __table_args__ = (Index("ix_photos_waiting", "derived_at", "received_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(20))
    size_bytes: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    kind: Mapped[str | None] = mapped_column(String(20))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    recorded_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    from_gallery: Mapped[bool | None]
    exif_local_time: Mapped[str | None] = mapped_column(String(30))
    exif_taken_at: Mapped[datetime | None]
    exif_latitude: Mapped[float | None]
    exif_longitude: Mapped[float | None]
    exif_orientation: Mapped[int | None]
    exif_camera: Mapped[str | None] = mapped_column(String(200))
    exif_software: Mapped[str | None] = mapped_column(String(200))
    likeness: Mapped[str | None] = mapped_column(String(16), index=True)
    derived_at: Mapped[datetime | None]
    broken: Mapped[str | None] = mapped_column(String(300))


class LikenessBand(Base):
    """One of the numbers by which the likeness of an original is found again: see `likeness.bands_of`."""

    __tablename__ = "likeness_bands"

    band: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)


class Upload(Base):
    """A photo that arrives in pieces. The true offset is what is both here and in the file: see `upload_queries`.

    `sent_metadata` is the header as it came, for HEAD; the photo's facts are read from it again when all is there.
    `digest` covers what the creation said, so that the same creation sent again is the same upload.
    """

    __tablename__ = "uploads"
    __table_args__ = (UniqueConstraint("owner_id", "photo_id"), Index("ix_uploads_expires", "expires_at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    photo_id: Mapped[UUID]
    sha256: Mapped[str | None] = mapped_column(String(64))
    sent_metadata: Mapped[str] = mapped_column(String(4000))
    digest: Mapped[str] = mapped_column(String(64))
    length_bytes: Mapped[int]
    received_bytes: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
