"""The time of a patrol: within it positions may be kept, outside it they are nobody's business. Pure."""

from datetime import UTC, datetime, timedelta

# A phone starts its receiver a little before the button's request is made, and stops it a little after. Project default.
SLACK = timedelta(minutes=2)
# How far a device's clock may run ahead before a fix is counted as recorded in the future (integrity check 5).
AHEAD = timedelta(minutes=5)
BY_PERSON, BY_SYSTEM = "person", "system"
# Further than any moment a device can name.
_NEVER_MS = 2**62
_EPOCH, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def in_ms(moment: datetime) -> int:
    """Return milliseconds since 1970 UTC, rounded."""
    return round(moment.timestamp() * 1000)


def moment_of(ms: int) -> datetime:
    """Return the moment that `in_ms` gave, the last of the calendar for anything later."""
    return _LAST if ms >= in_ms(_LAST) else _EPOCH + timedelta(milliseconds=ms)


def window_ms(started_at: datetime, ended_at: datetime | None, ended_by: str | None) -> tuple[int, int]:
    """Return the first and the last millisecond, both included, in which fixes belong to a patrol.

    It has no end while it goes on. Nor has one that the system ended: whatever still arrives of it joins.
    """
    # Reckoned in milliseconds: at the ends of the calendar a moment has no two minutes more.
    slack_ms = round(SLACK.total_seconds() * 1000)
    first = in_ms(started_at) - slack_ms
    if ended_at is None or ended_by == BY_SYSTEM:
        return first, _NEVER_MS
    return first, in_ms(ended_at) + slack_ms
