"""Amounts as people say them."""

import re

import pytest

from patrol.foundation.lengths import length
from patrol.patrols.amounts import in_words, lasting
from patrol.patrols.integrity import RULES


@pytest.mark.parametrize(("metres", "zh", "en"), [
    (None, "未知", "unknown"), (0, "0 米", "0 m"), (0.02, "0.02 米", "0.02 m"), (954, "954 米", "954 m"), (9_999, "9999 米", "9999 m"),
    (10_000, "10.0 公里", "10.0 km"), (102_411.8, "102 公里", "102 km"), (9_096_722, "9097 公里", "9097 km"),
])  # fmt: skip
def test_metres(metres, zh, en):
    assert length(metres) == (zh, en)


@pytest.mark.parametrize(("seconds", "zh", "en"), [
    (None, "未知", "unknown"), (0, "0 秒", "0 s"), (119, "119 秒", "119 s"), (120, "2 分钟", "2 min"), (1_878, "31 分钟", "31 min"),
    (7_199, "120 分钟", "120 min"), (7_200, "2 小时", "2 h"), (10_799, "3 小时", "3 h"), (-28_800, "8 小时", "8 h"), (35_713, "9 小时 55 分钟", "9 h 55 min"),
    (595.1 * 3_600, "24 天 19 小时", "24 days 19 h"), (35_713 * 60, "24 天 19 小时", "24 days 19 h"), (365 * 86_400, "365 天", "365 days"),
    (6_609 * 86_400, "18 年", "18 years"),
])  # fmt: skip
def test_seconds(seconds, zh, en):
    assert lasting(seconds) == (zh, en)


def test_counts_bring_their_noun_in_english():
    told = in_words({"photos": 1, "fixes": 1, "accounts": 2, "jumps": 0, "which": ["a"], "percent": 3})
    assert [told[name].en for name in ("photos", "fixes", "accounts", "jumps")] == ["1 photo", "1 fix", "2 other accounts", "0 jumps"]
    assert (told["photos"].zh, told["which"], told["percent"]) == ("1", ["a"], 3)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_no_rule_says_a_unit_twice(rule):
    assert [words for words in rule.says if re.search(r"\{\w+_[ms]\} ?(?:米|秒|分钟|小时|[ms]\b)", words)] == []
