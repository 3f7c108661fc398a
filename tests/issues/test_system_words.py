"""What the system gives as a reason is read in both languages, what people wrote as they wrote it."""

import pytest

from patrol.issues.system_words import BY_COMPLAINANT, ENDED, LEAD_CHANGED, reason_in_both


@pytest.mark.parametrize("words", [ENDED, LEAD_CHANGED])
def test_the_systems_own_refusals_have_both(words):
    assert reason_in_both("refuse_extension", words.zh) == words
    assert reason_in_both("return", words.zh) == (words.zh, words.zh)


def test_a_granted_not_fixed_keeps_the_words_of_both_people():
    words = BY_COMPLAINANT.format(said="桥下还有\n很多", reason="已核实")
    assert reason_in_both("reopen", words.zh) == words
    assert words.en == "Complainant: 桥下还有\n很多\nDecision: 已核实"


@pytest.mark.parametrize("reason", ["", "反映人：", "决定：属实", "仍有垃圾", "反映人：桥下"])
def test_what_a_person_wrote_stands(reason):
    assert [reason_in_both(verb, reason) for verb in ("reopen", "refuse_extension", "reject")] == [(reason, reason)] * 3
