"""Whether the photos' originals in the store are still the files whose digests the histories hold."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import String, cast, select, tuple_

from patrol.evidence.storage import PhotoStore, original_key
from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.texts import Text
from patrol.issues.history import UNREADABLE
from patrol.issues.models import HistoryEntry, Issue, number_of

_BATCH = 500
_MISSING = Text("原始照片文件不在存储中", "the original is not in the store")
_CHANGED = Text("原始照片文件被改动", "the original was changed in the store")


class LostOriginal(NamedTuple):
    """A photo of an issue, brought by entry `seq`, whose original is gone or holds other bytes."""

    issue_id: UUID
    number: str
    seq: int
    photo_id: str
    text: Text


def lost_originals(store: PhotoStore) -> Iterator[LostOriginal | None]:
    """Hash the original of every photo that a history names, each file once, by the digest that its entry holds.

    Yields one value for each photo of an entry: None where the file is what was received. Raises Unavailable (503) when the
    store cannot be read: then nothing is known of the rest.
    """
    known: dict[str, Text | None] = {}
    last: tuple[UUID, int] | None = None
    # As text: somebody may have put there what is no list, or not even JSON, and hides no other photo by it.
    said = cast(HistoryEntry.photos, String)
    columns = (HistoryEntry.issue_id, HistoryEntry.seq, Issue.serial, said)
    page = (
        select(*columns).join(Issue, Issue.id == HistoryEntry.issue_id).where(said != "[]")
        .order_by(HistoryEntry.issue_id, HistoryEntry.seq).limit(_BATCH)
    )  # fmt: skip
    while True:
        rows = db.session.execute(page if last is None else page.where(tuple_(HistoryEntry.issue_id, HistoryEntry.seq) > last)).all()
        # No transaction stays open while files are read.
        db.session.rollback()
        for issue_id, seq, serial, photos in rows:
            for photo, sha256 in _named_in(photos):
                if sha256 not in known:
                    known[sha256] = _fault_of(store, sha256)
                fault = known[sha256]
                yield LostOriginal(issue_id, number_of(serial), seq, photo, fault) if fault else None
        if len(rows) < _BATCH:
            return
        last = (rows[-1][0], rows[-1][1])


def _named_in(photos: str) -> list[tuple[str, str]]:
    """Return id and digest of each photo of an entry; none where it holds what no act leaves, which the check of the histories says."""
    try:
        return [(str(photo["id"]), str(photo["sha256"])) for photo in orjson.loads(photos)]
    except UNREADABLE:
        return []


def _fault_of(store: PhotoStore, sha256: str) -> Text | None:
    digest = hashlib.sha256()
    try:
        for chunk in store.open_stream(original_key(sha256)).chunks:
            digest.update(chunk)
    except (NotFound, ValueError):
        # A digest that is none names no file; that its entry was altered is said of the history.
        return _MISSING
    return None if digest.hexdigest() == sha256 else _CHANGED
