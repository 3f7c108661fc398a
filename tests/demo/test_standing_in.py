from collections import Counter
from datetime import date

TODAY = date(2026, 11, 20)


def test_deputies_patrol_for_three_principals_while_a_delegation_is_in_force(told, people):
    assert len(told.delegations) == 3
    assert told.delegations[0].principal == "chief"
    by_pair = {(row.principal, row.deputy): row for row in told.delegations}
    tours = [patrol for patrol in told.patrols if patrol.on_behalf_of]
    assert min(Counter((p.on_behalf_of, p.username) for p in tours).values()) >= 2
    for tour in tours:
        row = by_pair[tour.on_behalf_of, tour.username]
        assert row.at < tour.started_at
        assert row.first_day <= tour.started_at.date() <= row.last_day
        assert people.by_username[row.deputy].roles == ("patroller",)
        assert all(people.chief_on(code, tour.started_at.date()) == row.principal for code in tour.reach_codes)


def test_a_delegation_lasts_beyond_today(told):
    assert {row.first_day < TODAY < row.last_day for row in told.delegations} == {True}


def test_two_reaches_are_warned_of_one_of_them_the_known_chiefs(told, people, waterside):
    assert [row.colour for row in told.warnings] == ["yellow", "orange"]
    assert people.chief_on(told.warnings[0].reach_code, TODAY) == "chief"
    assert {row.reach_code for row in told.warnings} <= set(waterside.reaches)


def test_two_phones_still_hold_something(told):
    assert [row.pending for row in told.waiting_phones] == [14, 3]
    assert all(row.oldest < row.at and row.at.date() < TODAY for row in told.waiting_phones)
