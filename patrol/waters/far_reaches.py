"""Reaches that an import draws far from the region they are given to: mostly a wrong region, datum or file, and so never in silence."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import shapely
from sqlalchemy import select
from sqlalchemy.orm import undefer

from patrol.foundation.geometry import from_wkb, metres_per_mercator_unit, project_array
from patrol.foundation.texts import Text
from patrol.people.models import Region
from patrol.people.paths import upwards
from patrol.waters.import_columns import Fault
from patrol.waters.import_plan import Planned, found

# Outlines are drawn coarsely, and a river along the border lies on either side of them.
_TOLERATED_M = 2_000.0
_FAR = Text(
    "“{name}”的图形距{region}的范围约 {km} 公里：请核对行政区代码、坐标系和文件",
    "{name} is drawn some {km} km away from {region}: check its region, the datum and the file",
)


def far_reaches(planned: Sequence[Planned]) -> list[Fault]:
    """Return a warning for each new or changed reach drawn far from its region, or where that has no outline, the nearest above with one."""
    drawn = [item for item in planned if "geometry" in item.values and (item.existing is None or item.changes())]
    regions = {region.id: region for region in found(select(Region), Region.id, {item.values["region_id"] for item in drawn})}
    paths = {path for region in regions.values() for path in upwards(region.path)}
    outlines = {region.path: region for region in found(select(Region).options(undefer(Region.outline)), Region.path, paths) if region.outline}
    around = {region_id: next((outlines[path] for path in upwards(region.path) if path in outlines), None) for region_id, region in regions.items()}
    return [fault for item in drawn if (fault := _fault(item, around))]


def _fault(item: Planned, around: Mapping[UUID, Region | None]) -> Fault | None:
    region = around[item.values["region_id"]]
    if region is None or region.outline is None:
        return None
    away_m = _metres_between(item.values["geometry"], region.outline)
    if away_m <= _TOLERATED_M:
        return None
    return Fault(item.row, "geometry", _FAR.format(name=item.values["name"], region=region.name, km=round(away_m / 1_000)))


def _metres_between(one: bytes, other: bytes) -> float:
    mine, theirs = (shapely.transform(from_wkb(shape), project_array) for shape in (one, other))
    latitude = float(shapely.get_coordinates(from_wkb(other))[0, 1])
    return float(shapely.distance(mine, theirs)) * metres_per_mercator_unit(latitude)
