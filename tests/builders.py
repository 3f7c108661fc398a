"""Makers of test data: each puts one thing into the database, with believable defaults, and commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count

import shapely

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.people.models import Person, Region, SignIn, Token
from patrol.people.permissions import Role
from patrol.people.tokens import digest_of, new_token
from patrol.waters.models import Appointment, Reach, Signboard, WaterBody
from patrol.waters.register import register_changed


class Builders:
    """One instance a test; codes are numbered within it."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self._district: Region | None = None
        self._open = self._changed = False
        self._tokens: list[Token] = []

    def save(self, row):
        if self._open:
            return self._add(row)
        with transaction():
            db.session.add(row)
        return row

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Make everything of the body in one transaction: a whole world for a third of what its parts would cost."""
        with transaction():
            self._open = True
            try:
                yield
            finally:
                self._open = False
            db.session.flush()
            db.session.add_all(self._tokens)
            self._tokens = []
            if self._changed:
                register_changed(regions=True)

    def _add(self, row):
        if isinstance(row, Token):
            self._tokens.append(row)
            return row
        # The session only knows an order of tables where there is a relationship, so each sort of row is written by itself.
        if any(type(other) is not type(row) for other in db.session.new):
            db.session.flush()
        db.session.add(row)
        return row

    @property
    def district(self) -> Region:
        """The top of the tree, made on first use."""
        if self._district is None:
            self._district = self.save(Region(
                id=new_id(), code="990100", name="清溪区", level="county", path="/990100/", version=1))
        return self._district

    def region(self, parent: Region | None = None, *, level: str = "township", code: str | None = None, name: str | None = None) -> Region:
        parent = parent or self.district
        code = code or f"{parent.code}{next(self.numbers):03d}"
        return self.save(Region(
            id=new_id(), code=code, name=name or f"{code}区划", level=level, parent_id=parent.id,
            path=f"{parent.path}{code}/", version=1))

    def person(self, *roles: Role | str, region: Region | None = None, name: str = "王建国", **fields) -> Person:
        number = next(self.numbers)
        fields.setdefault("username", f"person{number}")
        return self.save(Person(
            id=new_id(), name=name, role_names=sorted(Role(role) for role in roles or (Role.CHIEF,)),
            region=region or self.district, created_at=clock.now(), version=1, **fields))

    def token_of(self, person: Person) -> str:
        """Sign the person in and return an access token."""
        token, now = new_token(), clock.now()
        sign_in = SignIn(id=new_id(), person_id=person.id, started_at=now, refreshed_at=now)
        self.save(sign_in)
        self.save(Token(digest=digest_of(token), kind="access", sign_in_id=sign_in.id, issued_at=now,
                        expires_at=now + timedelta(days=400)))
        return token

    def water_body(self, *, name: str = "清溪", kind: str = "river") -> WaterBody:
        number = next(self.numbers)
        return self.save(WaterBody(id=new_id(), code=f"W{number:03d}", name=name, kind=kind, target_class="III", version=1))

    def reach(
        self, coordinates=((119.80, 29.60), (119.82, 29.60)), *, region: Region | None = None, level: str = "village",
        bank: str = "both", water_body: WaterBody | None = None, tolerance_m: float | None = 50, name: str | None = None,
        area: bool = False,
    ) -> Reach:
        """Make a reach along `coordinates` (lon, lat); with `area` the polygon they enclose."""
        number = next(self.numbers)
        shape = shapely.Polygon(coordinates) if area else shapely.LineString(coordinates)
        west, south, east, north = shape.bounds
        reach = self.save(Reach(
            id=new_id(), code=f"R{number:03d}", name=name or f"河段{number}", water_body=water_body or self.water_body(),
            region=region or self.district, level=level, bank=bank, tolerance_m=tolerance_m, length_m=1000.0,
            geometry=shapely.to_wkb(shape), west=west, south=south, east=east, north=north, version=1))
        self.register_changed()
        return reach

    def register_changed(self) -> None:
        """Let the registers in memory know, as the imports do."""
        if self._open:
            self._changed = True
            return
        with transaction():
            register_changed(regions=True)

    def appointment(
        self, reach: Reach, person: Person, *, valid_from: date = date(2020, 1, 1), valid_to: date | None = None, title: str = "chief"
    ) -> Appointment:
        return self.save(Appointment(
            id=new_id(), reach=reach, person=person, title=title, valid_from=valid_from, valid_to=valid_to, version=1))

    def board(self, reach: Reach, *, code: str | None = None, latitude: float = 29.60, longitude: float = 119.81) -> Signboard:
        return self.save(Signboard(
            id=new_id(), code=code or f"B{next(self.numbers):04d}", reach=reach, latitude=latitude, longitude=longitude, version=1))
