"""Nobody checks work of one's own, nor that of whom one acts for: in steps, lists, the citizens' veto and spot checks alike."""

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.four_eyes import is_own_work_of, looks_alone
from patrol.issues.models import Issue
from patrol.patrols.duty_models import Delegation
from patrol.people.models import Person
from tests.issues.conftest import HERE, report, step, taken

CHINA = "Asia/Shanghai"


@pytest.fixture
def both(valley, build, signed_in):
    """Two who are chief and office at once in the town, and a dispatched issue that the village's chief leads."""
    for name in ("both", "other_both"):
        person = build.person("chief", "office", region=valley.town, name=name)
        setattr(valley, name, person)
        setattr(valley, f"{name}_client", signed_in(person))
    return valley


def delegated(build, principal, deputy, *, begins=-1, ends=30, revoked=None):
    today = clock.today(CHINA)
    return build.save(Delegation(
        id=uuid4(), principal=principal, deputy=deputy, valid_from=today + timedelta(days=begins), valid_to=today + timedelta(days=ends),
        reason="培训", created_by_id=principal.id, created_at=clock.now(), revoked_at=revoked, digest="", version=1))


def rectified(valley, pictures, issue=None, by="chief"):
    return taken(getattr(valley, f"{by}_client"), issue or report(valley.patroller_client), "rectify", note="好", files=pictures[:1])


def is_shut(client, issue, *, state="rectified"):
    """Tell whether every way to check an issue is shut: the step, `allowed` in both places, and the list of what waits."""
    verbs = {"rectified": ("verify", "return"), "verified": ("close",)}[state]
    shown, listed = client.get(f"issues/{issue['id']}").json, client.get("issues?list=waiting_for_me").json["items"]
    told = client.get(f"issues/{issue['id']}/allowed").json["allowed"]
    [row] = [row for row in client.get("issues").json["items"] if row["id"] == issue["id"]]
    assert shown["allowed"] == told == row["allowed"]
    can = [verb for verb in verbs if verb in told]
    in_list = issue["id"] in {row["id"] for row in listed}
    assert bool(can) == in_list
    if can:
        return False
    for verb in verbs:
        refused = step(client, shown, verb, reason="x") if verb == "return" else step(client, shown, verb)
        assert refused.status_code == 403, refused.json
        assert "委托关系" in refused.json["detail"]
    return True


@pytest.mark.parametrize("way", ["lead", "co_handler", "started", "progressed", "rectified"])
def test_whoever_handled_it_checks_nothing(both, pictures, way):
    issue = report(both.office_client, severity="serious")
    issue = taken(both.office_client, issue, "accept")
    lead = both.both.username if way in ("lead", "rectified") else both.chief.username
    helpers = [both.both.username] if way in ("co_handler", "started", "progressed") else []
    issue = taken(both.office_client, issue, "dispatch", lead=lead, co_handlers=helpers)
    if way in ("started", "progressed"):
        issue = taken(both.both_client if way == "started" else both.chief_client, issue, "start")
        if way == "progressed":
            issue = taken(both.both_client, issue, "progress", note="已联系")
        with transaction():
            # Somebody else co-handles by now: only the history tells who had worked.
            row = db.session.get_one(Issue, UUID(issue["id"]))
            db.session.refresh(row, ["co_handlers"])
            row.co_handlers = []
    if way == "lead":
        with transaction():
            db.session.get_one(Issue, UUID(issue["id"])).lead_id = both.chief.id
        issue = rectified(both, pictures, issue)
        with transaction():
            db.session.get_one(Issue, UUID(issue["id"])).lead_id = both.both.id
    else:
        issue = rectified(both, pictures, issue, by="both" if way == "rectified" else "chief")
    assert is_shut(both.both_client, issue)
    assert not is_shut(both.other_both_client, issue)
    issue = taken(both.other_both_client, issue, "verify")
    assert is_shut(both.both_client, issue, state="verified")
    assert not is_shut(both.other_both_client, issue, state="verified")


@pytest.mark.parametrize(
    ("direction", "days", "shut"),
    [
        ("deputy", {}, True), ("principal", {}, True), ("deputy", {"begins": 1}, False), ("deputy", {"begins": -9, "ends": -5}, False),
        ("principal", {"begins": -9, "ends": 0}, True), ("deputy", {"revoked": -9}, False), ("deputy", {"revoked": 0}, True),
    ],
)  # fmt: skip
def test_people_who_act_for_each_other_are_one_pair_of_eyes(both, build, pictures, direction, days, shut):
    if "revoked" in days:
        days = {"revoked": clock.now() + timedelta(days=days["revoked"])}
    pair = (both.chief, both.both) if direction == "deputy" else (both.both, both.chief)
    delegated(build, *pair, **days)
    issue = rectified(both, pictures)
    assert is_shut(both.both_client, issue) == shut
    assert not is_shut(both.other_both_client, issue)


@pytest.mark.parametrize("direction", ["deputy", "principal"])
def test_who_acts_for_the_accused_does_not_judge_the_charge(both, build, pictures, direction):
    pair = (both.chief, both.both) if direction == "deputy" else (both.both, both.chief)
    delegated(build, *pair)
    charge = taken(both.office_client, report(both.supervisor_client, category="F1"), "accept")
    assert step(both.both_client, charge, "reject", ground="no_evidence_found", reason="无").status_code == 403
    charge = taken(both.office_client, charge, "dispatch", lead=both.handler.username)
    charge = taken(both.handler_client, charge, "rectify", note="已整改", files=pictures[:1])
    assert is_shut(both.both_client, charge)
    assert not is_shut(both.other_both_client, charge)


def test_a_delegation_that_ended_after_the_work_still_counts(both, build, pictures):
    delegated(build, both.chief, both.both, ends=1)
    issue = rectified(both, pictures)
    later = clock.now() + timedelta(days=5)
    with clock.moved_clock(lambda: later):
        assert is_shut(both.both_client, issue)


def test_a_deputys_deputy_sees_with_the_principals_eyes(both, build, pictures):
    delegated(build, both.chief, both.patroller)
    delegated(build, both.patroller, both.both)
    issue = rectified(both, pictures)
    assert is_shut(both.both_client, issue)
    assert not is_shut(both.other_both_client, issue)
    # However long the chain, and whichever way round its links are.
    delegated(build, both.other_both, both.both)
    assert is_shut(both.other_both_client, issue)


def test_a_link_that_ended_before_the_work_breaks_the_chain(both, build, pictures):
    delegated(build, both.chief, both.patroller)
    delegated(build, both.patroller, both.both, begins=-9, ends=-5)
    assert not is_shut(both.both_client, rectified(both, pictures))


def test_the_veto_and_spot_checks_go_by_the_same_rule(both, build, anyone, pictures):
    with transaction():
        db.session.get_one(Person, both.both.id).role_names = ["chief", "office", "supervisor"]
    delegated(build, both.chief, both.both)
    reply = anyone.post("public/complaints", json={**HERE, "category": "C1", "description": "有垃圾"})
    [row] = both.office_client.get("issues").json["items"]
    closed = taken(both.other_both_client, taken(both.other_both_client, rectified(both, pictures, row), "verify"), "close")
    anyone.post(f"public/complaints/{reply.json['tracking_code']}/not-fixed", json={"reason": "还有"})
    [request] = both.both_client.get("reopening-requests").json["items"]
    body, head = {"granted": False, "reason": "已看"}, {"If-Match": '"1"'}
    refused = both.both_client.post(f"reopening-requests/{request['id']}/decide", json=body, headers=head)
    assert (refused.status_code, "委托关系" in refused.json["detail"]) == (403, True)
    check = both.both_client.post("spot-checks", json={"issue_id": closed["id"], "reason": "x", "due_on": "2099-01-01"}).json
    photo = both.both_client.post("photos", data={"file": (io.BytesIO(pictures[3]), "a.jpg")}).json["id"]
    found = {**HERE, "result": "cured", "note": "净", "recorded_at": clock.now().isoformat(), "sheet": {"water_clean": "yes"}, "photo_ids": [photo]}
    refused = both.both_client.post(f"spot-checks/{check['id']}/finish", json=found, headers=head)
    assert (refused.status_code, "委托关系" in refused.json.get("detail", "")) == (403, True), refused.json
    assert both.other_both_client.post(f"reopening-requests/{request['id']}/decide", json=body, headers=head).status_code == 200


LEDGER = {"reason": "施工", "review_on": "2099-01-01", "milestones": [{"text": "完工", "due_on": "2099-01-01"}]}
NOT_FOUND = {"ground": "already_rectified", "reason": "已整改"}
MORE_TIME = {"until": "2026-03-25T00:00:00+08:00", "reason": "连续降雨"}


def own_end(client, issue, verb, **body):
    """Ask to end one's own work another way: refused, and not in what is allowed."""
    assert verb not in client.get(f"issues/{issue['id']}").json["allowed"]
    refused = step(client, issue, verb, **body)
    assert (refused.status_code, "委托关系" in refused.json["detail"]) == (403, True), refused.json


def dispatched(both, build, way):
    """Return an issue that is the work of `both` as its lead, its co-handler, or the deputy of its lead."""
    issue = taken(both.office_client, report(both.office_client, severity="serious", category="A32"), "accept")
    if way == "deputy":
        delegated(build, both.chief, both.both)
    lead = both.both if way == "lead" else both.chief
    helpers = [both.both.username] if way == "co_handler" else []
    return taken(both.office_client, issue, "dispatch", lead=lead.username, co_handlers=helpers)


@pytest.mark.parametrize("way", ["lead", "co_handler", "deputy"])
def test_nobody_puts_own_work_on_the_ledger(both, build, way):
    issue = dispatched(both, build, way)
    own_end(both.both_client, issue, "suspend", **LEDGER)
    issue = taken(both.chief_client if way != "lead" else both.both_client, issue, "start")
    own_end(both.both_client, issue, "suspend", **LEDGER)
    assert "suspend" in both.other_both_client.get(f"issues/{issue['id']}").json["allowed"]


@pytest.mark.parametrize("way", ["lead", "co_handler", "deputy"])
def test_nobody_rejects_what_one_was_put_in_charge_of(both, build, way):
    issue = dispatched(both, build, way)
    issue = taken(both.both_client, issue, "transfer", region=both.town.code, reason="上收")
    own_end(both.both_client, issue, "reject", **NOT_FOUND)
    taken(both.other_both_client, issue, "reject", **NOT_FOUND)


def test_nobody_decides_on_more_time_for_own_work(both, build):
    monday = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    with clock.moved_clock(lambda: monday):
        issue = taken(both.office_client, report(both.patroller_client, severity="serious"), "accept")
        issue = taken(both.office_client, issue, "dispatch", lead=both.chief.username, co_handlers=[both.both.username])
        issue = taken(both.chief_client, issue, "extensions", **MORE_TIME | {"until": "2026-04-10T00:00:00+08:00"})
        deputy = taken(both.chief_client, report(both.patroller_client), "extensions", **MORE_TIME)
        waiting = {row["id"] for row in both.both_client.get("issues?list=waiting_for_me").json["items"]}
        assert (issue["id"] in waiting, deputy["id"] in waiting) == (False, True)
        delegated(build, both.chief, both.both)
        for asked in (issue, deputy):
            refused = step(both.both_client, asked, "extensions/1/decide", granted=True, reason="属实")
            assert (refused.status_code, "委托关系" in refused.json["detail"]) == (403, True), refused.json
            waiting = [{row["id"] for row in client.get("issues?list=waiting_for_me").json["items"]} for client in (both.both_client, both.other_both_client)]
            assert [asked["id"] in ids for ids in waiting] == [False, True]
            taken(both.other_both_client, asked, "extensions/1/decide", granted=True, reason="属实")


def test_who_is_out_of_turn_is_told_of_no_check_on_own_work(both, pictures):
    issue = rectified(both, pictures, dispatched_to(both, both.both), by="both")
    for client, allowed in ((both.both_client, []), (both.other_both_client, ["verify", "return", "supervise"])):
        refused = step(client, issue, "start")
        assert (refused.status_code, refused.json["allowed"]) == (409, allowed)
        assert client.get(f"issues/{issue['id']}").json["allowed"] == allowed


def dispatched_to(valley, lead):
    issue = taken(valley.office_client, report(valley.office_client, severity="serious"), "accept")
    return taken(valley.office_client, issue, "dispatch", lead=lead.username)


def test_only_checks_and_what_could_be_checked_ask_for_it(both, queries, pictures):
    def asked():
        found = sum("RECURSIVE eyes" in statement for statement in queries)
        queries.clear()
        return found

    issue = taken(both.chief_client, report(both.patroller_client), "start")
    both.supervisor_client.get(f"issues/{issue['id']}")
    issue = rectified(both, pictures, issue)
    both.chief_client.get(f"issues/{issue['id']}")
    assert asked() == 0
    both.office_client.get(f"issues/{issue['id']}")
    assert asked() == 1
    for _ in range(3):
        rectified(both, pictures[1:])
    asked()
    both.office_client.get("issues")
    assert asked() == 1


def test_who_stands_alone_is_asked_the_simpler_way_with_the_same_answer(valley, build, pictures):
    today, issues = clock.today(CHINA), select(Issue.id)
    rectified(valley, pictures)
    report(valley.patroller_client, severity="serious")
    delegated(build, valley.chief, valley.other_chief)
    alone = {person.id for person in db.session.scalars(select(Person)) if looks_alone(person.id, today)}
    assert valley.office.id in alone
    assert not alone & {valley.chief.id, valley.other_chief.id}
    own = {}
    for person_id in (*alone, valley.chief.id):
        ways = (is_own_work_of(person_id, today, alone=simpler) for simpler in (True, False))
        found = [[set(db.session.scalars(issues.where(each))) for each in (way, ~way)] for way in ways]
        assert found[0] == found[1]
        own[person_id] = found[0][0]
        assert found[0][0] | found[0][1] == set(db.session.scalars(issues))
    assert len(own[valley.chief.id]) == 1
