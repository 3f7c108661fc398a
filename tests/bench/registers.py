"""A district for the servers under test: regions, people with tokens, and reaches of two levels along random rivers."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import insert

from patrol.demo.landscape import scattered_reaches
from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.people.models import Person, Region, SignIn, Token
from patrol.people.permissions import Role
from patrol.people.tokens import digest_of, new_token
from patrol.waters.models import Appointment, Reach, WaterBody
from patrol.waters.register import register_changed

TOWNSHIPS, VILLAGES_EACH, CLIENTS = 10, 20, 8
CODE = "990100"
# A township's reach runs along so many of its villages'.
VILLAGE_REACHES_TOGETHER = 4


@dataclass(frozen=True)
class District:
    """What a run needs to know of the registers: ids in the order of their rows, and tokens by user name."""

    village_ids: list[UUID]
    chief_ids: list[UUID]
    reach_ids: list[UUID]
    reach_village: list[int]
    lines: Any
    tokens: dict[str, str]
    people: dict[str, UUID]

    def places(self, count: int, seed: int = 5) -> list[tuple[float, float]]:
        """Return WGS 84 places (latitude, longitude) a few metres from a village's reach."""
        rng, corners = np.random.default_rng(seed), shapely.get_coordinates(self.lines)
        shifted = corners[rng.integers(0, len(corners), count)] + rng.uniform(-0.0002, 0.0002, (count, 2))
        return [(round(latitude, 6), round(longitude, 6)) for longitude, latitude in shifted.tolist()]


def load_district(reaches: int) -> District:
    """Write a county with ten townships, 200 villages and `reaches` reaches of village level; each has a chief."""
    regions, people, reach_rows, appointments = _regions(), {}, [], []
    villages = [row for row in regions if row["level"] == "village"]
    lines = shapely.linestrings(scattered_reaches(reaches).coordinates)
    for row in regions:
        people |= _people_of(row)
    water_bodies = [_water_body(number) for number in range(-(-reaches // 12))]
    reach_village = [number // 12 % len(villages) for number in range(reaches)]
    for number, line in enumerate(lines):
        village = villages[reach_village[number]]
        row = _reach(f"V{number:06d}", line, "village", village, water_bodies[number // 12])
        reach_rows.append(row)
        appointments.append(_appointment(row, people[f"chief{village['code']}"]))
    by_id = {row["id"]: row for row in regions}
    for number in range(0, reaches - VILLAGE_REACHES_TOGETHER + 1, VILLAGE_REACHES_TOGETHER):
        along = shapely.linestrings(np.concatenate([shapely.get_coordinates(line) for line in lines[number : number + 4]]))
        township = by_id[villages[reach_village[number]]["parent_id"]]
        row = _reach(f"T{number:06d}", along, "township", township, water_bodies[number // 12])
        reach_rows.append(row)
        appointments.append(_appointment(row, people[f"chief{township['code']}"]))
    with transaction():
        tables = ((Region, regions), (Person, list(people.values())), (WaterBody, water_bodies), (Reach, reach_rows),
                  (Appointment, appointments))  # fmt: skip
        for model, rows in tables:
            db.session.execute(insert(model), rows)
        tokens = {name: _sign_in(person) for name, person in people.items() if _is_user(name, villages[0]["code"])}
        register_changed(reaches=True, regions=True)
    return District(
        [row["id"] for row in villages], [people[f"chief{row['code']}"]["id"] for row in villages],
        [row["id"] for row in reach_rows[:reaches]], reach_village, lines, tokens,
        {name: row["id"] for name, row in people.items()},
    )  # fmt: skip


def load_patrollers(district: District, count: int) -> list[str]:
    """Write a patroller for each of the first `count` reaches, in its village, and return their tokens."""
    rows = [
        {"id": new_id(), "username": f"walker{number}", "name": "李爱华", "role_names": [Role.PATROLLER.value],
         "region_id": district.village_ids[district.reach_village[number]], "title": None, "phone": None, "created_at": clock.now(), "version": 1}
        for number in range(count)
    ]  # fmt: skip
    with transaction():
        db.session.execute(insert(Person), rows)
        return [_sign_in(row) for row in rows]


def _is_user(name: str, first_village: str) -> bool:
    return not name.startswith("chief") or name in {f"chief{first_village}", f"chief{first_village[:-3]}"}


def _regions() -> list[dict[str, Any]]:
    west_to_north = shapely.to_wkb(shapely.box(117.5, 26.7, 122.5, 31.7))
    county = {"id": new_id(), "code": CODE, "name": "清溪区", "level": "county", "parent_id": None, "path": f"/{CODE}/",
              "outline": west_to_north, "version": 1}  # fmt: skip
    rows = [county]
    for number in range(1, TOWNSHIPS + 1):
        township = _below(county, number, "township")
        rows += [township, *(_below(township, village, "village") for village in range(1, VILLAGES_EACH + 1))]
    return rows


def _below(parent: dict[str, Any], number: int, level: str) -> dict[str, Any]:
    code = f"{parent['code']}{number:03d}"
    return {"id": new_id(), "code": code, "name": f"{code}区划", "level": level, "parent_id": parent["id"],
            "path": f"{parent['path']}{code}/", "outline": None, "version": 1}  # fmt: skip


def _people_of(region: dict[str, Any]) -> dict[str, dict[str, Any]]:
    wanted = {f"chief{region['code']}": Role.CHIEF}
    if region["level"] == "township":
        wanted[f"office{region['code']}"] = Role.OFFICE
    if region["level"] == "county":
        wanted |= {"office": Role.OFFICE, "supervisor": Role.SUPERVISOR}
        wanted |= {f"patroller{number}": Role.PATROLLER for number in range(CLIENTS)}
    return {
        name: {"id": new_id(), "username": name, "name": "王建国", "role_names": [role.value], "region_id": region["id"],
               "title": None, "phone": None, "created_at": clock.now(), "version": 1}
        for name, role in wanted.items()
    }  # fmt: skip


def _water_body(number: int) -> dict[str, Any]:
    return {"id": new_id(), "code": f"W{number:05d}", "name": f"{number}号溪", "kind": "river", "target_class": "III", "version": 1}


def _reach(code: str, line: Any, level: str, region: dict[str, Any], water_body: dict[str, Any]) -> dict[str, Any]:
    west, south, east, north = shapely.bounds(line).tolist()
    return {
        "id": new_id(), "code": code, "name": f"{water_body['name']}{code}段", "water_body_id": water_body["id"],
        "region_id": region["id"], "level": level, "bank": "both", "tolerance_m": None, "length_m": 1500.0,
        "geometry": shapely.to_wkb(line), "west": west, "south": south, "east": east, "north": north, "version": 1,
    }  # fmt: skip


def _appointment(reach: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
    return {"id": new_id(), "reach_id": reach["id"], "person_id": person["id"], "title": "chief", "valid_from": date(2020, 1, 1),
            "valid_to": None, "version": 1}  # fmt: skip


def _sign_in(person: dict[str, Any]) -> str:
    token, now, sign_in = new_token(), clock.now(), new_id()
    db.session.execute(insert(SignIn), [{"id": sign_in, "person_id": person["id"], "started_at": now, "refreshed_at": now}])
    db.session.execute(insert(Token), [{
        "digest": digest_of(token), "kind": "access", "sign_in_id": sign_in, "issued_at": now,
        "expires_at": now + timedelta(days=30),
    }])  # fmt: skip
    return token
