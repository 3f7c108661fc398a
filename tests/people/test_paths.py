"""What the path of a region says."""

import pytest

from patrol.people.actor import SYSTEM
from patrol.people.paths import code_of, is_at_the_top, paths_up, upwards

TOP, TOWN, VILLAGE = "/990100/", "/990100/990100001/", "/990100/990100001/990100001201/"


@pytest.mark.parametrize(("path", "above"), [(TOP, [TOP]), (VILLAGE, [TOP, TOWN, VILLAGE]), (SYSTEM.region_path, []), ("", [])])
def test_superiors_come_from_the_top_down_and_a_region_itself_last(path, above):
    assert paths_up(path) == above
    assert upwards(path) == above[::-1]


@pytest.mark.parametrize(("path", "is_top"), [(TOP, True), (SYSTEM.region_path, True), (TOWN, False), (VILLAGE, False)])
def test_at_the_top_is_who_has_no_superior(path, is_top):
    assert is_at_the_top(path) is is_top


def test_the_last_part_of_a_path_is_the_regions_own_code():
    assert [code_of(path) for path in (TOP, VILLAGE)] == ["990100", "990100001201"]
