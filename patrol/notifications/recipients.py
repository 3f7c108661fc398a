"""Who is told: the people that a template names, for one issue."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.issues.accusations import is_charge
from patrol.issues.joint import sides_of
from patrol.issues.leads import superior_chiefs
from patrol.issues.models import Issue, number_of
from patrol.issues.seeing import seen_by
from patrol.notifications.templates import To
from patrol.people.models import Person, Region
from patrol.people.paths import paths_up
from patrol.people.permissions import Role
from patrol.people.queries import holds


class Recipients(NamedTuple):
    """Accounts to tell, and the region whose office is among them and hears of it by its channels (None when no office does).

    `by_duplicate` has the number of the duplicate for who follows the issue only because that was merged into it.
    """

    people: Sequence[UUID]
    office_region_id: UUID | None
    by_duplicate: Mapping[UUID, str] = MappingProxyType({})


def recipients_of(issue: Issue, to: Sequence[To], *, but: UUID | None, day: date, named: Sequence[UUID] = ()) -> Recipients:
    """Return the enabled accounts that `to` means for this issue, each once, without the one who acted.

    Nobody is told of what he may not see: a charge against a chief (F) goes to no chief, whoever the superior is. What
    would go to a superior chief goes to the office above then, and where no chief is above, so that what nobody looks at
    comes to somebody's eyes; what urges a lead goes to the office where nobody leads, since it stands in.
    `named` are the accounts that the entry itself names. `issue` needs its region, reach and co-handlers loaded; chiefs are
    those of the local `day`. The office is the nearest at or above the issue's region in which somebody holds that role.
    """
    ids: list[UUID | None] = list(named) if To.NAMED in to else []
    if To.LEAD in to:
        ids.append(issue.lead_id)
    if To.CO_HANDLERS in to:
        ids += [person.id for person in issue.co_handlers]
    duplicates = _reporters_of_duplicates(issue) if To.REPORTER in to else {}
    if To.REPORTER in to:
        ids.append(issue.reporter_id)
    superiors = superior_chiefs(issue, day) if To.SUPERIOR in to else []
    ids += superiors
    known = [i for i in (*ids, *duplicates) if i]
    enabled = set(db.session.scalars(select(Person.id).where(Person.id.in_(known), Person.disabled_at.is_(None))))
    by_office = To.OFFICE in to or (To.STAND_IN in to and issue.lead_id is None)
    office, *above = [*_offices_up(issue.region), [], []] if by_office else [[], []]
    upwards = To.OFFICE_ABOVE in to or (To.SUPERIOR in to and (is_charge(issue.category) or not superiors))
    higher = above[0] if upwards else []
    sides = [person for region in sides_of(issue) for person in office_of(region)] if To.SIDES in to else []
    told = [*(i for i in ids if i in enabled), *(person.id for person in (*office, *higher, *sides))]
    by_duplicate = {person_id: number for person_id, number in duplicates.items() if person_id in enabled and person_id not in told}
    wanted = [person_id for person_id in dict.fromkeys([*told, *by_duplicate]) if person_id and person_id != but]
    seeing = seen_by(issue, wanted)
    # An office's channel is read by whoever works there, the accused too: of a charge each is told alone.
    group = office[0].region_id if office and not is_charge(issue.category) else None
    return Recipients([person_id for person_id in wanted if person_id in seeing], group, by_duplicate)


def _reporters_of_duplicates(issue: Issue) -> dict[UUID, str]:
    """Return the accounts that reported what is merged into an issue, each with the number of that: they follow the one that goes on."""
    if not issue.also_reported:
        return {}
    rows = db.session.execute(
        select(Issue.reporter_id, Issue.serial).where(Issue.merged_into_id == issue.id, Issue.reporter_id.is_not(None))
        .order_by(Issue.serial.desc())
    )  # fmt: skip
    return {reporter_id: number_of(serial) for reporter_id, serial in rows if reporter_id}


def inspectors_of(issue: Issue) -> list[UUID]:
    """Return the enabled supervisors over an issue's place and the nearest office, those who may see it; its region must be loaded."""
    above = db.session.scalars(
        select(Person.id).join(Region, Region.id == Person.region_id)
        .where(Region.path.in_(paths_up(issue.region.path)), holds(Role.SUPERVISOR), Person.disabled_at.is_(None)).order_by(Person.username)
    ).all()  # fmt: skip
    wanted = list(dict.fromkeys([*above, *(person.id for person in office_of(issue.region))]))
    seeing = seen_by(issue, wanted)
    return [person_id for person_id in wanted if person_id in seeing]


def office_of(region: Region) -> Sequence[Person]:
    """Return the people of the river chief office nearest to `region`, at it or above, by user name."""
    return next(iter(_offices_up(region)), [])


def _offices_up(region: Region) -> list[list[Person]]:
    """Return the offices at and above `region`, the nearest first, each with its people by user name."""
    # ix_regions_path serves few exact paths better than a comparison of prefixes turned round.
    rows = db.session.execute(
        select(Person, Region.path).join(Region, Region.id == Person.region_id)
        .where(Region.path.in_(paths_up(region.path)), holds(Role.OFFICE), Person.disabled_at.is_(None))
        .order_by(Person.username)
    ).all()  # fmt: skip
    paths = sorted({path for _, path in rows}, key=len, reverse=True)
    return [[person for person, its in rows if its == path] for path in paths]
