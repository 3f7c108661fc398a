"""Until when a complainant may say that a closed issue is not fixed. The days are a setting (15 where nothing else is said)."""

from datetime import date, datetime, timedelta

from patrol.foundation.clock import local_date
from patrol.issues.lifecycle import State
from patrol.issues.models import Issue


def last_day(issue: Issue, days: int, at: datetime, timezone: str, *, merged_at: datetime | None = None) -> date | None:
    """Return the last local day on which a closed issue may be called not fixed; None when it is past, or not closed.

    For who complained of what was merged into it at `merged_at` the days begin then, if that was after the closing. The
    whole of the last day counts: whoever closed late in the evening takes no day away.
    """
    if issue.state != State.CLOSED or issue.closed_at is None:
        return None
    last = local_date(max(issue.closed_at, merged_at or issue.closed_at), timezone) + timedelta(days=days)
    return last if local_date(at, timezone) <= last else None
