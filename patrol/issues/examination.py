"""The worker's look at an issue's photos: what is doubtful becomes findings on the issue. It refuses nothing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from flask import current_app
from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import joinedload, selectinload

from patrol.evidence.derivation import grey_of_original
from patrol.evidence.events import PhotoDerived
from patrol.evidence.likeness import difference, shows_nothing
from patrol.evidence.models import Photo
from patrol.foundation import events, outbox
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.issues.accusations import CHARGES
from patrol.issues.doubts import SHOW_TROUBLE, Known, Shot, bits_between, doubts_about_photos, doubts_about_report
from patrol.issues.events import BecameCharge, ProofDoubted
from patrol.issues.history import SPOT_CHECK
from patrol.issues.judging import as_judged, unjudged
from patrol.issues.lifecycle import State, Verb
from patrol.issues.models import HistoryEntry, Issue, IssuePhoto, number_of

# Photos of the same hand or the same region are compared by likeness, the latest first; the very same file is found
# anywhere. A copy changed by a few bits from another region by another hand is beyond this.
MOST_COMPARED = 20_000
_TELLING = (Verb.DISPATCH.value, Verb.RETURN.value, Verb.RECTIFY.value, SPOT_CHECK)
# Whoever checked the cure here may have done so before the worker looked at its photos.
_CHECKED = (State.VERIFIED.value, State.CLOSED.value)
_COMPARED = (
    Photo.id, Issue.serial, Photo.sha256, Photo.likeness, Photo.received_at, Photo.recorded_at, Photo.exif_taken_at, Photo.exif_local_time,
)


@outbox.delivers("issues.examine")
def examine_issue(payload: dict[str, Any]) -> outbox.Write:
    """Examine an issue and its photos anew; look again when it has moved on meanwhile."""
    issue_id = UUID(payload["issue_id"])
    issue = db.session.scalar(
        select(Issue).where(Issue.id == issue_id)
        .options(joinedload(Issue.region), selectinload(Issue.photo_links).joinedload(IssuePhoto.photo))
    )  # fmt: skip
    if issue is None:
        return lambda: None
    seen = issue.version
    findings = findings_of(issue, current_app.extensions["settings"].timezone)

    def write() -> None:
        row = db.session.get_one(Issue, issue_id, options=[selectinload(Issue.photo_links)], with_for_update=True, populate_existing=True)
        if row.version != seen and payload["tries"] < outbox.MOST_ATTEMPTS:
            outbox.put("issues.examine", issue_id=str(issue_id), tries=payload["tries"] + 1)
        known = as_judged([one for one in row.findings if "photo_id" in one["evidence"]])
        row.findings = findings
        # What stood there already, as on issues closed long ago, is no news when it is found again.
        if row.state in _CHECKED and any(one not in known for one in as_judged(unjudged(row))):
            events.record(ProofDoubted(issue_id=issue_id))

    return write


@subscribe(PhotoDerived)
def examine_again(event: PhotoDerived) -> None:
    """A photo's likeness is known now: examine the issues that show it."""
    issue_ids = db.session.scalars(
        select(IssuePhoto.issue_id).join(Photo, Photo.id == IssuePhoto.photo_id).where(Photo.sha256 == event.sha256).distinct()
    ).all()
    for issue_id in issue_ids:
        outbox.put("issues.examine", issue_id=str(issue_id), tries=0)


@subscribe(BecameCharge)
def forget_number(event: BecameCharge) -> None:
    """Examine the issues with the same photos again: their findings name the charge no longer."""
    files = select(Photo.sha256).join(IssuePhoto, IssuePhoto.photo_id == Photo.id).where(IssuePhoto.issue_id == event.issue_id)
    issue_ids = db.session.scalars(
        select(IssuePhoto.issue_id).join(Photo, Photo.id == IssuePhoto.photo_id)
        .where(Photo.sha256.in_(files), IssuePhoto.issue_id != event.issue_id).distinct()
    )  # fmt: skip
    for issue_id in issue_ids.all():
        outbox.put("issues.examine", issue_id=str(issue_id), tries=0)


def findings_of(issue: Issue, timezone: str) -> list[dict[str, Any]]:
    """Return all findings on a loaded issue and its photos, as they are stored."""
    pictures = _Pictures()
    shots = _shots(issue, timezone, pictures)
    doubts = doubts_about_report(issue.recorded_at, issue.received_at, issue.accuracy_m)
    doubts += doubts_about_photos(
        shots, list(_known(issue, shots, timezone)), latitude=issue.latitude, longitude=issue.longitude, accuracy_m=issue.accuracy_m,
        recorded_at=issue.recorded_at, difference=pictures.difference,
    )  # fmt: skip
    return [doubt.as_data() for doubt in doubts]


class _Pictures:
    """The pictures of one examination, each read from the store once."""

    def __init__(self) -> None:
        self._read: dict[str, np.ndarray | None] = {}

    def _of(self, sha256: str) -> np.ndarray | None:
        if sha256 not in self._read:
            self._read[sha256] = grey_of_original(sha256)
        return self._read[sha256]

    def difference(self, one: str, other: str) -> float | None:
        first, second = self._of(one), self._of(other)
        return None if first is None or second is None else difference(first, second)

    def is_blank(self, sha256: str) -> bool:
        grey = self._of(sha256)
        return grey is not None and shows_nothing(grey)


def _shots(issue: Issue, timezone: str, pictures: _Pictures) -> list[Shot]:
    entries = db.session.execute(
        select(HistoryEntry.seq, HistoryEntry.verb, HistoryEntry.at, HistoryEntry.actor_id, HistoryEntry.photos)
        .where(HistoryEntry.issue_id == issue.id, HistoryEntry.verb.in_(_TELLING))
        .order_by(HistoryEntry.seq)
    ).all()  # fmt: skip
    has_before = any(link.kind in SHOW_TROUBLE for link in issue.photo_links)
    shots = [_shot(issue, link, entries, has_before, timezone, pictures) for link in issue.photo_links]
    checks = [entry for entry in entries if entry.verb == SPOT_CHECK and entry.photos]
    ids = {UUID(photo["id"]) for entry in checks for photo in entry.photos}
    by_id = {photo.id: photo for photo in db.session.scalars(select(Photo).where(Photo.id.in_(ids)))} if ids else {}
    for entry in checks:
        since = max((one.at for one in entries if one.seq < entry.seq and one.verb == Verb.RECTIFY), default=None)
        found = [by_id[UUID(photo["id"])] for photo in entry.photos if UUID(photo["id"]) in by_id]
        shots += [_taken(photo, "check", entry.seq, timezone, pictures)._replace(since=since, since_is="rectify") for photo in found]
    return shots


def _shot(issue: Issue, link: IssuePhoto, entries: Sequence[Any], has_before: bool, timezone: str, pictures: _Pictures) -> Shot:
    since, since_is = _work_began(issue, link.seq, entries)
    rectified = any(entry.seq == link.seq and entry.verb == Verb.RECTIFY for entry in entries)
    lacks_pair = rectified and has_before and link.before_photo_id is None
    return _taken(link.photo, link.kind, link.seq, timezone, pictures)._replace(since=since, since_is=since_is, lacks_pair=lacks_pair)


def _taken(photo: Photo, kind: str, seq: int, timezone: str, pictures: _Pictures) -> Shot:
    by_file = taken_at(photo, timezone)
    has_place = photo.exif_latitude is not None and photo.exif_longitude is not None
    place = (photo.exif_latitude, photo.exif_longitude) if has_place else (photo.latitude, photo.longitude)
    return Shot(
        id=photo.id, kind=kind, sha256=photo.sha256, likeness=photo.likeness, taken_at=by_file or photo.recorded_at,
        latitude=place[0], longitude=place[1], seq=seq, time_by="exif" if by_file else "device",
        place_by="exif" if has_place else "device", received_at=photo.received_at, least_side_px=min(photo.width, photo.height),
        is_blank=pictures.is_blank(photo.sha256),
    )  # fmt: skip


def _work_began(issue: Issue, seq: int, entries: Sequence[Any]) -> tuple[datetime | None, str]:
    """Return when the work that entry `seq` proves could begin, and the step that said so: the last dispatch or return before it.

    Who found the trouble may mend it on the spot, before the report reached anybody.
    """
    orders = [entry for entry in entries if entry.seq < seq and entry.verb in (Verb.DISPATCH, Verb.RETURN)]
    if not orders:
        return issue.dispatched_at, "dispatch"
    worker = next((entry.actor_id for entry in entries if entry.seq == seq), None)
    if len(orders) == 1 and worker is not None and worker == issue.reporter_id:
        return min(issue.recorded_at, orders[0].at), "report"
    return orders[-1].at, str(orders[-1].verb)


def taken_at(photo: Photo | Row[*tuple[Any, ...]], timezone: str) -> datetime | None:
    """Return when the file says it was taken; a camera's time without a zone is taken as the district's."""
    if photo.exif_taken_at is not None or photo.exif_local_time is None:
        return photo.exif_taken_at
    try:
        return datetime.fromisoformat(photo.exif_local_time).replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _known(issue: Issue, shots: Sequence[Shot], timezone: str) -> Iterator[Known]:
    """Yield photos elsewhere that look like one of `shots`: the same file anywhere, likeness near by or of the same hand.

    Those on no issue are of check-ins and the like. Charges against chiefs are left out: whoever reads the finding may be
    the accused.
    """
    if not shots:
        return
    owners = {link.photo.owner_id for link in issue.photo_links if link.photo.owner_id}
    others = (
        select(*_COMPARED).outerjoin(IssuePhoto, IssuePhoto.photo_id == Photo.id)
        .outerjoin(Issue, Issue.id == IssuePhoto.issue_id)
        .where(or_(Issue.id.is_(None), and_(Issue.id != issue.id, Issue.category.not_in(CHARGES))), or_(Issue.id.is_not(None), Photo.id.not_in([shot.id for shot in shots])))
    )  # fmt: skip
    same_file = others.where(Photo.sha256.in_({shot.sha256 for shot in shots}))
    by_hand_or_place = others.where(
        Photo.likeness.is_not(None), or_(Photo.owner_id.in_(owners), Issue.region_id == issue.region_id)
    )
    latest = by_hand_or_place.order_by(Photo.received_at.desc()).limit(MOST_COMPARED)
    given: set[tuple[UUID, int | None]] = set()
    for statement in (same_file, latest):
        for row in db.session.execute(statement):
            alike = any(bits_between(shot.sha256, shot.likeness, row.sha256, row.likeness) is not None for shot in shots)
            if alike and (row.id, row.serial) not in given:
                given.add((row.id, row.serial))
                number = None if row.serial is None else number_of(row.serial)
                yield Known(row.id, number, row.sha256, row.likeness, taken_at(row, timezone) or row.recorded_at, row.received_at)
