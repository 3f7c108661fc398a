"""Who is chief of a reach already when another one is appointed: legal, and so no refusal, but never in silence."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.texts import Text
from patrol.people.models import Person
from patrol.waters.import_columns import Fault
from patrol.waters.import_plan import Planned, found
from patrol.waters.models import Appointment
from patrol.waters.terms import is_chief_proper, post_name

MOST_NAMED = 3
_OCCUPIED = Text(
    "该河段在这些日子已有河长：{who}。如是接任，请用移交（hand-over），或先结束原任期；几位同时任职时，由任职最早的一位负责",
    "In these days the reach has a chief already: {who}. For a successor use hand-over, or end the earlier appointment; of several "
    "chiefs the longest in office answers",
)
_WHO = Text("{name}（{title}，{first} 起）", "{name} ({title}, from {first})")
_WHO_UNTIL = Text("{name}（{title}，{first} 至 {last}）", "{name} ({title}, {first} to {last})")


@dataclass(frozen=True, eq=False)
class Post:
    """One person's post as chief of a reach, both days included; `row` is that of the file that brings it, 0 for none."""

    person_id: UUID
    name: str
    title: str
    first: date
    last: date | None
    row: int = 0


def beside(posts: Iterable[Post]) -> dict[Post, list[Post]]:
    """Return for each post of one reach those that others hold in the same days, `MOST_NAMED` of them at most. Pure."""
    others: dict[Post, list[Post]] = defaultdict(list)
    lasting: list[Post] = []
    for post in sorted(posts, key=lambda post: post.first):
        lasting = [other for other in lasting if other.last is None or other.last >= post.first]
        for other in lasting:
            if other.person_id != post.person_id:
                for one, its in ((post, other), (other, post)):
                    others[one] += [its] if len(others[one]) < MOST_NAMED else []
        # Those that last longest are enough to name: a file may appoint thousands to one reach by mistake.
        lasting = sorted([*lasting, post], key=lambda post: post.last or date.max, reverse=True)[: MOST_NAMED + 1]
    return others


def warning_of(appointment: Appointment) -> Text | None:
    """Return who else with an enabled account is chief of the same reach in its days; None for nobody, or for other posts."""
    if not is_chief_proper(appointment.title):
        return None
    posts = {row.id: post for row, post in _stored([appointment.reach_id])}
    own = posts.get(appointment.id)
    return _said(beside(posts.values()).get(own, [])) if own else None


def warnings_of(planned: Sequence[Planned]) -> list[Fault]:
    """Return a warning for each row that appoints a chief, or changes his days, beside another; stored or of the file itself."""
    new = [item for item in planned if is_chief_proper(item.values["title"]) and (item.existing is None or item.changes())]
    if not new:
        return []
    names = {person.id: person.name for person in found(select(Person), Person.id, {item.values["person_id"] for item in new})}
    replaced = {item.existing.id for item in new if item.existing is not None}
    posts: dict[UUID, list[Post]] = defaultdict(list)
    for row, post in _stored({item.values["reach_id"] for item in new}):
        posts[row.reach_id] += [] if row.id in replaced else [post]
    for item in new:
        values, person_id = item.values, item.values["person_id"]
        last = values.get("valid_to", item.existing and item.existing.valid_to)
        posts[values["reach_id"]].append(Post(person_id, names[person_id], values["title"], values["valid_from"], last, item.row))
    pairs = [pair for of_reach in posts.values() for pair in beside(of_reach).items()]
    return sorted((Fault(post.row, "username", said) for post, others in pairs if post.row and (said := _said(others))), key=lambda fault: fault.row)


def _stored(reach_ids: Iterable[UUID]) -> list[tuple[Appointment, Post]]:
    rows = found(select(Appointment), Appointment.reach_id, list(reach_ids))
    people = {
        person.id: person.name
        for person in found(select(Person).where(Person.disabled_at.is_(None)), Person.id, {row.person_id for row in rows})
    }
    return [
        (row, Post(row.person_id, people[row.person_id], row.title, row.valid_from, row.valid_to))
        for row in rows if row.person_id in people and is_chief_proper(row.title)
    ]  # fmt: skip


def _said(others: Sequence[Post]) -> Text | None:
    if not others:
        return None
    texts = [
        (_WHO if post.last is None else _WHO_UNTIL).format(name=post.name, title=post_name(post.title), first=post.first, last=post.last)
        for post in others
    ]
    return _OCCUPIED.format(who=Text("、".join(text.zh for text in texts), ", ".join(text.en for text in texts)))
