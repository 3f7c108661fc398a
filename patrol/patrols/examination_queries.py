"""Reads of stored examinations."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.patrols.examination_models import Examination, PatrolFinding, ReachCoverage
from patrol.people.models import Person


class StoredExamination(NamedTuple):
    """What the latest examination of a patrol wrote; without one `examination` is None and the rest empty."""

    examination: Examination | None
    coverages: Sequence[ReachCoverage]
    findings: Sequence[PatrolFinding]


def stored_examination(patrol_id: UUID) -> StoredExamination:
    """Return the latest examination of a patrol that the caller may see."""
    return StoredExamination(
        db.session.get(Examination, patrol_id, populate_existing=True),
        db.session.scalars(select(ReachCoverage).where(ReachCoverage.patrol_id == patrol_id)).all(),
        db.session.scalars(select(PatrolFinding).where(PatrolFinding.patrol_id == patrol_id).order_by(PatrolFinding.code)).all(),
    )


def people_named(ids: Collection[UUID]) -> dict[UUID, Person]:
    """Return people by id."""
    return {person.id: person for person in db.session.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}


def verdicts_of(patrol_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the verdicts of those of these patrols that were examined; one query."""
    rows = db.session.execute(select(Examination.patrol_id, Examination.verdict).where(Examination.patrol_id.in_(patrol_ids)))
    return {row.patrol_id: row.verdict for row in rows}
