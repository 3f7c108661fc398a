"""A report as staff send it, checked and entered: the same whether it comes alone or in a phone's queue."""

from typing import Any
from uuid import UUID, uuid5

from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.evidence.models import Photo
from patrol.evidence.queries import usable_photos
from patrol.foundation.database import new_id
from patrol.foundation.errors import Invalid
from patrol.foundation.positions import position_of
from patrol.foundation.same_content import content_digest
from patrol.foundation.texts import Text
from patrol.issues.actions import report_issue
from patrol.issues.models import Issue
from patrol.issues.origins import refuse_foreign_origins, source_of
from patrol.issues.schemas import MOST_PHOTOS
from patrol.people.actor import Actor

_TOO_MANY_PHOTOS = Text("一次最多 {most} 张照片", "At most {most} photos at once")


def enter_report(
    data: dict[str, Any], *, by: Actor, id: UUID, stored: list[StoredPhoto], tolerance_m: float, timezone: str,  # noqa: A002
    is_absent: bool = False,
) -> tuple[Issue, bool]:
    """Enter the report in loaded `IssueIn` data, without its id; return the issue and whether it is new.

    `is_absent` says that no such id was here a moment ago; if somebody was faster, that raises IntegrityError.
    Raises Conflict (409) for the same id with other content, Invalid (422) for what a reporter may not name.
    """
    sent = {name: value for name, value in data.items() if name != "id"}
    position = position_of(sent)
    digest = content_digest({**sent, "photos": [photo.sha256 for photo in stored], "by": by.person_id})
    source = source_of(by, sent["source"])
    refuse_foreign_origins(by, sent)
    photos = received_photos(stored, sent["photo_ids"], by=by, kind="before", new_issue_id=id)
    facts = {name: sent[name] for name in ("category", "severity", "description", "recorded_at", "patrol_id", "check_in_id")}
    return report_issue(
        by=by, id=id, position=position, photos=photos, digest=digest, tolerance_m=tolerance_m, source=source,
        timezone=timezone, is_absent=is_absent, **facts,
    )


def received_photos(
    stored: list[StoredPhoto], photo_ids: list[UUID], *, by: Actor, kind: str | None, new_issue_id: UUID | None = None
) -> list[Photo]:
    """Return the photos of a request: files already stored, recorded now, and ones sent before by id.

    With a new issue, a file's id is made from the issue and its content: a repeated report records nothing twice.
    """
    if len(stored) + len(photo_ids) > MOST_PHOTOS:
        fault = _TOO_MANY_PHOTOS.format(most=MOST_PHOTOS)
        raise Invalid(fault, errors={"photos": [fault]})
    by_id = {uuid5(new_issue_id, photo.sha256) if new_issue_id else new_id(): photo for photo in stored}
    new = [
        record_photo(photo, photo_id=photo_id, kind=kind, owner_id=by.person_id)[0] for photo_id, photo in by_id.items()
    ]
    return [*new, *usable_photos(photo_ids, by=by)]
