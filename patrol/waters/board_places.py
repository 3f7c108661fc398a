"""How far a board stands from the reach that it names. Pure."""

import shapely

from patrol.foundation import geometry
from patrol.foundation.lengths import length
from patrol.foundation.texts import Text

_FAR = Text("公示牌距所属河段 {metres}，请核对位置或河段", "The board stands {metres} from its reach: check its position or the reach")


def metres_to(shape: bytes, latitude: float, longitude: float) -> float:
    """Return the metres from a position to a geometry (WKB), 0 inside an area."""
    x, y = geometry.project(latitude, longitude)
    projected = shapely.transform(geometry.from_wkb(shape), geometry.project_array)
    return float(shapely.distance(projected, shapely.Point(x, y))) * geometry.metres_per_mercator_unit(latitude)


def warning_of(distance_m: float, tolerance_m: float) -> Text | None:
    """Return what to say of a board farther from its reach than routing tolerates, so that reports at it go elsewhere; else None."""
    return _FAR.format(metres=length(round(distance_m))) if distance_m > tolerance_m else None
