"""When a patrol ended: which of the ends that its person said counts, and why the system set another. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from patrol.foundation.texts import Text

NO_FIXES, NOT_POSSIBLE = "no_fixes", "not_possible"
END_REASONS = {
    NO_FIXES: Text(
        "长时间没有新的数据，由系统结束；本人补报结束时间后以本人为准",
        "Nothing new came for long, so the system ended it; the person's own end will take its place",
    ),
    NOT_POSSIBLE: Text(
        "所报结束时间晚于收到时间或距开始超过两天，改以最后一次定位为准；所报时间仍保留，本人可更正",
        "The end that was told lies after it was received, or more than two days after the start: the last fix counts in its "
        "place. What was told is kept, and the person can correct it",
    ),
}


class SaidEnd(Protocol):
    """An end as the person said it: `revision` is 0 for the first word and counts the corrections after it."""

    @property
    def revision(self) -> int: ...
    @property
    def ended_at(self) -> datetime: ...
    @property
    def summary(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


End = TypeVar("End", bound=SaidEnd)


def counting_end(ends: Iterable[End]) -> End:
    """Return the end that counts, whatever the order in which they arrived: the last correction.

    Two phones may make a correction of the same number: then the earlier end counts, which claims less.
    """
    return min(ends, key=lambda end: (-end.revision, end.ended_at, end.reason or "", end.summary or ""))


def recorded_until(ends: Iterable[SaidEnd]) -> datetime:
    """Return until when fixes belong to the patrol: the earliest end ever said.

    After it she had said that it was over, and nothing was kept; a later correction cannot bring that back.
    """
    return min(end.ended_at for end in ends)
