"""What goes into the examination of a patrol, apart from the fixes themselves: rows that are quickly read and compared.

Their digest tells whether an examination is out of date. Photos and patrols that were there before this one came are
not in it: what was there before does not change, and where more of such a patrol's track comes late, the worker is told
to look again all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, null, or_, select, union_all
from sqlalchemy.orm import aliased, undefer

from patrol.evidence.models import Photo
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.same_content import content_digest
from patrol.issues.accusations import CHARGES
from patrol.issues.models import Issue, IssuePhoto
from patrol.patrols.checkpoint_queries import Checkpoint, checkpoints_of
from patrol.patrols.checkpoints import mark_of
from patrol.patrols.coverage import ALGORITHM as COVERAGE
from patrol.patrols.device_models import Device
from patrol.patrols.duty_lists import delegation_partners
from patrol.patrols.ending import NOT_POSSIBLE
from patrol.patrols.ends import ends_of
from patrol.patrols.examination_models import FindingStatement
from patrol.patrols.integrity import MISLABELLED
from patrol.patrols.integrity import VERSION as INTEGRITY
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol, PatrolEnd
from patrol.patrols.policy_queries import KINDS, PolicyInForce, policy_on
from patrol.patrols.standing import UPHELD, judgements_in_force
from patrol.patrols.statement_queries import statements_on
from patrol.patrols.track_compaction import deliveries_of
from patrol.patrols.track_models import NO_SIGNAL, PERSON, PatrolPause, TrackBatch
from patrol.patrols.track_queries import pauses_of
from patrol.patrols.window import LONGEST_PATROL, in_ms, latest_end

ALGORITHM = f"{COVERAGE}/{INTEGRITY}"
# For how long after somebody else's patrol the same device is looked at (national rule, DOMAIN d).
SAME_DEVICE_WITHIN = timedelta(hours=12)
MOST_COMPANIONS = 20
# A name without an id that more accounts use is that of a model. Two may be one phone of two people; that is no proof.
MOST_OF_ONE_NAME = 2
IDENTITY = Patrol.device_details["id"].as_string()


@dataclass(frozen=True)
class Companion:
    """A patrol at the same time by the same person, or near in time by somebody else on the same device, or on one of the same name."""

    id: UUID
    person_id: UUID
    started_at: datetime
    ended_at: datetime | None
    fixes: int


@dataclass(frozen=True)
class Delivery:
    """A batch as it came, also where it was compacted with others."""

    id: UUID
    digest: str
    count: int
    last_recorded_at: datetime | None
    sent_at: datetime | None
    received_at: datetime
    purged: bool
    device_id: UUID | None


class Registered(NamedTuple):
    """Whether the office marked a device of the person as an external receiver, and when the person took it away."""

    is_receiver: bool
    revoked_at: datetime | None


@dataclass(frozen=True)
class ExaminationInput:
    """The rows. `day` is the local one on which the patrol began, in the district's `timezone`.

    `photos` come with the check-in each is on or the mark of its checkpoint, None for issues'; `devices` are those that the
    person ever registered.
    """

    patrol: Patrol
    day: date
    timezone: str
    policy: PolicyInForce
    batches: Sequence[Delivery]
    pauses: Sequence[PatrolPause]
    ends: Sequence[PatrolEnd]
    check_ins: Sequence[CheckIn]
    photos: Sequence[tuple[Photo, UUID | None]]
    statements: Sequence[FindingStatement]
    overlapping: Sequence[Companion]
    device_users: Sequence[Companion]
    devices: Mapping[UUID, Registered]
    checkpoints: Sequence[Checkpoint]

    def trusts(self, device_id: UUID | None, received_at: datetime) -> bool:
        """Whether "made up" means nothing of a batch from this device; None is the phone on which the patrol was begun.

        The office marked the device, or it is on the policy's list. What one device is says nothing of her others. A phone
        merely says its id: it is known by it only where the patrol's own person registered that id. What was received
        before a device was taken away stays explained.
        """
        if device_id is None:
            said = (identity_of(self.patrol) or "").lower()
            device_id = next((own for own in self.devices if str(own) == said), None)
        device = self.devices.get(device_id) if device_id is not None else None
        if device is None or (device.revoked_at is not None and device.revoked_at < received_at):
            return False
        return device.is_receiver or str(device_id) in self.policy.trusted_receivers

    @property
    def by_name(self) -> bool:
        """Whether the device says nothing of itself but a name: often that of its model."""
        return identity_of(self.patrol) is None

    @property
    def pauses_ms(self) -> list[tuple[int, int]]:
        """The person's own pauses, in milliseconds."""
        return self._paused_ms(PERSON)

    @property
    def no_signal_ms(self) -> list[tuple[int, int]]:
        """The times that the phone marked as without signal, in milliseconds."""
        return self._paused_ms(NO_SIGNAL)

    def _paused_ms(self, cause: str) -> list[tuple[int, int]]:
        return [(in_ms(pause.started_at), in_ms(pause.ended_at)) for pause in self.pauses if pause.cause == cause]

    @property
    def counting_checkpoints(self) -> list[Checkpoint]:
        """Those that can be held against anybody: answered, or known when the patrol began."""
        return [point for point in self.checkpoints if point.answer or point.known_at_start]

    @property
    def purged(self) -> bool:
        """Whether raw fixes were deleted after the set time: then what was found of them stays as it is."""
        return any(batch.purged for batch in self.batches)

    @property
    def judged(self) -> dict[str, str]:
        """The judgement in force of each finding that has one."""
        return judgements_in_force(self.statements, self.patrol.person_id)

    @property
    def accepts_repair(self) -> bool:
        """Whether a reviewer accepted that the positions are in another datum than was declared."""
        return self.judged.get(MISLABELLED) == UPHELD

    @property
    def ended_at(self) -> datetime:
        """When the patrol ended; of one that goes on, its last fix."""
        return _end_of(self.patrol, self.batches)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over everything, the thresholds and the algorithm; the same whatever the order of arrival."""
        patrol = self.patrol
        return content_digest({
            "algorithm": ALGORITHM, "policy": {kind: self.policy.of_kind(kind).as_data() for kind in KINDS},
            "trusted": sorted({str(row.device_id) for row in self.batches if self.trusts(row.device_id, row.received_at)}),
            "patrol": [patrol.digest, patrol.started_at, patrol.ended_at, patrol.ended_by, patrol.recorded_until],
            "reaches": sorted(f"{reach.id} {reach.version}" for reach in patrol.reaches),
            # Not how many were kept of each: of a fix in two of them that depends on which came first.
            "batches": sorted(f"{row.id} {row.digest}" for row in self.batches),
            "ends": sorted(f"{row.ended_at} {row.received_at}" for row in self.ends) if patrol.end_reason == NOT_POSSIBLE else None,
            "pauses": sorted(f"{row.id} {row.digest}" for row in self.pauses),
            "check_ins": sorted(f"{row.id} {row.digest}" for row in self.check_ins),
            "photos": sorted(f"{photo.id} {photo.sha256} {photo.likeness} {on}" for photo, on in self.photos),
            "checkpoints": [
                [point.number, point.place.key, point.result.value, point.answer and point.answer.digest] for point in self.counting_checkpoints],
            "judged": self.judged,
            "overlapping": sorted(f"{row.id} {row.started_at} {row.ended_at} {row.fixes}" for row in self.overlapping),
            "device_users": sorted({str(row.person_id) for row in self.device_users}),
        })  # fmt: skip


def input_of(patrol: Patrol, *, timezone: str) -> ExaminationInput:
    """Return what goes into the examination of a patrol whose reaches are loaded, as it is stored now.

    `timezone` is the district's: the policy is that of the local day on which the patrol began.
    """
    batches = _batches_of(patrol)
    from_at, to_at = _reckonable(patrol.started_at), _reckonable(_end_of(patrol, batches))
    day = clock.local(from_at, timezone).date()
    checkpoints = checkpoints_of(patrol, timezone)
    return ExaminationInput(
        patrol=patrol, day=day, timezone=timezone, policy=policy_on(day),
        batches=batches, pauses=pauses_of(patrol.id), ends=ends_of(patrol.id), check_ins=_check_ins_of(patrol), photos=_photos_of(patrol, checkpoints),
        statements=statements_on(patrol.id), overlapping=_overlapping(patrol, from_at, to_at),
        device_users=_on_same_device(patrol, from_at, to_at, day), devices=_devices_of(patrol.person_id), checkpoints=checkpoints,
    )  # fmt: skip


def _reckonable(moment: datetime) -> datetime:
    """Return a moment to which days can be added: a phone may name the ends of the calendar."""
    return min(max(moment, datetime(1970, 1, 1, tzinfo=UTC)), datetime(9000, 1, 1, tzinfo=UTC))


def _devices_of(person_id: UUID) -> dict[UUID, Registered]:
    own = select(Device.id, Device.is_receiver, Device.revoked_at).where(Device.person_id == person_id)
    return {row[0]: Registered(row[1], row[2]) for row in db.session.execute(own)}


def identity_of(patrol: Patrol) -> str | None:
    """Return what tells a device from all others: its own id, None where the app says none."""
    return (patrol.device_details or {}).get("id") or None


def device_of(patrol: Patrol) -> str | None:
    """Return the device's own id, else what the app calls it, which may be no more than a model's name."""
    return identity_of(patrol) or patrol.device


def _end_of(patrol: Patrol, batches: Sequence[Any]) -> datetime:
    if patrol.ended_at is not None:
        return patrol.ended_at
    last: list[datetime] = [batch.last_recorded_at for batch in batches if batch.last_recorded_at]
    latest = latest_end(started_at=patrol.started_at, begun_at=patrol.received_at, told_at=clock.now())
    return min(max([patrol.started_at, *last]), latest)


def _batches_of(patrol: Patrol) -> list[Delivery]:
    columns = (TrackBatch.id, TrackBatch.digest, TrackBatch.count, TrackBatch.last_recorded_at, TrackBatch.sent_at, TrackBatch.received_at)
    of_it = TrackBatch.patrol_id == patrol.id
    found = [Delivery(*row) for row in db.session.execute(select(*columns, TrackBatch.points.is_(None), TrackBatch.device_id).where(of_it, TrackBatch.members.is_(None)))]
    compacted = select(TrackBatch).where(of_it, TrackBatch.members.is_not(None)).options(undefer(TrackBatch.points), undefer(TrackBatch.members))
    for row in db.session.scalars(compacted):
        found += [
            Delivery(one.id, one.digest, one.count, one.last_recorded_at, one.sent_at, one.received_at, row.points is None, row.device_id)
            for one in deliveries_of(row)
        ]
    return sorted(found, key=lambda delivery: (delivery.received_at, delivery.id))


def _check_ins_of(patrol: Patrol) -> Sequence[CheckIn]:
    return db.session.scalars(
        select(CheckIn).where(CheckIn.patrol_id == patrol.id, CheckIn.person_id == patrol.person_id)
        .order_by(CheckIn.recorded_at, CheckIn.id)
    ).all()  # fmt: skip


def _photos_of(patrol: Patrol, checkpoints: Sequence[Checkpoint]) -> Sequence[tuple[Photo, UUID | None]]:
    """Return the photos that the patrol's person sent for its check-ins and checkpoints, and brought with the issues raised on it.

    Not those of charges against chiefs: the accused may read the patrol's findings, and would know who reported.
    """
    on_check_ins = (
        select(CheckInPhoto.photo_id.label("photo_id"), CheckIn.id.label("check_in_id"))
        .join(CheckIn, CheckIn.id == CheckInPhoto.check_in_id).join(Photo, Photo.id == CheckInPhoto.photo_id)
        .where(CheckIn.patrol_id == patrol.id, CheckIn.person_id == patrol.person_id,
               or_(CheckInPhoto.sha256.is_(None), CheckInPhoto.sha256 == Photo.sha256))
    )  # fmt: skip
    on_issues = (
        select(IssuePhoto.photo_id, null().label("check_in_id")).join(Issue, Issue.id == IssuePhoto.issue_id)
        .where(Issue.patrol_id == patrol.id, Issue.reporter_id == patrol.person_id, IssuePhoto.seq == 1, Issue.category.not_in(CHARGES))
    )  # fmt: skip
    named = union_all(on_check_ins, on_issues).subquery()
    rows = db.session.execute(
        select(Photo, named.c.check_in_id).join(named, named.c.photo_id == Photo.id)
        .where(Photo.owner_id == patrol.person_id).order_by(Photo.id, named.c.check_in_id)
    )  # fmt: skip
    # A photo of a check-in that also shows its issue is one photo: that of the check-in.
    found: dict[UUID, tuple[Photo, UUID | None]] = {}
    for photo, check_in_id in rows:
        if photo.id not in found or found[photo.id][1] is None:
            found[photo.id] = photo, check_in_id
    shown = {point.answer.photo_id: mark_of(patrol.id, point.number) for point in checkpoints if point.answer and point.has_photo}
    of_checkpoints = db.session.scalars(select(Photo).where(Photo.id.in_(shown)).order_by(Photo.id)).all() if shown else ()
    return [*found.values(), *((photo, shown[photo.id]) for photo in of_checkpoints if photo.id not in found)]


def _overlapping(patrol: Patrol, from_at: datetime, to_at: datetime) -> list[Companion]:
    return _companions(
        patrol, Patrol.person_id == patrol.person_id, Patrol.started_at >= from_at - LONGEST_PATROL, Patrol.started_at <= to_at,
        or_(Patrol.ended_at.is_(None), Patrol.ended_at >= from_at),
    )  # fmt: skip


def _on_same_device(patrol: Patrol, from_at: datetime, to_at: datetime, day: date) -> list[Companion]:
    """Return patrols of other people on the device, or on one of the same name where this name is not a model's.

    Of a mere name those whom a delegation explains are left out: what it never said need not be taken back later.
    """
    identity = identity_of(patrol)
    if identity is None and (patrol.device is None or is_name_of_many(patrol.device)):
        return []
    same = identity == IDENTITY if identity else has_name(patrol.device)
    found = _companions(
        patrol, same, Patrol.person_id != patrol.person_id,
        Patrol.started_at >= from_at - LONGEST_PATROL, Patrol.started_at <= to_at + SAME_DEVICE_WITHIN,
        or_(Patrol.ended_at.is_(None), Patrol.ended_at >= from_at - SAME_DEVICE_WITHIN),
    )  # fmt: skip
    if identity is None and found:
        partners = delegation_partners(patrol.person_id, {row.person_id for row in found}, day=day, at=patrol.started_at)
        return [row for row in found if row.person_id not in partners]
    return found


def has_name(device: str | None) -> ColumnElement[bool]:
    """Return the condition that a patrol's device has this name and no id."""
    return (Patrol.device == device) & (func.coalesce(IDENTITY, "") == "")


def is_name_of_many(device: str) -> bool:
    """Tell whether so many accounts patrolled with devices of this name that it cannot be the name of one."""
    users = select(Patrol.person_id).where(has_name(device)).distinct().limit(MOST_OF_ONE_NAME + 1)
    return len(db.session.scalars(users).all()) > MOST_OF_ONE_NAME


def _companions(patrol: Patrol, *conditions: ColumnElement[bool]) -> list[Companion]:
    batch = aliased(TrackBatch)
    fixes = select(func.coalesce(func.sum(batch.count), 0)).where(batch.patrol_id == Patrol.id).correlate(Patrol).scalar_subquery()
    rows = db.session.execute(
        select(Patrol.id, Patrol.person_id, Patrol.started_at, Patrol.ended_at, fixes)
        .where(Patrol.id != patrol.id, *conditions).order_by(Patrol.started_at, Patrol.id).limit(MOST_COMPANIONS)
    )  # fmt: skip
    return [Companion(row[0], row[1], row[2], row[3], int(row[4])) for row in rows]
