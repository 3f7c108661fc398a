"""A maker of patrols that have been examined already: what each covered of which reach, and its verdict."""

from datetime import datetime, timedelta

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.patrols.examination_models import Examination, ExaminationPolicy, ReachCoverage
from patrol.patrols.models import Patrol


def walked(person, reach, at, *covered, verdict="valid", on_behalf_of=None, named=True, finished=True, received_at=None, began_at=None) -> Patrol:
    """Keep a patrol of an hour from `at` (RFC 3339) on that covered these `(from_m, to_m)`; `verdict` None: not examined."""
    started_at = datetime.fromisoformat(at)
    covered_m = sum(high - low for low, high in covered)
    with transaction():
        patrol = Patrol(
            id=new_id(), person_id=person.id, on_behalf_of_id=on_behalf_of and on_behalf_of.id, region_id=reach.region_id, mode="walk",
            started_at=started_at, ended_at=started_at + timedelta(hours=1) if finished else None, received_at=received_at or started_at + timedelta(hours=2), digest="0" * 64,
            version=1, reaches=[reach] if named else [])
        db.session.add(patrol)
        db.session.flush()
        if verdict:
            db.session.add(Examination(
                patrol_id=patrol.id, algorithm="test", input_hash="0" * 64, examined_at=clock.now(), verdict=verdict, reasons=[], summary={},
                policy="test", began_at=began_at))
            db.session.add(ReachCoverage(
                patrol_id=patrol.id, reach_id=reach.id, length_m=reach.length_m, covered_m=covered_m, unobserved_m=0.0,
                not_visited_m=reach.length_m - covered_m, low_m=covered_m, high_m=covered_m, covered=[list(part) for part in covered],
                unobserved=[], not_visited=[]))
    return patrol


def change_first_policy(**changes) -> None:
    """Let the integrity policy with which an installation begins be another."""
    with transaction():
        row = db.session.query(ExaminationPolicy).filter_by(kind="integrity", number=1).one()
        for name, value in changes.items():
            setattr(row, name, value)
