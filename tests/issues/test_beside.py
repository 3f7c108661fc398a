"""The rows beside an issue: parts, requests for more time and orders are proved by its history, column by column."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.issues import history
from patrol.issues.beside import PROVED
from patrol.issues.chain import entry_hash, genesis_hash
from patrol.issues.escalating import escalate_all_due
from patrol.issues.escalation_models import Order
from patrol.issues.facts import ROWS
from patrol.issues.history import _entry_of, broken_chains
from patrol.issues.models import Extension, HistoryEntry, Issue, IssuePart
from patrol.issues.parts import tell_of_all_late_parts
from patrol.people.models import Person
from tests.issues.conftest import MONDAY, at, report, taken
from tests.issues.test_case_file import case_file, verified

KEY = {IssuePart: ("part", "n"), Extension: ("extension", "n"), Order: ("order", "id")}
ROW_MODELS = list(KEY)


def read(valley, issue):
    return valley.office_client.get(f"issues/{issue['id']}").json


def called(client, issue, path, **body):
    reply = client.post(f"issues/{issue['id']}/{path}", json=body, headers={"If-Match": "*"})
    assert reply.status_code == 200, reply.json
    return reply.json


def shared(valley):
    """An issue in work with a part of a department that has a date of its own, and one of a person without."""
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    parts = [{"department": "urban_management", "part": "清运", "due_at": (clock.now() + timedelta(days=2)).isoformat()},
             {"person": valley.handler.username, "part": "取样"}]
    return taken(valley.office_client, issue, "dispatch", co_handlers=parts)


def asked(valley, issue, days=3):
    until = datetime.fromisoformat(read(valley, issue)["due_at"]) + timedelta(days=days)
    return called(valley.chief_client, issue, "extensions", until=until.isoformat(), reason="连续降雨")


@pytest.fixture
def busy(valley, monday):
    """An issue with two parts, two requests for more time and orders by a person and by rungs, most of them dealt with; and another one."""
    issue = shared(valley)
    called(valley.supervisor_client, issue, "supervise", kind="letter", text="请三日内整改")
    for n, granted in ((1, True), (2, False)):
        asked(valley, issue)
        called(valley.office_client, issue, f"extensions/{n}/decide", granted=granted, reason="属实")
    with at(MONDAY + timedelta(days=2, minutes=1)):
        assert tell_of_all_late_parts() == 1
        called(valley.handler_client, issue, "parts/1/report", note="已清运")
        called(valley.office_client, issue, "parts/2/take-back", reason="一并办理")
        [order] = valley.chief_client.get("orders?to=me").json["items"]
        assert valley.chief_client.post(f"orders/{order['id']}/acknowledge").status_code == 200
    with at(MONDAY + timedelta(days=3)):
        assert valley.chief_client.post(f"orders/{order['id']}/answer", json={"text": "已部署"}).status_code == 200
        called(valley.district_chief_client, issue, "supervise", kind="listed", text="挂牌")
        report(valley.patroller_client, severity="serious")
    with at(MONDAY + timedelta(days=90)):
        escalate_all_due()
    return UUID(issue["id"])


def rows(issue_id, model):
    return db.session.execute(select(*model.__table__.c).where(model.issue_id == issue_id)).all()


def found_of():
    return [(found.difference.field if found.difference else found.fault.kind.value, found.issue_id) for found in broken_chains() if found]


def same(model, row):
    names = [column.name for column in model.__table__.primary_key]
    return [model.__table__.c[name] == getattr(row, name) for name in names]


def other(value, column, people, step):
    """Return something else that a column could hold; of a moment one that lies a `step` later."""
    kind = column.type.python_type
    if kind is datetime:
        return value + step if value else MONDAY
    if kind is UUID:
        return next(person for person in people if person != value)
    return not value if kind is bool else value + 1 if kind is int else f"{value or ''}x"


def damages(issue_id, step):
    """Yield what each change of a proved column of a row must be called, after it was made and until it is taken back."""
    people = db.session.scalars(select(Person.id).limit(2)).all()
    for model, columns in PROVED.items():
        for row in rows(issue_id, model):
            for name in columns:
                changed = other(getattr(row, name), model.__table__.c[name], people, step)
                db.session.execute(update(model).where(*same(model, row)).values({name: changed}))
                yield f"{KEY[model][0]} {getattr(row, KEY[model][1])} {name}", row
                db.session.rollback()


def as_before(issue_id, *, facts):
    """Let a history be one from before the entries said such rows, or before they said facts at all."""
    entries = db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == issue_id).order_by(HistoryEntry.seq)).all()
    previous = genesis_hash(issue_id)
    for entry in entries:
        entry.facts = {name: value for name, value in entry.facts.items() if name != ROWS} if facts else None
        entry.previous_hash = previous
        entry.hash = previous = entry_hash(_entry_of(entry, []), previous)
    db.session.get_one(Issue, issue_id).history_hash = previous
    db.session.commit()


def test_what_was_done_is_sound(busy):
    assert [len(rows(busy, model)) for model in ROW_MODELS] == [2, 2, 5]
    assert list(broken_chains()) == [None, None]


def test_every_column_of_every_row_is_proved_to_the_microsecond(busy):
    checked = 0
    for wanted, row in damages(busy, timedelta(microseconds=1)):
        told = not (wanted.endswith(" acknowledged_at") and row.answer is None)
        assert found_of() == ([(wanted, busy)] if told else []), wanted
        checked += told
    assert checked == 2 * 9 + 2 * 9 + 5 * 10 - 4


def test_every_column_is_proved_or_known_not_to_be():
    for model, columns in PROVED.items():
        assert set(model.__table__.columns.keys()) == {*columns, "issue_id", KEY[model][1]}


@pytest.mark.parametrize("facts", [True, False])
def test_a_history_from_before_proves_what_it_tells(busy, facts):
    as_before(busy, facts=facts)
    assert list(broken_chains()) == [None, None]
    for wanted, row in damages(busy, timedelta(hours=2)):
        of_rung = wanted.startswith("order") and row.by_id is None
        unknown = wanted.endswith(" acknowledged_at") or (wanted.endswith(" text") and of_rung) or (wanted.endswith(" to_id") and not facts)
        assert found_of() == ([] if unknown else [(wanted, busy)]), wanted


@pytest.mark.parametrize("old", [False, True])
def test_rows_that_are_gone_or_too_many_are_found(busy, old):
    if old:
        as_before(busy, facts=True)
    for model in ROW_MODELS:
        for row in rows(busy, model):
            kind, key = KEY[model]
            db.session.execute(delete(model).where(*same(model, row)))
            [found] = [found for found in broken_chains() if found]
            assert (found.issue_id, found.fault.kind) == (busy, "row_differs")
            assert "is gone" in found.fault.text.en
            if kind != "order" or not old:
                assert found.difference.field == f"{kind} {getattr(row, key)}"
            more = new_id() if key == "id" else 9
            db.session.execute(insert(model).values(row._asdict() | {key: more}))
            assert found_of() == [(f"{kind} {more}", busy)]
    assert list(broken_chains()) == [None, None]


def test_a_row_moved_to_another_issue_is_found_on_both(busy):
    [elsewhere] = db.session.scalars(select(Issue.id).where(Issue.id != busy))
    [answered] = [row for row in rows(busy, Order) if row.answer]
    db.session.execute(update(Order).where(Order.id == answered.id).values(issue_id=elsewhere))
    assert sorted(found_of(), key=str) == sorted([(f"order {answered.id}", busy), (f"order {answered.id}", elsewhere)], key=str)


def test_the_command_names_row_column_and_entry_in_both_languages_and_fails(busy, app):
    def verify():
        said = app.test_cli_runner().invoke(args=["issues", "verify"])
        return said.exit_code, said.output

    assert verify()[0] == 0
    db.session.execute(update(IssuePart).where(IssuePart.n == 1).values(state="open"))
    db.session.commit()
    [seq] = db.session.scalars(select(HistoryEntry.seq).where(HistoryEntry.verb == history.REPORT_PART))
    code, output = verify()
    assert code == 1
    assert (f"{busy}: row_differs at {seq}: “state” of part 1 is not what the history says at entry {seq} / "
            f"分项 1的“state”与第{seq}条历史所载不符 (stored 'open' / history 'done')") in output


def test_the_first_difference_is_that_of_the_earliest_entry(busy):
    db.session.execute(update(Extension).where(Extension.n == 2).values(granted=True))
    db.session.execute(update(Order).where(Order.text == "请三日内整改").values(kind="talk"))
    [(field, _)] = found_of()
    assert (field[:6], field[-5:]) == ("order ", " kind")


def test_a_case_file_tells_that_a_row_beside_the_case_was_changed(busy, valley, anyone):
    issue = {"id": str(busy)}
    held = case_file(valley, issue)
    printed = f"case-files/{busy}/{held['head']['hash']}"
    assert verified(anyone, held).json["genuine"] is True
    paper = valley.supervisor_client.get(f"issues/{busy}/case-file.pdf").data
    db.session.execute(update(Extension).where(Extension.n == 2).values(granted=True, decision="同意"))
    db.session.commit()
    for said in (verified(anyone, held).json, verified(anyone, paper).json, anyone.get(printed, headers={"Accept-Language": "en"}).json):
        assert said["genuine"] is False
        assert "“granted” of request 2 for more time is not what the history says" in said["text"]
        assert "同意" not in said["text"]


def test_what_cannot_be_read_of_a_history_written_anew_is_a_fault_and_stops_nothing(busy):
    entry = db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == busy, HistoryEntry.verb == "dispatch")).one()
    entry.changes = {**entry.changes, "parts": {"from": None, "to": [{"n": 1}]}}
    as_before(busy, facts=True)
    assert found_of() == [("rows", busy)]


def test_all_issues_of_a_batch_are_proved_by_the_same_statements(busy, valley, queries):
    for _ in range(4):
        called(valley.supervisor_client, shared(valley), "supervise", kind="letter", text="请整改")
    queries.clear()
    assert list(broken_chains()) == [None] * 6
    assert len([each for each in queries if "issue_parts" in each or "issue_extensions" in each or "FROM orders" in each]) == 3
    assert len(set(queries)) == len(queries), "none is sent for each issue"


def test_sound_rows_are_not_accused(valley, monday, pictures):
    """Called back, merged, taken out, reopened, left by its lead and asked for again: each row stands as its history says."""
    issue = shared(valley)
    asked(valley, issue)
    taken(valley.office_client, read(valley, issue), "transfer", reason="换段", reach_id=str(valley.reach.id))
    issue = taken(valley.office_client, read(valley, issue), "dispatch", co_handlers=[{"person": valley.handler.username, "part": "再取样"}])
    asked(valley, issue)
    called(valley.supervisor_client, issue, "supervise", kind="letter", text="请整改")
    called(valley.supervisor_client, issue, "supervise", kind="letter", text="请整改")
    original = report(valley.patroller_client)
    taken(valley.office_client, read(valley, issue), "merge", into=original["id"], reason="同一处")
    taken(valley.office_client, read(valley, issue), "unmerge", reason="两处")
    orders = valley.chief_client.get("orders?to=me").json["items"]
    assert len(orders) > 1
    for order in orders:
        assert valley.chief_client.post(f"orders/{order['id']}/answer", json={"text": "已部署"}).status_code == 200
        assert valley.chief_client.post(f"orders/{order['id']}/acknowledge").status_code == 200
    called(valley.office_client, issue, "parts/3/take-back", reason="一并办理")
    taken(valley.chief_client, read(valley, issue), "rectify", files=pictures[:1], note="已清理")
    taken(valley.office_client, read(valley, issue), "verify")
    taken(valley.office_client, read(valley, issue), "close")
    taken(valley.office_client, read(valley, issue), "reopen", reason="又出现了")
    taken(valley.office_client, read(valley, issue), "dispatch", co_handlers=[{"person": valley.handler.username, "part": "三次取样"}])
    asked(valley, issue)
    taken(valley.chief_client, read(valley, issue), "decline", ground="other_reach", reason="不在本段", suggested_owner="水利局")
    assert [row.state for row in rows(UUID(issue["id"]), IssuePart)] == ["taken_back"] * 4
    assert [(row.opening, row.granted) for row in rows(UUID(issue["id"]), Extension)] == [(0, False), (0, False), (1, False)]
    assert list(broken_chains()) == [None, None]
    as_before(UUID(original["id"]), facts=False)
    assert list(broken_chains()) == [None, None]


def test_acknowledging_an_order_waits_for_who_answers_it(valley, queries):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("on SQLite only one transaction writes at a time")
    called(valley.supervisor_client, report(valley.patroller_client), "supervise", kind="letter", text="请整改")
    [order] = valley.chief_client.get("orders?to=me").json["items"]
    queries.clear()
    assert valley.chief_client.post(f"orders/{order['id']}/acknowledge").status_code == 200
    assert any("FOR UPDATE OF orders" in each for each in queries), "what the answer's entry says of it would be overwritten"
