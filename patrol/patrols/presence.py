"""What shows that somebody was at the river, and what is missing: fences, gaps, coverage, sampling, a wrong datum. Pure."""

import numpy as np
import shapely

from patrol.foundation.geometry import Floats, metres_per_mercator_unit, project, project_array
from patrol.patrols.checkpoints import MISSED, RADIUS_M, WORST_ACCURACY_M, Result
from patrol.patrols.datum_policy import MISLABELLED_BY
from patrol.patrols.facts import CheckInFact, PatrolFacts
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.intervals import joined
from patrol.patrols.motion import Course, course_of, local_metres, usable_fixes, without_pauses
from patrol.patrols.seen import Seen, Severity
from patrol.patrols.track import Track
from patrol.patrols.window import in_ms

INSIDE, UNCERTAIN, OUTSIDE = "inside", "uncertain", "outside"


def outside_fence(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Check-ins away from the reach: outside when even the accuracy does not explain it, uncertain when it may."""
    places = [fence_of(facts, check_in, policy) for check_in in facts.check_ins]
    outside = [(distance_m, accuracy_m) for place, distance_m, accuracy_m in places if place == OUTSIDE]
    uncertain = [(distance_m, accuracy_m) for place, distance_m, accuracy_m in places if place == UNCERTAIN]
    if not outside and not uncertain:
        return None
    distance_m, accuracy_m = max(outside or uncertain)
    evidence = {"outside": len(outside), "uncertain": len(uncertain), "distance_m": round(distance_m), "accuracy_m": round(accuracy_m)}
    return Seen(Severity.MEDIUM if outside else Severity.INFO, evidence)


def fence_of(facts: PatrolFacts, check_in: CheckInFact, policy: IntegrityPolicy) -> tuple[str | None, float, float]:
    """Return inside, uncertain or outside, the metres to the reach and the accuracy, by the best position at hand.

    That is the check-in's own or, where a fix within a minute has a better accuracy, this fix. None: it has no reach.
    """
    if check_in.distance_m is None:
        return None, 0.0, 0.0
    distance_m = check_in.distance_m
    accuracy_m = policy.assumed_accuracy_m if check_in.accuracy_m is None else check_in.accuracy_m
    at_ms, around_ms = in_ms(check_in.recorded_at), round(policy.geofence_best_fix_s * 1000)
    near = facts.track.between(at_ms - around_ms, at_ms + around_ms)
    if facts.reaches and np.isfinite(near.accuracy_m).any():
        best = int(np.nanargmin(near.accuracy_m))
        if near.accuracy_m[best] < accuracy_m:
            accuracy_m = float(near.accuracy_m[best])
            distance_m = _to_reaches_m(facts, float(near.latitude[best]), float(near.longitude[best]))
    if distance_m <= policy.geofence_m:
        return INSIDE, distance_m, accuracy_m
    return OUTSIDE if distance_m - accuracy_m > policy.geofence_m else UNCERTAIN, distance_m, accuracy_m


def _to_reaches_m(facts: PatrolFacts, latitude: float, longitude: float) -> float:
    point = shapely.Point(project(latitude, longitude))
    shapes = [shapely.transform(reach, project_array) for reach in facts.reaches]
    return float(min(shapely.distance(shape, point) for shape in shapes) * metres_per_mercator_unit(latitude))


def off_the_track(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Check-ins where the track was not. A recorder that was silent then has nothing to say."""
    track = facts.track.at(np.isfinite(facts.track.latitude) & np.isfinite(facts.track.longitude))
    off = []
    for check_in in facts.check_ins:
        at_ms, around_ms = in_ms(check_in.recorded_at), round(policy.off_track_s * 1000)
        near = track.between(at_ms - around_ms, at_ms + around_ms)
        if not len(near):
            continue
        unsure_m = np.where(np.isfinite(near.accuracy_m), near.accuracy_m, policy.assumed_accuracy_m)
        unsure_m += policy.assumed_accuracy_m if check_in.accuracy_m is None else check_in.accuracy_m
        xy = local_metres(np.append(near.latitude, check_in.latitude), np.append(near.longitude, check_in.longitude))
        away_m = np.hypot(*(xy[:-1] - xy[-1]).T)
        if (away_m - unsure_m > policy.off_track_m).all():
            off.append((float(away_m.min()), str(check_in.id)))
    if not off:
        return None
    away_m, check_in_id = max(off)
    return Seen(Severity.MEDIUM, {"check_ins": len(off), "distance_m": round(away_m), "check_in_id": check_in_id})


def silences(facts: PatrolFacts, track: Track) -> tuple[Floats, Floats]:
    """Return the seconds without a fix from start to end, pauses and marked losses of signal taken off, and the metres across each.

    The first is from the start to the first fix and the last from the last fix to the end; these have 0 m.
    """
    start_ms, end_ms = in_ms(facts.started_at), in_ms(facts.end)
    at_ms = np.concatenate([[start_ms], np.clip(track.recorded_ms, start_ms, end_ms), [end_ms]])
    seconds = np.diff(at_ms) / 1000.0
    for first, last in joined([*facts.pauses_ms, *facts.no_signal_ms]):
        seconds -= np.clip(np.minimum(at_ms[1:], last) - np.maximum(at_ms[:-1], first), 0, None) / 1000.0
    metres = np.zeros(len(seconds))
    if len(track) > 1:
        xy = local_metres(track.latitude, track.longitude)
        metres[1:-1] = np.hypot(*np.diff(xy, axis=0).T)
    return seconds, metres


def gaps(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Times or ways without a fix: not credited, and nobody's fault where there is no signal."""
    if not len(facts.track):
        return None
    seconds, metres = silences(facts, usable_fixes(facts.track, policy))
    gap = (seconds > policy.gap_s) | ((metres > policy.gap_m) & (seconds > policy.speed_window_s))
    if not gap.any():
        return None
    longest = int(np.argmax(np.where(gap, seconds, -1)))
    evidence = {"gaps": int(gap.sum()), "longest_s": round(float(seconds[longest])), "minutes": round(float(seconds[longest]) / 60)}
    return Seen(Severity.INFO, evidence | {"metres": round(float(metres[gap].sum()))})


def short(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Less of the reaches was covered than planned, even by the most favourable reading: incomplete, not dishonest."""
    if not facts.coverages:
        return None
    length_m, covered_m, high_m = (sum(getattr(c, name) for c in facts.coverages) for name in ("length_m", "covered_m", "high_m"))
    if not length_m or high_m >= policy.planned_share * length_m:
        return None
    planned_m = policy.planned_share * length_m
    missing_m = planned_m - high_m
    evidence = {"length_m": round(length_m), "covered_m": round(covered_m), "high_m": round(high_m), "missing_m": round(missing_m)}
    planned = {"planned_m": round(planned_m), "planned_percent": round(100 * policy.planned_share)}
    return Seen(Severity.INFO, evidence | planned | {"percent": round(100 * high_m / length_m)})


def perfunctory(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Much was covered on foot in far less time than strolling along it takes."""
    if facts.mode != "walk" or not facts.coverages:
        return None
    length_m, covered_m = (sum(getattr(c, name) for c in facts.coverages) for name in ("length_m", "covered_m"))
    needed_s = covered_m / policy.strolling_mps
    if covered_m < policy.least_coverage_share * length_m or facts.active_s >= policy.perfunctory_share * needed_s:
        return None
    return Seen(Severity.SOFT, {
        "duration_s": round(facts.active_s), "minutes": round(facts.active_s / 60), "covered_m": round(covered_m), "strolling_minutes": round(needed_s / 60),
        "strolling_s": round(needed_s),
    })  # fmt: skip


def checkpoints_missed(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:  # noqa: ARG001 - rules have one shape.
    """Random checkpoints not shown; one answered from elsewhere says more than one that was not answered."""
    missed = [point for point in facts.checkpoints if point.result in MISSED]
    if not missed:
        return None
    elsewhere = sum(point.result is Result.ELSEWHERE for point in missed)
    which = [{"number": point.number, "place": point.place, "result": point.result.value} for point in missed]
    evidence = {"drawn": len(facts.checkpoints), "missed": len(missed), "elsewhere": elsewhere, "which": which}
    limits = {"checkpoint_radius_m": RADIUS_M, "checkpoint_worst_accuracy_m": WORST_ACCURACY_M}
    return Seen(Severity.MEDIUM if elsewhere else Severity.SOFT, evidence, thresholds=limits)


def fixes_per_minute(course: Course, policy: IntegrityPolicy) -> float | None:
    """Return how often a fix came while somebody moved and the recorder was not silent; None when nobody moved."""
    if len(course) < 2:
        return None
    seconds, metres = np.diff(course.at_s), np.hypot(np.diff(course.x), np.diff(course.y))
    moving = (seconds > 0) & (seconds <= policy.most_gap_s) & (metres > policy.moving_mps * seconds)
    return float(60.0 * moving.sum() / seconds[moving].sum()) if moving.any() else None


def sparse(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Few fixes a minute: the phone saves its battery, and less can be shown."""
    rate = fixes_per_minute(course_of(without_pauses(facts.track, facts), policy), policy)
    if rate is None or rate >= policy.least_fixes_per_minute:
        return None
    return Seen(Severity.INFO, {"per_minute": round(rate, 1)})


def trackless(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """No usable track: nothing is said against the person, and nothing is shown by it."""
    usable = len(usable_fixes(facts.track, policy))
    return Seen(Severity.INFO, {"fixes": len(facts.track), "usable": usable}) if usable < 2 else None


def mislabelled(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:  # noqa: ARG001 - rules have one shape.
    """Another datum brings the track to the river: a fault of the app whose repair is proposed."""
    if facts.mislabelling is None:
        return None
    evidence = {**facts.mislabelling.as_data(), "device_id": facts.device_id, "app_version": facts.app_version}
    return Seen(Severity.INFO, evidence, thresholds=facts.mislabelling.policy.of(MISLABELLED_BY))
