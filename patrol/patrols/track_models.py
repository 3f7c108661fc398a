"""What phones tell of a patrol while it goes on: fixes by the batch, pauses, and how much they still hold."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.people.models import Person

_SINGLE = text("members IS NULL AND points IS NOT NULL AND count <= 1")


class TrackBatch(Base):
    """One batch of fixes under its client's id: a row a batch, since a row a fix does not scale.

    `points` are the bytes of `track_encoding` in the declared `datum`, None once purged; `count` of them are in it, of
    `sent` that came. Those that agree with what was stored already are counted in `duplicates`,
    `quarantined` are `[place in what was sent, code]`, `outside` those taken out when the patrol's end became known,
    `ahead` those recorded more than five minutes after they arrived. `units` is what the device measured in, where its
    protocol says; all that is stored is SI. `members` tells of what live fixes a row was compacted, see `track_compaction`.
    """

    __tablename__ = "track_batches"
    __table_args__ = (
        Index("ix_track_batches_patrol", "patrol_id", "first_recorded_at"), Index("ix_track_batches_received_at", "received_at"),
        Index("ix_track_batches_single", "patrol_id", "source", "datum", postgresql_where=_SINGLE, sqlite_where=_SINGLE),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"))
    source: Mapped[str] = mapped_column(String(12))
    datum: Mapped[str] = mapped_column(String(8))
    units: Mapped[dict[str, Any]]
    sent: Mapped[int]
    count: Mapped[int]
    duplicates: Mapped[int]
    outside: Mapped[int]
    ahead: Mapped[int]
    first_recorded_at: Mapped[datetime | None]
    last_recorded_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    # Of which registered device it came, None from our own app and from files. No foreign key: raw fixes outlive devices.
    device_id: Mapped[UUID | None]
    points: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    quarantined: Mapped[list[list[Any]]] = mapped_column(JSON)
    members: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


class TrackMark(Base):
    """A mark of an examined patrol's track, see `track_marks`: copies are looked up by what marks they have in common.

    Marks are made of raw fixes and go with them.
    """

    __tablename__ = "track_marks"
    __table_args__ = (Index("ix_track_marks_mark", "mark", "patrol_id"),)

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    mark: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


PERSON, NO_SIGNAL = "person", "no_signal"


class PatrolPause(Base):
    """A time within a patrol that its person or her phone named, under the client's id.

    `cause` says which: in a pause of the `person` nothing counts; `no_signal` is the phone's mark that it heard no
    satellites, which explains why there are no fixes and changes nothing about those that there are.
    """

    __tablename__ = "patrol_pauses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), index=True)
    cause: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    received_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))


class PhoneQueue(Base):
    """How much a person's phone held when it last spoke: the latest word only, by the phone's own order.

    `settled` is how much of that the same request brought, or was refused for good: the phone may delete it. `report` is
    the phone's own count of what it told, `sent_at` its clock; either may be unknown.
    """

    __tablename__ = "phone_queues"
    __table_args__ = (
        UniqueConstraint("person_id", "device"), Index("ix_phone_queues_reported_at", "reported_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    device: Mapped[str] = mapped_column(String(200))
    pending: Mapped[int]
    settled: Mapped[int] = mapped_column(default=0)
    oldest: Mapped[datetime | None]
    report: Mapped[int | None]
    sent_at: Mapped[datetime | None]
    reported_at: Mapped[datetime]

    person: Mapped[Person] = relationship(lazy="raise_on_sql")

    @property
    def left(self) -> int:
        """Return how much is still out there by the phone's latest word."""
        return self.pending - self.settled
