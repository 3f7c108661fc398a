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
from patrol.patrols.datum_policy import DEFAULT_POLICY, DatumPolicy
from patrol.patrols.track import Track


@dataclass(frozen=True)
class Mislabelling:
    """A likelier datum of a track: the median distance to its reaches as it was sent and as it would be repaired, and by which policy."""

    datum: Datum
    sent_m: float
    repaired_m: float
    policy: DatumPolicy = DEFAULT_POLICY

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"datum": self.datum.value, "median_sent_m": round(self.sent_m, 1), "median_repaired_m": round(self.repaired_m, 1)}


def mislabelled_datum(track: Track, geometries: Sequence[Geometry], policy: DatumPolicy = DEFAULT_POLICY) -> Mislabelling | None:
    """Return the datum that brings a track, sent as WGS 84, to its reaches; None when there is none or it stays unclear.

    Where a reach runs straight along the shift the two cannot be told apart: then nothing is said. A fix on the water of
    a lake given as a polygon is at the lake, however far the shore is.
    """
    inside = (
        (track.latitude > CHINA_LATITUDES[0]) & (track.latitude < CHINA_LATITUDES[1])
        & (track.longitude > CHINA_LONGITUDES[0]) & (track.longitude < CHINA_LONGITUDES[1])
        & ~(track.accuracy_m > policy.worst_accuracy_m)
    )  # fmt: skip
    latitude, longitude = track.latitude[inside], track.longitude[inside]
    if len(latitude) < policy.least_fixes or not geometries:
        return None
    waters = shapely.transform(shapely.union_all(geometries), project_array)
    shapely.prepare(waters)
    scale = metres_per_mercator_unit(float(np.median(latitude)))
    sent_m = float(np.median(_distances_m(latitude, longitude, waters, scale)))
    if sent_m <= policy.plausible_m:
        return None
    repairs = []
    for datum in (Datum.GCJ02, Datum.BD09):
        off_m = _distances_m(*to_wgs84_array(latitude, longitude, datum), waters, scale)
        repaired_m, most_m = np.percentile(off_m, [50, 90]).tolist()
        if repaired_m <= policy.plausible_m and most_m <= policy.nine_of_ten_m and sent_m > policy.factor * repaired_m + policy.margin_m:
            repairs.append(Mislabelling(datum, sent_m, repaired_m, policy))
    return min(repairs, key=lambda repair: repair.repaired_m, default=None)


def _distances_m(latitude: Floats, longitude: Floats, waters: Geometry, scale: float) -> Floats:
    points = shapely.points(project_array(np.column_stack([longitude, latitude])))
    found: Floats = shapely.distance(points, waters) * scale
    return found
