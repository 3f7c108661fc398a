"""Moments: any RFC 3339 time with an offset becomes UTC or is refused; nothing crashes at the calendar's ends."""

from datetime import UTC, datetime, timedelta, timezone

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.clock import beginning_of_day
from patrol.foundation.moments import Moment, MomentOrDay


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_any_time_with_an_offset_is_the_same_moment_in_utc_or_refused(local, offset_min):
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    try:
        found = Moment().deserialize(moment.isoformat())
    except ma.ValidationError:
        assert local.year in {1, 9999}
    else:
        assert found.tzinfo is UTC
        assert found == moment


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "2026-05-01T08:30:00", "yesterday", ""])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ma.ValidationError):
        Moment().deserialize(text)


def test_answers_are_in_utc_with_an_offset():
    class Shape(ma.Schema):
        at = Moment()

    assert Shape().dump({"at": datetime(2026, 5, 1, 0, 30, tzinfo=UTC)}) == {"at": "2026-05-01T00:30:00+00:00"}


def test_a_plus_that_a_url_made_a_space_is_an_offset_again():
    assert Moment().deserialize("2026-10-01T00:00:00 08:00") == Moment().deserialize("2026-10-01T00:00:00+08:00")


@pytest.mark.parametrize("text", ["2026-1-1", "20260101", "2026-02-30", "2026-11-28T10:00:00", "２０２６-11-28", "yesterday", ""])
def test_who_may_give_a_day_is_told_so_whatever_is_wrong(text):
    with pytest.raises(ma.ValidationError) as told:
        MomentOrDay(beginning_of_day).deserialize(text)

    assert "A day such as 2026-05-01, or" in told.value.messages[0]
