"""Plans for water bodies, reaches and boards."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, undefer

from patrol.foundation.geometry import Geometry, bounds, length_m, to_wkb
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.waters.board_places import metres_to, warning_of
from patrol.waters.import_columns import Fault, ImportRow
from patrol.waters.import_plan import NO_REGION, Planned, found, named, regions_by_code
from patrol.waters.models import Reach, Signboard, WaterBody

_NO_WATER = Text("没有编码为 {code} 的水体", "There is no water body with the code {code}")
_NO_REACH = Text("没有编码为 {code} 的河段，或不在您的管辖范围内", "There is no reach {code}, or it is outside your area")
_NO_GEOMETRY = Text("新河段必须有图形：请用 GeoJSON 导入", "A new reach needs a geometry: import it from GeoJSON")
_FOREIGN = Text("编码 {code} 已用于您管辖范围之外的对象", "The code {code} is in use outside your area")


def plan_water_bodies(rows: list[ImportRow], by: Actor, faults: list[Fault]) -> list[Planned]:  # noqa: ARG001
    """Return what shall become of each row; water bodies cross regions and have no scope."""
    rows = [row for row in rows if not row.unreadable]
    codes = [row.values["code"] for row in rows]
    stored = {body.code: body for body in found(select(WaterBody).options(undefer(WaterBody.geometry)), WaterBody.code, codes)}
    return [
        Planned(row.number, row.values["code"], WaterBody, stored.get(row.values["code"]), row.values | (
            {} if row.geometry is None else {"geometry": to_wkb(row.geometry)}
        ))
        for row in rows
    ]


def plan_reaches(rows: list[ImportRow], by: Actor, faults: list[Fault]) -> list[Planned]:
    """Return what shall become of each row; adds to `faults` unknown codes, foreign regions and missing geometries."""
    with_shape = select(Reach).options(undefer(Reach.geometry), joinedload(Reach.region))
    stored = {reach.code: reach for reach in found(with_shape, Reach.code, named(rows, "code"))}
    bodies = {body.code: body.id for body in found(select(WaterBody), WaterBody.code, named(rows, "water_body_code"))}
    regions = regions_by_code(select(Region), named(rows, "region_code"), by)
    planned = []
    for row in rows:
        values = dict(row.values)
        code, body_code, region_code = values.get("code", ""), values.pop("water_body_code", None), values.pop("region_code", "")
        existing, region = stored.get(code), regions.get(region_code)
        wrong = []
        if body_code is not None and body_code not in bodies:
            wrong.append(Fault(row.number, "water_body_code", _NO_WATER.format(code=body_code)))
        if region_code and region is None:
            wrong.append(Fault(row.number, "region_code", NO_REGION.format(code=region_code)))
        if existing is not None and not by.covers(existing.region.path):
            wrong.append(Fault(row.number, "code", _FOREIGN.format(code=code)))
        if code and existing is None and row.geometry is None and "geometry" not in row.unreadable:
            wrong.append(Fault(row.number, "geometry", _NO_GEOMETRY))
        faults += wrong
        if wrong or row.unreadable or region is None:
            continue
        values |= {"water_body_id": bodies[body_code], "region_id": region.id}
        if existing is None:
            values = {"bank": "both", **values}
        shape, derived = _shape(row.geometry)
        planned.append(Planned(row.number, code, Reach, existing, values | shape, derived))
    return planned


def _shape(geometry: Geometry | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a reach's geometry column, and those that follow from it; nothing when the file has no geometry."""
    if geometry is None:
        return {}, {}
    west, south, east, north = bounds(geometry)
    box = {"west": west, "south": south, "east": east, "north": north}
    return {"geometry": to_wkb(geometry)}, {"length_m": round(length_m(geometry), 1), **box}


def plan_signboards(rows: list[ImportRow], by: Actor, faults: list[Fault]) -> list[Planned]:
    """Return what shall become of each row; adds to `faults` unknown and foreign reaches."""
    with_reach = select(Signboard).options(joinedload(Signboard.reach).joinedload(Reach.region))
    stored = {board.code: board for board in found(with_reach, Signboard.code, named(rows, "code"))}
    reaches = visible_by_code(named(rows, "reach_code"), by)
    planned = []
    for row in rows:
        values = dict(row.values)
        code, reach_code = values.get("code", ""), values.pop("reach_code", None)
        existing, wrong = stored.get(code), []
        if reach_code is not None and reach_code not in reaches:
            wrong.append(no_reach(row))
        if existing is not None and not by.covers(existing.reach.region.path):
            wrong.append(Fault(row.number, "code", _FOREIGN.format(code=code)))
        faults += wrong
        if not wrong and not row.unreadable:
            values["reach_id"] = reaches[reach_code].id
            planned.append(Planned(row.number, code, Signboard, existing, values))
    return planned


def far_boards(planned: list[Planned], tolerance_m: float) -> list[Fault]:
    """Return a warning for each planned board that shall stand farther from its reach than routing tolerates."""
    shapes = found(select(Reach).options(undefer(Reach.geometry)), Reach.id, {item.values["reach_id"] for item in planned})
    geometries, warnings = {reach.id: reach.geometry for reach in shapes}, []
    for item in planned:
        away_m = metres_to(geometries[item.values["reach_id"]], item.values["latitude"], item.values["longitude"])
        if warning := warning_of(away_m, tolerance_m):
            warnings.append(Fault(item.row, "distance_to_reach_m", warning))
    return warnings


def visible_by_code(codes: set[str], by: Actor) -> dict[str, Reach]:
    """Return the reaches with these codes in the actor's subtree, their regions loaded."""
    reaches = found(select(Reach).options(joinedload(Reach.region)), Reach.code, codes)
    return {reach.code: reach for reach in reaches if by.covers(reach.region.path)}


def no_reach(row: ImportRow) -> Fault:
    """Return the fault of a row whose `reach_code` names no reach of the actor's area."""
    return Fault(row.number, "reach_code", _NO_REACH.format(code=row.values["reach_code"]))
