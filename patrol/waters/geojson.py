"""GeoJSON answers (RFC 7946), written without taking each coordinate through Python."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
import shapely

GEO_JSON = "application/geo+json"


def feature_collection(features: Iterable[tuple[str, dict[str, Any], bytes | None]], *, following: str | None) -> bytes:
    """Return a FeatureCollection of (id, properties, WKB geometry) with `next`, the cursor of the next page."""
    rows = list(features)
    shapes = geometries([wkb for _, _, wkb in rows])
    return orjson.dumps({
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": feature_id, "geometry": shape, "properties": properties}
            for (feature_id, properties, _), shape in zip(rows, shapes, strict=True)
        ],
        "next": following,
    })


def geometries(stored: list[bytes | None]) -> list[orjson.Fragment | None]:
    """Return GeoJSON fragments of stored WKB, rings wound as RFC 7946 wants; None where nothing is stored."""
    shapes = np.array(shapely.from_wkb([None if wkb is None else bytes(wkb) for wkb in stored]), dtype=object)
    texts = shapely.to_geojson(shapely.orient_polygons(shapes))
    return [None if text is None else orjson.Fragment(text) for text in texts.tolist()]
