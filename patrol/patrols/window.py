"""The time of a patrol: within it positions may be kept, outside it they are nobody's business. Pure."""

from datetime import UTC, datetime, timedelta

# A phone starts its receiver a little before the button's request is made, and stops it a little after. Project default.
SLACK = timedelta(minutes=2)
# How far a device's clock may run ahead before a fix is counted as recorded in the future (integrity check 5).
AHEAD = timedelta(minutes=5)
# The clock of a phone that is set to another zone runs ahead by 14 hours at most, and a little.
MOST_LEAD = timedelta(hours=14, minutes=3)
# A patrol that goes on for longer was forgotten, or its clock was moved. Project default.
LONGEST_PATROL = timedelta(days=2)
# So many times without signal one patrol may tell of: one of five minutes each ten of two days, and more. Project default.
MOST_MARKS = 500
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


def window_ms(started_at: datetime, recorded_until: datetime | None) -> tuple[int, int]:
    """Return the first and the last millisecond, both included, in which fixes belong to a patrol.

    It has no end until its person has said one: whatever arrives of a patrol that the system ended joins it.
    """
    # Reckoned in milliseconds: at the ends of the calendar a moment has no two minutes more.
    slack_ms = round(SLACK.total_seconds() * 1000)
    first = in_ms(started_at) - slack_ms
    return first, _NEVER_MS if recorded_until is None else in_ms(recorded_until) + slack_ms


def is_ahead(recorded_at: datetime, received_at: datetime) -> bool:
    """Tell whether something was recorded later than a clock that is right could have, by when the server received it."""
    return recorded_at - received_at > AHEAD


def latest_end(*, started_at: datetime, begun_at: datetime, told_at: datetime) -> datetime:
    """Return the latest moment at which a patrol can have ended, by the server's clock and the length of patrols.

    `begun_at` and `told_at` are when its beginning and its end were received. Nobody tells of an end before it came, but
    a phone whose clock was ahead from the beginning may seem to: of it only the length is judged.
    """
    latest_ms = in_ms(started_at) + round(LONGEST_PATROL.total_seconds() * 1000)
    if started_at <= begun_at + AHEAD:
        latest_ms = min(latest_ms, in_ms(told_at + AHEAD))
    return max(started_at, moment_of(latest_ms))
