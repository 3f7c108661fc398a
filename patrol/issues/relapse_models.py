"""When a new report counts as the return of a trouble that was closed: policy rows."""

from datetime import date
from uuid import UUID

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base, new_id


class RelapsePolicy(Base):
    """From a day on: so many days after the closing and metres from the place; of several rows the one that began last counts."""

    __tablename__ = "relapse_policies"
    __table_args__ = (UniqueConstraint("valid_from"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    days: Mapped[int]
    radius_m: Mapped[int]
    valid_from: Mapped[date]
    source: Mapped[str] = mapped_column(String(300))
