"""The rows beside an issue that its history proves as well: parts of the work, requests for more time, orders of supervision.

Put together from the entries, they stand as they must. What an entry's changes tell is nearly all of it; the exact moments,
and which order it is, newer entries say among their facts (`ROWS`). Of older ones a moment is proved to lie near its entry.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, select

from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.issues.chain import Entry
from patrol.issues.escalation_models import Order
from patrol.issues.facts import ROWS, Difference, Said, fact
from patrol.issues.lifecycle import Verb
from patrol.issues.models import Extension, IssuePart

PROVED: Mapping[type[IssuePart] | type[Extension] | type[Order], tuple[str, ...]] = {
    IssuePart: ("person_id", "department", "text", "due_at", "state", "note", "ended_at", "ended_by_id", "told_late_at"),
    Extension: ("opening", "until", "reason", "asked_at", "asked_by_id", "granted", "decision", "decided_at", "decided_by_id"),
    Order: ("kind", "text", "by_id", "rule", "to_id", "at", "acknowledged_at", "answer", "answered_at", "answered_by_id"),
}
"""The columns that are proved; that an order was only acknowledged stands in no entry until it is answered."""
ASK_EXTENSION, GRANT_EXTENSION, REFUSE_EXTENSION, ANSWER_ORDER = "ask_extension", "grant_extension", "refuse_extension", "answer_order"
"""Entries that are no steps and tell of such rows: more time is asked for by the lead and decided by the office, an order is answered.

Those of parts are known by what they change."""
JOIN_CHARGE = "join_charge"
"""The entry by which what is merged into a charge against a chief becomes part of it, and goes with it when that is passed on."""
_CALLS_BACK = {Verb.TRANSFER, Verb.DECLINE, Verb.REOPEN, JOIN_CHARGE}
# Nine entries of ten tell of no such row.
_TELL, _TOLD_AS = {*_CALLS_BACK, ASK_EXTENSION, GRANT_EXTENSION, REFUSE_EXTENSION}, {"parts", "part", "order"}
_PART, _EXTENSION, _ORDER, _BY_ENTRY = "part", "extension", "order", "order of entry"
SPOT, NOT_FIXED = "spot_check", "not_fixed"
"""Rows of higher rooms that histories prove: looks on the spot, and complainants' "not fixed" with their answers."""
_KIND: Mapping[Any, tuple[str, str]] = {IssuePart: (_PART, "n"), Extension: (_EXTENSION, "n"), Order: (_ORDER, "id")}
_NAME = {
    _PART: Text("分项 {key}", "part {key}"), _EXTENSION: Text("第 {key} 次延期申请", "request {key} for more time"),
    _ORDER: Text("督办件 {key}", "order {key}"), SPOT: Text("抽查 {key}", "spot check {key}"),
    NOT_FIXED: Text("“未整改到位” {key}", "the “not fixed” {key}"), _BY_ENTRY: Text("第 {key} 条所发的督办件", "the order that entry {key} gave"),
}  # fmt: skip
_DIFFERS = Text("{row}的“{column}”与第{seq}条历史所载不符", "“{column}” of {row} is not what the history says at entry {seq}")
_GONE = Text("第{seq}条历史所载的{row}已不存在", "{row}, of which entry {seq} tells, is gone")
_UNTOLD = Text("全部{seq}条历史均未载有{row}", "none of the {seq} entries tells of {row}")
_UNREADABLE = Text("第{seq}条历史所载的分项、延期或督办无法辨认", "what entry {seq} tells of parts, more time or orders cannot be read")
# An act notes its moment a little before its entry does; a sweep does so for a whole batch, and a clock may be set meanwhile.
_NEAR = timedelta(hours=1)

Key = tuple[str, str]
"""What a row is called in a history: its kind, and its number or id."""
Columns = dict[str, Said]


class Near(NamedTuple):
    """A moment that an entry only tells by its own."""

    moment: datetime

    def __str__(self) -> str:
        return f"about {fact(self.moment)}"


Proof = Callable[[Mapping[UUID, Sequence[Entry]]], Mapping[UUID, "Difference"]]
"""Given issues' whole entries by the issue's id, what the first row beside each says otherwise than they."""
_proofs: list[Proof] = []


def proves(proof: Proof) -> Proof:
    """Register the decorated function of a higher room, whose rows stand beside issues too."""
    _proofs.append(proof)
    return proof


def differences_above(entries: Mapping[UUID, Sequence[Entry]]) -> Mapping[UUID, Difference]:
    """Return for each issue the first row of the higher rooms, by the order of its history, that is not as its entries have it."""
    found: dict[UUID, Difference] = {}
    for proof in _proofs:
        for issue_id, one in proof(entries).items():
            found[issue_id] = min(found.get(issue_id, one), one, key=lambda each: each.seq)
    return found


def rows_to_say(row: IssuePart | Extension | Order, *names: str) -> dict[str, dict[str, Any]]:
    """Return columns of a row beside the issue as an entry says them among its facts."""
    kind, key = _KIND[type(row)]
    return {f"{kind} {getattr(row, key)}": {name: fact(getattr(row, name)) for name in names}}


def stored_beside(issue_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[Key, Row[Any]]]:
    """Return the rows beside each of these issues, in one statement a table."""
    found = defaultdict[UUID, dict[Key, Row[Any]]](dict)
    for model, (kind, key) in _KIND.items():
        for row in db.session.execute(select(*model.__table__.c).where(model.issue_id.in_(issue_ids))):
            found[row.issue_id][kind, str(getattr(row, key))] = row
    return found


def first_difference_beside(entries: Sequence[Entry], stored: Mapping[Key, Row[Any]]) -> Difference | None:
    """Return the first row beside an issue, by the order of its history, that is not as rebuilt; rows of which no entry tells come last."""
    replay = _Replay(whole=entries[0].details.get("facts") is not None)
    for entry in entries:
        try:
            replay.add(entry)
        except (AttributeError, KeyError, TypeError, ValueError):
            # Somebody wrote the history anew, in a form that no act leaves: the exported heads tell.
            return Difference(ROWS, entry.seq, None, None, _UNREADABLE.format(seq=entry.seq))
    said = _named(replay.rows, stored)
    found = [one for key, columns in said.items() if (one := differing(key, columns, stored.get(key)))]
    found += [untold(key, entries[-1].seq) for key in sorted(stored.keys() - said.keys())]
    return min(found, key=lambda one: one.seq, default=None)


def untold(key: Key, seq: int) -> Difference:
    """Return the difference that is a row of which none of the `seq` entries tells."""
    return Difference(" ".join(key), seq, "a row", None, _UNTOLD.format(seq=seq, row=_name_of(key)))


def differing(key: Key, columns: Columns, row: Any) -> Difference | None:
    """Return the column of a row, by its names, that is first not as its entries have it; a row that is gone (None) is one, too."""
    if row is None:
        seq = next(iter(columns.values())).seq
        return Difference(" ".join(key), seq, None, "a row", _GONE.format(seq=seq, row=_name_of(key)))
    wrong = [(said.seq, name) for name, said in columns.items() if not _holds(said.value, getattr(row, name))]
    if not wrong:
        return None
    seq, name = min(wrong, key=lambda one: one[0])
    words = _DIFFERS.format(row=_name_of(key), column=name, seq=seq)
    return Difference(" ".join((*key, name)), seq, fact(getattr(row, name)), columns[name].value, words)


def _holds(said: Any, stored: Any) -> bool:
    if isinstance(said, Near):
        return isinstance(stored, datetime) and abs(stored - said.moment) <= _NEAR
    return bool(fact(stored) == said)


def _name_of(key: Key) -> Text:
    return _NAME[key[0]].format(key=key[1])


class _Replay:
    """The rows beside an issue, as its entries so far leave them."""

    def __init__(self, *, whole: bool) -> None:
        self.rows = defaultdict[Key, Columns](dict)
        self.asked = self.opening = 0
        # Whom an order went to is who led then: a history that began without facts knows only who led since.
        self.lead: dict[str, Any] = {"to_id": None} if whole else {}

    def add(self, entry: Entry) -> None:
        facts = entry.details.get("facts") or {}
        if "lead_id" in facts:
            self.lead = {"to_id": facts["lead_id"]}
        if entry.verb not in _TELL and _TOLD_AS.isdisjoint(entry.details["changes"]):
            return
        exact = {_key_said(name): columns for name, columns in facts.get(ROWS, {}).items()}
        self.opening += entry.verb == Verb.REOPEN
        for told in (self._parts, self._extension, self._order):
            for key, columns in told(entry, exact):
                self._say(key, entry.seq, columns)
        for key, columns in exact.items():
            self._say(key, entry.seq, columns)

    def _say(self, key: Key, seq: int, columns: Mapping[str, Any]) -> None:
        self.rows[key] |= {name: Said(seq, value) for name, value in columns.items()}

    def _parts(self, entry: Entry, _exact: Mapping[Key, Any]) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        changes, at = entry.details["changes"], Near(entry.happened_at)
        if entry.verb in _CALLS_BACK:
            still_open = [key for key, columns in self.rows.items() if key[0] == _PART and columns["state"].value == "open"]
            yield from ((key, {"state": "taken_back", "ended_at": at}) for key in still_open)
        for row in _to(changes, "parts") or ():
            given = {"person_id": row["person"], "department": row["department"], "text": row["part"], "due_at": _moment(row["due_at"])}
            yield (_PART, str(row["n"])), {**dict.fromkeys(PROVED[IssuePart]), **given, "state": "open"}
        key = (_PART, str(_to(changes, "part")))
        if (state := _to(changes, "part_state")) is not None:
            yield key, {"state": state, "note": entry.details["note"], "ended_at": at, "ended_by_id": fact(entry.actor_id)}
        if "part_due_at" in changes:
            yield key, {"told_late_at": at}

    def _extension(self, entry: Entry, _exact: Mapping[Key, Any]) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        who, at, reason = fact(entry.actor_id), Near(entry.happened_at), entry.details["reason"]
        if entry.verb == ASK_EXTENSION:
            self.asked += 1
            until = _moment(_to(entry.details["changes"], "until"))
            asked = {"opening": self.opening, "until": until, "reason": reason, "asked_at": at, "asked_by_id": who}
            yield (_EXTENSION, str(self.asked)), {**dict.fromkeys(PROVED[Extension]), **asked}
        elif entry.verb in {GRANT_EXTENSION, REFUSE_EXTENSION}:
            # Nobody asks again before there is an answer.
            decided = {"granted": entry.verb == GRANT_EXTENSION, "decision": reason, "decided_at": at, "decided_by_id": who}
            yield (_EXTENSION, str(self.asked)), decided

    def _order(self, entry: Entry, exact: Mapping[Key, Any]) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        changes, who, at = entry.details["changes"], fact(entry.actor_id), Near(entry.happened_at)
        if (told := _to(changes, "order")) is None:
            return
        if entry.verb == ANSWER_ORDER:
            yield (_ORDER, told), {"answer": entry.details["note"], "answered_at": at, "answered_by_id": who}
            return
        key = next((key for key in exact if key[0] == _ORDER), (_BY_ENTRY, str(entry.seq)))
        text = {"text": changes["text"]["to"]} if "text" in changes else {}
        given = {"kind": told, "by_id": who, "rule": entry.details["rule"], "at": at, **self.lead, **text}
        yield key, {**given, "answer": None, "answered_at": None, "answered_by_id": None}


def _named(said: Mapping[Key, Columns], stored: Mapping[Key, Row[Any]]) -> dict[Key, Columns]:
    """Find for each order whose entry does not say which it is the stored one that looks so, else any that is left, by their times."""
    nameless = [key for key in said if key[0] == _BY_ENTRY]
    free = [key for key in stored if key[0] == _ORDER and "kind" not in said.get(key, {})]
    by_look = defaultdict[Any, deque[Key]](deque)
    for key in sorted(free, key=lambda key: (stored[key].at, key)):
        row = stored[key]
        by_look[row.kind, fact(row.by_id), row.rule, row.text if row.by_id else None].append(key)
    pairs: dict[Key, Key] = {}
    for key in nameless:
        text = said[key].get("text")
        look = (*(said[key][name].value for name in ("kind", "by_id", "rule")), text.value if text else None)
        if by_look[look]:
            pairs[key] = by_look[look].popleft()
    left = sorted((key for keys in by_look.values() for key in keys), key=lambda key: (stored[key].at, key))
    pairs |= zip((key for key in nameless if key not in pairs), left, strict=False)
    found = {key: columns for key, columns in said.items() if key not in pairs}
    # What was answered is said by an id of its own, after what the entry that gave it says.
    return found | {key: said[entry] | said.get(key, {}) for entry, key in pairs.items()}


def _key_said(name: str) -> Key:
    kind, _, key = name.partition(" ")
    return kind, key


def _to(changes: Mapping[str, Any], name: str) -> Any:
    return (changes.get(name) or {}).get("to")


def _moment(said: str | None) -> Any:
    return said and fact(datetime.fromisoformat(said))
