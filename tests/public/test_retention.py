"""What is kept ends, by kind, counted in the audit log; the run can be rehearsed, repeated and killed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from patrol.foundation import clock, outbox, sealing, worker
from patrol.foundation.database import db, new_id
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.settings import SETTINGS
from patrol.foundation.transaction import transaction
from patrol.notifications.models import Message
from patrol.people import retention
from patrol.people.models import AuditEntry, SignIn, SignInFailures, Token
from patrol.public.models import Complaint, Follow, FollowerContact, ReporterContact, SpentChallenge
from patrol.public.subscription_models import Notice, Subscription

CONTACT = {"email": "canary-7731@example.org", "name": "金丝雀女士"}


def later(**time):
    moment = clock.now() + timedelta(**time)
    return clock.moved_clock(lambda: moment)


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def work():
    while worker.deliver_due():
        pass


@pytest.fixture
def followed(complain, place, told, anyone, issue_of):
    """A complaint and two follows with contacts, one of them confirmed, all told of the beginning."""
    own = str(uuid4())
    sent = complain(id=own, contact=CONTACT).json
    number = issue_of(sent).number
    codes = [anyone.post(f"public/issues/{number}/follow", json={"contact": {"email": f"f{n}@example.org"}}).json["tracking_code"] for n in (1, 2)]
    with transaction():
        follow = db.session.scalars(select(Follow).where(Follow.tracking_code == codes[0])).one()
        db.session.scalars(select(Subscription).where(Subscription.follow_id == follow.id)).one().confirmed_at = clock.now()
    with later(days=1):
        work()
    return sent


def test_contacts_go_when_the_case_has_been_over_for_the_set_days(followed, issue_of, cure, complain, place, signed_in, anyone):
    open_one = complain(description="还没处理", contact=CONTACT).json
    cure(issue_of(followed).id)
    with later(days=364):
        retention.run_retention()
        assert (count(ReporterContact), count(FollowerContact)) == (2, 1), "only the unconfirmed one is gone"
    with later(days=366):
        gone = retention.run_retention()
        assert (gone["reporter_contacts"], gone["follower_contacts"]) == (1, 1)
        assert [row.complaint_id for row in db.session.scalars(select(ReporterContact))] == [
            db.session.scalar(select(Complaint.id).where(Complaint.tracking_code == open_one["tracking_code"]))]
        assert count(FollowerContact) == 0
        assert db.session.scalars(select(Subscription.complaint_id)).all() == db.session.scalars(select(ReporterContact.complaint_id)).all()
        assert anyone.get(f"public/complaints/{followed['tracking_code']}").json["messages"] == "none"
        again = complain(id=followed["id"], contact=CONTACT)
        assert (again.status_code, again.json["tracking_code"]) == (200, followed["tracking_code"]), "the id stays taken"
        assert count(ReporterContact) == 1
    office = signed_in(place.office)
    assert office.post(f"issues/{issue_of(followed).id}/reporter/reveal", json={"reason": "核实"}).status_code == 404


def test_a_reopened_case_keeps_its_contact(followed, issue_of, cure, step, place):
    cure(issue_of(followed).id)
    with later(days=300):
        step(issue_of(followed).id, "reopen", place.office, reason="复发")
    with later(days=500):
        assert retention.run_retention()["reporter_contacts"] == 0


def test_an_unconfirmed_address_goes_after_seven_days(followed):
    with later(days=6):
        assert retention.run_retention()["unconfirmed_contacts"] == 0
    with later(days=8):
        assert retention.run_retention()["unconfirmed_contacts"] == 1
        assert (count(FollowerContact), count(Follow)) == (1, 2)


def test_what_was_delivered_goes_after_what_names_it_and_what_is_stuck_stays(followed, told):
    stuck = db.session.scalars(select(OutboxRow).limit(1)).one()
    with transaction():
        stuck.delivered_at, stuck.attempts = None, outbox.MOST_ATTEMPTS
    before = count(OutboxRow)
    with later(days=32):
        retention.run_retention()
        named = set(db.session.scalars(select(Notice.outbox_id)))
        assert 0 < len(named) < before
        assert named | {stuck.id} == set(db.session.scalars(select(OutboxRow.id)))


def test_sign_ins_tokens_failures_challenges_and_messages_go(place, build, told, complain):
    build.token_of(place.office)
    now = clock.now()
    for row in (
        SignInFailures(subject="x", failures=1, last_failed_at=now), SpentChallenge(signature="s", expires_at=now),
        Message(person_id=place.office.id, cause="c", kind="issue.submit", subject_kind="issue", subject_id=new_id(), facts={}, created_at=now),
    ):
        build.save(row)
    with later(days=366):
        retention.run_retention()
        assert [count(model) for model in (SignInFailures, SpentChallenge, Message)] == [0, 0, 0]
        assert count(Token) == count(SignIn) == 1
    with later(days=600):
        retention.run_retention()
        assert count(Token) == count(SignIn) == 0


def test_a_rehearsal_says_what_the_run_removes_and_a_second_run_finds_nothing(followed, issue_of, cure, app, queries):
    cure(issue_of(followed).id)
    run = app.test_cli_runner().invoke
    with later(days=366):
        rehearsed = run(args=["retention", "run", "--dry-run"])
        assert rehearsed.exit_code == 0, rehearsed.output
        *counted, last = rehearsed.output.splitlines()
        assert "nothing was written or removed" in last
        assert (count(ReporterContact), count(FollowerContact)) == (1, 2)
        done = run(args=["retention", "run"])
        assert "reporter_contacts: 1 removed" in done.output
        # What goes with something else is over its own time, too, and what is named now is free when its name is gone.
        with_others = ("follower_contacts", "notices", "outbox")
        assert [line for line in done.output.splitlines() if not line.startswith(with_others)] == [
            line.replace("would go", "removed") for line in counted if not line.startswith(with_others)]
        assert {line.partition(": ")[2] for line in run(args=["retention", "run"]).output.splitlines()} == {"0 removed"}


def test_each_removal_is_written_down_as_a_count_and_a_killed_run_goes_on(followed, issue_of, cure, complain, monkeypatch):
    for number in range(4):
        cure(issue_of(complain(description=f"第{number}处", contact=CONTACT).json).id, photo=80 + number)
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    kept = retention._kept["reporter_contacts"]
    calls = []

    def killed(keys):
        calls.append(keys)
        if len(calls) == 2:
            raise KeyboardInterrupt
        kept.remove(keys)

    monkeypatch.setitem(retention._kept, "reporter_contacts", retention.Kept(**{**vars(kept), "remove": killed}))
    with later(days=366):
        with pytest.raises(KeyboardInterrupt):
            retention.run_retention()
        assert count(ReporterContact) == 3
        retention.run_retention()
        assert count(ReporterContact) == 1
    entries = db.session.scalars(
        select(AuditEntry).where(AuditEntry.act == "remove_expired", AuditEntry.subject == "reporter_contacts").order_by(AuditEntry.id)).all()
    assert [entry.facts for entry in entries] == [{"count": 2}, {"count": 2}]


def test_the_worker_runs_it_once_a_day(followed, monkeypatch):
    monkeypatch.setattr(retention, "_last_run", [])
    runs = []
    monkeypatch.setattr(retention, "run_retention", lambda: runs.append(1) or {})
    midnight = clock.end_of_day(clock.today("Asia/Shanghai"), "Asia/Shanghai")
    for hours in (8, 8.01, 38, 38.5):
        with clock.moved_clock(lambda moment=midnight + timedelta(hours=hours): moment):
            retention.run_daily()
    assert len(runs) == 2
    assert retention.run_daily in worker._hourly


def test_the_table_names_tables_that_are_and_every_sealed_one(app):
    rows = retention.kinds_kept()
    named = {table for row in rows for table in row.tables}
    assert named <= set(db.metadata.tables)
    assert {column.class_.__tablename__ for column in sealing._sealed_columns} <= named
    assert {row.setting for row in rows if row.setting} <= {row.name for row in SETTINGS}
    assert rows[-1].kind == "outbox", "what names rows of the outbox goes before them"
    text = retention.retention_document()
    assert "| `reporter_contacts` | 365 days (`XUNHE_CONTACT_DAYS`) after the last thing that happened to the ended case |" in text
