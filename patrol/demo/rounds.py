"""Ninety days of patrols: who walked where and when, with check-ins along the reaches."""

import random
from datetime import date, datetime, time, timedelta

from patrol.demo.landscape import Landscape
from patrol.demo.phrases import CHECK_IN_NOTES, CHECKLIST, PATROL_SUMMARIES
from patrol.demo.positions import Waterside, as_gcj02
from patrol.demo.records import CHINA, CheckIn, Patrol, Photo, dated_id
from patrol.demo.registers import Person
from patrol.demo.residents import Residents

DAYS = 90
WEEKLY_ROUNDS = {"village": 1.15, "township": 0.36, "county": 0.1, "patroller": 0.7}
"""How often they go: about what local rules ask of each level (village weekly, township monthly, county quarterly)."""
RARE_SHARE, RARE_FACTOR = 0.14, 0.16
GCJ02_SHARE = 0.12
PHOTOGRAPHED_CHECK_INS = 8


def patrols_of(
    land: Landscape, people: Residents, waterside: Waterside, today: date, rng: random.Random
) -> list[Patrol]:
    """Return the patrols of the 90 days before `today`, in order; nobody has two a day, nothing is later than yesterday."""
    level_of = {reach.code: reach.level for reach in land.reaches}
    inside = {reach.code: reach.region_code for reach in land.reaches}
    found: list[Patrol] = []
    photos_left = PHOTOGRAPHED_CHECK_INS
    for person in people.people:
        if person.roles[0] not in ("chief", "patroller"):
            continue
        weekly = _weekly_rounds(person, rng)
        for days_ago in range(DAYS, 0, -1):
            day = today - timedelta(days_ago)
            if rng.random() >= weekly / 6 * (0.35 if day.weekday() >= 5 else 1.0):
                continue
            reaches = _reaches_on(person, people, level_of, inside, waterside, day)
            if reaches:
                photo = photos_left > 0 and rng.random() < 0.03
                photos_left -= photo
                found.append(_round(person, reaches, waterside, day, rng, photographed=photo))
    return sorted(found, key=lambda patrol: (patrol.started_at, patrol.id))


def _weekly_rounds(person: Person, rng: random.Random) -> float:
    level = {6: "county", 9: "township"}.get(len(person.region_code), "village")
    weekly = WEEKLY_ROUNDS["patroller" if person.roles[0] == "patroller" else level]
    rare = rng.random() < RARE_SHARE and person.username not in ("chief", "patroller", "chief.town")
    return weekly * (RARE_FACTOR if rare else rng.uniform(0.8, 1.25))


def _reaches_on(
    person: Person, people: Residents, level_of: dict[str, str], inside: dict[str, str], waterside: Waterside, day: date
) -> list[str]:
    """Return the village reaches along which the person's own reaches run that day; a patroller's are the region's."""
    local = [
        code for code, region in inside.items() if region.startswith(person.region_code) and code in waterside.reaches
    ]
    if person.roles[0] == "patroller":
        return local
    own = [code for code in inside if people.chief_on(code, day) == person.username]
    bodies = {code.split("-")[0] for code in own}
    return (
        own if {level_of[c] for c in own} == {"village"} else [code for code in local if code.split("-")[0] in bodies]
    )


def _round(
    person: Person, reaches: list[str], waterside: Waterside, day: date, rng: random.Random, *, photographed: bool
) -> Patrol:
    chosen = sorted(rng.sample(reaches, min(len(reaches), rng.choice((1, 1, 2, 3)))))
    minutes = rng.choice((7, 18, 25, 32, 40, 48, 55, 70, 95))
    start = datetime.combine(day, time(rng.choice((7, 8, 8, 9, 9, 10, 14, 14, 15, 16)), rng.randint(0, 59)), CHINA)
    start += timedelta(seconds=rng.randint(0, 59))
    count = max(1, min(5, minutes // 16 + rng.randint(0, 1)))
    datum = "gcj02" if rng.random() < GCJ02_SHARE else "wgs84"
    check_ins = []
    for number in range(count):
        at = start + timedelta(seconds=int(minutes * 60 * (number + rng.uniform(0.25, 0.8)) / count))
        code = chosen[number * len(chosen) // count]
        share = min(0.96, max(0.04, (number + rng.random()) / count))
        check_ins.append(_check_in(code, share, at, datum, waterside, rng, photographed=photographed and number == 0))
    mode = "boat" if "L" in chosen[0] and rng.random() < 0.5 else rng.choices(("walk", "vehicle"), (85, 15))[0]
    end = start + timedelta(minutes=minutes, seconds=rng.randint(0, 59))
    summary = rng.choice(PATROL_SUMMARIES)
    return Patrol(dated_id(start, rng), person.username, tuple(chosen), mode, start, end, summary, tuple(check_ins))


def _check_in(
    code: str, share: float, at: datetime, datum: str, waterside: Waterside, rng: random.Random, *, photographed: bool
) -> CheckIn:
    accuracy_m = round(min(40.0, max(4.0, rng.lognormvariate(2.3, 0.55))), 1)
    place = waterside.place(code, share, rng, noise_m=min(accuracy_m, 25.0))
    sent = as_gcj02(place) if datum == "gcj02" else place
    photos: tuple[Photo, ...] = ()
    if photographed:
        photo_id, seed = dated_id(at, rng), rng.randrange(100_000, 200_000)
        photos = (Photo(photo_id, "clean", seed, "before", at - timedelta(seconds=20), *place),)
    checklist = tuple((group, "normal") for group in CHECKLIST)
    note = rng.choice(CHECK_IN_NOTES) if rng.random() < 0.3 else ""
    return CheckIn(dated_id(at, rng), code, at, *sent, accuracy_m, datum, checklist, note, photos)
