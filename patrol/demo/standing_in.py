"""What belongs to the demo's duties beside the patrols: delegations, warnings, and phones that still hold something."""

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from patrol.demo.positions import Waterside
from patrol.demo.records import CHINA, Delegation, Patrol, WaitingPhone, Warned, dated_id
from patrol.demo.registers import Person
from patrol.demo.residents import Residents
from patrol.demo.walks import SHOWN_CASES, Kind

REASONS = ("参加市里的河湖长培训，委托代为巡河", "住院治疗，由同事代为巡河", "外出招商，委托代为巡河")
"""There is one delegation for each."""
LATELY_DAYS, LEAST_TOURS, MOST_TOURS = 30, 2, 3
WARNINGS = (
    ("yellow", "water_quality", 11, "断面氨氮浓度连续两周超过目标，加密巡查"),
    ("orange", "issue", 6, "同一河段一周内发现三起污水直排，加密巡查"),
)
WAITING = ((14, 29.0), (3, 6.5))
"""How many items a phone still holds, and for how many hours the oldest of them has waited."""


def stood_in(
    patrols: list[Patrol], people: Residents, today: date, rng: random.Random
) -> tuple[list[Patrol], list[Delegation]]:
    """Let deputies walk some late patrols of village chiefs; return all patrols, and the delegations behind them."""
    late: dict[str, list[Patrol]] = {}
    for patrol in patrols:
        if (today - patrol.started_at.date()).days <= LATELY_DAYS and patrol.walk.kind == Kind.HONEST:
            late.setdefault(patrol.username, []).append(patrol)
    changed: dict[UUID, Patrol] = {}
    delegations: list[Delegation] = []
    # The village chief whose account visitors use comes first, and so does the patroller whom they know.
    for principal in sorted(late, key=lambda name: (name != "chief", name)):
        if len(delegations) == len(REASONS) or not _is_village_chief(people.by_username[principal]):
            continue
        deputies = _deputies(people, principal, [delegation.deputy for delegation in delegations])
        tours = next((found for deputy in deputies if (found := _tours(late[principal], deputy, patrols))), [])
        if tours:
            delegations.append(_delegation(tours, REASONS[len(delegations)], today, rng))
            changed |= {tour.id: tour for tour in tours}
    return [changed.get(patrol.id, patrol) for patrol in patrols], delegations


def warnings_of(people: Residents, waterside: Waterside, today: date, rng: random.Random) -> list[Warned]:
    """Return warnings by the district's office on two reaches, the first of them the known village chief's."""
    mine = [code for code in waterside.reaches if people.chief_on(code, today) == "chief"]
    others = [code for code in waterside.reaches if people.chief_on(code, today) not in (None, "chief") and "R" in code]
    found = []
    for (colour, trigger, days_ago, reason), code in zip(WARNINGS, (mine[0], rng.choice(others)), strict=True):
        day = today - timedelta(days_ago)
        at = datetime.combine(day, time(9, 20), CHINA)
        found.append(Warned(dated_id(at, rng), code, colour, trigger, day, reason, "office", at))
    return found


def waiting_phones(patrols: Sequence[Patrol], today: date) -> list[WaitingPhone]:
    """Return what the phones of two who patrolled last said of their queues in the evening before `today`."""
    at = datetime.combine(today - timedelta(1), time(19, 5), CHINA)
    latest = {patrol.username: patrol for patrol in patrols if patrol.username not in SHOWN_CASES and not patrol.on_behalf_of}
    last = sorted(latest.values(), key=lambda patrol: (patrol.started_at, patrol.id))[-len(WAITING):]
    return [
        WaitingPhone(patrol.username, patrol.phone, pending, at - timedelta(hours=hours), at)
        for patrol, (pending, hours) in zip(last, WAITING, strict=True)
    ]


def _is_village_chief(person: Person) -> bool:
    return person.roles == ("chief",) and len(person.region_code) == 12


def _deputies(people: Residents, principal: str, busy: Collection[str]) -> list[Person]:
    """Return the patrollers of the principal's village and township who stand in for nobody yet."""
    region = people.by_username[principal].region_code
    found = [
        person for person in people.people
        if person.roles == ("patroller",) and person.region_code in (region, region[:9]) and person.username not in busy
    ]  # fmt: skip
    return sorted(found, key=lambda person: (person.username not in SHOWN_CASES, -len(person.region_code), person.username))


def _tours(own: Sequence[Patrol], deputy: Person, patrols: Sequence[Patrol]) -> list[Patrol]:
    """Return the latest of a principal's `own` patrols as the deputy walks them, on days free of his own; none when too few."""
    theirs = [patrol for patrol in patrols if patrol.username == deputy.username]
    taken = {patrol.started_at.date() for patrol in theirs}
    free = [patrol for patrol in own if patrol.started_at.date() not in taken][-MOST_TOURS:]
    if len(free) < LEAST_TOURS or not theirs:
        return []
    return [
        replace(patrol, username=deputy.username, phone=theirs[-1].phone, on_behalf_of=patrol.username) for patrol in free
    ]


def _delegation(tours: Sequence[Patrol], reason: str, today: date, rng: random.Random) -> Delegation:
    first, last = tours[0].started_at.date(), tours[-1].started_at.date()
    at = datetime.combine(first - timedelta(1), time(17, rng.randint(0, 50)), CHINA)
    principal = tours[0].on_behalf_of
    assert principal
    # It goes on a few days, so that those who come today find one in force.
    return Delegation(dated_id(at, rng), principal, tours[0].username, (), first, max(last, today) + timedelta(4), reason, at)
