"""Reaches that are left without a chief by ending an appointment: legal, and so no refusal, but never in silence."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.texts import Text
from patrol.people.models import Person
from patrol.waters.import_columns import Fault
from patrol.waters.import_plan import Planned, found
from patrol.waters.models import Appointment, Reach
from patrol.waters.terms import answers_for_reach

_VACANT = Text(
    "自 {day} 起“{reach}”没有河长。{name} 仍任其他河段河长的，未办结的问题留在其名下，否则届时转由河长办重新安排：如有接任者，请改用移交（hand-over），未办结的问题会一并移交",
    "From {day} on {reach} has no chief. The open issues of {name} stay with him while he is chief of another reach, and else go to the office then: "
    "for a successor use hand-over instead, which moves them too",
)


def left_without_chief(planned: Sequence[Planned]) -> list[Fault]:
    """Return a warning for each row that ends a stored appointment after which nobody with an enabled account answers for the reach."""
    ended = [
        item for item in planned
        if item.existing is not None and "valid_to" in item.changes() and item.values["valid_to"] and answers_for_reach(item.values["title"])
    ]  # fmt: skip
    if not ended:
        return []
    reaches = {reach.id: reach for reach in found(select(Reach), Reach.id, {item.values["reach_id"] for item in ended})}
    terms = _terms(planned, list(reaches))
    names = {person.id: person.name for person in found(select(Person), Person.id, {item.values["person_id"] for item in ended})}
    faults = []
    for item in ended:
        reach, day = reaches[item.values["reach_id"]], _day_after(item.values["valid_to"])
        if reach.retired_at is None and day and not any(first <= day <= last for first, last in terms[reach.id]):
            said = _VACANT.format(day=day, reach=reach.name, name=names[item.values["person_id"]])
            faults.append(Fault(item.row, "valid_to", said))
    return faults


def warning_of(appointment: Appointment) -> Text | None:
    """Return that nobody answers for the reach after the last day of an appointment; None where somebody does, or it has no last day."""
    day = appointment.valid_to and _day_after(appointment.valid_to)
    if day is None or not answers_for_reach(appointment.title):
        return None
    if any(first <= day <= last for first, last in _terms([], [appointment.reach_id])[appointment.reach_id]):
        return None
    return _VACANT.format(day=day, reach=appointment.reach.name, name=appointment.person.name)


def _terms(planned: Sequence[Planned], reach_ids: Sequence[UUID]) -> dict[UUID, list[tuple[date, date]]]:
    """Return from when to when somebody answers for each reach, as it will be after the import."""
    wanted, replaced = set(reach_ids), {item.existing.id for item in planned if item.existing is not None}
    stored = [
        (row.reach_id, row.person_id, row.title, row.valid_from, row.valid_to)
        for row in found(select(Appointment), Appointment.reach_id, reach_ids) if row.id not in replaced
    ]  # fmt: skip
    coming = [
        (values["reach_id"], values["person_id"], values["title"], values["valid_from"], values.get("valid_to", item.existing and item.existing.valid_to))
        for item in planned if (values := item.values)["reach_id"] in wanted
    ]  # fmt: skip
    people = {person_id for _, person_id, *_ in (*stored, *coming)}
    enabled = {person.id for person in found(select(Person).where(Person.disabled_at.is_(None)), Person.id, people)}
    terms: dict[UUID, list[tuple[date, date]]] = defaultdict(list)
    for reach_id, person_id, title, first, last in (*stored, *coming):
        if person_id in enabled and answers_for_reach(title):
            terms[reach_id].append((first, last or date.max))
    return terms


def _day_after(day: date) -> date | None:
    return None if day == date.max else day + timedelta(days=1)
