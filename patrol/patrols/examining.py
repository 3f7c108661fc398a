"""The worker's look at a patrol: coverage, findings and verdict are reckoned from what is stored, again whenever it changes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, union_all
from sqlalchemy.orm import selectinload

from patrol.evidence.events import PhotoDerived, PhotoReceived
from patrol.evidence.models import Photo
from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.foundation.transaction import transaction
from patrol.issues.events import BecameCharge, IssueReported
from patrol.issues.models import Issue, IssuePhoto
from patrol.patrols.checkpoint_models import CheckpointAnswer
from patrol.patrols.events import (
    CheckedIn,
    CheckpointAnswered,
    FindingJudged,
    PatrolEnded,
    PatrolPaused,
    ReceiverMarked,
    TrackArrived,
)
from patrol.patrols.examination import Examined, examine_facts
from patrol.patrols.examination_actions import keep_examination
from patrol.patrols.examination_input import IDENTITY, ExaminationInput, has_name, input_of, is_name_of_many
from patrol.patrols.examination_models import Examination, PatrolFinding
from patrol.patrols.fact_queries import facts_of
from patrol.patrols.facts import PatrolFacts
from patrol.patrols.integrity import MISLABELLED, SHARED_DEVICE
from patrol.patrols.mark_queries import alike_after, alike_before, keep_marks
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol
from patrol.patrols.photo_sightings import shown_again
from patrol.patrols.track_models import TrackBatch

EXAMINE = "patrols.examine"
AT_ONCE = 200


def examined_now(given: ExaminationInput) -> Examined:
    """Return what the examination of a patrol says by what is stored now; nothing is written."""
    return _examined(given, facts_of(given, now=clock.now()))


def _examined(given: ExaminationInput, facts: PatrolFacts) -> Examined:
    repaired = MISLABELLED if given.accepts_repair else None
    return examine_facts(facts, given.policy.thresholds, given.judged, repaired=repaired)


@outbox.delivers(EXAMINE)
def examine_patrol(payload: dict[str, Any]) -> outbox.Write:
    """Examine a patrol that has ended; nothing is written where nothing that goes in has changed, unless it is to be `again`."""
    return _examination(UUID(payload["patrol_id"]), tries=payload.get("tries", 0), again=payload.get("again", False))


def _examination(patrol_id: UUID, *, tries: int = 0, again: bool = False) -> outbox.Write:
    patrol = _with_reaches(patrol_id)
    if patrol is None or patrol.ended_at is None:
        return _nothing
    given = input_of(patrol, timezone=clock.home_timezone())
    digest = given.digest
    known = db.session.scalar(select(Examination.input_hash).where(Examination.patrol_id == patrol_id))
    # Of a purged track nobody can reckon anything any more: what was found of it stays.
    if given.purged or (known == digest and not again):
        return _nothing
    facts = facts_of(given, now=clock.now())
    examined = _examined(given, facts)

    def write() -> None:
        row = _with_reaches(patrol_id, lock=True)
        there = input_of(row, timezone=clock.home_timezone()) if row else None
        if row is None or there is None or there.purged:
            return
        if there.digest != digest:
            if tries < outbox.MOST_ATTEMPTS:
                outbox.put(EXAMINE, patrol_id=str(patrol_id), tries=tries + 1, again=again)
            return
        keep_examination(row, given, digest, examined)
        _ask_for_copies(row, facts, tries=tries)
        if known == digest:
            # Nothing of this patrol is new to any other: many that come back at once would ask for each other without end.
            return
        _put_once(shown_again(given.patrol, given.photos), again=True)
        # What was just found of this patrol may be new to those beside it, which may have come before it.
        _put_once([*(other.id for other in (*given.overlapping, *given.device_users)), *_doubted_by_name(given)])

    return write


def _ask_for_copies(patrol: Patrol, facts: PatrolFacts, *, tries: int) -> None:
    """Keep the marks of the track, and ask again for those that may be copies of it but were examined before: mostly none.

    What is copied may come home after its copy. Nothing that goes into the copy's own digest has changed. The patrol itself
    is asked for again where a track that it may be a copy of was examined in the very moment.
    """
    if keep_marks(patrol.id, facts.marks):
        _put_once(alike_after(patrol, facts.marks), again=True)
    alike = alike_before(patrol, facts.marks, but=[other.id for other in facts.overlapping])
    if tries < outbox.MOST_ATTEMPTS and not {other.id for other in facts.earlier}.issuperset(alike):
        outbox.put(EXAMINE, patrol_id=str(patrol.id), tries=tries + 1, again=True)


def _doubted_by_name(given: ExaminationInput) -> Sequence[UUID]:
    """Return the patrols in whose findings the name of this one's device still counts, though many use it by now: mostly none.

    What was found of a purged track stays: asked for, it would be asked for again by each patrol that follows.
    """
    device = given.patrol.device
    if not given.by_name or given.device_users or device is None or not is_name_of_many(device):
        return ()
    purged = select(TrackBatch.id).where(TrackBatch.patrol_id == Patrol.id, TrackBatch.points.is_(None)).exists()
    return db.session.scalars(
        select(Patrol.id).join(PatrolFinding, PatrolFinding.patrol_id == Patrol.id)
        .where(has_name(device), PatrolFinding.code == SHARED_DEVICE, Patrol.id != given.patrol.id, ~purged)
    ).all()  # fmt: skip


def examine_all(which: str) -> int:
    """Examine ended patrols in this process, each in its own transaction; return how many were looked at.

    `which` is `new` (never examined), `stale` (something that goes in has changed, the algorithm included) or `all`.
    """
    count = 0
    for patrol_id in _ended(never_examined=which == "new"):
        write = _examination(patrol_id, again=which == "all")
        db.session.rollback()
        with transaction():
            write()
        count += 1
    return count


def _ended(*, never_examined: bool) -> Iterator[UUID]:
    last: UUID | None = None
    while True:
        statement = select(Patrol.id).where(Patrol.ended_at.is_not(None)).order_by(Patrol.id).limit(AT_ONCE)
        if never_examined:
            statement = statement.where(~select(Examination.patrol_id).where(Examination.patrol_id == Patrol.id).exists())
        ids = db.session.scalars(statement if last is None else statement.where(Patrol.id > last)).all()
        yield from ids
        if len(ids) < AT_ONCE:
            return
        last = ids[-1]


def _nothing() -> None:
    pass


def _with_reaches(patrol_id: UUID, *, lock: bool = False) -> Patrol | None:
    statement = select(Patrol).where(Patrol.id == patrol_id).options(selectinload(Patrol.reaches))
    if lock:
        statement = statement.with_for_update(of=Patrol).execution_options(populate_existing=True)
    return db.session.scalar(statement)


def _put_once(patrol_ids: Iterable[UUID | None], *, again: bool = False) -> None:
    """Let those of the patrols that have ended be examined after the transaction under way, once however often it is asked.

    `again`: although nothing has changed that goes into their digests.
    One that goes on is examined when somebody looks at its preview. By the time this runs all has been written.
    """
    session = db.session()
    begun, asked = session.info.get(EXAMINE, (None, set()))
    if begun is not session.get_transaction():
        asked = set()
    fresh = {patrol_id for patrol_id in patrol_ids if patrol_id is not None} - asked
    if fresh:
        ended = db.session.scalars(select(Patrol.id).where(Patrol.id.in_(fresh), Patrol.ended_at.is_not(None)))
        for patrol_id in sorted(ended):
            outbox.put(EXAMINE, patrol_id=str(patrol_id), tries=0, again=again)
    session.info[EXAMINE] = session.get_transaction(), asked | fresh


def examine_after_more(event: TrackArrived | PatrolPaused) -> None:
    """More became known of a patrol."""
    if not event.goes_on:
        _put_once([event.patrol_id])


def examine_after(event: PatrolEnded | CheckedIn | CheckpointAnswered | FindingJudged) -> None:
    """What goes into the examination has changed."""
    _put_once([event.patrol_id])


subscribe(TrackArrived)(examine_after_more)
subscribe(PatrolPaused)(examine_after_more)
subscribe(PatrolEnded)(examine_after)
subscribe(CheckedIn)(examine_after)
subscribe(CheckpointAnswered)(examine_after)
subscribe(FindingJudged)(examine_after)


@subscribe(IssueReported)
def examine_after_report(event: IssueReported) -> None:
    """An issue raised on a patrol brings its photos into it."""
    _put_once([event.patrol_id])


@subscribe(ReceiverMarked)
def examine_after_marking(event: ReceiverMarked) -> None:
    """What a device sent, or a phone that calls itself by its id, is explained now, or no longer."""
    sent = select(TrackBatch.id).where(TrackBatch.patrol_id == Patrol.id, TrackBatch.device_id == event.device_id).exists()
    begun_on_it = func.lower(IDENTITY) == str(event.device_id)
    _put_once(db.session.scalars(select(Patrol.id).where(Patrol.person_id == event.person_id, or_(sent, begun_on_it))).all())


@subscribe(PhotoReceived)
def examine_after_photo(event: PhotoReceived) -> None:
    """A photo announced by a check-in or a checkpoint's answer is here."""
    _put_once(_patrols_showing([event.photo_id]))


@subscribe(PhotoDerived)
def examine_after_derivation(event: PhotoDerived) -> None:
    """The likeness of a photo is known now."""
    _put_once(_patrols_showing(db.session.scalars(select(Photo.id).where(Photo.sha256 == event.sha256)).all()))


@subscribe(BecameCharge)
def examine_without_charge(event: BecameCharge) -> None:
    """What a charge shows is told by no finding on a patrol any more."""
    files = select(Photo.sha256).join(IssuePhoto, IssuePhoto.photo_id == Photo.id).where(IssuePhoto.issue_id == event.issue_id)
    _put_once(_patrols_showing(db.session.scalars(select(Photo.id).where(Photo.sha256.in_(files))).all()), again=True)


def _patrols_showing(photo_ids: Sequence[UUID]) -> set[UUID | None]:
    return set(db.session.scalars(union_all(
        select(CheckIn.patrol_id).join(CheckInPhoto, CheckInPhoto.check_in_id == CheckIn.id).where(CheckInPhoto.photo_id.in_(photo_ids)),
        select(Issue.patrol_id).join(IssuePhoto, IssuePhoto.issue_id == Issue.id).where(IssuePhoto.photo_id.in_(photo_ids)),
        select(CheckpointAnswer.patrol_id).where(CheckpointAnswer.photo_id.in_(photo_ids)),
    )))  # fmt: skip
