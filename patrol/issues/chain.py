"""The hash chain over an issue's history: each entry's hash covers the entry, its photos and the hash before it.

A change, deletion, insertion or swap of stored entries breaks the chain at a known place. A rewrite of everything from
some entry on does not: only a head kept elsewhere (the issue's own row, a copy outside this database) shows that.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from patrol.foundation.texts import Text

# Part of what is hashed, so that a later form of entry can never be mistaken for this one.
_FORM = "xunhe-history-1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of an issue's history as it is stored.

    `seq` counts from 1 without gaps; `actor_id` is None when the system acted by policy; `happened_at` is aware;
    `details` is what the step brought (text, integers, booleans, null, lists and objects of these); `photo_digests` are
    SHA-256 in hex, in any order; `hash` is what was computed when the entry was written, `previous_hash` what is stored
    as the hash before it, None where that is not kept.
    """

    issue_id: UUID
    seq: int
    verb: str
    from_state: str | None
    to_state: str
    actor_id: UUID | None
    happened_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    photo_digests: Sequence[str] = ()
    hash: str = ""
    previous_hash: str | None = None


class Head(NamedTuple):
    """How far a history went and the last entry's hash, as somebody outside the history remembers it."""

    seq: int
    hash: str


class FaultKind(StrEnum):
    """What is wrong with a history at the place of a fault."""

    FOREIGN = "foreign"
    MISSING = "missing"
    OUT_OF_ORDER = "out_of_order"
    REPEATED = "repeated"
    ALTERED = "altered"
    BEYOND_HEAD = "beyond_head"
    HEAD_DIFFERS = "head_differs"
    ROW_DIFFERS = "row_differs"
    UNREADABLE = "unreadable"


_FAULT_TEXT: dict[FaultKind, Text] = {
    FaultKind.FOREIGN:      Text("第{seq}条不属于此问题", "entry {seq} belongs to another issue"),
    FaultKind.MISSING:      Text("缺少第{seq}条", "entry {seq} is missing"),
    FaultKind.OUT_OF_ORDER: Text("第{seq}条不在原位", "entry {seq} is not in its place"),
    FaultKind.REPEATED:     Text("第{seq}条之后有多余的记录", "an entry too many after entry {seq}"),
    FaultKind.ALTERED:      Text("第{seq}条或其照片被改动", "entry {seq} or its photos were altered"),
    FaultKind.BEYOND_HEAD:  Text("第{seq}条不应存在", "entry {seq} should not exist"),
    FaultKind.UNREADABLE:   Text("第{seq}条或其旁的数据无法读取", "entry {seq}, or what stands beside it, cannot be read"),
    FaultKind.HEAD_DIFFERS: Text("至第{seq}条的历史被整体改写", "the history up to entry {seq} was rewritten"),
}  # fmt: skip


class Fault(NamedTuple):
    """The first place where a history is not what was written: the entry's number, the kind, and words for people."""

    seq: int
    kind: FaultKind
    text: Text


def genesis_hash(issue_id: UUID) -> str:
    """Return the hash that stands before the first entry, so that no issue's history fits another issue."""
    return hashlib.sha256(f"{_FORM} {issue_id}".encode()).hexdigest()


def canonical_bytes(entry: Entry, previous_hash: str) -> bytes:
    """Return the one byte string that stands for `entry` after `previous_hash`.

    Raises `ValueError` for a naive time and `TypeError` for details that a database may give back as another value or
    type: floats (JSONB turns 1e16 into an integer), times, keys that are not text.
    """
    if entry.happened_at.tzinfo is None:
        raise ValueError("the time of a history entry needs a zone")
    _refuse_unstable(entry.details)
    return orjson.dumps(
        {
            "form": _FORM,
            "issue_id": str(entry.issue_id),
            "seq": entry.seq,
            "verb": str(entry.verb),
            "from_state": None if entry.from_state is None else str(entry.from_state),
            "to_state": str(entry.to_state),
            "actor_id": None if entry.actor_id is None else str(entry.actor_id),
            "happened_at": entry.happened_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "details": entry.details,
            "photo_digests": sorted(entry.photo_digests),
            "previous_hash": previous_hash,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def entry_hash(entry: Entry, previous_hash: str) -> str:
    """Return the SHA-256, in hex, of `entry` after `previous_hash`; raises as `canonical_bytes` does."""
    return hashlib.sha256(canonical_bytes(entry, previous_hash)).hexdigest()


def first_fault(issue_id: UUID, entries: Sequence[Entry], head: Head | None) -> Fault | None:
    """Return the first fault of an issue's whole stored history, given in stored order, or None when it is sound.

    Without a `head` the loss of the last entries, or of all of them, cannot be seen.
    """
    previous = genesis_hash(issue_id)
    for expected, entry in enumerate(entries, start=1):
        kind = _misplaced(issue_id, entry, expected, entries)
        if kind is None and head is not None and expected > head.seq:
            kind = FaultKind.BEYOND_HEAD
        if kind is None and entry.previous_hash not in {None, previous}:
            kind = FaultKind.ALTERED
        if kind is None and _hash_or_none(entry, previous) != entry.hash:
            kind = FaultKind.ALTERED
        if kind is not None:
            return _fault(expected if kind is not FaultKind.REPEATED else entry.seq, kind)
        previous = entry.hash
    if head is not None and len(entries) < head.seq:
        return _fault(len(entries) + 1, FaultKind.MISSING)
    if head is not None and previous != head.hash and head.seq > 0:
        return _fault(head.seq, FaultKind.HEAD_DIFFERS)
    return None


def unreadable(seq: int) -> Fault:
    """Return the fault of an entry, or of a row beside the last one, that cannot even be read."""
    return _fault(seq, FaultKind.UNREADABLE)


def _fault(seq: int, kind: FaultKind) -> Fault:
    return Fault(seq, kind, _FAULT_TEXT[kind].format(seq=seq))


def _misplaced(issue_id: UUID, entry: Entry, expected: int, entries: Sequence[Entry]) -> FaultKind | None:
    if entry.issue_id != issue_id:
        return FaultKind.FOREIGN
    if entry.seq == expected:
        return None
    if entry.seq < expected:
        return FaultKind.REPEATED
    return FaultKind.OUT_OF_ORDER if any(other.seq == expected for other in entries) else FaultKind.MISSING


def _hash_or_none(entry: Entry, previous_hash: str) -> str | None:
    """Return the entry's hash, or None when something was put into it that could never have been hashed."""
    try:
        return entry_hash(entry, previous_hash)
    except (TypeError, ValueError, RecursionError):
        return None


def _refuse_unstable(value: Any) -> None:
    # Nearly all that a step brings: asking the abstract kinds first cost five calls each.
    if type(value) in (str, int, bool, NoneType):
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys of a step's details must be text, not {key!r}")
            _refuse_unstable(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_unstable(part)
    elif not (value is None or isinstance(value, str | int)):
        raise TypeError(f"a step's details cannot hold {type(value).__name__}")
