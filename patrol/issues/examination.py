"""The worker's look at an issue's photos: what is doubtful becomes findings on the issue. It refuses nothing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from patrol.evidence.events import PhotoDerived
from patrol.evidence.models import Photo
from patrol.foundation import outbox
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.issues.doubts import Known, Shot, bits_between, doubts_about_photos, doubts_about_report
from patrol.issues.models import Issue, IssuePhoto, number_of

# Photos of the same hand or the same region are compared by likeness, the latest first; the very same file is found
# anywhere. A copy changed by a few bits from another region by another hand is beyond this.
MOST_COMPARED = 20_000


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
        row = db.session.get_one(Issue, issue_id, with_for_update=True, populate_existing=True)
        if row.version != seen and payload["tries"] < outbox.MOST_ATTEMPTS:
            outbox.put("issues.examine", issue_id=str(issue_id), tries=payload["tries"] + 1)
        row.findings = findings

    return write


@subscribe(PhotoDerived)
def examine_again(event: PhotoDerived) -> None:
    """A photo's likeness is known now: examine the issues that show it."""
    issue_ids = db.session.scalars(
        select(IssuePhoto.issue_id).join(Photo, Photo.id == IssuePhoto.photo_id).where(Photo.sha256 == event.sha256).distinct()
    ).all()
    for issue_id in issue_ids:
        outbox.put("issues.examine", issue_id=str(issue_id), tries=0)


def findings_of(issue: Issue, timezone: str) -> list[dict[str, Any]]:
    """Return all findings on a loaded issue and its photos, as they are stored."""
    shots = [_shot(link, timezone) for link in issue.photo_links]
    doubts = doubts_about_report(issue.recorded_at, issue.received_at, issue.accuracy_m)
    doubts += doubts_about_photos(
        shots, list(_known(issue, shots)), latitude=issue.latitude, longitude=issue.longitude, accuracy_m=issue.accuracy_m,
        recorded_at=issue.recorded_at, dispatched_at=issue.dispatched_at,
    )  # fmt: skip
    return [doubt.as_data() for doubt in doubts]


def _shot(link: IssuePhoto, timezone: str) -> Shot:
    photo = link.photo
    return Shot(
        id=photo.id, kind=link.kind, sha256=photo.sha256, likeness=photo.likeness, taken_at=taken_at(photo, timezone),
        latitude=photo.exif_latitude, longitude=photo.exif_longitude,
    )  # fmt: skip


def taken_at(photo: Photo, timezone: str) -> datetime | None:
    """Return when the file says it was taken; a camera's time without a zone is taken as the district's."""
    if photo.exif_taken_at is not None or photo.exif_local_time is None:
        return photo.exif_taken_at
    try:
        return datetime.fromisoformat(photo.exif_local_time).replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _known(issue: Issue, shots: Sequence[Shot]) -> Iterator[Known]:
    """Yield photos on other issues that are copies of one of `shots`: the same file anywhere, likeness near by."""
    if not shots:
        return
    owners = {link.photo.owner_id for link in issue.photo_links if link.photo.owner_id}
    columns = (Photo.id, Issue.serial, Photo.sha256, Photo.likeness)
    others = (
        select(*columns).join(IssuePhoto, IssuePhoto.photo_id == Photo.id).join(Issue, Issue.id == IssuePhoto.issue_id)
        .where(Issue.id != issue.id)
    )  # fmt: skip
    same_file = others.where(Photo.sha256.in_({shot.sha256 for shot in shots}))
    by_hand_or_place = others.where(
        Photo.likeness.is_not(None), or_(Photo.owner_id.in_(owners), Issue.region_id == issue.region_id)
    )
    latest = by_hand_or_place.order_by(Photo.received_at.desc()).limit(MOST_COMPARED)
    given: set[tuple[UUID, int]] = set()
    for statement in (same_file, latest):
        for photo_id, serial, sha256, likeness in db.session.execute(statement):
            alike = any(bits_between(shot.sha256, shot.likeness, sha256, likeness) is not None for shot in shots)
            if alike and (photo_id, serial) not in given:
                given.add((photo_id, serial))
                yield Known(photo_id, number_of(serial), sha256, likeness)
