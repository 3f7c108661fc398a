"""Reads of photos."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from patrol.evidence.models import Photo
from patrol.evidence.visibility import visible_photos
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid, NotFound
from patrol.foundation.texts import Text
from patrol.people.actor import Actor

_NO_PHOTO = Text("没有这张照片", "There is no such photo")
_NOT_USABLE = Text(
    "照片 {ids} 不存在或不是您上传的：请先上传照片，再引用它的编号",
    "The photos {ids} do not exist or are not yours: upload them first, then name their ids",
)


class ArrivedPhoto(NamedTuple):
    """What tells whether a photo that arrived is the one that was announced."""

    sha256: str
    owner_id: UUID | None


def get_photo(actor: Actor, photo_id: UUID) -> Photo:
    """Return a photo that `actor` may see. Raises NotFound (404)."""
    photo = db.session.scalar(visible_photos(actor).where(Photo.id == photo_id))
    if photo is None:
        raise NotFound(_NO_PHOTO)
    return photo


def usable_photos(ids: Iterable[UUID], *, by: Actor, field: str = "photo_ids") -> list[Photo]:
    """Return the photos with `ids`, in that order, which `by` may put on something: their own, or ones they see.

    Raises Invalid (422) under `field` for ids that are unknown or somebody else's; the two read alike.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return []
    found = {photo.id: photo for photo in db.session.scalars(visible_photos(by).where(Photo.id.in_(wanted)))}
    if missing := [str(photo_id) for photo_id in wanted if photo_id not in found]:
        fault = _NOT_USABLE.format(ids=", ".join(missing))
        raise Invalid(fault, errors={field: [fault]})
    return [found[photo_id] for photo_id in wanted]


def arrived_photos(ids: Iterable[UUID]) -> dict[UUID, ArrivedPhoto]:
    """Return digest and owner of those among `ids` that have arrived, by id."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = db.session.execute(select(Photo.id, Photo.sha256, Photo.owner_id).where(Photo.id.in_(wanted)))
    return {row.id: ArrivedPhoto(row.sha256, row.owner_id) for row in rows}


def known_digests(digests: Sequence[str]) -> set[str]:
    """Return which of the digests some photo has: the others' files are orphans."""
    return set(db.session.scalars(select(Photo.sha256).where(Photo.sha256.in_(digests))))


def photo_links(photo_id: UUID) -> dict[str, str]:
    """Return the addresses of a photo's sizes."""
    return {size: f"/api/v1/photos/{photo_id}/{size}" for size in ("thumb", "screen")}
