"""Named numbers of a rule: a versioned set that a row of a table can carry. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from patrol.foundation.texts import Text

_UNKNOWN = Text("未知的阈值：{names}", "Unknown thresholds: {names}")
_NO_VERSION = Text("缺少版本", "A policy needs a version")
_NOT_POSITIVE = Text("{name} 须为大于 0 的数", "{name} must be a positive number")
_NOT_WHOLE = Text("{name} 须为整数", "{name} must be a whole number")
_TOO_FAR = Text("{name} 须在 {least} 至 {most} 之间", "{name} must lie between {least} and {most}")


class ThresholdFault(ValueError):
    """A threshold that makes no sense; `told` says so to people."""

    def __init__(self, told: Text) -> None:
        """Keep what to tell."""
        super().__init__(told.en)
        self.told = told


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Base of a set of thresholds: `version`, and numbers above 0 with their defaults."""

    # How many times larger or smaller than what an installation starts with a number may be; None for any.
    WIDEST: ClassVar[float | None] = None

    version: str

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON, every threshold by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the set of stored data; a threshold that is not there has its default.

        Raises:
            ThresholdFault: an unknown name, a threshold that is no positive finite number or out of bounds, no version.
        """
        known = {field.name: field.default for field in fields(cls)}
        if unknown := data.keys() - known:
            raise ThresholdFault(_UNKNOWN.format(names=", ".join(sorted(unknown))))
        if not isinstance(data.get("version"), str) or not data["version"]:
            raise ThresholdFault(_NO_VERSION)
        numbers: dict[str, Any] = {name: cls._number(name, value, known[name]) for name, value in data.items() if name != "version"}
        return cls(version=data["version"], **numbers)

    @classmethod
    def _number(cls, name: str, value: object, default: Any) -> float | int:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value <= 0:
            raise ThresholdFault(_NOT_POSITIVE.format(name=name))
        if isinstance(default, int) and value != int(value):
            raise ThresholdFault(_NOT_WHOLE.format(name=name))
        if cls.WIDEST and not default / cls.WIDEST <= value <= default * cls.WIDEST:
            raise ThresholdFault(_TOO_FAR.format(name=name, least=default / cls.WIDEST, most=default * cls.WIDEST))
        return int(value) if isinstance(default, int) else float(value)

    def of(self, names: tuple[str, ...]) -> dict[str, float]:
        """Return these thresholds by name."""
        return {name: getattr(self, name) for name in names}
