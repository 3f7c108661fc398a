"""How much a reach wants looking at: points for what went wrong there lately, each told. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from patrol.foundation.texts import Text, in_both


class Sign(NamedTuple):
    """One sign of risk: how many points each occurrence gives, at most how many count, and what it is."""

    code: str
    points: float
    most: int
    name: Text


# Our own starting values: what came back weighs most, since it was closed on paper. Every reach has the one point that
# lets it be drawn at all, so that a quiet reach is never safe from a check.
SIGNS = (
    Sign("reopened", 3, 4, Text("90 天内重新办理的问题", "issues reopened within 90 days")),
    Sign("returned", 2, 4, Text("90 天内复核退回的整改", "rectifications sent back within 90 days")),
    Sign("overdue", 2, 4, Text("超期未办结的问题", "issues overdue now")),
    Sign("complaints", 1, 5, Text("90 天内的公众投诉", "citizens' complaints within 90 days")),
)
BASE_POINTS = 1.0
_NO_SIGN, _JOINED = Text("随机抽取", "drawn at random"), Text("；", "; ")


def points_of(counts: Mapping[str, int]) -> float:
    """Return the points of a reach from how often each sign occurred."""
    return BASE_POINTS + sum(sign.points * min(counts.get(sign.code, 0), sign.most) for sign in SIGNS)


def reasons_of(counts: Mapping[str, int]) -> list[Text]:
    """Return what the points come from, in words."""
    return [Text(f"{sign.name.zh}：{n}", f"{sign.name.en}: {n}") for sign in SIGNS if (n := counts.get(sign.code, 0))]


def reason_of(counts: Mapping[str, int]) -> Text:
    """Return why a reach was drawn, in words: the signs, or chance alone."""
    return _join(reasons_of(counts) or [_NO_SIGN])


def reason_in_both(stored: str) -> Text:
    """Return a reason that was stored in Chinese in both languages; what is none of `reason_of` stands as it is."""
    return _join([_part_in_both(part) for part in stored.split(_JOINED.zh)])


def _part_in_both(part: str) -> Text:
    code = {sign.name.zh: sign.code for sign in SIGNS}
    name, _, n = part.rpartition("：")
    return in_both(part, _NO_SIGN, *(reasons_of({code[name]: int(n)}) if name in code and n.isdecimal() else ()))


def _join(parts: Sequence[Text]) -> Text:
    return Text(*(mark.join(part[at] for part in parts) for at, mark in enumerate(_JOINED)))
