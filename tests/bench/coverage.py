"""Coverage of simulated walks whose truth is known: how near it comes, how often a wrong datum is found, what it costs.

Nothing here depends on the machine but the last rows: the walks are seeded.
"""

import statistics
import time
from collections.abc import Iterator, Sequence

import numpy as np

from patrol.foundation.geometry import Datum, length_m
from patrol.patrols.coverage import cover
from patrol.patrols.intervals import cut, total
from patrol.patrols.mislabelling import mislabelled_datum
from tests.bench.table import Measure, Row, measured
from tests.patrols.walks import (
    Walker,
    braided,
    drawn,
    in_datum,
    meander,
    reach_of,
    tight_meander,
    tributary,
    turned,
    without,
)

SEEDS = range(12)
RIVERS = {
    "gentle": meander(), "tight, necks of 160 m": tight_meander(), "tight, necks of 80 m": tight_meander(neck_m=80),
    "tight, necks of 60 m": tight_meander(neck_m=60),
}  # fmt: skip
# How far from their river, in all directions, the honest walk a way of its shape: one that is off by a datum's shift
# exactly cannot be told from a wrong label.
NEAR_M = (0, 100, 200, 400, 700)
NOISES_M, CLAIMS = (5, 10, 15, 20, 30), (1.0, 0.6)


def rows(_: Sequence[str]) -> Iterator[Row]:
    """Measure the walks on each river, then the wrong and the right labels of datums, then the processor's time."""
    for name, line in RIVERS.items():
        yield from walks(name, line)
    for apart_m in (20, 30, 40):
        yield from arms(apart_m)
    yield from wide()
    for angle in (8, 14, 30):
        yield from beside_a_tributary(angle)
    yield from labels()
    yield from costs()


def mean(values: Sequence[float], unit: str) -> Measure:
    """Return the mean of `values` with the smallest and the largest; beside each other they say more than medians."""
    return Measure(statistics.fmean(values), min(values), max(values), unit)


def walks(name: str, line: np.ndarray) -> Iterator[Row]:
    """Walk all of a river, half of it, with a gap, and only be at both its ends; percents of its length."""
    reach = reach_of(line)
    for sigma_m in NOISES_M:
        for claims in CLAIMS:
            shares = [100 * cover(reach, Walker(seed=seed, sigma_m=sigma_m, claims=claims).walk(line)).share for seed in SEEDS]
            yield Row(f"{name}: all walked, noise {sigma_m} m, claimed {sigma_m * claims:g} m", mean(shares, "%"), least=97)
    for sigma_m in (10, 30):
        halves = [cover(reach, Walker(seed=seed, sigma_m=sigma_m).walk(line, 0, 0.5)).share for seed in SEEDS]
        yield Row(f"{name}: half walked, noise {sigma_m} m, off by", mean([abs(100 * share - 50) for share in halves], "%"), most=2)
    gaps = [cover(reach, without(Walker(seed=seed).walk(line), 0.3, 0.7)) for seed in SEEDS]
    yield Row(f"{name}: gap of 40 %, covered off by", mean([abs(100 * found.share - 60) for found in gaps], "%"), most=2)
    unseen = [abs(100 * found.unobserved_m / found.length_m - 40) for found in gaps]
    yield Row(f"{name}: gap of 40 %, unobserved off by", mean(unseen, "%"), most=2)
    ends = [Walker(seed=seed).walk(line) for seed in SEEDS]
    shares = [100 * cover(reach, walk.at(np.array([0, len(walk) - 1]))).share for walk in ends]
    yield Row(f"{name}: only at both ends", mean(shares, "%"), most=2)


def arms(apart_m: int) -> Iterator[Row]:
    """Walk on either side of either arm of a braided river; percents of all its lines."""
    lines = braided(apart_m)
    reach, name = drawn(*lines), f"arms {apart_m} m apart"
    ways = [np.concatenate([lines[0], lines[arm][1:], lines[3][1:]]) for arm in (1, 2)]
    cases = [(way, seed, beside_m) for way in ways for seed in SEEDS for beside_m in (-15.0, 15.0)]
    for sigma_m in NOISES_M:
        shares = [100 * cover(reach, Walker(seed=seed, sigma_m=sigma_m, beside_m=beside_m).walk(way)).share for way, seed, beside_m in cases]
        yield Row(f"{name}: all walked, noise {sigma_m} m", mean(shares, "%"), least=97)
    halves = [cover(reach, Walker(seed=seed, beside_m=beside_m).walk(way, 0, 0.5)).share for way, seed, beside_m in cases]
    yield Row(f"{name}: half walked, noise 10 m, off by", mean([abs(100 * share - 50) for share in halves], "%"), most=2)
    sparse = [cover(reach, walk.at(np.arange(0, len(walk), 12))).share for walk in (Walker(seed=seed).walk(ways[0]) for seed in SEEDS)]
    yield Row(f"{name}: all walked, a fix a minute", mean([100 * share for share in sparse], "%"), least=97)
    gaps = [cover(reach, without(Walker(seed=seed).walk(ways[0]), 0.3, 0.7)) for seed in SEEDS]
    told = [100 * (found.covered_m + found.unobserved_m) / found.length_m for found in gaps]
    yield Row(f"{name}: gap of 40 %, covered or unobserved", mean(told, "%"), least=97)


def wide() -> Iterator[Row]:
    """Walk beside one arm where the island is wider than one sees across; percents of the far arm."""
    for apart_m in (60, 100):
        lines = braided(apart_m)
        way, far_m = np.concatenate([lines[0], lines[1][1:], lines[3][1:]]), length_m(reach_of(lines[2]))
        found = [cover(drawn(*lines), Walker(seed=seed, sigma_m=5).walk(way)) for seed in SEEDS]
        shares = [100 * (far_m - each.not_visited_m - each.unobserved_m) / far_m for each in found]
        yield Row(f"arms {apart_m} m apart: of the far arm", mean(shares, "%"), most=20)


def beside_a_tributary(angle: int) -> Iterator[Row]:
    """Walk down a river between it and a tributary of 600 m, and down the tributary; percents of what was walked and of the other line."""
    above, below, side = tributary(angle)
    reach, stem = drawn(above, below, side), np.concatenate([above, below[1:]])
    above_m, stem_m, whole_m = (length_m(shape) for shape in (reach_of(above), reach_of(stem), reach))
    of_river, of_side, of_above = (0.0, stem_m), (stem_m, whole_m), (0.0, above_m)
    for name, way, beside_m, walked, other in (("river", stem, 15.0, of_river, of_side), ("tributary", side, -15.0, of_side, of_above)):
        found = [cover(reach, Walker(seed=seed, beside_m=beside_m).walk(way)).covered for seed in SEEDS]
        for whose, (begin_m, end_m) in (("walked", walked), ("other", other)):
            shares = [100 * sum(total(cut(part, [(begin_m, end_m)])) for part in each) / (end_m - begin_m) for each in found]
            yield Row(f"tributary at {angle}°, {name} walked: of the {whose} line", mean(shares, "%"), least=97 if whose == "walked" else None)


def labels() -> Iterator[Row]:
    """Send 120 walks in GCJ-02 and BD-09 as WGS 84, and 200 honest ones, four of five of them some way off their river."""
    found, cases = 0, 0
    for line in list(RIVERS.values())[:2]:
        for number in range(60):
            datum, turn = (Datum.GCJ02, Datum.BD09)[number % 2], number * 6
            walk = Walker(seed=number, sigma_m=NOISES_M[number % 5]).walk(turned(line, turn), 0.1, 0.6)
            repair = mislabelled_datum(in_datum(walk, datum), [reach_of(turned(line, turn))])
            found, cases = found + (repair is not None and repair.datum is datum), cases + 1
    yield Row(f"wrong datum recognised, of {cases}", measured([found], "walks"), least=0.95 * cases)
    false, cases = 0, 0
    for line in list(RIVERS.values())[:2]:
        for number in range(100):
            river = turned(line, number * 3.6)
            away = NEAR_M[number % 5] * np.array([np.cos(number), np.sin(number)])
            walk = Walker(seed=number, sigma_m=NOISES_M[number // 5 % 5]).walk(river + away, 0.1, 0.6)
            false, cases = false + (mislabelled_datum(walk, [reach_of(river)]) is not None), cases + 1
    yield Row(f"right datum taken for wrong, of {cases}", measured([false], "walks"), most=0)


def costs() -> Iterator[Row]:
    """Time one coverage of 5 km: a fix every 5 s, and one a second."""
    line = RIVERS["gentle"]
    reach = reach_of(line)
    for count, every_s, most_ms in ((720, 5.0, 150), (4000, 1.0, 1000)):
        walk = Walker(every_s=every_s, speed_mps=5000 / (count * every_s)).walk(line)
        times_ms = []
        for _ in range(7):
            started = time.process_time()
            cover(reach, walk)
            times_ms.append((time.process_time() - started) * 1000)
        yield Row(f"cover 5 km with {len(walk):,} fixes, processor's time", measured(times_ms, "ms"), most=most_ms)
