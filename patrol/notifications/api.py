"""One's messages and channels over HTTP."""

from typing import Any
from uuid import UUID

from flask import current_app

from patrol.foundation.channels import Way, can_send
from patrol.foundation.http import Room, expected_version, refuse_stale, set_etag
from patrol.foundation.paging import Page, PageArgs, page_schema
from patrol.foundation.plain_errors import shown_error
from patrol.foundation.problems import language
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.notifications import actions, queries
from patrol.notifications.models import Channel, Message
from patrol.notifications.schemas import (
    ChannelChangesIn,
    ChannelIn,
    ChannelOut,
    MessageArgs,
    MessageOut,
    ReadIn,
    ReadOut,
)
from patrol.notifications.templates import words_of
from patrol.people.actor import Actor
from patrol.people.door import current_actor, refuse_without
from patrol.people.permissions import Permission as P
from patrol.people.profile import adds_to_profile

_NO_MAIL_YET = Text(
    "本系统尚未设置邮件服务器（XUNHE_MAIL_URL）：设置之前，消息只在系统内，不发邮件",
    "This system has no mail server yet (XUNHE_MAIL_URL): until it has, messages are only found here and no mail goes out",
)
room = Room("notifications", __name__, url_prefix="/api/v1", description="Messages, channels, webhooks")


def settings() -> Settings:
    """Return the settings in force."""
    found: Settings = current_app.extensions["settings"]
    return found


@adds_to_profile("unread_messages")
def unread_messages(actor: Actor) -> int:
    """Return how many messages wait to be read."""
    return queries.count_unread(actor.person_id) if actor.person_id else 0


def _shown_message(row: Message) -> dict[str, Any]:
    title, body = words_of(row.kind, row.facts, language(), settings().timezone)
    return {
        "id": row.id, "kind": row.kind, "title": title, "body": body, "created_at": row.created_at, "read_at": row.read_at,
        "subject": {"kind": row.subject_kind, "id": str(row.subject_id)},
    }  # fmt: skip


@room.route("/me/messages", may=P.SEE_OWN_ACCOUNT)
@room.arguments(MessageArgs, location="query")
@room.response(200, page_schema(MessageOut))
def list_messages(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List one's messages, the newest first."""
    page = queries.list_messages(current_actor(), **args)
    return Page([_shown_message(row) for row in page.items], page.next)


@room.route("/me/messages/read", may=P.SEE_OWN_ACCOUNT, methods=("POST",))
@room.body(ReadIn)
@room.response(200, ReadOut)
def read_messages(data: dict[str, Any]) -> dict[str, Any]:
    """Mark messages as read."""
    actor = current_actor()
    read = actions.mark_read(by=actor, ids=data.get("ids"), until=data.get("until"))
    return {"read": read, "unread": unread_messages(actor)}


def _shown_channels(rows: list[Channel]) -> list[dict[str, Any]]:
    waiting = queries.waiting_on([row.id for row in rows])
    errors = {channel_id: shown_error(error, language()) for channel_id, (_, error) in waiting.items() if error}
    return [
        {
            **{name: getattr(row, name) for name in
               ("id", "way", "hint", "language", "quiet_from", "quiet_to", "digest_at", "kinds", "version")},
            "region": row.region.code if row.region else None, "enabled": row.disabled_at is None,
            "waiting": waiting.get(row.id, (0, None))[0], "last_error": errors.get(row.id), "warnings": _warnings(row),
        }
        for row in rows
    ]  # fmt: skip


def _warnings(row: Channel) -> list[str]:
    return [] if can_send(Way(row.way), settings()) else [_NO_MAIL_YET.in_language(language())]


@room.route("/me/channels", may=P.SEE_OWN_ACCOUNT)
@room.arguments(PageArgs, location="query")
@room.response(200, page_schema(ChannelOut))
def list_channels(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List one's own channels and, for who manages notifications, those of the offices in one's area."""
    page = queries.list_channels(current_actor(), **args)
    return Page(_shown_channels(list(page.items)), page.next)


@room.route("/me/channels", may=P.SEE_OWN_ACCOUNT, methods=("POST",), refuses=(403, 404, 409))
@room.body(ChannelIn)
@room.response(201, ChannelOut)
@room.alt_response(200, schema=ChannelOut, description="It was there already", success=True)
def add_channel(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Add a way on which messages also reach one, or a region's office."""
    if data["region"]:
        refuse_without(P.MANAGE_NOTIFICATIONS)
    choices = {"language": "zh", "quiet_from": None, "quiet_to": None, "digest_at": None, "kinds": None, **data, "way": Way(data["way"])}
    channel, is_new = actions.add_channel(by=current_actor(), field_keys=settings().field_key, **choices)
    set_etag(channel.version)
    [shown] = _shown_channels([channel if is_new else queries.get_channel(current_actor(), channel.id)])
    return shown, 201 if is_new else 200


@room.route("/me/channels/<uuid:channel_id>", may=P.SEE_OWN_ACCOUNT, methods=("PATCH",), if_match=True)
@room.body(ChannelChangesIn)
@room.response(200, ChannelOut)
def change_channel(data: dict[str, Any], channel_id: UUID) -> dict[str, Any]:
    """Change a channel's quiet hours, digest, language or kinds, or switch it off and on."""
    expected, actor = expected_version(), current_actor()
    channel = queries.get_channel(actor, channel_id)
    refuse_stale(expected, channel.version)
    actions.change_channel(channel, by=actor, changes=data)
    set_etag(channel.version)
    return _shown_channels([channel])[0]
