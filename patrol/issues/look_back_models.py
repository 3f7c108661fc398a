"""Of which closed issues how many are looked at again: policy rows. The drawing itself is of the room that supervises."""

from datetime import date
from typing import ClassVar

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base
from patrol.issues.policy_models import Versioned, one_for_each_day


class LookBackPolicy(Versioned, Base):
    """From `valid_from` on, of issues of a severity this share is looked at again so many days after their closing."""

    __tablename__ = "look_back_policies"
    SUBJECT: ClassVar[tuple[str, ...]] = ("severity",)
    __table_args__ = (UniqueConstraint("severity", "version"), one_for_each_day("uq_look_back_policies_day", "severity"))

    severity: Mapped[str] = mapped_column(String(10))
    share_percent: Mapped[float]
    after_days: Mapped[int]
    within_days: Mapped[int]
    valid_from: Mapped[date]
