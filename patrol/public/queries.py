"""Reads for callers without an account, and of what they left."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from patrol.evidence.models import Photo
from patrol.foundation.database import among_ids, db, ids_as_text
from patrol.foundation.errors import Conflict, Invalid, NotFound
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.foundation.postgresql import planned_once
from patrol.foundation.texts import Text
from patrol.issues.following import counts_followers
from patrol.issues.models import HistoryEntry, Issue, IssuePhoto
from patrol.people.models import Person
from patrol.public.models import (
    Complaint,
    ComplaintEntry,
    Follow,
    Rating,
    ReopeningRequest,
    ReporterContact,
    SpentChallenge,
)
from patrol.public.open311_queries import request_with_number
from patrol.public.progress import Said, came_with, is_open_photo, may_see_photo, parts_of_public_photos
from patrol.public.subscription_models import Notice, Subscription
from patrol.public.tracking_codes import read_tracking_code
from patrol.waters.models import Reach, Signboard

NO_COMPLAINT = Text("没有这个查询码，请核对后再试", "There is no complaint with this tracking code: check it and try again")
_NO_PHOTO = Text("没有这张照片", "There is no such photo")
_NO_BOARD = Text("没有编号为 {code} 的公示牌", "There is no signboard with the code {code}")
_NO_COMPLAINT_HERE = Text("该问题不是由公众投诉而来", "This issue came from no complaint")
_NO_CONTACT = Text("该问题没有留下联系方式", "No contact was left with this issue")

_FOLLOWS_ONLY = Text(
    "这是关注者的查询码，只能查看进度；补充照片、评价和反映未整改到位由反映人提出。您有新情况，请另行反映",
    "This is a follower's code, which shows the progress only: photos, a rating and \"not fixed\" are for whoever reported it. If you have seen "
    "something new, send a complaint of your own",
)
_reported = aliased(Issue)
_COMPLAINT_STAYS = Text(
    "这是反映人的查询码：能取消的只有关注，反映不能撤回。不想再收到消息，请点消息中的退订链接",
    "This is the code of whoever reported it: only following can be taken back, a report cannot be withdrawn. For no more messages, use the link "
    "in one of them that ends them",
)
FOLLOWERS = (
    select(func.count(Follow.id)).join(_reported, _reported.id == Follow.issue_id)
    .where(or_(_reported.id == Issue.id, _reported.merged_into_id == Issue.id), Follow.withdrawn_at.is_(None))
    .correlate(Issue).scalar_subquery()
)  # fmt: skip
"""How many say "me too" of the issue in the statement around it, or of what was merged into it."""


def complaint_with_id(complaint_id: UUID) -> Complaint | None:
    """Return the complaint that a client sent under this id."""
    return db.session.get(Complaint, complaint_id)


def complaint_with_code(typed: str) -> Complaint:
    """Return the complaint whose tracking code somebody typed.

    Raises NotFound (404), which says nothing more, and Conflict (409) for the code of a follower.
    """
    code = read_tracking_code(typed)
    complaint = db.session.scalar(select(Complaint).where(Complaint.tracking_code == code)) if code else None
    if complaint is None:
        if code and db.session.scalar(_followed(code)) is not None:
            raise Conflict(_FOLLOWS_ONLY)
        raise NotFound(NO_COMPLAINT)
    return complaint


def case_with_code(typed: str) -> Complaint | Follow:
    """Return the complaint, or the follow of somebody else's, whose tracking code somebody typed. Raises NotFound (404)."""
    code = read_tracking_code(typed)
    follow = db.session.scalar(_followed(code)) if code else None
    return follow or complaint_with_code(typed)


def follow_with_code(typed: str) -> Follow:
    """Return the follow whose tracking code somebody typed, locked.

    Raises NotFound (404), also for what is withdrawn, and Conflict (409) for the code of a complaint.
    """
    code = read_tracking_code(typed)
    follow = db.session.scalar(_followed(code).with_for_update()) if code else None
    if follow is None:
        if code and db.session.scalar(select(Complaint.id).where(Complaint.tracking_code == code)) is not None:
            raise Conflict(_COMPLAINT_STAYS)
        raise NotFound(NO_COMPLAINT)
    return follow


def _followed(code: str) -> Select[Follow]:
    return select(Follow).where(Follow.tracking_code == code, Follow.withdrawn_at.is_(None))


def issue_of(complaint: Complaint | Follow, *, lock: bool = False) -> Issue:
    """Return the issue that tells how a complaint stands: its own, or the original when that was merged.

    With what `progress_of` shows; `lock` keeps others from changing it meanwhile.
    """
    tells = select(func.coalesce(Issue.merged_into_id, Issue.id)).where(Issue.id == complaint.issue_id).scalar_subquery()
    statement = select(Issue).where(Issue.id == tells)
    if lock:
        db.session.scalars(statement.with_for_update(of=Issue)).one()
    loaded = statement.options(
        joinedload(Issue.reach), joinedload(Issue.lead).joinedload(Person.region),
        selectinload(Issue.photo_links).options(joinedload(IssuePhoto.photo), *parts_of_public_photos()),
    ).execution_options(populate_existing=True)  # fmt: skip
    return db.session.scalars(loaded).one()


def own_issue_of(complaint: Complaint | Follow) -> Issue:
    """Return the issue that a complaint made, or that is followed, merged or not, with its photos."""
    return db.session.scalars(
        select(Issue).where(Issue.id == complaint.issue_id).options(selectinload(Issue.photo_links).joinedload(IssuePhoto.photo))
    ).one()


def rating_of(complaint: Complaint, issue: Issue) -> Rating | None:
    """Return what the citizen said of the issue's latest result that was rated, if anything yet."""
    return db.session.scalars(
        select(Rating).where(Rating.complaint_id == complaint.id, Rating.issue_id == issue.id).order_by(Rating.closing.desc()).limit(1)
    ).first()


@counts_followers
def followers_by_issue(issue_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return by id how many say "me too" of each of these issues, or of what was merged into it. One statement."""
    dialect, wanted = db.engine.dialect.name, set(issue_ids)
    found = dict.fromkeys(wanted, 0)
    for issue_id, original_id, number in db.session.execute(_followed_among(dialect), {"ids": ids_as_text(wanted, dialect)}):
        for told in wanted.intersection((issue_id, original_id)):
            found[told] += number
    return found


@cache
def _followed_among(dialect: str) -> Select[UUID, UUID | None, int]:
    named = or_(among_ids(Issue.id, dialect), among_ids(Issue.merged_into_id, dialect))
    counted = select(Issue.id, Issue.merged_into_id, func.count(Follow.id)).join(Follow, Follow.issue_id == Issue.id)
    return planned_once(counted.where(named, Follow.withdrawn_at.is_(None)).group_by(Issue.id, Issue.merged_into_id))


def followers_of(issue: Issue) -> int:
    """Count who says "me too" of an issue, or of what was merged into it, and has not withdrawn."""
    return db.session.scalar(select(FOLLOWERS).select_from(Issue).where(Issue.id == issue.id)) or 0


def reopening_of(complaint: Complaint, issue: Issue) -> ReopeningRequest | None:
    """Return the complainant's latest "not fixed" on this issue, if it was said."""
    return db.session.scalars(
        select(ReopeningRequest).where(ReopeningRequest.complaint_id == complaint.id, ReopeningRequest.issue_id == issue.id)
        .order_by(ReopeningRequest.closing.desc()).limit(1)
    ).first()  # fmt: skip


def said_on(complaint: Complaint | Follow, issues: Sequence[Issue]) -> Said:
    """Return whose each entry on `issues` is that came from a complaint, and what this one's holder did, wherever it stands."""
    by: dict[tuple[UUID, int], UUID] = {
        (row.issue_id, row.seq): row.complaint_id
        for row in db.session.scalars(select(ComplaintEntry).where(ComplaintEntry.issue_id.in_([issue.id for issue in issues])))
    }
    entries = db.session.scalars(
        select(HistoryEntry).join(ComplaintEntry, _whose(HistoryEntry)).where(ComplaintEntry.complaint_id == complaint.id)
        .order_by(HistoryEntry.at, HistoryEntry.seq)
    ).all()  # fmt: skip
    photos = db.session.scalars(
        select(IssuePhoto).join(ComplaintEntry, _whose(IssuePhoto)).where(ComplaintEntry.complaint_id == complaint.id)
        .options(joinedload(IssuePhoto.photo)).order_by(IssuePhoto.issue_id, IssuePhoto.seq, IssuePhoto.position)
    ).all()  # fmt: skip
    return Said(by | {(entry.issue_id, entry.seq): complaint.id for entry in entries}, entries, photos)


def _whose(row: type[HistoryEntry] | type[IssuePhoto]) -> ColumnElement[bool]:
    """Join an entry, or the photos that it brought, with the complaint from which it came."""
    return (ComplaintEntry.issue_id == row.issue_id) & (ComplaintEntry.seq == row.seq)


def merged_at(complaint: Complaint, issue: Issue) -> datetime | None:
    """Return since when `issue` tells how a complaint stands, because its own was merged into it; None for its own."""
    if complaint.issue_id == issue.id:
        return None
    return db.session.scalar(select(Issue.merged_at).where(Issue.id == complaint.issue_id))


def case_of(issue_id: UUID) -> dict[str, Any]:
    """Return what a case worker reads of the complaint behind an issue. Raises NotFound (404) when there is none.

    The ratings are those of all who complained of it, merged complaints included. What the staff reported has only
    these, once somebody whose complaint was merged into it has rated it.
    """
    complaint = db.session.scalar(select(Complaint).where(Complaint.issue_id == issue_id))
    ratings = db.session.scalars(
        select(Rating).where(Rating.issue_id == issue_id).order_by(Rating.closing.desc(), Rating.rated_at.desc())
    ).all()
    if complaint is None:
        if not ratings:
            raise NotFound(_NO_COMPLAINT_HERE)
        untold = {"sent": 0, "waiting": 0, "stuck": 0}
        return {"received_at": None, "board_code": None, "has_contact": False, "ratings": ratings, "messages": untold}
    contact = db.session.scalar(select(ReporterContact.complaint_id).where(ReporterContact.complaint_id == complaint.id))
    return {
        "received_at": complaint.received_at, "board_code": complaint.board_code, "has_contact": contact is not None,
        "ratings": ratings, "messages": _messages_to(complaint),
    }  # fmt: skip


def _messages_to(complaint: Complaint) -> dict[str, int]:
    """Count what a complainant was told, what waits to be told, and what waits in vain."""
    given_up = Notice.sent_at.is_(None) & (OutboxRow.attempts >= MOST_ATTEMPTS)
    sent, stuck, total = db.session.execute(
        select(func.count(Notice.sent_at), func.count().filter(given_up), func.count())
        .select_from(Notice).join(OutboxRow, OutboxRow.id == Notice.outbox_id)
        .join(Subscription, Subscription.id == Notice.subscription_id).where(Subscription.complaint_id == complaint.id)
    ).one()  # fmt: skip
    return {"sent": sent, "waiting": total - sent - stuck, "stuck": stuck}


def photo_of(complaint: Complaint | Follow, photo_id: UUID) -> Photo:
    """Return a photo that the complainant may see now. Raises NotFound (404) for all others."""
    merged_into = select(Issue.merged_into_id).where(Issue.id == complaint.issue_id).scalar_subquery()
    # What the complainant brought while the own issue was merged stays on the original.
    brought = select(ComplaintEntry.seq).where(_whose(IssuePhoto), ComplaintEntry.complaint_id == complaint.id).exists()
    rows = db.session.execute(
        select(IssuePhoto, Issue.state, brought)
        .join(Issue, Issue.id == IssuePhoto.issue_id)
        .where(or_(IssuePhoto.issue_id == complaint.issue_id, IssuePhoto.issue_id == merged_into, brought), IssuePhoto.photo_id == photo_id)
        .options(joinedload(IssuePhoto.photo), *parts_of_public_photos())
    ).all()  # fmt: skip
    seen = [link for link, state, own in rows if may_see_photo(link, state, own=own or came_with(link, complaint))]
    # One photo may be on the own issue and on the original: taken from the public on either, it is shown through neither.
    if not seen or any(link.hidden_seq is not None for link, _, _ in rows):
        raise NotFound(_NO_PHOTO)
    return seen[0].photo


def photo_open_to_all(number: str, photo_id: UUID) -> Photo:
    """Return a photo of an issue that everybody may read. Raises NotFound (404) for all others."""
    issue = request_with_number(number)
    for link in issue.photo_links:
        if link.photo_id == photo_id and is_open_photo(link, issue.state):
            return link.photo
    raise NotFound(_NO_PHOTO)


def was_spent(signature: str) -> bool:
    """Tell whether the challenge with this signature has bought a write."""
    return db.session.get(SpentChallenge, signature) is not None


def board_with_code(code: str, *, field: str | None = None) -> Signboard:
    """Return a signboard with its reach, water body and region.

    Raises NotFound (404), or Invalid (422) at `field` where the code is only a part of what was sent.
    """
    # Two boards may have codes that differ by case only: the code as it stands in a QR code is that of the one.
    board = db.session.scalar(
        select(Signboard).where(func.upper(Signboard.code) == code.strip().upper()).options(
            joinedload(Signboard.reach).options(joinedload(Reach.water_body), joinedload(Reach.region))
        ).order_by(Signboard.code != code.strip(), Signboard.code).limit(1)
    )  # fmt: skip
    if board is None:
        words = _NO_BOARD.format(code=code)
        raise Invalid(words, errors={field: [words]}) if field else NotFound(words)
    return board


def contact_left_with(issue_id: UUID) -> ReporterContact:
    """Return the sealed contact of whoever complained. Raises NotFound (404) when none was left."""
    contact = db.session.scalar(
        select(ReporterContact).join(Complaint, Complaint.id == ReporterContact.complaint_id).where(Complaint.issue_id == issue_id)
    )
    if contact is None:
        raise NotFound(_NO_CONTACT)
    return contact
