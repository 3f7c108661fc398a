"""The draw of checkpoints: the same everywhere, fair, and judged by distance."""

from collections import Counter
from uuid import UUID, uuid5

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.geometry import distance_m, length_m
from patrol.patrols.checkpoints import (
    DRAWN,
    MOST_RIVER_PLACES,
    Place,
    Result,
    checkpoints_document,
    commitment,
    draw,
    place_of_data,
    result_of,
    river_places,
)

REACH_ID = UUID(int=7)
LINE = shapely.LineString([(119.80, 29.60), (119.83, 29.60), (119.83, 29.62)])


def places(*keys):
    return [Place(key, "river", REACH_ID, 29.6, 119.8) for key in keys]


def drawn(seed, *keys, **more):
    return [place.key for place in draw(seed, places(*keys), **more)]


def test_vectors_of_the_document_are_what_anybody_computes():
    """The steps as the document tells them, written down once more."""
    import hashlib
    import hmac

    keys = ("B0001", "R001@1", "R001@2", "R001@3", "R001@4")
    seed, patrol_id = bytes(range(32)), UUID("0190b7a2-0000-7000-8000-000000000001")
    by_hand = sorted(keys, key=lambda key: hashlib.sha256(seed + key.encode("utf-8")).hexdigest())[:3]
    assert drawn(seed, *keys) == by_hand
    assert f"| `{seed.hex()}` | `{commitment(seed)}` | {', '.join(f'`{key}`' for key in by_hand)} |" in checkpoints_document()
    secret = hmac.new(seed, bytes.fromhex("0190b7a20000700080000000000000" + "01"), hashlib.sha256).digest()
    by_patrol = sorted(keys, key=lambda key: hashlib.sha256(secret + key.encode("utf-8")).hexdigest())[:3]
    assert drawn(seed, *keys, patrol_id=patrol_id) == by_patrol
    assert commitment(bytes(32)) == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"


@given(st.binary(min_size=32, max_size=32), st.none() | st.uuids(), st.sets(st.text(min_size=1, max_size=8), max_size=9), st.randoms())
def test_the_draw_does_not_depend_on_the_order_of_the_places(seed, patrol_id, keys, random):
    shuffled = sorted(keys)
    random.shuffle(shuffled)
    found = drawn(seed, *sorted(keys), patrol_id=patrol_id)
    assert found == drawn(seed, *shuffled, patrol_id=patrol_id)
    assert len(found) == len(set(found)) == min(DRAWN, len(keys))
    assert set(found) <= keys


def test_every_place_is_drawn_about_equally_often():
    keys = [f"R@{n}" for n in range(10)]
    seen = Counter(key for n in range(2000) for key in drawn(uuid5(REACH_ID, str(n)).bytes, *keys))
    assert all(500 < seen[key] < 700 for key in keys)


def test_river_places_lie_evenly_on_the_line():
    found = river_places(REACH_ID, "R001", LINE)
    assert [place.key for place in found] == [f"R001@{n}" for n in range(1, len(found) + 1)]
    assert len(found) == int(length_m(LINE) // 500)
    assert all(shapely.distance(LINE, shapely.Point(place.longitude, place.latitude)) < 1e-5 for place in found)
    along = [a for a, b in zip(found, found[1:], strict=False) if abs(distance_m(a.latitude, a.longitude, b.latitude, b.longitude) - 512) > 20]
    assert len(along) <= 1, "only around the corner is the straight way shorter"


@pytest.mark.parametrize(("shape", "count"), [
    (shapely.LineString([(119.80, 29.60), (119.8001, 29.60)]), 1), (shapely.LineString([(119.0, 29.6), (120.0, 29.6)]), MOST_RIVER_PLACES),
    (shapely.box(119.80, 29.60, 119.81, 29.61), 8),
    (shapely.MultiLineString([[(119.80, 29.60), (119.81, 29.60)], [(119.82, 29.61), (119.83, 29.61)]]), 3),
])
def test_short_long_round_and_braided_reaches(shape, count):
    found = river_places(REACH_ID, "R", shape)
    assert len(found) == len({(place.latitude, place.longitude) for place in found}) == count
    edge = shapely.boundary(shape) if shape.geom_type == "Polygon" else shape
    assert all(shapely.distance(edge, shapely.Point(place.longitude, place.latitude)) < 1e-5 for place in found)


def test_a_place_survives_being_stored():
    for place in river_places(REACH_ID, "R", LINE):
        assert place_of_data(place.as_data()) == place


@pytest.mark.parametrize(("reached", "distance", "accuracy", "result"), [
    (None, 0, None, Result.OPEN), (False, 5000, 5, Result.UNREACHABLE), (True, 100, None, Result.SHOWN), (True, 101, None, Result.ELSEWHERE),
    (True, 130, 30, Result.SHOWN), (True, 131, 30, Result.ELSEWHERE), (True, 9000, 10_000, Result.ELSEWHERE), (True, 200, 100, Result.SHOWN)])
def test_what_an_answer_shows(reached, distance, accuracy, result):
    assert result_of(reached, distance_m=distance, accuracy_m=accuracy, has_photo=True) is result
    without = result_of(reached, distance_m=distance, accuracy_m=accuracy, has_photo=False)
    assert without is (Result.OPEN if reached is None else Result.NO_PHOTO)
