"""Recognising tracks whose positions were measured in GCJ-02 or BD-09 and sent as WGS 84: they lie beside the river. Pure.

Chinese map software shifts positions by up to 700 m. An app that forgets to say so makes an honest chief look as if she
had never been there. The repair is proposed, never made silently: what was sent stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from patrol.foundation.geometry import (
    CHINA_LATITUDES,
    CHINA_LONGITUDES,
    Datum,
    Floats,
    Geometry,
    metres_per_mercator_unit,
    project_array,
    to_wgs84_array,
)
from patrol.patrols.track import Track

# From 120 simulated walks of each kind: all mislabelled ones were found, none of the right ones (docs/coverage.md).
LEAST_FIXES, FACTOR, MARGIN_M = 30, 2.0, 10.0
# Nearer than this a track lies on its river, whatever a shift might improve.
PLAUSIBLE_M = 60.0


@dataclass(frozen=True)
class Mislabelling:
    """A likelier datum of a track: the median distance to its reaches as it was sent, and as it would be repaired."""

    datum: Datum
    sent_m: float
    repaired_m: float

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"datum": self.datum.value, "median_sent_m": round(self.sent_m, 1), "median_repaired_m": round(self.repaired_m, 1)}


def mislabelled_datum(track: Track, geometries: Sequence[Geometry]) -> Mislabelling | None:
    """Return the datum that brings a track, sent as WGS 84, to its reaches; None when there is none or it stays unclear.

    Where a reach runs straight along the shift the two cannot be told apart: then nothing is said.
    """
    inside = (
        (track.latitude > CHINA_LATITUDES[0]) & (track.latitude < CHINA_LATITUDES[1])
        & (track.longitude > CHINA_LONGITUDES[0]) & (track.longitude < CHINA_LONGITUDES[1]) & ~(track.accuracy_m > 100)
    )  # fmt: skip
    latitude, longitude = track.latitude[inside], track.longitude[inside]
    if len(latitude) < LEAST_FIXES or not geometries:
        return None
    lines = shapely.transform(shapely.union_all([_line_of(geometry) for geometry in geometries]), project_array)
    shapely.prepare(lines)
    scale = metres_per_mercator_unit(float(np.median(latitude)))
    sent_m = _median_m(latitude, longitude, lines, scale)
    if sent_m <= PLAUSIBLE_M:
        return None
    repairs = []
    for datum in (Datum.GCJ02, Datum.BD09):
        repaired_m = _median_m(*to_wgs84_array(latitude, longitude, datum), lines, scale)
        repairs.append(Mislabelling(datum, sent_m, repaired_m))
    best = min(repairs, key=lambda repair: repair.repaired_m)
    return best if best.repaired_m <= PLAUSIBLE_M and sent_m > FACTOR * best.repaired_m + MARGIN_M else None


def _line_of(geometry: Geometry) -> Geometry:
    return shapely.boundary(geometry) if shapely.get_dimensions(geometry) == 2 else geometry


def _median_m(latitude: Floats, longitude: Floats, lines: Geometry, scale: float) -> float:
    points = shapely.points(project_array(np.column_stack([longitude, latitude])))
    return float(np.median(shapely.distance(points, lines)) * scale)
