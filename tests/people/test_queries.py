"""Reads of accounts that every request makes."""

from patrol.foundation.database import new_id
from patrol.people.models import Region
from patrol.people.queries import actor_with_token


def test_only_at_the_one_top_everything_lies_below(build):
    town = build.region()
    office, town_office = (build.token_of(build.person("office", region=region)) for region in (build.district, town))
    assert actor_with_token(office).sees_all_regions
    assert not actor_with_token(town_office).sees_all_regions
    build.save(Region(id=new_id(), code="990200", name="邻区", level="county", parent_id=None, path="/990200/", version=1))
    assert not actor_with_token(office).sees_all_regions
    elsewhere = build.person("office", region=build.region(build.district))
    assert not actor_with_token(build.token_of(elsewhere)).sees_all_regions
