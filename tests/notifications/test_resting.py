"""A webhook that is switched off misses nothing: what happens meanwhile goes out in order, or is dropped where it can be seen."""

import json
from datetime import timedelta

import pytest

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.outbox import MOST_ATTEMPTS
from patrol.foundation.transaction import transaction
from patrol.notifications import resting
from patrol.notifications.expiry import delivered_calls
from patrol.notifications.models import WebhookDelivery
from tests.issues.conftest import report, taken
from tests.notifications.conftest import add_webhook


@pytest.fixture
def hook(valley, receiver):
    return Hook(valley.town_office_client, add_webhook(valley.town_office_client, receiver.url, valley.town)["id"])


class Hook:
    def __init__(self, client, own):
        self.client, self.path = client, f"webhooks/{own}"

    def switch(self, enabled, **how):
        reply = self.client.patch(self.path, json={"enabled": enabled, **how}, headers={"If-Match": "*"})
        assert reply.status_code == 200, reply.json
        return reply.json

    def delete(self, version="*"):
        return self.client.delete(self.path, headers={"If-Match": version})

    def events(self, state):
        return self.client.get(f"{self.path}/deliveries?state={state}").json["items"]

    def replay(self, event):
        reply = self.client.post(f"{self.path}/deliveries/{event['id']}/replay")
        assert reply.status_code == 200, reply.json
        return reply.json


def verbs(receiver):
    return [json.loads(body)["step"]["verb"] for _, body, _ in receiver.seen]


def test_what_happens_while_it_is_off_goes_out_in_order_when_it_goes_on(valley, work, receiver, hook, monkeypatch):
    monkeypatch.setattr(resting, "BATCH", 2)
    assert hook.switch(False)["paused"] == 0
    issue = taken(valley.chief_client, report(valley.patroller_client), "start")
    taken(valley.chief_client, issue, "progress", note="已联系打捞船")
    work()
    assert receiver.seen == []
    assert (len(hook.events("paused")), hook.client.get("webhooks").json["items"][0]["paused"]) == (5, 5)
    assert outbox.pending_and_stuck() == (0, 0)
    hook.switch(True)
    taken(valley.chief_client, taken(valley.chief_client, issue | {"version": 5}, "progress", note="清理中"), "progress", note="近完")
    work()
    resting.let_go_what_was_left()
    work()
    assert verbs(receiver) == ["submit", "accept", "dispatch", "start", "progress", "progress", "progress"]
    assert (hook.events("paused"), len(hook.events("delivered"))) == ([], 7)


def test_the_order_holds_when_the_receiver_is_away_at_first(valley, work, receiver, hook, queries):
    hook.switch(False)
    taken(valley.chief_client, report(valley.patroller_client), "start")
    work()
    hook.switch(True)
    receiver.answers = 500
    work()
    assert verbs(receiver) == ["submit"], "the others wait behind the first"
    receiver.answers, receiver.seen[:] = 200, []
    moment = clock.now()
    with clock.moved_clock(lambda: moment):
        for _ in range(4):
            moment += timedelta(minutes=1)
            work()
    assert verbs(receiver) == ["submit", "accept", "dispatch", "start"]
    assert {row["attempts"] for row in hook.events("delivered")} == {0, 1}


def test_what_is_given_up_holds_nothing_back(valley, work, receiver, hook):
    hook.switch(False)
    report(valley.patroller_client)
    work()
    hook.switch(True)
    receiver.answers = 500
    work()
    [row] = db.session.query(outbox.OutboxRow).filter(outbox.OutboxRow.attempts == 1)
    row.attempts = MOST_ATTEMPTS
    db.session.commit()
    receiver.answers, receiver.seen[:] = 200, []
    later = clock.now() + timedelta(minutes=2)
    with clock.moved_clock(lambda: later):
        work()
    assert verbs(receiver) == ["accept", "dispatch"]


def test_what_waited_when_it_was_switched_off_is_kept_too(valley, work, receiver, hook):
    receiver.answers = 500
    report(valley.patroller_client)
    work()
    tried = len(receiver.seen)
    hook.switch(False)
    later = clock.now() + timedelta(minutes=2)
    with clock.moved_clock(lambda: later):
        work()
        assert len(receiver.seen) == tried, "nothing goes to what is switched off"
        assert len(hook.events("paused")) == 3
        receiver.answers, receiver.seen[:] = 200, []
        hook.switch(True)
        work()
    assert verbs(receiver) == ["submit", "accept", "dispatch"]


def test_it_goes_on_without_what_it_missed_where_that_is_wanted(valley, work, receiver, hook):
    hook.switch(False)
    issue = report(valley.patroller_client)
    work()
    assert hook.switch(True, missed="drop")["paused"] == 0
    taken(valley.chief_client, issue, "start")
    work()
    assert verbs(receiver) == ["start"]
    dropped = hook.events("dropped")
    assert (len(dropped), {row["state"] for row in dropped}) == (3, {"dropped"})
    assert all(row["dropped_at"] for row in dropped)
    hook.replay(dropped[0])
    work()
    assert verbs(receiver) == ["start", "dispatch"]
    assert hook.client.patch(hook.path, json={"enabled": True, "missed": "all"}, headers={"If-Match": "*"}).status_code == 422


def test_a_paused_event_can_be_sent_by_hand_and_is_not_sent_again(valley, work, receiver, hook):
    hook.switch(False)
    report(valley.patroller_client)
    work()
    first = hook.events("paused")[-1]
    assert hook.replay(first)["state"] == "waiting"
    work()
    assert verbs(receiver) == ["submit"]
    hook.switch(True)
    work()
    assert verbs(receiver) == ["submit", "accept", "dispatch"]


@pytest.mark.parametrize("on_again", [True, False])
def test_what_was_given_up_is_sent_again_also_when_it_was_off_meanwhile(valley, work, receiver, hook, on_again):
    receiver.answers = 500
    report(valley.patroller_client)
    work()
    for row in db.session.query(outbox.OutboxRow).filter_by(kind="notifications.call"):
        row.attempts = MOST_ATTEMPTS
    db.session.commit()
    hook.switch(False)
    if on_again:
        hook.switch(True)
    receiver.answers, receiver.seen[:] = 200, []
    for dead in reversed(hook.events("dead")):
        assert hook.replay(dead)["state"] == "waiting"
    work()
    assert verbs(receiver) == ["submit", "accept", "dispatch"]
    assert (len(hook.events("delivered")), hook.events("dead"), outbox.pending_and_stuck()) == (3, [], (0, 0))


def test_what_is_kept_ends_with_the_time_for_what_was_delivered(valley, work, hook, test_settings):
    hook.switch(False)
    report(valley.patroller_client)
    work()
    now = clock.now()
    old = now + timedelta(days=test_settings.delivered_days, minutes=1)
    assert db.session.scalars(delivered_calls(test_settings, now)).all() == []
    assert len(db.session.scalars(delivered_calls(test_settings, old)).all()) == 3


def test_what_was_kept_in_the_moment_of_going_on_is_found(valley, work, receiver, hook):
    hook.switch(False)
    report(valley.patroller_client)
    work()
    kept = [row.id for row in db.session.query(WebhookDelivery)]
    hook.switch(True, missed="drop")
    with transaction():
        for row_id in kept:
            db.session.get_one(WebhookDelivery, row_id).dropped_at = None
    work()
    assert receiver.seen == []
    resting.let_go_what_was_left()
    work()
    assert len(receiver.seen) == 3


def test_what_happens_after_it_goes_on_does_not_overtake_what_was_kept(valley, work, receiver, hook):
    hook.switch(False)
    issue = taken(valley.chief_client, report(valley.patroller_client), "start")
    work()
    hook.switch(True)
    receiver.answers = 500
    work()
    receiver.answers, receiver.seen[:] = 200, []
    taken(valley.chief_client, issue, "progress", note="清理中")
    work()
    assert verbs(receiver) == [], "the newer event waits behind the first, which is tried again later"
    moment = clock.now()
    with clock.moved_clock(lambda: moment):
        for _ in range(5):
            moment += timedelta(minutes=1)
            work()
    assert verbs(receiver) == ["submit", "accept", "dispatch", "start", "progress"]


def test_once_all_that_was_kept_is_gone_events_wait_for_no_other(valley, work, receiver, hook):
    hook.switch(False)
    issue = report(valley.patroller_client)
    work()
    hook.switch(True)
    work()
    taken(valley.chief_client, issue, "start")
    work()
    last = db.session.query(outbox.OutboxRow).filter_by(kind="notifications.call").order_by(outbox.OutboxRow.id.desc()).first()
    assert "in_order" not in last.payload


@pytest.mark.parametrize("rests", [True, False])
def test_what_has_not_gone_out_is_dead_for_a_reason_when_its_webhook_is_deleted(valley, work, receiver, hook, rests):
    issue = report(valley.patroller_client)
    work()
    if rests:
        hook.switch(False)
    receiver.answers = 500
    taken(valley.chief_client, issue, "start")
    work()
    receiver.answers, receiver.seen[:] = 200, []
    assert hook.delete().status_code == 204
    later = clock.now() + timedelta(days=1)
    with clock.moved_clock(lambda: later):
        taken(valley.chief_client, issue | {"version": 4}, "progress", note="清理中")
        resting.let_go_what_was_left()
        work()
    assert receiver.seen == []
    [dead] = hook.events("dead")
    assert (dead["kind"], dead["ended_by"], dead["next_attempt_at"], dead["state"]) == ("issue.start", "webhook_deleted", None, "dead")
    assert (len(hook.events("delivered")), hook.events("dropped"), hook.events("paused"), hook.events("waiting")) == (3, [], [], [])
    assert hook.client.post(f"{hook.path}/deliveries/{dead['id']}/replay").status_code == 409
    assert outbox.pending_and_stuck() == (0, 0)


def test_a_deleted_webhook_is_gone_and_can_be_looked_up(valley, receiver, hook):
    assert hook.client.delete(hook.path).status_code == 428
    assert hook.delete('"9"').status_code == 412
    assert hook.delete().status_code == 204
    assert hook.delete().status_code == 404
    assert hook.client.patch(hook.path, json={"enabled": True}, headers={"If-Match": "*"}).status_code == 404
    assert hook.client.get("webhooks").json["items"] == []
    [gone] = hook.client.get("webhooks?deleted=true").json["items"]
    assert (gone["enabled"], gone["deleted_at"] is not None) == (False, True)
    body = {"id": gone["id"], "url": receiver.url, "region": valley.town.code}
    assert hook.client.post("webhooks", json=body).status_code == 409


def test_what_ended_with_its_webhook_is_kept_as_long_as_what_was_delivered(valley, work, hook, test_settings):
    hook.switch(False)
    report(valley.patroller_client)
    work()
    hook.delete()
    now = clock.now()
    assert db.session.scalars(delivered_calls(test_settings, now)).all() == []
    old = now + timedelta(days=test_settings.delivered_days, minutes=1)
    assert len(db.session.scalars(delivered_calls(test_settings, old)).all()) == 3
