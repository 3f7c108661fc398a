"""A complaint at the HTTP door: the proof of work, the photos into the store, the place, whether it came before."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from werkzeug.datastructures import FileStorage

from patrol.evidence.actions import StoredPhoto
from patrol.evidence.reception import store_uploads
from patrol.foundation import clock
from patrol.foundation.database import new_id
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import Datum
from patrol.foundation.positions import Position, position_of
from patrol.foundation.problems import language
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.issues.accusations import is_charge
from patrol.issues.models import Issue
from patrol.people.tokens import keyed_hash
from patrol.public import actions, queries, subscriptions
from patrol.public.challenge import Proof, proof_of
from patrol.public.models import Complaint
from patrol.public.schemas import faults_of_place
from patrol.waters.models import Signboard

LATEST_AHEAD = timedelta(minutes=15)
"""How far a citizen's clock may run ahead of ours."""
_NOT_YET = Text("发现时间晚于现在：请核对日期和时间", "It was seen later than now: check date and time")
_LONG_AGO = Text("发现时间已超过 {days} 天：请填写最近一次看到的时间", "It was seen more than {days} days ago: give the moment when it was last seen")


def receive_complaint(data: dict[str, Any], *, trusted: bool = False) -> tuple[Complaint, Issue, bool]:
    """Keep a complaint as loaded from `ComplaintIn`; return it, its issue, and whether it is new.

    A `trusted` sender, a partner system with a key, needs no proof of work.

    The same id with the same content is the same complaint, without another proof of work: its sender may never have
    read the answer. Files are stored, and that before the first statement, only for those who bring a proof.
    """
    settings: Settings = current_app.extensions["settings"]
    files, contact = data.pop("photo_files"), said(data.pop("contact"))
    challenge = data.pop("challenge")
    proof, refused = (None, None) if trusted else _proof_or_refusal(challenge, settings)
    position = _position_in(data)
    strange = _strange_moment(data["recorded_at"], settings.complaint_days)
    if refused is not None and data["id"] is None:
        raise _together(refused, strange)
    stored = [] if refused is not None else each_once(store_uploads(files))
    digest = _digest_of(data, contact, digests_of(files), settings.secret_key)
    known = queries.complaint_with_id(data["id"]) if data["id"] else None
    if known is not None:
        refuse_other_content(known.id, stored=known.digest, sent=digest)
        return known, queries.issue_of(known), False
    board, no_board = _board_or_refusal(data["board_code"])
    if refused or strange or no_board:
        raise _together(refused, strange, no_board)
    if proof is not None:
        actions.spend(proof)
    position, reach_id = _place_of(position, board, data["category"])
    new = actions.NewComplaint(
        id=data["id"] or new_id(), category=data["category"], description=data["description"], position=position,
        recorded_at=data["recorded_at"], board_code=data["board_code"], contact=contact, photos=stored, digest=digest,
        reach_id=reach_id,
    )  # fmt: skip
    complaint, issue = actions.send_complaint(
        new, field_keys=settings.field_key, tolerance_m=settings.routing_tolerance_m, timezone=settings.timezone
    )
    # Whom a partner system sent, that system tells.
    if not trusted:
        subscriptions.subscribe(complaint, contact, language=language(), settings=settings)
    return complaint, issue, True


def _together(*refusals: Invalid | None) -> Invalid:
    """Return what is wrong as one refusal, so that nobody mends one fault only to read of the next; the first one's words are the detail."""
    found = [refusal for refusal in refusals if refusal is not None]
    return Invalid(found[0].detail, errors={field: texts for refusal in found for field, texts in refusal.errors.items()})


def _strange_moment(recorded_at: datetime | None, days: int) -> Invalid | None:
    """Return the refusal of what was seen later than now, or more `days` ago than a complaint is taken."""
    now, fault = clock.now(), None
    if recorded_at is not None and recorded_at > now + LATEST_AHEAD:
        fault = _NOT_YET
    elif recorded_at is not None and recorded_at < now - timedelta(days=days):
        fault = _LONG_AGO.format(days=days)
    return None if fault is None else Invalid(fault, errors={"recorded_at": [fault]})


def _board_or_refusal(code: str | None) -> tuple[Signboard | None, Invalid | None]:
    try:
        return None if code is None else queries.board_with_code(code, field="board_code"), None
    except Invalid as refused:
        return None, refused


def _place_of(position: Position | None, board: Signboard | None, category: str) -> tuple[Position, UUID | None]:
    """Return where it is, and the reach when only a board says so.

    Whom a charge against a chief is about is who stands on the board, wherever it is written.
    """
    if board is None:
        assert position is not None
        return position, None
    reach_id = board.reach_id if board.reach.retired_at is None else None
    if position is not None:
        return position, reach_id if is_charge(category) else None
    return Position(board.latitude, board.longitude, board.latitude, board.longitude, Datum.WGS84, None), reach_id


def each_once(stored: Sequence[StoredPhoto]) -> list[StoredPhoto]:
    """Return the photos without those that are the same file again."""
    return list({photo.sha256: photo for photo in stored}.values())


def digests_of(files: Sequence[FileStorage]) -> list[str]:
    """Return the SHA-256 of each file."""
    digests = []
    for file in files:
        file.stream.seek(0)
        digests.append(hashlib.file_digest(file.stream, "sha256").hexdigest())  # type: ignore[arg-type]
        file.stream.seek(0)
    return digests


def proof_in(sent: str | None, settings: Settings) -> Proof | None:
    """Return the proof of work that was sent, None where none is asked for. Raises Invalid (422) for a missing or wrong one."""
    return None if settings.challenge_cost == 0 else proof_of(sent, secret=settings.secret_key, at=clock.now())


def _proof_or_refusal(sent: str | None, settings: Settings) -> tuple[Proof | None, Invalid | None]:
    try:
        return proof_in(sent, settings), None
    except Invalid as refused:
        return None, refused


def _position_in(data: dict[str, Any]) -> Position | None:
    """Return the position that was sent, None when a board stands for it. Raises Invalid (422) when there is neither."""
    # What comes by Open311 has not gone through `ComplaintIn`.
    if faults := faults_of_place(data["latitude"], data["longitude"], data["board_code"]):
        raise Invalid(next(iter(faults.values())), errors={name: [fault] for name, fault in faults.items()})
    return position_of(data) if data["latitude"] is not None else None


def said(contact: dict[str, str] | None) -> dict[str, str]:
    """Return the contact without what was left blank."""
    return {name: text.strip() for name, text in (contact or {}).items() if text.strip()}


def _digest_of(data: dict[str, Any], contact: dict[str, str], photos: list[str], secret: str) -> str:
    """Return the keyed digest of what was sent: a plain one would let a telephone number be found by trying them all."""
    content = {name: value for name, value in data.items() if name != "id"} | {"contact": contact, "photos": photos}
    return keyed_hash(content_digest(content), purpose="complaint", secret=secret)
