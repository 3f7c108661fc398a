"""The same trouble reported before: suggestions before sending, and following one of them instead ("me too")."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload, load_only, selectinload

from patrol.evidence.models import Photo
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict
from patrol.foundation.geometry import box_around, distance_m
from patrol.foundation.positions import Position
from patrol.foundation.same_content import refuse_other_content
from patrol.foundation.sealing import seal
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.issues.branches import unindexed
from patrol.issues.categories import CATEGORIES, category_of
from patrol.issues.lifecycle import ENDED, STATE_PUBLIC_TEXT, State
from patrol.issues.models import Issue, IssuePhoto
from patrol.issues.policies_held import closed_lately_since
from patrol.public.models import Follow, FollowerContact
from patrol.public.open311_services import LISTED
from patrol.public.open_data import POSITION_DECIMALS
from patrol.public.progress import is_open_photo, parts_of_public_photos
from patrol.public.queries import FOLLOWERS
from patrol.public.subscriptions import subscribe
from patrol.public.tracking_codes import new_tracking_code

_WITHDRAWN = Text("您已取消这次关注；如需再次关注，请重新提交", "You have withdrawn this: to follow again, send it under a new id")
MOST_SUGGESTED = 5


def suggestions(position: Position, category: str, language: str, timezone: str) -> list[dict[str, Any]]:
    """Return what lies within the category's radius and is open or was closed lately, at most five, the open ones first, each the nearest first.

    Lately is as long as a relapse counts as the same trouble (domain rule 13).
    Places are those of the open map, and so are the distances in metres. None for categories whose place proves nothing.
    Raises Invalid (422) for a category that citizens cannot choose.
    """
    radius_m = category_of(category, public_caller=True).radius_m
    if not radius_m or category not in LISTED:
        return []
    box, since = box_around(position.latitude, position.longitude, radius_m), closed_lately_since(timezone)
    closed_lately = (Issue.state == State.CLOSED.value) & (Issue.closed_at >= since)
    rows = db.session.execute(
        select(Issue.id, Issue.serial, Issue.state, Issue.latitude, Issue.longitude).where(
            unindexed(Issue.category) == category, Issue.latitude.between(box.min_latitude, box.max_latitude),
            Issue.longitude.between(box.min_longitude, box.max_longitude),
            or_(Issue.state.not_in([state.value for state in ENDED]), closed_lately),
        )
    ).all()  # fmt: skip
    measured = [
        (state in ENDED, _away_m(latitude, longitude, position), serial, issue_id) for issue_id, serial, state, latitude, longitude in rows
    ]
    # What is open can be followed; what was closed only tells that the trouble may be back.
    nearest = {issue_id: metres for _, metres, _, issue_id in sorted(one for one in measured if one[1] <= radius_m)[:MOST_SUGGESTED]}
    found = {issue.id: (issue, others) for issue, others in db.session.execute(_with_photos(nearest))} if nearest else {}
    return [_shown(*found[issue_id], metres, language) for issue_id, metres in nearest.items()]


def _with_photos(issue_ids: Iterable[UUID]) -> Select[Issue, int]:
    """Select issues with just what a suggestion shows, and how many follow each."""
    photo = joinedload(IssuePhoto.photo).load_only(Photo.owner_id, Photo.derived_at, Photo.broken)
    return select(Issue, FOLLOWERS).where(Issue.id.in_(issue_ids)).options(
        load_only(Issue.serial, Issue.category, Issue.state, Issue.received_at, Issue.also_reported, raiseload=True),
        selectinload(Issue.photo_links).options(photo, *parts_of_public_photos()),
    )  # fmt: skip


def _away_m(latitude: float, longitude: float, position: Position) -> float:
    """Return how far a place of the open map is from a position."""
    place = round(latitude, POSITION_DECIMALS), round(longitude, POSITION_DECIMALS)
    return distance_m(position.latitude, position.longitude, *place)


def _shown(issue: Issue, followers: int, away_m: float, language: str) -> dict[str, Any]:
    state = State(issue.state)
    address = f"/api/v1/public/issues/{issue.number}/photos"
    photos = [link.photo_id for link in issue.photo_links if is_open_photo(link, state) and link.photo.derived_at and not link.photo.broken]
    return {
        "number": issue.number, "category": issue.category, "category_name": CATEGORIES[issue.category].name.in_language(language),
        "state": state.value, "message": STATE_PUBLIC_TEXT[state].in_language(language), "open": state not in ENDED,
        "received_at": issue.received_at, "also_reported": issue.also_reported + followers, "distance_m": round(away_m),
        "photos": [{"screen": f"{address}/{photo_id}/screen", "thumb": f"{address}/{photo_id}/thumb"} for photo_id in photos],
    }  # fmt: skip


def follow_known(follow_id: UUID | None, digest: str) -> Follow | None:
    """Return the follow that a client made under this id. Raises Conflict (409) when it was of something else, or is withdrawn."""
    known = db.session.scalar(select(Follow).where(Follow.id == follow_id)) if follow_id else None
    if known is not None:
        refuse_other_content(known.id, stored=known.digest, sent=digest)
        if known.withdrawn_at is not None:
            raise Conflict(_WITHDRAWN)
    return known


def follow_issue(
    issue: Issue, *, follow_id: UUID, contact: Mapping[str, str], digest: str, language: str, settings: Settings
) -> Follow:
    """Let somebody follow an issue by a tracking code of their own; a contact is sealed into a table of its own.

    It is kept only where messages can be sent to it: nothing else is done with it.
    """
    now = clock.now()
    follow = Follow(id=follow_id, issue_id=issue.id, tracking_code=new_tracking_code(), received_at=now, digest=digest)
    db.session.add(follow)
    db.session.flush()
    if contact and subscribe(follow, contact, language=language, settings=settings) is not None:
        db.session.add(FollowerContact(follow_id=follow.id, sealed=seal(contact, settings.field_key), created_at=now))
    return follow
