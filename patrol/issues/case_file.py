"""The case file: one issue with its whole history, for people as a PDF, for machines as JSON that can be verified."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid, NotAllowed
from patrol.foundation.texts import Text
from patrol.issues.chain import Entry, Fault, Head, first_fault
from patrol.issues.history import chain_of
from patrol.issues.models import HistoryEntry, Issue
from patrol.issues.reading import Reader

FORM = "xunhe-case-file-1"
_REPORTER_HIDDEN = Text(
    "案卷会载明上报人，您无权知悉，请向河长办索取", "The case file names who reported, which you may not know: ask the office for it"
)
_NOT_CASE_FILE = Text("这不是本系统导出的案卷（JSON）", "It is no case file (JSON) of this system")


def case_file_of(issue: Issue, reader: Reader) -> dict[str, Any]:
    """Return the case file of a loaded issue as plain JSON: what it is, and every entry of its chain.

    Raises NotAllowed for a reader from whom the reporter is hidden: a chain with a name left out proves nothing.
    """
    if not reader.knows_reporter(issue):
        raise NotAllowed(_REPORTER_HIDDEN)
    entries = chain_of(issue.id)
    return {
        "form": FORM, "made_at": clock.now().isoformat(), "id": str(issue.id), "number": issue.number, "state": issue.state,
        "category": issue.category, "severity": issue.severity, "source": issue.source, "description": issue.description,
        "latitude": issue.latitude, "longitude": issue.longitude, "region": issue.region.code,
        "reach": issue.reach.code if issue.reach else None, "recorded_at": issue.recorded_at.isoformat(),
        "received_at": issue.received_at.isoformat(), "head": {"seq": issue.version, "hash": issue.history_hash},
        "entries": [_as_data(entry) for entry in entries],
    }  # fmt: skip


def _as_data(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq, "verb": entry.verb, "from_state": entry.from_state, "to_state": entry.to_state,
        "actor_id": str(entry.actor_id) if entry.actor_id else None, "happened_at": entry.happened_at.isoformat(),
        "details": dict(entry.details), "photo_digests": list(entry.photo_digests), "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What a case file is worth: `fault` is the first place where it is not what was written, None when it is sound.

    `known` tells whether this system's own history holds the file's last entry, `newer` how many came after it, and
    `forged` which facts beside the entries differ from this system's.
    """

    number: str | None
    seq: int
    fault: Fault | None
    known: bool
    newer: int
    forged: tuple[str, ...] = ()


def verify_case_file(data: Any) -> Verdict:
    """Hash a case file's entries anew, and look its last one up in this system's history.

    Raises Invalid (422) for anything that is no case file of this form.
    """
    issue_id, entries = _read(data)
    fault = first_fault(issue_id, entries, None)
    last = entries[-1]
    stored = db.session.scalar(select(HistoryEntry).where(HistoryEntry.issue_id == issue_id, HistoryEntry.seq == last.seq))
    known = stored is not None and stored.hash == last.hash and fault is None
    issue = db.session.get(Issue, issue_id) if known else None
    forged = _forged(data, issue, last) if issue else ()
    return Verdict(issue.number if issue else None, last.seq, fault, known, issue.version - last.seq if issue else 0, forged)


def _forged(data: Mapping[str, Any], issue: Issue, last: Entry) -> tuple[str, ...]:
    """Return which facts beside the entries are not this system's; what a step may have changed since is told by the entries."""
    true = {
        "number": issue.number, "source": issue.source, "description": issue.description, "latitude": issue.latitude,
        "longitude": issue.longitude, "recorded_at": issue.recorded_at.isoformat(), "received_at": issue.received_at.isoformat(),
        "state": last.to_state, "head": {"seq": last.seq, "hash": last.hash},
    }  # fmt: skip
    if last.seq == issue.version:
        true |= {"category": issue.category, "severity": issue.severity}
    return tuple(name for name, value in true.items() if data.get(name) != value)


def _read(data: Any) -> tuple[UUID, Sequence[Entry]]:
    try:
        if data["form"] != FORM:
            raise ValueError(data["form"])
        issue_id = UUID(data["id"])
        entries = [_entry(issue_id, row) for row in data["entries"]]
        if not entries:
            raise ValueError("no entries")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Invalid(_NOT_CASE_FILE, errors={"file": [_NOT_CASE_FILE]}) from error
    return issue_id, entries


def _entry(issue_id: UUID, row: Mapping[str, Any]) -> Entry:
    moment = datetime.fromisoformat(row["happened_at"])
    if moment.tzinfo is None:
        raise ValueError(row["happened_at"])
    if not isinstance(row["seq"], int) or not isinstance(row["details"], dict) or not 0 < row["seq"] < 2**31:
        raise TypeError(row["seq"])
    return Entry(
        issue_id=issue_id, seq=row["seq"], verb=str(row["verb"]), from_state=row["from_state"], to_state=str(row["to_state"]),
        actor_id=UUID(row["actor_id"]) if row["actor_id"] else None, happened_at=moment, details=row["details"],
        photo_digests=[str(digest) for digest in row["photo_digests"]], hash=str(row["hash"]), previous_hash=str(row["previous_hash"]),
    )  # fmt: skip


def standing_of(issue_id: UUID, entry_hash: str) -> Verdict | None:
    """Return what a printed case file's last hash is worth now, or None when this system never wrote it."""
    entry = db.session.scalar(select(HistoryEntry).where(HistoryEntry.issue_id == issue_id, HistoryEntry.hash == entry_hash))
    if entry is None:
        return None
    issue = db.session.get_one(Issue, issue_id)
    fault = first_fault(issue_id, chain_of(issue_id), Head(issue.version, issue.history_hash))
    return Verdict(issue.number, entry.seq, fault, known=True, newer=issue.version - entry.seq)
