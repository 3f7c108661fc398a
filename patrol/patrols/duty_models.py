"""How often reaches are to be patrolled, warnings that raise it, delegations, and reminders."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.people.models import Person, Region
from patrol.waters.models import Reach


class FrequencyPolicy(Base):
    """One version of one rule: so many times in a period, on reaches of a level, in a region or everywhere (None).

    Its figures never change: another version follows when this one has got its last day. One that was withdrawn never
    counts. Columns as in `duties.Policy`; the source is told in both languages.
    """

    __tablename__ = "frequency_policies"
    __table_args__ = (Index("ix_frequency_policies_level", "level", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    level: Mapped[str] = mapped_column(String(20))
    title: Mapped[str | None] = mapped_column(String(40))
    region_id: Mapped[UUID | None] = mapped_column(ForeignKey("regions.id"))
    colour: Mapped[str] = mapped_column(String(10))
    months: Mapped[list[int]] = mapped_column(JSON)
    weekdays: Mapped[list[int]] = mapped_column(JSON)
    working_days_only: Mapped[bool]
    period: Mapped[str] = mapped_column(String(12))
    times: Mapped[int]
    least_share: Mapped[float]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source_zh: Mapped[str] = mapped_column(String(500))
    source_en: Mapped[str] = mapped_column(String(500))
    version: Mapped[int] = mapped_column(default=1)
    added_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    region: Mapped[Region | None] = relationship(lazy="raise_on_sql")


class ReachWarning(Base):
    """A warning on a reach, from one day to another (both included), None until it is lifted."""

    __tablename__ = "reach_warnings"
    __table_args__ = (Index("ix_reach_warnings_reach", "reach_id", "valid_from"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    reach_id: Mapped[UUID] = mapped_column(ForeignKey("reaches.id"))
    colour: Mapped[str] = mapped_column(String(10))
    trigger: Mapped[str] = mapped_column(String(20))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    reason: Mapped[str] = mapped_column(String(500))
    by_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    raised_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)

    reach: Mapped[Reach] = relationship(lazy="raise_on_sql")


class Delegation(Base):
    """Somebody may patrol on behalf of a principal, from one day to another; on these reaches, or on all when none is named."""

    __tablename__ = "delegations"
    __table_args__ = (Index("ix_delegations_pair", "principal_id", "deputy_id", "valid_from"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    deputy_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    reason: Mapped[str] = mapped_column(String(500))
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)

    principal: Mapped[Person] = relationship(foreign_keys=[principal_id], lazy="raise_on_sql")
    deputy: Mapped[Person] = relationship(foreign_keys=[deputy_id], lazy="raise_on_sql")
    reaches: Mapped[list[Reach]] = relationship(secondary="delegation_reaches", order_by=Reach.code, lazy="raise_on_sql")


class DelegationReach(Base):
    """A reach that a delegation names."""

    __tablename__ = "delegation_reaches"

    delegation_id: Mapped[UUID] = mapped_column(ForeignKey("delegations.id"), primary_key=True)
    reach_id: Mapped[UUID] = mapped_column(ForeignKey("reaches.id"), primary_key=True)


class DelegatedPatrol(Base):
    """By which delegation a patrol was made on somebody's behalf."""

    __tablename__ = "delegated_patrols"

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    delegation_id: Mapped[UUID] = mapped_column(ForeignKey("delegations.id"), index=True)


class DutyReminder(Base):
    """Somebody is reminded once of what is left in a period: `kind` half or last_day. `facts` say what was left then.

    It shows in the person's own list from `noticed_at` on.
    """

    __tablename__ = "duty_reminders"
    __table_args__ = (UniqueConstraint("person_id", "period", "first_day", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    period: Mapped[str] = mapped_column(String(12))
    first_day: Mapped[date]
    last_day: Mapped[date]
    kind: Mapped[str] = mapped_column(String(10))
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    noticed_at: Mapped[datetime | None]
