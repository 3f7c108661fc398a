"""How long a door stays shut after failures: longer each time, never locked for good (pure rule)."""

from datetime import datetime, timedelta

# The first failures are typing errors. The longest waits stop guessing (fewer than 300 tries a day from one address)
# while an honest owner whose account is under attack from elsewhere waits half a minute at most.
FREE_FAILURES = 5
LONGEST_WAIT_S = {"account_here": 300, "account": 30, "address": 300}
FREE_FOR = {"account_here": FREE_FAILURES, "account": 20, "address": 30}
FORGOTTEN_AFTER = timedelta(hours=1)


def opens_at(kind: str, failures: int, last_failed_at: datetime) -> datetime:
    """Return when the next try is allowed for a subject of `kind` after so many failures, the last one then."""
    over = failures - FREE_FOR[kind]
    if over < 0:
        return last_failed_at
    return last_failed_at + timedelta(seconds=min(2**over, LONGEST_WAIT_S[kind]) if over < 20 else LONGEST_WAIT_S[kind])
