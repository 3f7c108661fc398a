"""Findings over HTTP: replies, judgements, withdrawals, who may, what is refused, filters and rules."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.geometry import Datum
from patrol.foundation.transaction import transaction
from patrol.patrols.examination_models import ExaminationPolicy
from patrol.patrols.integrity import RULES
from patrol.patrols.integrity_policy import DEFAULT_POLICY
from patrol.patrols.models import Patrol
from patrol.patrols.policy_queries import policy_on
from patrol.patrols.track_upkeep import purge_tracks
from tests.patrols.on_patrol import LINE, REACH, begin, finish, patrolled, send, work
from tests.patrols.walked import change_first_policy
from tests.patrols.walks import Walker, in_datum

WALK = Walker(seed=5, sigma_m=8.0).walk(LINE)
SHIFTED = in_datum(WALK, Datum.GCJ02)
CODE = "datum_mislabelled"


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        other = build.region(level="village")
        reach = build.reach(REACH, region=village)
        chief = build.person("chief", "supervisor", region=village)
        colleague = build.person("patroller", region=village)
        office = build.person("office", region=village)
        auditor = build.person("auditor", region=village)
        stranger = build.person("office", region=other)

    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


@pytest.fixture
def office(world, signed_in):
    return signed_in(world.office)


@pytest.fixture
def patrol_id(chief, world):
    return patrolled(chief, world.reach, SHIFTED)


def say(caller, patrol_id, verb, *, code=CODE, id=None, **body):  # noqa: A002
    body = {"id": str(id or uuid4()), "text": "已核实", **({"judgement": "upheld"} if verb == "judge" else {}), **body}
    return caller.post(f"patrols/{patrol_id}/findings/{code}/{verb}", json=body)


def statements(caller, patrol_id):
    [row] = [row for row in caller.get(f"patrols/{patrol_id}").json["findings"] if row["code"] == CODE]
    return row["standing"], [(said["kind"], said["judgement"]) for said in row["statements"]]


@pytest.mark.parametrize(("verb", "who"), [("reply", "chief"), ("judge", "office")])
def test_a_statement_is_kept_once_under_its_id(patrol_id, chief, office, verb, who):
    caller, made = {"chief": chief, "office": office}[who], uuid4()
    assert say(caller, patrol_id, verb, id=made).status_code == 201
    assert say(caller, patrol_id, verb, id=made).status_code == 200
    other = say(caller, patrol_id, verb, id=made, text="另一句")
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]
    assert len(statements(chief, patrol_id)[1]) == 1


def test_an_id_of_a_reply_is_no_id_for_a_withdrawal(patrol_id, chief):
    made = uuid4()
    assert say(chief, patrol_id, "reply", id=made).status_code == 201
    assert say(chief, patrol_id, "withdraw", id=made).status_code == 409


def test_who_may_say_what(patrol_id, world, chief, office, signed_in):
    assert say(signed_in(world.colleague), patrol_id, "reply").status_code == 403
    assert say(signed_in(world.colleague), patrol_id, "judge").status_code == 403
    # She is a supervisor too, and judges nobody's patrols less than her own.
    assert say(chief, patrol_id, "judge").status_code == 403
    assert say(signed_in(world.stranger), patrol_id, "judge").status_code == 404
    assert say(signed_in(world.auditor), patrol_id, "withdraw").status_code == 403
    assert statements(office, patrol_id) == ("open", [])


def test_what_is_refused(patrol_id, chief, office):
    assert say(chief, patrol_id, "reply", code="no_such_code").status_code == 404
    assert say(office, uuid4(), "judge").status_code == 404
    for verb, caller, body in (
        ("reply", chief, {"text": ""}), ("reply", chief, {"text": "长" * 2001}), ("reply", chief, {"id": "x"}),
        ("reply", chief, {"judgement": "upheld"}), ("judge", office, {"judgement": "perhaps"}), ("judge", office, {"text": None}),
    ):
        assert say(caller, patrol_id, verb, **body).status_code == 422, body
    assert say(chief, patrol_id, "withdraw").status_code == 409
    assert say(office, patrol_id, "withdraw").status_code == 409


def test_the_last_judgement_counts_and_all_stay_in_order(patrol_id, chief, office):
    say(chief, patrol_id, "reply")
    say(office, patrol_id, "judge")
    say(office, patrol_id, "judge", judgement="dismissed")
    assert statements(chief, patrol_id) == ("dismissed", [("reply", None), ("judgement", "upheld"), ("judgement", "dismissed")])
    assert say(chief, patrol_id, "withdraw").status_code == 201
    assert say(chief, patrol_id, "withdraw").status_code == 409
    assert say(office, patrol_id, "withdraw").status_code == 201
    work()
    assert statements(chief, patrol_id)[0] == "upheld"
    assert say(office, patrol_id, "withdraw").status_code == 201
    assert statements(chief, patrol_id)[0] == "open"
    assert len(statements(chief, patrol_id)[1]) == 6


def test_nobody_judges_a_patrol_walked_on_her_behalf(patrol_id, world, office):
    with transaction():
        db.session.get_one(Patrol, UUID(patrol_id)).on_behalf_of_id = world.office.id
    assert say(office, patrol_id, "judge").status_code == 403


def test_after_the_purge_what_was_found_stays_and_is_judged_no_more(patrol_id, chief, office, app):
    before = chief.get(f"patrols/{patrol_id}").json
    later = clock.now() + timedelta(days=app.extensions["settings"].track_days + 1)
    with clock.moved_clock(lambda: later):
        assert purge_tracks() == 1
    work()
    after = chief.get(f"patrols/{patrol_id}").json
    assert {**after, "stale": None} == {**before, "stale": None}
    assert after["stale"] is False
    assert say(chief, patrol_id, "reply").status_code == 201
    assert say(office, patrol_id, "judge").status_code == 409


def test_patrols_are_listed_by_verdict_and_by_finding(chief, world, patrol_id, signed_in):
    honest = patrolled(signed_in(world.colleague), world.reach, WALK)

    def listed(**query):
        return {row["id"] for row in chief.get("patrols", query_string=query).json["items"]}

    verdicts = {each: chief.get(f"patrols/{each}").json["verdict"] for each in (honest, patrol_id)}
    assert verdicts[honest] == "valid" != verdicts[patrol_id]
    assert listed(verdict="valid") == {honest}
    assert {row["id"]: row["verdict"] for row in chief.get("patrols").json["items"]} == verdicts
    assert listed(verdict=verdicts[patrol_id]) == {patrol_id}
    assert listed(finding=CODE) == {patrol_id}
    assert listed(finding=CODE, verdict="valid") == set()
    assert chief.get("patrols", query_string={"finding": "no_such_code"}).json["errors"].keys() == {"finding"}
    assert chief.get("patrols", query_string={"verdict": "fine"}).status_code == 422


def test_a_row_says_why_without_opening_it(chief, office, world, patrol_id):
    shown = chief.get(f"patrols/{patrol_id}").json
    [row] = office.get("patrols").json["items"]
    assert (row["reasons"], row["verdict"]) == (shown["reasons"], shown["verdict"])
    assert row["findings"] == [{name: finding[name] for name in ("code", "name", "severity")} for finding in shown["findings"]]
    assert CODE in {finding["code"] for finding in row["findings"]}
    begin(chief, world.reach, WALK)
    going_on = office.get("patrols").json["items"]
    assert [(row["verdict"], row["reasons"], row["findings"]) for row in going_on if row["id"] != patrol_id] == [(None, [], [])]


def test_a_shared_phone_names_the_other_account_and_its_patrol(chief, world, signed_in):
    colleague, phone = signed_in(world.colleague), {"device": "x", "device_details": {"id": "3f2a9c"}}
    theirs = patrolled(colleague, world.reach, WALK, **phone)
    mine = patrolled(chief, world.reach, Walker(seed=7, sigma_m=8.0).walk(LINE), **phone)
    found = {row["code"]: row for row in chief.get(f"patrols/{mine}").json["findings"]}
    shared = found["shared_device"]
    assert str(world.colleague.id) == shared["person"]["id"] == shared["evidence"]["person_id"]
    assert (shared["person"]["name"], shared["evidence"]["patrol_id"]) == (world.colleague.name, theirs)
    assert not any("型号" in text for text in shared["innocent"])


def test_a_list_of_patrols_asks_the_same_number_of_questions_however_long(chief, world, patrol_id, queries):
    def asked():
        queries.clear()
        chief.get("patrols", query_string={"finding": CODE})
        return len(queries)

    one = asked()
    patrolled(chief, world.reach, in_datum(Walker(seed=6, sigma_m=8.0).walk(LINE), Datum.GCJ02))
    assert asked() == one


def test_a_preview_writes_nothing_and_ends_with_the_last_fix(chief, world, queries):
    patrol_id = begin(chief, world.reach, WALK)
    send(chief, patrol_id, WALK.at(slice(None, 100)))
    queries.clear()
    preview = chief.get(f"patrols/{patrol_id}/preview").json
    assert not [query for query in queries if not query.lstrip().startswith(("SELECT", "WITH"))]
    assert preview["measured"]["duration_s"] == 99 * 5
    assert preview["examined_at"] is None
    assert chief.get(f"patrols/{patrol_id}").json["coverage"] == []


@pytest.mark.parametrize(("code", "judgement", "verdicts", "said"), [
    ("speed", "dismissed", ("valid", "partial"), ("只是提示", "本次结束后计入巡河任务", "完成一次")),
    ("perfunctory", "upheld", ("doubtful",), ("不计入巡河任务", "尚未完成", "存疑"))])
def test_a_preview_says_whether_a_perfunctory_walk_counts_for_the_duty(chief, office, world, code, judgement, verdicts, said):
    hasty = Walker(seed=5, sigma_m=8.0, speed_mps=4.5).walk(LINE)
    patrol_id = patrolled(chief, world.reach, hasty)
    assert say(office, patrol_id, "judge", code=code, judgement=judgement).status_code == 201
    preview = chief.get(f"patrols/{patrol_id}/preview").json
    assert "perfunctory" in {row["code"] for row in preview["findings"]}
    assert all(words in preview["reasons"][-1] for words in said), preview["reasons"]
    assert preview["verdict"] in verdicts
    slow = chief.get(f"patrols/{patrolled(chief, world.reach, WALK)}/preview").json
    assert not any("巡河任务" in words for words in slow["reasons"])


def test_a_preview_of_a_patrol_of_which_nothing_came(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    preview = chief.get(f"patrols/{patrol_id}/preview")
    assert preview.status_code == 200
    assert preview.json["verdict"] == "invalid"
    assert preview.json["measured"]["profile"] == []


def test_the_rules_are_listed_with_the_thresholds_in_force(chief):
    shown = chief.get("integrity-rules", headers={"Accept-Language": "en"}).json
    assert [row["code"] for row in shown["items"]] == [rule.code for rule in RULES]
    assert all(row["name_zh"] and row["name_en"] and row["looks_at"] and row["innocent"] for row in shown["items"])
    assert shown["policy"] == DEFAULT_POLICY.version
    assert shown["source"]
    told = {name: value for row in shown["items"] for name, value in row["thresholds"].items()} | shown["verdict_thresholds"]
    assert told == {name: value for name, value in DEFAULT_POLICY.as_data().items() if name != "version"}


def test_a_new_installation_has_the_default_thresholds_as_a_row(database):
    policy = policy_on(date(2026, 6, 1))
    assert policy.thresholds == DEFAULT_POLICY
    assert policy.valid_from == date(2026, 1, 1)


def test_a_patrol_is_examined_by_the_policy_of_its_day(chief, world, build):
    change_first_policy(version="strict", data={"least_duration_s": 86_400.0})
    build.save(ExaminationPolicy(
        kind="integrity", number=2, version="later", valid_from=date(2026, 1, 2), data={}, trusted_receivers=[], source_zh="本地", source_en="local",
        added_at=clock.now()))
    patrol_id = begin(chief, world.reach, WALK)
    send(chief, patrol_id, WALK)
    finish(chief, patrol_id, WALK)
    work()
    assert chief.get(f"patrols/{patrol_id}").json["policy"] == "strict"
    assert policy_on(date(2026, 1, 2)).thresholds.version == "later"
    assert policy_on(date(2020, 1, 1)).thresholds.version == "strict"
