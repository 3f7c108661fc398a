"""Due dates by the limits that a new installation starts with: what `deadlines.count` says of two stages."""

from patrol.issues.deadlines import DEFAULT_LIMITS, Stage, count


def due_at(severity, category, since, calendar, timezone, *, limits=DEFAULT_LIMITS):
    """By when an issue must be rectified, as a `Deadline`."""
    return count(Stage.RECTIFICATION, severity, category, since, calendar, timezone, limits)


def acceptance_due(severity, category, since, calendar, timezone):
    """By when the office must have accepted or rejected it, as a `Deadline`."""
    return count(Stage.ACCEPTANCE, severity, category, since, calendar, timezone, DEFAULT_LIMITS)
