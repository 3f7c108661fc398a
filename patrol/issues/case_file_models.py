"""The case files that were given out, by their digests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base


class IssuedCaseFile(Base):
    """One case file as it left: up to entry `seq` of its issue's history.

    The file bears `id`. `sha256` is over a PDF's bytes, or a JSON file's canonical form; `fields` holds the digest of each
    fact in it, so that a changed file shows where.
    """

    __tablename__ = "issued_case_files"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), index=True)
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(4))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    fields: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
