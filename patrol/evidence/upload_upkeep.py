"""What time does to uploads: those left alone go, and so do files that no upload needs."""

from datetime import timedelta

from sqlalchemy import select

from patrol.evidence.models import Upload
from patrol.evidence.tus import Locked
from patrol.evidence.upload_actions import discard
from patrol.evidence.upload_reception import partial_files
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.people.retention import Kept, keep

AT_ONCE = 500
# A file is written before its row tells of it; one that was touched so lately may still be needed.
LATELY = timedelta(days=1)
keep(Kept(
    "uploads", "Photo uploads under way", ("uploads",), "who sends them", "{days} after the last byte, removed every hour", "UPLOAD_DAYS",
))  # fmt: skip


@each_hour
def purge_uploads() -> int:
    """Delete uploads whose time is over, rows first; return how many. Photos that came of them stay."""
    purged = 0
    while True:
        with transaction():
            expired = select(Upload.id).where(Upload.expires_at <= clock.now()).order_by(Upload.expires_at, Upload.id).limit(AT_ONCE)
            ids = db.session.scalars(expired).all()
            for upload_id in ids:
                discard(upload_id)
        for upload_id in ids:
            partial_files().remove(upload_id)
        purged += len(ids)
        if len(ids) < AT_ONCE:
            break
    _sweep()
    return purged


def _sweep() -> None:
    """Remove files that have no unfinished upload: left by processes that ended between the file and the row."""
    files = partial_files()
    for upload_id in files.untouched_since(clock.now() - LATELY):
        needed = db.session.scalar(select(Upload.id).where(Upload.id == upload_id, Upload.finished_at.is_(None)))
        if needed is None:
            try:
                with files.locked(upload_id):
                    files.remove(upload_id)
            except Locked:
                continue
    db.session.rollback()
