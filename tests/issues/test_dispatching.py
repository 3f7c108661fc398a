import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.categories import CATEGORIES, Severity, Source, is_heading
from patrol.issues.dispatching import DEFAULT_RULES, goes_straight_to_the_chief

LEAVES = [code for code in CATEGORIES if not is_heading(code)]
CONFIDENCES = ["high", "medium", "low", "none"]


@pytest.mark.parametrize(
    ("source", "category", "severity", "confidence", "has_chief", "straight", "rule"),
    [
        ("patrol",     "A32", "general", "high",   True,  True,  "patrol_to_chief"),
        ("patrol",     "C1",  "general", "low",    True,  True,  "patrol_to_chief"),
        ("patrol",     "C1",  "serious", "high",   True,  False, "grave_to_office"),
        ("patrol",     "D1",  "urgent",  "high",   True,  False, "grave_to_office"),
        ("patrol",     "C1",  "general", "high",   False, False, "vacant_to_office"),
        ("citizen",    "B2",  "general", "high",   True,  True,  "complaint_to_chief"),
        ("citizen",    "B2",  "general", "medium", True,  False, "unsure_to_office"),
        ("citizen",    "B2",  "major",   "high",   True,  False, "grave_to_office"),
        ("citizen",    "B2",  "general", "high",   False, False, "vacant_to_office"),
        ("citizen",    "F3",  "general", "high",   True,  False, "duty_to_office"),
        ("patrol",     "F1",  "general", "high",   True,  False, "duty_to_office"),
        ("citizen",    "Z",   "general", "high",   True,  False, "other_to_office"),
        ("hotline",    "A31", "general", "high",   True,  True,  "complaint_to_chief"),
        ("hotline",    "A31", "general", "low",    True,  False, "unsure_to_office"),
        ("superior",   "A31", "general", "high",   True,  False, "office_first"),
        ("inspection", "A31", "general", "high",   True,  False, "office_first"),
        ("department", "A31", "general", "high",   True,  False, "office_first"),
        ("department", "F1",  "general", "high",   True,  False, "duty_to_office"),
        ("cepi",       "A31", "general", "high",   True,  False, "office_first"),
        ("media",      "A31", "general", "high",   True,  False, "office_first"),
        ("drone",      "A31", "general", "high",   True,  False, "office_first"),
        ("sensor",     "B8",  "serious", "high",   True,  False, "grave_to_office"),
    ],
)  # fmt: skip
def test_the_policy_says(source, category, severity, confidence, has_chief, straight, rule):
    decision = goes_straight_to_the_chief(Source(source), category, Severity(severity), confidence, has_chief)
    assert (decision.straight, decision.rule) == (straight, rule)
    assert decision.reason.zh
    assert decision.reason.en


@given(
    source=st.sampled_from(Source), category=st.sampled_from(LEAVES), severity=st.sampled_from(Severity),
    confidence=st.sampled_from(CONFIDENCES), has_chief=st.booleans(),
)  # fmt: skip
def test_nothing_grave_nothing_on_duty_and_nothing_without_a_chief_ever_goes_straight(
    source, category, severity, confidence, has_chief
):
    decision = goes_straight_to_the_chief(source, category, severity, confidence, has_chief)
    if severity is not Severity.GENERAL or category[0] in "FZ" or not has_chief:
        assert not decision.straight


def test_a_district_may_bring_its_own_rules():
    rules = [rule._replace(straight=False) for rule in DEFAULT_RULES]
    decision = goes_straight_to_the_chief(Source.PATROL, "C1", Severity.GENERAL, "high", True, rules=rules)
    assert (decision.straight, decision.rule) == (False, "patrol_to_chief")


def test_rules_have_codes_of_their_own():
    assert len({rule.code for rule in DEFAULT_RULES}) == len(DEFAULT_RULES)
