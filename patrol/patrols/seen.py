"""What a rule saw, before the table makes a finding of it, and how grave that is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from patrol.foundation.texts import Text


class Severity(StrEnum):
    """How grave, in this order. `info` is never held against anybody, `soft` never alone."""

    INFO = "info"
    SOFT = "soft"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Seen:
    """What a rule saw: how grave, and the figures that show it (plain JSON, units in the names).

    `says` takes the place of what the rule's row says, where this is another thing; its placeholders are named alike.
    """

    severity: Severity
    evidence: dict[str, Any]
    says: Text | None = None
