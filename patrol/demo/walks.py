"""How the patrols of the demo really went: the ways, the paces, and the few that are not what they claim to be.

What kind a patrol is stands here and nowhere in the database: the product's findings have to tell.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from patrol.demo.positions import Waterside
from patrol.demo.ways import Leg, Way

CHAIN_M = 60.0
"""As far as two waters adjoin: who checks in between them still stands at one."""
SHORTEST_WAY_M, LONGEST_WAY_M = 900.0, 5600.0
PIECE_M = 110.0


class Kind(StrEnum):
    """What is the matter with a patrol."""

    HONEST = "honest"
    LAZY = "lazy"
    """A few steps at either end of the reach, with the app asleep on the ride between them."""
    DRIVEN = "driven"
    """By car where walking is declared."""
    MOCKED = "mocked"
    """An app makes the positions up: a straight line at one pace."""
    REPLAYED = "replayed"
    """The recording of an earlier day is sent again."""
    LOST_SIGNAL = "lost_signal"
    """An honest walk through a gorge without satellites."""
    MISLABELLED = "mislabelled"
    """An honest walk; a fault of the app calls GCJ-02 positions WGS 84."""
    SHARED_PHONE = "shared_phone"
    """On the phone of somebody else, who patrols the same day."""
    OLD_PHOTO = "old_photo"
    """With the photo of an earlier check-in."""


SHARES = {
    Kind.HONEST: 0.795, Kind.LAZY: 0.06, Kind.DRIVEN: 0.025, Kind.MOCKED: 0.02, Kind.REPLAYED: 0.02, Kind.LOST_SIGNAL: 0.04,
    Kind.MISLABELLED: 0.015, Kind.SHARED_PHONE: 0.015, Kind.OLD_PHOTO: 0.01,
}  # fmt: skip
INVENTED = {Kind.MOCKED, Kind.REPLAYED, Kind.MISLABELLED}
"""Their check-ins lie, or seem to lie, where nobody was: no issue came of them."""
SHOWN_CASES = {"chief": Kind.MISLABELLED, "patroller": Kind.REPLAYED, "chief.town": Kind.DRIVEN}
"""The accounts that visitors use are honest but for one patrol."""
FOOT, BOAT, CAR = "walk", "boat", "vehicle"
PACES_MPS = {FOOT: (0.9, 1.45), BOAT: (1.8, 3.0), CAR: (3.5, 6.5)}
DRIVEN_MPS = (6.0, 8.5)
BESIDE_M = {FOOT: (5.0, 16.0), BOAT: (0.0, 3.0), CAR: (8.0, 20.0)}


@dataclass(frozen=True)
class Walk:
    """How a patrol went: along which legs, and when it was where.

    `course` pairs seconds since the start with metres along the way; `silences` pairs the seconds between which the phone
    recorded nothing. `seed` decides the errors of the receiver: two walks with one seed err alike.
    """

    kind: Kind
    legs: tuple[Leg, ...]
    beside_m: float
    course: tuple[tuple[float, float], ...]
    silences: tuple[tuple[float, float], ...]
    every_s: float
    datum: str
    seed: int

    @property
    def duration_s(self) -> float:
        """How long it took, seconds."""
        return self.course[-1][0]

    def way(self, waterside: Waterside) -> Way:
        """Return the path on which it went."""
        return Way(waterside, self.legs, beside_m=self.beside_m, straight=self.kind == Kind.MOCKED)

    def along_m(self, after_s: float) -> float:
        """Return how many metres of the way were done after so many seconds."""
        seconds, metres = zip(*self.course, strict=True)
        return float(np.interp(after_s, seconds, metres))


def legs_among(reaches: Sequence[str], waterside: Waterside, kind: Kind, rng: random.Random) -> tuple[Leg, ...]:
    """Return a way along some of the reaches: from one, on to those that adjoin, or around a pond until it is a walk."""
    legs = [_first_leg(rng.choice(reaches), waterside, kind, rng)]
    for code in rng.sample(reaches, len(reaches)):
        if _length_m(legs, waterside) > LONGEST_WAY_M / 2 or (len(legs) > 1 and rng.random() < 0.5):
            break
        if all(code != leg.reach_code for leg in legs) and (leg := _next_leg(legs[-1], code, waterside)):
            legs.append(leg)
    while _length_m(legs, waterside) < SHORTEST_WAY_M:
        last = legs[-1]
        legs.append(last if waterside.is_ring(last.reach_code) else last.turned())
    return tuple(legs)


def walked(
    legs: Sequence[Leg], waterside: Waterside, *, kind: Kind, mode: str, every_s: float, datum: str, rng: random.Random,
) -> tuple[Walk, list[float]]:  # fmt: skip
    """Return how a patrol of this kind went, and after how many seconds it checks in."""
    beside_m = rng.uniform(*BESIDE_M[mode]) * rng.choice((-1, 1))
    length_m = Way(waterside, legs, beside_m=beside_m, straight=kind == Kind.MOCKED).length_m
    seed = rng.getrandbits(32)
    if kind == Kind.LAZY:
        course, silences, check_ins = _lazy(length_m, rng)
    elif kind == Kind.MOCKED:
        seconds = length_m / rng.uniform(*PACES_MPS[FOOT])
        course, silences, check_ins = [(0.0, 0.0), (seconds, length_m)], [], [seconds * 0.2, seconds * 0.7]
    else:
        pace = DRIVEN_MPS if kind == Kind.DRIVEN else PACES_MPS[mode]
        course, silences, check_ins = _gone(length_m, pace, kind, rng)
    return Walk(kind, tuple(legs), beside_m, tuple(course), tuple(silences), every_s, datum, seed), check_ins


def _first_leg(code: str, waterside: Waterside, kind: Kind, rng: random.Random) -> Leg:
    if waterside.is_ring(code):
        start = rng.random()
        return Leg(code, start, start + 1.0)
    most = min(1.0, LONGEST_WAY_M / waterside.length_m(code))
    # Most go all along; some turn off where their own village ends.
    share = most * (rng.uniform(0.45, 0.8) if kind == Kind.HONEST and rng.random() < 0.15 else rng.uniform(0.93, 0.99))
    start = rng.uniform(0.0, 1.0 - share)
    leg = Leg(code, start, start + share)
    return leg if rng.random() < 0.5 else leg.turned()


def _next_leg(last: Leg, code: str, waterside: Waterside) -> Leg | None:
    """Return the leg along another reach from where the last leg ended, None when that lies too far off."""
    here = waterside.along(last.reach_code, np.array([last.to_share]))[0]
    share, distance_m = waterside.share_nearest(code, here)
    if distance_m > CHAIN_M:
        return None
    if waterside.is_ring(code):
        return Leg(code, share, share + 1.0)
    return Leg(code, share, 0.98) if share < 0.5 else Leg(code, share, 0.02)


def _length_m(legs: Sequence[Leg], waterside: Waterside) -> float:
    return sum(abs(leg.to_share - leg.from_share) * waterside.length_m(leg.reach_code) for leg in legs)


_Gone = tuple[list[tuple[float, float]], list[tuple[float, float]], list[float]]


def _gone(length_m: float, pace_mps: tuple[float, float], kind: Kind, rng: random.Random) -> _Gone:
    """Go the whole way at an uneven pace, with a stop for every check-in and now and then a rest."""
    usual_mps = rng.uniform(*pace_mps)
    # Where satellites are lost the way between the two check-ins is silent.
    shares = [0.12, 0.88] if kind == Kind.LOST_SIGNAL else _spread(max(1, min(5, int(length_m / 1300) + rng.randint(0, 1))), rng)
    stops = [(share * length_m, rng.uniform(50, 170), True) for share in shares]
    if rng.random() < 0.35:
        stops.append((rng.uniform(0.1, 0.9) * length_m, rng.uniform(120, 280), False))
    course, check_ins = [(0.0, 0.0)], []
    for at_m, rest_s, is_check_in in [*sorted(stops), (length_m, 0.0, False)]:
        _go_to(at_m, usual_mps, pace_mps, course, rng)
        if is_check_in:
            check_ins.append(course[-1][0] + rest_s * rng.uniform(0.3, 0.7))
        if rest_s:
            course.append((course[-1][0] + rest_s, at_m))
    silences = []
    if kind == Kind.LOST_SIGNAL:
        first, last = check_ins[0] + 180.0, check_ins[-1] - 180.0
        silent_s = min(rng.uniform(680, 1100), max(0.0, last - first))
        begins = rng.uniform(first, max(first, last - silent_s))
        silences = [(begins, begins + silent_s)]
    return course, silences, check_ins


def _go_to(
    at_m: float, usual_mps: float, pace_mps: tuple[float, float], course: list[tuple[float, float]], rng: random.Random
) -> None:
    """Continue the course to `at_m`, piece by piece; nobody is slower or faster by more than an eighth than his mode allows."""
    while course[-1][1] < at_m:
        seconds, metres = course[-1]
        step_m = min(PIECE_M * rng.uniform(0.7, 1.3), at_m - metres)
        pace = min(max(usual_mps * rng.uniform(0.85, 1.15), pace_mps[0] * 0.89), pace_mps[1] * 1.1)
        course.append((seconds + step_m / pace, metres + step_m))


def _lazy(length_m: float, rng: random.Random) -> _Gone:
    steps_m = min(rng.uniform(60, 160), length_m / 4)
    seconds = steps_m / rng.uniform(*PACES_MPS[FOOT]) + rng.uniform(60, 150)
    ride_s = max(60.0, (length_m - 2 * steps_m) / rng.uniform(7, 11))
    course = [(0.0, 0.0), (seconds, steps_m), (seconds + ride_s, length_m - steps_m), (2 * seconds + ride_s, length_m)]
    return course, [(seconds, seconds + ride_s)], [seconds * 0.8, seconds * 1.3 + ride_s]


def _spread(count: int, rng: random.Random) -> list[float]:
    return [(number + rng.uniform(0.2, 0.8)) / count for number in range(count)]
