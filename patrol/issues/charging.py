"""Who is put in charge of an issue by a step: dispatched, moved to another place, given back."""

from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.assigning import (
    choose_lead,
    give_parts,
    keep_ruling,
    renew_ownership,
    rightful_owner,
    shares_of,
    why_department,
)
from patrol.issues.joint import mark_sides_anew
from patrol.issues.placing import BY_OFFICE, Placement, place_in_region, place_on_reach, position_of_issue
from patrol.issues.taking import Taking, call_back, set_co_handlers, set_lead
from patrol.people.models import Region

_NO_REGION = Text("没有代码为 {code} 的行政区", "There is no region with the code {code}")


def dispatch(taking: Taking) -> None:
    """Put in charge whom the office names, or who answers for the place; what follows a decline is a ruling."""
    issue, day = taking.issue, clock.local_date(taking.now, taking.timezone)
    if taking.lead is None:
        renew_ownership(issue, day)
    lead, department = choose_lead(issue, taking.brought, routed=taking.lead, by=taking.by, day=day)
    if department:
        taking.change("department", department)
        taking.changes["ownership"] = {"from": None, "to": why_department(issue, department)}
    set_lead(taking, lead)
    shares = shares_of(taking.brought.get("co_handlers") or [], issue, lead, by=taking.by)
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
    issue, day = taking.issue, clock.local_date(taking.now, taking.timezone)
    if reach_id := taking.brought.get("reach_id"):
        placement = place_on_reach(reach_id, position_of_issue(issue), day=day, tolerance_m=taking.tolerance_m, because=BY_OFFICE)
        region = db.session.get_one(Region, placement.routing.region_id)
    else:
        region = _region_with_code(taking.brought["region"])
        placement = place_in_region(region, day=day, because=BY_OFFICE)
    _move_to(taking, placement, region)
    call_back(taking)


def decline(taking: Taking) -> None:
    """Give the issue back to the office, naming whose it is."""
    taking.issue.declined_at = taking.now
    words = taking.brought["suggested_owner"]
    owner = rightful_owner(words)
    taking.changes |= {"suggested_owner": {"from": None, "to": words}, "owner": {"from": None, "to": owner}}
    call_back(taking)


def _region_with_code(code: str) -> Region:
    region = db.session.scalar(select(Region).where(Region.code == code))
    if region is None:
        fault = _NO_REGION.format(code=code)
        raise Invalid(fault, errors={"region": [fault]})
    return region


def _move_to(taking: Taking, placement: Placement, region: Region) -> None:
    issue, reach = taking.issue, placement.reach
    taking.change("region_id", region.id, region.code, issue.region.code)
    taking.change("reach_id", reach.id if reach else None, reach and reach.code, issue.reach and issue.reach.code)
    issue.region, issue.reach, issue.routing = region, reach, placement.as_data(issue.category)
    mark_sides_anew(issue, placement)
