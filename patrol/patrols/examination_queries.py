"""Reads of stored examinations."""

from collections import defaultdict
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


class Result(NamedTuple):
    """What came of an examination, in short: `reasons` in both languages, `findings` as codes with their severities."""

    verdict: str
    reasons: Sequence[Sequence[str]]
    findings: Sequence[tuple[str, str]]


def results_of(patrol_ids: Sequence[UUID]) -> dict[UUID, Result]:
    """Return what came of those of these patrols that were examined; two queries."""
    found: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    for patrol_id, code, severity in db.session.execute(
        select(PatrolFinding.patrol_id, PatrolFinding.code, PatrolFinding.severity).where(PatrolFinding.patrol_id.in_(patrol_ids))
    ):
        found[patrol_id].append((code, severity))
    rows = db.session.execute(
        select(Examination.patrol_id, Examination.verdict, Examination.reasons).where(Examination.patrol_id.in_(patrol_ids))
    )
    return {patrol_id: Result(verdict, reasons, found[patrol_id]) for patrol_id, verdict, reasons in rows}
