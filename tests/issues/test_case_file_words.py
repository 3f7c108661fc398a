"""Every change that a history holds is told on paper, in words of the reader's language."""

import ast
from pathlib import Path

import pytest

from patrol.issues import judging
from patrol.issues.case_file_words import CHANGE_WORDS, changes_said

ROOMS = Path(judging.__file__).parent.parent
# Named by what the code loops over, or by a constant.
BY_LOOP = {"category", "severity", "source", "digest", "due_at", "last_day", "rule", judging.JUDGED, "approved_by", "reported_to"}
PERSON, PHOTO, ORDER = {"id": "0190b7a2", "name": "柳村长"}, "0190b7a2-0000-7000-8000-000000000001", "0190b7a2-0000-7000-8000-00000000000a"
MOMENT = "2026-12-11T16:00:00+00:00"
VALUES = {
    "order": "letter", "text": "请三日内清理完毕", "milestone": 1, "merged_into": "XH0000001", "duplicate": "XH0000002",
    "warnings": [{"zh": "两件的类别不同", "en": "of other categories"}], "relapse_of": "XH0000003", "relapse": "XH0000004", "category": "C1",
    "severity": "serious", "source": "patrol", "digest": "0" * 64, "region_id": "990101", "reach_id": "R1", "accused_id": PERSON["id"],
    "lead_id": PERSON, "department": "water", "ownership": {"department": "water", "zh": "按分工表", "en": "by the matrix"}, "co_handlers": [PERSON],
    "parts": [{"n": 1, "person": "x", "name": "城管", "department": "water", "part": "清运岸边固废", "due_at": MOMENT}], "part": 1, "part_state": "done",
    "holder": PERSON, "suggested_owner": "区水利局", "owner": {"kind": "department", "code": "water", "name": "水利局"}, "ruling": True,
    "precedent": PHOTO, "approved_by": PERSON, "reported_to": PERSON, "review_on": "2026-12-30",
    "milestones": [{"text": "施工图", "due_on": "2026-12-20"}], "until": MOMENT, "planned_at": MOMENT, "part_due_at": MOMENT, "due_at": MOMENT,
    "last_day": "2026-12-11", "plan": True, "plan_due_at": MOMENT, "plan_reported_at": MOMENT, "rule": "general", "ordered_by": "system",
    "policy_application": PHOTO, "before_photo": PHOTO, "photo": PHOTO, "judged": [{"code": "after_photo_same", "photo_id": PHOTO}],
    "public_summary": "已清理", "result": "cured", "on_site": False, "spot_check": PHOTO, "claimed_status": "closed", "update_id": "U-1",
    "request": "XH0000005",
}  # fmt: skip
ENTRIES = [
    {"seq": 1, "verb": "submit", "details": {"changes": {}, "photos": [{"id": PHOTO, "sha256": "ab" * 32}]}},
    {"seq": 2, "verb": "supervise", "details": {"changes": {}, "facts": {"rows": {f"order {ORDER}": {}}}}},
]
FINDINGS = [{"code": "after_photo_same", "evidence": {"photo_id": PHOTO}, "zh": "与整改前是同一张照片", "en": "The same photo as before"}]
NAMES = {("region_id", "990101"): "柳溪镇", ("accused_id", PERSON["id"]): "柳村长"}


def told(changes, language="zh"):
    entry = {"seq": 9, "verb": "dispatch", "details": {"changes": changes}}
    return changes_said(entry, [*ENTRIES, entry], language, "Asia/Shanghai", findings=FINDINGS, names=NAMES)


def names_written():
    """Return the names under which the rooms write changes, as far as the code has them as words."""
    found = set()
    for path in ROOMS.rglob("*.py"):
        # Accounts are changed too, but have no history of an issue.
        if path.is_relative_to(ROOMS / "people"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Dict):
                found |= {key.value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant) and _is_change(value)}
            elif isinstance(node, ast.Assign) and _is_change(node.value):
                found |= {_word(target.slice) for target in node.targets if isinstance(target, ast.Subscript)}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "change" and len(node.args) > 1:
                found.add(_word(node.args[0]))
            elif isinstance(node, ast.keyword) and node.arg == "changes" and isinstance(node.value, ast.Dict):
                found |= {_word(key) for key in node.value.keys if key is not None}
    return found - {None}


def _is_change(node):
    return isinstance(node, ast.Dict) and [_word(key) for key in node.keys] == ["from", "to"]


def _word(node):
    return node.value if isinstance(node, ast.Constant) else None


def test_every_change_that_the_product_writes_has_words():
    written = names_written()
    assert {"lead_id", "review_on", "public_summary", "part_state", "claimed_status", "spot_check", "merged_into"} <= written, "they are found"
    assert (written | BY_LOOP) - CHANGE_WORDS.keys() == set()


@pytest.mark.parametrize("name", sorted(CHANGE_WORDS))
def test_a_change_is_told_in_both_languages_and_says_no_names_of_fields(name):
    for change in ({"from": None, "to": VALUES[name]}, {"from": VALUES[name], "to": VALUES[name]}):
        zh, en = (told({name: change}, language) for language in ("zh", "en"))
        assert zh
        assert len(zh) == len(en)
        for lines in (zh, en):
            assert not any("_" in line or "None" in line or "{" in line for line in lines), lines
        if name != "text":
            assert zh != en


def test_a_value_says_what_was_before_and_what_ended():
    assert told({"severity": {"from": "serious", "to": "general"}}) == ["严重程度：一般（原为：较重）"]
    assert told({"severity": {"from": "serious", "to": "general"}}, "en") == ["Severity: General (was: Serious)"]
    assert told({"lead_id": {"from": PERSON, "to": None}, "co_handlers": {"from": [PERSON], "to": []}}) == ["责任人：无（原为：柳村长）", "协办：无（原为：柳村长）"]
    assert told({"review_on": {"from": "2026-12-30", "to": None}}, "en") == ["To be reviewed on: none (was: 2026-12-30)"]


def test_what_codes_and_ids_stand_for_is_looked_up():
    assert told({"region_id": {"from": "990102", "to": "990101"}}) == ["地区：990101 柳溪镇（原为：990102）"]
    assert told({"photo": {"from": None, "to": PHOTO}}) == ["照片：第 1 步的照片，SHA-256 abababababab…"]
    assert told({"judged": {"from": None, "to": VALUES["judged"]}}) == ["当时已知的严重疑点：与整改前是同一张照片（第 1 步的照片，SHA-256 abababababab…）"]
    assert told({"order": {"from": None, "to": ORDER}}) == ["答复第 2 步的督办"]
    assert told({"parts": {"from": None, "to": VALUES["parts"]}}) == ["分项 1：城管（水利局） · 清运岸边固废（期限：2026-12-11 24:00）"]
    assert told({"milestones": {"from": None, "to": VALUES["milestones"]}}) == ["节点：1. 施工图（2026-12-20）"]


def test_the_last_day_is_told_by_the_date_beside_it_and_else_by_itself():
    last_day = {"last_day": {"from": None, "to": "2026-12-11"}}
    assert told(last_day | {"due_at": {"from": None, "to": MOMENT}}) == ["期限：2026-12-11 24:00"]
    assert told(last_day) == ["最后一天：2026-12-11"]


def test_a_value_of_another_shape_is_told_as_it_is_kept():
    assert told({"owner": {"from": None, "to": "水利局"}}) == ["owner：水利局"]
    assert told({"milestones": {"from": None, "to": ["施工图"]}}) == ['milestones：["施工图"]']
    assert told({"due_at": {"from": None, "to": "soon"}}) == ["due_at：soon"]
    assert told({"co_handlers": {"from": None, "to": ["甲", "乙"]}}) == ["协办：甲、乙"]


@pytest.mark.parametrize(("change", "line"), [
    ({"from": None, "to": "甲"}, "of_later：甲"), ({"from": 1, "to": 2}, "of_later：2（原为：1）"), ("甲", "of_later：甲"),
    ({"from": None, "to": [{"name": "甲"}]}, 'of_later：[{"name": "甲"}]'),
])
def test_what_no_words_know_is_told_by_its_name(change, line):
    assert told({"of_later": change}) == [line]
