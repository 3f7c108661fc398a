"""The numbers by which a mislabelled datum is recognised: one versioned set that a row of a table can carry. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from patrol.patrols.thresholds import Thresholds

VERSION = "2026-11"


@dataclass(frozen=True, kw_only=True)
class DatumPolicy(Thresholds):
    """What a new installation starts with.

    From simulated walks (`make bench`, docs/coverage.md): 120 mislabelled and 200 right ones, most of these beside their
    river.
    """

    WIDEST: ClassVar[float | None] = 10.0

    version: str = VERSION
    # Fixes inside China that are needed, and how exact they must claim to be.
    least_fixes: int = 30
    worst_accuracy_m: float = 100.0
    # The median distance as sent must be more than so many times the repaired one, and so many metres more.
    factor: float = 2.0
    margin_m: float = 10.0
    # Nearer than this in the median a track lies on its river, whatever a shift might improve.
    plausible_m: float = 60.0
    # A repaired track lies on its river all along, nine of ten fixes within this; one beside it fits here and there only.
    nine_of_ten_m: float = 70.0


DEFAULT_POLICY = DatumPolicy()
# What a finding of a mislabelled datum says it was judged by: all of them.
MISLABELLED_BY = tuple(name for name in DEFAULT_POLICY.as_data() if name != "version")
