import random
from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest

from patrol.demo.matters import matter_of
from patrol.demo.pictures import PICTURE_KINDS
from patrol.demo.positions import Waterside
from patrol.demo.records import CHINA, at_work
from patrol.demo.registers import distance_m
from patrol.demo.residents import residents
from patrol.demo.stories import stories
from patrol.demo.walks import Kind

TODAY = date(2026, 11, 20)
MIDNIGHT = datetime.combine(TODAY, time(0), CHINA)
LAW = {
    "accept": ({"submitted"}, "accepted"), "reject": ({"submitted", "accepted"}, "rejected"),
    "dispatch": ({"accepted"}, "dispatched"), "transfer": ({"accepted", "dispatched"}, "accepted"),
    "start": ({"dispatched"}, "in_progress"), "progress": ({"in_progress"}, "in_progress"),
    "rectify": ({"dispatched", "in_progress"}, "rectified"), "verify": ({"rectified"}, "verified"),
    "return": ({"rectified"}, "in_progress"), "close": ({"verified"}, "closed"),
    "suspend": ({"accepted", "dispatched", "in_progress"}, "suspended"), "resume": ({"suspended"}, "in_progress"),
    "decline": ({"dispatched"}, "accepted"), "supervise": ({"dispatched", "in_progress"}, "in_progress"),
    "reopen": ({"closed", "rejected"}, "accepted"), "merge": ({"submitted", "accepted", "dispatched"}, "merged"),
}  # fmt: skip
OFFICE_VERBS = {"accept", "reject", "dispatch", "transfer", "merge"}


def test_there_is_enough_to_look_at(told):
    assert len(told.patrols) >= 1000
    assert len(told.issues) >= 320
    assert 150 <= len(told.photos) <= 280
    assert {issue.state for issue in told.issues} == {
        "submitted", "accepted", "dispatched", "in_progress", "rectified", "verified", "closed", "rejected",
        "merged", "suspended",
    }  # fmt: skip
    verbs = Counter(step.verb for issue in told.issues for step in issue.steps)
    assert min(verbs[verb] for verb in ("return", "reopen", "transfer", "progress", "supervise")) >= 3
    assert {issue.source for issue in told.issues} == {"patrol", "citizen", "hotline", "inspection"}


def test_ids_are_unique_and_of_version_7(told):
    ids = [p.id for p in told.patrols] + [row.id for p in told.patrols for row in p.check_ins]
    ids += [issue.id for issue in told.issues] + [photo.id for photo in told.photos]
    assert len(set(ids)) == len(ids)
    assert all(one.version == 7 for one in ids)


def test_patrols_keep_their_times_and_nobody_makes_two_at_once(told):
    until: dict[str, datetime] = {}
    for patrol in told.patrols:
        assert MIDNIGHT - timedelta(91) < patrol.started_at < patrol.ended_at < MIDNIGHT
        moments = [row.recorded_at for row in patrol.check_ins]
        assert moments == sorted(moments)
        assert patrol.started_at <= moments[0] <= moments[-1] <= patrol.ended_at
        assert until.get(patrol.username, patrol.started_at) <= patrol.started_at
        until[patrol.username] = patrol.ended_at


def test_check_ins_lie_at_their_reach(told, land):
    waterside = Waterside(land)
    for patrol in told.patrols:
        for row in patrol.check_ins:
            assert row.reach_code in patrol.reach_codes
            assert 4 <= row.accuracy_m <= 40
            if row.datum == "wgs84" and patrol.walk.kind not in (Kind.MOCKED, Kind.MISLABELLED):
                near = [waterside.place(row.reach_code, n / 300, _Still(), 0) for n in range(301)]
                here = (row.longitude, row.latitude)
                assert min(distance_m(here, (lon, lat)) for lat, lon in near) < 90
    assert {row.datum for patrol in told.patrols for row in patrol.check_ins} == {"wgs84", "gcj02"}


class _Still:
    def gauss(self, mean, _deviation):
        return mean


def test_some_chiefs_patrol_rarely(told, people):
    counts = Counter(patrol.username for patrol in told.patrols)
    chiefs = {row.username for row in people.appointments if row.valid_to is None}
    assert sum(counts[name] <= 4 for name in chiefs) >= 3
    assert counts["chief"] >= 6


def test_every_life_follows_the_law(told):
    for issue in told.issues:
        state, lead, rectifier = "submitted", "", ""
        now = issue.recorded_at
        for step in issue.steps:
            sources, target = LAW[step.verb]
            assert state in sources
            assert step.to == target
            assert now < step.at < MIDNIGHT
            if step.verb == "dispatch":
                lead = step.lead
                assert lead
            if step.verb in ("start", "progress", "rectify"):
                assert step.actor == lead
            if step.verb == "rectify":
                rectifier = step.actor
                assert [photo.phase for photo in step.photos] == ["after"]
                assert now < step.photos[0].recorded_at < step.at
            if step.verb in ("verify", "return"):
                assert step.actor != rectifier
            assert step.reason or step.verb not in ("reject", "transfer", "return", "reopen", "merge")
            assert step.note or step.verb not in ("rectify", "progress")
            state, now = target, step.at
        assert state == issue.state


def test_duplicates_are_merged_into_what_is_open_near_by_and_some_troubles_come_back(told):
    by_id = {issue.id: issue for issue in told.issues}
    merged = [(issue, issue.steps[-1]) for issue in told.issues if issue.state == "merged"]
    assert len(merged) == 8
    for issue, step in merged:
        original = by_id[step.into]
        assert original.category == issue.category
        assert original.recorded_at < issue.recorded_at
        assert original.state != "merged"
        assert all(other.at > step.at for other in original.steps if other.verb in ("rectify", "close"))
        assert distance_m((original.longitude, original.latitude), (issue.longitude, issue.latitude)) < 50
    closed = [issue for issue in told.issues if issue.state == "closed"]
    relapses = [
        issue for issue in told.issues for old in closed
        if issue.category == old.category and timedelta(0) < issue.recorded_at - old.steps[-1].at < timedelta(90)
        and distance_m((old.longitude, old.latitude), (issue.longitude, issue.latitude)) < 50
    ]
    assert len(relapses) >= 3


def test_actors_hold_the_role_that_the_step_needs(told, people):
    role_of = {person.username: person.roles[0] for person in people.people}
    for issue in told.issues:
        severity = issue.severity
        for step in issue.steps:
            severity = step.severity or severity
            role = role_of[step.actor]
            if step.verb in OFFICE_VERBS:
                assert role == "office"
            elif step.verb == "supervise":
                assert role == "supervisor"
            elif step.verb in ("suspend", "resume"):
                assert role == ("chief" if severity == "major" else "office")
            elif step.verb in ("verify", "return", "reopen"):
                assert role in ("office", "supervisor")
            elif step.verb == "close":
                assert role == ("chief" if severity == "major" else "office")
            else:
                assert role in ("chief", "handler")


def test_who_leads_is_chief_of_that_reach_on_that_day(told, people):
    for issue in told.issues:
        reach = issue.reach_code
        for step in issue.steps:
            reach = step.reach_code or reach
            if step.verb == "dispatch" and not step.department:
                assert people.chief_on(reach, step.at.date()) == step.lead


def test_only_what_policy_sends_on_is_automatic(told):
    for issue in told.issues:
        automatic = [step.verb for step in issue.steps if step.automatic]
        assert automatic in ([], ["accept", "dispatch"])
        if automatic:
            assert issue.severity == "general"
            assert issue.source != "inspection"
            assert issue.steps[1].at - issue.recorded_at < timedelta(seconds=10)


def test_work_is_done_in_office_hours(told):
    for issue in told.issues:
        for step in issue.steps:
            if not step.automatic:
                local = step.at.astimezone(CHINA)
                assert local.weekday() < 5
                assert time(8, 30) <= local.time() <= time(17, 31)


def test_issues_of_a_patrol_come_from_one_of_its_check_ins(told):
    check_ins = {row.id: (patrol, row) for patrol in told.patrols for row in patrol.check_ins}
    found = [issue for issue in told.issues if issue.source == "patrol"]
    assert len(found) >= 50
    for issue in found:
        patrol, row = check_ins[issue.check_in_id]
        assert (patrol.id, patrol.username) == (issue.patrol_id, issue.reporter)
        assert (row.latitude, row.longitude) == (issue.latitude, issue.longitude)
        assert row.recorded_at <= issue.recorded_at <= patrol.ended_at
        assert "abnormal" in dict(row.checklist).values()


def test_complaints_are_anonymous_or_leave_an_invented_contact_and_some_are_rated(told):
    complaints = [issue for issue in told.issues if issue.source == "citizen"]
    assert all(issue.reporter is None for issue in complaints)
    contacts = [issue.contact for issue in complaints if issue.contact]
    assert 0.3 * len(complaints) < len(contacts) < 0.8 * len(complaints)
    assert all(contact.phone.startswith("120") and len(contact.phone) == 11 for contact in contacts)
    assert sum(issue.board_code is not None for issue in complaints) >= 8
    ratings = [(issue, issue.rating) for issue in told.issues if issue.rating]
    assert {rating.satisfied for _, rating in ratings} == {True, False}
    for issue, rating in ratings:
        assert issue.state == "closed"
        assert issue.steps[-1].at < rating.at < MIDNIGHT
        assert (rating.score >= 4) == rating.satisfied


def test_some_open_issues_are_old_enough_to_be_overdue(told):
    late = [
        i for i in told.issues if i.state in ("dispatched", "in_progress") and MIDNIGHT - i.recorded_at > timedelta(16)
    ]
    assert len(late) >= 5


def test_newcomers_find_work_on_their_desks(told):
    open_leads = Counter()
    for issue in told.issues:
        if issue.state in ("dispatched", "in_progress"):
            open_leads[[step.lead for step in issue.steps if step.verb == "dispatch"][-1]] += 1
    assert open_leads["chief"] >= 2
    assert open_leads["handler"] >= 1


def test_photos_are_taken_before_they_are_sent_and_know_their_kind(told):
    for issue in told.issues:
        assert all(photo.recorded_at < issue.recorded_at for photo in issue.photos)
    assert {photo.picture for photo in told.photos} <= set(PICTURE_KINDS)
    again = sum(patrol.walk.kind == Kind.OLD_PHOTO for patrol in told.patrols)
    assert len({(photo.picture, photo.seed, photo.phase) for photo in told.photos}) == len(told.photos) - again


def test_the_same_arguments_give_the_same_stories(told, land, people):
    assert repr(stories(land, people, TODAY)) == repr(told)
    assert repr(stories(land, people, TODAY, seed=3)) != repr(told)


@pytest.mark.parametrize("today", [date(2026, 1, 3), date(2026, 7, 6), date(2027, 2, 28)])
def test_any_day_can_be_today(land, today):
    told = stories(land, residents(land, today), today)
    assert len(told.patrols) >= 1000
    assert len(told.issues) >= 320
    assert len(told.photos) <= 280


def test_a_moment_at_night_becomes_the_next_morning_of_work():
    friday_night = datetime(2026, 11, 20, 22, 0, tzinfo=CHINA)
    moved = at_work(friday_night, random.Random(1))
    assert moved.date() == date(2026, 11, 23)
    assert time(8, 30) <= moved.time() < time(10, 30)


def test_what_is_said_in_a_case_fits_what_it_is_about(told):
    for issue in told.issues:
        words = matter_of(issue.category)
        for step in issue.steps:
            fitting = {"return": words.returns, "merge": words.same, "progress": words.progress, "start": words.starts}.get(step.verb)
            assert fitting is None or (step.reason or step.note) in fitting
        assert issue.rating is None or issue.rating.satisfied or issue.rating.comment in words.blames
    by_id = {issue.id: issue for issue in told.issues}
    for row in told.oversight.extensions:
        words = matter_of(by_id[row.issue_id].category)
        assert row.reason == words.more_time[0] or row.answer == "理由不充分，请按期完成。"
        assert row.answer in ("", words.more_time[1], "理由不充分，请按期完成。")


def test_major_cases_wait_for_their_check_and_for_the_districts_chief(told):
    states = Counter(issue.state for issue in told.issues if any(step.severity == "major" for step in issue.steps))
    assert min(states[state] for state in ("rectified", "verified")) >= 1
