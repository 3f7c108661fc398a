"""Of which closed issues how many are looked at again is a policy with versions; a dry run draws the past drawings again."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.supervision.drawing import is_drawn
from patrol.supervision.look_backs import draw_look_backs, policies_on
from patrol.supervision.models import Draw, SpotCheck
from tests.supervision.test_spot_checks import closed_issue

CHINA = "Asia/Shanghai"
SOURCE = {"zh": "区河长办〔2026〕12号", "en": "District office, document 12 of 2026"}


def share(**others):
    return {"id": str(uuid4()), "severity": "general", "share_percent": 100, "after_days": 7, "within_days": 5,
            "valid_from": str(clock.today(CHINA)), "source": SOURCE, **others}


def shares_on(day):
    return {row.severity: row.share_percent for row in policies_on(day)}


def test_it_begins_with_a_share_of_each_severity(valley):
    rows = valley.chief_client.get("policies/look_back").json["items"]
    assert {row["severity"]: row["share_percent"] for row in rows} == {"general": 5, "serious": 20, "urgent": 20, "major": 100}
    assert {row["standing"] for row in rows} == {"in_force"}
    assert rows[0]["source"]["en"] == "This system's start value"
    [kind] = [kind for kind in valley.chief_client.get("policies").json["kinds"] if kind["kind"] == "look_back"]
    assert len(kind["in_force"]) == 4


def test_a_version_counts_for_drawings_from_its_day_on_until_another_or_none(valley):
    today = clock.today(CHINA)
    tomorrow, later = today + timedelta(days=1), today + timedelta(days=2)
    for body in (share(valid_from=str(tomorrow)), share(severity="serious", enabled=False, valid_from=str(later))):
        reply = valley.office_client.post("policies/look_back", json=body)
        assert (reply.status_code, reply.json["version"], reply.json["standing"]) == (201, 2, "coming"), reply.json
    assert [shares_on(day)["general"] for day in (today, tomorrow)] == [5, 100]
    assert ["serious" in shares_on(day) for day in (tomorrow, later)] == [True, False]
    [coming] = [row for row in valley.office_client.get("policies/look_back").json["items"] if (row["severity"], row["version"]) == ("general", 2)]
    assert valley.office_client.delete(f"policies/look_back/{coming['id']}").status_code == 200
    assert shares_on(tomorrow)["general"] == 5


@pytest.mark.parametrize("after_days", [3, 12])
def test_each_closing_is_drawn_from_once_although_the_policy_waits_another_number_of_days(valley, pictures, after_days):
    """Seven days are waited at first; from the eighth day on three, or twelve."""
    today, closed = clock.today(CHINA), []
    for body in (share(), share(after_days=after_days, valid_from=str(today + timedelta(days=8)))):
        assert valley.office_client.post("policies/look_back", json=body).status_code == 201
    for number in range(8):
        at = clock.now() + timedelta(days=number)
        with clock.moved_clock(lambda at=at: at):
            closed.append(closed_issue(valley, [pictures[number % 4]], description=f"第 {number} 处")["id"])
    for number in range(7, 25):
        with transaction():
            draw_look_backs(today + timedelta(days=number), CHINA, seed="s")
    drawn_from = [each for draw in db.session.query(Draw) for each in draw.facts["by_severity"]["general"]["candidates"]]
    assert sorted(drawn_from) == sorted(closed)


@pytest.mark.parametrize(("change", "field"), [
    ({"share_percent": 101}, "share_percent"), ({"share_percent": -1}, "share_percent"), ({"after_days": 0}, "after_days"),
    ({"within_days": 0}, "within_days"), ({"severity": "grave"}, "severity"), ({"valid_from": "2020-01-01"}, "valid_from"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_writing_and_by_trying(valley, change, field):
    for path in ("policies/look_back", "policies/look_back/dry-run"):
        refused = valley.office_client.post(path, json=share(**change))
        assert (refused.status_code, list(refused.json["errors"])) == (422, [field]), path


def test_a_dry_run_draws_the_past_again_by_its_own_seeds(valley, pictures):
    issues = [closed_issue(valley, [pictures[number]], category=category) for number, category in enumerate(("C1", "C2", "C4"))]
    # The start value draws a general issue on the seventh day after its closing.
    day = clock.today(CHINA) + timedelta(days=policies_on(clock.today(CHINA))[0].after_days)
    with transaction():
        draw_look_backs(day, CHINA, seed="s")
    [draw] = db.session.query(Draw).all()
    later = clock.now() + timedelta(days=(day - clock.today(CHINA)).days + 1)
    with clock.moved_clock(lambda: later):
        told = valley.office_client.post("policies/look_back/dry-run", json=share(share_percent=60)).json
        drawn = [issue for issue in issues if is_drawn(draw.seed, issue_id(issue), 60)]
        before = [issue for issue in issues if is_drawn(draw.seed, issue_id(issue), 5)]
        assert (told["looked_at"], told["candidates"], told["drawn_before"], told["drawn_after"]) == (1, 3, len(before), len(drawn))
        assert told["changed"] == len(drawn) - len(before)
        assert {row["issue"]["id"] for row in told["items"]} == {issue["id"] for issue in drawn} - {issue["id"] for issue in before}
        off = valley.office_client.post("policies/look_back/dry-run", json=share(enabled=False)).json
        assert (off["drawn_after"], off["changed"]) == (0, len(before))
        assert valley.office_client.post("policies/look_back/dry-run?first=1", json=share()).json["drawn_after"] == 3
        other = valley.office_client.post("policies/look_back/dry-run", json=share(severity="major")).json
        assert (other["candidates"], other["items"]) == (0, [])
    assert db.session.query(SpotCheck).count() == len(before)
    assert len(valley.office_client.get("policies/look_back").json["items"]) == 4


def issue_id(issue):
    return UUID(issue["id"])
