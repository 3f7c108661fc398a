"""Reads of the thresholds by which patrols are examined."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.patrols.examination_models import IntegrityPolicyRow
from patrol.patrols.integrity_policy import DEFAULT_POLICY, IntegrityPolicy


@dataclass(frozen=True)
class PolicyInForce:
    """Thresholds, the devices whose external receivers the office trusts, and where the numbers come from (zh, en)."""

    thresholds: IntegrityPolicy
    trusted_receivers: frozenset[str]
    valid_from: date | None
    source: tuple[str, ...]


def policy_on(day: date) -> PolicyInForce:
    """Return the version in force on a local day, the one that began last; before the first of them the first."""
    # There are as many rows as the office has had opinions: few.
    rows = db.session.scalars(select(IntegrityPolicyRow).order_by(IntegrityPolicyRow.valid_from, IntegrityPolicyRow.version)).all()
    row = next((row for row in reversed(rows) if row.valid_from <= day), rows[0] if rows else None)
    if row is None:
        return PolicyInForce(DEFAULT_POLICY, frozenset(), None, ())
    thresholds = IntegrityPolicy.from_data({**row.data, "version": row.version})
    return PolicyInForce(thresholds, frozenset(row.trusted_receivers), row.valid_from, tuple(row.source))
