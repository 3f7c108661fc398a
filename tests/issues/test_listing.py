"""Lists against a naive reading in Python: the same rows in the same order, whatever the filters; and the lists of roles."""

import random
from datetime import date, datetime, time, timedelta
from functools import partial
from types import SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.paging import past
from patrol.foundation.transaction import transaction
from patrol.issues import listing
from patrol.issues.branches import first_ids
from patrol.issues.categories import Severity, Source
from patrol.issues.deciding import LATE_CODE
from patrol.issues.due import CLOCK_RUNS, WITHOUT_DUE
from patrol.issues.filters import Filters, order_of
from patrol.issues.lifecycle import State, Verb
from patrol.issues.models import CoHandler, Extension, Issue
from patrol.issues.queries import shown_parts, visible_to
from patrol.issues.reading import Reader
from patrol.issues.role_list_branches import branches_of
from patrol.issues.role_lists import RoleList
from patrol.issues.words import has_words
from patrol.people.models import Region
from patrol.people.permissions import Permission as P
from tests.bench.issue_rows import DUE_RULE, ROUTING

WORDS = ("漂浮垃圾", "河水发黑", "桥下 OIL", "渣", "100%_满", "oil 桥")
CATEGORIES = ("A31", "A42", "B2", "C1", "F1")


@pytest.fixture
def many(valley, build):
    """Two hundred issues of every kind, made at random moments, some of the same moment, and who may read them."""
    rng, plans, now = random.Random(7), random.Random(8), clock.now()
    staff = [valley.chief, valley.other_chief, valley.handler, valley.patroller, valley.town_office]
    regions = [valley.town, valley.other_town, valley.village, build.district]
    beside = []
    with transaction():
        for number in range(1, 201):
            state = rng.choice(list(State))
            received = now - timedelta(hours=rng.randrange(0, 900, 6))
            led = state not in {State.SUBMITTED, State.ACCEPTED, State.REJECTED} and rng.random() < 0.9
            suspended = state is State.SUSPENDED
            issue = Issue(
                id=new_id(), serial=number, state=state.value, category=rng.choice(CATEGORIES),
                severity=rng.choice(list(Severity)).value, source=rng.choice(list(Source)[:3]).value,
                description=" ".join(rng.choices(WORDS, k=2)), latitude=29.6 + rng.random() / 10, longitude=119.8, raw_latitude=29.6,
                raw_longitude=119.8, datum="wgs84", recorded_at=received, received_at=received, region_id=rng.choice(regions).id,
                reach_id=rng.choice([None, valley.reach.id]), routing=ROUTING, lead_id=rng.choice(staff).id if led else None,
                department=rng.choice([None, None, "urban_management"]), due_at=received + timedelta(days=rng.choice([3, 10, 40])),
                due_rule=DUE_RULE, dispatched_at=received if led else None,
                declined_at=received if state is State.ACCEPTED and rng.random() < 0.3 else None,
                suspended_at=received if suspended else None,
                review_on=(now + timedelta(days=rng.randrange(-9, 9))).date() if suspended else None,
                milestones=[] if suspended else None,
                decide_by=now + timedelta(days=rng.randrange(-9, 9)) if state in LATE_CODE and rng.random() < 0.8 else None,
                plan_due_at=now + timedelta(days=plans.randrange(-9, 9)) if plans.random() < 0.5 else None,
                plan_reported_at=received if plans.random() < 0.3 else None,
                rectified_by_id=rng.choice([valley.office, *staff]).id if state in {State.RECTIFIED, State.VERIFIED} else None,
                reporter_id=rng.choice([*staff, valley.supervisor]).id, returned_times=rng.choice([0, 0, 0, 1]),
                reopened_times=rng.choice([0, 0, 0, 1]), digest="0" * 64, version=1, history_hash="0" * 64, findings=[],
            )  # fmt: skip
            if issue.category == "F1" and issue.lead_id is None:
                issue.accused_id = rng.choice([None, valley.office.id, valley.town_office.id, valley.chief.id])
            db.session.add(issue)
            if rng.random() < 0.2:
                beside.append(CoHandler(issue_id=issue.id, person_id=rng.choice(staff).id))
            if state in {State.DISPATCHED, State.IN_PROGRESS} and led and rng.random() < 0.4:
                beside.append(Extension(
                    issue_id=issue.id, n=1, opening=rng.choice([issue.reopened_times, 0]), until=now, reason="雨", asked_at=now,
                    asked_by_id=issue.lead_id, decided_at=rng.choice([None, None, now]),
                ))  # fmt: skip
        db.session.flush()
        db.session.add_all(beside)
    return SimpleNamespace(valley=valley, now=now, build=build)


def _co_handled():
    found = {}
    for row in db.session.scalars(select(CoHandler)):
        found.setdefault(row.issue_id, set()).add(row.person_id)
    return found


def _lacks_plan(issue, by):
    """Whether a plan is due by a moment and not there."""
    in_work = issue.state in {State.DISPATCHED, State.IN_PROGRESS}
    return bool(in_work and issue.plan_due_at and issue.plan_due_at <= by and not issue.plan_reported_at)


def naive(actor, filters, order):
    """Read every issue and keep those that pass, by plain comparisons."""
    paths, co, now = {row.id: row.path for row in db.session.scalars(select(Region))}, _co_handled(), clock.now()
    codes = {row.code: row.path for row in db.session.scalars(select(Region))}

    def sees(i):
        hidden = i.category.startswith("F") and not any(map(actor.may, (P.RECEIVE_ISSUE, P.REVIEW_ISSUE, P.SEE_AUDIT)))
        called = actor.department and i.department == actor.department
        own = actor.person_id in {i.reporter_id, i.lead_id, *co.get(i.id, ())}
        called = called and not i.category.startswith("F")
        return i.accused_id != actor.person_id and (own or (not hidden and (actor.covers(paths[i.region_id]) or called)))

    def passes(i):
        late = i.state in CLOCK_RUNS and i.due_at <= now
        words = filters.q.lower().split() if filters.q else []
        return all((
            not filters.state or i.state in filters.state, not filters.source or i.source in filters.source,
            not filters.severity or i.severity in filters.severity, not filters.category or i.category.startswith(filters.category),
            not filters.region or paths[i.region_id].startswith(codes[filters.region]),
            not filters.assigned_to or filters.assigned_to in {i.lead_id, *co.get(i.id, ())},
            filters.overdue is None or late == filters.overdue,
            filters.decision_late is None or (i.decide_by is not None and i.decide_by <= now) == filters.decision_late,
            filters.plan_late is None or _lacks_plan(i, now) == filters.plan_late,
            not filters.due_before or (i.due_at <= filters.due_before and i.state not in WITHOUT_DUE),
            not filters.created_after or i.received_at >= filters.created_after,
            not filters.created_before or i.received_at <= filters.created_before,
            all(word in i.description.lower() for word in words),
        ))  # fmt: skip

    rows = [i for i in db.session.scalars(select(Issue)) if sees(i) and passes(i)]
    by, down = {"newest": ("received_at", True), "oldest": ("received_at", False), "due": ("due_at", False), "-due": ("due_at", True)}[order]
    rows.sort(key=lambda i: (getattr(i, by), i.id), reverse=down)
    # What shows no due date comes behind all that do, in either direction.
    return [i.id for i in (sorted(rows, key=lambda i: i.state in WITHOUT_DUE) if by == "due_at" else rows)]


def paged(actor, filters, order, limit):
    found, cursor = [], None
    while True:
        page = listing.list_issues(actor, filters, order=order, limit=limit, cursor=cursor)
        found += [issue.id for issue in page.items]
        cursor = page.next
        if cursor is None:
            return found


def some(values):
    return st.one_of(st.just(()), st.lists(st.sampled_from(list(values)), min_size=1, max_size=4))


def test_lists_are_what_a_naive_reading_gives(many, actor_of, monkeypatch):
    valley = many.valley
    readers = [valley.office, valley.town_office, valley.chief, valley.other_chief, valley.district_chief, valley.handler, valley.auditor]
    actors = [actor_of(person) for person in readers]
    moments = st.one_of(st.none(), st.integers(0, 40).map(lambda days: many.now - timedelta(days=days)))
    either = st.sampled_from
    filters = st.builds(
        Filters, state=some(State), source=some(list(Source)[:3]), severity=some(Severity),
        category=either([None, None, "A", "B2", "F"]), region=either([None, None, valley.town.code, valley.village.code, "990100"]),
        assigned_to=either([None, None, valley.chief.id, valley.handler.id]), overdue=either([None, None, True, False]),
        decision_late=either([None, None, None, True, False]), plan_late=either([None, None, None, None, True, False]),
        due_before=moments, created_after=moments, created_before=st.none() | moments,
        q=either([None, None, "漂浮垃圾", "桥下", "oil", "渣", "%_", "垃圾 发黑", "没有的词", "0%"]),
    )  # fmt: skip

    @given(either(actors), filters, either(["newest", "oldest", "due", "-due"]), either([7, 200]), either([3, 5_000]))
    def agrees(actor, filters, order, limit, walked):
        monkeypatch.setattr(listing, "WALKED", dict.fromkeys(("sqlite", "postgresql"), walked))
        assert paged(actor, filters, order, limit) == naive(actor, filters, order)

    with clock.moved_clock(lambda: many.now):
        agrees()


@pytest.mark.parametrize("order", ["due", "-due"])
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_what_has_no_due_date_comes_last(many, order, limit):
    client, shown, cursor = many.valley.supervisor_client, [], None
    while True:
        page = client.get("issues", query_string={"order": order, "limit": limit, **({"cursor": cursor} if cursor else {})}).json
        shown += [(row["id"], row["due_at"]) for row in page["items"]]
        if (cursor := page["next"]) is None:
            break
    dated = [due for _, due in shown if due is not None]
    assert 0 < len(dated) < len(shown) == len({issue_id for issue_id, _ in shown})
    assert [due for _, due in shown] == sorted(dated, reverse=order == "-due") + [None] * (len(shown) - len(dated))
    lines = client.get("issues.geojson", query_string={"order": order}).json["features"]
    assert [row["id"] for row in lines] == [issue_id for issue_id, _ in shown]


def test_a_page_that_ends_with_the_last_due_date_goes_on(many):
    client, of = many.valley.supervisor_client, {"order": "due"}
    rows = client.get("issues", query_string={**of, "limit": 200}).json["items"]
    dated = sum(row["due_at"] is not None for row in rows)
    first = client.get("issues", query_string={**of, "limit": dated}).json
    assert [row["id"] for row in first["items"]] == [row["id"] for row in rows[:dated]]
    rest = client.get("issues", query_string={**of, "limit": 200, "cursor": first["next"]}).json
    assert ([row["id"] for row in rest["items"]], rest["next"]) == ([row["id"] for row in rows[dated:]], None)
    only = client.get("issues", query_string={**of, "limit": dated, "state": ",".join(set(State) - set(WITHOUT_DUE))}).json
    assert only["next"] is None


def test_the_index_of_words_follows_every_change(many, actor_of):
    actor, [first, second] = actor_of(many.valley.office), db.session.scalars(select(Issue).order_by(Issue.serial).limit(2)).all()
    monkey = Filters(q="青蛙王国")

    def found(filters=monkey):
        return paged(actor, filters, "newest", 50)

    if db.engine.dialect.name == "sqlite":
        assert has_words()
    assert found() == []
    with transaction():
        db.session.execute(update(Issue).where(Issue.id == first.id).values(description="桥下的青蛙王国Ab"))
    assert found() == found(Filters(q="国aB")) == [first.id]
    with transaction():
        db.session.execute(update(Issue).where(Issue.id == first.id).values(description="x"))
        db.session.execute(update(Issue).where(Issue.id == second.id).values(description="青蛙王国"))
    assert found() == [second.id]
    with transaction():
        for model in (CoHandler, Extension):
            db.session.execute(delete(model).where(model.issue_id == second.id))
        db.session.execute(delete(Issue).where(Issue.id == second.id))
    assert found() == []


def test_search_goes_on_without_the_index(many, actor_of, monkeypatch):
    monkeypatch.setattr("patrol.issues.filters.has_words", lambda: False)
    actor, filters = actor_of(many.valley.office), Filters(q="漂浮垃圾 oil")
    assert paged(actor, filters, "due", 9) == naive(actor, filters, "due")


def in_list(role_list, actor, issue, allowed, asked, today, tomorrow, now):
    """Say by the law's own answer whether an issue belongs into a list."""
    mine = actor.person_id in {issue.lead_id, *(person.id for person in issue.co_handlers)}
    in_work = issue.state in {State.DISPATCHED, State.IN_PROGRESS}
    bureaus = actor.covers(issue.region.path) and issue.lead_id is None and (
        actor.may(P.DISPATCH_ISSUE) or (actor.department and actor.department == issue.department))
    if role_list is RoleList.MINE_TODAY:
        pressing = issue.state == State.DISPATCHED or issue.due_at <= tomorrow or _lacks_plan(issue, tomorrow)
        return in_work and (bureaus or (mine and pressing)) and actor.may(P.HANDLE_ISSUE)
    office = actor.may(P.REVIEW_ISSUE)
    if role_list is RoleList.WAITING_FOR_ME:
        return bool(
            allowed & {Verb.ACCEPT, Verb.VERIFY, Verb.CLOSE} or (issue.state == State.ACCEPTED and Verb.DISPATCH in allowed)
            or (issue.state == State.SUSPENDED and (issue.review_on <= today or (issue.decide_by and issue.decide_by <= tomorrow)) and Verb.RESUME in allowed)
            or (issue.state == State.CLOSED and issue.decide_by and office and not mine and actor.covers(issue.region.path) and issue.rectified_by_id != actor.person_id)
            or (in_work and actor.may(P.DISPATCH_ISSUE) and actor.covers(issue.region.path) and issue.id in asked))
    if role_list is RoleList.LATE_BELOW_ME:
        late = (issue.state in CLOCK_RUNS and issue.due_at <= now) or (issue.decide_by is not None and issue.decide_by <= now)
        late = late or _lacks_plan(issue, now)
        return late and (Verb.SUPERVISE in allowed or (office and not mine and actor.covers(issue.region.path)))
    back = issue.declined_at is not None or issue.reopened_times > 0
    return (mine and in_work and actor.may(P.HANDLE_ISSUE) and (issue.reopened_times > 0 or (issue.state == State.IN_PROGRESS and issue.returned_times > 0))) or (
        issue.state == State.ACCEPTED and back and actor.may(P.DISPATCH_ISSUE) and actor.covers(issue.region.path))


@pytest.mark.parametrize("who", ["office", "town_office", "chief", "other_chief", "district_chief", "handler", "supervisor", "patroller", "auditor"])
def test_lists_of_roles_are_the_law_and_their_counts_are_true(many, actor_of, app, who):
    valley, zone = many.valley, app.extensions["settings"].timezone
    person = getattr(valley, who)
    actor, client = actor_of(person), getattr(valley, f"{who}_client")
    with clock.moved_clock(lambda: many.now), app.test_request_context():
        today = clock.today(zone)
        tomorrow = datetime.combine(today + timedelta(days=1), time(), ZoneInfo(zone))
        reader, rows = Reader.of(actor, zone), db.session.scalars(visible_to(actor).options(*shown_parts(Issue))).unique().all()
        asked = {
            row.issue_id for row in db.session.scalars(select(Extension).where(Extension.decided_at.is_(None)))
            if row.asked_by_id != person.id and row.opening == db.session.get(Issue, row.issue_id).reopened_times}
        wanted = {
            name.value: {str(i.id) for i in rows if in_list(
                name, actor, i, {step.verb for step in reader.allowed(i)}, asked, today, tomorrow, many.now)}
            for name in RoleList}
    with clock.moved_clock(lambda: many.now):
        shown = {row["name"]: row for row in client.get("issues/lists").json["items"]}
        for name, ids in wanted.items():
            reply = client.get(f"issues?list={name}&limit=200").json["items"]
            assert {row["id"] for row in reply} == ids, name
            if name in shown:
                assert (shown[name]["count"], shown[name]["more"], shown[name]["filter"]) == (len(ids), False, f"list={name}")
                by_state = client.get(f"issues/counts?list={name}").json["counts"]
                assert sum(by_state.values()) == len(ids)
            else:
                assert not ids
    assert who == "auditor" or sum(map(len, wanted.values())) > 2


@pytest.mark.parametrize("filters", ["state=submitted", "state=rectified", "state=dispatched,in_progress&severity=general", "severity=general&overdue=true"])
@pytest.mark.parametrize("who", ["office", "chief", "town_office"])
def test_a_page_of_one_and_one_of_many_ask_as_often(many, queries, who, filters):
    client, asked = getattr(many.valley, f"{who}_client"), []
    for limit in (1, 200):
        queries.clear()
        client.get(f"issues?{filters}&limit={limit}")
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_counting_ends_somewhere_and_says_so(many, monkeypatch, queries):
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    queries.clear()
    [waiting] = [row for row in many.valley.office_client.get("issues/lists").json["items"] if row["name"] == "waiting_for_me"]
    assert (waiting["count"], waiting["more"]) == (2, True)
    assert waiting["titles"]["en"] == "Waiting for my decision"
    assert len(queries) <= 3


def test_what_becomes_late_is_counted_as_late_from_then_on(many):
    client, numbers = many.valley.supervisor_client, []
    for days in (0, 10, 60, 0):
        with clock.moved_clock(lambda later=many.now + timedelta(days=days): later):
            [row] = [row for row in client.get("issues/lists").json["items"] if row["name"] == "late_below_me"]
            assert row["count"] == len(client.get("issues?list=late_below_me&limit=200").json["items"])
            numbers.append(row["count"])
    assert numbers[0] < numbers[1] < numbers[2]
    assert numbers[0] == numbers[3]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("order", ["newest", "due"])
def test_sqlite_finds_the_few_by_their_index_and_walks_no_table(many, actor_of, order, deep):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has statistics to go by, and two hundred rows are read whole")
    for person in (many.valley.office, many.valley.town_office, many.valley.chief):
        actor = actor_of(person)
        for name in RoleList:
            if not (branches := branches_of(name, actor)):
                continue
            found = first_ids(branches, order_of(order, Issue), limit=50, after=partial(past, (many.now, new_id())) if deep else None)
            compiled = found.compile(db.engine, compile_kwargs={"render_postcompile": True})
            values = tuple(compiled.construct_params()[key] for key in compiled.positiontup)
            raw = [each.hex if isinstance(each, UUID) else str(each) if isinstance(each, date) else each for each in values]
            plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(raw)).all()
            walked = [line[-1] for line in plan if line[-1].startswith("SCAN issues") or "ix_issues_received_at" in line[-1] or "ix_issues_due_at" in line[-1]]
            assert not walked, name


@pytest.mark.parametrize(("filters", "index"), [
    ("", "ix_issues_received_at"), ("overdue=false", "ix_issues_received_at"), ("due_before=2026-01-01T00:00:00Z", "ix_issues_received_at"),
    ("created_before=2026-01-01T00:00:00Z", "ix_issues_received_at"), ("bbox=119,29,120,30", "ix_issues_place"),
])  # fmt: skip
def test_which_issues_are_on_a_page_is_read_from_an_index_alone(many, ways, filters, index):
    [found_by] = [way for way in ways(lambda: many.valley.office_client.get(f"issues?{filters}")) if index in way]
    assert f" issues USING COVERING INDEX {index}" in found_by
