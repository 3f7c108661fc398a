"""A complainant's "not fixed", and its decision by somebody who did not handle the case. None of these commits."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager

from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.foundation import clock, events
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, NotAllowed, NotFound
from patrol.foundation.events import subscribe
from patrol.foundation.http import refuse_stale
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.same_content import content_digest
from patrol.foundation.texts import Text
from patrol.issues.allowed import OWN_WORK
from patrol.issues.deciding import answer_not_fixed
from patrol.issues.escalating import climb_first
from patrol.issues.events import EntryNoted, StepTaken
from patrol.issues.four_eyes import own_work
from patrol.issues.history import ASK_REOPENING, REFUSE_REOPENING, add_entry
from patrol.issues.lifecycle import STATE_NAME, State, Verb
from patrol.issues.models import HistoryEntry, Issue, IssuePhoto
from patrol.issues.queries import locked_issue, scope
from patrol.issues.same_photos import hide_again
from patrol.issues.steps import take_step
from patrol.issues.system_words import BY_COMPLAINANT
from patrol.people.actor import Actor
from patrol.public import veto
from patrol.public.actions import keep_whose, look_at_photos, refuse_too_many
from patrol.public.models import Complaint, ReopeningRequest
from patrol.public.proving import ANSWERED, ASKED, CUT, request_to_say
from patrol.public.queries import merged_at, reopening_of

_NOT_CLOSED = Text("结案后才能反映未整改到位，目前：{state}", "Only a closed case can be called not fixed; now it is: {state}")
_SAID = Text(
    "您已反映过一次未整改到位，每次结案只能提出一次；如有新情况请另行反映",
    "You have said so once already, which is as often as can be after a closing: send a new complaint",
)
_LATE = Text(
    "已超过结案后 {days} 天；您仍可评价办理结果，或重新反映（请注明原编号 {number}）",
    "More than {days} days have passed since the closing: you can still rate the result, or send a new complaint that names {number}",
)
_NO_REQUEST = Text("没有这个申请", "There is no such request")
_DECIDED = Text("该申请已作出决定", "This request has been decided")
_OUT_OF_SCOPE = Text("该问题不在您的辖区内", "The issue lies outside your region")
_LONGEST_ANSWER = 1000
OLDEST = Order("asked", (ReopeningRequest.asked_at, ReopeningRequest.id))


def refuse_not_fixed(complaint: Complaint, issue: Issue, digest: str, *, days: int, timezone: str) -> ReopeningRequest | None:
    """Return the same word said before, None when it can be said now.

    It can be said once a closing. Raises Conflict (409) while the case is not closed, after `days`, and for a second,
    other word.
    """
    known = reopening_of(complaint, issue)
    said_now = known is not None and known.closing == issue.reopened_times
    if known is not None and known.digest == digest and (said_now or issue.state != State.CLOSED):
        return known
    if said_now:
        raise Conflict(_SAID)
    if issue.state != State.CLOSED:
        raise Conflict(_NOT_CLOSED.format(state=STATE_NAME[State(issue.state)]))
    if veto.last_day(issue, days, clock.now(), timezone, merged_at=merged_at(complaint, issue)) is None:
        raise Conflict(_LATE.format(days=days, number=issue.number))
    return None


def digest_of_not_fixed(reason: str, photos: Sequence[str]) -> str:
    """Return the digest of what a complainant said, with the SHA-256 of each photo."""
    return content_digest({"reason": reason, "photos": list(photos)})


def say_not_fixed(
    complaint: Complaint, issue: Issue, *, reason: str, photos: Sequence[StoredPhoto], digest: str, days: int, timezone: str
) -> tuple[ReopeningRequest, bool]:  # fmt: skip
    """Ask for a locked issue to be reopened; return the request, and whether it is new.

    The photos show the place as it is after the closing: their kind is `other`, on an issue only of these. Raises as `refuse_not_fixed` does, and
    Invalid (422) for too many photos.
    """
    known = refuse_not_fixed(complaint, issue, digest, days=days, timezone=timezone)
    if known is not None:
        return known, False
    refuse_too_many({link.photo.sha256 for link in issue.photo_links} | {photo.sha256 for photo in photos})
    # Also a file that is on the case already: it is what was said now, and is looked for there.
    new = [record_photo(photo, kind="other")[0] for photo in photos]
    request = ReopeningRequest(
        id=new_id(), complaint_id=complaint.id, issue_id=issue.id, closing=issue.reopened_times, reason=reason, digest=digest,
        asked_at=clock.now(), version=1,
    )  # fmt: skip
    climb_first(issue, clock.now(), timezone)
    db.session.add(request)
    db.session.flush()
    _renew_answer(issue, timezone)
    entry = add_entry(
        issue, verb=ASK_REOPENING, by=None, from_state=issue.state, brought={"reason": reason}, photos=[(photo, "other") for photo in new],
        rows=request_to_say(request, ASKED),
    )  # fmt: skip
    keep_whose(entry, complaint.id)
    events.record(EntryNoted(issue_id=issue.id, verb=ASK_REOPENING, seq=entry.seq))
    for position, photo in enumerate(new):
        db.session.add(IssuePhoto(issue_id=issue.id, photo_id=photo.id, kind="other", seq=entry.seq, position=position))
    db.session.flush()
    if new:
        hide_again(issue)
        look_at_photos(issue)
    return request, True


def _renew_answer(issue: Issue, timezone: str) -> None:
    """Let the office have to answer in time what waits longest; words on an earlier closing were settled by its reopening."""
    waits = (ReopeningRequest.issue_id == issue.id, ReopeningRequest.closing == issue.reopened_times, ReopeningRequest.decided_at.is_(None))
    answer_not_fixed(issue, db.session.scalar(select(func.min(ReopeningRequest.asked_at)).where(*waits)), timezone)


@subscribe(StepTaken)
def settle_by_reopening(event: StepTaken) -> None:
    """Grant what waits on a closing, because the issue was reopened by another way than a request: by hand, or by an inspection."""
    if event.verb != Verb.REOPEN:
        return
    waiting = _waiting_on(event.issue_id)
    if waiting:
        entry = db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == event.issue_id, HistoryEntry.seq == event.seq)).one()
        _settle(waiting, granted=True, reason=_as_answer(entry.reason), by_id=event.by_id)


def _as_answer(reason: str | None) -> str | None:
    """Return the reason of a reopening as long as an answer can be; the history has all of it."""
    return reason if reason is None or len(reason) <= _LONGEST_ANSWER else f"{reason[: _LONGEST_ANSWER - 1]}{CUT}"


def _waiting_on(issue_id: UUID) -> Sequence[ReopeningRequest]:
    """Return what waits on an issue, whose lock keeps others from deciding it meanwhile."""
    waits = (ReopeningRequest.issue_id == issue_id, ReopeningRequest.decided_at.is_(None))
    return db.session.scalars(select(ReopeningRequest).where(*waits)).all()


def _settle(requests: Sequence[ReopeningRequest], *, granted: bool, reason: str | None, by_id: UUID | None) -> None:
    for request in requests:
        request.decided_at, request.decided_by_id, request.granted, request.decision = clock.now(), by_id, granted, reason
        request.version += 1
    db.session.flush()


def visible_requests(actor: Actor) -> Select[ReopeningRequest]:
    """Select the requests about issues that the actor may see, each with its issue."""
    condition = scope(actor)
    statement = select(ReopeningRequest).join(ReopeningRequest.issue).options(contains_eager(ReopeningRequest.issue))
    return statement if condition is None else statement.where(condition)


def list_requests(actor: Actor, *, waiting: bool | None, limit: int, cursor: str | None) -> Page[ReopeningRequest]:
    """Return one page of the visible requests, the longest waiting first."""
    statement = visible_requests(actor)
    if waiting is not None:
        statement = statement.where(ReopeningRequest.decided_at.is_(None) if waiting else ReopeningRequest.decided_at.is_not(None))
    return page_of(statement, OLDEST, limit=limit, cursor=cursor)


def get_request(actor: Actor, request_id: UUID) -> ReopeningRequest:
    """Return a visible request. Raises NotFound (404)."""
    statement = visible_requests(actor).where(ReopeningRequest.id == request_id).execution_options(populate_existing=True)
    request = db.session.scalar(statement)
    if request is None:
        raise NotFound(_NO_REQUEST)
    return request


def decide(
    request_id: UUID, *, by: Actor, granted: bool, reason: str, expected_version: int | None, timezone: str, tolerance_m: float
) -> ReopeningRequest:
    """Grant a request, by which its issue is reopened with the complainant's words in the history, or refuse it.

    What others said of the same closing is granted with it. Raises NotFound (404), Stale (412), Conflict (409)
    when it was decided, NotAllowed (403) for those who handled the issue or whose region does not cover it.
    """
    request = get_request(by, request_id)
    issue = locked_issue(by, request.issue_id)
    # Whoever decides or reopens holds the lock of the issue: what was decided just before it is read now.
    db.session.refresh(request, ["decided_at", "version"])
    refuse_stale(expected_version, request.version)
    if request.decided_at is not None:
        raise Conflict(_DECIDED)
    if own_work([issue.id], by.person_id, clock.today(timezone)):
        raise NotAllowed(OWN_WORK)
    if not by.covers(issue.region.path):
        raise NotAllowed(_OUT_OF_SCOPE)
    if granted:
        # With this answer, before the reopening: its reason holds the words of one complainant, which are not for the others.
        same = [row for row in _waiting_on(issue.id) if row.closing == request.closing]
        _settle(same, granted=True, reason=reason, by_id=by.person_id)
        if issue.reopened_times == request.closing:
            said = BY_COMPLAINANT.format(said=request.reason, reason=reason).zh
            take_step(
                issue_id=issue.id, verb=Verb.REOPEN, by=by, brought={"reason": said}, expected_version=None, timezone=timezone,
                tolerance_m=tolerance_m,
            )  # fmt: skip
    else:
        climb_first(issue, clock.now(), timezone)
        _settle([request], granted=False, reason=reason, by_id=by.person_id)
        if issue.state == State.CLOSED:
            _renew_answer(issue, timezone)
        entry = add_entry(
            issue, verb=REFUSE_REOPENING, by=by, from_state=issue.state, brought={"reason": reason}, rows=request_to_say(request, ANSWERED),
        )  # fmt: skip
        keep_whose(entry, request.complaint_id)
        events.record(EntryNoted(issue_id=issue.id, verb=REFUSE_REOPENING, seq=entry.seq))
    db.session.flush()
    return request
