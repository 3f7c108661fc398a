"""Accounts over HTTP: signing in, one's own profile, and the register of people."""

from typing import Any
from uuid import UUID

from flask import current_app, request

from patrol.foundation.errors import NotFound
from patrol.foundation.http import Room, expected_version, refuse_stale, set_etag
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.problems import language
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.people import actions, queries, sign_in
from patrol.people.consequences import said_of_leaving
from patrol.people.door import current_actor
from patrol.people.models import Person
from patrol.people.passwords import hash_password, is_password
from patrol.people.permissions import Permission as P
from patrol.people.permissions import Role
from patrol.people.profile import profile_parts
from patrol.people.schemas import (
    AuditArgs,
    AuditEntryOut,
    ChangedPersonOut,
    LoginIn,
    PasswordIn,
    PeopleArgs,
    PersonChangesIn,
    PersonIn,
    PersonOut,
    ProfileOut,
    RefreshIn,
    SignInsOut,
    TokenPairOut,
)

room = Room("people", __name__, url_prefix="/api/v1", description="Accounts, sign-in, roles")
_NO_SIGN_IN = Text("没有这个登录设备", "There is no such sign-in")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@room.route("/auth/login", may=None, methods=("POST",), writes=False, refuses=(400, 401, 413, 415, 429))
@room.body(LoginIn)
@room.response(200, TokenPairOut)
def log_in(data: dict[str, Any]) -> sign_in.TokenPair:
    """Sign in with a user name and a password."""
    username = data["username"].strip().lower()
    subjects = sign_in.subjects_of(username, request.remote_addr or "", _settings().secret_key)
    sign_in.refuse_too_often(subjects)
    person = queries.person_with_username(username)
    # The password is checked before the transaction begins: it takes 50 ms, in which nobody else could write.
    right = is_password(data["password"], person.password_hash if person and not person.disabled_at else None)
    with transaction():
        if person is None or not right:
            sign_in.refuse_sign_in(subjects)
            raise AssertionError("unreachable")
        return sign_in.begin_sign_in(person, subjects=subjects, device=data["device"], settings=_settings())


@room.route("/auth/refresh", may=None, methods=("POST",), refuses=(401,))
@room.body(RefreshIn)
@room.response(200, TokenPairOut)
def refresh_tokens(data: dict[str, Any]) -> sign_in.TokenPair:
    """Exchange a refresh token for new tokens."""
    return sign_in.refresh(data["refresh_token"], settings=_settings())


@room.route("/auth/logout", may=P.SEE_OWN_ACCOUNT, methods=("POST",))
@room.response(204)
def log_out() -> None:
    """Sign this device out."""
    actor = current_actor()
    assert actor.person_id
    sign_in.end_sign_ins(actor.person_id, only=actor.sign_in_id)


@room.route("/me", may=P.SEE_OWN_ACCOUNT)
@room.response(200, ProfileOut)
def show_me() -> dict[str, Any]:
    """Show one's own account: roles, permissions, and the reaches one is chief of today."""
    actor = current_actor()
    person = queries.own_account(actor)
    set_etag(person.version)
    return {
        **{name: getattr(person, name) for name in (
            "id", "username", "name", "title", "phone", "region", "department", "disabled_at", "created_at", "version")},
        "roles": person.role_names, "permissions": sorted(actor.permissions), "reaches": [], "unread_messages": 0, **profile_parts(actor),
    }


@room.route("/me/password", may=P.SEE_OWN_ACCOUNT, methods=("POST",), writes=False, refuses=(400, 413, 415, 429))
@room.body(PasswordIn)
@room.response(204)
def change_my_password(data: dict[str, Any]) -> None:
    """Change one's own password; other devices are signed out. Wrong tries are slowed down as at the sign-in."""
    actor = current_actor()
    person = queries.own_account(actor)
    subjects = sign_in.subjects_of(person.username, request.remote_addr or "", _settings().secret_key)
    sign_in.refuse_too_often(subjects)
    # As at the sign-in, the slow hashing is done before the transaction begins.
    checked_hash = person.password_hash
    right = is_password(data["current_password"], checked_hash)
    new_hash = hash_password(data["new_password"], field="new_password") if right else ""
    with transaction():
        if not right:
            actions.refuse_wrong_password(subjects)
        person = queries.own_account(actor, lock=True)
        actions.change_own_password(person, by=actor, checked_hash=checked_hash, new_hash=new_hash, subjects=subjects)


@room.route("/me/sessions", may=P.SEE_OWN_ACCOUNT)
@room.response(200, SignInsOut)
def list_my_sessions() -> dict[str, Any]:
    """List the devices on which one is signed in."""
    actor = current_actor()
    assert actor.person_id
    return {"items": [
        {"id": row.id, "device": row.device, "started_at": row.started_at, "refreshed_at": row.refreshed_at,
         "current": row.id == actor.sign_in_id}
        for row in queries.open_sign_ins(actor.person_id)
    ]}


@room.route("/me/sessions", may=P.SEE_OWN_ACCOUNT, methods=("DELETE",))
@room.response(204)
def end_my_other_sessions() -> None:
    """Sign all of one's other devices out."""
    actor = current_actor()
    assert actor.person_id
    sign_in.end_sign_ins(actor.person_id, keep=actor.sign_in_id)


@room.route("/me/sessions/<uuid:sign_in_id>", may=P.SEE_OWN_ACCOUNT, methods=("DELETE",))
@room.response(204)
def end_my_session(sign_in_id: UUID) -> None:
    """Sign one of one's own devices out."""
    actor = current_actor()
    assert actor.person_id
    if not sign_in.end_sign_ins(actor.person_id, only=sign_in_id):
        raise NotFound(_NO_SIGN_IN)


@room.route("/people", may=P.SEE_PEOPLE, refuses=(404,))
@room.arguments(PeopleArgs, location="query")
@room.response(200, page_schema(PersonOut))
def list_people(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the people of one's area by user name."""
    page = queries.list_people(current_actor(), **args)
    return Page([_shown(person) for person in page.items], page.next)


@room.route("/people", may=P.MANAGE_PEOPLE, methods=("POST",), refuses=(409,))
@room.body(PersonIn)
@room.response(201, PersonOut)
@room.alt_response(200, schema=PersonOut, description="It was here already", success=True)
def add_person(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Create an account; the same id with the same content is the same account."""
    known = queries.person_with_id(data["id"]) if "id" in data else None
    if known is not None:
        person, status = actions.same_person(known, by=current_actor(), sent=data), 200
    else:
        person, status = actions.add_person(by=current_actor(), **data), 201
    set_etag(person.version)
    return _shown(person), status


@room.route("/people/<uuid:person_id>", may=P.SEE_PEOPLE)
@room.response(200, PersonOut)
def show_person(person_id: UUID) -> dict[str, Any]:
    """Show one account."""
    person = queries.get_person(current_actor(), person_id)
    set_etag(person.version)
    return _shown(person)


@room.route("/people/<uuid:person_id>", may=P.MANAGE_PEOPLE, methods=("PATCH",), if_match=True, refuses=(409,))
@room.body(PersonChangesIn)
@room.response(200, ChangedPersonOut)
def change_person(data: dict[str, Any], person_id: UUID) -> dict[str, Any]:
    """Change an account; disabling it acts on its next request."""
    expected = expected_version()
    person = queries.get_person(current_actor(), person_id, lock=True)
    refuse_stale(expected, person.version)
    was_enabled, was_chief = person.disabled_at is None, Role.CHIEF in person.roles
    actions.change_person(person, by=current_actor(), changes=data)
    set_etag(person.version)
    leaves = was_enabled and (person.disabled_at is not None or (was_chief and Role.CHIEF not in person.roles))
    left = said_of_leaving(person) if leaves else []
    return {**_shown(person), "warnings": [text.in_language(language()) for text in left]}


@room.route("/audit", may=P.SEE_AUDIT)
@room.arguments(AuditArgs, location="query")
@room.response(200, page_schema(AuditEntryOut))
def list_audit(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List who did what to accounts, registers, policies, keys and complainants' contacts in one's area, and what the system did, the newest first."""
    return queries.list_audit(current_actor(), **args)


def _shown(person: Person) -> dict[str, Any]:
    return {
        "id": person.id, "username": person.username, "name": person.name, "title": person.title, "phone": person.phone,
        "roles": person.role_names, "region": person.region, "department": person.department,
        "disabled_at": person.disabled_at, "created_at": person.created_at, "version": person.version,
    }
