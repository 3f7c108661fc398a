"""Metres, seconds and counts as people say them: no seven digits of metres, no thousands of minutes, no "1 photos". Pure."""

from collections.abc import Mapping
from typing import Any

from patrol.foundation.lengths import length
from patrol.foundation.texts import Text

_UNKNOWN = Text("未知", "unknown")
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3_600, 86_400, 365 * 86_400
# A unit is used from two of it on, together with what is left in the next smaller one.
_UNITS = (
    (_YEAR, 0, Text("{n} 年", "{n} years"), None), (_DAY, _HOUR, Text("{n} 天", "{n} days"), Text("{n} 小时", "{n} h")),
    (_HOUR, _MINUTE, Text("{n} 小时", "{n} h"), Text("{n} 分钟", "{n} min")), (_MINUTE, 0, Text("{n} 分钟", "{n} min"), None),
)  # fmt: skip
_SECONDS = Text("{n} 秒", "{n} s")
_COUNTED = {
    "accounts": "other account", "check_ins": "check-in", "fixes": "fix", "gaps": "gap", "jumps": "jump", "photos": "photo",
}  # fmt: skip


def lasting(seconds: float | None) -> Text:
    """Return a time in words, of two units at most; of a negative one how long without its sign, which the evidence has."""
    if seconds is None:
        return _UNKNOWN
    seconds = abs(seconds)
    for unit_s, smaller_s, words, rest in _UNITS:
        if seconds >= 2 * unit_s:
            # Rounded first, so that no 60 minutes are left beside an hour.
            units, left_s = divmod(round(seconds / (smaller_s or unit_s)) * (smaller_s or unit_s), unit_s)
            whole = words.format(n=units)
            more = rest.format(n=left_s // smaller_s) if rest and left_s else None
            return whole if more is None else Text(f"{whole.zh} {more.zh}", f"{whole.en} {more.en}")
    return _SECONDS.format(n=round(seconds))


def in_words(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures as the texts of rules take them: metres (`_m`) and seconds (`_s`) with their unit, counts in English with their noun."""
    return {name: _told(name, value) for name, value in evidence.items()}


def _told(name: str, value: Any) -> Any:
    if name.endswith("_m"):
        return length(value)
    if name.endswith("_s") or name == "seconds":
        return lasting(value)
    if name in _COUNTED:
        noun = _COUNTED[name]
        return Text(str(value), f"{value} {noun if value == 1 else f'{noun}es' if noun.endswith('x') else f'{noun}s'}")
    return value
