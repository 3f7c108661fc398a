"""Who is put in charge of an issue by a step: dispatched, moved to another place, given back."""

from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.issues.accusations import (
    all_accused,
    is_charge,
    keep_also_accused,
    placed_for,
    refuse_former_accused,
    refuse_people_below,
    refuse_region_below,
)
from patrol.issues.assigning import (
    choose_lead,
    give_parts,
    keep_ruling,
    renew_ownership,
    rightful_owner,
    shares_of,
    why_department,
)
from patrol.issues.beside import JOIN_CHARGE
from patrol.issues.events import BecameCharge
from patrol.issues.history import add_entry
from patrol.issues.joint import mark_sides_anew
from patrol.issues.lifecycle import State
from patrol.issues.merging import merged_into
from patrol.issues.models import Issue
from patrol.issues.placing import (
    BY_BOARD,
    BY_OFFICE,
    Placement,
    place_by_position,
    place_in_region,
    place_on_reach,
    position_of_issue,
)
from patrol.issues.relapses import withdraw_relapse
from patrol.issues.taking import Taking, call_back, set_co_handlers, set_lead
from patrol.people.actor import SYSTEM
from patrol.people.models import Person, Region
from patrol.people.queries import region_meant

PART_OF_CHARGE = "part_of_charge"
"""The rule by which what is merged into a charge becomes part of it."""


def dispatch(taking: Taking) -> None:
    """Put in charge whom the office names, or who answers for the place; what follows a decline is a ruling."""
    issue, day = taking.issue, clock.local_date(taking.now, taking.timezone)
    if taking.lead is None:
        renew_ownership(issue, day)
    lead, department = choose_lead(issue, taking.brought, routed=taking.lead, by=taking.by, day=day)
    if department:
        taking.change("department", department)
        taking.changes["ownership"] = {"from": None, "to": why_department(issue, department)}
    refuse_people_below(issue, [lead], "lead")
    set_lead(taking, lead)
    shares = shares_of(taking.brought.get("co_handlers") or [], issue, lead, by=taking.by)
    refuse_people_below(issue, [share.person for share in shares], "co_handlers")
    set_co_handlers(taking, list({share.person.id: share.person for share in shares}.values()))
    if parts := give_parts(issue, shares):
        taking.changes["parts"] = {"from": None, "to": parts}
    issue.dispatched_at = taking.now
    if issue.declined_at is not None:
        # What the office decides after a lead gave it back is its ruling, and the history says so.
        taking.changes["ruling"] = {"from": None, "to": True}
        if precedent := keep_ruling(issue, lead, department, by=taking.by, day=day):
            taking.changes["precedent"] = {"from": None, "to": precedent}


def transfer(taking: Taking) -> None:
    """Move the issue to another reach or region, where the office dispatches anew."""
    issue, day = taking.issue, _day_of(taking)
    if reach_id := taking.brought.get("reach_id"):
        placement = place_on_reach(reach_id, position_of_issue(issue), day=day, tolerance_m=taking.tolerance_m, because=BY_OFFICE)
        placement = _keeping_accused(issue, placement) if is_charge(issue.category) else placement
    else:
        region = region_meant(taking.brought["region"], "region")
        refuse_region_below(issue, region.path, "region")
        # Whom a charge is about stays: the office only passes it upwards.
        placement = replace(place_in_region(region, day=day, because=BY_OFFICE), accused_id=issue.accused_id)
    _move_to(taking, placement)
    call_back(taking)


def _keeping_accused(issue: Issue, placement: Placement) -> Placement:
    """Return the placement of a charge that is passed to another reach: nobody whom it was about so far may see it there.

    Raises Invalid (422). Where the reach has no chief, whom it is about stays.
    """
    placement, former_id = placed_for(placement, issue.category), issue.accused_id
    region = db.session.get_one(Region, placement.routing.region_id)
    refuse_region_below(issue, region.path, "reach_id")
    if placement.accused_id is None:
        return replace(placement, accused_id=former_id)
    if former_id not in (None, placement.accused_id):
        works_at = db.session.scalars(select(Region.path).join(Person, Person.region_id == Region.id).where(Person.id == former_id)).one()
        refuse_former_accused(issue, region.path, works_at)
    return placement


def place_anew(taking: Taking) -> None:
    """Ask again who answers for the place, since the issue became a charge against a chief."""
    issue, day, decided_by = taking.issue, _day_of(taking), taking.issue.routing["decided_by"]
    where, because = position_of_issue(issue), BY_BOARD if decided_by == BY_BOARD.code else BY_OFFICE
    if decided_by is None:
        placement = place_by_position(where, day=day, tolerance_m=taking.tolerance_m)
    elif issue.reach_id:
        placement = place_on_reach(issue.reach_id, where, day=day, tolerance_m=taking.tolerance_m, because=because)
    else:
        placement = place_in_region(issue.region, day=day, because=because)
    _move_to(taking, placed_for(placement, issue.category))
    events.record(BecameCharge(issue_id=issue.id))


def _day_of(taking: Taking) -> date:
    """Return the day of which it is asked who answers: today, for a charge that of the report."""
    return clock.local_date(taking.issue.received_at if is_charge(taking.issue.category) else taking.now, taking.timezone)


def decline(taking: Taking) -> None:
    """Give the issue back to the office, naming whose it is."""
    taking.issue.declined_at = taking.now
    words = taking.brought["suggested_owner"]
    owner = rightful_owner(words)
    taking.changes |= {"suggested_owner": {"from": None, "to": words}, "owner": {"from": None, "to": owner}}
    call_back(taking)


def _move_to(taking: Taking, placement: Placement) -> None:
    issue = taking.issue
    reach, region = placement.reach, db.session.get_one(Region, placement.routing.region_id)
    former = {issue.accused_id} if issue.accused_id and issue.accused_id != placement.accused_id else set()
    taking.change("accused_id", placement.accused_id)
    taking.change("region_id", region.id, region.code, issue.region.code)
    taking.change("reach_id", reach.id if reach else None, reach and reach.code, issue.reach and issue.reach.code)
    issue.region, issue.reach, issue.routing = region, reach, placement.as_data(issue.category)
    mark_sides_anew(issue, placement)
    # Whoever it was about so far does not see it either, whatever else that account becomes.
    keep_also_accused(issue, {*placement.also_accused, *former})
    if is_charge(issue.category):
        _let_duplicates_follow(taking)


def _let_duplicates_follow(taking: Taking) -> None:
    """Make what is merged into a charge part of it: the accused sees nothing of that either, also after the merging is undone.

    Whom it is about, its region and its category are the charge's, and nobody from below is in charge of it any more. A charge
    brings nothing back: the old case of a duplicate names it no longer. Each duplicate gets an entry of its own.
    """
    issue, accused = taking.issue, all_accused(taking.issue)
    loaded = (joinedload(Issue.region), joinedload(Issue.lead), selectinload(Issue.co_handlers), selectinload(Issue.parts))
    for duplicate in merged_into(issue, loaded=loaded):
        was_charge, others = is_charge(duplicate.category), {*accused, *filter(None, [duplicate.accused_id])}
        part = replace(taking, issue=duplicate, by=SYSTEM, brought={}, photos=(), lead=None, changes={}, rows={})
        part.change("category", issue.category)
        part.change("accused_id", issue.accused_id)
        part.change("region_id", issue.region_id, issue.region.code, duplicate.region.code)
        keep_also_accused(duplicate, others - {issue.accused_id})
        if not part.changes:
            continue
        duplicate.region, duplicate.routing = issue.region, issue.routing
        call_back(part)
        if duplicate.merged_from == State.DISPATCHED:
            # Nobody is in charge of it: if the merging is undone, the office dispatches anew.
            duplicate.merged_from = State.ACCEPTED.value
        part.changes |= withdraw_relapse(duplicate)
        add_entry(
            duplicate, verb=JOIN_CHARGE, by=SYSTEM, from_state=duplicate.state, rule=PART_OF_CHARGE, changes=part.changes, rows=part.rows
        )
        if not was_charge:
            events.record(BecameCharge(issue_id=duplicate.id))
