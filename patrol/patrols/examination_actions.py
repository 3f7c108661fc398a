"""Keeps what the examination of a patrol said, in place of the one before. None of these commits."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols.examination import Examined
from patrol.patrols.examination_input import ALGORITHM, ExaminationInput
from patrol.patrols.examination_models import Examination, PatrolFinding, ReachCoverage
from patrol.patrols.facts import Finding
from patrol.patrols.models import Patrol

# What is kept of a coverage besides its intervals.
METRES = ("length_m", "covered_m", "unobserved_m", "not_visited_m", "low_m", "high_m")


def keep_examination(patrol: Patrol, given: ExaminationInput, digest: str, examined: Examined) -> None:
    """Write what was `examined` of a locked patrol. Findings that are gone go; what people said of them stays."""
    verdict, now = examined.verdict, clock.now()
    db.session.merge(Examination(
        patrol_id=patrol.id, algorithm=ALGORITHM, input_hash=digest, examined_at=now, policy=given.policy.thresholds.version,
        policies=given.policy.versions, began_at=examined.began_at,
        verdict=verdict.value, reasons=[list(reason) for reason in verdict.reasons], summary=dict(examined.pace),
    ))  # fmt: skip
    for reach, coverage in zip(patrol.reaches, examined.coverages, strict=True):
        data = coverage.as_data()
        metres = {name: data[name] for name in METRES}
        db.session.merge(ReachCoverage(patrol_id=patrol.id, reach_id=reach.id, **metres, **data["intervals"]))
    known = select(PatrolFinding.code, PatrolFinding.found_at).where(PatrolFinding.patrol_id == patrol.id)
    found_at = {row[0]: row[1] for row in db.session.execute(known)}
    for finding in examined.findings:
        db.session.merge(PatrolFinding(patrol_id=patrol.id, found_at=found_at.get(finding.code, now), **finding_columns(finding)))
    codes = [finding.code for finding in examined.findings]
    db.session.execute(delete(PatrolFinding).where(PatrolFinding.patrol_id == patrol.id, PatrolFinding.code.not_in(codes)))


def finding_columns(finding: Finding) -> Mapping[str, Any]:
    """Return what the table keeps of a finding, plain JSON."""
    return {
        "code": finding.code, "severity": str(finding.severity), "text": list(finding.text),
        "innocent": [list(text) for text in finding.innocent], "evidence": dict(finding.evidence),
        "threshold": dict(finding.threshold), "version": finding.version,
    }  # fmt: skip
