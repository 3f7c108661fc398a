"""Which of several people may see an issue: `visible_to` asked the other way round."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, literal, select

from patrol.foundation.database import db
from patrol.issues.accusation_models import AlsoAccused
from patrol.issues.accusations import is_charge
from patrol.issues.department_models import IssueSide
from patrol.issues.models import CoHandler, Issue
from patrol.issues.queries import SEES_CHARGES
from patrol.people.models import Person, Region
from patrol.people.permissions import Permission as P
from patrol.people.permissions import Role, permissions_of


def seen_by(issue: Issue, person_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these accounts may see the issue, as `visible_to` says and with leave to see issues; one statement.

    Nothing of the issue but its columns needs to be loaded.
    """
    if not person_ids:
        return set()
    here, side = Region.__table__.alias("here"), Region.__table__.alias("side")
    covers = _begins(here.c.path)
    beside = (
        select(IssueSide.issue_id).join(side, side.c.id == IssueSide.region_id)
        .where(IssueSide.issue_id == issue.id, _begins(side.c.path)).correlate(Region).exists()
        if issue.is_joint else literal(False)
    )  # fmt: skip
    accused = exists().where(AlsoAccused.issue_id == issue.id, AlsoAccused.person_id == Person.id)
    helps = exists().where(CoHandler.issue_id == issue.id, CoHandler.person_id == Person.id)
    rows = db.session.execute(
        select(Person.id, Person.role_names, Person.department, covers, beside, helps, accused)
        .join(Region, Region.id == Person.region_id).join(here, here.c.id == issue.region_id).where(Person.id.in_(person_ids))
    )  # fmt: skip
    return {row[0] for row in rows if _sees(issue, *row)}


def _begins(path: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a region's path lies in the subtree where the account (joined) works."""
    return func.substr(path, 1, func.length(Region.path)) == Region.path


def _sees(issue: Issue, person_id: UUID, role_names: Any, department: str | None, covers: bool, beside: bool, helps: bool, accused: bool) -> bool:
    permissions = permissions_of(frozenset(Role(name) for name in role_names))
    if P.SEE_ISSUES not in permissions or accused or person_id == issue.accused_id:
        return False
    if helps or person_id in (issue.reporter_id, issue.lead_id):
        return True
    if is_charge(issue.category):
        return covers and bool(permissions & SEES_CHARGES)
    called = department is not None and department == issue.department and P.HANDLE_ISSUE in permissions
    return covers or beside or called
