"""How alike two reports are, by place, category, words, photos and time: pure rules that rank what may be the same trouble.

A rank decides nothing: the office compares and merges. The weights are ours, those of a new installation.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

from patrol.evidence.likeness import distance as likeness_distance
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES

WEIGHTS: Mapping[str, float] = {"place": 0.3, "category": 0.2, "text": 0.2, "photo": 0.2, "time": 0.1}
"""What each part counts for; a part of which nothing is known is left out and the others count for more."""
# Two unrelated photos differ in about 32 of 64 bits, the closest of many pairs in 22 or so; copies in up to 6.
COPY_BITS, UNLIKE_BITS = 6, 16
TIME_DAYS = 90
_SAME_GROUP, _ALIKE_WORDS = 0.5, 0.3

RANKING = Text(
    "按地点30%、类别20%、描述20%、照片20%、时间10%加权排序；没有照片可比时其余各项按比例计。排序仅供参考，由河长办判断是否合并。",
    "Ranked by place (30 %), category (20 %), words (20 %), photos (20 %) and time (10 %); without photos to compare the "
    "others count for more. The rank decides nothing: the office does.",
)
_NEAR = Text("相距{metres}米，在类别半径{radius}米以内", "{metres} m away, within the category's {radius} m")
_FAR = Text("相距{metres}米，超出类别半径{radius}米", "{metres} m away, beyond the category's {radius} m")
_SAME_CATEGORY = Text("类别相同", "The same category")
_NEAR_CATEGORY = Text("同一大类：{name}", "A category of the same group: {name}")
_OTHER_CATEGORY = Text("类别不同：{name}", "Another category: {name}")
_SAME_DAY = Text("上报时间相差不到一天", "Reported within a day of each other")
_DAYS = Text("上报时间相差{days}天", "Reported {days} days apart")
_WORDS = Text("描述相似度{percent}%", "{percent} % of the words are alike")
_SAME_PHOTO = Text("有相同的照片", "They share a photo")
_COPY = Text("有几乎相同的照片（64位中{bits}位不同）", "Photos that are nearly the same ({bits} of 64 bits differ)")
_LIKE = Text("有相似的照片（64位中{bits}位不同）", "Photos that look alike ({bits} of 64 bits differ)")
_RELAPSE = Text(
    "本件在其结案{days}天后发现：不是重复，受理后按复发关联",
    "Seen {days} days after that one was closed: no duplicate; accepting it links the two as a relapse",
)


class Print(NamedTuple):
    """What two photos are compared by; `likeness` None where it is not known yet."""

    sha256: str
    likeness: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """What is known of two reports side by side; `days_after_closing` only where one was seen after the other's closing."""

    category: str
    other_category: str
    distance_m: float
    radius_m: int
    days_apart: float
    text_score: float
    photo_bits: int | None
    days_after_closing: int | None = None


class Likeness(NamedTuple):
    """How alike two reports are, 0 to 1: in all, and by photo (None without any to compare); and why, in words."""

    score: float
    photo_score: float | None
    reasons: tuple[Text, ...]


def text_score(one: str, other: str) -> float:
    """Return how many of the pairs of neighbouring letters or characters two texts share (Dice's coefficient), 0 to 1.

    Pairs of characters do for Chinese, which writes no gaps, what words do elsewhere; width, case and signs do not count.
    """
    first, second = _pairs(one), _pairs(other)
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def _pairs(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKC", text).casefold()
    runs = ("".join(run) for is_word, run in groupby(plain, str.isalnum) if is_word)
    return {pair for run in runs for pair in ([run] if len(run) == 1 else map("".join, pairwise(run)))}


def photo_bits(ours: Iterable[Print], theirs: Iterable[Print]) -> int | None:
    """Return in how many of 64 bits the closest two photos differ, 0 for the same file, None with nothing to compare."""
    others = list(theirs)
    found = [bits for one in ours for other in others if (bits := _bits(one, other)) is not None]
    return min(found, default=None)


def _bits(one: Print, other: Print) -> int | None:
    if one.sha256 == other.sha256:
        return 0
    return likeness_distance(one.likeness, other.likeness) if one.likeness and other.likeness else None


def likeness_of(pair: Pair) -> Likeness:
    """Return how alike two reports are, and the reasons in the order of the weights."""
    by_photo = None if pair.photo_bits is None else max(0.0, 1 - pair.photo_bits / UNLIKE_BITS)
    parts = {
        "place": max(0.0, 1 - pair.distance_m / pair.radius_m) if pair.radius_m else None,
        "category": _category_score(pair), "text": pair.text_score, "photo": by_photo,
        "time": max(0.0, 1 - pair.days_apart / TIME_DAYS),
    }  # fmt: skip
    known = {name: value for name, value in parts.items() if value is not None}
    score = sum(WEIGHTS[name] * value for name, value in known.items()) / sum(WEIGHTS[name] for name in known)
    return Likeness(score, by_photo, tuple(_reasons(pair)))


def _category_score(pair: Pair) -> float:
    if pair.category == pair.other_category:
        return 1.0
    return _SAME_GROUP if pair.category[0] == pair.other_category[0] else 0.0


def _reasons(pair: Pair) -> Iterable[Text]:
    where = _NEAR if pair.distance_m <= pair.radius_m else _FAR
    yield where.format(metres=round(pair.distance_m), radius=pair.radius_m)
    kind = {1.0: _SAME_CATEGORY, _SAME_GROUP: _NEAR_CATEGORY, 0.0: _OTHER_CATEGORY}[_category_score(pair)]
    yield kind.format(name=CATEGORIES[pair.other_category].name)
    if pair.text_score >= _ALIKE_WORDS:
        yield _WORDS.format(percent=round(pair.text_score * 100))
    if pair.photo_bits is not None and pair.photo_bits < UNLIKE_BITS:
        words = _SAME_PHOTO if pair.photo_bits == 0 else _COPY if pair.photo_bits <= COPY_BITS else _LIKE
        yield words.format(bits=pair.photo_bits)
    yield _SAME_DAY if pair.days_apart < 1 else _DAYS.format(days=round(pair.days_apart))
    if pair.days_after_closing is not None:
        yield _RELAPSE.format(days=pair.days_after_closing)
