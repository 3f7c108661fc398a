"""Plays the demo district into the database: the registers by import, the rest act by act, each at its own moment."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from multiprocessing import get_context
from typing import Any, NamedTuple

import orjson
from sqlalchemy import update

from patrol.demo.landscape import landscape
from patrol.demo.meanwhile import TOLD_DAYS, count_days, meanwhile_acts, read_messages, remind_people, tell_people
from patrol.demo.partners import lose_last_calls, partner_acts, take_calls
from patrol.demo.playing import acts_of
from patrol.demo.positions import Waterside
from patrol.demo.records import CHINA, Photo, Stories
from patrol.demo.registers import columns, feature
from patrol.demo.residents import Residents, residents
from patrol.demo.stage import Stage
from patrol.demo.stories import stories
from patrol.evidence.actions import StoredPhoto, store_photo
from patrol.evidence.storage import PhotoStore
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.foundation.transaction import transaction
from patrol.issues.escalating import plan_new_rungs
from patrol.people.actor import SYSTEM
from patrol.people.models import Person
from patrol.people.passwords import hash_password
from patrol.public.open311_actions import make_partner_key
from patrol.waters.import_columns import ImportKind
from patrol.waters.imports import run_import

# Acts played in one transaction: a commit costs a write to the disk, and a crash here is mended by `--reset`.
ACTS_AT_ONCE = 200


class Counts(NamedTuple):
    """What was loaded."""

    people: int
    reaches: int
    patrols: int
    issues: int
    photos: int
    skipped: list[str]


def load_district(*, settings: Settings, store: PhotoStore, say: Callable[[str], None]) -> Counts:
    """Load the whole district into an empty database, as it stands today; tell the progress line by line."""
    today = clock.today(settings.timezone)
    land = landscape()
    people = residents(land, today)
    told = stories(land, people, today)
    began = datetime.combine(today - timedelta(days=100), time(8), CHINA)
    with clock.moved_clock(lambda: began):
        import_registers(land, people)
        plan_new_rungs(settings.timezone)
    say(f"registers: {len(land.reaches)} reaches, {len(people.people)} people")
    photos = dict(_stored_photos(told, settings, store))
    say(f"photos: {len(photos)} drawn and stored")
    stage = Stage(settings=settings, photos=photos, waterside=Waterside(land))
    play(told, stage, today)
    say(f"ninety days: {len(told.patrols)} patrols, {len(told.issues)} issues")
    return Counts(len(people.people), len(land.reaches), len(told.patrols), len(told.issues), len(photos), stage.skipped)


def import_registers(land: Any, people: Residents) -> None:
    """Import the district's registers into an empty database, by the product's own import. Commits."""
    # One hash for everybody: all of them have the same known password.
    people_without_passwords = [replace(person, password="") for person in people.people]
    files = {
        "regions": _collection(land.regions), "water_bodies": _sheet(land.water_bodies), "reaches": _collection(land.reaches),
        "people": _sheet(people_without_passwords), "appointments": _sheet(people.appointments), "signboards": _sheet(land.signboards),
    }
    for kind, data in files.items():
        report = run_import(ImportKind(kind), data, by=SYSTEM)
        if report.errors:
            raise RuntimeError(f"the demo's {kind} do not import: {report.errors[:3]}")
    with transaction():
        db.session.execute(update(Person).values(password_hash=hash_password(people.people[0].password)))
        make_partner_key("demo", people.people[0].password)


def _collection(rows: Sequence[Any]) -> bytes:
    return orjson.dumps({"type": "FeatureCollection", "features": [feature(row) for row in rows]})


def _sheet(rows: Sequence[Any]) -> bytes:
    cells = [columns(row) for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(cells[0]))
    writer.writeheader()
    writer.writerows(cells)
    return text.getvalue().encode()


def _stored_photos(told: Stories, settings: Settings, store: PhotoStore) -> Iterator[tuple[Any, StoredPhoto]]:
    """Draw the photos in several processes, and store each; yields pairs of the photo's id and what is stored."""
    wanted = {photo.id: photo for photo in told.photos}
    most_bytes = settings.max_photo_mb * 1_000_000
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for photo_id, data in zip(wanted, pool.map(Photo.jpeg, wanted.values(), chunksize=8), strict=True):
            yield photo_id, store_photo(data, store=store, most_bytes=most_bytes)


def play(told: Stories, stage: Stage, today: date) -> None:
    """Play all that the stories tell, in the order of time, each act at its own moment. Commits every `ACTS_AT_ONCE`."""
    now, midnight = clock.now(), datetime.combine(today, time(0), CHINA)
    begun = midnight - timedelta(days=95)
    every = [*acts_of(told, stage), *meanwhile_acts(stage, begun, midnight, now), *partner_acts(stage, midnight)]
    acts = iter(sorted(every, key=lambda act: (act.at, act.order)))
    while batch := list(islice(acts, ACTS_AT_ONCE)):
        with transaction():
            for act in batch:
                with clock.moved_clock(lambda at=act.at: at):  # type: ignore[misc]
                    act.play()
        tell_people(since=now - timedelta(days=TOLD_DAYS))
        take_calls()
    lose_last_calls()
    remind_people(midnight, stage.settings.timezone)
    read_messages(stage, midnight - timedelta(hours=6))
    count_days(begun, now)
