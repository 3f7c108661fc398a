"""Reads of the numbers by which patrols are examined."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.texts import Text
from patrol.patrols import coverage_policy, datum_policy, integrity_policy
from patrol.patrols.coverage_policy import CoveragePolicy
from patrol.patrols.datum_policy import DatumPolicy
from patrol.patrols.examination_models import ExaminationPolicy
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.thresholds import Thresholds

INTEGRITY, COVERAGE, DATUM = "integrity", "coverage", "datum"
KINDS: dict[str, type[Thresholds]] = {INTEGRITY: IntegrityPolicy, COVERAGE: CoveragePolicy, DATUM: DatumPolicy}
LATEST = Order("versions", (ExaminationPolicy.valid_from, ExaminationPolicy.number), descending=True)
_NO_POLICY = Text("没有这个版本", "There is no such version")


@dataclass(frozen=True)
class PolicyInForce:
    """Thresholds of each kind, the devices whose external receivers the office trusts, and where the numbers come from (zh, en)."""

    thresholds: IntegrityPolicy
    trusted_receivers: frozenset[str]
    valid_from: date | None
    source: tuple[str, ...]
    coverage: CoveragePolicy = coverage_policy.DEFAULT_POLICY
    datum: DatumPolicy = datum_policy.DEFAULT_POLICY

    @property
    def versions(self) -> dict[str, str]:
        """The version of each kind."""
        return {kind: self.of_kind(kind).version for kind in KINDS}

    def of_kind(self, kind: str) -> Thresholds:
        """Return the thresholds of one kind."""
        own: dict[str, Thresholds] = {INTEGRITY: self.thresholds, COVERAGE: self.coverage, DATUM: self.datum}
        return own[kind]

    def with_kind(self, kind: str, thresholds: Thresholds, trusted_receivers: frozenset[str] | None = None) -> "PolicyInForce":
        """Return the same with other thresholds of one kind and, where given, other trusted receivers."""
        trusted = self.trusted_receivers if trusted_receivers is None else trusted_receivers
        changed: dict[str, Any] = {{INTEGRITY: "thresholds"}.get(kind, kind): thresholds}
        return replace(self, trusted_receivers=trusted, **changed)


def policy_on(day: date) -> PolicyInForce:
    """Return the versions in force on a local day, of each kind the one that began last; before the first of them the first."""
    # There are as many rows as the office has had opinions: few.
    rows = db.session.scalars(
        select(ExaminationPolicy).where(ExaminationPolicy.withdrawn_at.is_(None)).order_by(ExaminationPolicy.valid_from)
    ).all()
    own: dict[str, ExaminationPolicy] = {}
    for row in rows:
        if row.valid_from <= day or row.kind not in own:
            own[row.kind] = row
    found = PolicyInForce(integrity_policy.DEFAULT_POLICY, frozenset(), None, ())
    if INTEGRITY in own:
        row = own[INTEGRITY]
        found = replace(found, trusted_receivers=frozenset(row.trusted_receivers), valid_from=row.valid_from, source=(row.source_zh, row.source_en))
    for kind, row in own.items():
        found = found.with_kind(kind, thresholds_in(row.data, kind, row.version))
    return found


def thresholds_in(data: Mapping[str, Any], kind: str, version: str) -> Thresholds:
    """Return thresholds of a kind from plain data. Raises ThresholdFault."""
    return KINDS[kind].from_data({**data, "version": version})


def versions_of(kind: str) -> Select[ExaminationPolicy]:
    """Select every version of a kind, withdrawn ones included; they hold everywhere, and whoever sees patrols sees them."""
    return select(ExaminationPolicy).where(ExaminationPolicy.kind == kind)


def list_versions(kind: str, *, limit: int, cursor: str | None) -> Page[ExaminationPolicy]:
    """List the versions of a kind, the one that begins last first."""
    return page_of(versions_of(kind), LATEST, limit=limit, cursor=cursor)


def standing_of(kind: str, today: date) -> dict[UUID, str]:
    """Return by id where each version that was not withdrawn stands: `past`, `in_force` or `coming`."""
    rows = db.session.scalars(versions_of(kind).where(ExaminationPolicy.withdrawn_at.is_(None)).order_by(ExaminationPolicy.valid_from)).all()
    # Before the first of them the first counts.
    begun = [row for row in rows if row.valid_from <= today] or rows[:1]
    told = {row.id: "coming" for row in rows} | {row.id: "past" for row in begun}
    return told | {row.id: "in_force" for row in begun[-1:]}


def get_version(kind: str, policy_id: UUID) -> ExaminationPolicy:
    """Return a version of a kind, locked. Raises NotFound (404)."""
    row = db.session.scalar(
        versions_of(kind).where(ExaminationPolicy.id == policy_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(_NO_POLICY)
    return row
