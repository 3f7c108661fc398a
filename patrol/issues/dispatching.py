"""Which issues go straight to the responsible chief, and which the office looks at first."""

from collections.abc import Sequence
from typing import NamedTuple

from patrol.foundation.texts import Text
from patrol.issues.categories import Severity, Source


class Rule(NamedTuple):
    """One row of policy and its version, met by an issue that every column fits; the lowest `position` is asked first.

    `category` is the first letters of a code, "" for all; `confidence` is what the routing must have said of the place,
    None when it need not be sure.
    """

    code: str
    sources: frozenset[Source]
    category: str
    severities: frozenset[Severity]
    confidence: str | None
    straight: bool
    reason: Text
    version: int = 1
    position: int = 0


class Decision(NamedTuple):
    """Whether the chief gets the issue at once, the code of the rule that says so, the reason in words, and the row's version, if it is a row."""

    straight: bool
    rule: str
    reason: Text
    version: int | None = None


_ANY_SOURCE, _PATROL = frozenset(Source), frozenset({Source.PATROL})
_COMPLAINTS = frozenset({Source.CITIZEN, Source.HOTLINE})
_ANY, _GENERAL = frozenset(Severity), frozenset({Severity.GENERAL})

_DUTY = Text("涉及河长履职的问题由河长办先受理", "what concerns a chief's duty is received by the office first")
_OTHER = Text("建议和其他事项由河长办先受理", "advice and other matters are received by the office first")
_GRAVE = Text("一般以上的问题由河长办先受理", "what is more than general is received by the office first")
_SEEN = Text("巡河发现的一般问题直接派给河长", "a general issue found on patrol goes straight to the chief")
_PLACED = Text("位置明确的一般投诉直接派给河长", "a general complaint with a sure place goes straight to the chief")
_UNSURE = Text("投诉位置不够明确，由河长办先行核实", "the place is not sure, so the office checks the complaint first")
_OFFICE = Text("此来源的问题由河长办先受理", "issues from this source are received by the office first")
DUTY = "F"
"""The category of charges against chiefs: they are never sent to a chief unseen, whatever a row of policy says."""
_VACANT = Text("该河段当日没有在任河长，由河长办先受理", "nobody is chief there that day: the office receives it")

# The first row that fits decides. Duty comes first, because a charge against a chief must never be sent to that chief.
DEFAULT_RULES: tuple[Rule, ...] = (
    Rule("duty_to_office",     _ANY_SOURCE, "F", _ANY,            None,   False, _DUTY),
    Rule("other_to_office",    _ANY_SOURCE, "Z", _ANY,            None,   False, _OTHER),
    Rule("grave_to_office",    _ANY_SOURCE, "",  _ANY - _GENERAL, None,   False, _GRAVE),
    Rule("patrol_to_chief",    _PATROL,     "",  _GENERAL,        None,   True,  _SEEN),
    Rule("complaint_to_chief", _COMPLAINTS, "",  _GENERAL,        "high", True,  _PLACED),
    Rule("unsure_to_office",   _COMPLAINTS, "",  _GENERAL,        None,   False, _UNSURE),
)  # fmt: skip


def goes_straight_to_the_chief(
    source: Source, category: str, severity: Severity, confidence: str, has_chief: bool,
    *, rules: Sequence[Rule] = DEFAULT_RULES,
) -> Decision:  # fmt: skip
    """Decide whether an issue is accepted and dispatched by the system at once, instead of waiting for the office.

    `category` is a code, `confidence` is the routing's word for the place (only "high" is sure), `has_chief` tells
    whether the routing found a person. What no row covers, and what would go to a vacant post, waits for the office.
    """
    for rule in rules:
        fits = source in rule.sources and category.startswith(rule.category) and severity in rule.severities
        if fits and rule.confidence in (None, confidence):
            break
    else:
        return Decision(False, "office_first", _OFFICE)
    if rule.straight and category.startswith(DUTY):
        return Decision(False, "duty_to_office", _DUTY)
    if rule.straight and not has_chief:
        return Decision(False, "vacant_to_office", _VACANT)
    return Decision(rule.straight, rule.code, rule.reason, rule.version)
