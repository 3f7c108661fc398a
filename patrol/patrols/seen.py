"""What a rule saw, before the table makes a finding of it, and how grave that is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    `thresholds` are those it was judged by that are not in the policy of integrity, units in the names.
    `innocent` takes the place of the row's honest explanations, where not all of them can be; () leaves the row's.
    """

    severity: Severity
    evidence: dict[str, Any]
    says: Text | None = None
    innocent: tuple[Text, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
