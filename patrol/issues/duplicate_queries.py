"""What may be the same trouble as an issue, for the office: found by indexes on place and photos, compared by the rules."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from patrol.evidence.models import Photo
from patrol.foundation.database import db
from patrol.foundation.geometry import box_around, distance_m
from patrol.issues.branches import unindexed
from patrol.issues.categories import CATEGORIES
from patrol.issues.duplicates import Likeness, Pair, Print, likeness_of, photo_bits, text_score
from patrol.issues.lifecycle import ENDED, State
from patrol.issues.models import Issue, IssuePhoto
from patrol.issues.policies_held import closed_lately_since
from patrol.issues.queries import get_issue, shown_parts, visible_to
from patrol.people.actor import Actor

MOST_CANDIDATES = 10
# So many of the nearest, and of those with the same photo, are compared whole.
_MOST_COMPARED, _MOST_BY_PHOTO = 40, 20
# A charge or a piece of advice has no place that would prove anything, and is no duplicate of what has one.
_PLACED = tuple(code for code, row in CATEGORIES.items() if row.radius_m)


class Candidate(NamedTuple):
    """An issue that may be the same trouble, with metres and days between the two reports."""

    issue: Issue
    distance_m: float
    days_apart: float
    text_score: float
    likeness: Likeness
    is_relapse: bool


class Search(NamedTuple):
    """What may be the same as an issue, the likeliest first, and what is merged into it already, the latest first."""

    candidates: Sequence[Candidate]
    merged: Sequence[Issue]


def find_duplicates(actor: Actor, issue_id: UUID, timezone: str) -> Search:
    """Return what the actor sees that may be the same trouble as an issue: open, or closed within the policy's days.

    Near means within the radius of the issue's category, whatever the other's category; a photo that is the same counts
    from anywhere. Raises NotFound (404).
    """
    issue = get_issue(actor, issue_id)
    since = closed_lately_since(timezone)
    prints = _prints_on([issue.id]).get(issue.id, [])
    ids = {*_near(actor, issue, since), *_with_same_photo(actor, issue, since, prints)}
    theirs = _prints_on(ids) if ids else {}
    others = db.session.scalars(select(Issue).where(Issue.id.in_(ids)).options(*shown_parts(Issue))) if ids else ()
    candidates = [_compared(issue, other, prints, theirs.get(other.id, [])) for other in others]
    candidates.sort(key=lambda row: (-row.likeness.score, row.issue.serial))
    merged = db.session.scalars(
        select(Issue).where(Issue.merged_into_id == issue.id).order_by(Issue.merged_at.desc(), Issue.id)
    ).all()
    return Search(candidates[:MOST_CANDIDATES], merged)


def _living(issue: Issue, since: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that an issue is another one that is open or was closed lately, of the same sort of charge."""
    kind = unindexed(Issue.category)
    alike = kind.in_(_PLACED) if issue.category in _PLACED else kind == issue.category
    lately = (Issue.state == State.CLOSED.value) & (Issue.closed_at >= since)
    return [Issue.id != issue.id, alike, or_(Issue.state.not_in([state.value for state in ENDED]), lately)]


def _near(actor: Actor, issue: Issue, since: datetime) -> list[UUID]:
    radius_m = CATEGORIES[issue.category].radius_m
    if not radius_m:
        return []
    box = box_around(issue.latitude, issue.longitude, radius_m)
    rows = db.session.execute(
        visible_to(actor).with_only_columns(Issue.id, Issue.latitude, Issue.longitude, maintain_column_froms=True).where(
            Issue.latitude.between(box.min_latitude, box.max_latitude),
            Issue.longitude.between(box.min_longitude, box.max_longitude), *_living(issue, since),
        )
    ).all()  # fmt: skip
    away = [(distance_m(issue.latitude, issue.longitude, latitude, longitude), other) for other, latitude, longitude in rows]
    return [other for metres, other in sorted(away)[:_MOST_COMPARED] if metres <= radius_m]


def _with_same_photo(actor: Actor, issue: Issue, since: datetime, prints: Sequence[Print]) -> Sequence[UUID]:
    if not prints:
        return []
    digests, likenesses = {row.sha256 for row in prints}, {row.likeness for row in prints if row.likeness}
    same = or_(Photo.sha256.in_(digests), Photo.likeness.in_(likenesses)) if likenesses else Photo.sha256.in_(digests)
    statement = (
        visible_to(actor).with_only_columns(Issue.id, maintain_column_froms=True)
        .join(IssuePhoto, IssuePhoto.issue_id == Issue.id).join(Photo, Photo.id == IssuePhoto.photo_id)
        .where(same, *_living(issue, since))
    )  # fmt: skip
    return db.session.scalars(statement.limit(_MOST_BY_PHOTO)).all()


def _prints_on(issue_ids: Iterable[UUID]) -> dict[UUID, list[Print]]:
    rows = db.session.execute(
        select(IssuePhoto.issue_id, Photo.sha256, Photo.likeness).join(Photo, Photo.id == IssuePhoto.photo_id)
        .where(IssuePhoto.issue_id.in_(issue_ids))
    )  # fmt: skip
    found: defaultdict[UUID, list[Print]] = defaultdict(list)
    for issue_id, sha256, likeness in rows:
        found[issue_id].append(Print(sha256, likeness))
    return found


def _compared(issue: Issue, other: Issue, prints: Sequence[Print], theirs: Sequence[Print]) -> Candidate:
    away_m = distance_m(issue.latitude, issue.longitude, other.latitude, other.longitude)
    days = abs((issue.received_at - other.received_at) / timedelta(days=1))
    words = text_score(issue.description, other.description)
    after = issue.recorded_at - other.closed_at if other.closed_at else None
    is_relapse = after is not None and after > timedelta(0) and issue.category == other.category
    pair = Pair(
        category=issue.category, other_category=other.category, distance_m=away_m, radius_m=CATEGORIES[issue.category].radius_m,
        days_apart=days, text_score=words, photo_bits=photo_bits(prints, theirs),
        days_after_closing=after.days if after and is_relapse else None,
    )  # fmt: skip
    return Candidate(other, away_m, days, words, likeness_of(pair), is_relapse)
