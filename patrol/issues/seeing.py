"""Which of several people may see one issue: the law of `visible_to`, asked for many accounts in one statement."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from patrol.foundation.database import db
from patrol.issues.department_models import IssueSide
from patrol.issues.models import CoHandler, Issue
from patrol.issues.queries import sees_charges
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.permissions import Permission as P
from patrol.people.queries import actor_of


def seen_by(issue: Issue, person_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the accounts that may see an issue, as `visible_to` would say of each; its region must be loaded.

    Whoever may see no issues at all is not among them. One statement, however many there are.
    """
    if not person_ids:
        return set()
    side = aliased(Region)
    is_side = (
        select(IssueSide.issue_id).join(side, side.id == IssueSide.region_id)
        .where(IssueSide.issue_id == issue.id, func.substr(side.path, 1, func.length(Region.path)) == Region.path)
        .correlate(Region).exists()
    )  # fmt: skip
    helps = select(CoHandler.issue_id).where(CoHandler.issue_id == issue.id, CoHandler.person_id == Person.id).exists()
    rows = db.session.execute(
        select(Person, Region, is_side, helps).join(Region, Region.id == Person.region_id).where(Person.id.in_(list(person_ids)))
    ).all()
    return {
        person.id for person, region, joint, helping in rows
        if _sees(actor_of(person, region), issue, joint=bool(joint), helps=bool(helping))
    }  # fmt: skip


def _sees(actor: Actor, issue: Issue, *, joint: bool, helps: bool) -> bool:
    if not actor.may(P.SEE_ISSUES):
        return False
    if helps or actor.person_id in {issue.reporter_id, issue.lead_id}:
        return True
    if issue.category.startswith("F") and not sees_charges(actor):
        return False
    called_in = issue.department is not None and actor.department == issue.department and actor.may(P.HANDLE_ISSUE)
    return actor.covers(issue.region.path) or called_in or (issue.is_joint and joint)
