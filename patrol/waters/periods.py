"""Periods of days, both ends included; an open end is None. Pure."""

from datetime import date

Period = tuple[date, date | None]


def is_reversed(period: Period) -> bool:
    """Tell whether a period ends before it begins."""
    return period[1] is not None and period[1] < period[0]


def overlap(one: Period, other: Period) -> bool:
    """Tell whether two periods have a day in common."""
    return (one[1] is None or other[0] <= one[1]) and (other[1] is None or one[0] <= other[1])
