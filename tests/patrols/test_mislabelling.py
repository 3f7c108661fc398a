"""Tracks measured in GCJ-02 or BD-09 and sent as WGS 84 are recognised; honest ones never are."""

import numpy as np
import pytest
import shapely

from patrol.foundation.geometry import Datum
from patrol.patrols.coverage import cover
from patrol.patrols.mislabelling import mislabelled_datum
from patrol.patrols.track import Track
from tests.patrols.walks import Walker, in_datum, meander, reach_of, tight_meander, to_degrees, turned

RIVERS = {"gentle": meander(), "tight": tight_meander()}


@pytest.mark.parametrize("river", RIVERS)
@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_a_wrong_label_is_recognised(river, datum):
    line = RIVERS[river]
    walk = Walker(seed=1).walk(line)
    sent = in_datum(walk, datum)
    found = mislabelled_datum(sent, [reach_of(line)])
    assert found is not None
    assert found.datum is datum
    assert found.repaired_m < 40 < found.sent_m
    assert cover(reach_of(line), sent).share < 0.5 < cover(reach_of(line), walk).share


@pytest.mark.parametrize("river", RIVERS)
@pytest.mark.parametrize("sigma_m", [5, 30])
def test_an_honest_track_is_left_alone(river, sigma_m):
    for seed in range(5):
        assert mislabelled_datum(Walker(seed=seed, sigma_m=sigma_m).walk(RIVERS[river], 0.2, 0.7), [reach_of(RIVERS[river])]) is None


def test_too_little_or_elsewhere_says_nothing():
    line = RIVERS["gentle"]
    sent = in_datum(Walker(seed=1).walk(line), Datum.GCJ02)
    assert mislabelled_datum(sent.at(np.arange(20)), [reach_of(line)]) is None
    assert mislabelled_datum(sent, []) is None
    abroad = Track(**(vars(sent) | {"longitude": sent.longitude - 119.8 + 8.5, "latitude": sent.latitude + 18}))
    assert mislabelled_datum(abroad, [reach_of(line)]) is None


def test_somebody_who_was_elsewhere_is_not_repaired_onto_the_river():
    line = RIVERS["gentle"]
    away = Walker(seed=1).walk(line + np.array([0, 2500]))
    assert mislabelled_datum(away, [reach_of(line)]) is None


def test_a_way_beside_the_river_is_not_repaired_onto_it():
    for line in RIVERS.values():
        for number in range(0, 360, 15):
            away = (100, 200, 400, 700)[number // 15 % 4] * np.array([np.cos(number), np.sin(number)])
            river = turned(line, number)
            assert mislabelled_datum(Walker(seed=number, every_s=20).walk(river + away, 0.1, 0.6), [reach_of(river)]) is None


def test_a_boat_on_a_lake_is_at_the_lake():
    corners = np.array([[-2000.0, -1500], [2000, -1500], [2000, 1500], [-2000, 1500], [-2000, -1500]])
    lake = shapely.Polygon(to_degrees(corners))
    # The shift is about 450 m here: a course that far off the shore would look like a wrong label.
    shore = np.column_stack([np.linspace(-1500, 1500, 60), np.full(60, 1500.0)])
    sent = in_datum(Walker(seed=1, beside_m=0).walk(shore), Datum.GCJ02)
    assert mislabelled_datum(sent, [shapely.boundary(lake)]) is not None
    assert mislabelled_datum(sent, [lake]) is None
