"""All that callers without an account change, and the look at a complainant's contact. None of these commits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select

from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.foundation import clock, outbox
from patrol.foundation.appending import append, store
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, Invalid
from patrol.foundation.positions import Position
from patrol.foundation.sealing import seal, unseal
from patrol.foundation.texts import Text
from patrol.issues.actions import report_issue
from patrol.issues.categories import Source, category_of
from patrol.issues.doubts import SHOW_TROUBLE
from patrol.issues.history import ADD_PHOTOS, NewEntry, add_entry
from patrol.issues.lifecycle import ENDED, STATE_NAME, State
from patrol.issues.models import Issue, IssuePhoto
from patrol.issues.same_photos import hide_again
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.public.challenge import SPENT, Proof, refusal
from patrol.public.models import Complaint, ComplaintEntry, Rating, ReporterContact, SpentChallenge
from patrol.public.queries import contact_left_with, rating_of, was_spent
from patrol.public.tracking_codes import new_tracking_code

MOST_PHOTOS = 27
# Machines' clocks differ a little: a challenge that has just expired here may still be taken there.
KEPT_AFTER_EXPIRY = timedelta(hours=1)
_PRUNED_AT_ONCE = 50

_ENDED = Text("本件{state}，不能再补充照片；如有新情况请另行反映", "This complaint has ended ({state}): send a new one")
_TOO_MANY_PHOTOS = Text("一件最多 {most} 张照片", "A complaint has at most {most} photos")
_NOT_CLOSED = Text(
    "结案后才能评价，目前：{state}", "A result can be rated once it is closed; now it is: {state}"
)
_RATED = Text("您已经评价过本次办理结果，每次结案只能评价一次", "You have rated this result already; each can be rated once only")


@dataclass(frozen=True, kw_only=True)
class NewComplaint:
    """What a citizen sent; `reach_id` is set only where the board names the reach."""

    id: UUID
    category: str
    description: str
    position: Position
    recorded_at: datetime | None
    board_code: str | None
    reach_id: UUID | None
    contact: Mapping[str, str]
    photos: Sequence[StoredPhoto]
    digest: str


def send_complaint(
    new: NewComplaint, *, field_keys: Sequence[str], tolerance_m: float, timezone: str
) -> tuple[Complaint, Issue]:
    """Enter a complaint as an issue, with a fresh tracking code; the contact is sealed into a table of its own.

    Raises Invalid (422) for a category that citizens cannot choose.
    """
    category_of(new.category, public_caller=True)
    photos = [record_photo(stored, kind="before")[0] for stored in new.photos]
    issue, _ = report_issue(
        by=None, id=None, category=new.category, description=new.description, position=new.position,
        recorded_at=new.recorded_at, source=Source.CITIZEN, photos=photos, reach_id=new.reach_id, tolerance_m=tolerance_m,
        timezone=timezone, digest=new.digest,
    )  # fmt: skip
    complaint = Complaint(
        id=new.id, issue_id=issue.id, tracking_code=new_tracking_code(), board_code=new.board_code,
        received_at=clock.now(), digest=new.digest,
    )  # fmt: skip
    if new.contact:
        append(ReporterContact, {"complaint_id": new.id, "sealed": seal(new.contact, field_keys), "created_at": clock.now()})
    store(complaint)
    return complaint, issue


def spend(proof: Proof) -> None:
    """Note that a solution bought a write. Raises Invalid (422) when it has bought one before."""
    if was_spent(proof.signature):
        raise refusal(SPENT)
    db.session.add(SpentChallenge(signature=proof.signature, expires_at=proof.expires_at))
    expired = (
        select(SpentChallenge.signature).where(SpentChallenge.expires_at < clock.now() - KEPT_AFTER_EXPIRY)
        .limit(_PRUNED_AT_ONCE).with_for_update(skip_locked=True)
    )  # fmt: skip
    db.session.execute(delete(SpentChallenge).where(SpentChallenge.signature.in_(expired)))
    db.session.flush()


def refuse_more_photos(issue: Issue, digests: Sequence[str]) -> list[str]:
    """Return those of the digests that the issue does not have yet from a complainant or as it was reported.

    Raises Conflict (409) when the issue has ended, Invalid (422) when there would be too many.
    """
    had = {link.photo.sha256 for link in issue.photo_links}
    # A file that only the staff brought is not shown as the complainant's: it is kept once more.
    shown = {link.photo.sha256 for link in issue.photo_links if link.kind in SHOW_TROUBLE}
    new = [digest for digest in dict.fromkeys(digests) if digest not in shown]
    if new and issue.state in ENDED:
        raise Conflict(_ENDED.format(state=STATE_NAME[State(issue.state)]))
    refuse_too_many(had | set(new))
    return new


def refuse_too_many(digests: Collection[str]) -> None:
    """Raise Invalid (422) where an issue would have more photos than it may have, of which these are the digests."""
    if len(digests) > MOST_PHOTOS:
        words = _TOO_MANY_PHOTOS.format(most=MOST_PHOTOS)
        raise Invalid(words, errors={"photos": [words]})


def add_photos(complaint: Complaint, issue: Issue, stored: Sequence[StoredPhoto]) -> bool:
    """Put a complainant's later photos on the issue that tells how it stands, with an entry in its history; return whether any was new.

    The same photo again changes nothing. Raises as `refuse_more_photos` does.
    """
    by_digest = {photo.sha256: photo for photo in stored}
    wanted = refuse_more_photos(issue, list(by_digest))
    if not wanted:
        return False
    photos = [record_photo(by_digest[digest], kind="before")[0] for digest in wanted]
    entry = add_entry(
        issue, verb=ADD_PHOTOS, by=None, from_state=issue.state, photos=[(photo, "before") for photo in photos]
    )
    keep_whose(entry, complaint.id)
    for position, photo in enumerate(photos):
        db.session.add(IssuePhoto(issue_id=issue.id, photo_id=photo.id, kind="before", seq=entry.seq, position=position))
    db.session.flush()
    hide_again(issue)
    look_at_photos(issue)
    return True


def look_at_photos(issue: Issue) -> None:
    """Let the worker look at what a complainant brought later: a file that was there before is drawn no second time, which else leads to that."""
    outbox.put("issues.examine", issue_id=str(issue.id), tries=0)


def keep_whose(entry: NewEntry, complaint_id: UUID) -> None:
    """Keep which complaint an entry of a history came from, or answers."""
    db.session.add(ComplaintEntry(issue_id=entry.issue_id, seq=entry.seq, complaint_id=complaint_id))


def rate(complaint: Complaint, issue: Issue, *, satisfied: bool, score: int, comment: str | None) -> tuple[Rating, bool]:
    """Keep what the citizen says of the result; return it, and whether it is new. The same again changes nothing.

    Each closing has a rating of its own. Raises Conflict (409) while the issue is not closed, and for a second, other
    rating of the same closing.
    """
    known = rating_of(complaint, issue)
    if known is not None and known.closing == issue.reopened_times:
        if (known.satisfied, known.score, known.comment) != (satisfied, score, comment):
            raise Conflict(_RATED)
        return known, False
    if issue.state != State.CLOSED:
        raise Conflict(_NOT_CLOSED.format(state=STATE_NAME[State(issue.state)]))
    rating = Rating(
        id=new_id(), complaint_id=complaint.id, issue_id=issue.id, closing=issue.reopened_times, satisfied=satisfied, score=score,
        comment=comment, rated_at=clock.now(),
    )  # fmt: skip
    db.session.add(rating)
    db.session.flush()
    return rating, True


def reveal_contact(issue: Issue, *, by: Actor, reason: str, field_keys: Sequence[str]) -> dict[str, str | None]:
    """Return the contact of whoever complained, and write down who looked at it and why.

    Raises NotFound (404) when none was left.
    """
    contact = unseal(contact_left_with(issue.id).sealed, field_keys)
    note_audit(by, "reveal_reporter", str(issue.id), reason=reason)
    return {name: contact.get(name) for name in ("name", "phone", "email")}
