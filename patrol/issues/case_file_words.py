"""What an entry's changes say to who reads a case on paper: which case, to whom, until when, which part. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from patrol.foundation.texts import Text
from patrol.issues.deadlines import due_said
from patrol.people.departments import DEPARTMENTS

_INTO = Text("并入：{value}", "Merged into: {value}")
_OUT_OF = Text("从 {value} 撤出", "Taken out of {value}")
_TAKEN_IN = Text("并入本件：{value}", "Merged into this one: {value}")
_GIVEN_BACK = Text("从本件撤出：{value}", "Taken out of this one: {value}")
_LEAD, _DEPARTMENT = Text("责任人：{value}", "Lead: {value}"), Text("责任单位：{value}", "Department: {value}")
_HELPERS, _UNTIL, _DUE = Text("协办：{value}", "Beside the lead: {value}"), Text("申请延至：{value}", "More time until: {value}"), Text("期限：{value}", "Due: {value}")
_PLAN, _PLAN_DUE = Text("整改方案", "The plan"), Text("整改方案期限：{value}", "The plan is due: {value}")
_PART, _OF_PART = Text("分项 {value}", "Part {value}"), Text("{n}：{text}", "{n}: {text}")


def changes_said(entry: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], language: str, timezone: str) -> list[str]:
    """Return the lines that tell what an entry of a case file changed; `entries` are all of it, since a part is named by its number later."""
    changes, zone = entry["details"]["changes"], ZoneInfo(timezone)
    found: list[Text] = []
    for name, to, out in (("merged_into", _INTO, _OUT_OF), ("duplicate", _TAKEN_IN, _GIVEN_BACK)):
        change = changes.get(name) or {}
        found += [words.format(value=change[end]) for end, words in (("to", to), ("from", out)) if isinstance(change.get(end), str)]
    if lead := _to(changes, "lead_id"):
        found.append(_LEAD.format(value=lead["name"]))
    if (code := _to(changes, "department")) in DEPARTMENTS:
        found.append(_DEPARTMENT.format(value=DEPARTMENTS[code].name))
    if helpers := _to(changes, "co_handlers"):
        found.append(_HELPERS.format(value="、".join(person["name"] for person in helpers)))
    found += [_PART.format(value=_OF_PART.format(n=row["n"], text=f"{row['name']} · {row['part']}")) for row in _to(changes, "parts") or ()]
    if n := _to(changes, "part"):
        texts = [row["part"] for one in entries for row in _to(one["details"]["changes"], "parts") or () if row["n"] == n]
        found.append(_PART.format(value=_OF_PART.format(n=n, text=texts[-1]) if texts else n))
    for name, words in (("until", _UNTIL), ("part_due_at", _DUE), ("due_at", _DUE), ("plan_due_at", _PLAN_DUE)):
        if moment := _to(changes, name):
            found.append(words.format(value=due_said(datetime.fromisoformat(moment), zone)))
    found += [_PLAN] if _to(changes, "plan") else []
    return [text.in_language(language) for text in found]


def _to(changes: Mapping[str, Any], name: str) -> Any:
    return (changes.get(name) or {}).get("to")
