"""What the clock of a device does: runs ahead, stands in another zone, is moved on patrol. Pure.

That something arrives late says nothing: phones wait for a signal for days. Only what is sent together can be compared:
the device's time of sending and the server's of receiving.
"""

from datetime import datetime, timedelta

from patrol.patrols.facts import Batch, PatrolFacts
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.seen import Seen, Severity
from patrol.patrols.window import AHEAD, LONGEST_PATROL, MOST_LEAD, is_ahead


def ahead(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Fixes or check-ins recorded after they were received."""
    early = [batch.last_recorded_at - batch.received_at for batch in facts.batches]
    early += [check_in.recorded_at - (check_in.received_at or facts.now) for check_in in facts.check_ins]
    early.append(facts.started_at - facts.received_at)
    most_s = max(max(early).total_seconds(), *(-delay_s for delay_s in facts.delays_s), 0.0)
    if most_s <= policy.clock_future_s:
        return None
    skew = max(_skews(facts), default=None)
    zone = None if skew is None else _zone_of(skew, policy)
    # Without a time of sending nobody can say whether it is the zone, and the unknown never accuses.
    severity = Severity.INFO if skew is None or zone is not None else Severity.MEDIUM
    return Seen(severity, {"ahead_s": round(most_s), "zone_h": zone})


def ended_impossibly(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:  # noqa: ARG001 - rules have one shape.
    """The end that was told cannot be; the patrol ends with its last fix instead, so that nothing is made of it."""
    if facts.impossible_end is None:
        return None
    told, received = facts.impossible_end
    return Seen(Severity.INFO, {
        "told": told.isoformat(), "counted": facts.end.isoformat(), "ahead_s": round((told - received).total_seconds()),
    }, thresholds={"end_ahead_s": AHEAD.total_seconds(), "longest_patrol_s": LONGEST_PATROL.total_seconds()})  # fmt: skip


def skewed(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """The device's clock is off. Behind may also be a message that was under way for long, unless several agree."""
    skews = _skews(facts)
    if not skews:
        return None
    # A message takes time: the clock is at least as far ahead as the largest difference says.
    skew = max(skews)
    if abs(skew) <= policy.clock_skew_noted_s:
        return None
    zone = _zone_of(skew, policy)
    sure = skew > 0 or (len(skews) > 1 and max(skews) - min(skews) <= policy.clock_agree_s)
    grave = sure and zone is None and abs(skew) > policy.clock_skew_high_s
    return Seen(Severity.HIGH if grave else Severity.INFO, {"skew_s": round(skew), "zone_h": zone, "messages": len(skews)})


def moved(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """The clock was set on patrol: two deliveries agree on the one side of a moment, two on the other, and not across.

    One delivery alone may have been under way; two that took just as long are no chance. A clock that is right
    afterwards was corrected by the network.
    """
    skews = [_skew(batch) for batch in sorted(facts.batches, key=lambda batch: batch.received_at) if batch.sent_at]
    steps = []
    for at in range(2, len(skews) - 1):
        before, after = skews[at - 2 : at], skews[at : at + 2]
        steady = all(abs(pair[0] - pair[1]) <= policy.clock_agree_s for pair in (before, after))
        step_s = sum(after) / 2 - sum(before) / 2
        if steady and abs(step_s) > policy.clock_moved_s:
            steps.append((abs(step_s), step_s, sum(after) / 2))
    if not steps:
        return None
    _, step_s, after_s = max(steps)
    corrected = abs(after_s) <= policy.clock_skew_noted_s
    zone = _zone_of(step_s, policy)
    severity = Severity.INFO if zone is not None else Severity.SOFT if corrected else Severity.HIGH
    return Seen(severity, {"step_s": round(step_s), "after_s": round(after_s), "corrected": corrected, "zone_h": zone})


def began_by_our_clock(facts: PatrolFacts, policy: IntegrityPolicy) -> datetime | None:
    """Return when a patrol began by the server's clock, where the device's ran ahead by minutes that are known; None otherwise.

    The deliveries tell it: each has the device's time of sending and the server's of receiving. They must agree, on the
    hours of a zone or, two of them at least, on the seconds. One that was under way for long, or a clock that was moved,
    leaves nobody able to tell. Who invents such times gains nothing by it: an earlier day is had by a mere earlier start.
    """
    lead_s = _lead_s(_skews(facts), policy)
    if lead_s is None:
        return None
    try:
        began = facts.started_at - timedelta(seconds=lead_s)
    except OverflowError:
        # A phone may name the calendar's first day.
        return None
    return None if is_ahead(began, facts.received_at) else began


def _lead_s(skews: list[float], policy: IntegrityPolicy) -> float | None:
    """Return by how many seconds a clock ran ahead of ours for sure, by the skews of all deliveries; None where they do not agree on one."""
    if not skews or max(skews) <= AHEAD.total_seconds():
        return None
    least, most = min(skews), max(skews)
    zone_h, agree = _zone_of(most, policy), len(skews) > 1 and most - least <= policy.clock_agree_s
    lead_s = timedelta(hours=zone_h).total_seconds() if zone_h else most if agree else None
    if lead_s is None or lead_s > MOST_LEAD.total_seconds() or lead_s - least > policy.clock_zone_slack_s:
        return None
    return lead_s


def _skews(facts: PatrolFacts) -> list[float]:
    return [_skew(batch) for batch in facts.batches if batch.sent_at is not None]


def _skew(batch: Batch) -> float:
    assert batch.sent_at is not None
    return (batch.sent_at - batch.received_at).total_seconds()


def _zone_of(skew_s: float, policy: IntegrityPolicy) -> float | None:
    """Return the hours of the zone that explains a skew, or None: zones are multiples of half an hour up to 14 hours."""
    half_hour = timedelta(minutes=30).total_seconds()
    halves = round(skew_s / half_hour)
    near = abs(skew_s - halves * half_hour) <= policy.clock_zone_slack_s
    return halves / 2 if halves and near and abs(skew_s) <= policy.clock_zone_most_s + policy.clock_zone_slack_s else None
