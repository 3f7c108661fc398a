"""Departments that work together: who answers by the matrix, rulings that become precedents, parts, joint cases on borders."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.issues.history import broken_chains
from patrol.issues.owners import ownership_at
from patrol.issues.ownership import Part, Row, owner_of
from patrol.issues.parts import tell_of_all_late_parts
from patrol.people.models import Region
from patrol.waters.register import register_changed
from tests.issues.conftest import HERE, report, step, taken

DECLINED = {"ground": "other_department_by_law", "reason": "属生态环境部门职责", "suggested_owner": "ecology"}
ROW = {"category": "C1", "department": "ecology", "valid_from": "2026-01-01", "source_zh": "区文件", "source_en": "district paper"}


def last_entry(client, issue):
    return client.get(f"issues/{issue['id']}/history").json["items"][-1]


def answering(client, category="C1", **place):
    return client.get("responsible", query_string={**HERE, **place, "category": category}).json


def row(category="C", path="", department="water", since=date(2020, 1, 1), number=None, part=Part.LEAD, n=1):
    return Row(UUID(int=n), category, path, department, part, since, Text("文", "paper"), number)


RULES = st.lists(st.builds(
    row, st.sampled_from(["", "C", "C1"]), st.sampled_from(["", "/1/", "/1/2/"]), st.sampled_from(["water", "ecology", "police"]),
    st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.sampled_from([None, "XH1", "XH2"]), st.sampled_from(Part), st.integers(1, 99),
), unique_by=lambda made: made.id, max_size=6)


@given(RULES, st.randoms())
def test_the_most_specific_row_decides_whatever_the_order(rows, chance):
    mixed = list(rows)
    chance.shuffle(mixed)
    said = owner_of(mixed)
    assert said == owner_of(rows)
    rules = [made for made in rows if made.part is Part.LEAD and made.number is None]
    best = max(rules, key=Row.rank, default=None)
    if said.lead and said.lead.number:
        assert best is None or not said.lead.weaker_than(best)
    else:
        assert said.lead == best
    lead = said.lead and said.lead.department
    assert lead not in {made.department for made in (*said.co, *said.proposals)}


def test_length_of_category_beats_depth_of_region_beats_newness():
    rows = [row("C1", "", "ecology", n=1), row("C", "/1/2/", "water", date(2026, 1, 1), n=2), row("", "/1/2/", "police", n=3)]
    assert owner_of(rows).lead.department == "ecology"
    assert owner_of(rows[1:]).lead.department == "water"
    newer = row("C1", "", "housing", date(2025, 1, 1), n=4)
    assert owner_of([*rows, newer]).lead == newer


def test_a_precedent_decides_only_where_no_rule_is_as_specific():
    general, precise = row("C", n=1), row("C1", "/1/2/", "housing", n=2)
    precedent = row("C1", "/1/2/", "ecology", date(2026, 1, 1), "XH1", n=3)
    assert owner_of([general, precedent]).lead == precedent
    said = owner_of([general, precise, precedent])
    assert (said.lead, said.proposals) == (precise, (precedent,))
    assert "XH1" in owner_of([general, precedent]).as_data()["lead"]["zh"]


def test_the_matrix_held_in_memory_follows_a_region_that_moves(valley):
    made = valley.office_client.post("ownership", json={**ROW, "id": str(uuid4()), "region": valley.town.code})
    assert made.status_code == 201, made.json
    day, moved = date(2026, 6, 1), "/elsewhere/"
    assert ownership_at("C1", valley.town.path, day).lead.department == "ecology"
    with transaction():
        db.session.execute(update(Region).where(Region.id == valley.town.id).values(path=moved))
        register_changed(regions=True)
    assert ownership_at("C1", moved, day).lead.department == "ecology"


def test_the_matrix_answers_by_its_rows_of_the_day_and_says_why(valley):
    said = answering(valley.office_client)
    assert (said["department"]["code"], said["ownership"]["lead"]["category"]) == ("urban_management", "C")
    assert answering(valley.office_client, "D3")["department"] is None
    made = valley.office_client.post("ownership", json={**ROW, "id": str(uuid4()), "region": valley.town.code})
    assert made.status_code == 201, made.json
    said = answering(valley.office_client)
    assert said["ownership"]["lead"] == {
        "department": {"code": "ecology", "name": "生态环境局"}, "category": "C1", "region": valley.town.code, "precedent_of": None,
        "row_id": made.json["id"], "reason": f"区文件（类别 C1，{valley.town.code}，自2026-01-01起）"}
    assert answering(valley.office_client, latitude=29.70)["department"]["code"] == "urban_management"
    assert answering(valley.office_client, on="2025-12-31")["department"]["code"] == "urban_management"
    issue = report(valley.patroller_client)
    assert issue["routing"]["department"]["code"] == "ecology"
    ended = valley.office_client.post(
        f"ownership/{made.json['id']}/end", json={"reason": "划转"}, headers={"If-Match": made.headers["ETag"]})
    assert (ended.status_code, ended.json["end_reason"]) == (200, "划转")
    assert answering(valley.office_client)["department"]["code"] == "urban_management"
    assert valley.office_client.get(f"issues/{issue['id']}").json["routing"]["department"]["code"] == "ecology"


def test_rows_are_refused_beyond_ones_area_and_for_what_is_not(valley):
    add = valley.town_office_client.post
    assert add("ownership", json=ROW).status_code == 403
    assert add("ownership", json={**ROW, "region": valley.other_town.code}).status_code == 403
    sent = {**ROW, "id": str(uuid4()), "region": valley.town.code}
    assert [add("ownership", json=body).status_code for body in (sent, sent, {**sent, "department": "water"})] == [201, 200, 409]
    for wrong in ({"category": "Q"}, {"department": "nobody"}, {"valid_to": "2025-01-01"}, {"source_zh": " "}):
        refused = add("ownership", json={**sent, "id": str(uuid4()), **wrong})
        assert (refused.status_code, set(refused.json["errors"])) == (422, set(wrong)), wrong
    end = f"ownership/{sent['id']}/end"
    assert add(end, json={"reason": "x"}).status_code == 428
    assert add(end, json={"reason": "x", "on": "2020-01-01"}, headers={"If-Match": '"1"'}).status_code == 422
    assert valley.other_office_client.post(end, json={"reason": "x"}, headers={"If-Match": '"1"'}).status_code == 404
    assert add(end, json={"reason": "x"}, headers={"If-Match": '"1"'}).status_code == 200
    assert add(end, json={"reason": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    assert add(end, json={"reason": "x"}, headers={"If-Match": '"2"'}).status_code == 409
    default = valley.town_office_client.get("ownership?category=C1").json["items"][0]
    assert add(f"ownership/{default['id']}/end", json={"reason": "x"}, headers={"If-Match": '"1"'}).status_code == 403


def test_a_ruling_becomes_a_precedent_that_can_be_ended(valley, build):
    build.person("handler", department="ecology", name="环保")
    issue = taken(valley.chief_client, report(valley.patroller_client), "decline", **DECLINED)
    entry = last_entry(valley.office_client, issue)
    assert entry["changes"]["owner"]["to"] == {"kind": "department", "code": "ecology", "name": "生态环境局"}
    ruled = taken(valley.office_client, issue, "dispatch", department="ecology")
    changes = last_entry(valley.office_client, ruled)["changes"]
    assert changes["ruling"]["to"] is True
    said = answering(valley.office_client)["ownership"]["lead"]
    assert (said["row_id"], said["precedent_of"], said["region"]) == (changes["precedent"]["to"], ruled["number"], valley.village.code)
    assert answering(valley.office_client, latitude=29.70)["department"]["code"] == "urban_management"
    listed = valley.office_client.get("ownership", query_string={"category": "C1", "region": valley.village.code}).json["items"]
    assert [found["precedent_of"] for found in listed] == [None, ruled["number"]]
    assert report(valley.patroller_client)["routing"]["ownership"]["lead"]["precedent_of"] == ruled["number"]
    valley.office_client.post(f"ownership/{said['row_id']}/end", json={"reason": "个案"}, headers={"If-Match": '"1"'})
    assert answering(valley.office_client)["department"]["code"] == "urban_management"
    assert set(broken_chains()) == {None}


@pytest.mark.parametrize(("words", "kind"), [
    ("water", "department"), ("区城市管理局", "department"), ("区综合行政执法局", "department"), ("石桥镇", "region"), ("石桥镇河长", "chief"), ("石桥镇河长办", "office"),
    ("office", "office")])
def test_an_owner_is_named_in_several_ways(valley, words, kind):
    issue = taken(valley.chief_client, report(valley.patroller_client), "decline", **{**DECLINED, "suggested_owner": words})
    owner = last_entry(valley.office_client, issue)["changes"]["owner"]["to"]
    assert owner["kind"] == kind
    assert owner["code"] == (valley.other_town.code if words.startswith("石桥") else "urban_management" if words in ("区城市管理局", "区综合行政执法局") else
                             "water" if words == "water" else None)


def test_a_chief_is_an_owner_by_account_and_others_are_kept_in_words(valley):
    for words, kind in (("某某公司", "other"), (valley.patroller.username, "other"), (valley.other_chief.username, "chief")):
        issue = report(valley.patroller_client, description=words)
        issue = taken(valley.chief_client, issue, "decline", **{**DECLINED, "suggested_owner": words})
        owner = last_entry(valley.office_client, issue)["changes"]["owner"]["to"]
        assert owner["kind"] == kind
        assert kind == "chief" or owner == {"kind": "other", "code": None, "name": words}


def test_without_a_chief_the_department_of_the_matrix_leads(valley):
    far = {"latitude": 29.2, "longitude": 119.3}
    issue = taken(valley.office_client, report(valley.supervisor_client, **far), "accept")
    issue = taken(valley.office_client, issue, "dispatch")
    assert (issue["lead"]["name"], issue["department"]["code"]) == ("城管", "urban_management")
    assert "C" in last_entry(valley.office_client, issue)["changes"]["ownership"]["to"]["zh"]


@pytest.fixture
def shared(valley):
    """An issue led by the chief, with a part for the urban managers' handler that is due in two days."""
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    due = (clock.now() + timedelta(days=2)).isoformat()
    share = {"department": "urban_management", "part": "清运岸边固废", "due_at": due}
    return taken(valley.office_client, issue, "dispatch", co_handlers=[share, valley.patroller.username])


def test_a_co_handler_reports_a_part_and_then_the_lead_can_finish(valley, shared, pictures):
    [part] = shared["parts"]
    assert (part["text"], part["person"]["name"], part["state"], part["late"]) == ("清运岸边固废", "城管", "open", False)
    assert {person["name"] for person in shared["co_handlers"]} == {"城管", "巡河员"}
    refused = step(valley.chief_client, shared, "rectify", note="已清理", files=pictures[:1])
    assert (refused.status_code, refused.json["open_parts"]) == (409, [1])
    assert "rectify" not in valley.chief_client.get(f"issues/{shared['id']}/allowed").json["allowed"]
    url, head = f"issues/{shared['id']}/parts/1/report", {"If-Match": f'"{shared["version"]}"'}
    assert valley.patroller_client.post(url, json={"note": "x"}, headers=head).status_code == 403
    assert valley.handler_client.post(url.replace("/1/", "/2/"), json={"note": "x"}, headers=head).status_code == 404
    done = valley.handler_client.post(url, json={"note": "已清运"}, headers=head)
    assert done.status_code == 200, done.json
    assert (done.json["parts"][0]["state"], done.json["parts"][0]["note"], done.json["state"]) == ("done", "已清运", "dispatched")
    entry = last_entry(valley.office_client, shared)
    assert (entry["verb"], entry["note"], entry["changes"]["part"]["to"]) == ("report_part", "已清运", 1)
    again = valley.handler_client.post(url, json={"note": "x"}, headers={"If-Match": done.headers["ETag"]})
    assert again.status_code == 409
    taken(valley.chief_client, done.json, "rectify", note="已清理", files=pictures[:1])
    assert set(broken_chains()) == {None}


def test_the_office_takes_a_part_back_with_a_reason(valley, shared):
    url, head = f"issues/{shared['id']}/parts/1/take-back", {"If-Match": f'"{shared["version"]}"'}
    assert valley.chief_client.post(url, json={"reason": "x"}, headers=head).status_code == 403
    assert valley.office_client.post(url, json={"reason": " "}, headers=head).status_code == 422
    back = valley.office_client.post(url, json={"reason": "由责任人一并处理"}, headers=head)
    assert (back.json["parts"][0]["state"], last_entry(valley.office_client, shared)["reason"]) == ("taken_back", "由责任人一并处理")
    assert "rectify" in valley.chief_client.get(f"issues/{shared['id']}/allowed").json["allowed"]


def test_a_part_that_keeps_the_lead_from_finishing_names_its_holder(valley, shared, pictures):
    refused = step(valley.chief_client, shared, "rectify", note="已清理", files=pictures[:1])
    assert "协办分项 1（城管 · 城市管理局） 尚未完成" in refused.json["detail"]
    [waiting] = valley.chief_client.get(f"issues/{shared['id']}/allowed").json["waiting_for_parts"]
    assert (waiting["verb"], "城管" in waiting["reason"], "停用" in waiting["reason"]) == ("rectify", True, False)
    assert valley.patroller_client.get(f"issues/{shared['id']}/allowed").json["waiting_for_parts"] == []


@pytest.mark.parametrize(("loss", "says"), [
    ({"disabled": True}, ("账号已停用", "is disabled")), ({"roles": ["auditor"]}, ("角色不能处理问题", "do not include handling")),
])
def test_an_open_part_of_who_is_gone_is_told_and_can_be_released(valley, shared, build, signed_in, pictures, loss, says):
    admin = signed_in(build.person("admin"))
    reply = admin.patch(f"people/{valley.handler.id}", json=loss, headers={"If-Match": f'"{valley.handler.version}"'})
    assert reply.status_code == 200, reply.json
    entry = last_entry(valley.office_client, shared)
    assert (entry["verb"], entry["rule"], entry["name"], entry["actor"]) == ("part_left", "lead_lost", "协办人已不能办理", None)
    assert (entry["changes"]["part"]["to"], entry["changes"]["holder"]["from"]["name"]) == (1, "城管")
    while worker.deliver_due():
        pass
    for client in (valley.town_office_client, valley.chief_client):
        assert client.get("me/messages").json["items"][0]["kind"] == "issue.part_left"
    issue = valley.chief_client.get(f"issues/{shared['id']}").json
    for language, words, cure in (("zh", says[0], "请河长办收回此项，由责任人一并办理，或由城市管理局的其他人员报告完成"),
                                  ("en", says[1], "the office takes it back")):
        refused = valley.chief_client.post(f"issues/{issue['id']}/rectify", json={"note": "好"}, headers={
            "If-Match": f'"{issue["version"]}"', "Accept-Language": language})
        assert (refused.status_code, refused.json["open_parts"]) == (409, [1])
        assert all(word in refused.json["detail"] for word in ("城管", words, cure))
        [waiting] = valley.chief_client.get(f"issues/{issue['id']}/allowed", headers={"Accept-Language": language}).json["waiting_for_parts"]
        assert words in waiting["reason"]
    head = {"If-Match": f'"{issue["version"]}"'}
    back = valley.office_client.post(f"issues/{issue['id']}/parts/1/take-back", json={"reason": "已调离"}, headers=head)
    assert back.status_code == 200, back.json
    taken(valley.chief_client, back.json, "rectify", note="已清理", files=pictures[:1])
    assert set(broken_chains()) == {None}


def test_who_has_no_open_part_leaves_in_silence(valley, shared, build, signed_in):
    head = {"If-Match": f'"{shared["version"]}"'}
    done = valley.handler_client.post(f"issues/{shared['id']}/parts/1/report", json={"note": "已清运"}, headers=head).json
    admin = signed_in(build.person("admin"))
    for person in (valley.handler, valley.patroller):
        assert admin.patch(f"people/{person.id}", json={"disabled": True}, headers={"If-Match": f'"{person.version}"'}).status_code == 200
    assert valley.office_client.get(f"issues/{shared['id']}").json["version"] == done["version"]


def test_co_handlers_stand_in_one_order_in_every_answer(valley, build):
    names = [build.person("patroller", region=valley.village, username=name).username for name in ("zhao", "an", "miao")]
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    sent = taken(valley.office_client, issue, "dispatch", co_handlers=names)
    read = valley.office_client.get(f"issues/{issue['id']}").json
    [listed] = valley.office_client.get("issues").json["items"]
    orders = [[person["id"] for person in one["co_handlers"]] for one in (sent, read, listed)]
    assert orders[0] == orders[1] == orders[2]
    assert len(orders[0]) == 3
    assert set(broken_chains()) == {None}


def test_a_late_part_is_told_once(valley, shared):
    with clock.moved_clock(lambda: datetime.fromisoformat(shared["parts"][0]["due_at"]) + timedelta(minutes=1)):
        assert valley.office_client.get(f"issues/{shared['id']}").json["parts"][0]["late"] is True
        assert (tell_of_all_late_parts(), tell_of_all_late_parts()) == (1, 0)
    entry = last_entry(valley.office_client, shared)
    assert (entry["verb"], entry["rule"], entry["changes"]["part"]["to"]) == ("escalate", "part_late", 1)


def test_parts_end_when_the_issue_is_dispatched_anew_and_wrong_ones_are_refused(valley, shared):
    issue = taken(valley.office_client, shared, "transfer", reason="换段", reach_id=str(valley.reach.id))
    assert issue["parts"][0]["state"] == "taken_back"
    past = (clock.now() - timedelta(days=1)).isoformat()
    handler = valley.handler.username
    for wrong in ({"person": handler, "part": "x", "due_at": past}, {"part": "x"}, {"person": handler, "department": "urban_management"},
                  {"person": valley.chief.username, "part": "x"}, {"person": handler, "due_at": "2099-01-01T00:00:00Z"},
                  {"person": handler, "part": " "}, {"department": "police", "part": "x"}, {"whom": "x"}, 7, ""):
        refused = step(valley.office_client, issue, "dispatch", co_handlers=[wrong])
        assert refused.status_code == 422, wrong
    issue = taken(valley.office_client, issue, "dispatch", co_handlers=[{"person": handler, "part": "二"}, {"person": handler, "part": "三"}])
    assert [(part["n"], part["state"]) for part in issue["parts"]] == [(1, "taken_back"), (2, "open"), (3, "open")]
    assert issue["parts"][1]["due_at"] == issue["due_at"]


@pytest.fixture
def border(valley, build):
    """An issue as near to a reach of one town as to one of the other."""
    water = build.water_body(name="界河")
    for region, latitude in ((valley.town, 29.5001), (valley.other_town, 29.4999)):
        reach = build.reach(((119.80, latitude), (119.82, latitude)), region=region, level="township", water_body=water)
        build.appointment(reach, valley.chief if region is valley.town else valley.other_chief)
    return report(valley.supervisor_client, latitude=29.5, longitude=119.81)


def test_both_sides_see_a_joint_case_that_the_common_superior_leads(valley, build, border, signed_in):
    assert border["routing"]["rule"] == "border"
    assert border["region"]["code"] == "990100"
    assert [side["code"] for side in border["joint"]] == [valley.town.code, valley.other_town.code]
    third = signed_in(build.person("office", region=build.region(name="远镇")))
    for client, sees in ((valley.town_office_client, True), (valley.other_office_client, True), (valley.office_client, True),
                         (valley.other_chief_client, True), (third, False)):
        assert (client.get(f"issues/{border['id']}").status_code == 200) is sees
        assert (border["id"] in [row["id"] for row in client.get("issues").json["items"]]) is sees
    for region in (valley.town, valley.other_town, build.district):
        found = valley.office_client.get(f"issues?region={region.code}").json["items"]
        assert [row["id"] for row in found].count(border["id"]) == 1
    assert sum(valley.office_client.get("issues/counts").json["counts"].values()) == 1
    assert step(valley.town_office_client, border, "accept").status_code == 403
    accepted = taken(valley.office_client, border, "accept")
    moved = taken(valley.office_client, accepted, "transfer", reason="在石桥侧", reach_id=str(valley.other_reach.id))
    assert (moved["joint"], moved["region"]["code"]) == ([], valley.other_town.code)
    assert valley.town_office_client.get(f"issues/{border['id']}").status_code == 404


def test_a_joint_case_sets_no_precedent(valley, border):
    issue = taken(valley.office_client, border, "accept")
    issue = taken(valley.office_client, issue, "dispatch", lead=valley.chief.username)
    issue = taken(valley.chief_client, issue, "decline", **DECLINED)
    issue = taken(valley.office_client, issue, "dispatch", department="urban_management")
    assert "precedent" not in last_entry(valley.office_client, issue)["changes"]


def test_grounds_have_names(valley):
    rows = valley.chief_client.get("issues/grounds").json["items"]
    assert {"step": "decline", "code": "other_department_by_law", "name": "依法属其他部门职责"} in rows
