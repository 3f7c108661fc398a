"""What happened each day in each region, counted: numerators and denominators, never only shares."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base


class DailyFigures(Base):
    """The figures of one local day and of one region by itself, without those below it; see `figures.COUNTS` for each.

    A day that was counted has a row for every region that there was then.
    """

    __tablename__ = "daily_figures"

    day: Mapped[date] = mapped_column(primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"), primary_key=True, index=True)
    received: Mapped[int]
    dropped: Mapped[int]
    rejected: Mapped[int]
    merged: Mapped[int]
    restored: Mapped[int]
    suspended: Mapped[int]
    resumed: Mapped[int]
    verified: Mapped[int]
    closed: Mapped[int]
    closed_in_time: Mapped[int]
    undone: Mapped[int]
    reopened: Mapped[int]
    relapsed: Mapped[int]
    called_not_fixed: Mapped[int]
    counted_at: Mapped[datetime]
