"""The ownership matrix, and the sides of a joint case."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.issues.models import Issue
from patrol.people.models import Region


class OwnershipRow(Base):
    """One row of the ownership matrix: `category` is the beginning of codes, `region_id` None means everywhere.

    Both days count. A row with `issue_id` is the precedent of that issue's ruling. Rows are ended, never changed.
    """

    __tablename__ = "ownership_rows"
    __table_args__ = (Index("ix_ownership_rows_category", "category", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    category: Mapped[str] = mapped_column(String(8))
    region_id: Mapped[UUID | None] = mapped_column(ForeignKey("regions.id"))
    department: Mapped[str] = mapped_column(String(40))
    part: Mapped[str] = mapped_column(String(8))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source_zh: Mapped[str] = mapped_column(String(300))
    source_en: Mapped[str] = mapped_column(String(300))
    issue_id: Mapped[UUID | None] = mapped_column(ForeignKey("issues.id"), index=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    end_reason: Mapped[str | None] = mapped_column(String(2000))
    digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)

    region: Mapped[Region | None] = relationship(lazy="raise_on_sql")
    issue: Mapped[Issue | None] = relationship(lazy="raise_on_sql")


class IssueSide(Base):
    """A region on one side of a joint case, beside the issue's own region, which is their common superior."""

    __tablename__ = "issue_sides"
    __table_args__ = (Index("ix_issue_sides_region", "region_id", "issue_id"),)

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"), primary_key=True)

    issue: Mapped[Issue] = relationship(lazy="raise_on_sql")
