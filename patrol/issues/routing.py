"""Who answers for a place on a day, and why: a pure rule over what lies near and who was appointed on that day.

1. Only reaches within tolerance count. Inside a lake, only the areas around the place count.
2. Reaches of different levels of administration on the same water lie on top of each other. The lowest one stands for
   them all and is a *side* of the question. Its chief of that day answers; if it has none, the next level's does.
3. If several sides are equally near (see `margin_m`) and the same chief answers for all, that chief answers. Otherwise
   nobody's chief is chosen: the office of their nearest common superior region decides, and all sides are listed.
   That covers borders, the two banks, the joint of two consecutive reaches and the mouth of a tributary.
4. Nothing near, or no chief at any level: the office of the region, or of the nearest superior region that has one.

Confidence is 1, less accuracy_m / 400, less 0.2 x distance_m / 200, less up to 0.2 when another side with another chief
is nearer than twice the margin, less 0.1 when a superior answers; at most 0.6 without a chief, 0.4 when an office must
decide between sides, 0.3 with nothing near. From 0.8 it is high, and only then may an issue be dispatched unseen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from patrol.foundation.texts import Text
from patrol.issues.routing_texts import TEXTS
from patrol.people.paths import upwards
from patrol.waters.terms import LEVELS, is_deputy, post_name

_LEVEL_TEXT = {
    "province": Text("省级", "province"), "city": Text("市级", "city"), "county": Text("县级", "county"),
    "township": Text("乡镇级", "township"), "village": Text("村级", "village"),
}  # fmt: skip
_RANK = {level: rank for rank, level in enumerate(LEVELS)}

# Without an accuracy, from a pin on a map or an old phone, the usual worst of a phone outdoors is assumed.
UNKNOWN_ACCURACY_M = 50.0
# What a better accuracy cannot tell apart: half the width of a small river, and how well registers are drawn.
LEAST_MARGIN_M = 15.0
# The same water is drawn again for each level, as bank, centre line or from another map: so far apart is still one.
OVERLAP_M = 30.0
HIGH, MEDIUM = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Region:
    """An administrative region; `path` lists the codes from the top, "/990100/990100001/"."""

    id: UUID
    path: str
    name: str
    has_office: bool


@dataclass(frozen=True, slots=True)
class Chief:
    """Somebody with an enabled account who is appointed to a reach on the day asked about."""

    id: UUID
    name: str
    title: str
    region_id: UUID
    region_path: str = ""


@dataclass(frozen=True, slots=True)
class NearReach:
    """A reach near the place, or the nearest one out of tolerance; the first of `chiefs` is the principal one."""

    id: UUID
    code: str
    name: str
    level: str
    bank: str
    region: Region
    water_body_id: UUID
    distance_m: float
    inside: bool = False
    within_tolerance: bool = True
    chiefs: tuple[Chief, ...] = ()

    @property
    def chief(self) -> Chief | None:
        """The reach's own principal chief on the day, if it has one."""
        return self.chiefs[0] if self.chiefs else None


@dataclass(frozen=True, slots=True)
class Place:
    """The place asked about: the region that holds it or lies nearest, and all known regions by path."""

    region: Region
    regions: Mapping[str, Region]
    accuracy_m: float | None = None


class Rule(StrEnum):
    """The rule that decided."""

    INSIDE, NEAREST, SUPERIOR, SAME_CHIEF = "inside", "nearest", "superior", "same_chief"  # a chief answers
    BORDER, JOINT, MOUTH, NO_CHIEF, NOTHING_NEAR = "border", "joint", "mouth", "no_chief", "nothing_near"  # an office does


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the explanation; texts name posts and places, never persons, so that the public may read them."""

    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Side:
    """One reach that the place may belong to, the chief who answers for it that day and the reach he is chief of."""

    reach: NearReach
    chief: Chief | None
    chief_reach: NearReach | None
    vacant: tuple[NearReach, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """The answer; there is always an office, and a chief unless `rule` says why not."""

    rule: Rule
    confidence: float
    reasons: tuple[Reason, ...]
    candidates: tuple[NearReach, ...]
    involved: tuple[Side, ...]
    reach_id: UUID | None
    chief_id: UUID | None
    region_id: UUID
    office_region_id: UUID

    @property
    def confidence_label(self) -> str:
        """The confidence in a word: high, medium or low."""
        return "high" if self.confidence >= HIGH else "medium" if self.confidence >= MEDIUM else "low"

    def as_data(self) -> dict[str, Any]:
        """Return plain JSON data in both languages, to be stored with the issue; it names chiefs."""
        return {
            "rule": self.rule.value,
            "confidence": self.confidence,
            "confidence_label": self.confidence_label,
            "reasons": [{"code": reason.code, "zh": reason.text.zh, "en": reason.text.en} for reason in self.reasons],
            "candidates": [_reach_data(reach, reach.chief) for reach in self.candidates],
            "involved": [_reach_data(side.reach, side.chief) for side in self.involved],
            "reach_id": str(self.reach_id) if self.reach_id else None,
            "chief_id": str(self.chief_id) if self.chief_id else None,
            "region_id": str(self.region_id),
            "office_region_id": str(self.office_region_id),
        }


def margin_m(accuracy_m: float) -> float:
    """Return how much farther a reach may be and still count as equally near: half the accuracy, 15 m at least."""
    return max(LEAST_MARGIN_M, accuracy_m / 2)


def route(place: Place, candidates: Iterable[NearReach]) -> Routing:
    """Return who answers for `place`; never raises and does not depend on the order of `candidates`."""
    known = sorted(candidates, key=lambda reach: (reach.distance_m, str(reach.id)))
    accuracy_m = max(0.0, UNKNOWN_ACCURACY_M if place.accuracy_m is None else place.accuracy_m)
    reasons = [] if place.accuracy_m is not None else [_because("accuracy_unknown", metres=round(accuracy_m))]
    pool = [reach for reach in known if reach.within_tolerance or reach.inside]
    if not pool:
        return _nothing_near(place, known, reasons)
    margin = margin_m(accuracy_m)
    within_area = [reach for reach in pool if reach.inside]
    ordered = [side for reach in _lowest(within_area or pool, margin) for side in _sides(reach, pool, margin)]
    first = ordered[0]
    sides = [side for side in ordered if side.reach.distance_m <= first.reach.distance_m + margin]
    reasons.append(_because("inside" if within_area else "nearest", **_words(first.reach)))
    if len({_owner(side) for side in sides}) > 1:
        return _office_decides(place, known, sides, margin, reasons)
    if len(sides) > 1:
        reasons.append(_because("same_chief", reaches=_names(sides), margin=round(margin)))
    reasons += _vacancies(sides)
    # Another part of the same lake is no rival for the answer, but it is one for how sure the answer is.
    other_parts = [reach for reach in _lowest(pool, margin) if reach.water_body_id == first.reach.water_body_id]
    rivals = [*ordered, *(side for reach in other_parts for side in _sides(reach, pool, margin))]
    region, confidence = first.reach.region, _confidence(accuracy_m, first, rivals, margin)
    if first.chief is None or first.chief_reach is None:
        office = _office(place, region, reasons)
        return _answer(Rule.NO_CHIEF, min(confidence, 0.6), reasons, known, sides, first.reach.id, region, office)
    code = "chief" if first.reach.chief else "superior"
    if is_deputy(first.chief.title):
        reasons.append(_because("deputy", **_words(first.chief_reach)))
    reasons.append(_because(code, **_words(first.chief_reach), title=post_name(first.chief.title, first.chief_reach.level)))
    alone = Rule.SUPERIOR if code == "superior" else Rule.INSIDE if within_area else Rule.NEAREST
    rule = Rule.SAME_CHIEF if len(sides) > 1 else alone
    return _answer(rule, confidence, reasons, known, sides, first.reach.id, region, _office(place, region), first.chief.id)


def _lowest(pool: Sequence[NearReach], margin: float) -> list[NearReach]:
    """Return the reaches on which no reach of a lower level lies, in the order of `pool`."""
    slack = max(margin, OVERLAP_M)
    return [
        reach for reach in pool
        if not any(_covers(reach, lower) and lower.distance_m <= reach.distance_m + slack for lower in pool)
    ]  # fmt: skip


def _covers(upper: NearReach, lower: NearReach) -> bool:
    """Whether `upper` is a higher level's reach on the same water, bank and line of administration as `lower`."""
    return (
        upper.water_body_id == lower.water_body_id
        and _rank(upper) < _rank(lower)
        and (upper.bank == lower.bank or "both" in {upper.bank, lower.bank})
        and (lower.region.path.startswith(upper.region.path) or upper.region.path.startswith(lower.region.path))
    )


def _rank(reach: NearReach) -> int:
    return _RANK.get(reach.level, len(_RANK))


def _sides(reach: NearReach, pool: Sequence[NearReach], margin: float) -> list[Side]:
    """Walk up the levels from `reach` to the first with a chief; several sides when that level itself is divided."""
    vacant = [] if reach.chief else [reach]
    level = [reach]
    above = [upper for upper in pool if _covers(upper, reach)]
    while above and not any(found.chief for found in level):
        lowest = max(map(_rank, above))
        level = [upper for upper in above if _rank(upper) == lowest]
        level = [upper for upper in level if upper.distance_m <= level[0].distance_m + margin]
        vacant += [upper for upper in level if not upper.chief]
        above = [upper for upper in above if _rank(upper) < lowest]
    answering = {found.chief.id: Side(reach, found.chief, found, tuple(vacant)) for found in reversed(level) if found.chief}
    return [*answering.values()][::-1] or [Side(reach, None, None, tuple(vacant))]


def _owner(side: Side) -> UUID:
    return side.chief.id if side.chief else side.reach.id


def _confidence(accuracy_m: float, first: Side, others: Sequence[Side], margin: float) -> float:
    gaps = [side.reach.distance_m - first.reach.distance_m for side in others if _owner(side) != _owner(first)]
    doubt = max(0.0, min(1.0, 2 - min(gaps) / margin)) if gaps else 0.0
    loss = min(accuracy_m, 400) / 400 + 0.2 * min(first.reach.distance_m / 200, 1) + 0.2 * doubt
    return max(0.0, 1 - loss - (0.1 if first.vacant else 0.0))


def _office_decides(
    place: Place, known: list[NearReach], sides: list[Side], margin: float, reasons: list[Reason]
) -> Routing:
    paths, waters = {side.reach.region.path for side in sides}, {side.reach.water_body_id for side in sides}
    banks = {side.reach.bank for side in sides}
    rule = Rule.BORDER if len(paths) > 1 or {"left", "right"} <= banks else Rule.MOUTH if len(waters) > 1 else Rule.JOINT
    region = _common_region(place, paths)
    reasons.append(_because("equally_near", reaches=_names(sides), margin=round(margin)))
    reasons += _vacancies(sides)
    reasons.append(_because(rule.value))
    return _answer(rule, 0.4, reasons, known, sides, None, region, _office(place, region, reasons))


def _nothing_near(place: Place, known: list[NearReach], reasons: list[Reason]) -> Routing:
    reasons.append(_because("out_of_tolerance", **_words(known[0])) if known else _because("nothing_near"))
    office = _office(place, place.region, reasons)
    return _answer(Rule.NOTHING_NEAR, 0.3, reasons, known, [], None, place.region, office)


def _answer(
    rule: Rule, confidence: float, reasons: list[Reason], known: list[NearReach], sides: list[Side],
    reach_id: UUID | None, region: Region, office: Region, chief_id: UUID | None = None,
) -> Routing:  # fmt: skip
    return Routing(
        rule, round(confidence, 2), tuple(reasons), tuple(known), tuple(sides), reach_id, chief_id, region.id, office.id
    )


def _common_region(place: Place, paths: set[str]) -> Region:
    """Return the lowest known region that holds all `paths`; the place's own when they have nothing in common."""
    for path in upwards(min(paths)):
        if all(other.startswith(path) for other in paths) and path in place.regions:
            return place.regions[path]
    return place.region


def _office(place: Place, region: Region, reasons: list[Reason] | None = None) -> Region:
    """Return the region whose office answers: `region`, else its nearest superior with an office, else the highest."""
    chain = [region, *(place.regions[path] for path in upwards(region.path)[1:] if path in place.regions)]
    chain += [place.regions[path] for path in upwards(place.region.path) if path in place.regions]
    office = next((superior for superior in chain if superior.has_office), None)
    # The floor holds even in a register without any office: the highest region is where somebody will look.
    office = office or min(chain, key=lambda superior: len(superior.path))
    if reasons is not None:
        code = "office" if office.id == region.id else "superior_office"
        reasons.append(_because(code, region=region.name, office=office.name))
    return office


def _because(code: str, /, **words: object) -> Reason:
    return Reason(code, TEXTS[code].format(**words))


def _vacancies(sides: Sequence[Side]) -> list[Reason]:
    vacant = {reach.id: reach for side in sides for reach in side.vacant}
    return [_because("vacant", **_words(reach)) for reach in vacant.values()]


def _words(reach: NearReach) -> dict[str, object]:
    level = _LEVEL_TEXT.get(reach.level, Text(reach.level, reach.level))
    return {"reach": reach.name, "code": reach.code, "level": level, "metres": round(reach.distance_m)}


def _names(sides: Sequence[Side]) -> Text:
    reaches = {side.reach.id: side.reach.name for side in sides}
    # One reach may have two equally near superiors: then these are what cannot be told apart.
    names = reaches.values() if len(reaches) > 1 else [(side.chief_reach or side.reach).name for side in sides]
    return Text("、".join(names), " and ".join(names))


def _reach_data(reach: NearReach, chief: Chief | None) -> dict[str, Any]:
    return {
        "reach": {"id": str(reach.id), "code": reach.code, "name": reach.name, "level": reach.level, "bank": reach.bank},
        "region_id": str(reach.region.id),
        "chief": {"id": str(chief.id), "name": chief.name, "title": chief.title} if chief else None,
        "distance_m": round(reach.distance_m, 1),
        "inside": reach.inside,
        "within_tolerance": reach.within_tolerance,
    }
