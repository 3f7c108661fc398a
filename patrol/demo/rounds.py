"""Ninety days of patrols: who walked where and when, with check-ins along the way, and what is the matter with a few."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from patrol.demo.landscape import Landscape
from patrol.demo.phrases import CHECK_IN_NOTES, CHECKLIST, PATROL_SUMMARIES
from patrol.demo.positions import Waterside, as_gcj02
from patrol.demo.records import CHINA, CheckIn, Patrol, Phone, Photo, dated_id
from patrol.demo.registers import Person
from patrol.demo.residents import Residents
from patrol.demo.walks import BOAT, CAR, FOOT, SHARES, SHOWN_CASES, Kind, Walk, legs_among, walked
from patrol.demo.ways import Way

DAYS = 90
WEEKLY_ROUNDS = {"village": 1.6, "township": 0.5, "county": 0.15, "patroller": 1.1}
"""How often they go: about what local rules ask of each level (village weekly, township monthly, county quarterly)."""
RARE_SHARE, RARE_FACTOR = 0.14, 0.16
GCJ02_SHARE = 0.12
PHOTOGRAPHED_SHARE = 0.01
FINE_DAYS, FINE_S, COARSE_S = 21, 12.0, 14.0
"""The tracks of so many days are sampled every `FINE_S` seconds, older ones every `COARSE_S`."""
LEAST_TROUBLED_M = 2000.0
"""Around a pond nobody needs a car."""
REPLAYED_AFTER = timedelta(days=4)
OLD_PHOTO_AFTER = timedelta(days=2)
MODELS = (
    ("Redmi Note 12", "Android 14", True), ("HONOR X50", "Android 14", True), ("HUAWEI nova 11", "HarmonyOS 4.2", True),
    ("vivo Y100", "Android 13", True), ("iPhone 13", "iOS 18.1", False),
)  # fmt: skip


def patrols_of(
    land: Landscape, people: Residents, waterside: Waterside, today: date, rng: random.Random
) -> list[Patrol]:
    """Return the patrols of the 90 days before `today`, in order; nobody has two a day, nothing is later than yesterday."""
    planner = _Planner(land, people, waterside, today, rng)
    found = [patrol for person in people.people if person.roles[0] in ("chief", "patroller") for patrol in planner.rounds_of(person)]
    found.sort(key=lambda patrol: (patrol.started_at, patrol.id))
    return _with_old_photos(_on_shared_phones(found, people, rng), rng)


@dataclass(frozen=True)
class _Planner:
    land: Landscape
    people: Residents
    waterside: Waterside
    today: date
    rng: random.Random

    def rounds_of(self, person: Person) -> list[Patrol]:
        """Return the patrols of one person, the earliest first."""
        rng, phone, weekly = self.rng, _phone(self.rng), _weekly_rounds(person, self.rng)
        days = [self.today - timedelta(days_ago) for days_ago in range(DAYS, 0, -1)]
        days = [day for day in days if rng.random() < weekly / 6 * (0.35 if day.weekday() >= 5 else 1.0)]
        trips = [(day, reaches) for day in days if (reaches := self._reaches_on(person, day))]
        kinds = _kinds(person, len(trips), rng)
        found: list[Patrol] = []
        for (day, reaches), kind in zip(trips, kinds, strict=True):
            earlier = [p for p in found if p.walk.kind == Kind.HONEST and p.mode == FOOT and p.started_at.date() < day - REPLAYED_AFTER]
            if kind == Kind.REPLAYED and earlier:
                found.append(_replayed(rng.choice(earlier[-4:]), day, self.waterside, rng))
            else:
                found.append(self._round(person, phone, reaches, day, Kind.HONEST if kind == Kind.REPLAYED else kind))
        return found

    def _reaches_on(self, person: Person, day: date) -> list[str]:
        """Return the village reaches along which the person's own reaches run that day; a patroller's are the region's."""
        local = [code for code, reach in self.waterside.reaches.items() if reach.region_code.startswith(person.region_code)]
        if person.roles[0] == "patroller":
            return local
        own = [reach for reach in self.land.reaches if self.people.chief_on(reach.code, day) == person.username]
        if {reach.level for reach in own} == {"village"}:
            return [reach.code for reach in own]
        bodies = {reach.water_body_code for reach in own}
        return [code for code in local if self.waterside.reaches[code].water_body_code in bodies]

    def _round(self, person: Person, phone: Phone, reaches: Sequence[str], day: date, kind: Kind) -> Patrol:
        rng = self.rng
        start = _setting_out(day, rng)
        long = [code for code in reaches if not self.waterside.is_ring(code) and self.waterside.length_m(code) >= LEAST_TROUBLED_M]
        if kind != Kind.HONEST:
            reaches, kind = (long, kind) if long else (reaches, Kind.HONEST)
        legs = legs_among(reaches, self.waterside, kind, rng)
        mode = _mode(legs[0].reach_code, kind, rng)
        datum = "gcj02" if kind != Kind.MISLABELLED and rng.random() < GCJ02_SHARE else "wgs84"
        every_s = FINE_S if (self.today - day).days <= FINE_DAYS else COARSE_S
        walk, moments = walked(legs, self.waterside, kind=kind, mode=mode, every_s=every_s, datum=datum, rng=rng)
        way = walk.way(self.waterside)
        check_ins = [_check_in(walk, way, start, after_s, rng) for after_s in moments]
        if rng.random() < PHOTOGRAPHED_SHARE and kind == Kind.HONEST:
            check_ins[0] = _photographed(check_ins[0], way.place(walk.along_m(moments[0]), rng, 8.0), rng)
        end = start + timedelta(seconds=int(walk.duration_s) + rng.randint(10, 50))
        codes = tuple(dict.fromkeys(leg.reach_code for leg in legs))
        return Patrol(
            dated_id(start, rng), person.username, codes, mode, start, end, rng.choice(PATROL_SUMMARIES), tuple(check_ins), walk, phone
        )




def _setting_out(day: date, rng: random.Random) -> datetime:
    start = datetime.combine(day, time(rng.choice((7, 8, 8, 9, 9, 10, 14, 14, 15, 16)), rng.randint(0, 59)), CHINA)
    return start + timedelta(seconds=rng.randint(0, 59))


def _kinds(person: Person, count: int, rng: random.Random) -> list[Kind]:
    shown = SHOWN_CASES.get(person.username)
    if shown is None:
        return rng.choices(list(SHARES), list(SHARES.values()), k=count)
    return [shown if number == max(0, count - 2) else Kind.HONEST for number in range(count)]


def _mode(reach_code: str, kind: Kind, rng: random.Random) -> str:
    if kind not in (Kind.HONEST, Kind.OLD_PHOTO):
        return FOOT
    if "L" in reach_code and rng.random() < 0.5:
        return BOAT
    return rng.choices((FOOT, CAR), (85, 15))[0]


def _phone(rng: random.Random) -> Phone:
    model, system, tells_mock = rng.choices(MODELS, (30, 20, 20, 15, 15))[0]
    return Phone(f"{rng.getrandbits(48):012x}", model, system, tells_mock)


def _weekly_rounds(person: Person, rng: random.Random) -> float:
    level = {6: "county", 9: "township"}.get(len(person.region_code), "village")
    weekly = WEEKLY_ROUNDS["patroller" if person.roles[0] == "patroller" else level]
    rare = rng.random() < RARE_SHARE and person.username not in SHOWN_CASES
    return weekly * (RARE_FACTOR if rare else rng.uniform(0.8, 1.25))


def _check_in(walk: Walk, way: Way, start: datetime, after_s: float, rng: random.Random) -> CheckIn:
    """Return the check-in after so many seconds of a walk: it lies on the track, but for the error of the receiver."""
    at, along_m = start + timedelta(seconds=int(after_s)), walk.along_m(after_s)
    accuracy_m = round(min(40.0, max(4.0, rng.lognormvariate(2.3, 0.55))), 1)
    place = way.place(along_m, rng, min(accuracy_m, 25.0))
    if walk.datum == "gcj02" or walk.kind == Kind.MISLABELLED:
        place = as_gcj02(place)
    checklist = tuple((group, "normal") for group in CHECKLIST)
    note = rng.choice(CHECK_IN_NOTES) if rng.random() < 0.3 else ""
    return CheckIn(dated_id(at, rng), way.reach_at(along_m), at, *place, accuracy_m, walk.datum, checklist, note, ())


def _photographed(row: CheckIn, place: tuple[float, float], rng: random.Random) -> CheckIn:
    photo_id, seed = dated_id(row.recorded_at, rng), rng.randrange(100_000, 200_000)
    photo = Photo(photo_id, "clean", seed, "before", row.recorded_at - timedelta(seconds=20), *place)
    return replace(row, photos=(photo,))


def _replayed(earlier: Patrol, day: date, waterside: Waterside, rng: random.Random) -> Patrol:
    """Return the earlier patrol as if it were one of that day: the same track, and check-ins where it passes."""
    start = _setting_out(day, rng)
    walk = replace(earlier.walk, kind=Kind.REPLAYED)
    way = walk.way(waterside)
    moments = [(row.recorded_at - earlier.started_at).total_seconds() for row in earlier.check_ins]
    return replace(
        earlier, id=dated_id(start, rng), started_at=start, ended_at=start + (earlier.ended_at - earlier.started_at), walk=walk,
        summary=rng.choice(PATROL_SUMMARIES), check_ins=tuple(_check_in(walk, way, start, moment, rng) for moment in moments),
    )  # fmt: skip


def _on_shared_phones(patrols: list[Patrol], people: Residents, rng: random.Random) -> list[Patrol]:
    """Put the phone of a neighbour who patrols the same day into the hands of those who share; none there: an honest walk."""
    town_of = {person.username: person.region_code[:9] for person in people.people}
    found = []
    for patrol in patrols:
        if patrol.walk.kind == Kind.SHARED_PHONE:
            near = [p.phone for p in patrols if p.started_at.date() == patrol.started_at.date() and p.username != patrol.username
                    and town_of[p.username] == town_of[patrol.username]]  # fmt: skip
            found.append(replace(patrol, phone=rng.choice(near)) if near else _honest(patrol))
        else:
            found.append(patrol)
    return found


def _with_old_photos(patrols: list[Patrol], rng: random.Random) -> list[Patrol]:
    """Give those who show an old photo one that was shown days before; nobody has: an honest walk."""
    shown = [photo for patrol in patrols for row in patrol.check_ins for photo in row.photos]
    found = []
    for patrol in patrols:
        if patrol.walk.kind == Kind.OLD_PHOTO:
            old = [photo for photo in shown if photo.recorded_at < patrol.started_at - OLD_PHOTO_AFTER]
            found.append(_showing(patrol, rng.choice(old), rng) if old else _honest(patrol))
        else:
            found.append(patrol)
    return found


def _showing(patrol: Patrol, photo: Photo, rng: random.Random) -> Patrol:
    first, *others = patrol.check_ins
    again = replace(photo, id=dated_id(first.recorded_at, rng))
    return replace(patrol, check_ins=(replace(first, photos=(again,)), *others))


def _honest(patrol: Patrol) -> Patrol:
    return replace(patrol, walk=replace(patrol.walk, kind=Kind.HONEST))
