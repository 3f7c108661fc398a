"""When a new report counts as the return of a trouble that was closed: policy rows."""

from datetime import date
from typing import ClassVar

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from patrol.foundation.database import Base
from patrol.issues.policy_models import Versioned, one_for_each_day


class RelapsePolicy(Versioned, Base):
    """From a day on: so many days after the closing and metres from the place; of several rows the one that began last counts."""

    __tablename__ = "relapse_policies"
    SUBJECT: ClassVar[tuple[str, ...]] = ()
    __table_args__ = (UniqueConstraint("version"), one_for_each_day("uq_relapse_policies_day"))

    days: Mapped[int]
    radius_m: Mapped[int]
    valid_from: Mapped[date]
