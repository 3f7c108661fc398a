"""One photo of an issue that the office takes from the public, or gives back: the original and what the staff see stay. Never commits."""

from uuid import UUID

from patrol.foundation.errors import Conflict, NotAllowed, NotFound
from patrol.foundation.http import refuse_stale
from patrol.foundation.texts import Text
from patrol.issues.allowed import OUT_OF_SCOPE
from patrol.issues.merging import lock_together
from patrol.issues.models import Issue
from patrol.issues.queries import locked_issue
from patrol.issues.same_photos import same_file, turn
from patrol.people.actor import Actor

_NO_PHOTO = Text("此问题没有这张照片", "The issue has no such photo")
_HIDDEN = Text("这张照片已不公开", "The photo is hidden from the public already")
_NOT_HIDDEN = Text("这张照片没有被设为不公开", "The photo is not hidden from the public")


def turn_photo(*, issue_id: UUID, photo_id: UUID, hide: bool, by: Actor, reason: str, expected_version: int | None) -> Issue:
    """Hide a photo of an issue from everybody without an account, or show it again; the history says who did it and why.

    The same file is hidden, or shown, on all that is merged with it too: each has its entry.
    Raises NotFound (404), Stale (412), NotAllowed (403) out of the region, Conflict (409) when it stands so already.
    """
    lock_together(issue_id, None)
    issue = locked_issue(by, issue_id)
    refuse_stale(expected_version, issue.version)
    if not by.covers(issue.region.path):
        raise NotAllowed(OUT_OF_SCOPE)
    link = next((link for link in issue.photo_links if link.photo_id == photo_id), None)
    if link is None:
        raise NotFound(_NO_PHOTO)
    if hide == (link.hidden_seq is not None):
        raise Conflict(_HIDDEN if hide else _NOT_HIDDEN)
    turn(same_file(issue, link), hide=hide, by=by, reason=reason)
    return issue
