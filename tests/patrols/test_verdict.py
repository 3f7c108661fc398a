"""The verdict: a score and not a wall, doubts by table, a reviewer's last word, and reasons that say what is missing."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.facts import Finding
from patrol.patrols.integrity import RULES, examine
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.seen import Severity
from patrol.patrols.track import NO_TRACK
from patrol.patrols.verdict import CRITERIA, verdict_of
from patrol.patrols.verdict_document import verdict_document
from tests.patrols.labelled import Case, car_for_walk, clear, nothing_but_check_ins, short_walk
from tests.patrols.test_presence import LINE, walked

GOOD = clear(Case(np.random.default_rng(5)))


def found(severity, code="speed"):
    return Finding(code, severity.value, RULES[0].name, ())


def covering(high_m, facts=GOOD, length_m=3_000.0):
    low_m = high_m * 0.9
    return replace(facts, reaches=[LINE], coverages=[walked(length_m, low_m, low_m, high_m)])


def test_the_points_make_a_hundred():
    assert sum(row.points for row in CRITERIA) == 100


def test_a_good_patrol_says_so():
    verdict = verdict_of(GOOD, examine(GOOD))
    assert (verdict.value, verdict.score, [reason.zh for reason in verdict.reasons]) == ("valid", 100.0, ["巡河符合要求"])


def test_what_is_missing_is_said_in_metres_and_minutes():
    facts = short_walk(Case(np.random.default_rng(2)))
    verdict = verdict_of(facts, examine(facts))
    assert verdict.value == "partial"
    figures = verdict.figures
    missing_m = int(np.ceil(0.6 * figures["length_m"] - figures["high_m"]))
    assert any(f"还差 {missing_m} 米" in reason.zh for reason in verdict.reasons)
    assert verdict.reasons[0].zh == f"得分 {verdict.score:g}（满分 100，80 分起为有效），不足之处如下"
    assert any(reason.zh.startswith("用时 6 分钟") and reason.zh.endswith("分钟") for reason in verdict.reasons)


@pytest.mark.parametrize(("high_m", "missing"), [(1_800, None), (1_799.5, "还差 1 米"), (1_480, "还差 320 米")])
def test_coverage_is_missing_only_when_its_most_favourable_reading_falls_short(high_m, missing):
    verdict = verdict_of(covering(high_m), [])
    said = [reason.zh for reason in verdict.reasons if "河段至多覆盖" in reason.zh]
    assert said == [] if missing is None else missing in said[0]


def test_no_single_shortfall_but_that_of_coverage_is_a_wall():
    brief = replace(GOOD, ended_at=GOOD.started_at + timedelta(minutes=1))
    verdict = verdict_of(brief, [])
    assert (verdict.value, verdict.reasons[0].en) == ("valid", f"{verdict.score:g} of 100 points, valid from 80 on; what is missing:")
    assert any("还差 9 分钟" in reason.zh for reason in verdict_of(brief, []).reasons)
    assert verdict_of(covering(600), []).value == "partial"
    assert verdict_of(covering(1_700), []).value == "valid"


@pytest.mark.parametrize(("severities", "value"), [
    ([], "valid"), (["info"] * 5, "valid"), (["soft"], "valid"), (["soft"] * 5, "valid"), (["medium"], "valid"), (["medium", "soft", "soft"], "valid"),
    (["medium", "medium"], "doubtful"), (["high"], "doubtful"),
])  # fmt: skip
def test_doubtful_wants_one_grave_or_two_middling_findings(severities, value):
    findings = [found(Severity(severity), RULES[n].code) for n, severity in enumerate(severities)]
    verdict = verdict_of(GOOD, findings)
    assert verdict.value == value
    assert value == "valid" or len(verdict.reasons) == len(severities)


@given(st.lists(st.sampled_from(Severity), max_size=8))
def test_dismissed_findings_do_not_count(severities):
    findings = [found(severity, RULES[n].code) for n, severity in enumerate(severities)]
    judged = dict.fromkeys([finding.code for finding in findings], "dismissed")
    assert verdict_of(GOOD, findings, judged=judged) == verdict_of(GOOD, [])


def test_one_dismissed_of_two_and_one_upheld_alone():
    two = [found(Severity.MEDIUM, "speed"), found(Severity.MEDIUM, "mode")]
    assert verdict_of(GOOD, two, judged={"mode": "dismissed"}).value == "valid"
    upheld = verdict_of(GOOD, two[:1], judged={"speed": "upheld"})
    assert (upheld.value, upheld.reasons[0].zh[:6]) == ("doubtful", "经审核认定：")
    assert verdict_of(GOOD, [found(Severity.INFO)], judged={"speed": "upheld"}).value == "valid"


def test_a_car_dismissed_is_valid_again():
    facts = car_for_walk(Case(np.random.default_rng(1)))
    findings = examine(facts)
    assert verdict_of(facts, findings).value == "doubtful"
    assert verdict_of(facts, findings, judged={"speed": "dismissed", "mode": "dismissed"}).value == "valid"


def test_invalid_only_where_nothing_shows_anybody_was_there():
    check_ins_only = nothing_but_check_ins(Case(np.random.default_rng(4)))
    assert verdict_of(check_ins_only, []).value == "partial"
    away = [replace(c, distance_m=900.0) for c in check_ins_only.check_ins]
    nobody = verdict_of(replace(check_ins_only, check_ins=away), [found(Severity.HIGH)])
    assert (nobody.value, nobody.reasons[0].zh) == ("invalid", "没有任何记录表明有人到过河段")
    unsure = [replace(c, distance_m=130.0, accuracy_m=40.0) for c in check_ins_only.check_ins]
    assert verdict_of(replace(check_ins_only, check_ins=unsure), []).value == "partial"
    mislabelled = verdict_of(replace(check_ins_only, check_ins=away), [found(Severity.INFO, "datum_mislabelled")])
    assert (mislabelled.value, mislabelled.reasons[-1].zh) == ("partial", "坐标系更正后将重新判定")


def test_several_reaches_are_judged_together():
    both = replace(GOOD, reaches=[LINE, LINE], coverages=[*covering(2_000).coverages, *covering(100, length_m=500.0).coverages])
    assert verdict_of(both, []).figures["length_m"] == 3_500


def test_what_nothing_tells_of_costs_nothing():
    blank = replace(GOOD, track=NO_TRACK, reaches=[LINE], coverages=[])
    verdict = verdict_of(blank, [])
    assert (verdict.figures["p95_mps"], verdict.figures["accuracy_m"], verdict.score) == (None, None, 50.0)


def test_a_districts_own_policy_decides():
    facts = short_walk(Case(np.random.default_rng(2)))
    easy = IntegrityPolicy(version="easy", least_duration_s=120.0, least_distance_m=200.0, least_coverage_share=0.1)
    assert verdict_of(facts, [], easy).value == "valid"


def test_the_page_has_a_row_for_each_criterion_and_finding():
    page = verdict_document()
    rows = [line.split(" | ")[:2] for line in page.split("## Doubts")[0].split("## Points")[1].splitlines() if line.startswith("| ")]
    assert rows[1:] == [[f"| {row.name}", f"{row.points:g}"] for row in CRITERIA]
    assert [f"| `{rule.code}` |" in page for rule in RULES] == [True] * len(RULES)
    assert "| high | one |" in page
    assert "| medium | 2 of them |" in page
    assert "| soft | never by itself |" in page
