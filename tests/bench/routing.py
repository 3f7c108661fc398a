"""Routing one position: our reach index beside the bare tree of the same shapes, and beside PostgreSQL."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import shapely

from patrol.demo.landscape import scattered_reaches
from patrol.foundation.geometry import metres_per_mercator_unit, project, project_array
from patrol.waters.reach_index import IndexedReach, ReachIndex
from tests.bench.servers import SERVER_URL
from tests.bench.table import Measure, Row, alternating, measured

SIZES = (1_000, 10_000, 100_000)
TOLERANCE_M, ACCURACY_M = 60.0, 10.0
POSITIONS, ROUNDS = 400, 9
Place = tuple[float, float]
Ask = Callable[[float, float], Any]


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure every size, then the growth between the smallest and the largest."""
    medians: dict[int, Measure] = {}
    for size in SIZES:
        lines = shapely.linestrings(scattered_reaches(size).coordinates)
        reaches = [IndexedReach(UUID(int=number), line, TOLERANCE_M) for number, line in enumerate(lines)]
        build_ms = []
        for _ in range(3):
            started = time.perf_counter()
            index = ReachIndex(reaches)
            build_ms.append((time.perf_counter() - started) * 1000)
        places = places_near(lines, POSITIONS)
        asks: dict[str, Ask] = {
            "ours": lambda latitude, longitude, index=index: index.near(latitude, longitude, ACCURACY_M),
            "tree": bare_tree(lines, places),
        }
        found = _by_turns(ROUNDS, asks, places)
        ours = medians[size] = measured(found["ours"], "µs")
        largest = size == SIZES[-1]
        yield Row(
            f"route one position among {size:,} reaches", ours, measured(found["tree"], "µs"), "bare STRtree dwithin",
            most=100 if largest else None, most_ratio=3,
        )  # fmt: skip
        yield Row(f"build the index of {size:,} reaches", measured(build_ms, "ms"), most=2_000 if largest else None)
        if largest and "postgresql" in engines:
            yield from beside_postgresql(lines, places, index)
    yield Row("growth of routing, 100,000 beside 1,000 reaches", medians[SIZES[-1]], medians[SIZES[0]], "at 1,000", most_ratio=10)


def places_near(lines: Any, count: int, seed: int = 7) -> list[Place]:
    """Return WGS 84 places (latitude, longitude) up to about 80 m from a corner of a reach, as patrols are."""
    rng, corners = np.random.default_rng(seed), shapely.get_coordinates(lines)
    shifted = corners[rng.integers(0, len(corners), count)] + rng.uniform(-0.0006, 0.0006, (count, 2))
    return [(latitude, longitude) for longitude, latitude in shifted.tolist()]


def bare_tree(lines: Any, places: Sequence[Place]) -> Ask:
    """Return the question to a plain STRtree of the same shapes: which lie within the distance.

    Points and distances on the map are made beforehand, and no distance comes back: only the query is timed.
    """
    tree = shapely.STRtree(shapely.transform(lines, project_array))
    made = {
        place: (shapely.Point(project(*place)), (TOLERANCE_M + ACCURACY_M) / metres_per_mercator_unit(place[0]))
        for place in places
    }  # fmt: skip

    def ask(latitude: float, longitude: float) -> Any:
        point, distance = made[latitude, longitude]
        return tree.query(point, predicate="dwithin", distance=distance)

    return ask


def _by_turns(rounds: int, asks: dict[str, Ask], places: Sequence[Place]) -> dict[str, list[float]]:
    return alternating(rounds, {name: partial(_median_us, ask, places) for name, ask in asks.items()})


def _median_us(ask: Ask, places: Sequence[Place]) -> float:
    times = []
    for latitude, longitude in places:
        started = time.perf_counter()
        ask(latitude, longitude)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e6


def beside_postgresql(lines: Any, places: Sequence[Place], index: ReachIndex) -> Iterator[Row]:
    """Ask PostgreSQL the same: boxes by an index, exact distances of what it returns in Python."""
    with psycopg.connect(SERVER_URL, autocommit=True) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE bench_reaches (id int, geometry bytea, west float8, south float8, east float8, north float8)"
        )
        with connection.cursor().copy("COPY bench_reaches FROM STDIN") as copy:
            for number, (line, box) in enumerate(zip(lines, shapely.bounds(lines).tolist(), strict=True)):
                copy.write_row((number, shapely.to_wkb(line), *box))
        connection.execute("CREATE INDEX ON bench_reaches (west, east, south, north)")
        connection.execute("ANALYZE bench_reaches")

        def ask(latitude: float, longitude: float) -> int:
            scale, (x, y) = metres_per_mercator_unit(latitude), project(latitude, longitude)
            north, east = 70.0 / 110_000, 70.0 / (111_320 * np.cos(np.radians(latitude)))
            near = connection.execute(
                "SELECT id, geometry FROM bench_reaches WHERE west <= %s AND east >= %s AND south <= %s AND north >= %s",
                (longitude + east, longitude - east, latitude + north, latitude - north), prepare=True,
            ).fetchall()  # fmt: skip
            shapes = shapely.transform(shapely.from_wkb([row[1] for row in near]), project_array)
            return int((shapely.distance(shapes, shapely.Point(x, y)) * scale <= TOLERANCE_M + ACCURACY_M).sum())

        asks: dict[str, Ask] = {
            "ours": lambda latitude, longitude: index.near(latitude, longitude, ACCURACY_M), "postgresql": ask,
        }  # fmt: skip
        few = places[:100]
        for place in few[:6]:
            ask(*place)
        found = _by_turns(5, asks, few)
    yield Row(
        "the same, asked of PostgreSQL by box and exact distance", measured(found["ours"], "µs"),
        measured(found["postgresql"], "µs"), "PostgreSQL", note="100,000 reaches",
    )  # fmt: skip
