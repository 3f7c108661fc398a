"""docs/verdict.md: how a patrol's verdict comes about, and every finding that there is."""

from patrol.foundation.texts import Text
from patrol.patrols.integrity import RULES
from patrol.patrols.integrity_policy import DEFAULT_POLICY
from patrol.patrols.seen import Severity
from patrol.patrols.verdict import CRITERIA, DOUBT

_ASKED = {
    "coverage": "{p.least_coverage_share:.0%} of the reach's length, by the most favourable reading of the positions",
    "distance": "{p.least_distance_m:,.0f} m, or {p.least_distance_share:.0%} of a shorter reach",
    "duration": "{minutes:.0f} minutes without pauses",
    "gaps": "no silence of more than {p.most_gap_s:.0f} s without a mark of a lost signal",
    "speed": "95 of 100 stretches walked at {p.most_walking_p95_mps:g} m/s or slower; other modes are not asked",
    "fixes": "{p.least_fixes_per_minute:g} usable fixes a minute while moving",
    "accuracy": "{p.most_accuracy_m:.0f} m in the median",
}
_ALL_OR_NOTHING = ("gaps", "speed", "accuracy")


def verdict_document() -> str:
    """Render docs/verdict.md from the tables that decide."""
    policy = DEFAULT_POLICY
    points = [
        f"| {row.name} | {row.points:g} | {_ASKED[row.name].format(p=policy, minutes=policy.least_duration_s / 60)} | "
        f"{'all or nothing' if row.name in _ALL_OR_NOTHING else 'in proportion'} |" for row in CRITERIA
    ]  # fmt: skip
    doubt = [f"| {severity.value} | {_doubt_of(severity)} |" for severity in Severity]
    findings = [
        f"| `{rule.code}` | {rule.name.zh} · {rule.name.en} | {rule.severity.value} | {rule.looks_at.en} | {_list_of(rule.innocent)} |" for rule in RULES
    ]
    return "\n".join((
        "# The verdict on a patrol", "",
        "Generated from `patrol/patrols/verdict.py` and `patrol/patrols/integrity.py`; the numbers are the defaults, a district's own stand in versioned "
        "[policies](policies.md). The chief sees it before she submits (`GET /api/v1/patrols/{id}/preview`). Nothing is refused or altered by it.", "",
        "| verdict | when |", "|---|---|",
        "| `invalid` | nothing shows that anybody was at the reach |",
        "| `doubtful` | findings make it so, by the second table, or a reviewer upheld one |",
        f"| `partial` | honest, but fewer than {policy.valid_score:g} of 100 points |",
        f"| `valid` | the rest. It may still say what is missing: no single shortfall but that of coverage takes more than {_most_lost():g} points |", "",
        "## Points", "", "What nothing is known of is left out, and the others get its share.", "",
        "| what | points | asked for | |", "|---|---|---|---|", *points, "",
        "So a valid patrol need not count for a duty: that asks for a share of the reach of its own (`least_share` of the "
        "[frequency policy](policies.md), short walks of a day added up), and `GET /api/v1/duties` says `too_short` where it falls short. The finding "
        f"`short_coverage` is a hint below {policy.planned_share:.0%} and takes nothing away.", "",
        "## Doubts", "", "Findings that a reviewer dismissed do not count; one that he upheld does alone, unless it is `info`.", "",
        "| severity | makes a patrol doubtful |", "|---|---|", *doubt, "",
        "## Findings", "", "A finding may be milder or graver than its rule where its evidence is.", "",
        "| code | name | severity | looks at | what would explain it innocently |", "|---|---|---|---|---|", *findings, "",
    ))  # fmt: skip


def _most_lost() -> float:
    return max(row.points for row in CRITERIA if row.name != "coverage")


def _doubt_of(severity: Severity) -> str:
    return {None: "never by itself", 1: "one"}.get(DOUBT.get(severity), f"{DOUBT.get(severity)} of them")


def _list_of(texts: tuple[Text, ...]) -> str:
    return "; ".join(text.en for text in texts)
