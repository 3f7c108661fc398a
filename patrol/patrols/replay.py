"""Tracks that no walk made: copies of an earlier track, and lines too clean for any receiver. Pure.

Two honest walks of one path differ: receivers err by metres, and nobody repeats his own pace to the second. A cheat who
adds noise of the right kind passes: a server alone cannot prove presence.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats, project_array
from patrol.patrols.facts import PatrolFacts
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.motion import Course, course_of, first_of_each, local_metres, way_m, without_pauses
from patrol.patrols.seen import Seen, Severity
from patrol.patrols.track import Track

# How many fixes look for their like in an earlier track, how many moments are compared then, and how many shifts tried.
_ANCHORS, _MOMENTS, _SHIFTS = 12, 240, 3
_SHIFT_S = 2.0
# How far apart the moments are at which the steps of two tracks are compared, and how long these last at most.
_STEP_S, _LONGEST_S = 5.0, 86_400.0
# Between two such moments somebody goes on: first so many times farther apart will do, then shifts in between are tried.
_COARSE, _FINER_S = 5.0, tuple(0.5 * number for number in range(-5, 6))


def replayed(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """The track is an earlier one: the same coordinates to the digit, or the same places at the same relative times."""
    track = _placed(facts.track)
    course = course_of(track, policy)
    if len(course) < policy.clean_least_fixes or way_m(course) < policy.replay_least_m:
        return None
    keys, box, near = np.unique(_keys(track)), _box(track), float(np.median(track.latitude))
    mine = _Way.of(track, near)
    for earlier in facts.earlier:
        other = _placed(earlier.track)
        if len(other) < 2 or not _boxes_meet(box, _box(other)):
            continue
        evidence = {"patrol_id": str(earlier.id), "same_person": earlier.person_id == facts.person_id}
        identical = float(np.isin(keys, _keys(other)).mean())
        if identical >= policy.replay_identical_share and len(keys) >= policy.clean_least_fixes:
            return Seen(Severity.HIGH, evidence | {"how": "coordinates", "percent": round(100 * identical, 1), "distance_m": 0.0})
        aligned = _aligned(mine, _Way.of(other, near), policy)
        if aligned is not None:
            share, median_m = aligned
            return Seen(Severity.HIGH, evidence | {"how": "times", "percent": round(100 * share, 1), "distance_m": round(median_m, 1)})
    return None


@dataclass(frozen=True)
class _Way:
    """A track of `n` fixes as seconds since 1970 UTC and local metres, shapes (n,) and (n, 2)."""

    at_s: Floats
    xy: Floats

    @classmethod
    def of(cls, track: Track, near: float) -> "_Way":
        return cls(track.recorded_ms / 1000.0, local_metres(track.latitude, track.longitude, near))

    def at(self, moments: Floats) -> Floats:
        """Return the places (m, 2) at these moments (m,), between fixes on the straight line."""
        return np.column_stack([np.interp(moments, self.at_s, self.xy[:, 0]), np.interp(moments, self.at_s, self.xy[:, 1])])


def _placed(track: Track) -> Track:
    good = np.isfinite(track.latitude) & np.isfinite(track.longitude)
    return track if good.all() else track.at(good)


def _keys(track: Track) -> NDArray[np.int64]:
    """Coordinates to a millionth of a degree (0.1 m) as whole numbers."""
    return np.rint(track.latitude * 1e6).astype(np.int64) * 1_000_000_000 + np.rint(track.longitude * 1e6).astype(np.int64)


def _box(track: Track) -> tuple[float, float, float, float]:
    return float(track.longitude.min()), float(track.latitude.min()), float(track.longitude.max()), float(track.latitude.max())


def _boxes_meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _aligned(mine: _Way, theirs: _Way, policy: IntegrityPolicy) -> tuple[float, float] | None:
    """Return the share of moments at which both are at one place, and the median metres, where that is a copy.

    Also where all of it was moved aside by the same. A shift of a minute or two in absolute time is two people who walk together.
    """
    moments = mine.at_s[np.unique(np.linspace(0, len(mine.at_s) - 1, _MOMENTS).astype(np.int64))]
    places = mine.at(moments)
    for shift_s in _shifts(mine, theirs, policy):
        if (found := _alike(places, moments, theirs, shift_s, policy)) is not None:
            return found
    paced_s = _paced_alike(mine, theirs)
    if paced_s is None or _alike(places, moments, theirs, paced_s, policy, aside=True, within_m=_COARSE * policy.replay_m) is None:
        return None
    finer = (_alike(places, moments, theirs, paced_s + off_s, policy, aside=True) for off_s in _FINER_S)
    return next((found for found in finer if found is not None), None)


def _alike(
    places: Floats, moments: Floats, theirs: _Way, shift_s: float, policy: IntegrityPolicy, *, aside: bool = False, within_m: float | None = None
) -> tuple[float, float] | None:  # fmt: skip
    """Return share and median metres where the places (n, 2) at these moments are theirs, so many seconds later, within `within_m`.

    With `aside` what all are off by is taken away first.
    """
    there = moments + shift_s
    inside = (there >= theirs.at_s[0]) & (there <= theirs.at_s[-1])
    # What is compared must itself be a way of some length, most of the track, and not a stop at the same bench.
    if abs(shift_s) <= policy.replay_together_s or inside.mean() < policy.replay_identical_share or _extent_m(places[inside]) < policy.replay_least_m / 2:
        return None
    apart = places[inside] - theirs.at(there[inside])
    apart_m = np.hypot(*(apart - np.median(apart, axis=0) if aside else apart).T)
    share = float((apart_m <= (within_m or policy.replay_m)).mean())
    return (share, float(np.median(apart_m))) if share >= policy.replay_share else None


def _paced_alike(mine: _Way, theirs: _Way) -> float | None:
    """Return the shift in time (seconds) under which both went most alike, wherever they were; None where there are no steps to compare."""
    if max(float(np.ptp(way.at_s)) for way in (mine, theirs)) > _LONGEST_S:
        return None
    grids = [np.arange(way.at_s[0], way.at_s[-1], _STEP_S) for way in (mine, theirs)]
    steps = [np.diff(way.at(grid), axis=0) for way, grid in zip((mine, theirs), grids, strict=True)]
    if not all(map(len, steps)):
        return None
    # A plain correlation, by Fourier's way: of steps (n, 2) and (m, 2) at each lag of the one against the other.
    size = 1 << sum(map(len, steps)).bit_length()
    ours, others = (np.fft.rfft(each, size, axis=0) for each in steps)
    lag = int(np.argmax(np.fft.irfft((others * ours.conj()).sum(axis=1), size)))
    return float(grids[1][0] - grids[0][0] + (lag - size if lag >= len(steps[1]) else lag) * _STEP_S)


def _shifts(mine: _Way, theirs: _Way, policy: IntegrityPolicy) -> list[float]:
    """Return shifts in time (seconds) under which several fixes of mine meet the other track, the likeliest first."""
    anchors = np.unique(np.linspace(0, len(mine.at_s) - 1, _ANCHORS).astype(np.int64))
    start, way = theirs.xy[:-1], np.diff(theirs.xy, axis=0)
    length_2 = np.maximum((way**2).sum(axis=1), 1e-9)
    # Rows are anchors, columns segments of the other track.
    x, y = (mine.xy[anchors, axis][:, None] - start[:, axis] for axis in (0, 1))
    along = np.clip((x * way[:, 0] + y * way[:, 1]) / length_2, 0.0, 1.0)
    met = (x - along * way[:, 0]) ** 2 + (y - along * way[:, 1]) ** 2 <= policy.replay_m**2
    anchor, segment = np.nonzero(met)
    if not len(anchor):
        return []
    shifts = theirs.at_s[segment] + along[anchor, segment] * np.diff(theirs.at_s)[segment] - mine.at_s[anchors[anchor]]
    # One fix meets several neighbouring segments: each shift is the median of all that agree within a few seconds.
    bins, counts = np.unique(np.rint(shifts / _SHIFT_S), return_counts=True)
    likeliest = bins[np.argsort(-counts, kind="stable")][:_SHIFTS]
    return [float(np.median(shifts[np.abs(shifts - number * _SHIFT_S) <= 1.5 * _SHIFT_S])) for number in likeliest]


def _extent_m(places: Floats) -> float:
    return float(np.hypot(*np.ptp(places, axis=0))) if len(places) else 0.0


def too_clean(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Data without the noise that receivers and people have. One sign alone says nothing.

    Rounding apps report a constant accuracy or altitude: two constants are soft. A way without any roughness, together
    with a constant or with the line of the map, is one that was drawn.
    """
    track = without_pauses(facts.track, facts)
    if len(track) < policy.clean_least_fixes:
        return None
    constant = [name for name in ("accuracy_m", "altitude_m", "speed_mps") if _constant(getattr(track, name), policy)]
    course = course_of(track, policy)
    roughness_m = _roughness_m(course, policy)
    smooth = roughness_m is not None and roughness_m < policy.clean_roughness_m
    on_line = smooth and _on_the_line(track, facts, policy)
    if smooth and (on_line or len(constant) >= 2):
        severity = Severity.HIGH
    elif smooth and constant:
        severity = Severity.MEDIUM
    elif len(constant) >= 2:
        severity = Severity.SOFT
    else:
        return None
    shown_m = None if roughness_m is None else round(roughness_m, 2)
    return Seen(severity, {"constant": constant, "roughness_m": shown_m, "on_the_drawn_line": on_line, "fixes": len(track)})


def _constant(values: Floats, policy: IntegrityPolicy) -> bool:
    known = values[np.isfinite(values)]
    return len(known) >= policy.clean_least_fixes and bool(np.ptp(known) == 0)


def _roughness_m(course: Course, policy: IntegrityPolicy) -> float | None:
    """Return the median third difference of places some seconds apart, None unless somebody moved evenly sampled.

    Third differences leave nothing of a straight line or a gentle bend walked at one pace.
    """
    if not len(course):
        return None
    which = first_of_each(course.at_s, policy.clean_step_s)
    at_s, xy = course.at_s[which], np.column_stack([course.x, course.y])[which]
    if len(which) < policy.clean_least_fixes:
        return None
    steps_s, steps_m = np.diff(at_s), np.hypot(*np.diff(xy, axis=0).T)
    usual_s = float(np.median(steps_s))
    moving = (steps_m > policy.moving_mps * steps_s) & (np.abs(steps_s - usual_s) <= 0.02 * usual_s)
    whole = moving[:-2] & moving[1:-1] & moving[2:]
    if whole.sum() < policy.clean_least_fixes - 3:
        return None
    return float(np.median(np.hypot(*np.diff(xy, n=3, axis=0)[whole].T)))


def _on_the_line(track: Track, facts: PatrolFacts, policy: IntegrityPolicy) -> bool:
    """Tell whether the track runs along the very line that the map draws for the river."""
    lines = [shapely.boundary(shape) if shapely.get_dimensions(shape) == 2 else shape for shape in facts.reaches]
    if not lines:
        return False
    track = _placed(track)
    some = track.at(np.unique(np.linspace(0, len(track) - 1, 100).astype(np.int64)))
    whole = shapely.transform(shapely.union_all(lines), project_array)
    points = shapely.points(project_array(np.column_stack([some.longitude, some.latitude])))
    # Web Mercator's units are longer than metres away from the equator by the cosine of the latitude.
    off_m = shapely.distance(points, whole) * np.cos(np.radians(some.latitude))
    return bool(np.percentile(off_m, 90) <= policy.clean_on_line_m)
