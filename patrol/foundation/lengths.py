"""Metres as people say them: no seven digits of them. Pure."""

from patrol.foundation.texts import Text

_UNKNOWN = Text("未知", "unknown")
_METRES, _KILOMETRES = Text("{n} 米", "{n} m"), Text("{n} 公里", "{n} km")
_FROM_KM_M, _WHOLE_KM_M = 10_000, 100_000


def length(metres: float | None) -> Text:
    """Return metres in words, kilometres from ten of them on."""
    if metres is None:
        return _UNKNOWN
    if abs(metres) < _FROM_KM_M:
        return _METRES.format(n=f"{round(metres, 2):g}")
    return _KILOMETRES.format(n=round(metres / 1000, 1 if abs(metres) < _WHOLE_KM_M else None))
