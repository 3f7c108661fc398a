"""How many citizens follow an issue ("me too"): a higher room, which keeps them, counts them."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

Count = Callable[[Sequence[UUID]], Mapping[UUID, int]]
_counts: list[Count] = []


def counts_followers(way: Count) -> Count:
    """Register the decorated function: of these issues it returns, by id, how many follow each or what was merged into it; one without any may be missing."""
    _counts.append(way)
    return way


def followers_of(issue_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return by id how many follow each of these issues, or what was merged into it; an issue without any may be missing."""
    found: dict[UUID, int] = {}
    for way in _counts if issue_ids else ():
        for issue_id, number in way(issue_ids).items():
            found[issue_id] = found.get(issue_id, 0) + number
    return found
