"""Joint cases on borders: one record that the common superior leads and that both sides see. None of these commits."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from patrol.foundation.database import db
from patrol.issues.department_models import IssueSide
from patrol.issues.models import Issue
from patrol.issues.placing import Placement
from patrol.people.models import Region


def mark_sides(issue: Issue, placement: Placement) -> None:
    """Let the regions on the sides of a new issue's border see it."""
    issue.is_joint = bool(placement.joint)
    for region in placement.joint:
        db.session.add(IssueSide(issue_id=issue.id, region_id=region.id))


def mark_sides_anew(issue: Issue, placement: Placement) -> None:
    """Let an issue that was moved be seen by the sides of its new place only."""
    if issue.is_joint:
        db.session.execute(delete(IssueSide).where(IssueSide.issue_id == issue.id))
    mark_sides(issue, placement)


def sides_of(issue: Issue) -> Sequence[Region]:
    """Return the regions on the sides of a joint case, by path; none of any other issue."""
    if not issue.is_joint:
        return ()
    return db.session.scalars(
        select(Region).join(IssueSide, IssueSide.region_id == Region.id).where(IssueSide.issue_id == issue.id).order_by(Region.path)
    ).all()
