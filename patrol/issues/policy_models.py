"""The policies of issues: rows that never change their figures. Another version follows, and the rows in force decide."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship, synonym

from patrol.foundation.database import Base, new_id
from patrol.people.models import Person

_STANDS = text("withdrawn_at IS NULL")


def one_for_each_day(name: str, *columns: str) -> Index:
    """Return the index that lets only one version that was not withdrawn begin on a day, for what `columns` are about."""
    return Index(name, *columns, "valid_from", unique=True, postgresql_where=_STANDS, sqlite_where=_STANDS)


class Versioned:
    """What every version has: since when it counts, from where its figures are, and who wrote it.

    `SUBJECT` names the columns that tell what it is about; the versions of one subject are numbered from 1. `digest` is
    over what was sent with the client's id, "" for rows that an installation began with.
    """

    SUBJECT: ClassVar[tuple[str, ...]] = ("code",)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    enabled: Mapped[bool] = mapped_column(default=True)
    source_zh: Mapped[str] = mapped_column(String(500))
    source_en: Mapped[str] = mapped_column(String(500))
    digest: Mapped[str] = mapped_column(String(64), default="")
    added_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    @declared_attr
    def added_by_id(cls) -> Mapped[UUID | None]:  # noqa: N805 - SQLAlchemy hands in the class
        """Who wrote it; None is the system."""
        return mapped_column(ForeignKey("people.id"))

    @declared_attr
    def withdrawn_by_id(cls) -> Mapped[UUID | None]:  # noqa: N805
        """Who took it back before it came into force."""
        return mapped_column(ForeignKey("people.id"))


class DeadlinePolicy(Versioned, Base):
    """How long a stage may take: for a severity, and categories that begin with `category` ("" for all)."""

    __tablename__ = "deadline_policies"
    SUBJECT = ("stage", "severity", "category")
    __table_args__ = (
        UniqueConstraint("stage", "severity", "category", "version"),
        one_for_each_day("uq_deadline_policies_day", "stage", "severity", "category"),
    )

    code: Mapped[str] = mapped_column(String(40))
    stage: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(8))
    amount: Mapped[int]
    unit: Mapped[str] = mapped_column(String(20))
    valid_from: Mapped[date]


class CalendarOverride(Versioned, Base):
    """What one day is, above the calendar that the software knows: from the yearly notice, or by local decision.

    The latest version of a day counts as soon as it is written, for everything counted from then on.
    """

    __tablename__ = "calendar_overrides"
    SUBJECT = ("day",)
    __table_args__ = (UniqueConstraint("day", "version"),)

    day: Mapped[date]
    works: Mapped[bool]
    origin: Mapped[str] = mapped_column(String(10))
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    valid_from: Mapped[date] = synonym("day")


class DispatchPolicy(Versioned, Base):
    """Whether issues go straight to the chief: of the rows in force the first by `position` that fits decides."""

    __tablename__ = "dispatch_policies"
    __table_args__ = (UniqueConstraint("code", "version"), one_for_each_day("uq_dispatch_policies_day", "code"))

    code: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    sources: Mapped[list[str]] = mapped_column(JSON)
    category: Mapped[str] = mapped_column(String(8))
    severities: Mapped[list[str]] = mapped_column(JSON)
    confidence: Mapped[str | None] = mapped_column(String(10))
    straight: Mapped[bool]
    reason_zh: Mapped[str] = mapped_column(String(200))
    reason_en: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date]


class PolicyState(Base):
    """One row that names the state of what processes hold in memory of the policies, by a random number."""

    __tablename__ = "policy_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[int] = mapped_column(BigInteger)


class PolicyApplication(Base):
    """The act of counting open issues again by the rows in force on the day `on_day`, in batches after `last_issue_id`."""

    __tablename__ = "policy_applications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    on_day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(1000))
    digest: Mapped[str] = mapped_column(String(64))
    ordered_at: Mapped[datetime]
    ordered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    last_issue_id: Mapped[UUID | None]
    looked_at: Mapped[int] = mapped_column(default=0)
    moved: Mapped[int] = mapped_column(default=0)
    kept: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]

    ordered_by: Mapped[Person | None] = relationship(lazy="raise_on_sql")
