"""Whom a charge is about beside the chief whom its row names."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base
from patrol.issues.models import Issue


class AlsoAccused(Base):
    """Another chief whom a charge is, or was, about: that account never sees it either. Rows are only ever added."""

    __tablename__ = "issue_also_accused"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)

    issue: Mapped[Issue] = relationship(lazy="raise_on_sql")
