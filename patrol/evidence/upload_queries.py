"""Reads of uploads under way."""

from uuid import UUID

from sqlalchemy import Select, func, select

from patrol.evidence.models import Upload
from patrol.evidence.partial_files import PartialFiles
from patrol.evidence.tus import Gone
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.texts import Text
from patrol.people.actor import Actor

_NO_UPLOAD = Text("没有这个上传，请重新创建", "There is no such upload: create it anew")
_EXPIRED = Text("上传已过期，请重新创建", "The upload has expired: create it anew")


def visible_uploads(actor: Actor) -> Select[Upload]:
    """Select the uploads that `actor` began; nobody else sees them. It loads the rows alone and reads them anew each time."""
    return select(Upload).where(Upload.owner_id == actor.person_id).execution_options(populate_existing=True)


def get_upload(actor: Actor, upload_id: UUID) -> Upload:
    """Return a visible upload. Raises NotFound (404), and Gone (410) for one that can no longer be resumed."""
    upload = db.session.scalar(visible_uploads(actor).where(Upload.id == upload_id))
    if upload is None:
        raise NotFound(_NO_UPLOAD)
    if has_expired(upload):
        raise Gone(_EXPIRED)
    return upload


def has_expired(upload: Upload) -> bool:
    """Tell whether an upload was left alone too long; one that is finished does not expire."""
    return upload.finished_at is None and upload.expires_at <= clock.now()


def durable_bytes(upload: Upload, files: PartialFiles) -> int:
    """Return the true offset: what the row acknowledges, as far as the file has it.

    A file may be longer, by a chunk that was never acknowledged, and shorter when it lies on another machine.
    """
    if upload.finished_at is not None:
        return upload.length_bytes
    return min(upload.received_bytes, files.size(upload.id))


def uploads_under_way(actor: Actor) -> tuple[int, int]:
    """Return how many unfinished uploads an account has, and the bytes they come to when they are whole."""
    number, total = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Upload.length_bytes), 0))
        .where(Upload.owner_id == actor.person_id, Upload.finished_at.is_(None), Upload.expires_at > clock.now())
    ).one()  # fmt: skip
    return number, int(total)
