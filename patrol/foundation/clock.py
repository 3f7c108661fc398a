"""The only place that asks what time it is."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app

_source: list[Callable[[], datetime]] = [lambda: datetime.now(UTC)]


def now() -> datetime:
    """Return the current moment, aware, in UTC."""
    return _source[-1]()


def today(timezone: str) -> date:
    """Return today's date where the district lies."""
    return local_date(now(), timezone)


def local_date(moment: datetime, timezone: str) -> date:
    """Return the calendar day of `moment` where the district lies, as `local` tells it: responsibility and deadlines count local days."""
    return local(moment, timezone).date()


def home_timezone() -> str:
    """Return where the district lies, by the settings of the running application: for who is told a local day only."""
    return str(current_app.extensions["settings"].timezone)


def beginning_of_day(day: date, timezone: str) -> datetime:
    """Return the first moment, in UTC, of the local `day`; of the calendar's first day its first moment."""
    try:
        return datetime.combine(day, time.min, ZoneInfo(timezone)).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def end_of_day(day: date, timezone: str) -> datetime:
    """Return the first moment, in UTC, at which the local `day` is over; of the calendar's last days its last moment."""
    try:
        return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(timezone)).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def last_moment_of_day(day: date, timezone: str) -> datetime:
    """Return the last moment of a local day: its end already belongs to the next."""
    return end_of_day(day, timezone) - timedelta.resolution


def local(moment: datetime, timezone: str | ZoneInfo) -> datetime:
    """Return `moment` with the clock time of where the district lies.

    A phone's clock may be anywhere: a moment in the calendar's first or last hours, whose local time the calendar lacks, stays as it is.
    """
    try:
        return moment.astimezone(ZoneInfo(timezone) if isinstance(timezone, str) else timezone)
    except OverflowError:
        return moment


def local_words(moment: datetime, timezone: str) -> str:
    """Return a moment as people read it, to the second: local time, or UTC that says so where there is no local time."""
    shown = local(moment, timezone)
    return f"{shown:%Y-%m-%d %H:%M:%S}{'' if isinstance(shown.tzinfo, ZoneInfo) else ' UTC'}"


class moved_clock:  # noqa: N801 - used as a statement: `with moved_clock(lambda: moment):`
    """Let `source` say what time it is, for tests with a moving clock and for playing the demo district's past."""

    def __init__(self, source: Callable[[], datetime]) -> None:
        self.source = source

    def __enter__(self) -> None:
        _source.append(self.source)

    def __exit__(self, *_exc: object) -> None:
        _source.pop()
