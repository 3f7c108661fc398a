"""The verdict on a patrol: a score of what it shows, and the doubts that count. It explains itself. Pure.

Two tables decide. `CRITERIA` gives points for what was done: no single one is a wall, so that short walks in narrow
valleys pass. `DOUBT` says how many findings of a severity make a patrol doubtful: never a soft one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from patrol.foundation.lengths import length
from patrol.foundation.texts import Text
from patrol.patrols.amounts import lasting
from patrol.patrols.facts import Finding, PatrolFacts, Verdict
from patrol.patrols.integrity import MISLABELLED, RULE
from patrol.patrols.integrity_policy import DEFAULT_POLICY, IntegrityPolicy
from patrol.patrols.motion import course_of, usable_fixes, way_m, window_speeds, without_pauses
from patrol.patrols.presence import INSIDE, fence_of, fixes_per_minute, silences
from patrol.patrols.seen import Severity
from patrol.patrols.standing import DISMISSED, UPHELD

VALID, PARTIAL, DOUBTFUL, INVALID = "valid", "partial", "doubtful", "invalid"
VERDICT_NAME = {
    VALID: Text("有效", "valid"), PARTIAL: Text("部分有效", "partial"), DOUBTFUL: Text("存疑", "doubtful"), INVALID: Text("无效", "invalid"),
}  # fmt: skip
"""What each verdict is called."""
# How many findings of a severity make a patrol doubtful, unless a reviewer dismissed them. One that he upheld, soft or
# graver, does so alone: a person has looked.
DOUBT: dict[Severity, int] = {Severity.HIGH: 1, Severity.MEDIUM: 2}


@dataclass(frozen=True)
class Figures:
    """What is measured of a patrol; None where nothing tells. Metres, seconds, metres a second, shares of 1."""

    duration_s: float
    distance_m: float
    wanted_distance_m: float
    length_m: float
    covered_m: float
    high_m: float
    per_minute: float | None
    accuracy_m: float | None
    p95_mps: float | None
    longest_gap_s: float | None


@dataclass(frozen=True)
class Criterion:
    """One row: its points, how much of them is earned (0 to 1, None where nothing tells), and what is missing, in words."""

    name: str
    points: float
    earned: Callable[[Figures, IntegrityPolicy], float | None]
    missing: Callable[[Figures, IntegrityPolicy], Text]


def _share(value: float, wanted: float) -> float:
    return min(1.0, value / wanted) if wanted > 0 else 1.0


def _coverage(figures: Figures, policy: IntegrityPolicy) -> float | None:
    """It fails only when the most favourable reading fails, by the uncertainty of the positions."""
    return _share(figures.high_m, policy.least_coverage_share * figures.length_m) if figures.length_m else None


# The points are the project's; the limits are the national default and stand in the policy.
CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        "coverage", 40, _coverage,
        lambda f, p: Text(
            "河段至多覆盖 {most}，距本判定要求的 {percent}%（{wanted}）还差 {missing}",
            "At most {most} of the reach were covered, {missing} short of the {percent} % that this verdict asks for ({wanted})",
        ).format(
            most=length(round(f.high_m)), percent=round(100 * p.least_coverage_share), wanted=length(round(p.least_coverage_share * f.length_m)),
            missing=length(_up(p.least_coverage_share * f.length_m - f.high_m))),
    ),
    Criterion(
        "distance", 15, lambda f, _: _share(f.distance_m, f.wanted_distance_m),
        lambda f, _: Text("行程 {way_m} 米，还差 {missing_m} 米", "The way was {way_m} m, {missing_m} m too short").format(
            way_m=round(f.distance_m), missing_m=_up(f.wanted_distance_m - f.distance_m)),
    ),
    Criterion(
        "duration", 15, lambda f, p: _share(f.duration_s, p.least_duration_s),
        lambda f, p: Text("用时 {minutes} 分钟，还差 {missing} 分钟", "It took {minutes} min, {missing} min too short").format(
            minutes=int(f.duration_s // 60), missing=_up((p.least_duration_s - f.duration_s) / 60)),
    ),
    Criterion(
        "gaps", 10, lambda f, p: None if f.longest_gap_s is None else float(f.longest_gap_s <= p.most_gap_s),
        lambda f, _: Text("有 {gap}没有定位，也没有失去信号的标记", "There are no fixes for {gap}, and no mark of a lost signal").format(
            gap=lasting(f.longest_gap_s)),
    ),
    Criterion(
        "speed", 10, lambda f, p: None if f.p95_mps is None else float(f.p95_mps <= p.most_walking_p95_mps),
        lambda f, p: Text("步行速度达 {speed} 米/秒，高于 {limit} 米/秒", "The walking speed reached {speed} m/s, above {limit} m/s").format(
            speed=round(f.p95_mps or 0.0, 1), limit=p.most_walking_p95_mps),
    ),
    Criterion(
        "fixes", 5, lambda f, p: None if f.per_minute is None else _share(f.per_minute, p.least_fixes_per_minute),
        lambda f, p: Text("移动时每分钟 {rate} 个定位点，应有 {wanted} 个", "{rate} fixes a minute while moving instead of {wanted}").format(
            rate=round(f.per_minute or 0.0, 1), wanted=round(p.least_fixes_per_minute)),
    ),
    Criterion(
        "accuracy", 5, lambda f, p: None if f.accuracy_m is None else float(f.accuracy_m <= p.most_accuracy_m),
        lambda f, p: Text("定位精度 {metres} 米，差于 {limit} 米", "The fixes are accurate to {metres} m, worse than {limit} m").format(
            metres=round(f.accuracy_m or 0.0), limit=round(p.most_accuracy_m)),
    ),
)  # fmt: skip

_NOBODY = Text("没有任何记录表明有人到过河段", "Nothing shows that anybody was at the reach")
_SCORED = Text("得分 {score}（满分 100，{needed} 分起为有效），不足之处如下", "{score} of 100 points, valid from {needed} on; what is missing:")
_ENOUGH = Text("巡河符合要求", "The patrol shows all that is asked for")
_REPAIR = Text("坐标系更正后将重新判定", "It is judged anew once the datum is repaired")
_UPHELD = Text("经审核认定：{finding}", "Upheld on review: {finding}")
_DOUBT = Text("{name}：{finding}", "{name}: {finding}")


def verdict_of(
    facts: PatrolFacts, findings: Sequence[Finding], policy: IntegrityPolicy = DEFAULT_POLICY, *,
    judged: Mapping[str, str] | None = None,
) -> Verdict:
    """Return the verdict on a patrol with these findings, and a reviewer's judgements by code.

    `invalid`: nothing shows that anybody was there. `doubtful`: by the table `DOUBT`, or upheld by a reviewer.
    `partial`: honest, but the score is below the policy's. `valid`: the rest. Dismissed findings do not count.
    """
    judged = judged or {}
    figures = figures_of(facts, policy)
    score, missing = _score(figures, policy)
    counting = [finding for finding in findings if judged.get(finding.code) != DISMISSED]
    doubts = _doubts(counting, judged)
    if not _somebody_was_there(facts, counting, figures, policy):
        value, reasons = INVALID, [_NOBODY, *doubts, *missing]
    elif doubts:
        value, reasons = DOUBTFUL, [*doubts, *missing]
    else:
        value = VALID if score >= policy.valid_score else PARTIAL
        reasons = [_SCORED.format(score=_plain(score), needed=_plain(policy.valid_score)), *missing] if missing else []
    if any(finding.code == MISLABELLED for finding in counting):
        reasons = [*reasons, _REPAIR]
    return Verdict(value, reasons or [_ENOUGH], score, _shown(figures))


def _doubts(findings: Sequence[Finding], judged: Mapping[str, str]) -> list[Text]:
    """Return the words of the findings that make a patrol doubtful, the upheld first; none when it is not."""
    upheld = [f for f in findings if judged.get(f.code) == UPHELD and f.severity != Severity.INFO]
    rest = [f for f in findings if f not in upheld]
    grave = [f for severity, least in DOUBT.items() if len(same := [f for f in rest if f.severity == severity]) >= least for f in same]
    return [_UPHELD.format(finding=f.text) for f in upheld] + [_DOUBT.format(name=RULE[f.code].name, finding=f.text) for f in grave]


def _somebody_was_there(facts: PatrolFacts, findings: Sequence[Finding], figures: Figures, policy: IntegrityPolicy) -> bool:
    """Anything counts: some covered metres, a check-in not outside the fence, a track that a datum brings to the river."""
    if figures.high_m > 0 or any(finding.code == MISLABELLED for finding in findings):
        return True
    places = [fence_of(facts, check_in, policy) for check_in in facts.check_ins]
    return any(place == INSIDE or (place and distance_m - accuracy_m <= policy.geofence_m) for place, distance_m, accuracy_m in places)


def figures_of(facts: PatrolFacts, policy: IntegrityPolicy) -> Figures:
    """Measure a patrol. The way is that of somebody who moved: a parked phone's noise adds nothing."""
    length_m, covered_m, high_m = (sum(getattr(c, name) for c in facts.coverages) for name in ("length_m", "covered_m", "high_m"))
    moving = without_pauses(facts.track, facts)
    course = course_of(moving, policy)
    _, speeds = window_speeds(course, policy)
    known = moving.accuracy_m[np.isfinite(moving.accuracy_m)]
    wanted_m = min(policy.least_distance_m, policy.least_distance_share * length_m) if length_m else policy.least_distance_m
    usable = usable_fixes(facts.track, policy)
    return Figures(
        duration_s=facts.active_s, distance_m=way_m(course), wanted_distance_m=wanted_m,
        length_m=length_m, covered_m=covered_m, high_m=high_m, per_minute=fixes_per_minute(course, policy),
        accuracy_m=float(np.median(known)) if len(known) else None,
        p95_mps=float(np.percentile(speeds, 95)) if len(speeds) and facts.mode == "walk" else None,
        longest_gap_s=float(silences(facts, usable)[0].max()) if len(usable) else None,
    )  # fmt: skip


def _score(figures: Figures, policy: IntegrityPolicy) -> tuple[float, list[Text]]:
    """Return the points of 100 and what is missing; a criterion of which nothing is known leaves the others their share."""
    known = [(row, earned) for row in CRITERIA if (earned := row.earned(figures, policy)) is not None]
    score = 100.0 * sum(row.points * earned for row, earned in known) / sum(row.points for row, _ in known)
    return round(score, 1), [row.missing(figures, policy) for row, earned in known if earned < 1.0]


def _shown(figures: Figures) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 1) for name, value in vars(figures).items()}


def _plain(points: float) -> str:
    return f"{points:g}"


def _up(value: float) -> int:
    """Return a missing amount as a whole number, never 0: something is missing."""
    return max(1, int(np.ceil(value)))
