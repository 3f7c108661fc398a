"""Uploads begin, grow and become photos. None of these commits."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, select, update

from patrol.evidence.actions import StoredPhoto, known_photo, record_photo
from patrol.evidence.models import Upload
from patrol.evidence.upload_queries import has_expired, uploads_under_way, visible_uploads
from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, Invalid, TooLarge, Unavailable
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Person

FACTS = ("kind", "recorded_at", "latitude", "longitude", "from_gallery")
RETRY_AFTER_S = 60
_EMPTY = Text("文件是空的", "The file is empty")
_TOO_LARGE = Text("照片最大 {most} MB", "A photo may have at most {most} MB")
_TOO_MANY = Text(
    "您有 {number} 个上传尚未完成（上限 {most}），请先完成或删除其中一些",
    "You have {number} uploads under way (at most {most}): finish or delete some first",
)
_TOO_MUCH = Text(
    "您尚未完成的上传合计将超过 {most} MB，请先完成或删除其中一些",
    "Your uploads under way would come to more than {most} MB: finish or delete some first",
)
_MOVED_ON = Text("此上传已被另一个请求改变，请用 HEAD 重新读取进度", "Another request has changed this upload: ask for its offset by HEAD")


def begin_upload(
    *, by: Actor, photo_id: UUID | None, sha256: str | None, facts: Mapping[str, Any], length_bytes: int, sent_metadata: str,
    settings: Settings,
) -> tuple[Upload, bool]:
    """Begin the upload of a photo; return it and whether it is new. The same creation again is the same upload.

    `facts` are those of `FACTS`. An upload of a photo that is here already, by whatever way, is finished at once.
    Raises Conflict (409) with both digests for other content under the photo's id, Invalid (422) for nothing,
    TooLarge (413), and Unavailable (503, Retry-After) while the account has too much under way.
    """
    _refuse_size(length_bytes, settings)
    photo_id = photo_id or new_id()
    # Creations of one account come one after another: each sees the others' in its quota, and none comes twice.
    db.session.execute(select(Person.id).where(Person.id == by.person_id).with_for_update())
    # Who says nothing of the gallery has the digest that the creation had before that could be said.
    digest = content_digest({
        "sha256": sha256, "length": length_bytes, **{name: said for name, said in facts.items() if name != "from_gallery" or said is not None},
    })
    known = db.session.scalar(visible_uploads(by).where(Upload.photo_id == photo_id))
    if known is not None and has_expired(known):
        discard(known.id)
    elif known is not None:
        # A client can compare a file's digest with its own, so other bytes are told by it alone.
        if known.sha256 and sha256:
            refuse_other_content(photo_id, stored=known.sha256, sent=sha256)
        refuse_other_content(photo_id, stored=known.digest, sent=digest)
        return known, False
    is_here = sha256 is not None and known_photo(photo_id, sha256=sha256, owner_id=by.person_id, **facts) is not None
    if not is_here:
        _refuse_too_much(by, length_bytes, settings)
    now = clock.now()
    upload = Upload(
        id=new_id(), owner_id=by.person_id, photo_id=photo_id, sha256=sha256, sent_metadata=sent_metadata, digest=digest,
        length_bytes=length_bytes, received_bytes=length_bytes if is_here else 0, created_at=now,
        expires_at=now + timedelta(days=settings.upload_days), finished_at=now if is_here else None,
    )
    db.session.add(upload)
    db.session.flush()
    return upload, True


def _refuse_size(length_bytes: int, settings: Settings) -> None:
    if length_bytes < 1:
        raise Invalid(_EMPTY)
    if length_bytes > settings.max_photo_mb * 1_000_000:
        raise TooLarge(_TOO_LARGE.format(most=settings.max_photo_mb))


def _refuse_too_much(by: Actor, length_bytes: int, settings: Settings) -> None:
    number, total = uploads_under_way(by)
    if number >= settings.open_uploads:
        raise Unavailable(_TOO_MANY.format(number=number, most=settings.open_uploads), retry_after_s=RETRY_AFTER_S)
    if total + length_bytes > settings.open_uploads_mb * 1_000_000:
        raise Unavailable(_TOO_MUCH.format(most=settings.open_uploads_mb), retry_after_s=RETRY_AFTER_S)


def note_received(upload_id: UUID, *, before: int, now_there: int, settings: Settings) -> None:
    """Acknowledge the bytes up to `now_there`, which are durable. Raises Conflict (409) unless the row still says `before`."""
    changed = db.session.execute(
        update(Upload).where(Upload.id == upload_id, Upload.received_bytes == before, Upload.finished_at.is_(None))
        .values(received_bytes=now_there, expires_at=clock.now() + timedelta(days=settings.upload_days))
    )  # fmt: skip
    if cast("CursorResult[Any]", changed).rowcount != 1:
        raise Conflict(_MOVED_ON)


def finish_upload(upload_id: UUID, stored: StoredPhoto, *, by: Actor, facts: Mapping[str, Any]) -> None:
    """Let the stored photo in by the way of all photos, and finish its upload. Raises Conflict (409) as `record_photo`."""
    upload = db.session.scalar(visible_uploads(by).where(Upload.id == upload_id).with_for_update())
    if upload is None or upload.finished_at is not None:
        raise Conflict(_MOVED_ON)
    record_photo(stored, photo_id=upload.photo_id, owner_id=by.person_id, **facts)
    upload.received_bytes, upload.finished_at = upload.length_bytes, clock.now()


def discard(upload_id: UUID) -> None:
    """Delete an upload's row; a photo that came of it stays. Its file goes apart, and is swept up if that fails."""
    db.session.execute(delete(Upload).where(Upload.id == upload_id))
