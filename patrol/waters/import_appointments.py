"""The plan for appointments."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.permissions import Role
from patrol.waters.import_columns import Fault, ImportRow
from patrol.waters.import_plan import Planned, found, named
from patrol.waters.import_waters import no_reach, visible_by_code
from patrol.waters.models import Appointment, Reach
from patrol.waters.periods import is_reversed, overlap
from patrol.waters.terms import NO_CHIEF, answers_for_reach

_NO_PERSON = Text("没有用户名为 {username} 的人员，或不在您的管辖范围内", "There is nobody called {username}, or not in your area")
_REVERSED = Text("截止日期早于开始日期", "It ends before it begins")
_OVERLAPS = Text(
    "与同一人在该河段的已有任期重叠：{title}，{when}。已有任期的开始日期不能用导入更改；如写错，请在同一文件中用原开始日期 {start} 写一行，"
    "以 valid_to 结束原任期，再以不重叠的日期另写一行",
    "It overlaps an appointment of the same person to this reach: {title}, {when}. An import cannot change the first day of an "
    "appointment: if that is wrong, end it by a row with {start} and a `valid_to` in the same file, and write the right days, "
    "which must not overlap, as another row",
)
_OVERLAPS_ROW = Text(
    "与第 {row} 行同一人在该河段的同一职务重叠：{title}，{when}。请更改其中一行的日期，使两者没有共同的日子",
    "It overlaps row {row}, the same person's same post at this reach: {title}, {when}. Change the days of one, so that they have none in common",
)
_OPEN = Text("自 {start} 起", "from {start} on")
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
    planned = []
    for row in rows:
        reach, person = reaches.get(row.values.get("reach_code", "")), people.get(row.values.get("username", ""))
        values = {name: value for name, value in row.values.items() if name not in {"reach_code", "username"}}
        existing = None
        if reach is not None and person is not None:
            values |= {"reach_id": reach.id, "person_id": person.id}
            existing = stored.get((reach.id, person.id, values.get("title", ""), values.get("valid_from", date.min)))
        faults += _faults(row, reach, person, is_new=existing is None)
        # One whose person lacks the role is planned too: it may overlap another, which is to be told at once.
        if reach is not None and person is not None and not row.unreadable and not is_reversed((values["valid_from"], values.get("valid_to"))):
            planned.append(Planned(row.number, f"{reach.code}/{person.username}", Appointment, existing, values))
    faults += _overlaps(planned, list(stored.values()))
    return planned


def _faults(row: ImportRow, reach: Reach | None, person: Person | None, *, is_new: bool) -> list[Fault]:
    values, found_faults = row.values, []
    if reach is None and "reach_code" in values:
        found_faults.append(no_reach(row))
    if person is None and "username" in values:
        found_faults.append(Fault(row.number, "username", _NO_PERSON.format(username=values["username"])))
    if "valid_from" in values and is_reversed((values["valid_from"], values.get("valid_to"))):
        found_faults.append(Fault(row.number, "valid_to", _REVERSED))
    title = values.get("title")
    if is_new and person is not None and title and answers_for_reach(title) and Role.CHIEF not in person.roles:
        found_faults.append(Fault(row.number, "username", NO_CHIEF.format(name=person.name, title=title)))
    return found_faults


def _overlaps(planned: list[Planned], stored: list[Appointment]) -> list[Fault]:
    """Return a fault for each row whose period has days in common with another of the same post."""
    replaced = {item.existing.id for item in planned if item.existing is not None}
    posts: dict[tuple[UUID, UUID, str], list[tuple[date, date | None, int]]] = defaultdict(list)
    for kept in stored:
        if kept.id not in replaced:
            posts[kept.reach_id, kept.person_id, kept.title].append((kept.valid_from, kept.valid_to, 0))
    for item in planned:
        values = item.values
        end = values.get("valid_to", item.existing and item.existing.valid_to)
        posts[values["reach_id"], values["person_id"], values["title"]].append((values["valid_from"], end, item.row))
    faults = []
    for (_, _, title), periods in posts.items():
        periods.sort(key=lambda period: period[0])
        # The one that lasts longest so far: a long period may overlap several that do not overlap each other.
        lasting = periods[0]
        for period in periods[1:]:
            (start, end, row), (next_start, next_end, next_row) = lasting, period
            # Two stored ones are no fault of this file.
            if (row or next_row) and overlap((start, end), (next_start, next_end)):
                faults.append(Fault(next_row or row, "valid_from", _said(title, *(lasting if next_row else period))))
            if (next_end or date.max) > (end or date.max):
                lasting = period
    return faults


def _said(title: str, start: date, end: date | None, row: int) -> Text:
    """Return what a row overlaps: an appointment that is stored, or that of another row."""
    when = (_OPEN if end is None else _UNTIL).format(start=start, end=end)
    return (_OVERLAPS_ROW if row else _OVERLAPS).format(title=title, when=when, start=start, row=row)
