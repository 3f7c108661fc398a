"""The ways that people take beside the waters: metres along a path, and the places that lie there."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from patrol.demo.positions import Position, Waterside
from patrol.demo.registers import METRES_PER_DEGREE_EAST, METRES_PER_DEGREE_NORTH
from patrol.foundation.geometry import Floats

_STEP_M = 12.0


@dataclass(frozen=True)
class Leg:
    """A part of a way: along a village reach from one share (0 to 1) of its line to another.

    A share beyond 1 goes on around a shore; the larger share first is the way upstream.
    """

    reach_code: str
    from_share: float
    to_share: float

    def turned(self) -> "Leg":
        """Return the same leg the other way round."""
        return Leg(self.reach_code, self.to_share, self.from_share)


class Way:
    """A path of local metres (east, north of the zero meridian and the equator, flat, good within the district)."""

    def __init__(self, waterside: Waterside, legs: Sequence[Leg], *, beside_m: float, straight: bool = False) -> None:
        """Lay the path `beside_m` left of the legs' lines; `straight` leads from its first place to its last."""
        parts = [_beside(waterside.along(leg.reach_code, _shares(waterside, leg)), beside_m) for leg in legs]
        if straight:
            parts = [np.vstack([parts[0][:1], parts[-1][-1:]])]
        self._xy = np.vstack(parts)
        self._along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self._xy, axis=0).T))])
        ends = np.cumsum([len(part) for part in parts]) - 1
        self._legs, self._leg_ends_m = tuple(legs), self._along_m[ends]

    @property
    def length_m(self) -> float:
        """The length of the path, metres."""
        return float(self._along_m[-1])

    def at(self, along_m: Floats) -> Floats:
        """Return the local metres, shape (n, 2), at so many metres from the start, shape (n,)."""
        return np.column_stack([np.interp(along_m, self._along_m, self._xy[:, axis]) for axis in (0, 1)])

    def reach_at(self, along_m: float) -> str:
        """Return the code of the reach beside which one is after so many metres."""
        if len(self._leg_ends_m) < len(self._legs):
            return self._legs[0].reach_code
        return self._legs[min(int(np.searchsorted(self._leg_ends_m, along_m)), len(self._legs) - 1)].reach_code

    def place(self, along_m: float, rng: random.Random, noise_m: float) -> Position:
        """Return latitude and longitude after so many metres, as a receiver that errs by about `noise_m` tells them."""
        east, north = self.at(np.array([along_m]))[0]
        place = degrees_of(np.array([[east + rng.gauss(0.0, noise_m / 2), north + rng.gauss(0.0, noise_m / 2)]]))
        return round(float(place[0, 0]), 6), round(float(place[0, 1]), 6)


def degrees_of(metres: Floats) -> Floats:
    """Return latitudes and longitudes, shape (n, 2), of local metres east and north, shape (n, 2)."""
    return np.column_stack([metres[:, 1] / METRES_PER_DEGREE_NORTH, metres[:, 0] / METRES_PER_DEGREE_EAST])


def _shares(waterside: Waterside, leg: Leg) -> Floats:
    length_m = abs(leg.to_share - leg.from_share) * waterside.length_m(leg.reach_code)
    return np.linspace(leg.from_share, leg.to_share, max(2, int(length_m / _STEP_M) + 1))


def _beside(line: Floats, beside_m: float) -> Floats:
    ahead = np.gradient(line, axis=0)
    left = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    moved: Floats = line + beside_m * left
    return moved
