"""Reads of spot checks, draws and watch lists; each starts from what the actor may see."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import joinedload, selectinload

from patrol.evidence.visibility import photos_seen_through
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.texts import Text
from patrol.issues.accusations import CHARGES
from patrol.issues.case_file import tells_spot_checks
from patrol.issues.due import CLOCK_RUNS
from patrol.issues.listing import OtherList, register_list
from patrol.issues.models import Issue
from patrol.issues.queries import scope, visible_to
from patrol.issues.role_lists import ListRow
from patrol.people.actor import Actor
from patrol.people.permissions import Permission as P
from patrol.people.queries import region_with_code, regions_within
from patrol.supervision.models import Draw, SpotCheck, SpotCheckPhoto, Watch
from patrol.supervision.reasons import reason_in_both
from patrol.waters.models import Reach

SOONEST = Order("soonest", (SpotCheck.due_on, SpotCheck.id))
NEWEST_DRAWS = Order("newest", (Draw.drawn_at, Draw.id), descending=True)
NEWEST_WATCHES = Order("newest", (Watch.created_at, Watch.id), descending=True)
_NO_CHECK = Text("没有这次抽查", "There is no such spot check")


def visible_checks(actor: Actor) -> Select[SpotCheck]:
    """Select the spot checks in the actor's subtree of regions, without those of issues that the actor may not see."""
    return (
        select(SpotCheck).where(*_seen(actor))
        .options(joinedload(SpotCheck.region), joinedload(SpotCheck.reach), joinedload(SpotCheck.issue),
                 joinedload(SpotCheck.assigned_to), joinedload(SpotCheck.done_by), selectinload(SpotCheck.photos))
    )  # fmt: skip


def _seen(actor: Actor) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    visible = visible_to(actor).where(Issue.id == SpotCheck.issue_id).correlate(SpotCheck).exists()
    return SpotCheck.region_id.in_(regions_within(actor.region_path)), SpotCheck.issue_id.is_(None) | visible


@photos_seen_through("spot_checks")
def _photos_on_checks(actor: Actor) -> Select[UUID]:
    """Select the photos of visible spot checks; who may not see spot checks sees none."""
    if not actor.may(P.SEE_SPOT_CHECKS):
        return select(SpotCheckPhoto.photo_id).where(false())
    photos = select(SpotCheckPhoto.photo_id).join(SpotCheck, SpotCheck.id == SpotCheckPhoto.spot_check_id)
    return photos.where(*_seen(actor))


@tells_spot_checks
def spot_checks_of(issue_id: UUID) -> list[dict[str, Any]]:
    """Return the spot checks that were done on an issue, the oldest first, as its case file holds them."""
    done = (
        select(SpotCheck).where(SpotCheck.issue_id == issue_id, SpotCheck.state == "done")
        .order_by(SpotCheck.done_at, SpotCheck.id).options(joinedload(SpotCheck.done_by), selectinload(SpotCheck.photos))
    )  # fmt: skip
    return [{
        "id": str(check.id), "kind": check.kind, "reason": check.reason, "reason_en": reason_in_both(check).en,
        "due_on": check.due_on.isoformat(), "result": check.result,
        "sheet": check.sheet or {}, "note": check.note, "distance_m": check.distance_m,
        "done_at": check.done_at.isoformat() if check.done_at else None, "done_by": check.done_by.name if check.done_by else None,
        "photos": [str(photo.photo_id) for photo in check.photos],
    } for check in db.session.scalars(done)]  # fmt: skip


def _ids_of_look_backs(actor: Actor) -> Select[UUID]:
    return select(SpotCheck.id).where(SpotCheck.kind == "look_back", SpotCheck.state == "open", *_seen(actor))


def _ids_of_watches(actor: Actor) -> Select[UUID]:
    return select(Watch.id).where(Watch.person_id == actor.person_id)


register_list("look_backs", OtherList(
    ListRow(
        Text("待回头看", "Look-backs to do"),
        Text("辖区内抽中、尚未到现场核查的结案问题", "Closed issues of your area that were drawn and nobody has looked at on the spot yet"),
        frozenset({P.DO_SPOT_CHECKS}),
    ),
    "/api/v1/spot-checks", "kind=look_back&state=open", _ids_of_look_backs,
))  # fmt: skip
register_list("watch_list", OtherList(
    ListRow(Text("我的关注", "What I watch"), Text("您关注的问题和河段", "The issues and reaches that you watch"), frozenset({P.WATCH})),
    "/api/v1/watch-list", "", _ids_of_watches,
))  # fmt: skip


def list_checks(
    actor: Actor, *, state: str | None, kind: str | None, region: str | None, reach: UUID | None, issue: UUID | None,
    assigned_to: UUID | None, overdue: bool | None, today: date, limit: int, cursor: str | None,
) -> Page[SpotCheck]:  # fmt: skip
    """List spot checks, the soonest due first. Raises NotFound (404) for a region that is not."""
    statement = visible_checks(actor)
    wanted: list[tuple[Any, ColumnElement[bool]]] = [
        (state, SpotCheck.state == state), (kind, SpotCheck.kind == kind), (reach, SpotCheck.reach_id == reach),
        (issue, SpotCheck.issue_id == issue), (assigned_to, SpotCheck.assigned_to_id == assigned_to),
    ]  # fmt: skip
    for value, condition in wanted:
        if value is not None:
            statement = statement.where(condition)
    if region:
        statement = statement.where(SpotCheck.region_id.in_(regions_within(region_with_code(region).path)))
    if overdue is not None:
        late = (SpotCheck.state == "open") & (SpotCheck.due_on < today)
        statement = statement.where(late if overdue else ~late)
    return page_of(statement, SOONEST, limit=limit, cursor=cursor)


def get_check(actor: Actor, check_id: UUID, *, lock: bool = False) -> SpotCheck:
    """Return a visible spot check. Raises NotFound (404)."""
    statement = visible_checks(actor).where(SpotCheck.id == check_id)
    if lock:
        statement = statement.with_for_update(of=SpotCheck).execution_options(populate_existing=True)
    check = db.session.scalar(statement)
    if check is None:
        raise NotFound(_NO_CHECK)
    return check


def same_open_check(actor: Actor, issue_id: UUID, assigned_to: UUID | None) -> SpotCheck | None:
    """Return the check of an issue that somebody chose, for the same person or for nobody in particular, and that is still open."""
    same = (SpotCheck.issue_id == issue_id, SpotCheck.kind == "chosen", SpotCheck.state == "open", SpotCheck.assigned_to_id.is_not_distinct_from(assigned_to))
    return db.session.scalars(visible_checks(actor).where(*same).order_by(SpotCheck.created_at, SpotCheck.id).limit(1)).first()


def list_draws(actor: Actor, *, limit: int, cursor: str | None) -> Page[Draw]:
    """List the drawings of one's area, and the daily ones of look-backs, the newest first."""
    here = Draw.region_id.is_(None) | Draw.region_id.in_(regions_within(actor.region_path))
    return page_of(select(Draw).where(here), NEWEST_DRAWS, limit=limit, cursor=cursor)


def signs_of_reaches(region_path: str) -> dict[UUID, dict[str, int]]:
    """Return for each reach in use of a subtree how often each sign of risk occurred (`risk.SIGNS`); five statements.

    Charges against chiefs are no signs: why a reach was drawn is read by its own office, and the accused may be of it.
    """
    since, now = clock.now() - timedelta(days=90), clock.now()
    reach_ids = db.session.scalars(
        select(Reach.id).where(Reach.region_id.in_(regions_within(region_path)), Reach.retired_at.is_(None))
    ).all()
    found: dict[UUID, dict[str, int]] = {reach_id: defaultdict(int) for reach_id in reach_ids}
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "reopened": [Issue.reopened_times > 0, Issue.received_at >= since],
        "returned": [Issue.returned_times > 0, Issue.received_at >= since],
        "overdue": [Issue.state.in_([state.value for state in CLOCK_RUNS]), Issue.due_at <= now],
        "complaints": [Issue.source == "citizen", Issue.received_at >= since],
    }
    for code, narrowed in conditions.items():
        rows = db.session.execute(
            select(Issue.reach_id, func.count())
            .where(Issue.region_id.in_(regions_within(region_path)), Issue.category.not_in(CHARGES), *narrowed).group_by(Issue.reach_id)
        )
        for reach_id, count in rows:
            if reach_id in found:
                found[reach_id][code] = count
    return {reach_id: dict(counts) for reach_id, counts in found.items()}


def list_watches(actor: Actor, *, limit: int, cursor: str | None) -> Page[Watch]:
    """List what one watches, the newest first."""
    return page_of(select(Watch).where(Watch.person_id == actor.person_id), NEWEST_WATCHES, limit=limit, cursor=cursor)


def watch_of(actor: Actor, subject_id: UUID) -> Watch | None:
    """Return one's watch over a subject, if any."""
    return db.session.scalar(select(Watch).where(Watch.person_id == actor.person_id, Watch.subject_id == subject_id))


def overdue_on(reach_ids: Sequence[UUID], actor: Actor) -> dict[UUID, tuple[int, int]]:
    """Return for each reach how many of its issues that the actor may see are open, and how many of these are overdue."""
    seen = scope(actor)
    rows = db.session.execute(
        select(Issue.reach_id, func.count(), func.count().filter(Issue.due_at <= clock.now()))
        .where(Issue.reach_id.in_(reach_ids), Issue.state.in_([state.value for state in CLOCK_RUNS]), *([] if seen is None else [seen]))
        .group_by(Issue.reach_id)
    )  # fmt: skip
    return {reach_id: (open_ones, late) for reach_id, open_ones, late in rows if reach_id}
