"""The ladder's policy rows, what has been climbed, and the orders of supervision."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.foundation.texts import Text
from patrol.issues.models import Issue
from patrol.issues.policy_models import Versioned, one_for_each_day
from patrol.people.models import Person


class EscalationPolicy(Versioned, Base):
    """One rung of the ladder from a day on; of the rows of one code the one that began last counts, a disabled one not at all.

    `planned_at` is when the issues that wait for their next rung were looked at anew because of it.
    """

    __tablename__ = "escalation_policies"
    __table_args__ = (UniqueConstraint("code", "version"), one_for_each_day("uq_escalation_policies_day", "code"))

    code: Mapped[str] = mapped_column(String(20))
    basis: Mapped[str] = mapped_column(String(20))
    amount: Mapped[int]
    order_kind: Mapped[str | None] = mapped_column(String(12))
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    valid_from: Mapped[date]
    planned_at: Mapped[datetime | None]

    @property
    def name(self) -> Text:
        """What people call the rung."""
        return Text(self.name_zh, self.name_en)


class Escalation(Base):
    """A rung that an issue has reached with one due date: each once, whatever worker got there."""

    __tablename__ = "escalations"
    __table_args__ = (UniqueConstraint("issue_id", "code", "due_at"), Index("ix_escalations_at", "at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"))
    code: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime]
    planned_at: Mapped[datetime]
    at: Mapped[datetime]

    issue: Mapped[Issue] = relationship(lazy="raise_on_sql")


class Order(Base):
    """An order of supervision on an issue: by a person, or by the system's ladder (`by_id` None). `to_id` None: the office."""

    __tablename__ = "orders"
    __table_args__ = (Index("ix_orders_at", "at", "id"), Index("ix_orders_to", "to_id", "at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(String(2000))
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    rule: Mapped[str | None] = mapped_column(String(60))
    to_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(4000))
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    issue: Mapped[Issue] = relationship(lazy="raise_on_sql")
    by: Mapped[Person | None] = relationship(foreign_keys=[by_id], lazy="raise_on_sql")
    to: Mapped[Person | None] = relationship(foreign_keys=[to_id], lazy="raise_on_sql")
