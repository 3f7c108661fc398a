"""The facts of an issue that its history proves: each entry says which of them it changed, and to what.

Whatever sets a fact is noted on the issue and said by the next entry, so that no act can forget to. Added up, the
entries give the issue as it must stand: what stands otherwise was changed behind the history.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import event, inspect
from sqlalchemy.orm import InstanceState

from patrol.evidence.models import Photo
from patrol.foundation.texts import Text
from patrol.issues.chain import Entry, Fault, FaultKind
from patrol.issues.models import Issue, IssuePhoto

COLUMNS = (
    "category", "severity", "source", "description", "latitude", "longitude", "raw_latitude", "raw_longitude", "datum", "accuracy_m",
    "recorded_at", "received_at", "region_id", "reach_id", "is_joint", "routing", "lead_id", "accused_id", "department", "due_at", "due_rule", "decide_by",
    "plan_due_at", "plan_reported_at", "dispatched_at", "declined_at", "suspended_at", "review_on", "milestones", "rectified_at", "rectified_by_id", "verified_at",
    "closed_at", "returned_times", "reopened_times", "public_summary", "merged_into_id", "merged_at", "merged_from", "also_reported",
    "relapse_of_id", "relapsed_in_id", "reporter_id", "patrol_id", "check_in_id", "digest",
)  # fmt: skip
"""The columns of an issue that are proved. Not among them: its state, which each entry says anyway, and what is worked out beside it."""
CO_HANDLERS = "co_handlers"
ROWS = "rows"
"""What an entry says of rows beside the issue (`beside.py`) stands among its facts under this name."""
PHOTO_COLUMNS = (
    "media_type", "size_bytes", "width", "height", "kind", "owner_id", "recorded_at", "received_at", "latitude", "longitude",
    "exif_local_time", "exif_taken_at", "exif_latitude", "exif_longitude", "exif_orientation", "exif_camera", "exif_software",
)  # fmt: skip
"""The columns of a photo that each entry with that photo proves: when and where it was taken, by whom, by file and by device."""
PHOTO_COLUMNS_SINCE = ("from_gallery",)
"""Those that entries prove besides whose digest begins with `_SECOND`: histories from before were hashed without them."""
_SECOND = "2:"
_UNSAID, _LONGEST_SHOWN = "facts_unsaid", 80
_DIFFERS = Text("“{field}”与第{seq}条历史所载不符", "“{field}” is not what the history says at entry {seq}")
# A look on the spot shows its photos on its own sheet, not on the issue.
_KEEPS_ITS_PHOTOS = "spot_check"
# The entries that say of a photo whether it is hidden from the public.
_HIDES = {"hide_photo": True, "show_photo": False}


def _noting(name: str) -> Callable[..., Any]:
    def note(state: InstanceState[Issue], value: Any, before: Any, _initiator: Any, **_key: Any) -> Any:
        if value != before:
            state.info.setdefault(_UNSAID, set()).add(name)
        return value

    return note


def _note_co_handlers(issue: Issue, _person: Any, _initiator: Any) -> None:
    inspect(issue).info.setdefault(_UNSAID, set()).add(CO_HANDLERS)


for _name in COLUMNS:
    # Listening to all that the mapper tells spares the wrapper around each: a report sets 34 of them.
    event.listen(getattr(Issue, _name), "set", _noting(_name), raw=True, retval=True, include_key=True)
for _change in ("append", "remove"):
    event.listen(Issue.co_handlers, _change, _note_co_handlers)


def facts_to_say(issue: Issue, *, first: bool) -> dict[str, Any]:
    """Return the facts that were set since the last entry, as the history keeps them; the first entry leaves out what is null."""
    names = inspect(issue).info.pop(_UNSAID, ())
    said = {name: fact(getattr(issue, name)) for name in COLUMNS if name in names}
    if CO_HANDLERS in names:
        said[CO_HANDLERS] = sorted(str(person.id) for person in issue.co_handlers)
    return {name: value for name, value in said.items() if value is not None} if first else said


def fact(value: Any) -> Any:
    """Return a column's value as the history keeps it: text for what JSON or a database may bend, a digest for an explanation."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # SQLite gives a negative zero back as zero.
        return repr(value + 0.0)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return value


def digest_of_photo(photo: Photo, like: str = _SECOND) -> str:
    """Return the SHA-256, in hex, over what is known of a photo beside its bytes, as an entry of the history keeps it.

    It begins with its form, that of the digest which it is to be `like`: the first one had no name.

    The findings on an issue follow from when and where its photos were taken; whoever could change that would take a
    doubt away.
    """
    form, since = (_SECOND, PHOTO_COLUMNS_SINCE) if like.startswith(_SECOND) else ("", ())
    said = {name: fact(getattr(photo, name)) for name in (*PHOTO_COLUMNS, *since)}
    return form + hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Said(NamedTuple):
    """A fact as the history leaves it, and the entry that said it last."""

    seq: int
    value: Any


def replayed(entries: Sequence[Entry]) -> tuple[dict[str, Said], bool]:
    """Return the facts after all `entries`, and whether they are all there.

    Histories that began before entries said facts know only what was said since.
    """
    known: dict[str, Said] = {}
    for entry in entries:
        known |= {name: Said(entry.seq, value) for name, value in (entry.details.get("facts") or {}).items() if name != ROWS}
    return known, bool(entries) and entries[0].details.get("facts") is not None


class Difference(NamedTuple):
    """A field of an issue, or of a row beside it, that stands otherwise than its history says, and the entry that said it last."""

    field: str
    seq: int
    stored: Any
    replayed: Any
    text: Text | None = None

    def as_fault(self) -> Fault:
        """Return the fault in words that tell nobody what the field holds."""
        return Fault(self.seq, FaultKind.ROW_DIFFERS, self.text or _DIFFERS.format(field=self.field, seq=self.seq))

    def values(self) -> str:
        """Return both values for whoever checks, shortened."""
        return " / ".join(f"{word} {str(value)[:_LONGEST_SHOWN]!r}" for word, value in (("stored", self.stored), ("history", self.replayed)))


def first_difference(
    issue: Issue, entries: Sequence[Entry], co_handlers: Sequence[UUID], links: Sequence[IssuePhoto], photos: Mapping[UUID, Photo],
) -> Difference | None:  # fmt: skip
    """Return the first fact, of the state, the columns, the co-handlers and the photos in this order, that is not as replayed.

    `photos` are those that the entries name, by id.
    """
    last = entries[-1]
    if issue.state != last.to_state:
        return Difference("state", last.seq, issue.state, last.to_state)
    known, whole = replayed(entries)
    stored = {name: fact(getattr(issue, name)) for name in COLUMNS} | {CO_HANDLERS: sorted(str(each) for each in co_handlers) or None}
    missing = Said(entries[0].seq, None)
    for name, value in stored.items():
        said = known.get(name, missing if whole else None)
        if said is not None and value != (said.value or None if name == CO_HANDLERS else said.value):
            return Difference(name, said.seq, value, said.value)
    return _different_photo(entries, links) or _photo_taken_otherwise(entries, photos)


def _different_photo(entries: Sequence[Entry], links: Sequence[IssuePhoto]) -> Difference | None:
    said = photos_said(entries)
    stored = {
        (link.seq, link.position): (str(link.photo_id), link.kind, link.before_photo_id and str(link.before_photo_id)) for link in links
    }
    for place in sorted(said.keys() | stored.keys()):
        if said.get(place) != stored.get(place):
            return Difference("photos", place[0], stored.get(place), said.get(place))
    return _photo_hidden_otherwise(entries, links)


def _photo_hidden_otherwise(entries: Sequence[Entry], links: Sequence[IssuePhoto]) -> Difference | None:
    """Return the first photo that is open to the public, or is not, otherwise than the last word of the history on it has it."""
    said = {entry.details["changes"]["photo"]["to"]: entry for entry in entries if entry.verb in _HIDES}
    for link in sorted(links, key=lambda link: (link.seq, link.position)):
        last = said.get(str(link.photo_id))
        hidden_by = last.seq if last and _HIDES[last.verb] else None
        if link.hidden_seq != hidden_by:
            return Difference(f"photo {link.photo_id} hidden", last.seq if last else link.seq, link.hidden_seq, hidden_by)
    return None


def _photo_taken_otherwise(entries: Sequence[Entry], photos: Mapping[UUID, Photo]) -> Difference | None:
    """Return the first photo of which something else is known than its entry says; entries from before that was said prove nothing."""
    for entry in entries:
        for said in entry.details["photos"]:
            if (known := said.get("facts")) is None:
                continue
            if (stored := digest_of_photo(photos[UUID(said["id"])], like=known)) != known:
                return Difference(f"photo {said['id']}", entry.seq, stored, said["facts"])
    return None


def photos_said(entries: Sequence[Entry]) -> Mapping[tuple[int, int], tuple[str, str, str | None]]:
    """Return the photos that a history put on its issue, by entry and place in it: id, kind, and the photo from before it is tied to."""
    return {
        (entry.seq, position): (photo["id"], photo["kind"], (entry.details["changes"].get("before_photo") or {}).get("to"))
        for entry in entries if entry.verb != _KEEPS_ITS_PHOTOS
        for position, photo in enumerate(entry.details["photos"])
    }  # fmt: skip
