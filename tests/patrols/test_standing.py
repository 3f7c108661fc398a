"""What is in force of the statements on a finding."""

from typing import NamedTuple
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.standing import in_force, judgements_in_force

HERS, OFFICE, SUPERVISOR = uuid4(), uuid4(), uuid4()


class Said(NamedTuple):
    kind: str
    person_id: UUID
    judgement: str | None = None
    code: str = "gap"


REPLY, TAKEN_BACK = Said("reply", HERS), Said("withdrawal", HERS)
UPHELD, DISMISSED, WITHDRAWN = Said("judgement", OFFICE, "upheld"), Said("judgement", SUPERVISOR, "dismissed"), Said("withdrawal", OFFICE)


def test_nothing_said_is_open():
    assert in_force([], HERS).standing == "open"


def test_a_reply_stands_until_she_takes_it_back():
    assert in_force([REPLY], HERS).standing == "replied"
    assert in_force([REPLY, TAKEN_BACK], HERS).standing == "open"


def test_the_last_judgement_counts_and_before_a_reply():
    assert in_force([UPHELD, REPLY, DISMISSED], HERS).standing == "dismissed"


def test_a_reviewers_withdrawal_leaves_the_reply():
    assert in_force([REPLY, UPHELD, WITHDRAWN], HERS).standing == "replied"


def test_withdrawing_a_second_judgement_brings_back_the_first():
    assert in_force([UPHELD, DISMISSED, WITHDRAWN], HERS).standing == "upheld"
    assert in_force([UPHELD, DISMISSED, WITHDRAWN, WITHDRAWN], HERS).standing == "open"


def test_her_withdrawal_leaves_the_judgement():
    assert in_force([REPLY, UPHELD, TAKEN_BACK], HERS).standing == "upheld"


@given(st.lists(st.sampled_from([REPLY, TAKEN_BACK, UPHELD, DISMISSED, WITHDRAWN])))
def test_a_judgement_is_in_force_when_each_later_one_was_withdrawn(said):
    # Read from the end: each withdrawal hides the nearest judgement before it that no other one hides.
    hidden, expected = 0, None
    for statement in reversed(said):
        if statement == WITHDRAWN:
            hidden += 1
        elif statement.kind == "judgement":
            if not hidden:
                expected = statement.judgement
                break
            hidden -= 1
    assert in_force(said, HERS).judgement == expected
    assert judgements_in_force(said, HERS) == ({"gap": expected} if expected else {})


def test_findings_are_judged_one_by_one():
    said = [UPHELD, DISMISSED._replace(code="speed"), WITHDRAWN]
    assert judgements_in_force(said, HERS) == {"speed": "dismissed"}
