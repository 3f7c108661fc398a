"""What numbers look like that should be a longitude and a latitude in degrees, and are not. Pure."""

from typing import Any

from patrol.foundation.texts import Text

_EXCHANGED = Text(
    "{shown} 像是经度和纬度写反了：请对调，使经度在前、纬度在后（或各归其列）",
    "{shown} looks like latitude and longitude the wrong way round: exchange them, so that longitude comes first (or each stands in its column)",
)
_PROJECTED = Text(
    "{shown} 像是投影坐标（米，例如 CGCS2000 高斯-克吕格，EPSG:4527），不是经纬度：请先转换为经纬度（EPSG:4490 或 EPSG:4326）",
    "{shown} looks like metres of a projection (such as CGCS2000 Gauss-Krüger, EPSG:4527) and no degrees: convert it to EPSG:4490 or EPSG:4326 first",
)
# Minutes and seconds written in one number (1194530) look alike, and are no degrees either.
_LEAST_METRES, _MOST_METRES = 1_000, 1e9


def looks_like(longitude: Any, latitude: Any, *, shown: str) -> Text | None:
    """Return what two numbers look like that are no longitude and latitude in degrees: exchanged, or metres of a projection; else None."""
    if any(type(number) not in {int, float} for number in (longitude, latitude)):
        return None
    if abs(longitude) <= 90 < abs(latitude) <= 180:
        return _EXCHANGED.format(shown=shown)
    return _PROJECTED.format(shown=shown) if _LEAST_METRES <= max(abs(longitude), abs(latitude)) < _MOST_METRES else None
