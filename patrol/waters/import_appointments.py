"""The plan for appointments."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.permissions import Role
from patrol.waters.import_columns import Fault, ImportRow
from patrol.waters.import_plan import Planned, found, named
from patrol.waters.import_waters import no_reach, visible_by_code
from patrol.waters.models import Appointment, Reach
from patrol.waters.periods import Period, is_reversed, overlap
from patrol.waters.terms import NO_CHIEF, answers_for_reach, is_chief_proper

_NO_PERSON = Text("没有用户名为 {username} 的人员，或不在您的管辖范围内", "There is nobody called {username}, or not in your area")
_REVERSED = Text("截止日期早于开始日期", "It ends before it begins")
_OVERLAPS = Text(
    "与同一人在该河段的已有任期重叠：{title}，{when}。已有任期的任职日期不能用导入更改；如写错，请在同一文件中用原任职日期 {start} 写一行，"
    "以离任日期（valid_to）结束原任期，再以不重叠的日期另写一行；今天尚未开始的任期可用“原任职日期”（former_valid_from）列更正",
    "It overlaps an appointment of the same person to this reach: {title}, {when}. An import cannot change the first day of an "
    "appointment: if that is wrong, end it by a row with {start} and a `valid_to` in the same file, and write the right days, "
    "which must not overlap, as another row; of one that has not begun by today the column `former_valid_from` corrects it",
)
_OVERLAPS_ROW = Text(
    "与第 {row} 行同一人在该河段的任职重叠：{title}，{when}。请更改其中一行的日期，使两者没有共同的日子",
    "It overlaps row {row}, the same person's post at this reach: {title}, {when}. Change the days of one, so that they have none in common",
)
_OPEN = Text("自 {start} 起", "from {start} on")
_NOT_THERE = Text("{name} 在该河段没有自 {day} 开始的这一任期", "{name} has no such appointment to this reach that begins on {day}")
_HAS_BEGUN = Text(
    "自 {day} 开始的任期已经开始：谁在哪天负责已成记录，不能更改任职日期。请以离任日期（valid_to）结束原任期，再以不重叠的日期另写一行",
    "The appointment from {day} on has begun, and who answered on which day is on record: its first day cannot change. End it by a `valid_to`, and "
    "write the right days, which must not overlap, as another row",
)
_CORRECTED_TWICE = Text("与第 {row} 行是同一任期", "It is the same appointment as in row {row}")
_UNTIL = Text("{start} 至 {end}", "{start} to {end}")


def plan_appointments(rows: list[ImportRow], by: Actor, faults: list[Fault]) -> list[Planned]:
    """Return what shall become of each row; adds to `faults` unknown reaches and people, and impossible periods."""
    reaches = visible_by_code(named(rows, "reach_code"), by)
    people = {
        person.username: person
        for person in found(select(Person).options(joinedload(Person.region)), Person.username, named(rows, "username"))
        if by.covers(person.region.path)
    }
    stored = {
        (row.reach_id, row.person_id, row.title, row.valid_from): row
        for row in found(select(Appointment), Appointment.reach_id, [reach.id for reach in reaches.values()])
    }
    today = clock.today(current_app.extensions["settings"].timezone)
    planned, named_in = [], dict[UUID, int]()
    for row in rows:
        reach, person = reaches.get(row.values.get("reach_code", "")), people.get(row.values.get("username", ""))
        values = {name: value for name, value in row.values.items() if name not in {"reach_code", "username", "former_valid_from"}}
        existing = None
        if reach is not None and person is not None:
            values |= {"reach_id": reach.id, "person_id": person.id}
            post = reach.id, person.id, values.get("title", "")
            existing = stored.get((*post, values.get("valid_from", date.min)))
            former = row.values.get("former_valid_from")
            if existing is None and former is not None:
                existing = stored.get((*post, former))
                wrong = _fault_of_correction(existing, former, person, today)
                faults += [Fault(row.number, "former_valid_from", wrong)] if wrong else []
                values.setdefault("valid_to", existing and existing.valid_to)
            # A row that repeats another by all that names an appointment is told of that already.
            if existing is not None and "" not in row.unreadable and (other := named_in.setdefault(existing.id, row.number)) != row.number:
                faults.append(Fault(row.number, "valid_from", _CORRECTED_TWICE.format(row=other)))
        faults += _faults(row, values.get("valid_to"), reach, person, is_new=existing is None)
        # One whose person lacks the role is planned too: it may overlap another, which is to be told at once.
        if reach is not None and person is not None and not row.unreadable and not is_reversed((values["valid_from"], values.get("valid_to"))):
            planned.append(Planned(row.number, f"{reach.code}/{person.username}", Appointment, existing, values))
    faults += _overlaps(planned, list(stored.values()))
    return planned


def _fault_of_correction(existing: Appointment | None, former: date, person: Person, today: date) -> Text | None:
    """Return why the first day of an appointment cannot be corrected; once it has begun, somebody answered by it."""
    if existing is None:
        return _NOT_THERE.format(name=person.name, day=former)
    return None if existing.valid_from > today else _HAS_BEGUN.format(day=former)


def _faults(row: ImportRow, valid_to: date | None, reach: Reach | None, person: Person | None, *, is_new: bool) -> list[Fault]:
    values, found_faults = row.values, []
    if reach is None and "reach_code" in values:
        found_faults.append(no_reach(row))
    if person is None and "username" in values:
        found_faults.append(Fault(row.number, "username", _NO_PERSON.format(username=values["username"])))
    if "valid_from" in values and is_reversed((values["valid_from"], valid_to)):
        found_faults.append(Fault(row.number, "valid_to", _REVERSED))
    title = values.get("title")
    if is_new and person is not None and title and answers_for_reach(title) and Role.CHIEF not in person.roles:
        found_faults.append(Fault(row.number, "username", NO_CHIEF.format(name=person.name, title=title)))
    return found_faults


def _overlaps(planned: list[Planned], stored: list[Appointment]) -> list[Fault]:
    """Return a fault for each row whose period has days in common with another of the same post.

    Whoever is chief of a reach is so once, under whatever title: twice would count each duty twice. Two that are stored
    like that already, and rows that repeat them, are no fault.
    """
    replaced = {item.existing.id for item in planned if item.existing is not None}
    posts: dict[tuple[UUID, UUID, str], list[tuple[str, Period, int]]] = defaultdict(list)
    for kept in stored:
        if kept.id not in replaced:
            posts[_post(kept.reach_id, kept.person_id, kept.title)].append((kept.title, (kept.valid_from, kept.valid_to), 0))
    for item in planned:
        values = item.values
        end = values.get("valid_to", item.existing and item.existing.valid_to)
        is_news = item.existing is None or item.changes()
        posts[_post(values["reach_id"], values["person_id"], values["title"])].append((values["title"], (values["valid_from"], end), item.row if is_news else 0))
    faults = []
    for periods in posts.values():
        periods.sort(key=lambda term: term[1][0])
        # The one that lasts longest so far: a long period may overlap several that do not overlap each other.
        lasting = periods[0]
        for term in periods[1:]:
            (_, period, row), (_, following, next_row) = lasting, term
            # Two stored ones are no fault of this file.
            if (row or next_row) and overlap(period, following):
                faults.append(Fault(next_row or row, "valid_from", _said(*(lasting if next_row else term))))
            if (following[1] or date.max) > (period[1] or date.max):
                lasting = term
    return faults


def _post(reach_id: UUID, person_id: UUID, title: str) -> tuple[UUID, UUID, str]:
    return reach_id, person_id, "chief" if is_chief_proper(title) else title


def _said(title: str, period: Period, row: int) -> Text:
    """Return what a row overlaps: an appointment that is stored, or that of another row."""
    start, end = period
    when = (_OPEN if end is None else _UNTIL).format(start=start, end=end)
    return (_OVERLAPS_ROW if row else _OVERLAPS).format(title=title, when=when, start=start, row=row)
