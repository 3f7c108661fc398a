"""What one entry of a history counts as in the figures of its day: closed is not fixed. Pure.

Each closing counts once as undone, whatever undoes it first: it is reopened, or the same trouble comes back beside it
(DOMAIN (h): store numerator and denominator; refused issues never count as solved).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from patrol.issues.accusations import is_charge
from patrol.issues.history import ASK_REOPENING, RELAPSE, RELAPSE_WITHDRAWN, SUBMIT
from patrol.issues.lifecycle import State, Verb

COUNTS: Mapping[str, str] = {
    "received": "Reported.", "dropped": "Rejected, or merged into another.", "rejected": "Rejected.", "merged": "Merged into another.",
    "restored": "Taken back from that.", "suspended": "Put on the ledger.", "resumed": "Taken off the ledger.",
    "verified": "Found put right by somebody else; less what was sent back after that.", "closed": "Closed.",
    "closed_in_time": "Closed before its due date, and before any that had passed when another severity or category moved it.",
    "undone": "Closings that were undone: reopened, or the trouble came back; less those of relapses that were none after all.",
    "reopened": "Reopened after a closing.", "relapsed": "Closed ones whose trouble came back, by a later report.",
    "called_not_fixed": "Called not fixed by a complainant after a closing.",
}
"""The figures of a day, and what each counts."""
_PLAIN: Mapping[str, Sequence[str]] = {
    SUBMIT: ("received",), Verb.REJECT.value: ("dropped", "rejected"), Verb.MERGE.value: ("dropped", "merged"), Verb.UNMERGE.value: ("restored",),
    Verb.SUSPEND.value: ("suspended",), Verb.RESUME.value: ("resumed",), Verb.VERIFY.value: ("verified",), ASK_REOPENING: ("called_not_fixed",),
}  # fmt: skip
_BEGINS_ANEW, _GRADED = (SUBMIT, Verb.ACCEPT.value, Verb.REOPEN.value), {"severity", "category"}
COUNTED = (*_PLAIN, Verb.RETURN.value, Verb.CLOSE.value, Verb.REOPEN.value, RELAPSE, RELAPSE_WITHDRAWN)
"""The verbs of entries that count as something."""


class Told(NamedTuple):
    """An entry of a history as far as it counts: `facts` is what it set of the issue, None where entries did not say that yet."""

    verb: str
    from_state: str | None
    at: datetime
    facts: Mapping[str, Any] | None


class Standing(NamedTuple):
    """What an issue is today, for histories that do not say what it was."""

    category: str
    region_id: UUID
    due_at: datetime


def figures_of(histories: Iterable[tuple[Standing, Sequence[Told]]], start: datetime, end: datetime) -> defaultdict[UUID, Counter[str]]:
    """Return the figures of the entries from `start` until before `end`, by the region in which each issue lay then.

    Charges against chiefs are not counted: a figure of one village would tell the accused. A history is given whole from
    its beginning until `end`.
    """
    found = defaultdict[UUID, Counter[str]](Counter)
    for standing, entries in histories:
        category, region_id, due_at, comebacks = standing.category, standing.region_id, standing.due_at, 0
        was_late = False
        for entry in entries:
            facts = entry.facts or {}
            category = facts.get("category", category)
            region_id = UUID(facts["region_id"]) if facts.get("region_id") else region_id
            before, due_at = due_at, datetime.fromisoformat(facts["due_at"]) if facts.get("due_at") else due_at
            # Grading gives time to go on with, and takes no lateness away; what is accepted or reopened begins anew.
            was_late = entry.verb not in _BEGINS_ANEW and (was_late or (not _GRADED.isdisjoint(facts) and before <= entry.at < due_at))
            counts, comebacks = _counts(entry, due_at, comebacks)
            if was_late and entry.verb == Verb.CLOSE:
                counts["closed_in_time"] = 0
            if start <= entry.at < end and not is_charge(category):
                found[region_id].update(counts)
    return found


def _counts(entry: Told, due_at: datetime, comebacks: int) -> tuple[dict[str, int], int]:
    """Return what an entry counts as, and how many relapses stand against the last closing after it."""
    if entry.verb in _PLAIN:
        return dict.fromkeys(_PLAIN[entry.verb], 1), comebacks
    if entry.verb == Verb.RETURN:
        return {"verified": -int(entry.from_state == State.VERIFIED)}, comebacks
    if entry.verb == Verb.CLOSE:
        return {"closed": 1, "closed_in_time": int(entry.at <= due_at)}, 0
    if entry.verb == RELAPSE:
        return {"relapsed": 1, "undone": int(comebacks == 0)}, comebacks + 1
    if entry.verb == RELAPSE_WITHDRAWN:
        is_closed = entry.from_state == State.CLOSED
        return {"relapsed": -1, "undone": -int(comebacks == 1 and is_closed)}, max(comebacks - 1, 0)
    if entry.verb == Verb.REOPEN and entry.from_state == State.CLOSED:
        return {"reopened": 1, "undone": int(comebacks == 0)}, comebacks
    return ({"restored": 1}, comebacks) if entry.verb == Verb.REOPEN else ({}, comebacks)
