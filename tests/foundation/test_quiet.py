"""When a message may go out."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.quiet import due_moment, end_of_quiet

CHINA = "Asia/Shanghai"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(CHINA)).astimezone(UTC)


@pytest.mark.parametrize(("now", "quiet", "digest_at", "due"), [
    ("2026-11-26T10:00", (None, None), None, "2026-11-26T10:00"),
    ("2026-11-26T10:00", ("22:00", "07:00"), None, "2026-11-26T10:00"),
    ("2026-11-26T22:00", ("22:00", "07:00"), None, "2026-11-27T07:00"),
    ("2026-11-27T03:00", ("22:00", "07:00"), None, "2026-11-27T07:00"),
    ("2026-11-27T07:00", ("22:00", "07:00"), None, "2026-11-27T07:00"),
    ("2026-11-27T12:30", ("12:00", "14:00"), None, "2026-11-27T14:00"),
    ("2026-11-27T12:30", ("12:00", "12:00"), None, "2026-11-27T12:30"),
    ("2026-11-27T12:30", (None, None), "18:00", "2026-11-27T18:00"),
    ("2026-11-27T18:00", (None, None), "18:00", "2026-11-28T18:00"),
    ("2026-11-27T23:30", ("22:00", "07:00"), "18:00", "2026-11-28T18:00"),
])
def test_by_hand(now, quiet, digest_at, due):
    start, end = (time.fromisoformat(at) if at else None for at in quiet)
    at = time.fromisoformat(digest_at) if digest_at else None
    assert due_moment(local(now), quiet_from=start, quiet_to=end, digest_at=at, timezone=CHINA) == local(due)


times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(st.integers(0, 525_600).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)), times, times)
def test_never_in_quiet_hours_and_never_later_than_a_day(now, start, end):
    due = due_moment(now, quiet_from=start, quiet_to=end, digest_at=None, timezone=CHINA)
    assert 0 <= (due - now).total_seconds() <= 86_400
    at = due.astimezone(ZoneInfo(CHINA)).time()
    if start != end:
        assert not (start <= at < end if start < end else at >= start or at < end)


@pytest.mark.parametrize(("now", "quiet", "digest_at", "until"), [
    ("2026-11-26T21:59", ("22:00", "07:00"), None, "2026-11-26T21:59"),
    ("2026-11-26T22:05", ("22:00", "07:00"), None, "2026-11-27T07:00"),
    ("2026-11-26T23:00", ("22:00", "07:00"), "18:00", "2026-11-27T07:00"),
    ("2026-11-26T23:30", ("22:00", "07:00"), "23:30", "2026-11-26T23:30"),
    ("2026-11-26T23:30", (None, None), "18:00", "2026-11-26T23:30"),
])
def test_what_is_late_waits_for_the_end_of_quiet_hours(now, quiet, digest_at, until):
    start, end = (time.fromisoformat(at) if at else None for at in quiet)
    at = time.fromisoformat(digest_at) if digest_at else None
    assert end_of_quiet(local(now), quiet_from=start, quiet_to=end, digest_at=at, timezone=CHINA) == local(until)
