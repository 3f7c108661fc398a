"""Whether a case file that somebody holds is what this system gave out, and its history what was written."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.json_safety import parse_json
from patrol.foundation.texts import Text
from patrol.issues.accusations import is_charge
from patrol.issues.case_file import FORM, JSON, PDF, digest_of, digests_of
from patrol.issues.case_file_models import IssuedCaseFile
from patrol.issues.chain import Entry, Fault, first_fault
from patrol.issues.facts import fact, replayed
from patrol.issues.history import chain_of, fault_of
from patrol.issues.models import HistoryEntry, Issue, number_of
from patrol.people.models import Region
from patrol.waters.models import Reach

PDF_MARK = "xunhe-case-file:{id}"
_MARK = re.compile(rb"xunhe-case-file:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_NOT_CASE_FILE = Text(
    "这不是案卷文件。请上传从本系统下载、未改动的案卷原件（PDF 或 JSON）；照片、截图和扫描件无法核验，纸质案卷请扫描其上的二维码",
    "This is no case file: upload the file as it was downloaded from this system (PDF or JSON). A photo, screenshot or scan cannot be "
    "verified; for a case file on paper scan its QR code",
)
_SAID_TWICE = Text("同一字段出现两次：{name}", "A field is there twice: {name}")
# What a case file calls otherwise than its column, or tells in another form, is not among these.
_PLAIN = ("category", "severity", "source", "description", "latitude", "longitude", "department", "public_summary")
_MOMENTS = ("recorded_at", "received_at", "dispatched_at", "rectified_at", "closed_at")
# Files from before these were told lack them; from a later one they cannot be taken away unseen, since it was given out with them.
_TOLD_LATER = ("rectified_at", "closed_at")
# The history knows places by their ids; what they are called is the register's word, which may change after a file was given out.
_CALLED_BY: Mapping[str, type[Region] | type[Reach]] = {"region": Region, "reach": Reach}


@dataclass(frozen=True)
class Verdict:
    """What a case file is worth: `fault` is the first place where a history is not what was written, None when it is sound.

    `known` tells whether this system's own history holds the file's last entry, `issued` whether it gave out this very
    file, `newer` how many entries came after it, `forged` which facts in it are not those that were given out, and
    `marked` that it bears the mark of a file that was given out with other content. `facts` is what the history says up
    to `seq`, to be compared with paper by eye.
    `renamed` are the places that the register called so when the file was given out, and calls otherwise now: no fault.
    `number` and `seq` are None where nothing is known of the file.
    """

    number: str | None
    seq: int | None
    fault: Fault | None
    known: bool
    newer: int
    issued: bool = True
    forged: tuple[str, ...] = ()
    marked: bool = False
    renamed: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def genuine(self) -> bool:
        """Whether the file is, in every fact, what this system gave out, and its history is what was written."""
        return self.known and self.issued and self.fault is None and not self.forged


def verify_file(content: bytes) -> Verdict:
    """Verify a case file as it was uploaded. Raises Invalid (422) or BadRequest (400) for what is neither PDF nor JSON of this form."""
    if content.startswith(b"%PDF-"):
        return _verify_pdf(content)
    # Most wrong files are photos, documents and scans of the paper: what the parser says of their bytes helps nobody.
    if not content.lstrip().startswith(b"{"):
        raise Invalid(_NOT_CASE_FILE, errors={"file": [_NOT_CASE_FILE]})
    data = parse_json(content)
    _refuse_said_twice(content)
    return verify_case_file(data)


def _verify_pdf(content: bytes) -> Verdict:
    """A PDF is genuine as long as not one byte differs; of a changed one its mark may still tell which it was."""
    sha256 = hashlib.sha256(content).hexdigest()
    row = db.session.scalar(select(IssuedCaseFile).where(IssuedCaseFile.sha256 == sha256, IssuedCaseFile.kind == PDF))
    if row is None:
        mark = _MARK.search(content)
        was = db.session.get(IssuedCaseFile, UUID(mark[1].decode())) if mark else None
        number = number_of(db.session.get_one(Issue, was.issue_id).serial) if was else None
        return Verdict(number, was.seq if was else None, None, known=False, newer=0, issued=False, marked=was is not None)
    issue = db.session.get_one(Issue, row.issue_id)
    return Verdict(issue.number, row.seq, fault_of(issue), known=True, newer=issue.version - row.seq)


def verify_case_file(data: Any) -> Verdict:
    """Hash a JSON case file's entries anew, look its last one up in this system's history, and each fact up in what was given out.

    Raises Invalid (422) for anything that is no case file of this form.
    """
    issue_id, entries = _read(data)
    fault, last = first_fault(issue_id, entries, None), entries[-1]
    stored = db.session.scalar(select(HistoryEntry).where(HistoryEntry.issue_id == issue_id, HistoryEntry.seq == last.seq))
    issue = db.session.get(Issue, issue_id) if stored is not None and stored.hash == last.hash and fault is None else None
    if issue is None:
        return Verdict(None, last.seq, fault, known=False, newer=0)
    row, others = _issued(data), _against_history(data, issue, last.seq)
    issued = row is not None and row.sha256 == digest_of(data)
    renamed = tuple(name for name in others if issued and _was_called_so(name, data[name]))
    forged = dict.fromkeys([*_changed_since_issued(data, row), *(name for name in others if name not in renamed)])
    return Verdict(
        issue.number, last.seq, fault_of(issue), known=True, newer=issue.version - last.seq, issued=issued, forged=tuple(forged), renamed=renamed,
    )  # fmt: skip


def _was_called_so(name: str, code: Any) -> bool:
    """Tell whether a place of a file that was given out is one that was renamed since: nothing else bears that code now."""
    model = _CALLED_BY.get(name)
    return model is not None and isinstance(code, str) and db.session.scalar(select(model.id).where(model.code == code)) is None


def _issued(data: Mapping[str, Any]) -> IssuedCaseFile | None:
    try:
        row = db.session.get(IssuedCaseFile, UUID(data["file"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return row if row is not None and row.kind == JSON and str(row.issue_id) == data["id"] else None


def _changed_since_issued(data: Mapping[str, Any], row: IssuedCaseFile | None) -> list[str]:
    """Return the names of all facts that were changed, added or taken away since the file was given out."""
    if row is None:
        return []
    now = digests_of(data)
    return [name for name in {**row.fields, **now} if row.fields.get(name) != now.get(name)]


def _against_history(data: Mapping[str, Any], issue: Issue, seq: int) -> list[str]:
    """Return the facts that are not what the history up to entry `seq` adds up to, whoever says that they were given out so."""
    entries = chain_of(issue.id)[:seq]
    known, whole = replayed(entries)
    true: dict[str, Any] = {"number": issue.number, "state": entries[-1].to_state, "head": {"seq": seq, "hash": entries[-1].hash}}
    said = {name: known[name].value if name in known else None for name in (*_PLAIN, *_MOMENTS, "region_id", "reach_id", "lead_id")
            if name in known or whole}  # fmt: skip
    true |= {name: said[name] for name in (*_PLAIN, *_MOMENTS) if name in said}
    if "region_id" in said:
        true["region"] = db.session.get_one(Region, UUID(said["region_id"])).code
    if "reach_id" in said:
        true["reach"] = said["reach_id"] and db.session.get_one(Reach, UUID(said["reach_id"])).code
    if "lead_id" in said:
        true["lead"] = said["lead_id"]
    return [name for name, value in true.items() if _as_said(name, data.get(name)) != value and (name in data or name not in _TOLD_LATER)]


def _as_said(name: str, value: Any) -> Any:
    """Return a fact of a case file as the history keeps it."""
    if name == "lead":
        return value.get("id") if isinstance(value, dict) else value
    if name in _MOMENTS and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return fact(moment) if moment.tzinfo else value
    return fact(value) if isinstance(value, float) else value


def _refuse_said_twice(content: bytes) -> None:
    """Refuse a file in which a reader may see one value of a field and a program another."""

    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise Invalid(_SAID_TWICE.format(name=name), errors={"file": [_SAID_TWICE.format(name=name)]})
            found[name] = value
        return found

    json.loads(content, object_pairs_hook=once)


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
    # The hash of a charge is known to systems whose people may be the accused: whoever holds the file reads the facts there.
    if is_charge(issue.category):
        return Verdict(issue.number, entry.seq, fault_of(issue), known=True, newer=issue.version - entry.seq)
    facts = {name: said.value for name, said in replayed(chain_of(issue_id)[: entry.seq])[0].items()} | {"state": entry.to_state}
    return Verdict(issue.number, entry.seq, fault_of(issue), known=True, newer=issue.version - entry.seq, facts=facts)
