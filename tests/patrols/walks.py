"""Simulated walks along simulated reaches, with known truth: what the phone would have recorded."""

from dataclasses import dataclass

import numpy as np
import shapely

from patrol.foundation.geometry import Datum, from_wgs84, metres_per_mercator_unit, project, unproject
from patrol.patrols.track import Track, track_of

HOME = (29.60, 119.80)
START_MS = 1_767_229_200_000


def to_degrees(xy):
    """Return local metres east and north of HOME, shape (n, 2), as longitude and latitude."""
    x0, y0 = project(*HOME)
    unit = metres_per_mercator_unit(HOME[0])
    return np.array([unproject(x0 + x / unit, y0 + y / unit)[::-1] for x, y in xy])


def meander(length_m=5000.0, *, amplitude_m=80.0, wavelength_m=900.0):
    """Return the vertices (metres) of a sine-generated river of about this length; a large amplitude makes tight necks."""
    x = np.arange(0.0, length_m * 1.2, 5.0)
    y = amplitude_m * np.sin(2 * np.pi * x / wavelength_m)
    along = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    return np.column_stack([x, y])[along <= length_m]


def tight_meander(length_m=5000.0, *, neck_m=160.0, depth_m=300.0):
    """Return a river that doubles back: limbs `depth_m` long and `neck_m` apart, joined by half circles."""
    points, x, up = [], 0.0, True
    radius = neck_m / 2
    while len(points) < 2 or _length(np.array(points)) < length_m:
        side = np.arange(0, depth_m, 5.0)
        points += [(x, y if up else depth_m - y) for y in side]
        turn = np.linspace(np.pi, 0, 25)
        centre_y, sign = (depth_m, 1) if up else (0.0, -1)
        points += [(x + radius + radius * np.cos(a), centre_y + sign * radius * np.sin(a)) for a in turn]
        x, up = x + neck_m, not up
    line = np.array(points)
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    return line[along <= length_m]


def braided(apart_m=30.0, *, arm_m=800.0, stem_m=350.0, bend_m=30.0):
    """Return the lines of a river that parts round an island and meets again: stem above, two arms, stem below.

    The arms are `apart_m` apart but for the first and the last 60 m.
    """
    x = np.arange(0.0, 2 * stem_m + arm_m + 0.1, 10.0)
    middle = np.column_stack([x, bend_m * np.sin(2 * np.pi * x / 700)])
    above, island = x <= stem_m, (x >= stem_m) & (x <= stem_m + arm_m)
    from_fork_m = np.minimum(x - stem_m, stem_m + arm_m - x)[island]
    aside_m = np.column_stack([np.zeros(island.sum()), apart_m / 2 * np.minimum(1.0, from_fork_m / 60)])
    return [middle[above], middle[island] + aside_m, middle[island] - aside_m, middle[x >= stem_m + arm_m]]


def tributary(angle_degrees=14.0, *, stem_m=1500.0, side_m=600.0):
    """Return the lines of a straight river with a tributary that comes in half way down: above, below, tributary."""
    angle, half = np.radians(angle_degrees), stem_m / 2
    x, along = np.arange(0.0, half + 0.1, 10.0), np.arange(side_m, -0.1, -10.0)
    side = np.column_stack([half - along * np.cos(angle), along * np.sin(angle)])
    return [np.column_stack([x, 0 * x]), np.column_stack([half + x, 0 * x]), side]


def drawn(*lines):
    """Return lines of vertices (metres) as one reach of several lines in degrees."""
    return shapely.MultiLineString([to_degrees(line) for line in lines])


def _length(line):
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def reach_of(line):
    """Return the reach along these vertices (metres) as a line in degrees."""
    return shapely.LineString(to_degrees(line))


@dataclass
class Walker:
    """Somebody who walks along a river `beside_m` off its middle, with a phone whose fixes err by about `sigma_m`.

    The error wanders (it is correlated over about a minute); the accuracy that the phone claims is `claims` times the truth.
    """

    seed: int = 0
    sigma_m: float = 10.0
    claims: float = 1.0
    speed_mps: float = 1.3
    every_s: float = 5.0
    beside_m: float = 15.0

    def walk(self, line, start=0.0, end=1.0, *, from_s=0.0, back=False) -> Track:
        """Walk from one share of the line to another (backwards when `end` is smaller), and return if `back`."""
        rng = np.random.default_rng(self.seed)
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        a, b = start * along[-1], end * along[-1]
        ways = np.arange(0, abs(b - a) + 0.01, self.speed_mps * self.every_s)
        places = a + np.sign(b - a) * ways
        if back:
            places = np.concatenate([places, places[::-1]])
        xy = np.column_stack([np.interp(places, along, line[:, 0]), np.interp(places, along, line[:, 1])])
        ahead = np.column_stack([np.interp(places + 2, along, line[:, 0]), np.interp(places + 2, along, line[:, 1])]) - xy
        norm = np.maximum(np.hypot(*ahead.T), 1e-9)
        xy += self.beside_m * np.column_stack([-ahead[:, 1], ahead[:, 0]]) / norm[:, None]
        return self.recorded(xy + self._errors(len(xy), rng), rng, from_s=from_s)

    def _errors(self, count, rng):
        keep = np.exp(-self.every_s / 60.0)
        noise = rng.normal(size=(count, 2)) * self.sigma_m * np.sqrt(0.7 * (1 - keep**2))
        for at in range(1, count):
            noise[at] += keep * noise[at - 1]
        return noise + rng.normal(size=(count, 2)) * self.sigma_m * np.sqrt(0.3)

    def recorded(self, xy, rng, *, from_s=0.0) -> Track:
        """Return positions in metres as the phone records them, one every `every_s` seconds."""
        degrees = to_degrees(xy)
        at = START_MS + np.rint((from_s + np.arange(len(xy)) * self.every_s) * 1000).astype(np.int64)
        accuracy = np.maximum(3.0, self.sigma_m * self.claims * rng.uniform(0.7, 1.3, len(xy)))
        return track_of(at, degrees[:, 1], degrees[:, 0], accuracy_m=accuracy, altitude_m=40 + rng.normal(size=len(xy)),
                        speed_mps=np.abs(rng.normal(self.speed_mps, 0.2, len(xy))), mock=np.zeros(len(xy), np.int8))


def without(track: Track, start: float, end: float) -> Track:
    """Return the track without the fixes from one share of its time to another."""
    first, last = track.recorded_ms[0], track.recorded_ms[-1]
    share = (track.recorded_ms - first) / (last - first)
    return track.at((share < start) | (share > end))


def turned(line, degrees):
    """Return the vertices of a river turned anticlockwise about HOME."""
    angle = np.radians(degrees)
    return line @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def in_datum(track: Track, datum: Datum) -> Track:
    """Return the track as a device would send it that measures in `datum` and says WGS 84."""
    pairs = [from_wgs84(lat, lon, datum) for lat, lon in zip(track.latitude, track.longitude, strict=True)]
    columns = vars(track) | {"latitude": np.array([p[0] for p in pairs]), "longitude": np.array([p[1] for p in pairs])}
    return Track(**columns)
