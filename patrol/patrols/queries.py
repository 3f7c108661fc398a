"""Reads of patrols and check-ins; every list starts from what the actor may see."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import joinedload, selectinload

from patrol.evidence.models import Photo
from patrol.evidence.visibility import photos_seen_through
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid, NotFound
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.texts import Text
from patrol.issues.models import Issue
from patrol.issues.origins import refuses_foreign_origin
from patrol.issues.queries import get_issue
from patrol.issues.queries import visible_to as visible_issues
from patrol.patrols.examination_models import NO_VERDICT, Examination, PatrolFinding
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol, PatrolReach
from patrol.people.actor import Actor
from patrol.people.permissions import Permission as P
from patrol.people.queries import region_with_code, regions_within

PATROLS_LATEST = Order("started", (Patrol.started_at, Patrol.id), descending=True)
CHECK_INS_LATEST = Order("recorded", (CheckIn.recorded_at, CheckIn.id), descending=True)
NO_PATROL = Text("没有这次巡河", "There is no such patrol")
_NO_CHECK_IN = Text("没有这次签到", "There is no such check-in")
_FOREIGN_PATROL = Text(
    "这次巡河不是您的：请改为您自己的巡河，或不填 patrol_id", "This patrol is somebody else's: name your own, or report without `patrol_id`"
)
_FOREIGN_CHECK_IN = Text(
    "这次签到不是您的：请改为您自己的签到，或不填 check_in_id", "This check-in is somebody else's: name your own, or report without `check_in_id`"
)
_BAD_PERSON = Text("person 应为 me 或人员编号", "person is `me` or an id")


def visible_patrols(actor: Actor, *, whole: bool = True) -> Select[Patrol]:
    """Select the patrols in the actor's subtree of regions, and their own; `whole` with person and reaches."""
    seen = select(Patrol).where(or_(Patrol.person_id == actor.person_id, Patrol.region_id.in_(regions_within(actor.region_path))))
    return seen.options(joinedload(Patrol.person), selectinload(Patrol.reaches), selectinload(Patrol.delegation)) if whole else seen


def visible_check_ins(actor: Actor) -> Select[CheckIn]:
    """Select the check-ins in the actor's subtree of regions, and their own."""
    return (
        select(CheckIn)
        .where(or_(CheckIn.person_id == actor.person_id, CheckIn.region_id.in_(regions_within(actor.region_path))))
        .options(joinedload(CheckIn.person), joinedload(CheckIn.reach), selectinload(CheckIn.photos))
    )


@photos_seen_through("check_ins")
def _photos_on_check_ins(actor: Actor) -> Select[UUID]:
    """Select the photos on visible check-ins; only those that the check-in's own person sent count as on it."""
    if not actor.may(P.SEE_PATROLS):
        return select(CheckInPhoto.photo_id).where(false())
    seen = visible_check_ins(actor).with_only_columns(CheckIn.id, maintain_column_froms=True).options()
    return (
        select(CheckInPhoto.photo_id)
        .join(CheckIn, CheckIn.id == CheckInPhoto.check_in_id)
        .join(Photo, (Photo.id == CheckInPhoto.photo_id) & (Photo.owner_id == CheckIn.person_id))
        .where(CheckIn.id.in_(seen))
    )


# A phone that was offline may send an issue before the patrol and the check-in on which it arose: an unknown id passes.
@refuses_foreign_origin("patrol_id")
def _refuse_foreign_patrol(actor: Actor, patrol_id: UUID) -> None:
    # In a phone's queue the session holds it.
    patrol = db.session.get(Patrol, patrol_id)
    if patrol is not None and patrol.person_id != actor.person_id:
        raise Invalid(_FOREIGN_PATROL, errors={"patrol_id": [_FOREIGN_PATROL]})


@refuses_foreign_origin("check_in_id")
def _refuse_foreign_check_in(actor: Actor, check_in_id: UUID) -> None:
    owner_id = db.session.scalar(select(CheckIn.person_id).where(CheckIn.id == check_in_id))
    if owner_id not in (None, actor.person_id):
        raise Invalid(_FOREIGN_CHECK_IN, errors={"check_in_id": [_FOREIGN_CHECK_IN]})


def origin_of(actor: Actor, issue_id: UUID) -> dict[str, dict[str, Any] | None]:
    """Return which `patrol` and `check_in` a visible issue names, each with whether the reporter's own is here. Raises NotFound (404)."""
    issue = get_issue(actor, issue_id)
    patrol = select(Patrol.id).where(Patrol.id == issue.patrol_id, Patrol.person_id == issue.reporter_id)
    check_in = select(CheckIn.id).where(CheckIn.id == issue.check_in_id, CheckIn.person_id == issue.reporter_id)
    here = db.session.execute(select(patrol.exists().label("patrol"), check_in.exists().label("check_in"))).one()
    named = {"patrol": issue.patrol_id, "check_in": issue.check_in_id}
    return {name: {"id": named_id, "here": bool(getattr(here, name))} if named_id else None for name, named_id in named.items()}


def list_patrols(
    actor: Actor, *, person: str | None, reach: UUID | None, region: str | None, after: datetime | None,
    before: datetime | None, verdict: str | None, finding: str | None, limit: int, cursor: str | None,
) -> Page[Patrol]:
    """List patrols, the latest first; `verdict` and the code `finding` are those of the latest examination, NO_VERDICT of none.

    Raises NotFound (404) for a region that is not.
    """
    statement = visible_patrols(actor)
    if verdict == NO_VERDICT:
        statement = statement.where(~select(Examination.patrol_id).where(Examination.patrol_id == Patrol.id).exists())
    elif verdict:
        statement = statement.where(Patrol.id.in_(select(Examination.patrol_id).where(Examination.verdict == verdict)))
    if finding:
        statement = statement.where(Patrol.id.in_(select(PatrolFinding.patrol_id).where(PatrolFinding.code == finding)))
    if person:
        statement = statement.where(Patrol.person_id == person_meant(person, actor))
    if reach:
        statement = statement.where(Patrol.id.in_(select(PatrolReach.patrol_id).where(PatrolReach.reach_id == reach)))
    if region:
        statement = statement.where(Patrol.region_id.in_(regions_within(region_with_code(region).path)))
    if after:
        statement = statement.where(Patrol.started_at >= after)
    if before:
        statement = statement.where(Patrol.started_at < before)
    return page_of(statement, PATROLS_LATEST, limit=limit, cursor=cursor)


def list_check_ins(
    actor: Actor, *, person: str | None, reach: UUID | None, region: str | None, patrol: UUID | None, after: datetime | None,
    before: datetime | None, limit: int, cursor: str | None,
) -> Page[CheckIn]:
    """List check-ins, the latest first. Raises NotFound (404) for a region that is not."""
    statement = visible_check_ins(actor)
    if person:
        statement = statement.where(CheckIn.person_id == person_meant(person, actor))
    if reach:
        statement = statement.where(CheckIn.reach_id == reach)
    if patrol:
        statement = statement.where(CheckIn.patrol_id == patrol)
    if region:
        statement = statement.where(CheckIn.region_id.in_(regions_within(region_with_code(region).path)))
    if after:
        statement = statement.where(CheckIn.recorded_at >= after)
    if before:
        statement = statement.where(CheckIn.recorded_at < before)
    return page_of(statement, CHECK_INS_LATEST, limit=limit, cursor=cursor)


def get_patrol(actor: Actor, patrol_id: UUID, *, lock: bool = False) -> Patrol:
    """Return a visible patrol. Raises NotFound (404)."""
    statement = visible_patrols(actor).where(Patrol.id == patrol_id)
    if lock:
        statement = statement.with_for_update(of=Patrol).execution_options(populate_existing=True)
    patrol = db.session.scalar(statement)
    if patrol is None:
        raise NotFound(NO_PATROL)
    return patrol


def get_check_in(actor: Actor, check_in_id: UUID) -> CheckIn:
    """Return a visible check-in with what its answer shows. Raises NotFound (404)."""
    statement = visible_check_ins(actor).where(CheckIn.id == check_in_id).execution_options(populate_existing=True)
    row = db.session.scalar(statement)
    if row is None:
        raise NotFound(_NO_CHECK_IN)
    return row


def issues_of_patrol(actor: Actor, patrol_id: UUID) -> Sequence[Any]:
    """Return the visible issues raised on a patrol: id, number's parts, state."""
    return db.session.scalars(visible_issues(actor).where(Issue.patrol_id == patrol_id).order_by(Issue.received_at)).unique().all()


def person_meant(text: str | None, actor: Actor) -> UUID | None:
    """Return whom `me` or an id means, None when nothing is said. Raises Invalid (422) for other words."""
    if text is None or text == "me":
        return actor.person_id if text else None
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(_BAD_PERSON, errors={"person": [_BAD_PERSON]}) from error
