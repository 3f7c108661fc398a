import itertools
import re
from collections import Counter
from datetime import date, timedelta

import pytest

from patrol.demo.landscape import landscape
from patrol.demo.registers import columns
from patrol.demo.residents import residents

TODAY = date(2026, 11, 20)
ACCOUNTS = {
    "admin": "admin", "office": "office", "office.town": "office", "chief": "chief", "chief.town": "chief",
    "chief.district": "chief", "handler": "handler", "patroller": "patroller", "supervisor": "supervisor",
    "auditor": "auditor",
}  # fmt: skip


@pytest.fixture(scope="module")
def land():
    return landscape()


@pytest.fixture(scope="module")
def people(land):
    return residents(land, TODAY)


def test_there_are_enough_people_and_no_two_share_an_account_name_or_phone(people):
    assert len(people.people) >= 100
    for what in ("username", "name", "phone"):
        assert max(Counter(getattr(person, what) for person in people.people).values()) == 1


def test_telephones_are_of_a_kind_that_nobody_has(people):
    assert all(re.fullmatch(r"120\d{8}", person.phone) for person in people.people)


def test_the_accounts_of_the_contract_exist_with_their_roles(people):
    for username, role in ACCOUNTS.items():
        assert people.by_username[username].roles == (role,)
    assert {person.password for person in people.people} == {"xunhe-demo"}
    assert people.by_username["handler"].department == "water"
    assert people.by_username["office"].region_code == "990100"
    town = people.by_username["office.town"].region_code
    assert people.by_username["chief.town"].region_code == town
    assert people.by_username["chief"].region_code.startswith(town)
    assert len(people.by_username["chief"].region_code) == 12


def test_the_village_chief_has_at_least_three_reaches_and_the_town_chief_some_of_the_town(land, people):
    mine = [r for r in land.reaches if people.chief_on(r.code, TODAY) == "chief"]
    assert len(mine) >= 3
    assert {r.level for r in mine} == {"village"}
    assert {r.level for r in land.reaches if people.chief_on(r.code, TODAY) == "chief.town"} == {"township"}
    assert {r.level for r in land.reaches if people.chief_on(r.code, TODAY) == "chief.district"} == {"county"}


def test_each_township_has_an_office_and_a_chief_and_each_village_a_chief(land, people):
    staff = Counter((person.region_code, person.roles[0]) for person in people.people)
    for region in land.regions:
        if region.level != "county":
            assert staff[region.code, "chief"] >= 1
        if region.level == "township":
            assert staff[region.code, "office"] == 1
            assert people.office_of(region.code + "201") == people.office_of(region.code)


def test_chiefs_answer_for_reaches_of_their_own_region_and_never_two_at_once(land, people):
    reaches = {reach.code: reach for reach in land.reaches}
    spans: dict[str, list[tuple[date, date]]] = {}
    for row in people.appointments:
        assert people.by_username[row.username].region_code == reaches[row.reach_code].region_code
        assert row.valid_to is None or row.valid_from <= row.valid_to
        spans.setdefault(row.reach_code, []).append((row.valid_from, row.valid_to or date.max))
    for times in spans.values():
        ordered = sorted(times)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(ordered))


def test_some_chiefs_were_transferred_lately_without_a_day_between(people):
    handed_over = 0
    for row in people.appointments:
        if row.valid_to and people.chief_on(row.reach_code, row.valid_to + timedelta(1)):
            handed_over += 1
            assert people.chief_on(row.reach_code, row.valid_to) == row.username
            assert people.chief_on(row.reach_code, row.valid_to + timedelta(1)) != row.username
            assert TODAY - timedelta(90) <= row.valid_to < TODAY
    assert handed_over >= 2


def test_a_few_reaches_are_vacant_today_and_their_township_has_a_chief(land, people):
    vacant = [reach for reach in land.reaches if people.chief_on(reach.code, TODAY) is None]
    assert 2 <= len(vacant) <= 3
    for reach in vacant:
        above = [r.code for r in land.reaches if r.water_body_code == reach.water_body_code
                 and r.region_code == reach.region_code[:9]]  # fmt: skip
        assert any(people.chief_on(code, TODAY) for code in above), reach.name


def test_rows_spell_the_columns_of_the_import_formats(people):
    written = columns(people.by_username["handler"])
    assert list(written) == ["username", "name", "phone", "roles", "region_code", "title", "department", "password"]
    assert (written["roles"], written["department"]) == ("handler", "water")
    ended = next(row for row in people.appointments if row.valid_to)
    assert list(columns(ended)) == ["reach_code", "username", "title", "valid_from", "valid_to"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(columns(ended)["valid_to"]))
    lasting = next(row for row in people.appointments if not row.valid_to)
    assert columns(lasting)["valid_to"] == ""


def test_the_same_arguments_give_the_same_people(land, people):
    assert residents(land, TODAY) == people
    assert residents(land, TODAY, seed=5) != people
