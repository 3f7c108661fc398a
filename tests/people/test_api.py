"""Signing in, refreshing, disabling, and the register of people over HTTP."""

from datetime import timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db, will_write
from patrol.people import actions, api, passwords, sign_in
from patrol.people.models import AuditEntry, SignIn, SignInFailures
from patrol.people.passwords import hash_password
from patrol.people.permissions import PERMISSION_NAME, ROLE_NAME, Permission, Role

PASSWORD = "qing-xi-he-1"


@pytest.fixture
def office(build):
    return build.person("office", username="office", password_hash=hash_password(PASSWORD))


def log_in(client, username="office", password=PASSWORD, **kwargs):
    return client.post("auth/login", json={"username": username, "password": password}, **kwargs)


def test_login_gives_tokens_that_open_me(anyone, office):
    reply = log_in(anyone)
    assert reply.status_code == 200, reply.json
    assert reply.json["token_type"] == "Bearer"
    assert reply.json["expires_in"] == 1800
    me = anyone.get("me", headers={"Authorization": f"Bearer {reply.json['access_token']}"})
    assert me.json["username"] == "office"
    assert "issue:dispatch" in me.json["permissions"]
    assert me.json["region"]["code"] == "990100"
    assert me.headers["Cache-Control"] == "no-store"


def test_wrong_password_and_unknown_user_read_alike(anyone, office):
    wrong, unknown = log_in(anyone, password="not it at all"), log_in(anyone, username="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json == unknown.json
    assert wrong.mimetype == "application/problem+json"


def test_guessing_is_slowed_but_the_owner_gets_in_later(anyone, office):
    for _ in range(6):
        log_in(anyone, password="guess guess")
    slowed = log_in(anyone)
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) >= 1
    later = clock.now() + timedelta(minutes=6)
    with clock.moved_clock(lambda: later):
        assert log_in(anyone).status_code == 200


def test_refresh_rotates_and_a_retry_gets_the_same_successor(anyone, office):
    first = log_in(anyone).json["refresh_token"]
    reply, retry = (anyone.post("auth/refresh", json={"refresh_token": first}) for _ in range(2))
    assert reply.status_code == 200
    assert reply.json["refresh_token"] != first
    assert retry.json == reply.json


def test_later_reuse_of_a_refresh_token_ends_the_whole_sign_in(anyone, office):
    first = log_in(anyone).json["refresh_token"]
    successor = anyone.post("auth/refresh", json={"refresh_token": first}).json
    later = clock.now() + timedelta(seconds=61)
    with clock.moved_clock(lambda: later):
        assert anyone.post("auth/refresh", json={"refresh_token": first}).status_code == 401
        assert anyone.post("auth/refresh", json={"refresh_token": successor["refresh_token"]}).status_code == 401
        me = anyone.get("me", headers={"Authorization": f"Bearer {successor['access_token']}"})
    assert me.status_code == 401


def test_access_token_expires(anyone, office):
    token = log_in(anyone).json["access_token"]
    later = clock.now() + timedelta(minutes=31)
    with clock.moved_clock(lambda: later):
        reply = anyone.get("me", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 401
    assert "WWW-Authenticate" in reply.headers


def test_disabling_acts_on_the_next_request(build, signed_in):
    admin, victim = build.person("admin"), build.person("chief")
    their, mine = signed_in(victim), signed_in(admin)
    assert their.get("me").status_code == 200
    reply = mine.patch(f"people/{victim.id}", json={"disabled": True}, headers={"If-Match": '"1"'})
    assert reply.status_code == 200, reply.json
    assert their.get("me").status_code == 401


def test_changing_roles_acts_on_the_next_request(build, signed_in):
    admin, person = build.person("admin"), build.person("office")
    client = signed_in(person)
    assert client.get("people").status_code == 200
    signed_in(admin).patch(f"people/{person.id}", json={"roles": ["handler"]}, headers={"If-Match": '"1"'})
    assert client.get("people").status_code == 403


def test_edit_wants_the_etag(build, signed_in):
    admin, person = signed_in(build.person("admin")), build.person("chief")
    path = f"people/{person.id}"
    assert admin.patch(path, json={"name": "李明"}).status_code == 428
    assert admin.patch(path, json={"name": "李明"}, headers={"If-Match": '"7"'}).status_code == 412
    assert admin.patch(path, json={"name": "李明"}, headers={"If-Match": "rubbish"}).status_code == 400
    read = admin.get(path)
    reply = admin.patch(path, json={"name": "李明"}, headers={"If-Match": read.headers["ETag"]})
    assert reply.json["name"] == "李明"
    assert reply.headers["ETag"] == '"2"'


def test_people_outside_ones_region_do_not_exist(build, signed_in):
    here, there = build.region(), build.region()
    admin = signed_in(build.person("admin", region=here))
    colleague, stranger = build.person(region=here), build.person(region=there)
    listed = {row["id"] for row in admin.get("people").json["items"]}
    assert str(colleague.id) in listed
    assert str(stranger.id) not in listed
    assert admin.get(f"people/{stranger.id}").status_code == 404
    made = admin.post("people", json={"username": "new", "name": "新", "roles": ["chief"], "region_code": there.code})
    assert made.status_code == 422
    assert "region_code" in made.json["errors"]


def test_people_are_paged_without_gaps(build, signed_in):
    client = signed_in(build.person("admin"))
    for _ in range(5):
        build.person()
    seen, cursor = [], None
    while True:
        page = client.get("people", query_string={"limit": 2, **({"cursor": cursor} if cursor else {})}).json
        seen += [row["username"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(set(seen))
    assert len(seen) == 6


@pytest.mark.parametrize("q", ["chen", "CHEN", "wei"])
def test_people_are_found_whatever_the_case_on_either_engine(build, signed_in, q):
    client = signed_in(build.person("admin"))
    build.person(name="Chen Wei", username="abc")
    assert [row["username"] for row in client.get("people", query_string={"q": q}).json["items"]] == ["abc"]


@pytest.mark.parametrize("cursor", ["rubbish", "W10", "bnVsbA", "é"])
def test_a_foreign_cursor_is_refused(build, signed_in, cursor):
    reply = signed_in(build.person("admin")).get("people", query_string={"cursor": cursor})
    assert reply.status_code == 422
    assert "cursor" in reply.json["errors"]


def test_a_taken_user_name_conflicts_whatever_its_case(build, signed_in):
    client = signed_in(build.person("admin", username="boss"))
    reply = client.post("people", json={"username": "BOSS", "name": "二", "roles": ["chief"], "region_code": "990100"})
    assert reply.status_code == 409


@pytest.mark.parametrize("password", ["short", "12345678", "Password123"])
def test_poor_passwords_are_refused(build, district, signed_in, password):
    body = {"username": "new", "name": "新", "roles": ["chief"], "region_code": "990100", "password": password}
    reply = signed_in(build.person("admin")).post("people", json=body, headers={"Accept-Language": "en"})
    assert reply.status_code == 422
    assert "password" in reply.json["errors"]


def test_own_password_ends_the_other_devices(anyone, office):
    first, second = (log_in(anyone).json["access_token"] for _ in range(2))
    reply = anyone.post(
        "me/password", json={"current_password": PASSWORD, "new_password": "ling-yi-ge-2"},
        headers={"Authorization": f"Bearer {first}"},
    )
    assert reply.status_code == 204, reply.json
    assert anyone.get("me", headers={"Authorization": f"Bearer {first}"}).status_code == 200
    assert anyone.get("me", headers={"Authorization": f"Bearer {second}"}).status_code == 401


def test_sessions_can_be_ended_one_by_one(anyone, office):
    first, second = (log_in(anyone).json["access_token"] for _ in range(2))
    mine = {"Authorization": f"Bearer {first}"}
    other = next(row for row in anyone.get("me/sessions", headers=mine).json["items"] if not row["current"])
    assert anyone.delete(f"me/sessions/{other['id']}", headers=mine).status_code == 204
    assert anyone.delete(f"me/sessions/{other['id']}", headers=mine).status_code == 404
    assert anyone.get("me", headers={"Authorization": f"Bearer {second}"}).status_code == 401


def test_tokens_are_stored_as_hashes_only(anyone, office):
    token = log_in(anyone).json["access_token"]
    stored = db.session.execute(db.text("SELECT digest FROM tokens")).scalars().all()
    assert token not in stored
    assert all(len(digest) == 64 for digest in stored)


def test_each_change_of_an_account_is_audited(build, actor_of):
    admin, person = build.person("admin"), build.person("chief")
    actions.change_person(person, by=actor_of(admin), changes={"disabled": True})
    db.session.flush()
    entry = db.session.execute(db.text("SELECT act, subject FROM audit_entries")).one()
    assert tuple(entry) == ("change_person", str(person.id))


def test_signing_out_ends_this_device(anyone, office):
    token = {"Authorization": f"Bearer {log_in(anyone).json['access_token']}"}
    assert anyone.post("auth/logout", headers=token).status_code == 204
    assert anyone.get("me", headers=token).status_code == 401
    assert db.session.scalar(db.select(SignIn.ended_at)) is not None


def test_failures_are_counted_whether_or_not_the_row_was_there_and_old_rows_go(database):
    subjects = sign_in.subjects_of("office", "192.0.2.1", "a secret of at least 32 characters")

    def fail():
        with pytest.raises(sign_in.SignInFailed):
            sign_in.refuse_sign_in(subjects)
        return set(db.session.execute(db.select(SignInFailures.subject, SignInFailures.failures)).all())

    now = clock.now()
    db.session.add(SignInFailures(subject="old", failures=9, last_failed_at=now - timedelta(days=1, minutes=1)))
    db.session.add(SignInFailures(subject="fresh", failures=2, last_failed_at=now - timedelta(hours=20)))
    db.session.add(SignInFailures(subject=subjects["address"], failures=7, last_failed_at=now - timedelta(hours=2)))
    db.session.flush()
    for times in (1, 2, 3):
        assert fail() == {(subject, times) for subject in subjects.values()} | {("fresh", 2)}
    later = now + timedelta(minutes=61)
    with clock.moved_clock(lambda: later):
        assert fail() == {(subject, 1) for subject in subjects.values()} | {("fresh", 2)}


def test_guessing_ones_own_password_is_slowed_and_counted(anyone, office):
    mine = {"Authorization": f"Bearer {log_in(anyone).json['access_token']}"}

    def change(current):
        return anyone.post("me/password", json={"current_password": current, "new_password": "ling-yi-ge-2"}, headers=mine)

    tries = [change("guess guess") for _ in range(5)]
    assert [reply.status_code for reply in tries] == [422] * 5
    assert all("current_password" in reply.json["errors"] for reply in tries)
    assert change(PASSWORD).status_code == 429
    later = clock.now() + timedelta(minutes=6)
    with clock.moved_clock(lambda: later):
        assert change(PASSWORD).status_code == 204


def test_a_poor_new_password_is_named_by_its_field(anyone, office):
    mine = {"Authorization": f"Bearer {log_in(anyone).json['access_token']}"}
    reply = anyone.post("me/password", json={"current_password": PASSWORD, "new_password": "12345678"}, headers=mine)
    assert reply.status_code == 422
    assert set(reply.json["errors"]) == {"new_password"}


def test_own_password_is_hashed_outside_the_write_transaction(anyone, office, monkeypatch):
    mine = {"Authorization": f"Bearer {log_in(anyone).json['access_token']}"}
    writing = []
    for name in ("hash_password", "is_password"):
        real = getattr(passwords, name)

        def watched(*args, real=real, **kwargs):
            writing.append(will_write.get())
            return real(*args, **kwargs)

        for module in (api, actions):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, watched)
    body = {"current_password": PASSWORD, "new_password": "ling-yi-ge-2"}
    assert anyone.post("me/password", json=body, headers=mine).status_code == 204
    assert len(writing) == 2
    assert not any(writing)


def test_all_other_devices_can_be_signed_out_at_once(anyone, office):
    first, second, third = ({"Authorization": f"Bearer {log_in(anyone).json['access_token']}"} for _ in range(3))
    assert anyone.delete("me/sessions", headers=first).status_code == 204
    assert [anyone.get("me", headers=token).status_code for token in (first, second, third)] == [200, 401, 401]
    assert anyone.delete("me/sessions", headers=first).status_code == 204


def test_the_same_new_person_again_is_the_same_person(build, signed_in):
    admin = signed_in(build.person("admin"))
    body = {"id": str(uuid4()), "username": "New", "name": "新", "roles": ["office", "chief"], "region_code": "990100",
            "password": "qing-xi-he-2"}
    first, again = admin.post("people", json=body), admin.post("people", json={**body, "roles": ["chief", "office"]})
    assert (first.status_code, again.status_code) == (201, 200), again.json
    assert again.json == first.json
    other = admin.post("people", json={**body, "name": "旧"})
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]
    assert db.session.query(AuditEntry).filter_by(act="add_person").count() == 1


def test_an_unknown_region_is_a_fault_of_its_field(build, signed_in):
    admin, person = signed_in(build.person("admin")), build.person("chief")
    body = {"username": "new", "name": "新", "roles": ["chief"], "region_code": "nowhere"}
    replies = [
        admin.post("people", json=body),
        admin.patch(f"people/{person.id}", json={"region_code": "nowhere"}, headers={"If-Match": '"1"'}),
    ]
    for reply in replies:
        assert reply.status_code == 422
        assert set(reply.json["errors"]) == {"region_code"}


def test_a_missing_permission_is_said_in_words_with_the_roles_that_have_it(build, signed_in):
    chief = signed_in(build.person("chief"))
    refused = {language: chief.get("audit", headers={"Accept-Language": language}) for language in ("zh", "en")}
    assert {reply.status_code for reply in refused.values()} == {403}
    assert refused["zh"].json["detail"] == "您的角色不能查看审计记录（权限 audit:see）。可以的角色：审计员。请由他们办理，或请管理员调整您的角色"
    assert "do not let you see the audit trail (permission audit:see). Roles that may: auditor." in refused["en"].json["detail"]


def test_every_permission_and_role_has_a_name():
    assert set(PERMISSION_NAME) == set(Permission)
    assert set(ROLE_NAME) == set(Role)
