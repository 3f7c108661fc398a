"""The waters on the open map, for everybody: lines drawn coarsely, with names and nothing of persons."""

from typing import Any

import marshmallow as ma
import shapely
from flask import Response, current_app
from sqlalchemy import select
from sqlalchemy.orm import undefer

from patrol.foundation.database import db
from patrol.foundation.geometry import from_wkb, to_geojson
from patrol.foundation.throttle import public_read
from patrol.waters.api import room
from patrol.waters.models import Reach, WaterBody
from patrol.waters.terms import LEVELS

# About ten metres: finer than a pixel of a district's map, and a twentieth of the register's bytes.
COARSE_DEGREES = 0.0001
# The overlay of all levels would draw each river three times; one level suffices where it is complete.
_LOWEST_FIRST = LEVELS[::-1]


class WaterFeatureOut(ma.Schema):
    type = ma.fields.String(required=True, metadata={"example": "Feature"})
    geometry = ma.fields.Dict(required=True)
    properties = ma.fields.Dict(required=True, metadata={"example": {"code": "QX-R-017", "name": "清溪柳岸段", "water_body": "清溪"}})


class OpenWatersOut(ma.Schema):
    type = ma.fields.String(required=True, metadata={"example": "FeatureCollection"})
    features = ma.fields.List(ma.fields.Nested(WaterFeatureOut), required=True)


@room.route("/public/waters.geojson", may=None, refuses=(429,))
@public_read
@room.response(200, OpenWatersOut, content_type="application/geo+json")
def open_waters() -> Response:
    """Give the reaches of all waters, coarsely, for the open map."""
    response: Response = current_app.json.response({"type": "FeatureCollection", "features": open_features()})  # type: ignore[assignment]
    response.mimetype = "application/geo+json"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def open_features() -> list[dict[str, Any]]:
    """Return a GeoJSON feature for each reach; of reaches of several levels on one water body only the lowest level."""
    rows = db.session.execute(
        select(Reach, WaterBody).join(WaterBody, WaterBody.id == Reach.water_body_id).where(Reach.retired_at.is_(None))
        .options(undefer(Reach.geometry)).order_by(Reach.code)
    ).all()
    lowest: dict[Any, int] = {}
    for reach, body in rows:
        lowest[body.id] = min(lowest.get(body.id, len(LEVELS)), _rank(reach.level))
    return [
        {"type": "Feature", "geometry": to_geojson(shapely.simplify(from_wkb(reach.geometry), COARSE_DEGREES)),
         "properties": {"code": reach.code, "name": reach.name, "water_body": body.name}}
        for reach, body in rows if _rank(reach.level) == lowest[body.id]
    ]


def _rank(level: str) -> int:
    return _LOWEST_FIRST.index(level) if level in LEVELS else len(LEVELS)
