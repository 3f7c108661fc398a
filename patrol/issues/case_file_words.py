"""What an entry's changes say to who reads a case on paper: every one of them, in words; what no words know by its name. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from patrol.foundation.texts import Text
from patrol.issues.beside import ANSWER_ORDER
from patrol.issues.categories import CATEGORIES, SEVERITY_NAME, SOURCE_NAME
from patrol.issues.deadlines import due_said
from patrol.issues.facts import ROWS
from patrol.issues.lifecycle import ORDER_NAME
from patrol.people.departments import DEPARTMENTS

RESULT_NAME = {
    "cured": Text("已整改到位", "cured"), "relapsed": Text("反弹", "came back"), "not_as_reported": Text("与上报不符", "not as reported"),
    "not_reachable": Text("无法到达", "could not be reached"),
}  # fmt: skip
"""What a spot check found, by its code."""
Names = Mapping[tuple[str, str], str]
"""What a code or an id under the name of a change is called in the register."""
_NO_NAMES: Names = MappingProxyType({})
_LINE, _CHANGED = Text("{label}：{now}", "{label}: {now}"), Text("{label}：{now}（原为：{was}）", "{label}: {now} (was: {was})")
_NOTHING, _NAMED = Text("无", "none"), Text("{code} {name}", "{code} {name}")
_YES, _NO = Text("是", "yes"), Text("否", "no")
_INTO = Text("并入：{value}", "Merged into: {value}")
_OUT_OF = Text("从 {value} 撤出", "Taken out of {value}")
_TAKEN_IN = Text("并入本件：{value}", "Merged into this one: {value}")
_GIVEN_BACK = Text("从本件撤出：{value}", "Taken out of this one: {value}")
_PART, _OF_PART = Text("分项 {value}", "Part {value}"), Text("{n}：{text}", "{n}: {text}")
_HOLDER, _OWN_PART = Text("{name}（{department}）", "{name}, {department}"), Text("{who} · {part}", "{who} · {part}")
_PART_DUE = Text("{text}（期限：{due}）", "{text} (due: {due})")
_PART_STATE = {"open": Text("办理中", "open"), "done": Text("已完成", "done"), "taken_back": Text("已收回", "taken back")}
_OWNER_KIND = {
    "department": Text("部门", "department"), "office": Text("河长办", "office"), "region": Text("地区", "region"), "chief": Text("河长", "chief"),
    "other": Text("其他", "other"),
}  # fmt: skip
_MILESTONE = Text("{n}. {text}（{due_on}）", "{n}. {text} ({due_on})")
_PHOTO = Text("第 {seq} 步的照片，SHA-256 {sha256}…", "photo of step {seq}, SHA-256 {sha256}…")
_DOUBT = Text("{doubt}（{photo}）", "{doubt} ({photo})")
_ANSWERED = Text("答复第 {seq} 步的督办", "Answer to the order of step {seq}")
_ORDER_ID = Text("督办件 {id}", "Order {id}")


@dataclass(frozen=True)
class _Paper:
    """What the words of an entry are looked up in: all of the case file, since a part or a photo is named by what another entry says."""

    entries: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    names: Names
    zone: ZoneInfo


_Words = Callable[[Any, _Paper], Text]
_Said = Callable[[Mapping[str, Any], _Paper], list[Text]]


def changes_said(
    entry: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], language: str, timezone: str, *,
    findings: Sequence[Mapping[str, Any]] = (), names: Names = _NO_NAMES,
) -> list[str]:  # fmt: skip
    """Return the lines that tell what an entry of a case file changed, each change with what was before; `entries` are all of the file.

    `findings` are the file's, `names` what the register calls the codes and ids in it. No change is left out.
    """
    changes, paper = entry["details"]["changes"], _Paper(entries, findings, names, ZoneInfo(timezone))
    order = [*(name for name in CHANGE_WORDS if name in changes), *(name for name in changes if name not in CHANGE_WORDS)]
    if "due_at" in changes:
        # The last day is that of the date beside it.
        order = [name for name in order if name != "last_day"]
    found = [text for name in order for text in _told(name, _ends(changes[name]), paper)]
    return [text.in_language(language) for text in found]


def _told(name: str, change: Mapping[str, Any], paper: _Paper) -> list[Text]:
    try:
        return CHANGE_WORDS[name](change, paper)
    except (LookupError, TypeError, ValueError, AttributeError):
        # No words know it, or an entry of another version has another shape than they: it is told as it is kept.
        return _by_its(name)(change, paper)


def _ends(change: Any) -> Mapping[str, Any]:
    """Return a change as `{from, to}`; a partner system's word is kept without."""
    return change if isinstance(change, Mapping) and change.keys() == {"from", "to"} else {"from": None, "to": change}


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [])


def _line(label: Text, words: _Words) -> _Said:
    """Return how a change is told by a label, with words for a value of it."""

    def said(change: Mapping[str, Any], paper: _Paper) -> list[Text]:
        was, now = (None if _is_nothing(change[end]) else words(change[end], paper) for end in ("from", "to"))
        line = _LINE if was is None else _CHANGED
        return [line.format(label=label, now=_NOTHING if now is None else now, was=was)]

    return said


def _by_its(name: str) -> _Said:
    return _line(Text(name, name), lambda value, _: _plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _fixed(text: Text) -> _Said:
    return lambda _change, _paper: [text]


def _two(to: Text, out: Text) -> _Said:
    """Return how a relation is told, which begins with one issue, ends with another, or goes from one to the other."""
    return lambda change, _: [words.format(value=change[end]) for end, words in (("to", to), ("from", out)) if change[end]]


def _plain(value: Any, _paper: _Paper | None = None) -> Text:
    return Text(str(value), str(value))


def _in(names: Mapping[Any, Text]) -> _Words:
    return lambda value, _: names.get(value, _plain(value))


def _all(values: Sequence[Text], zh: str = "；", en: str = "; ") -> Text:
    return Text(zh.join(text.zh for text in values), en.join(text.en for text in values))


def _moment(value: str, paper: _Paper) -> Text:
    return _plain(due_said(datetime.fromisoformat(value), paper.zone))


def _truth(value: bool, _paper: _Paper) -> Text:
    return _YES if value else _NO


def _category(value: str, _paper: _Paper) -> Text:
    return _NAMED.format(code=value, name=CATEGORIES[value].name) if value in CATEGORIES else _plain(value)


def _department(value: str, _paper: _Paper) -> Text:
    return DEPARTMENTS[value].name if value in DEPARTMENTS else _plain(value)


def _person(value: Any, _paper: _Paper) -> Text:
    return _plain(value["name"] if isinstance(value, Mapping) else value)


def _people(value: Sequence[Any], paper: _Paper) -> Text:
    return _all([_person(each, paper) for each in value], "、", ", ")


def _place(name: str) -> _Words:
    """Return a place as its code, which the history proves, and what it is called now."""
    return lambda value, paper: _NAMED.format(code=value, name=paper.names[name, value]) if (name, value) in paper.names else _plain(value)


def _both(value: Mapping[str, Any], _paper: _Paper) -> Text:
    return Text(value["zh"], value["en"])


def _owner(value: Mapping[str, Any], _paper: _Paper) -> Text:
    return _LINE.format(label=_OWNER_KIND.get(value["kind"], value["kind"]), now=value["name"])


def _milestones(value: Sequence[Mapping[str, Any]], _paper: _Paper) -> Text:
    return _all([_MILESTONE.format(n=n, text=row["text"], due_on=row["due_on"]) for n, row in enumerate(value, 1)])


def _photo(value: str, paper: _Paper) -> Text:
    brought = [(one["seq"], photo) for one in paper.entries for photo in one["details"].get("photos", ()) if photo["id"] == value]
    return _PHOTO.format(seq=brought[0][0], sha256=brought[0][1]["sha256"][:12]) if brought else _plain(value)


def _doubts(value: Sequence[Mapping[str, str]], paper: _Paper) -> Text:
    known = {(row["code"], row["evidence"].get("photo_id")): Text(row["zh"], row["en"]) for row in paper.findings}
    return _all([
        _DOUBT.format(doubt=known.get((row["code"], row["photo_id"]), _plain(row["code"])), photo=_photo(row["photo_id"], paper)) for row in value
    ])  # fmt: skip


def _parts(change: Mapping[str, Any], paper: _Paper) -> list[Text]:
    found = []
    for row in change["to"] or ():
        who = _HOLDER.format(name=row["name"], department=_department(row["department"], paper)) if row.get("department") else row["name"]
        text = _OWN_PART.format(who=who, part=row["part"])
        due = _moment(row["due_at"], paper) if row.get("due_at") else None
        found.append(_PART.format(value=_OF_PART.format(n=row["n"], text=_PART_DUE.format(text=text, due=due) if due else text)))
    return found


def _part(change: Mapping[str, Any], paper: _Paper) -> list[Text]:
    n = change["to"]
    texts = [row["part"] for one in paper.entries for row in _to(one["details"]["changes"], "parts") or () if row["n"] == n]
    return [_PART.format(value=_OF_PART.format(n=n, text=texts[-1]) if texts else n)]


def _order(change: Mapping[str, Any], paper: _Paper) -> list[Text]:
    """Return the kind of an order; an answer names its order by the id, which the entry that gave it says among its facts."""
    if (value := change["to"]) in ORDER_NAME:
        return [ORDER_NAME[value]]
    given = [
        one["seq"] for one in paper.entries
        if one["verb"] != ANSWER_ORDER and f"order {value}" in ((one["details"].get("facts") or {}).get(ROWS) or {})
    ]  # fmt: skip
    return [_ANSWERED.format(seq=given[0]) if given else _ORDER_ID.format(id=value)]


def _to(changes: Mapping[str, Any], name: str) -> Any:
    return (changes.get(name) or {}).get("to")


CHANGE_WORDS: Mapping[str, _Said] = {
    "order": _order,
    "milestone": _line(Text("节点", "Milestone"), _plain),
    "text": lambda change, _: [_plain(change["to"])],
    "merged_into": _two(_INTO, _OUT_OF),
    "duplicate": _two(_TAKEN_IN, _GIVEN_BACK),
    "warnings": _line(Text("合并时的提醒", "Warned at the merging"), lambda value, paper: _all([_both(row, paper) for row in value])),
    "relapse_of": _line(Text("复发自", "Brings back"), _plain),
    "relapse": _line(Text("复发件", "Came back in"), _plain),
    "category": _line(Text("类别", "Category"), _category),
    "severity": _line(Text("严重程度", "Severity"), _in(SEVERITY_NAME)),
    "source": _line(Text("来源", "Source"), _in(SOURCE_NAME)),
    "digest": _line(Text("上报内容的摘要", "Digest of what was reported"), _plain),
    "region_id": _line(Text("地区", "Region"), _place("region_id")),
    "reach_id": _line(Text("河段", "Reach"), _place("reach_id")),
    "accused_id": _line(Text("涉及的河长", "The chief whom it is about"), lambda value, paper: _plain(paper.names.get(("accused_id", value), value))),
    "lead_id": _line(Text("责任人", "Lead"), _person),
    "department": _line(Text("责任单位", "Department"), _department),
    "ownership": _line(Text("确定责任单位的依据", "Why this department"), _both),
    "co_handlers": _line(Text("协办", "Beside the lead"), _people),
    "parts": _parts,
    "part": _part,
    "part_state": _line(Text("分项状态", "State of the part"), _in(_PART_STATE)),
    "holder": _line(Text("分项协办人", "Who does the part"), _person),
    "suggested_owner": _line(Text("建议的责任方", "Suggested owner"), _plain),
    "owner": _line(Text("对应的责任方", "Understood as"), _owner),
    "ruling": _fixed(Text("退单后由河长办裁定", "Ruled by the office after a lead declined")),
    "precedent": _line(Text("作为先例记入分工", "Kept as a precedent, row"), _plain),
    "approved_by": _line(Text("批准人", "Approved by"), _person),
    "reported_to": _line(Text("报告总河长", "Reported to the general chief"), _person),
    "review_on": _line(Text("复查日期", "To be reviewed on"), _plain),
    "milestones": _line(Text("节点", "Milestones"), _milestones),
    "until": _line(Text("申请延至", "More time until"), _moment),
    "planned_at": _line(Text("规定时刻", "Its moment was"), _moment),
    "part_due_at": _line(Text("期限", "Due"), _moment),
    "due_at": _line(Text("期限", "Due"), _moment),
    "last_day": _line(Text("最后一天", "Last day"), _plain),
    "plan": _fixed(Text("整改方案", "The plan")),
    "plan_due_at": _line(Text("整改方案期限", "The plan is due"), _moment),
    "plan_reported_at": _line(Text("整改方案首次上报", "The plan was first reported"), _moment),
    "rule": _line(Text("期限规则", "Rule of the due date"), _plain),
    "ordered_by": _line(Text("下令重新计算", "Counted again by order of"), _person),
    "policy_application": _line(Text("重新计算编号", "Number of the recount"), _plain),
    "before_photo": _line(Text("对照的整改前照片", "Compared with"), _photo),
    "photo": _line(Text("照片", "Photo"), _photo),
    "judged": _line(Text("当时已知的严重疑点", "Serious doubts known then"), _doubts),
    "public_summary": _line(Text("公开的办理结果", "Public summary"), _plain),
    "result": _line(Text("抽查结果", "Found"), _in(RESULT_NAME)),
    "on_site": _line(Text("在现场", "On the spot"), _truth),
    "spot_check": _line(Text("抽查编号", "Number of the spot check"), _plain),
    "claimed_status": _line(Text("外部系统所报状态", "State by the partner system"), _plain),
    "update_id": _line(Text("外部系统编号", "Number in the partner system"), _plain),
    "request": _line(Text("所指的件", "Said of"), _plain),
}  # fmt: skip
"""How each change is told, in the order in which they stand on paper."""
