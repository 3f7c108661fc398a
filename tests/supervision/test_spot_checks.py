"""Spot checks: drawn once by policy, chosen by hand, found on the spot, and what they do to the issue."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.history import broken_chains
from patrol.issues.look_back_models import LookBackPolicy
from patrol.issues.models import Issue
from patrol.supervision import look_backs
from patrol.supervision.drawing import drawn_by_weight, is_drawn
from patrol.supervision.look_backs import draw_look_backs, draw_look_backs_until_today, policies_on, tell_of_late
from patrol.supervision.models import Draw, SpotCheck
from tests.issues.conftest import HERE, THERE, report, taken
from tests.issues.test_case_file import text_of

CHINA = "Asia/Shanghai"


def general_policy(share_percent, valid_from):
    return LookBackPolicy(
        severity="general", share_percent=share_percent, after_days=7, within_days=5, valid_from=valid_from, version=2,
        source_zh="区河长办 2026-5", source_en="District office 2026-5", added_at=clock.now())


def closed_issue(valley, files, **fields):
    issue = report(valley.patroller_client, **fields)
    if issue["state"] == "submitted":
        issue = taken(valley.office_client, issue, "accept")
        issue = taken(valley.office_client, issue, "dispatch")
    issue = taken(valley.chief_client, issue, "start")
    issue = taken(valley.chief_client, issue, "rectify", files=files, note="已清理")
    issue = taken(valley.town_office_client, issue, "verify")
    return taken(valley.office_client, issue, "close")


def photo(client, data):
    import io

    return client.post("photos", data={"file": (io.BytesIO(data), "a.jpg")}).json["id"]


def finish(client, check, pictures, version=1, **fields):
    body = {**HERE, "result": "cured", "note": "水面干净", "recorded_at": clock.now().isoformat(), "sheet": {"water_clean": "yes"},
            "photo_ids": [photo(client, pictures[3])], **fields}
    return client.post(f"spot-checks/{check['id']}/finish", json=body, headers={"If-Match": f'"{version}"'})


def plan(client, **fields):
    reply = client.post("spot-checks", json={"reason": "回头看", "due_on": "2099-01-01", **fields})
    assert reply.status_code == 201, reply.json
    return reply.json


def test_look_backs_are_drawn_once_and_can_be_drawn_again(valley, pictures):
    issues = [closed_issue(valley, [pictures[0]], description=f"第 {n} 处") for n in range(4)]
    [policy] = [row for row in policies_on(clock.today(CHINA)) if row.severity == "general"]
    day = clock.today(CHINA) + timedelta(days=policy.after_days)
    seed = next(f"{n}" for n in range(999) if sum(is_drawn(f"{n}", UUID(issue["id"]), policy.share_percent) for issue in issues) == 1)
    with transaction():
        assert draw_look_backs(day, CHINA, seed=seed) == 1
    with transaction():
        assert draw_look_backs(day, CHINA, seed="another") == 0
    [check] = valley.supervisor_client.get("spot-checks?kind=look_back").json["items"]
    assert is_drawn(seed, UUID(check["issue"]["id"]), policy.share_percent)
    [told] = valley.supervisor_client.get("spot-checks?kind=look_back", headers={"Accept-Language": "en"}).json["items"]
    assert (check["reason"], told["reason"]) == ("结案后随机回头看", "Drawn at random after its closing")
    assert finish(valley.supervisor_client, check, pictures).status_code == 200
    path = f"issues/{check['issue']['id']}/case-file"
    [held] = valley.supervisor_client.get(f"{path}.json").json["spot_checks"]
    assert (held["reason"], held["reason_en"]) == (check["reason"], told["reason"])
    for language, words in (("zh", check["reason"]), ("en", told["reason"])):
        paper = valley.supervisor_client.get(f"{path}.pdf", headers={"Accept-Language": language}).data
        assert words in text_of(paper).replace("\n", "")
    [draw] = valley.supervisor_client.get("spot-checks/draws").json["items"]
    assert (draw["seed"], draw["id"]) == (seed, check["draw_id"])
    assert draw["candidates"] == [{"id": each, "share_percent": 5, "weight": None} for each in sorted(issue["id"] for issue in issues)]
    assert draw["picked"] == [check["issue"]["id"]]
    again = [row["id"] for row in draw["candidates"] if is_drawn(draw["seed"], UUID(row["id"]), row["share_percent"])]
    assert again == draw["picked"], "what the route shows is enough to draw again"
    with transaction():
        assert draw_look_backs(day + timedelta(days=1), CHINA, seed=seed) == 0, "nothing was closed that many days before"


def test_a_newer_policy_replaces_the_older_from_its_day_on(build):
    today = clock.today(CHINA)
    build.save(general_policy(50, today))
    share = {row.severity: row.share_percent for row in policies_on(today)}
    assert share == {"general": 50, "serious": 20, "urgent": 20, "major": 100}
    assert {row.severity: row.share_percent for row in policies_on(today - timedelta(days=1))}["general"] == 5


def test_a_cure_is_confirmed_in_the_history(valley, pictures, build, signed_in):
    issue = closed_issue(valley, [pictures[0]])
    check = plan(valley.supervisor_client, issue_id=issue["id"], assigned_to=str(valley.supervisor.id))
    done = finish(valley.supervisor_client, check, pictures)
    assert done.status_code == 200, done.json
    assert (done.json["state"], done.json["result"], done.json["distance_m"]) == ("done", "cured", 0)
    assert done.json["done_by"]["name"] == "督查员"
    entries = valley.auditor_client.get(f"issues/{issue['id']}/history").json["items"]
    assert (entries[-1]["verb"], entries[-1]["name"], entries[-1]["changes"]["result"]["to"]) == ("spot_check", "现场抽查", "cured")
    assert valley.office_client.get(f"issues/{issue['id']}").json["state"] == "closed"
    own, foreign = done.json["photos"][0]["id"], signed_in(build.person("citizen_chief"))
    assert valley.office_client.get(f"photos/{own}").status_code == 200
    assert foreign.get(f"photos/{own}").status_code == 404
    assert list(broken_chains()) == [None]
    assert finish(valley.supervisor_client, check, pictures, version=2).status_code == 409


def test_a_relapse_reopens_the_issue(valley, pictures):
    issue = closed_issue(valley, [pictures[0]])
    check = plan(valley.supervisor_client, issue_id=issue["id"])
    assert finish(valley.supervisor_client, check, pictures, result="relapsed", note="又堆了垃圾").status_code == 200
    shown = valley.office_client.get(f"issues/{issue['id']}").json
    assert (shown["state"], shown["reopened_times"]) == ("accepted", 1)
    assert [e["verb"] for e in valley.auditor_client.get(f"issues/{issue['id']}/history").json["items"]][-2:] == ["spot_check", "reopen"]
    assert list(broken_chains()) == [None]


@pytest.mark.parametrize("state", ["rectified", "verified"])
def test_a_relapse_found_before_the_closing_sends_it_back(valley, pictures, state):
    issue = taken(valley.chief_client, report(valley.patroller_client), "rectify", files=pictures[:1], note="已清理")
    if state == "verified":
        issue = taken(valley.town_office_client, issue, "verify")
    check = plan(valley.supervisor_client, issue_id=issue["id"])
    assert finish(valley.supervisor_client, check, pictures, result="relapsed", note="又堆了垃圾").status_code == 200
    shown = valley.office_client.get(f"issues/{issue['id']}").json
    assert (shown["state"], shown["returned_times"], shown["verified_at"]) == ("in_progress", 1, None)
    assert "close" not in shown["allowed"]
    while worker.deliver_due():
        pass
    told = valley.chief_client.get("me/messages").json["items"][0]
    assert (told["kind"], "又堆了垃圾" in told["body"]) == ("issue.return", True)
    assert list(broken_chains()) == [None]


@pytest.mark.parametrize("who", ["town_office", "office"])
def test_who_verified_or_closed_never_looks_back(valley, pictures, who):
    issue = closed_issue(valley, [pictures[0]])
    check = plan(valley.supervisor_client, issue_id=issue["id"])
    refused = finish(getattr(valley, f"{who}_client"), check, pictures)
    assert (refused.status_code, "复核或结案" in refused.json["detail"]) == (403, True)


@pytest.mark.parametrize(("number", "is_same"), [(0, [True]), (3, [])])
def test_a_check_with_the_photo_of_the_cure_is_doubted(valley, pictures, number, is_same):
    issue = closed_issue(valley, [pictures[0]])
    check = plan(valley.supervisor_client, issue_id=issue["id"])
    sent = [photo(valley.supervisor_client, pictures[number])]
    assert finish(valley.supervisor_client, check, pictures, photo_ids=sent).status_code == 200
    while worker.deliver_due():
        pass
    found = valley.office_client.get(f"issues/{issue['id']}").json["findings"]
    assert [row["evidence"]["photo_id"] == sent[0] for row in found if row["code"] == "check_photo_same"] == is_same


def test_who_rectified_never_checks(valley, pictures, build, signed_in):
    both = build.person("chief", "supervisor", region=valley.village, name="身兼两职")
    client = signed_in(both)
    issue = closed_issue(valley, [pictures[0]])
    check = plan(valley.supervisor_client, issue_id=issue["id"])
    with transaction():
        db.session.get_one(Issue, UUID(issue["id"])).rectified_by_id = both.id
    assert finish(client, check, pictures).status_code == 403


def test_reaches_are_drawn_by_risk_and_each_drawing_stands(valley):
    report(valley.patroller_client, severity="serious")
    with transaction():
        db.session.query(Issue).update({"due_at": clock.now() - timedelta(days=1)})
    own = str(uuid4())
    body = {"id": own, "region": "990100", "count": 2}
    draw = valley.supervisor_client.post("spot-checks/draws", json=body)
    assert draw.status_code == 201, draw.json
    weights = {UUID(key): value for key, value in draw.json["facts"]["weights"].items()}
    assert weights == {valley.reach.id: 3, valley.other_reach.id: 1, db_id("清溪区段"): 1}
    assert draw.json["facts"]["drawn"] == [str(each) for each in drawn_by_weight(draw.json["seed"], weights, 2)]
    told = valley.supervisor_client.get("spot-checks?kind=random", headers={"Accept-Language": "en"}).json["items"]
    overdue = str(valley.reach.id)
    assert {check["reach"]["id"]: check["reason"] for check in told} == {
        each: "issues overdue now: 1" if each == overdue else "drawn at random" for each in draw.json["facts"]["drawn"]
    }
    again = valley.supervisor_client.post("spot-checks/draws", json=body)
    assert (again.status_code, again.json["seed"]) == (200, draw.json["seed"])
    assert valley.supervisor_client.post("spot-checks/draws", json={**body, "count": 3}).status_code == 409
    checks = valley.supervisor_client.get("spot-checks?kind=random").json["items"]
    assert {check["reach"]["id"] for check in checks} == set(draw.json["facts"]["drawn"])
    assert valley.town_office_client.post("spot-checks/draws", json={**body, "id": str(uuid4())}).status_code == 422


def test_why_a_reach_was_drawn_tells_its_office_of_no_charge(valley, build, signed_in, anyone):
    anyone.post("public/complaints", json={"category": "F1", "description": "从不接电话", **HERE})
    draw = valley.supervisor_client.post("spot-checks/draws", json={"id": str(uuid4()), "region": "990100", "count": 3}).json
    assert draw["facts"]["weights"][str(valley.reach.id)] == 1
    village_office = signed_in(build.person("office", region=valley.village))
    [check] = village_office.get("spot-checks", headers={"Accept-Language": "en"}).json["items"]
    assert check["reason"] == "drawn at random"


def db_id(name):
    from patrol.waters.models import Reach

    return db.session.query(Reach).filter_by(name=name).one().id


def test_a_reach_is_checked_where_it_runs(valley, pictures):
    check = plan(valley.supervisor_client, reach_id=str(valley.reach.id))
    assert finish(valley.supervisor_client, check, pictures, result="relapsed").status_code == 422
    done = finish(valley.supervisor_client, check, pictures, **THERE)
    assert done.json["distance_m"] > 10_000


def test_filters_are_honoured(valley, pictures):
    one = plan(valley.supervisor_client, reach_id=str(valley.reach.id), assigned_to=str(valley.supervisor.id))
    two = plan(valley.office_client, reach_id=str(valley.other_reach.id))
    finish(valley.supervisor_client, one, pictures)
    with transaction():
        db.session.get_one(SpotCheck, UUID(two["id"])).due_on = clock.today(CHINA) - timedelta(days=1)

    def ids(**query):
        return [row["id"] for row in valley.supervisor_client.get("spot-checks", query_string=query).json["items"]]

    assert ids() == [two["id"], one["id"]]
    assert ids(state="open") == ids(overdue="true") == ids(reach=str(valley.other_reach.id)) == ids(region=valley.other_town.code) == [two["id"]]
    assert ids(state="done") == ids(assigned_to="me") == ids(overdue="false") == [one["id"]]
    assert ids(kind="look_back") == ids(issue=str(uuid4())) == []
    assert [row["id"] for row in valley.other_office_client.get("spot-checks").json["items"]] == [two["id"]]


@pytest.mark.parametrize(("fields", "field"), [
    ({}, "reach_id"), ({"due_on": "2020-01-01", "reach_id": True}, "due_on"), ({"assigned_to": "chief", "reach_id": True}, "assigned_to"),
    ({"reason": "", "reach_id": True}, "reason"),
])
def test_what_cannot_be_planned_is_refused(valley, fields, field):
    fields = {**fields, **({"reach_id": str(valley.reach.id)} if fields.get("reach_id") else {})}
    if fields.get("assigned_to"):
        fields["assigned_to"] = str(valley.chief.id)
    reply = valley.supervisor_client.post("spot-checks", json={"reason": "回头看", "due_on": "2099-01-01", **fields})
    assert reply.status_code == 422, reply.json
    assert field in reply.json["errors"]


def test_the_same_check_of_an_issue_is_ordered_once_while_it_is_open(valley, pictures):
    issue = closed_issue(valley, [pictures[0]])
    body = {"reason": "回头看", "due_on": "2099-01-01", "issue_id": issue["id"]}
    first = plan(valley.supervisor_client, id=str(uuid4()), issue_id=issue["id"])
    again = valley.supervisor_client.post("spot-checks", json={**body, "id": first["id"]})
    assert (again.status_code, again.json["id"]) == (200, first["id"])
    for client, more in ((valley.supervisor_client, {}), (valley.office_client, {"reason": "另一次"}), (valley.supervisor_client, {"due_on": "2099-02-01"})):
        refused = client.post("spot-checks", json={**body, **more}, headers={"Accept-Language": "en"})
        assert refused.status_code == 409
        assert first["id"] in refused.json["detail"]
        assert "2099-01-01" in refused.json["detail"]
    # Somebody else may look too, each once.
    other = plan(valley.supervisor_client, issue_id=issue["id"], assigned_to=str(valley.supervisor.id))
    assert valley.supervisor_client.post("spot-checks", json={**body, "assigned_to": str(valley.supervisor.id)}).status_code == 409
    assert finish(valley.supervisor_client, other, pictures).status_code == 200
    plan(valley.supervisor_client, issue_id=issue["id"], assigned_to=str(valley.supervisor.id))


def test_chiefs_learn_nothing_of_what_is_planned(valley):
    check = plan(valley.supervisor_client, reach_id=str(valley.reach.id))
    for path in ("spot-checks", f"spot-checks/{check['id']}", "spot-checks/draws"):
        assert valley.chief_client.get(path).status_code == 403


def test_a_watch_list_shows_how_things_stand(valley):
    issue = report(valley.patroller_client)
    client = valley.supervisor_client
    assert client.put(f"watch-list/issues/{issue['id']}", json={"note": "盯住"}).status_code == 204
    assert client.put(f"watch-list/issues/{issue['id']}", json={"note": "继续盯住"}).status_code == 204
    assert client.put(f"watch-list/reaches/{valley.reach.id}", json={}).status_code == 204
    assert client.put(f"watch-list/issues/{uuid4()}", json={}).status_code == 404
    reach, watched = client.get("watch-list").json["items"]
    assert (watched["name"], watched["note"], watched["facts"]["state"]) == (issue["number"], "继续盯住", "dispatched")
    assert (reach["name"], reach["facts"]["open_issues"]) == ("清溪上柳段", 1)
    assert valley.office_client.get("watch-list").json["items"] == []
    assert client.delete(f"watch-list/{issue['id']}").status_code == 204
    assert len(client.get("watch-list").json["items"]) == 1


def test_the_hourly_job_draws_once_a_day(valley):
    draw_look_backs_until_today()
    draw_look_backs_until_today()
    assert db.session.query(Draw).count() == 1, "a new installation begins with today"


def test_days_on_which_no_worker_ran_are_drawn_as_well(valley, pictures, build):
    build.save(general_policy(100, date(2026, 1, 1)))
    issue = closed_issue(valley, [pictures[0]])
    closed_on = clock.today(CHINA)

    def run(days):
        at = clock.now() + timedelta(days=days)
        with clock.moved_clock(lambda: at):
            return draw_look_backs_until_today()

    assert [run(3), run(10), run(10)] == [0, 1, 0]
    assert sorted(row.period for row in db.session.query(Draw)) == [(closed_on + timedelta(days=n)).isoformat() for n in range(3, 11)]
    [check] = valley.supervisor_client.get("spot-checks?kind=look_back").json["items"]
    assert (check["issue"]["id"], check["due_on"]) == (issue["id"], (closed_on + timedelta(days=15)).isoformat())
    [draw] = db.session.query(Draw).filter_by(period=(closed_on + timedelta(days=7)).isoformat())
    assert str(draw.id) == check["draw_id"]


def test_a_look_back_is_told_when_drawn_and_once_when_late(valley, pictures, build):
    build.save(general_policy(100, date(2026, 1, 1)))
    issue = closed_issue(valley, [pictures[0]])
    day = clock.today(CHINA) + timedelta(days=7)
    with transaction():
        assert draw_look_backs(day, CHINA, seed="s") == 1
    for late_by, found in ((0, 0), (1, 1), (2, 1), (8, 0)):
        with transaction():
            assert tell_of_late(day + timedelta(days=5 + late_by)) == found
    while worker.deliver_due():
        pass
    for client in (valley.supervisor_client, valley.town_office_client):
        told = [row for row in client.get("me/messages").json["items"] if row["kind"].startswith("look_back")]
        assert [row["kind"] for row in told] == ["look_back.late", "look_back.drawn"]
        assert all(issue["number"] in row["body"] and (day + timedelta(days=5)).isoformat() in row["body"] for row in told)
    assert not [row for row in valley.chief_client.get("me/messages").json["items"] if row["kind"].startswith("look_back")]


def test_a_day_that_another_worker_draws_at_the_same_moment_is_drawn_once(valley, monkeypatch):
    draw_look_backs_until_today()
    original = look_backs.draw_look_backs

    def collides(day, timezone, **more):
        db.session.add(Draw(id=uuid4(), kind="look_back", period=day.isoformat(), seed="", facts={}, drawn_at=clock.now()))
        db.session.add(Draw(id=uuid4(), kind="look_back", period=day.isoformat(), seed="", facts={}, drawn_at=clock.now()))
        monkeypatch.setattr(look_backs, "draw_look_backs", original)
        db.session.flush()

    monkeypatch.setattr(look_backs, "draw_look_backs", collides)
    at = clock.now() + timedelta(days=2)
    with clock.moved_clock(lambda: at):
        draw_look_backs_until_today()
        assert db.session.query(Draw).count() == 2, "the day after was drawn, the other one is the other worker's"


def test_a_check_far_from_its_place_is_kept_with_a_finding(valley, pictures):
    issue = closed_issue(valley, [pictures[0]])
    near = plan(valley.supervisor_client, issue_id=issue["id"])
    assert finish(valley.supervisor_client, near, pictures).json["findings"] == []
    far = plan(valley.supervisor_client, issue_id=issue["id"])
    done = finish(valley.supervisor_client, far, pictures, latitude=HERE["latitude"] + 0.05).json
    [finding] = done["findings"]
    assert (done["state"], finding["code"]) == ("done", "far_from_place")
    assert str(round(done["distance_m"])) in finding["text"]


@pytest.mark.parametrize(("fields", "code"), [
    ({"latitude": -36.8, "longitude": -60.2}, "far_from_place"), ({"latitude": 29.7, "accuracy_m": 20_000}, "far_from_place"),
    ({"recorded_at": "2020-05-01T08:00:00+08:00"}, "clock"), ({"recorded_at": "2999-05-01T08:00:00+08:00"}, "clock"),
])
def test_a_check_that_was_not_on_site_is_taken_and_reopens_nothing(valley, pictures, fields, code):
    issue = closed_issue(valley, [pictures[0]])
    check = plan(valley.supervisor_client, issue_id=issue["id"])
    done = finish(valley.supervisor_client, check, pictures, result="relapsed", note="又堆了垃圾", **fields)
    assert done.status_code == 200, done.json
    assert (done.json["state"], done.json["on_site"], [row["code"] for row in done.json["findings"]]) == ("done", False, [code])
    assert valley.office_client.get(f"issues/{issue['id']}").json["state"] == "closed"
    entry = valley.auditor_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert (entry["verb"], entry["changes"]["on_site"]["to"]) == ("spot_check", False)
    assert list(broken_chains()) == [None]


def test_only_a_check_that_is_done_was_on_site_or_not(valley, pictures):
    check = plan(valley.supervisor_client, reach_id=str(valley.reach.id))
    assert check["on_site"] is None
    assert finish(valley.supervisor_client, check, pictures).json["on_site"] is True


def counted(client):
    return {row["name"]: (row["count"], row["path"], row["filter"]) for row in client.get("issues/lists").json["items"]}


def test_look_backs_and_what_is_watched_are_counted_with_the_other_lists(valley, pictures, queries):
    issue = closed_issue(valley, [pictures[0]])
    with transaction():
        db.session.get_one(Issue, UUID(issue["id"])).closed_at = clock.now() - timedelta(days=30)
        for kind, state in (("look_back", "open"), ("look_back", "done"), ("chosen", "open")):
            row = db.session.get_one(Issue, UUID(issue["id"]))
            db.session.add(SpotCheck(
                id=uuid4(), kind=kind, state=state, region_id=row.region_id, issue_id=row.id, reason="x", due_on=date(2099, 1, 1), created_by_id=None,
                created_at=clock.now(), digest="", version=1))
    watched = valley.supervisor_client.put(f"watch-list/reaches/{valley.reach.id}", json={})
    assert watched.status_code == 204
    queries.clear()
    found = counted(valley.supervisor_client)
    assert len(queries) <= 4, "who asks, what to sign, whether alone, and all lists in one statement"
    assert found["look_backs"] == (1, "/api/v1/spot-checks", "kind=look_back&state=open")
    assert found["watch_list"] == (1, "/api/v1/watch-list", "")
    for client, name in ((valley.supervisor_client, "look_backs"), (valley.town_office_client, "look_backs"), (valley.other_office_client, "look_backs"),
                         (valley.supervisor_client, "watch_list"), (valley.office_client, "watch_list")):  # fmt: skip
        number, path, query = counted(client)[name]
        assert number == len(client.get(f"{path}?{query}").json["items"]), name
    assert counted(valley.other_office_client)["look_backs"][0] == 0
    assert not {"look_backs", "watch_list"} & counted(valley.chief_client).keys(), "chiefs know nothing of look-backs"
    assert counted(valley.auditor_client) == {}
