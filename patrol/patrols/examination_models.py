"""What the examination of a patrol found: verdict, coverage of each reach, findings, and what people said of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base, new_id

NO_VERDICT = "none"
"""As a filter: of patrols that were not examined yet."""
_STANDS = text("withdrawn_at IS NULL")


class Examination(Base):
    """The latest examination of a patrol: by which algorithm over which input, and its verdict.

    `verdict` is valid, partial, doubtful or invalid; `reasons` are texts in both languages; `summary` holds
    `distance_m`, `duration_s` and speeds; `policy` names the version of the integrity thresholds, `policies` those of
    every kind. `began_at` is when the patrol began by the server's clock, where the device's ran ahead by a known time: on
    that local day it counts. None where the device's time stands.
    """

    __tablename__ = "examinations"
    __table_args__ = (Index("ix_examinations_verdict", "verdict", "patrol_id"),)

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(40))
    input_hash: Mapped[str] = mapped_column(String(64))
    examined_at: Mapped[datetime]
    verdict: Mapped[str] = mapped_column(String(10))
    reasons: Mapped[list[Any]] = mapped_column(JSON)
    summary: Mapped[dict[str, Any]]
    policy: Mapped[str] = mapped_column(String(40))
    policies: Mapped[dict[str, Any]] = mapped_column(default=dict)
    began_at: Mapped[datetime | None]


class ReachCoverage(Base):
    """How much of one reach a patrol covered: metres, and intervals `[[from_m, to_m], …]` along the reach.

    `low_m` and `high_m` are the range that the uncertainty of the positions leaves.
    """

    __tablename__ = "reach_coverages"

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    reach_id: Mapped[UUID] = mapped_column(ForeignKey("reaches.id"), primary_key=True, index=True)
    length_m: Mapped[float]
    covered_m: Mapped[float]
    unobserved_m: Mapped[float]
    not_visited_m: Mapped[float]
    low_m: Mapped[float]
    high_m: Mapped[float]
    covered: Mapped[list[Any]] = mapped_column(JSON)
    unobserved: Mapped[list[Any]] = mapped_column(JSON)
    not_visited: Mapped[list[Any]] = mapped_column(JSON)


class PatrolFinding(Base):
    """Something about a patrol that a person should look at; `version` is that of the rule.

    `text` tells the evidence in both languages, `innocent` what would explain it honestly: both as they were when it was
    found, so that a rule's later words never change what somebody answered to.
    """

    __tablename__ = "patrol_findings"
    __table_args__ = (Index("ix_patrol_findings_code", "code", "patrol_id"),)

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    severity: Mapped[str] = mapped_column(String(10))
    text: Mapped[list[Any]] = mapped_column(JSON)
    innocent: Mapped[list[Any]] = mapped_column(JSON)
    evidence: Mapped[dict[str, Any]]
    threshold: Mapped[dict[str, Any]]
    version: Mapped[str] = mapped_column(String(40))
    found_at: Mapped[datetime]


class FindingStatement(Base):
    """What somebody said of a finding; rows are only ever added.

    `kind` is reply, judgement or withdrawal; `judgement` is upheld or dismissed, and None otherwise.
    """

    __tablename__ = "finding_statements"
    __table_args__ = (Index("ix_finding_statements_patrol", "patrol_id", "code", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"))
    code: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    judgement: Mapped[str | None] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(2000))
    at: Mapped[datetime]


class ExaminationPolicy(Base):
    """A version of the numbers by which patrols are examined that begin on `valid_from` or later, with its source.

    `kind` is integrity, coverage or datum; the versions of a kind are numbered from 1. `data` are the thresholds by name;
    one that is not in it has its default. `trusted_receivers` are the ids of registered devices of which the office knows
    that they pass on an external receiver's positions; of other kinds it is empty. Figures never change: another version follows.
    `digest` is over what was sent with the client's id, "" for rows that an installation began with.
    """

    __tablename__ = "examination_policies"
    __table_args__ = (
        UniqueConstraint("kind", "number"), UniqueConstraint("kind", "version"),
        Index("uq_examination_policies_day", "kind", "valid_from", unique=True, postgresql_where=_STANDS, sqlite_where=_STANDS),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(12))
    number: Mapped[int]
    version: Mapped[str] = mapped_column(String(40))
    valid_from: Mapped[date]
    data: Mapped[dict[str, Any]]
    trusted_receivers: Mapped[list[Any]] = mapped_column(JSON)
    source_zh: Mapped[str] = mapped_column(String(500))
    source_en: Mapped[str] = mapped_column(String(500))
    digest: Mapped[str] = mapped_column(String(64), default="")
    added_at: Mapped[datetime]
    added_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
