"""On the labelled set honest people are not accused and each way of cheating shows; every row of the table is sound."""

import json
import string
from collections import Counter, defaultdict
from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pytest

from patrol.patrols.checkpoints import RADIUS_M, WORST_ACCURACY_M, Result
from patrol.patrols.datum_policy import DatumPolicy
from patrol.patrols.facts import CheckpointFact, PatrolFacts
from patrol.patrols.integrity import RULE, RULES, examine
from patrol.patrols.integrity_policy import DEFAULT_POLICY, IntegrityPolicy
from patrol.patrols.mislabelling import mislabelled_datum
from patrol.patrols.seen import Severity
from patrol.patrols.track import NO_TRACK
from patrol.patrols.verdict import verdict_of
from tests.patrols.labelled import DISHONEST, HONEST, LESSER, ME, Case, clear, labelled, wrong_datum

ORDER = list(Severity)
CODES = """mock_location speed teleport mode clock_future impossible_end clock_skew clock_moved overlap too_clean replayed_track photo_duplicate
photo_alike exif_place exif_time photo_edited_or_gallery photo_older_than_patrol outside_geofence check_in_off_track checkpoint_missed gap short_coverage
perfunctory shared_device datum_mislabelled sparse_points no_track""".split()


@pytest.fixture(scope="module")
def examined():
    """Name, whether honest, facts, findings and verdict of each labelled patrol."""
    found = []
    for honest, kinds, each in ((True, HONEST, 9), (False, DISHONEST, 10)):
        for name, facts in labelled(kinds, each):
            findings = examine(facts)
            found.append((name, honest, facts, findings, verdict_of(facts, findings)))
    return found


def test_no_honest_patrol_is_doubtful_or_invalid(examined):
    honest = [(name, verdict) for name, is_honest, _, _, verdict in examined if is_honest]
    assert len(honest) >= 200
    assert [(name, verdict) for name, verdict in honest if verdict.value in {"doubtful", "invalid"}] == []


def test_each_way_of_cheating_is_mostly_not_valid(examined):
    values = defaultdict(Counter)
    for name, honest, _, _, verdict in examined:
        if not honest:
            values[name][verdict.value] += 1
    assert len(values) >= 10
    assert {name: dict(seen) for name, seen in values.items() if seen["valid"] > 0.1 * seen.total()} == {}


def test_each_rule_has_a_labelled_kind_in_which_it_mostly_finds(examined):
    """Detection of a rule that no labelled patrol should trigger would be no figure."""
    shown = defaultdict(Counter)
    for name, findings in [*((name, findings) for name, _, _, findings, _ in examined), *((n, examine(f)) for n, f in labelled(LESSER, 10))]:
        shown[name].update(["each", *(finding.code for finding in findings)])
    cheats = [seen for name, seen in shown.items() if name not in HONEST]
    found = {rule.code for rule in RULES for seen in (shown.values() if rule.severity is Severity.INFO else cheats) if seen[rule.code] >= 0.9 * seen["each"]}
    assert set(CODES) - found == set()


def test_lesser_signs_alone_make_no_patrol_doubtful():
    assert {verdict_of(facts, examine(facts)).value for _, facts in labelled(LESSER, 10)} == {"valid"}


@pytest.mark.parametrize(("kind", "code"), [
    ("mock_app_line", "mock_location"), ("perfect_line", "too_clean"), ("replayed_as_it_was", "replayed_track"),
    ("replayed_with_noise", "replayed_track"), ("car_for_walk", "speed"), ("car_for_walk", "mode"), ("two_ends", "short_coverage"),
    ("teleport", "teleport"), ("same_photo", "photo_duplicate"), ("old_gallery_photo", "photo_older_than_patrol"),
    ("surrogate", "shared_device"), ("parked", "short_coverage"), ("drive_by", "mode"), ("wrong_datum", "datum_mislabelled"),
    ("low_battery", "sparse_points"), ("nothing_but_check_ins", "no_track"),
])  # fmt: skip
def test_the_rule_that_is_meant_for_it_finds_it(examined, kind, code):
    found = [code in {finding.code for finding in findings} for name, _, _, findings, _ in examined if name == kind]
    assert sum(found) >= 0.9 * len(found) > 0


def test_few_honest_patrols_have_any_grave_finding(examined):
    grave = Counter(f.code for _, honest, _, findings, _ in examined if honest for f in findings if f.severity in {"medium", "high"})
    # A clock that was set right on the way was ahead before that, and who drives home is fast; nothing else is graver than soft.
    assert set(grave) <= {"clock_future", "speed"}


def test_no_finding_is_graver_than_its_row_says(examined):
    assert [f for *_, findings, _ in examined for f in findings if ORDER.index(f.severity) > ORDER.index(RULE[f.code].severity)] == []


def test_findings_and_verdicts_are_plain_json_without_open_places(examined):
    for *_, findings, verdict in examined:
        told = json.dumps([[vars(finding) for finding in findings], verdict.reasons, dict(verdict.figures)], allow_nan=False)
        assert not any(f"{{{name}}}" in told for name in ("percent", "distance_m", "missing_m"))
        assert all(finding.text.zh and finding.text.en and DEFAULT_POLICY.version in finding.version for finding in findings)


def test_the_table_is_complete_and_names_real_thresholds():
    assert [rule.code for rule in RULES] == CODES
    names = {field.name for field in fields(IntegrityPolicy)}
    assert [name for rule in RULES for name in rule.thresholds if name not in names] == []
    assert [code for rule in RULES for code in rule.explained_by if code not in RULE] == []
    assert all(rule.innocent for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_both_languages_say_the_same_figures(rule):
    zh, en = ({name for _, name, _, _ in string.Formatter().parse(words) if name} for words in rule.says)
    assert zh == en or zh ^ en <= {"check_ins"}


def test_what_is_unknown_never_accuses(examined):
    """Taking knowledge away from an honest patrol adds no finding but that there is little to go by."""
    for _, honest, facts, findings, _ in examined[::5]:
        if honest:
            had = {f.code for f in findings if f.severity != "info"}
            assert {f.code for f in examine(_without_knowledge(facts)) if f.severity != "info"} <= had


def _without_knowledge(facts: PatrolFacts) -> PatrolFacts:
    names = "likeness exif_taken_at exif_local_time exif_latitude exif_longitude software camera from_gallery".split()
    blank = dict.fromkeys([*names, "recorded_at"])
    good = facts.track.at(~(facts.track.accuracy_m > 100))
    nothing, count = np.full(len(good), np.nan), len(good)
    return replace(
        facts, device_id=None, batches=[replace(batch, sent_at=None) for batch in facts.batches],
        track=replace(good, accuracy_m=nothing, altitude_m=nothing, speed_mps=nothing, mock=np.full(count, -1, np.int8)),
        check_ins=[replace(c, accuracy_m=None) for c in facts.check_ins], photos=[replace(p, **blank) for p in facts.photos],
    )  # fmt: skip


def test_an_app_that_mislabels_its_datum_explains_where_people_seem_to_be():
    facts = wrong_datum(Case(np.random.default_rng(3)))
    outside = next(f for f in examine(facts) if f.code == "outside_geofence")
    assert (outside.severity, outside.evidence["explained_by"]) == ("info", ["datum_mislabelled"])
    unexplained = next(f for f in examine(replace(facts, mislabelling=None)) if f.code == "outside_geofence")
    assert unexplained.severity == "medium"


def test_other_thresholds_find_other_things():
    facts = clear(Case(np.random.default_rng(1)))
    strict = IntegrityPolicy(version="strict", walk_soft_mps=0.5)
    assert "speed" not in {f.code for f in examine(facts)}
    found = next(f for f in examine(facts, strict) if f.code == "speed")
    assert (found.threshold["walk_soft_mps"], found.version) == (0.5, "integrity-7.1/strict")


def test_findings_by_limits_outside_the_policy_of_integrity_tell_them_too():
    policy = DatumPolicy(version="strict", plausible_m=50.0)
    shifted = wrong_datum(Case(np.random.default_rng(3)))
    at = shifted.started_at
    facts = replace(
        shifted, mislabelling=mislabelled_datum(shifted.track, shifted.reaches, policy), impossible_end=(at + timedelta(days=9), at),
        checkpoints=[CheckpointFact(1, "R1@1", Result.OPEN, None)],
    )
    told = {finding.code: finding.threshold for finding in examine(facts)}
    assert told["datum_mislabelled"] == {
        "least_fixes": 30, "worst_accuracy_m": 100.0, "factor": 2.0, "margin_m": 10.0, "plausible_m": 50.0, "nine_of_ten_m": 70.0}
    assert told["impossible_end"] == {"end_ahead_s": 300.0, "longest_patrol_s": 172_800.0}
    assert told["checkpoint_missed"] == {"checkpoint_radius_m": RADIUS_M, "checkpoint_worst_accuracy_m": WORST_ACCURACY_M}


def test_an_empty_patrol_is_examined_too():
    facts = clear(Case(np.random.default_rng(1)))
    empty = PatrolFacts(patrol_id=facts.patrol_id, person_id=ME, mode="walk", track=NO_TRACK, started_at=facts.started_at, ended_at=None,
                        received_at=facts.received_at, now=facts.now)  # fmt: skip
    findings = examine(empty)
    assert [f.code for f in findings] == ["no_track"]
    assert verdict_of(empty, findings).value == "invalid"
