"""A photo that the office took from the public stays so wherever the same file is: on all that is merged together, and when it is sent again. Never commits."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from patrol.evidence.models import Photo
from patrol.foundation.database import db
from patrol.issues.history import HIDE_PHOTO, SHOW_PHOTO, add_entry
from patrol.issues.models import Issue, IssuePhoto
from patrol.people.actor import SYSTEM, Actor

SAME_FILE = "same_file_hidden"
"""The rule by which the system hides a file that is hidden on the same issue already, or on one that is merged with it."""


def hide_again(issue: Issue) -> None:
    """Hide on a locked issue, and on all that is merged with it, each file that is hidden on one of them; the entries name the rule."""
    links = _links_beside(issue)
    hidden = {link.photo.sha256 for link in links if link.hidden_seq is not None}
    turn([link for link in links if link.photo.sha256 in hidden], hide=True, by=SYSTEM, rule=SAME_FILE)


def same_file(issue: Issue, link: IssuePhoto) -> list[IssuePhoto]:
    """Return a photo of an issue and, behind it, the same file on that issue and on all that is merged with it."""
    return [link, *(each for each in _links_beside(issue) if each is not link and each.photo.sha256 == link.photo.sha256)]


def turn(links: Sequence[IssuePhoto], *, hide: bool, by: Actor, reason: str | None = None, rule: str | None = None) -> None:
    """Hide photos from the public, or show them again, where they are not so already; each has an entry in its issue's history."""
    turned = [link for link in links if hide == (link.hidden_seq is None)]
    if not turned:
        return
    ids = {link.issue_id for link in turned}
    locked = select(Issue).where(Issue.id.in_(ids)).order_by(Issue.id.desc()).with_for_update(of=Issue)
    issues = {issue.id: issue for issue in db.session.scalars(locked)}
    for link in turned:
        issue = issues[link.issue_id]
        entry = add_entry(
            issue, verb=HIDE_PHOTO if hide else SHOW_PHOTO, by=by, from_state=issue.state, rule=rule, brought={"reason": reason},
            changes={"photo": {"from": None, "to": str(link.photo_id)}},
        )  # fmt: skip
        link.hidden_seq = entry.seq if hide else None
    db.session.flush()


def _links_beside(issue: Issue) -> Sequence[IssuePhoto]:
    """Return the photos of an issue and of all that is merged with it, in a fixed order."""
    original_id = issue.merged_into_id or issue.id
    return db.session.scalars(
        select(IssuePhoto).join(Issue, Issue.id == IssuePhoto.issue_id)
        .where(or_(Issue.id == original_id, Issue.merged_into_id == original_id))
        .order_by(IssuePhoto.issue_id.desc(), IssuePhoto.seq, IssuePhoto.position)
        .options(joinedload(IssuePhoto.photo).load_only(Photo.sha256))
    ).all()  # fmt: skip
