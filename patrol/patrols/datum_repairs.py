"""Which tracks are repaired: a reviewer has upheld that their positions are in another datum than was declared."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.geometry import Datum
from patrol.patrols.examination_models import FindingStatement, PatrolFinding
from patrol.patrols.integrity import MISLABELLED
from patrol.patrols.models import Patrol
from patrol.patrols.standing import UPHELD, in_force


def accepted_repairs(patrol_ids: Collection[UUID]) -> dict[UUID, Datum]:
    """Return, for each of these patrols whose repair is accepted, the datum in which its positions were measured.

    It holds for what was declared as WGS 84. The raw values stay as they were sent, so that a withdrawal undoes it.
    """
    rows = db.session.execute(
        select(FindingStatement, Patrol.person_id, PatrolFinding.evidence)
        .join(Patrol, Patrol.id == FindingStatement.patrol_id)
        .join(PatrolFinding, (PatrolFinding.patrol_id == FindingStatement.patrol_id) & (PatrolFinding.code == FindingStatement.code))
        .where(FindingStatement.patrol_id.in_(patrol_ids), FindingStatement.code == MISLABELLED)
        .order_by(FindingStatement.at, FindingStatement.id)
    )  # fmt: skip
    said: dict[UUID, list[FindingStatement]] = defaultdict(list)
    about = {}
    for statement, person_id, evidence in rows:
        said[statement.patrol_id].append(statement)
        about[statement.patrol_id] = person_id, Datum(evidence["datum"])
    return {
        patrol_id: datum for patrol_id, (person_id, datum) in about.items() if in_force(said[patrol_id], person_id).judgement == UPHELD
    }


def datum_of(declared: str, repair: Datum | None) -> Datum:
    """Return the datum of positions declared in `declared`, of a patrol with this accepted repair."""
    return repair if repair is not None and declared == Datum.WGS84 else Datum(declared)
