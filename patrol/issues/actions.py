"""Entering an issue: it is placed, gets its deadline and its history, and goes to whom the policy says. Never commits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from patrol.evidence.models import Photo
from patrol.foundation import clock, events, outbox
from patrol.foundation.appending import store
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Invalid
from patrol.foundation.positions import Position
from patrol.foundation.same_content import refuse_other_content
from patrol.foundation.texts import Text
from patrol.issues.accusations import keep_also_accused, placed_for
from patrol.issues.categories import Severity, Source, category_of
from patrol.issues.deadlines import Stage
from patrol.issues.dispatching import Decision, goes_straight_to_the_chief
from patrol.issues.doubts import doubts_about_report
from patrol.issues.due import count_due
from patrol.issues.events import IssueReported
from patrol.issues.history import SUBMIT, add_entry
from patrol.issues.joint import mark_sides
from patrol.issues.lifecycle import State, Verb
from patrol.issues.models import Issue, IssuePhoto
from patrol.issues.placing import BY_BOARD, Placement, place_by_position, place_on_reach
from patrol.issues.policies_held import current_policies
from patrol.issues.queries import find_issue
from patrol.issues.steps import step_by_policy
from patrol.people.actor import SYSTEM, Actor
from patrol.people.models import Person, Region
from patrol.people.permissions import Permission

_OUTSIDE = Text(
    "这个位置不在本系统管理的行政区内：请核对定位，或在地图上重新选点；如确在外地，请向当地河长办反映",
    "This place lies outside the regions of this system: check the position or choose it on the map; if it is right, tell the office there",
)


def report_issue(
    *, by: Actor | None, id: UUID | None, category: str, severity: str | None = None, description: str, position: Position,  # noqa: A002
    recorded_at: datetime | None = None, source: Source, photos: Sequence[Photo] = (), patrol_id: UUID | None = None,
    check_in_id: UUID | None = None, reach_id: UUID | None = None, tolerance_m: float, timezone: str, digest: str,
    is_absent: bool = False,
) -> tuple[Issue, bool]:  # fmt: skip
    """Enter an issue, and accept and dispatch it at once where the policy says so; return it, and whether it is new.

    `by` None is a citizen. `reach_id` is what a board names; otherwise the position decides. Who is responsible is asked
    of the day on which it arrives, since that is when work can begin, however old a phone's report is.
    `digest` is over what the client sent: the same id with the same digest gives the stored issue; `id` None is a new one,
    and `is_absent` says that the caller looked and found none.
    Raises Conflict (409) for the same id with other content, Invalid (422) for a category or reach that is not, and for a
    citizen's place far outside all regions; of staff it is accepted, since a phone in the field must get rid of its queue.
    """
    known = find_issue(id) if id and not is_absent else None
    if id and known is not None:
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    issue_id = id or new_id()
    row, now = category_of(category, public_caller=by is None), clock.now()
    day = clock.local_date(now, timezone)
    if reach_id is None:
        placement = place_by_position(position, day=day, tolerance_m=tolerance_m)
    else:
        placement = place_on_reach(reach_id, position, day=day, tolerance_m=tolerance_m, because=BY_BOARD)
    placement = placed_for(placement, row.code)
    if by is None and placement.is_outside:
        raise Invalid(_OUTSIDE, errors={"latitude": [_OUTSIDE]})
    issue = Issue(
        id=issue_id, state=State.SUBMITTED.value, category=row.code, severity=Severity(severity or row.severity).value,
        source=Source(source).value, description=description, **position.columns(), recorded_at=recorded_at or now,
        received_at=now, region=_region_of(placement), reach=placement.reach, routing=placement.as_data(row.code),
        lead=None, accused_id=placement.accused_id, co_handlers=[], parts=[], reporter_id=by.person_id if by else None, patrol_id=patrol_id,
        check_in_id=check_in_id, findings=[], digest=digest, version=0, returned_times=0, reopened_times=0, also_reported=0,
        photo_links=_links(issue_id, photos),
    )  # fmt: skip
    issue.region_id, issue.reach_id = placement.routing.region_id, placement.routing.reach_id
    issue.findings = [doubt.as_data() for doubt in doubts_about_report(issue.recorded_at, now, position.accuracy_m)]
    lead = _able_chief(placement)
    with db.session.no_autoflush:
        mark_sides(issue, placement)
        keep_also_accused(issue, placement.also_accused)
        decision = _decided_by_policy(issue, placement, lead)
        _enter(issue, by, photos, timezone)
        if decision.straight:
            _dispatch_by_policy(issue, decision.rule, lead, timezone, tolerance_m)
        db.session.add_all(issue.photo_links)
        store(issue)
    return issue, True


def _enter(issue: Issue, by: Actor | None, photos: Sequence[Photo], timezone: str) -> None:
    """Begin the issue's clock and history."""
    count_due(issue, Stage.ACCEPTANCE, issue.received_at, timezone)
    facts = {name: getattr(issue, name) for name in ("category", "severity", "source", "digest")}
    add_entry(
        issue, verb=SUBMIT, by=by, from_state=None, changes={name: {"from": None, "to": to} for name, to in facts.items()},
        photos=[(photo, "before") for photo in photos],
    )  # fmt: skip
    events.record(IssueReported(issue_id=issue.id, source=issue.source, by_id=by.person_id if by else None, patrol_id=issue.patrol_id))
    if photos:
        outbox.put("issues.examine", issue_id=str(issue.id), tries=0)


def _links(issue_id: UUID, photos: Sequence[Photo]) -> list[IssuePhoto]:
    return [
        IssuePhoto(issue_id=issue_id, photo_id=photo.id, photo=photo, kind="before", seq=1, position=position)
        for position, photo in enumerate(photos)
    ]


def _region_of(placement: Placement) -> Region:
    reach, region_id = placement.reach, placement.routing.region_id
    return reach.region if reach and reach.region.id == region_id else db.session.get_one(Region, region_id)


def _able_chief(placement: Placement) -> Person | None:
    """Return the chief who answers, if that account can handle issues now."""
    person = next((person for person in placement.chiefs if person.id == placement.routing.chief_id), None)
    return person if person is not None and Permission.HANDLE_ISSUE in person.permissions else None


def _decided_by_policy(issue: Issue, placement: Placement, lead: Person | None) -> Decision:
    """Decide whether the office looks first, and keep the decision with what explains who answers."""
    decision = goes_straight_to_the_chief(
        Source(issue.source), issue.category, Severity(issue.severity), placement.routing.confidence_label, lead is not None,
        rules=current_policies().rules_on(placement.day),
    )  # fmt: skip
    issue.routing = issue.routing | {"policy": {
        "rule": decision.rule, "version": decision.version, "straight": decision.straight, "reason": decision.reason._asdict(),
    }}  # fmt: skip
    return decision


def _dispatch_by_policy(issue: Issue, rule: str, lead: Person | None, timezone: str, tolerance_m: float) -> None:
    """Accept and dispatch the issue in the system's name."""
    for verb, who in ((Verb.ACCEPT, None), (Verb.DISPATCH, lead)):
        step_by_policy(issue, verb, by=SYSTEM, rule=rule, timezone=timezone, tolerance_m=tolerance_m, lead=who)
