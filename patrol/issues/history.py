"""An issue's history: adding an entry to its chain, and checking every chain."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from patrol.evidence.models import Photo
from patrol.foundation import clock
from patrol.foundation.appending import append
from patrol.foundation.database import db, new_id
from patrol.foundation.texts import Text
from patrol.issues.beside import differences_above, first_difference_beside, stored_beside
from patrol.issues.chain import Entry, Fault, Head, entry_hash, first_fault, genesis_hash, unreadable
from patrol.issues.facts import ROWS, Difference, digest_of_photo, facts_to_say, first_difference
from patrol.issues.models import CoHandler, HistoryEntry, Issue, IssuePhoto, number_of
from patrol.people.actor import Actor

SUBMIT, HAND_OVER, ADD_PHOTOS, SPOT_CHECK = "submit", "hand_over", "add_photos", "spot_check"
"""Entries that are no steps of the lifecycle: the beginning, a new lead after a hand-over, later photos, a look on the spot.

Those of more time and of orders are named in `beside`."""
ASK_REOPENING, REFUSE_REOPENING, PARTNER_UPDATE = "ask_reopening", "refuse_reopening", "partner_update"
"""A complainant's "not fixed", its refusal (granting it is the step `reopen`), and a partner system's word."""
ESCALATE = "escalate"
"""A late issue climbs, or a part of it is late (`PART_LATE`)."""
PART_LATE = "part_late"
PART_LATE_NAME = Text("协办分项超期", "A part is late")
"""The rule of an `escalate` that is no rung: a part with its own date is late, and the issue climbs nowhere."""
RECOUNT = "recount"
"""The due date was counted again by other rows of policy, because somebody ordered it for all open issues."""
TAKE_IN, GIVE_BACK, MOVE_ALONG = "take_in", "give_back", "move_along"
"""An original gets a duplicate, or loses it again; a duplicate goes along when its original is merged itself."""
RELAPSE, RELAPSE_WITHDRAWN, RELAPSE_MOVED = "relapse", "relapse_withdrawn", "relapse_moved"
"""The trouble of a closed issue came back in another one; that one was rejected after all; it was merged, or is so no longer."""
UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)
"""What reading a row raises into which somebody put what its column cannot hold."""
MILESTONE_DONE = "milestone_done"
"""A milestone of an issue on the ledger was reached."""
HIDE_PHOTO, SHOW_PHOTO = "hide_photo", "show_photo"
"""The office takes one photo from the public, for a reason, or gives it back."""
REPORT_PART, TAKE_BACK_PART, PART_LEFT = "report_part", "take_back_part", "part_left"
"""A co-handler reports a part of the work as done; the office takes one back; one stays open whose holder can handle nothing any more."""


def is_rung(entry: Any) -> bool:
    """Tell whether an entry (or a row with its `verb` and `changes`) says that a rung was reached, with the moment planned for it."""
    return bool(entry.verb == ESCALATE and "planned_at" in entry.changes)


class NewEntry(NamedTuple):
    """An entry as it is written: the columns of `HistoryEntry`."""

    id: UUID
    issue_id: UUID
    seq: int
    verb: str
    from_state: str | None
    to_state: str
    actor_id: UUID | None
    actor_name: str
    rule: str | None
    at: datetime
    note: str | None
    reason: str | None
    ground: str | None
    changes: dict[str, Any]
    photos: list[dict[str, Any]]
    facts: dict[str, Any] | None
    previous_hash: str
    hash: str


def add_entry(
    issue: Issue, *, verb: str, by: Actor | None, from_state: str | None, rule: str | None = None,
    brought: Mapping[str, Any] | None = None, changes: Mapping[str, Any] | None = None,
    photos: Sequence[tuple[Photo, str]] = (), rows: Mapping[str, Mapping[str, Any]] | None = None,
) -> NewEntry:  # fmt: skip
    """Append what happened to the issue's history; its version becomes the entry's number.

    `by` None is a citizen; the system acts by the rule named. `changes` may hold text, integers and booleans only.
    `rows` are those beside the issue that were written with it (`beside.rows_to_say`).
    """
    said = brought or {}
    row = NewEntry(
        id=new_id(), issue_id=issue.id, seq=(issue.version or 0) + 1, verb=verb, from_state=from_state, to_state=issue.state,
        actor_id=by.person_id if by else None, actor_name=by.name if by else "citizen", rule=rule, at=clock.now(),
        note=said.get("note"), reason=said.get("reason"), ground=said.get("ground"), changes=dict(changes or {}),
        photos=[{"id": str(photo.id), "sha256": photo.sha256, "kind": kind, "facts": digest_of_photo(photo)} for photo, kind in photos],
        facts=facts_to_say(issue, first=not issue.version) | ({ROWS: rows} if rows else {}), previous_hash=issue.history_hash or genesis_hash(issue.id), hash="",
    )
    row = row._replace(hash=entry_hash(_entry_of(row, [photo.sha256 for photo, _ in photos]), row.previous_hash))
    issue.version, issue.history_hash = row.seq, row.hash
    append(HistoryEntry, row._asdict())
    return row


def _entry_of(row: HistoryEntry | NewEntry, digests: Sequence[str]) -> Entry:
    details = {
        "actor_name": row.actor_name, "rule": row.rule, "note": row.note, "reason": row.reason, "ground": row.ground,
        "changes": row.changes, "photos": row.photos,
    }  # fmt: skip
    # Entries from before facts were said were hashed without them.
    if row.facts is not None:
        details["facts"] = row.facts
    return Entry(
        issue_id=row.issue_id, seq=row.seq, verb=row.verb, from_state=row.from_state, to_state=row.to_state,
        actor_id=row.actor_id, happened_at=row.at, details=details, photo_digests=digests, hash=row.hash,
        previous_hash=row.previous_hash,
    )  # fmt: skip


class BrokenChain(NamedTuple):
    """An issue whose history, or whose own row, is not what was written, and where that shows first."""

    issue_id: UUID
    number: str
    fault: Fault
    difference: Difference | None = None


def broken_chains(batch: int = 500) -> Iterator[BrokenChain | None]:
    """Check every issue's chain, and the issue with its photos and the rows beside it against what its history adds up to.

    Yields one value for each issue: None for a sound one, the fault otherwise. Holds `batch` issues in memory at a time.
    """
    last: UUID | None = None
    while True:
        page = select(Issue.id).order_by(Issue.id).limit(batch)
        ids = db.session.scalars(page if last is None else page.where(Issue.id > last)).all()
        if not ids:
            return
        last = ids[-1]
        yield from _checked_or_unreadable(ids)
        db.session.rollback()
        db.session.expunge_all()


def fault_of(issue: Issue) -> Fault | None:
    """Return the first fault of one issue's history, or of the issue against it."""
    try:
        [found] = _checked([issue])
    except UNREADABLE:
        found = _unreadable(issue.id)
    return found and found.fault


def _checked_or_unreadable(issue_ids: Sequence[UUID]) -> list[BrokenChain | None]:
    """Check issues together, or where a row of one of them holds what cannot be read, each alone: it hides no other."""
    try:
        return list(_checked(db.session.scalars(select(Issue).where(Issue.id.in_(issue_ids)).order_by(Issue.id)).all()))
    except UNREADABLE:
        if len(issue_ids) == 1:
            return [_unreadable(issue_ids[0])]
        return [found for issue_id in issue_ids for found in _checked_or_unreadable([issue_id])]


def _unreadable(issue_id: UUID) -> BrokenChain:
    """Return the first entry that cannot be read, or the last one where it is the issue or a row beside it."""
    number = number_of(db.session.scalars(select(Issue.serial).where(Issue.id == issue_id)).one())
    seqs = db.session.scalars(select(HistoryEntry.seq).where(HistoryEntry.issue_id == issue_id).order_by(HistoryEntry.seq)).all()
    for seq in seqs:
        try:
            db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == issue_id, HistoryEntry.seq == seq)).all()
        except UNREADABLE:
            return BrokenChain(issue_id, number, unreadable(seq))
    return BrokenChain(issue_id, number, unreadable(max(seqs, default=0)))


def _checked(issues: Sequence[Issue]) -> Iterator[BrokenChain | None]:
    ids = [issue.id for issue in issues]
    entries = _entries_of(ids)
    co_handlers, links = defaultdict(list), defaultdict(list)
    for row in db.session.scalars(select(CoHandler).where(CoHandler.issue_id.in_(ids))):
        co_handlers[row.issue_id].append(row.person_id)
    for link in db.session.scalars(select(IssuePhoto).where(IssuePhoto.issue_id.in_(ids))):
        links[link.issue_id].append(link)
    photos, beside = _photos_named_by(entries), stored_beside(ids)
    faults = {issue.id: first_fault(issue.id, entries.get(issue.id, []), Head(issue.version, issue.history_hash)) for issue in issues}
    # Of a history that is not what was written nothing else can be read.
    above = differences_above({issue.id: entries.get(issue.id, []) for issue in issues if faults[issue.id] is None})
    for issue in issues:
        own, fault, other = entries.get(issue.id, []), faults[issue.id], None
        if own and fault is None:
            other = first_difference(issue, own, co_handlers[issue.id], links[issue.id], photos) or first_difference_beside(own, beside.get(issue.id, {}))
            other = other or above.get(issue.id)
        fault = other.as_fault() if other else fault
        yield BrokenChain(issue.id, issue.number, fault, other) if fault else None


def _photos_named_by(entries: Mapping[UUID, Sequence[Entry]]) -> dict[UUID, Photo]:
    ids = {photo_id for chain in entries.values() for entry in chain for photo_id in _ids_of(entry.details["photos"])}
    return {photo.id: photo for photo in db.session.scalars(select(Photo).where(Photo.id.in_(ids)))} if ids else {}


def chain_of(issue_id: UUID) -> list[Entry]:
    """Return an issue's history as its chain: the entries with the digests of the photos as they are stored now."""
    return _entries_of([issue_id]).get(issue_id, [])


def _entries_of(issue_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]:
    rows = db.session.scalars(
        select(HistoryEntry).where(HistoryEntry.issue_id.in_(issue_ids)).order_by(HistoryEntry.issue_id, HistoryEntry.seq)
    ).all()
    named = {photo_id for row in rows for photo_id in _ids_of(row.photos)}
    stored = dict(db.session.execute(select(Photo.id, Photo.sha256).where(Photo.id.in_(named))).all()) if named else {}
    # The digests that count are those of the photos as they are stored now; an entry only says which photos.
    return {
        issue_id: [_entry_of(row, [stored.get(photo_id, "") for photo_id in _ids_of(row.photos)]) for row in run]
        for issue_id, run in groupby(rows, key=lambda row: row.issue_id)
    }


def _ids_of(photos: Any) -> list[UUID]:
    """Return the ids of the photos that an entry names; none where it holds what no act leaves, by which its hash differs anyway."""
    try:
        return [UUID(photo["id"]) for photo in photos]
    except UNREADABLE:
        return []
