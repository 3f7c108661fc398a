"""Reads for Open311: what everybody may see as a service request, whose key it is, which reach an address names."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, literal, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from patrol.foundation.database import db
from patrol.foundation.errors import NotAllowed, NotFound
from patrol.foundation.texts import Text
from patrol.issues.lifecycle import ENDED, STEPS, Verb
from patrol.issues.models import HistoryEntry, Issue, IssuePhoto
from patrol.people.tokens import digest_of
from patrol.public.models import Complaint, PartnerComplaint, PartnerKey, PartnerUpdate
from patrol.public.open311_services import LISTED, service_with_code
from patrol.public.progress import parts_of_public_photos
from patrol.waters.models import Reach

_WRONG_KEY = Text("api_key 无效", "The api_key is not valid")
_NO_REQUEST = Text("没有这个请求：{number}", "There is no service request {number}")
_TOLD = tuple(dict.fromkeys(step.verb.value for step in STEPS))
_PREFIX, _LONGEST_SERIAL = "XH", 18


def partner_with_key(key: str | None) -> PartnerKey | None:
    """Return whose key it is, None without one. Raises NotAllowed (403) for one that is unknown or revoked."""
    if not key:
        return None
    found = db.session.scalar(select(PartnerKey).where(PartnerKey.digest == digest_of(key), PartnerKey.revoked_at.is_(None)))
    if found is None:
        raise NotAllowed(_WRONG_KEY)
    return found


def open_to_all() -> Select[Issue]:
    """Select the issues that everybody may read: those of services whose requests are shown."""
    return select(Issue).where(Issue.category.in_(LISTED))


def list_requests(
    *, between: tuple[datetime, datetime], services: Collection[str], statuses: Collection[str], page: int, page_size: int
) -> Sequence[Issue]:
    """Return one page of the requests that came within a range and pass, the newest first.

    Raises NotFound (404) for a service that is not. Pages are numbered because the clients' extension numbers them; the
    range keeps them few.
    """
    statement = open_to_all().where(Issue.received_at.between(*between))
    if services:
        statement = statement.where(Issue.category.in_([service_with_code(code).code for code in services]))
    if len(set(statuses)) == 1:
        ended = Issue.state.in_(ENDED)
        statement = statement.where(ended if "closed" in statuses else ~ended)
    statement = statement.order_by(Issue.received_at.desc(), Issue.id.desc()).limit(page_size).offset((page - 1) * page_size)
    return db.session.scalars(_with_parts(statement)).all()


def requests_with_numbers(numbers: Collection[str]) -> Sequence[Issue]:
    """Return those requests among `numbers` that everybody may read, the newest first; the others are passed over."""
    serials = [serial for number in numbers if (serial := _serial_of(number)) is not None]
    statement = open_to_all().where(Issue.serial.in_(serials)).order_by(Issue.received_at.desc(), Issue.id.desc())
    return db.session.scalars(_with_parts(statement)).all() if serials else []


def request_with_number(number: str) -> Issue:
    """Return one request that everybody may read. Raises NotFound (404)."""
    serial = _serial_of(number)
    statement = _with_parts(open_to_all().where(Issue.serial == serial)).execution_options(populate_existing=True)
    issue = db.session.scalar(statement) if serial is not None else None
    if issue is None:
        raise NotFound(_NO_REQUEST.format(number=number))
    return issue


def telling(issue: Issue) -> Issue:
    """Return, locked, what tells how a request stands: itself, or the original into which it was merged."""
    tells = select(func.coalesce(Issue.merged_into_id, Issue.id)).where(Issue.id == issue.id).scalar_subquery()
    statement = select(Issue).where(Issue.id == tells).with_for_update(of=Issue).execution_options(populate_existing=True)
    return db.session.scalars(statement).one()


def _serial_of(number: str) -> int | None:
    digits = number.strip().upper().removeprefix(_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_SERIAL else None


def _with_parts(statement: Select[Issue]) -> Select[Issue]:
    return statement.options(
        joinedload(Issue.reach).load_only(Reach.name), selectinload(Issue.merged_into).load_only(Issue.serial),
        selectinload(Issue.photo_links).options(joinedload(IssuePhoto.photo), *parts_of_public_photos()),
    )


def request_under(complaint_id: UUID) -> tuple[datetime, bool] | None:
    """Return when a complaint with this id came and whether its issue is open; None when there is none."""
    found = db.session.execute(
        select(Complaint.received_at, Issue.state).join(Issue, Issue.id == Complaint.issue_id).where(Complaint.id == complaint_id)
    ).first()
    return None if found is None else (found[0], found[1] not in ENDED)


def last_entries(issues: Sequence[Issue]) -> Mapping[UUID, tuple[datetime, str | None]]:
    """Return the moment of the last entry in each issue's history and the ground of its last rejection, by the issue's id."""
    is_last = and_(HistoryEntry.issue_id == Issue.id, HistoryEntry.seq == Issue.version)
    rejected = aliased(HistoryEntry)
    # What is noted after a rejection (a hand-over, a partner's word) must not hide why it was rejected.
    ground = (
        select(rejected.ground).where(rejected.issue_id == Issue.id, rejected.verb == Verb.REJECT.value)
        .order_by(rejected.seq.desc()).limit(1).correlate(Issue).scalar_subquery()
    )  # fmt: skip
    rows = db.session.execute(
        select(Issue.id, HistoryEntry.at, ground).join(HistoryEntry, is_last).where(Issue.id.in_([i.id for i in issues]))
    )
    return {issue_id: (at, ground) for issue_id, at, ground in rows}


def sent_by(partner: PartnerKey | None, issues: Sequence[Issue]) -> set[UUID]:
    """Return the ids of those issues that came by the partner's key."""
    if partner is None:
        return set()
    return set(db.session.scalars(
        select(Complaint.issue_id).join(PartnerComplaint, PartnerComplaint.complaint_id == Complaint.id)
        .where(PartnerComplaint.key_id == partner.id, Complaint.issue_id.in_([issue.id for issue in issues]))
    ))  # fmt: skip


def list_updates(*, between: tuple[datetime, datetime], page: int, page_size: int) -> Sequence[Any]:
    """Return the steps within a range, the oldest first, each with its issue's running number, its present state, and which photo proves a cure.

    What partners and complainants said themselves is not among them, so that no partner reads its own words again.
    """
    proof = (
        select(IssuePhoto.photo_id)
        .where(IssuePhoto.issue_id == HistoryEntry.issue_id, IssuePhoto.seq == HistoryEntry.seq, IssuePhoto.kind == "after", ~IssuePhoto.is_refused)
        .where(IssuePhoto.hidden_seq.is_(None))
        .order_by(IssuePhoto.position).limit(1).correlate(HistoryEntry).scalar_subquery()
    )  # fmt: skip
    return db.session.execute(
        select(HistoryEntry, Issue.serial, Issue.state, proof).join(Issue, Issue.id == HistoryEntry.issue_id)
        .where(Issue.category.in_(LISTED), HistoryEntry.at.between(*between), HistoryEntry.verb.in_(_TOLD))
        .order_by(HistoryEntry.at, HistoryEntry.id).limit(page_size).offset((page - 1) * page_size)
    ).all()  # fmt: skip


def update_known(partner: PartnerKey, update_id: str) -> PartnerUpdate | None:
    """Return the update that a partner sent under its own id."""
    return db.session.scalar(
        select(PartnerUpdate).where(PartnerUpdate.key_id == partner.id, PartnerUpdate.update_id == update_id)
    )


def reach_named_in(address: str) -> Reach | None:
    """Return the reach whose name is the longest that occurs in an address; None when there is none, or two alike."""
    rows = db.session.scalars(
        select(Reach).where(Reach.retired_at.is_(None), Reach.name != "", literal(address).contains(Reach.name))
        .order_by(func.length(Reach.name).desc(), Reach.id).limit(2)
    ).all()  # fmt: skip
    return rows[0] if rows and (len(rows) == 1 or len(rows[0].name) > len(rows[1].name)) else None
