"""Rows of the registers as the plain members of an answer."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from patrol.people.models import Region
from patrol.waters.board_places import metres_to, warning_of
from patrol.waters.models import Appointment, Reach, Signboard, WaterBody
from patrol.waters.queries import ChiefOn


def shown_region(region: Region) -> dict[str, Any]:
    """Return a region's members; its parent's code stands in its path."""
    codes = region.path.strip("/").split("/")
    return {
        "id": region.id, **brief_region(region), "parent_code": codes[-2] if len(codes) > 1 else None,
        "version": region.version,
    }


def brief_region(region: Region) -> dict[str, Any]:
    """Return a region in short."""
    return {"code": region.code, "name": region.name, "level": region.level}


def shown_water_body(body: WaterBody) -> dict[str, Any]:
    """Return a water body's members."""
    return {
        "id": body.id, "code": body.code, "name": body.name, "kind": body.kind, "target_class": body.target_class,
        "version": body.version,
    }


def shown_reach(reach: Reach, chiefs: Mapping[UUID, Sequence[ChiefOn]]) -> dict[str, Any]:
    """Return a reach's members with its chiefs of the day; region and water body must be loaded."""
    return {
        "id": reach.id, "code": reach.code, "name": reach.name, "level": reach.level, "bank": reach.bank,
        "tolerance_m": reach.tolerance_m, "length_m": reach.length_m, "version": reach.version,
        "bbox": [reach.west, reach.south, reach.east, reach.north], "region": brief_region(reach.region),
        "water_body": {
            "id": reach.water_body.id, "code": reach.water_body.code, "name": reach.water_body.name,
            "kind": reach.water_body.kind,
        },
        "chiefs": [shown_chief(chief) for chief in chiefs.get(reach.id, ())],
    }  # fmt: skip


def shown_chief(chief: ChiefOn) -> dict[str, Any]:
    """Return the members of a chief of a reach, with the post that makes one."""
    return {"id": chief.person_id, "name": chief.name, "title": chief.person_title, "post": chief.title}


def shown_neighbour(reach: Reach) -> dict[str, Any]:
    """Return the members of a reach on the other side of a shared boundary; its region must be loaded."""
    return {**_brief_reach(reach), "level": reach.level, "bank": reach.bank, "region": brief_region(reach.region)}


def _brief_reach(reach: Reach) -> dict[str, Any]:
    return {"id": reach.id, "code": reach.code, "name": reach.name}


def shown_appointment(row: Appointment) -> dict[str, Any]:
    """Return an appointment's members; reach and person must be loaded."""
    return {
        "id": row.id, "reach": _brief_reach(row.reach), "title": row.title, "valid_from": row.valid_from,
        "person": {"id": row.person.id, "name": row.person.name, "title": row.person.title}, "valid_to": row.valid_to,
        "version": row.version,
    }


def shown_board(board: Signboard, *, tolerance_m: float, language: str) -> dict[str, Any]:
    """Return a board's members, with a warning when it stands far from its reach, which must be loaded with its geometry."""
    away_m = metres_to(board.reach.geometry, board.latitude, board.longitude)
    warning = warning_of(away_m, tolerance_m)
    return {
        "distance_to_reach_m": round(away_m, 1), "warning": warning and warning.in_language(language),
        "id": board.id, "code": board.code, "reach": _brief_reach(board.reach), "latitude": board.latitude,
        "longitude": board.longitude, "version": board.version,
    }
