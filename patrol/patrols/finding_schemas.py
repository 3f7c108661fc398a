"""The JSON shapes of examinations, findings, what people say of them, and the rules behind them."""

from typing import Any

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.patrols.facts import SEVERITIES
from patrol.patrols.standing import JUDGEMENTS, STANDINGS
from patrol.people.schemas import PersonBriefOut
from patrol.waters.schemas import ReachBriefOut

VERDICTS = ("valid", "partial", "doubtful", "invalid")
_SAID = ma.validate.Length(1, 2000)
_INTERVAL = {"description": "Metres along the reach, `[from, to]` each.", "example": [[0.0, 725.0]]}


def _figure(what: str, example: float | None = None, *, nullable: bool = False) -> ma.fields.Float:
    return ma.fields.Float(required=True, allow_none=nullable, metadata={"description": what, "example": example})


def _intervals() -> ma.fields.List[Any]:
    return ma.fields.List(ma.fields.List(ma.fields.Float()), required=True, metadata=_INTERVAL)


class ReachIntervalsOut(ma.Schema):
    covered = _intervals()
    unobserved = _intervals()
    not_visited = _intervals()


class ReachCoverageOut(ma.Schema):
    reach = ma.fields.Nested(ReachBriefOut, required=True)
    length_m = _figure("Of the reach.", 1000.0)
    covered_m = _figure("Walked.", 725.0)
    unobserved_m = _figure("In gaps of the recording: nobody knows.", 50.0)
    not_visited_m = _figure("Where nobody was.", 225.0)
    low_m = _figure("Covered, when positions count 20 m less.", 700.0)
    high_m = _figure("Covered, when positions count 20 m more.", 775.0)
    share = _figure("Covered part, 0 to 1.", 0.725)
    intervals = ma.fields.Nested(ReachIntervalsOut, required=True)


class FindingStatementOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"enum": ["reply", "judgement", "withdrawal"]})
    judgement = ma.fields.String(required=True, allow_none=True, metadata={"enum": [*JUDGEMENTS, None]})
    text = ma.fields.String(required=True, metadata={"example": "峡谷内信号差"})
    person = ma.fields.Nested(PersonBriefOut, required=True)
    at = Moment(required=True)


class FindingBriefOut(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "gap"})
    name = ma.fields.String(required=True, metadata={"example": "记录中断"})
    severity = ma.fields.String(required=True, metadata={"enum": list(SEVERITIES)})


class PatrolFindingOut(FindingBriefOut):
    text = ma.fields.String(required=True, metadata={"example": "记录中断 1 次，最长 12 分钟"})
    innocent = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "What would explain it honestly.", "example": ["无信号"]})
    evidence = ma.fields.Dict(required=True, metadata={"example": {"gaps": 1, "longest_s": 720}})
    person = ma.fields.Nested(PersonBriefOut, required=True, allow_none=True, metadata={
        "description": "Whom `evidence` names by `person_id`; null where it names nobody."})
    threshold = ma.fields.Dict(required=True, metadata={"example": {"gap_s": 600.0}})
    version = ma.fields.String(required=True, metadata={"description": "Of the rule.", "example": "1"})
    found_at = Moment(required=True, allow_none=True, metadata={"description": "Null in a preview."})
    standing = ma.fields.String(required=True, metadata={"enum": list(STANDINGS)})
    statements = ma.fields.List(ma.fields.Nested(FindingStatementOut), required=True, metadata={"description": "In order; nothing is ever removed."})


class PatrolPaceOut(ma.Schema):
    distance_m = _figure("Way, without the noise of a standing phone.", 4210.0)
    duration_s = _figure("Without the pauses.", 3600.0)
    median_mps = _figure("Median speed while moving; null when nobody moved.", 1.21, nullable=True)
    p95_mps = _figure("95th percentile of the speeds while moving.", 1.62, nullable=True)
    profile = ma.fields.List(ma.fields.Float(allow_none=True), required=True, validate=ma.validate.Length(max=60), metadata={
        "description": "Mean speeds (m/s) over equal parts of the time, at most 60; null where nothing was recorded.", "example": [1.2, 1.3, None, 1.1]})


class PolicyVersionsOut(ma.Schema):
    integrity = ma.fields.String(required=True, metadata={"example": "2026-11"})
    coverage = ma.fields.String(required=True, metadata={"example": "2026-11"})
    datum = ma.fields.String(required=True, metadata={"example": "2026-11"})


class ExaminationOut(ma.Schema):
    coverage = ma.fields.List(ma.fields.Nested(ReachCoverageOut), required=True, metadata={"description": "One a reach; none before the examination."})
    findings = ma.fields.List(ma.fields.Nested(PatrolFindingOut), required=True, metadata={"description": "They accuse nobody: each says what would explain it."})
    verdict = ma.fields.String(required=True, allow_none=True, metadata={"enum": [*VERDICTS, None], "description": "Null before the examination."})
    reasons = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["还差 320 米"]})
    measured = ma.fields.Nested(PatrolPaceOut, required=True, allow_none=True)
    examined_at = Moment(required=True, allow_none=True)
    policy = ma.fields.String(required=True, allow_none=True, metadata={"description": "Version of the integrity thresholds.", "example": "2026-11"})
    policies = ma.fields.Nested(PolicyVersionsOut, required=True, allow_none=True, metadata={
        "description": "By which versions it was examined: those of the day on which it began."})
    stale = ma.fields.Boolean(required=True, metadata={"description": "Something arrived since; the worker examines it anew."})


class PatrolPreviewOut(ExaminationOut):
    ended_at = Moment(required=True, metadata={"description": "Of a patrol that goes on: its last fix."})


class FindingReplyIn(ma.Schema):
    id = ma.fields.UUID(required=True)
    text = ma.fields.String(required=True, validate=_SAID, metadata={"example": "峡谷内信号差，步行走完全程"})


class JudgementIn(FindingReplyIn):
    judgement = ma.fields.String(required=True, validate=ma.validate.OneOf(JUDGEMENTS))


class IntegrityRuleOut(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "gap"})
    name_zh = ma.fields.String(required=True, metadata={"example": "记录中断"})
    name_en = ma.fields.String(required=True, metadata={"example": "Gap"})
    looks_at = ma.fields.String(required=True, metadata={"example": "定位点之间的时间与距离"})
    severity = ma.fields.String(required=True, metadata={"enum": list(SEVERITIES), "description": "The gravest it can be."})
    thresholds = ma.fields.Dict(required=True, metadata={"example": {"gap_s": 600.0, "gap_m": 300.0}})
    innocent = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["无信号"]})
    version = ma.fields.String(required=True, metadata={"example": "1"})


class IntegrityRulesOut(ma.Schema):
    policy = ma.fields.String(required=True, metadata={"description": "Version of the thresholds in force today.", "example": "2026-11"})
    valid_from = ma.fields.Date(required=True, allow_none=True, metadata={"example": "2026-01-01"})
    source = ma.fields.String(required=True, metadata={"example": "本系统起始值，请按本地巡河数据修订"})
    verdict_thresholds = ma.fields.Dict(required=True, metadata={
        "description": "All other thresholds: of the verdict and of which fixes count.", "example": {"least_coverage_share": 0.6}})
    items = ma.fields.List(ma.fields.Nested(IntegrityRuleOut), required=True)
    next = ma.fields.String(required=True, allow_none=True, metadata={"description": "Always null: these are all."})
