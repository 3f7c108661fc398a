"""Where a patrol's photos were seen before: the same bytes, or a likeness, of anybody and anywhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import ColumnElement, and_, or_, select

from patrol.evidence.likeness import FOUND_BITS, bands_of
from patrol.evidence.models import LikenessBand, Photo
from patrol.foundation.database import db
from patrol.issues.accusations import CHARGES
from patrol.issues.models import Issue, IssuePhoto
from patrol.patrols.checkpoint_models import CheckpointAnswer
from patrol.patrols.checkpoints import mark_of
from patrol.patrols.facts import SeenElsewhere
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol

# So many photos that may look alike are compared, the latest first: only pictures of one colour have as many.
MOST_COMPARED = 5_000
# So many patrols that show one of a patrol's photos after it are looked at again, the earliest first.
MOST_AGAIN = 20


@dataclass(frozen=True)
class _Sighting:
    photo_id: UUID
    sha256: str
    likeness: str | None
    received_at: datetime
    on: UUID | None
    patrol_ids: frozenset[UUID]


def seen_elsewhere(patrol: Patrol, photos: Sequence[tuple[Photo, UUID | None]]) -> list[SeenElsewhere]:
    """Return what `photos` of a patrol, each with its check-in or checkpoint, show again: photos received before them, on others.

    Within the patrol itself a likeness is natural, and so is a check-in's photo on the issue raised there; the same bytes
    under two check-ins or checkpoints are not.
    """
    found: dict[tuple[UUID, UUID], SeenElsewhere] = {}
    on = {photo.id: shown_on for photo, shown_on in photos}
    mine_all = [photo for photo, _ in photos]
    for mine, other in _alike(mine_all, _until(mine_all)) if photos else ():
        same_bytes = mine.sha256 == other.sha256
        two_check_ins = same_bytes and None not in (on[mine.id], other.on) and on[mine.id] != other.on
        if (patrol.id in other.patrol_ids and not two_check_ins) or not _before(other, mine):
            continue
        days = (mine.received_at - other.received_at).total_seconds() / 86_400
        bits = 0 if same_bytes else _bits(mine.likeness, other.likeness)
        found[mine.id, other.photo_id] = SeenElsewhere(mine.id, other.photo_id, same_bytes, bits, round(days, 3))
    return [found[key] for key in sorted(found)]


def shown_again(patrol: Patrol, photos: Sequence[tuple[Photo, UUID | None]]) -> list[UUID]:
    """Return the other patrols that show again what `photos` of this one show: mostly none.

    They may have been examined while nobody knew yet what the earlier photo was for, or what it looks like.
    """
    mine_all, found = [photo for photo, _ in photos], dict[UUID, None]()
    if not photos:
        return []
    for other in sorted({other for mine, other in _alike(mine_all, _after(mine_all)) if not _before(other, mine)}, key=_moment):
        found |= dict.fromkeys(sorted(other.patrol_ids - {patrol.id}))
    return list(found)[:MOST_AGAIN]


def _before(other: _Sighting, mine: Photo) -> bool:
    """Tell whether the other photo was here first; of two that came at once the one with the smaller id was."""
    return other.photo_id != mine.id and (other.received_at, other.photo_id) < (mine.received_at, mine.id)


def _moment(sighting: _Sighting) -> tuple[datetime, UUID]:
    return sighting.received_at, sighting.photo_id


def _until(photos: Sequence[Photo]) -> list[_Sighting]:
    """Return the photos of anybody, however old, up to the latest of these, that are or may look like one of them."""
    return _candidates(photos, Photo.received_at <= max(photo.received_at for photo in photos), Photo.received_at.desc())


def _after(photos: Sequence[Photo]) -> list[_Sighting]:
    """Return the photos of anybody from the earliest of these on that are or may look like one of them."""
    return _candidates(photos, Photo.received_at >= min(photo.received_at for photo in photos), Photo.received_at.asc())


def _candidates(photos: Sequence[Photo], when: ColumnElement[bool], order: ColumnElement[Any]) -> list[_Sighting]:
    """Return the photos of anybody that agree with one of these in a band or in all bytes; none that only charges against chiefs show."""
    seen = (
        select(Photo.id, Photo.sha256, Photo.likeness, Photo.received_at, CheckIn.id, CheckIn.patrol_id, Issue.patrol_id,
               CheckpointAnswer.patrol_id, CheckpointAnswer.number)
        .outerjoin(CheckInPhoto, CheckInPhoto.photo_id == Photo.id).outerjoin(CheckIn, CheckIn.id == CheckInPhoto.check_in_id)
        .outerjoin(IssuePhoto, IssuePhoto.photo_id == Photo.id)
        .outerjoin(Issue, and_(Issue.id == IssuePhoto.issue_id, Issue.category.not_in(CHARGES)))
        .outerjoin(CheckpointAnswer, CheckpointAnswer.photo_id == Photo.id)
        .where(when, or_(CheckIn.id.is_not(None), Issue.id.is_not(None), CheckpointAnswer.number.is_not(None)))
    )  # fmt: skip
    bands = {band for photo in photos if photo.likeness for band in bands_of(photo.likeness)}
    alike = select(LikenessBand.sha256).where(LikenessBand.band.in_(bands))
    statements = [
        seen.where(Photo.sha256.in_({photo.sha256 for photo in photos})),
        seen.where(Photo.sha256.in_(alike)).order_by(order, Photo.id).limit(MOST_COMPARED),
    ]
    return [_sighting(row) for statement in statements for row in db.session.execute(statement)]


def _sighting(row: Any) -> _Sighting:
    photo_id, sha256, likeness, received_at, check_in_id, *patrol_ids, answered_on, number = row
    on = check_in_id or (answered_on and mark_of(answered_on, number))
    return _Sighting(photo_id, sha256, likeness, received_at, on, frozenset(id_ for id_ in (*patrol_ids, answered_on) if id_))


def _alike(photos: Sequence[Photo], others: Sequence[_Sighting]) -> Iterator[tuple[Photo, _Sighting]]:
    if not others:
        return
    hashes = np.array([int(other.likeness or "0", 16) for other in others], dtype=np.uint64)
    known = np.array([other.likeness is not None for other in others])
    digests = np.array([other.sha256 for other in others])
    for photo in photos:
        same = digests == photo.sha256
        if photo.likeness:
            same |= known & (np.bitwise_count(hashes ^ np.uint64(int(photo.likeness, 16))) <= FOUND_BITS)
        for at in np.flatnonzero(same):
            yield photo, others[int(at)]


def _bits(first: str | None, second: str | None) -> int:
    return (int(first or "0", 16) ^ int(second or "0", 16)).bit_count()
