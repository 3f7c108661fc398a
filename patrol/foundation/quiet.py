"""When a message may go out: quiet hours and the daily digest, in the district's local time. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def due_moment(
    now: datetime, *, quiet_from: time | None, quiet_to: time | None, digest_at: time | None, timezone: str
) -> datetime:  # fmt: skip
    """Return the first moment from `now` on at which a message may go out.

    With `digest_at` that is the next time the clock shows it; otherwise `now`, or the end of the quiet hours in which
    `now` lies. Quiet hours may pass midnight ("22:00" to "07:00"); equal ends mean none.
    """
    local = now.astimezone(ZoneInfo(timezone))
    if digest_at is not None:
        return _next(local, digest_at).astimezone(now.tzinfo)
    return end_of_quiet(now, quiet_from=quiet_from, quiet_to=quiet_to, digest_at=None, timezone=timezone)


def end_of_quiet(
    now: datetime, *, quiet_from: time | None, quiet_to: time | None, digest_at: time | None, timezone: str
) -> datetime:  # fmt: skip
    """Return `now`, or the end of the quiet hours in which it lies: what is asked again when a late message goes out.

    Quiet hours around the time of the digest say nothing: whoever chose that time wants it then.
    """
    local = now.astimezone(ZoneInfo(timezone))
    if quiet_from is None or quiet_to is None or quiet_from == quiet_to or not _is_quiet(local.time(), quiet_from, quiet_to):
        return now
    if digest_at is not None and _is_quiet(digest_at, quiet_from, quiet_to):
        return now
    return _next(local, quiet_to).astimezone(now.tzinfo)


def _is_quiet(at: time, start: time, end: time) -> bool:
    return start <= at < end if start < end else at >= start or at < end


def _next(local: datetime, at: time) -> datetime:
    today = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)
