"""Reads of what people said of findings."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.patrols.examination_models import FindingStatement


def statements_on(patrol_id: UUID) -> Sequence[FindingStatement]:
    """Return all statements on a patrol's findings, in the order in which they were made."""
    return db.session.scalars(
        select(FindingStatement).where(FindingStatement.patrol_id == patrol_id).order_by(FindingStatement.at, FindingStatement.id)
    ).all()
