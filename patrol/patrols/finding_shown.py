"""What answers show of an examination, stored or just reckoned, in the caller's language."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from patrol.foundation.texts import Text
from patrol.patrols.coverage import Coverage
from patrol.patrols.examination import Examined
from patrol.patrols.examination_actions import METRES, finding_columns
from patrol.patrols.examination_input import ExaminationInput
from patrol.patrols.examination_models import FindingStatement, PatrolFinding, ReachCoverage
from patrol.patrols.examination_queries import Result, StoredExamination, people_named
from patrol.patrols.integrity import RULES
from patrol.patrols.models import Patrol
from patrol.patrols.policy_queries import PolicyInForce
from patrol.patrols.standing import in_force
from patrol.patrols.tallying import REASON_TEXT, barred_by
from patrol.people.models import Person

_COUNTS = Text(
    "“走过场”只是提示，不减少计次：按目前的结论，本次结束后计入巡河任务；覆盖达到任务所要求的长度，即完成一次",
    "“Perfunctory” is a remark and takes nothing away: by the present verdict this patrol counts for the duty once it has ended; "
    "where it covers as much of the reach as the duty asks for, one time is done",
)
_COUNTS_NOT = Text("按目前的结论，本次不计入巡河任务，任务尚未完成：{why}", "By the present verdict this patrol does not count for the duty, which it leaves undone: {why}")
_NAMES = {rule.code: rule.name for rule in RULES}
_ORDER = {rule.code: place for place, rule in enumerate(RULES)}
_PARTS = ("covered", "unobserved", "not_visited")


def shown_examination(patrol: Patrol, stored: StoredExamination, given: ExaminationInput, language: str) -> dict[str, Any]:
    """Return what `ExaminationOut` shows of a stored examination; `given` is what would go into a new one."""
    row, coverages = stored.examination, {row.reach_id: row for row in stored.coverages}
    digest = None if row is None else row.input_hash
    return {
        "coverage": [_shown_row(reach, coverages[reach.id]) for reach in patrol.reaches if reach.id in coverages],
        "findings": _shown_findings([_columns_of(finding) for finding in stored.findings], given, language),
        "verdict": row and row.verdict, "reasons": _words(row.reasons, language) if row else [], "measured": (row and row.summary) or None,
        "examined_at": row and row.examined_at, "policy": row and row.policy,
        "policies": row and (row.policies or None),
        "stale": patrol.ended_at is not None and not given.purged and digest != given.digest,
    }  # fmt: skip


def shown_result(result: Result | None, language: str) -> dict[str, Any]:
    """Return what `PatrolRowOut` shows of an examination, None before there is one."""
    if result is None:
        return {"verdict": None, "reasons": [], "findings": []}
    findings = [
        {"code": code, "name": _name(code).in_language(language), "severity": severity}
        for code, severity in sorted(result.findings, key=lambda row: _place(row[0]))
    ]  # fmt: skip
    return {"verdict": result.verdict, "reasons": _words(result.reasons, language), "findings": findings}


def shown_preview(patrol: Patrol, examined: Examined, given: ExaminationInput, language: str) -> dict[str, Any]:
    """Return what `PatrolPreviewOut` shows of an examination just made."""
    coverage = [_shown_coverage(reach, found) for reach, found in zip(patrol.reaches, examined.coverages, strict=True)]
    columns = [{**finding_columns(finding), "found_at": None} for finding in examined.findings]
    return {
        "coverage": coverage, "findings": _shown_findings(columns, given, language), "verdict": examined.verdict.value,
        "reasons": _words([*examined.verdict.reasons, *_of_duty(patrol, examined)], language), "measured": examined.pace, "examined_at": None,
        "policy": given.policy.thresholds.version, "policies": given.policy.versions, "stale": False, "ended_at": given.ended_at,
    }  # fmt: skip


def _of_duty(patrol: Patrol, examined: Examined) -> list[Text]:
    """Return whether a walk that looks perfunctory counts for the duty: the finding alone does not say it."""
    if not any(finding.code == "perfunctory" for finding in examined.findings):
        return []
    barred = barred_by(examined.verdict.value, started_at=patrol.started_at, received_at=patrol.received_at, ended=True, began_at=examined.began_at)
    return [_COUNTS_NOT.format(why=REASON_TEXT[barred]) if barred else _COUNTS]


def shown_rules(policy: PolicyInForce, language: str) -> dict[str, Any]:
    """Return what `IntegrityRulesOut` shows of all rules and the thresholds in force."""
    thresholds = policy.thresholds.as_data()
    of_rules = {name for rule in RULES for name in rule.thresholds} | {"version"}
    return {
        "policy": policy.thresholds.version, "valid_from": policy.valid_from,
        "source": Text(*policy.source).in_language(language) if policy.source else "", "next": None,
        "verdict_thresholds": {name: value for name, value in thresholds.items() if name not in of_rules},
        "items": [{
            "code": rule.code, "name_zh": rule.name.zh, "name_en": rule.name.en, "looks_at": rule.looks_at.in_language(language),
            "severity": str(rule.severity), "thresholds": {name: thresholds[name] for name in rule.thresholds},
            "innocent": _words(rule.innocent, language), "version": rule.version,
        } for rule in RULES],
    }  # fmt: skip


def _shown_row(reach: Any, row: ReachCoverage) -> dict[str, Any]:
    share = row.covered_m / row.length_m if row.length_m else 0.0
    metres = {name: getattr(row, name) for name in METRES}
    return {"reach": reach, **metres, "share": round(share, 4), "intervals": {name: getattr(row, name) for name in _PARTS}}


def _shown_coverage(reach: Any, coverage: Coverage) -> dict[str, Any]:
    return {"reach": reach, **coverage.as_data(), "share": round(coverage.share, 4)}


def _columns_of(row: PatrolFinding) -> dict[str, Any]:
    names = ("code", "severity", "text", "innocent", "evidence", "threshold", "version", "found_at")
    return {name: getattr(row, name) for name in names}


def _shown_findings(findings: Iterable[Mapping[str, Any]], given: ExaminationInput, language: str) -> list[dict[str, Any]]:
    """Return findings in the order of the table of rules, each with what was said of it."""
    said: dict[str, list[FindingStatement]] = defaultdict(list)
    findings = list(findings)
    for statement in given.statements:
        said[statement.code].append(statement)
    named = {finding["code"]: UUID(person_id) for finding in findings if (person_id := finding["evidence"].get("person_id"))}
    people = people_named({statement.person_id for statement in given.statements} | set(named.values()))
    return [{
        **finding, "name": _name(finding["code"]).in_language(language), "person": people.get(named[finding["code"]]) if finding["code"] in named else None,
        "text": Text(*finding["text"]).in_language(language), "innocent": _words(finding["innocent"], language),
        "standing": in_force(said[finding["code"]], given.patrol.person_id).standing,
        "statements": [_shown_statement(row, people) for row in said[finding["code"]]],
    } for finding in sorted(findings, key=lambda finding: _place(finding["code"]))]  # fmt: skip


def _name(code: str) -> Text:
    return _NAMES.get(code, Text(code, code))


def _place(code: str) -> int:
    return _ORDER.get(code, len(_ORDER))


def _shown_statement(row: FindingStatement, people: Mapping[UUID, Person]) -> dict[str, Any]:
    names = ("id", "kind", "judgement", "text", "at")
    return {"person": people[row.person_id], **{name: getattr(row, name) for name in names}}


def _words(texts: Sequence[Sequence[str]], language: str) -> list[str]:
    return [Text(*text).in_language(language) for text in texts]
