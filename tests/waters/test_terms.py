"""Titles of appointments: who is a deputy, and who only has a rank with 副 in it."""

import pytest

from patrol.waters.terms import answers_for_reach, is_deputy


@pytest.mark.parametrize("title", [
    "副河长", "镇级副河长", "副村级河长", "副总河长", "副湖长", "副河湖长", "副职", "副", "河长（副）", "河长(副)", "副镇长、副河长", "deputy", "Deputy_Chief",
])
def test_who_is_a_deputy(title):
    assert is_deputy(title)
    assert answers_for_reach(title)


@pytest.mark.parametrize("title", [
    "chief", "村级河长", "河长", "总河长", "第一总河长", "副镇长", "副镇长兼河长", "副镇长、镇级河长", "区委副书记、区级河长", "副书记河长", "副区长", "副主任河长",
])
def test_an_officials_own_rank_makes_no_deputy(title):
    """Districts write the post into the appointment's title; whoever is appointed under 副镇长 is the reach's chief."""
    assert not is_deputy(title)
    assert answers_for_reach(title)
