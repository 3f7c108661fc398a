"""Duties, gaps, policies and warnings over HTTP."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols.duty_models import FrequencyPolicy, ReachWarning
from patrol.people.models import AuditEntry
from tests.patrols.walked import walked

WHOLE = (0, 1000)
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.fixture
def world(build):
    """A village with a reach of 1,000 m, its chief, the offices of its town and of the district, and a chief elsewhere."""
    class World:
        town = build.region(level="township")
        village = build.region(town, level="village")
        other = build.region(level="township")
        reach = build.reach(region=village)
        chief = build.person("chief", region=village)
        deputy = build.person("patroller", region=village)
        office = build.person("office", region=town)
        top = build.person("office")
        stranger = build.person("chief", region=other)

    build.appointment(World.reach, World.chief)
    return World


@pytest.fixture
def office(world, signed_in):
    return signed_in(world.office)


def duties(client, **query):
    reply = client.get("duties", query_string={"period": "2026-W47", **query})
    assert reply.status_code == 200, reply.json
    return reply.json["items"]


def the_period(client, **query):
    [duty] = duties(client, **query)
    [period] = duty["periods"]
    return period


def counts(told):
    return {name: told[name] for name in ("required", "done", "done_by_delegates", "counted", "left", "missed")}


def warn(client, reach, warning_id=None, **changes):
    return client.put(f"reach-warnings/{warning_id or uuid4()}", json={
        "reach_id": str(reach.id), "colour": "red", "trigger": "water_quality", "valid_from": "2026-11-16", "reason": "氨氮超标", **changes})


def policy_body(**changes):
    return {"level": "village", "period": "week", "times": 2, "valid_from": "2026-11-01", "source": {"zh": "本地规定", "en": "Local rule"}, **changes}


def test_a_new_installation_has_the_national_rows(office):
    rows = office.get("frequency-policies", query_string={"level": "village", "on": "2026-11-20"}).json["items"]
    assert {(row["colour"], row["times"], row["period"]) for row in rows} == {
        ("none", 1, "week"), ("yellow", 2, "week"), ("orange", 3, "week"), ("red", 1, "day")}
    assert all("未核对原文" in row["source"]["zh"] or "本系统起始值" in row["source"]["zh"] for row in rows)
    assert "[GK]" not in str(rows)
    assert office.get("frequency-policies", query_string={"on": "2020-12-31"}).json["items"] == []


def test_what_is_required_done_and_left_and_why(world, office):
    nothing = the_period(office)
    assert counts(nothing) == {"required": 1, "done": 0, "done_by_delegates": 0, "counted": 0, "left": 0, "missed": 1}
    assert (nothing["first"], nothing["last"]) == ("2026-11-16", "2026-11-22")
    assert nothing["why"] == ["村级河段，每周 1 次，每次覆盖不少于 60%"]
    patrol = walked(world.chief, world.reach, "2026-11-18T08:00:00+08:00", WHOLE)
    walked(world.chief, world.reach, "2026-11-19T08:00:00+08:00", WHOLE)
    [duty] = duties(office)
    assert counts(duty) == {"required": 1, "done": 2, "done_by_delegates": 0, "counted": 1, "left": 0, "missed": 0}
    assert duty["person"]["id"] == str(world.chief.id)
    assert duty["reach"]["length_m"] == 1000
    told = duty["periods"][0]["patrols"][0]
    assert told == {"id": str(patrol.id), "day": "2026-11-18", "covered_m": 1000.0, "by_delegate": False, "counts_as": 1, "why_not": None, "corrected": None}


def test_what_can_still_be_done_is_left_and_what_cannot_is_missed(world, office):
    """The four weeks that end in November, on the Friday of the third: two are over, and two can still be walked."""
    walked(world.chief, world.reach, "2026-11-10T08:00:00+08:00", WHOLE)
    with clock.moved_clock(lambda: NOW):
        [duty] = duties(office, period="2026-11")
    assert [(row["last"], row["left"], row["missed"]) for row in duty["periods"]] == [
        ("2026-11-01", 0, 1), ("2026-11-08", 0, 1), ("2026-11-15", 0, 0), ("2026-11-22", 1, 0), ("2026-11-29", 1, 0)]
    assert counts(duty) == {"required": 5, "done": 1, "done_by_delegates": 0, "counted": 1, "left": 2, "missed": 2}


def test_the_last_day_is_not_over(world, office):
    for now, left in ((datetime(2026, 11, 22, 15, 59, tzinfo=UTC), 1), (datetime(2026, 11, 22, 16, tzinfo=UTC), 0)):
        with clock.moved_clock(lambda now=now: now):
            assert (counts(the_period(office))["left"], counts(the_period(office))["missed"]) == (left, 1 - left)


def test_whoever_has_left_office_has_nothing_left_to_do(office, build, world):
    gone = build.person("chief", region=world.village)
    build.appointment(world.reach, gone, valid_to=date(2026, 11, 19))
    with clock.moved_clock(lambda: NOW):
        found = {duty["person"]["id"]: counts(duty) for duty in duties(office)}
    assert (found[str(gone.id)]["left"], found[str(gone.id)]["missed"]) == (0, 1)
    assert (found[str(world.chief.id)]["left"], found[str(world.chief.id)]["missed"]) == (1, 0)


def test_why_others_do_not_count(world, office, build):
    chief, reach, other_reach = world.chief, world.reach, build.reach(region=world.village)
    expected = {
        walked(chief, reach, "2026-11-16T08:00:00+08:00", (0, 100)): "too_short",
        walked(chief, reach, "2026-11-17T08:00:00+08:00", WHOLE, verdict="doubtful"): "doubtful",
        walked(chief, reach, "2026-11-18T08:00:00+08:00", WHOLE, verdict="invalid"): "invalid",
        walked(chief, reach, "2026-11-19T08:00:00+08:00"): "not_this_reach",
        walked(chief, reach, "2026-11-20T08:00:00+08:00", verdict=None): "not_examined",
        walked(chief, reach, "2026-11-21T08:00:00+08:00", verdict=None, finished=False): "unfinished",
    }
    walked(chief, other_reach, "2026-11-19T10:00:00+08:00", WHOLE)
    walked(world.deputy, reach, "2026-11-19T10:00:00+08:00", WHOLE)
    walked(chief, reach, "2026-11-15T23:59:59+08:00", WHOLE)
    walked(chief, reach, "2026-11-23T00:00:00+08:00", WHOLE)
    period = the_period(office)
    assert {row["id"]: row["why_not"]["code"] for row in period["patrols"]} == {str(row.id): code for row, code in expected.items()}
    assert counts(period)["done"] == 0
    assert period["patrols"][0]["why_not"]["text"] == "覆盖不足：同期尚未计次的巡河合计 100 米，需 600 米"
    assert (period["covered_m"], period["covered_by_all_m"]) == (100, 1000)


def test_what_begins_after_it_was_received_counts_for_no_duty_and_closes_no_gap(world, office):
    at = datetime.fromisoformat("2026-11-18T08:00:00+08:00")
    ahead = walked(world.chief, world.reach, at.isoformat(), WHOLE, received_at=at - timedelta(minutes=6))
    period = the_period(office)
    assert [(row["id"], row["why_not"]["code"]) for row in period["patrols"]] == [(str(ahead.id), "ahead_of_time")]
    assert (counts(period)["done"], period["covered_by_all_m"]) == (0, 0)
    [gap] = gaps(office)
    assert (gap["covered_m"], gap["last_patrolled_at"]) == (0, None)
    walked(world.chief, world.reach, at.isoformat(), WHOLE, received_at=at - timedelta(minutes=4))
    assert counts(the_period(office))["done"] == 1
    assert gaps(office) == []


def test_a_clock_that_was_ahead_by_a_known_time_counts_on_the_day_of_ours(world, office):
    # On Sunday evening, by a phone eight hours ahead: the next week's Monday.
    at = datetime.fromisoformat("2026-11-23T02:00:00+08:00")
    began = datetime.fromisoformat("2026-11-22T18:00:00+08:00")
    patrol = walked(world.chief, world.reach, at.isoformat(), WHOLE, received_at=began, began_at=began)
    period = the_period(office)
    [row] = period["patrols"]
    assert (row["id"], row["day"], row["counts_as"], row["why_not"]) == (str(patrol.id), "2026-11-22", 1, None)
    assert "手机时钟快了约 480 分钟" in row["corrected"]
    assert "2026-11-22" in row["corrected"]
    assert counts(period)["done"] == 1
    assert the_period(office, period="2026-W48")["patrols"] == []
    with clock.moved_clock(lambda: began + timedelta(hours=1)):
        assert office.get("duties/gaps").json["items"] == []
    with clock.moved_clock(lambda: began + timedelta(days=8)):
        [gap] = office.get("duties/gaps").json["items"]
    assert datetime.fromisoformat(gap["last_patrolled_at"]) == began
    walked(world.chief, world.reach, "2026-11-18T08:00:00+08:00", WHOLE)
    assert next(one["corrected"] for one in the_period(office)["patrols"]) is None


def test_short_walks_add_up_and_overlap_does_not(world, office):
    walked(world.chief, world.reach, "2026-11-16T08:00:00+08:00", (0, 400), verdict="partial")
    walked(world.chief, world.reach, "2026-11-17T08:00:00+08:00", (0, 400), verdict="partial")
    assert the_period(office)["done"] == 0
    walked(world.chief, world.reach, "2026-11-18T08:00:00+08:00", (350, 600), named=False)
    period = the_period(office)
    assert (period["done"], period["covered_m"]) == (1, 600)
    assert [row["counts_as"] for row in period["patrols"]] == [1, 1, 1]


def test_what_delegates_did_counts_for_the_principal_and_is_told_apart(world, office, build):
    build.appointment(world.reach, world.deputy)
    walked(world.deputy, world.reach, "2026-11-18T08:00:00+08:00", WHOLE, on_behalf_of=world.chief)
    found = {duty["person"]["id"]: counts(duty) for duty in duties(office)}
    assert found[str(world.chief.id)] == {"required": 1, "done": 1, "done_by_delegates": 1, "counted": 1, "left": 0, "missed": 0}
    assert found[str(world.deputy.id)] == {"required": 1, "done": 0, "done_by_delegates": 0, "counted": 0, "left": 0, "missed": 1}


def test_appointments_that_begin_or_end_in_a_period_share_it(world, office, build):
    warn(office, world.reach)
    first, second = build.person("chief", region=world.village), build.person("chief", region=world.village)
    reach = build.reach(region=world.village)
    warn(office, reach)
    build.appointment(reach, first, valid_to=date(2026, 11, 17))
    build.appointment(reach, second, valid_from=date(2026, 11, 18))
    shared = {duty["person"]["id"]: duty for duty in duties(office, reach=str(reach.id))}
    assert [shared[str(person.id)]["required"] for person in (first, second)] == [2, 5]
    month = {duty["person"]["id"]: duty for duty in duties(office, reach=str(reach.id), period="2026-11")}
    assert sum(duty["required"] for duty in month.values()) == duties(office, reach=str(world.reach.id), period="2026-11")[0]["required"]


def test_whoever_left_before_the_window_keeps_the_share_of_a_quarter_that_ends_in_it(world, office, build):
    reach = build.reach(region=world.town, level="county")
    first, second = build.person("chief", region=world.town), build.person("chief", region=world.town)
    build.appointment(reach, first, valid_to=date(2026, 11, 25))
    build.appointment(reach, second, valid_from=date(2026, 11, 26))
    shared = {row["person"]["id"]: row["required"] for row in duties(office, reach=str(reach.id), period="2026-12")}
    assert shared == {str(first.id): 1, str(second.id): 0}


def test_somebody_appointed_twice_is_one_row(world, office, build):
    build.appointment(world.reach, world.chief, title="deputy")
    build.appointment(world.reach, world.chief, title="contact", valid_to=date(2026, 11, 17))
    assert len(duties(office)) == 1


def test_the_highest_warning_counts_until_it_is_lifted(world, office):
    assert warn(office, world.reach, colour="yellow", trigger="issue").status_code == 201
    assert the_period(office)["required"] == 2
    made = warn(office, world.reach)
    assert [p["required"] for p in duties(office)[0]["periods"]] == [1] * 7
    assert duties(office)[0]["periods"][0]["warning"] == "red"
    assert "因红色预警，按预警频次执行" in duties(office)[0]["periods"][0]["why"]
    path = f"reach-warnings/{made.json['id']}/lift"
    assert office.post(path).status_code == 428
    assert office.post(path, headers={"If-Match": '"7"'}).status_code == 412
    with clock.moved_clock(lambda: NOW):
        lifted = office.post(path, headers={"If-Match": made.headers["ETag"]})
        assert (lifted.json["valid_to"], lifted.json["lifted_at"][:10]) == ("2026-11-19", "2026-11-20")
        assert office.post(path, headers={"If-Match": "*"}).status_code == 409
    [duty] = duties(office)
    assert {period["warning"] for period in duty["periods"]} == {"yellow", "red"}
    assert sum(period["policy"]["colour"] == "red" for period in duty["periods"]) == 4


def test_warnings_are_kept_once_and_listed(world, office, signed_in, build):
    warning_id = uuid4()
    assert [warn(office, world.reach, warning_id).status_code for _ in range(2)] == [201, 200]
    other = warn(office, world.reach, warning_id, colour="yellow")
    assert (other.status_code, other.json["digest_stored"] != other.json["digest_sent"]) == (409, True)
    assert warn(office, build.reach(region=world.other)).status_code == 422
    assert warn(office, world.reach, valid_to="2026-11-15").status_code == 422
    assert warn(office, world.reach, colour="none").status_code == 422
    assert db.session.query(ReachWarning).count() == 1

    def listed(client, **query):
        return [row["id"] for row in client.get("reach-warnings", query_string=query).json["items"]]

    assert listed(office) == listed(office, reach=str(world.reach.id), region=world.village.code, on="2026-11-16") == [str(warning_id)]
    assert listed(office, on="2026-11-15") == listed(office, region=world.other.code) == listed(signed_in(world.stranger)) == []


def test_policies_of_an_area_are_its_offices(world, office, signed_in):
    policy_id, path = uuid4(), "frequency-policies"
    body = policy_body(region=world.town.code)
    assert [office.put(f"{path}/{policy_id}", json=body).status_code for _ in range(2)] == [201, 200]
    assert office.put(f"{path}/{policy_id}", json={**body, "times": 3}).status_code == 409
    assert the_period(office)["required"] == 2
    assert office.put(f"{path}/{uuid4()}", json=policy_body()).status_code == 403
    assert office.put(f"{path}/{uuid4()}", json=policy_body(region=world.other.code)).status_code == 403
    assert office.put(f"{path}/{uuid4()}", json=policy_body(region="0")).status_code == 404
    assert signed_in(world.top).put(f"{path}/{uuid4()}", json=policy_body()).status_code == 201
    shown = office.get(f"{path}/{policy_id}")
    ended = office.patch(f"{path}/{policy_id}", json={"valid_to": "2026-11-15"}, headers={"If-Match": shown.headers["ETag"]})
    assert (ended.status_code, ended.json["valid_to"]) == (200, "2026-11-15")
    assert office.put(f"{path}/{policy_id}", json=body).status_code == 200
    assert office.patch(f"{path}/{policy_id}", json={"valid_to": "2026-10-01"}, headers={"If-Match": "*"}).status_code == 422
    national = office.get(path, query_string={"level": "village", "on": "2021-01-01"}).json["items"][0]["id"]
    assert office.patch(f"{path}/{national}", json={"valid_to": None}, headers={"If-Match": "*"}).status_code == 403
    assert {entry.act for entry in db.session.query(AuditEntry)} >= {"add_frequency_policy", "end_frequency_policy"}


@pytest.mark.parametrize(("changes", "field"), [
    ({"times": 0}, "times"), ({"times": "many"}, "times"), ({"period": "fortnight"}, "period"), ({"months": []}, "months"), ({"months": [13]}, "months.0"),
    ({"weekdays": [0]}, "weekdays.0"), ({"least_share": 1.1}, "least_share"), ({"valid_to": "2026-10-01"}, "valid_to"), ({"level": "hamlet"}, "level"),
    ({"source": {"zh": "", "en": "x"}}, "source.zh"), ({"colours": "red"}, "colours")])
def test_bad_policies_are_refused_by_field(world, signed_in, changes, field):
    reply = signed_in(world.top).put(f"frequency-policies/{uuid4()}", json=policy_body(**changes))
    assert reply.status_code == 422
    assert field in reply.json["errors"], reply.json
    assert db.session.query(FrequencyPolicy).filter_by(source_zh="本地规定").count() == 0


def test_lists_filter_by_person_reach_region_and_span(world, office, signed_in, build):
    reach = build.reach(region=world.town, level="township")
    build.appointment(reach, world.chief)

    def codes(client=office, **query):
        return sorted(duty["reach"]["code"] for duty in duties(client, **query))

    both = sorted([world.reach.code, reach.code])
    assert codes() == codes(person=str(world.chief.id)) == codes(signed_in(world.chief), person="me") == both
    assert codes(reach=str(reach.id)) == [reach.code]
    assert codes(region=world.village.code) == [world.reach.code]
    assert codes(person="me") == codes(region=world.other.code) == codes(signed_in(world.stranger)) == []
    month = office.get("duties", query_string={"from": "2026-11-01", "to": "2026-11-30", "reach": str(world.reach.id)}).json["items"]
    assert month == duties(office, period="2026-11", reach=str(world.reach.id))
    assert len(month[0]["periods"]) == 5


@pytest.mark.parametrize("query", [
    {"period": "2026-W60"}, {"period": "2026-11", "from": "2026-11-01", "to": "2026-11-02"}, {"from": "2026-11-01"}, {"person": "nobody"},
    {"from": "2026-01-01", "to": "2026-12-31"}, {"from": "0001-01-01", "to": "0001-01-02"}, {"colour": "red"}])
def test_wrong_questions_are_refused(office, query):
    assert office.get("duties", query_string=query).status_code == 422


def test_pages_follow_each_other(world, office, build):
    for _ in range(4):
        build.appointment(build.reach(region=world.village), world.chief)
    seen, cursor = [], None
    while True:
        page = office.get("duties", query_string={"limit": 2, **({"cursor": cursor} if cursor else {})}).json
        seen += [row["reach"]["id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("rows", [1, 12])
def test_listing_costs_the_same_number_of_queries(world, office, build, queries, rows):
    for _ in range(rows):
        reach = build.reach(region=world.village)
        build.appointment(reach, world.chief)
        walked(world.chief, reach, "2026-11-18T08:00:00+08:00", WHOLE)
    duties(office)  # The policies are in memory from now on.
    db.session.remove()
    queries.clear()
    assert len(duties(office)) == rows + 1
    assert len(queries) == 7, queries
    db.session.remove()
    queries.clear()
    with clock.moved_clock(lambda: datetime(2026, 12, 24, tzinfo=UTC)):
        assert len(office.get("duties/gaps").json["items"]) == rows + 1
    assert len(queries) == 9, queries


def gaps(client, **query):
    with clock.moved_clock(lambda: NOW):
        reply = client.get("duties/gaps", query_string=query)
    assert reply.status_code == 200, reply.json
    return reply.json["items"]


def test_the_gap_list_tells_since_when_and_who_answers(world, office, signed_in):
    [gap] = gaps(office)
    assert (gap["last_patrolled_at"], gap["should_have_been_since"]) == (None, "2026-11-13")
    assert [chief["id"] for chief in gap["chiefs"]] == [str(world.chief.id)]
    walked(world.chief, world.reach, "2026-11-12T23:59:59+08:00", WHOLE)
    walked(world.chief, world.reach, "2026-11-18T08:00:00+08:00", WHOLE, verdict="doubtful")
    walked(world.chief, world.reach, "2026-11-18T08:00:00+08:00")
    [gap] = gaps(office, region=world.village.code)
    assert datetime.fromisoformat(gap["last_patrolled_at"]) == datetime(2026, 11, 12, 15, 59, 59, tzinfo=UTC)
    assert gaps(office, region=world.other.code) == gaps(signed_in(world.stranger)) == []
    walked(world.deputy, world.reach, "2026-11-13T00:00:00+08:00", (0, 600), verdict="partial")
    assert gaps(office) == []


def test_a_short_visit_closes_no_gap_but_short_walks_add_up_by_their_union(world, office):
    walked(world.chief, world.reach, "2026-11-12T08:00:00+08:00", WHOLE)
    walked(world.chief, world.reach, "2026-11-19T08:00:00+08:00", (0, 25))
    [gap] = gaps(office)
    assert (gap["covered_m"], gap["needed_m"], gap["last_patrolled_at"][:10]) == (25, 600, "2026-11-12")
    walked(world.chief, world.reach, "2026-11-18T08:00:00+08:00", (0, 580), verdict="partial")
    walked(world.deputy, world.reach, "2026-11-19T09:00:00+08:00", (0, 560), verdict="partial")
    walked(world.deputy, world.reach, "2026-11-19T10:00:00+08:00", (580, 1000), verdict="doubtful")
    [gap] = gaps(office)
    assert gap["covered_m"] == 580, "the sum is 1,165 m, the union is not"
    walked(world.deputy, world.reach, "2026-11-20T10:00:00+08:00", (580, 600))
    assert gaps(office) == []


def test_the_share_is_that_of_the_row_that_counts(world, office):
    office.put(f"frequency-policies/{uuid4()}", json=policy_body(region=world.town.code, times=1, least_share=0.02))
    walked(world.chief, world.reach, "2026-11-19T08:00:00+08:00", (0, 25))
    assert gaps(office) == []
    warn(office, world.reach, colour="yellow")
    [gap] = gaps(office)
    assert (gap["policy"]["colour"], gap["covered_m"], gap["needed_m"]) == ("yellow", 25, 600)


def test_a_towns_own_row_never_makes_a_warning_weaker(world, office):
    office.put(f"frequency-policies/{uuid4()}", json=policy_body(region=world.town.code, period="month", times=1))
    assert the_period(office)["policy"]["period"] == "month"
    warn(office, world.reach)
    [duty] = duties(office)
    red = [period for period in duty["periods"] if period["policy"]["colour"] == "red"]
    assert sum(period["required"] for period in red) == 7
    assert "因红色预警，按预警频次执行" in red[0]["why"]


def test_a_warning_and_an_own_row_move_the_gap(world, office, build):
    walked(world.chief, world.reach, "2026-11-18T08:00:00+08:00", WHOLE)
    assert gaps(office) == []
    warn(office, world.reach, colour="red", valid_from="2026-11-20")
    [gap] = gaps(office)
    assert (gap["should_have_been_since"], gap["policy"]["colour"]) == ("2026-11-19", "red")
    office.put(f"frequency-policies/{uuid4()}", json=policy_body(region=world.town.code, period="month", times=1))
    [gap] = gaps(office)
    assert gap["policy"]["colour"] == "red", "the highest wins: the town's own row asks for less than the warning"
    office.put(f"frequency-policies/{uuid4()}", json=policy_body(region=world.town.code, period="month", times=1, colour="red"))
    assert gaps(office) == [], "the town's own red row takes the place of the general one"


def test_a_level_without_a_row_has_no_gap(world, office, build):
    build.appointment(build.reach(region=world.village, level="hamlet"), world.chief)
    assert [gap["reach"]["id"] for gap in gaps(office)] == [str(world.reach.id)]
    [duty] = [row for row in duties(office) if row["reach"]["id"] != str(world.reach.id)]
    assert (duty["required"], duty["periods"]) == (0, [])
