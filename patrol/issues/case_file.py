"""The case file: one issue with its whole history, for people as a PDF, for machines as JSON; each one given out is remembered."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import NotAllowed
from patrol.foundation.texts import Text
from patrol.issues.case_file_models import IssuedCaseFile
from patrol.issues.case_file_words import Names
from patrol.issues.chain import Entry
from patrol.issues.due import WITHOUT_DUE
from patrol.issues.history import chain_of
from patrol.issues.models import Issue
from patrol.issues.reading import Reader
from patrol.people.models import Person, Region
from patrol.waters.models import Reach

FORM = "xunhe-case-file-2"
JSON, PDF = "json", "pdf"
_REPORTER_HIDDEN = Text(
    "案卷会载明上报人，您无权知悉，请向河长办索取", "The case file names who reported, which you may not know: ask the office for it"
)
# By what a change names its place or person, and what that is called.
_NAMED_BY: Mapping[str, tuple[Any, Any]] = {
    "region_id": (Region.code, Region.name), "reach_id": (Reach.code, Reach.name), "accused_id": (Person.id, Person.name),
}  # fmt: skip
SpotChecks = Callable[[UUID], list[dict[str, Any]]]
_spot_checks: list[SpotChecks] = []


def tells_spot_checks(way: SpotChecks) -> SpotChecks:
    """Register the decorated function: it returns what was found on the spot about an issue, as plain JSON."""
    _spot_checks.append(way)
    return way


def case_file_of(issue: Issue, reader: Reader) -> dict[str, Any]:
    """Return the case file of a loaded issue as plain JSON: what it is, and every entry of its chain.

    Raises NotAllowed for a reader from whom the reporter is hidden: a chain with a name left out proves nothing.
    """
    if not reader.knows_reporter(issue):
        raise NotAllowed(_REPORTER_HIDDEN)
    entries, has_due = chain_of(issue.id), issue.state not in WITHOUT_DUE
    return {
        "form": FORM, "file": str(new_id()), "made_at": clock.now().isoformat(), "id": str(issue.id), "number": issue.number,
        "state": issue.state, "category": issue.category, "severity": issue.severity, "source": issue.source,
        "description": issue.description, "latitude": issue.latitude, "longitude": issue.longitude, "region": issue.region.code,
        "reach": issue.reach.code if issue.reach else None, "recorded_at": issue.recorded_at.isoformat(),
        "received_at": issue.received_at.isoformat(), "lead": _named(issue.lead), "department": issue.department,
        "co_handlers": [_named(person) for person in issue.co_handlers],
        "dispatched_at": issue.dispatched_at.isoformat() if issue.dispatched_at else None,
        "rectified_at": issue.rectified_at.isoformat() if issue.rectified_at else None,
        "closed_at": issue.closed_at.isoformat() if issue.closed_at else None,
        "due_at": issue.due_at.isoformat() if has_due else None, "last_day": issue.due_rule["last_day"] if has_due else None,
        "public_summary": issue.public_summary,
        "photos": [
            {"id": str(link.photo_id), "sha256": link.photo.sha256, "kind": link.kind, "seq": link.seq} for link in issue.photo_links
        ],
        "findings": issue.findings, "spot_checks": [check for way in _spot_checks for check in way(issue.id)],
        "head": {"seq": issue.version, "hash": issue.history_hash}, "entries": [as_data(entry) for entry in entries],
    }  # fmt: skip


def names_in(data: Mapping[str, Any]) -> Names:
    """Return what the register calls the places and people that the changes of a case file only name by code or id."""
    found = {(name, change[end]) for entry in data["entries"] for name, change in entry["details"]["changes"].items()
             if name in _NAMED_BY for end in ("from", "to") if change[end]}  # fmt: skip
    names: dict[tuple[str, str], str] = {}
    for name, (code, called) in _NAMED_BY.items():
        wanted = {value for of, value in found if of == name}
        codes = [UUID(value) for value in wanted] if name == "accused_id" else list(wanted)
        rows = db.session.execute(select(code, called).where(code.in_(codes))) if codes else ()
        names |= {(name, str(key)): word for key, word in rows}
    return names


def _named(person: Person | None) -> dict[str, Any] | None:
    return {"id": str(person.id), "name": person.name, "title": person.title} if person else None


def as_data(entry: Entry) -> dict[str, Any]:
    """Return an entry as a case file holds it."""
    return {
        "seq": entry.seq, "verb": entry.verb, "from_state": entry.from_state, "to_state": entry.to_state,
        "actor_id": str(entry.actor_id) if entry.actor_id else None, "happened_at": entry.happened_at.isoformat(),
        "details": dict(entry.details), "photo_digests": list(entry.photo_digests), "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }  # fmt: skip


def remember_issued(data: Mapping[str, Any], kind: str, content: bytes | None = None) -> None:
    """Keep the digests of a case file that is given out: of a PDF's `content`, or of the JSON `data` itself."""
    db.session.add(IssuedCaseFile(
        id=UUID(data["file"]), issue_id=UUID(data["id"]), seq=data["head"]["seq"], kind=kind, made_at=clock.now(),
        sha256=digest_of(data) if content is None else hashlib.sha256(content).hexdigest(), fields=digests_of(data),
    ))  # fmt: skip
    db.session.flush()


def digest_of(value: Any) -> str:
    """Return the SHA-256, in hex, of a JSON value in its canonical form: keys sorted, no spaces, so that layout does not count."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def digests_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of each fact of a case file, by its name."""
    return {name: digest_of(value) for name, value in data.items()}
