"""Suggestions before a complaint is sent, and "me too", over HTTP."""

from typing import Any

from flask import current_app

from patrol.foundation.database import new_id
from patrol.foundation.positions import position_of
from patrol.foundation.problems import language
from patrol.foundation.same_content import content_digest
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.foundation.throttle import public_read, public_write
from patrol.issues.lifecycle import STATE_PUBLIC_TEXT, State
from patrol.people.tokens import keyed_hash
from patrol.public import actions, nearby
from patrol.public.api import room
from patrol.public.nearby_schemas import FollowIn, FollowOut, PublicNearbyArgs, SuggestionsOut
from patrol.public.open311_queries import request_with_number
from patrol.public.reception import proof_in, said
from patrol.public.subscriptions import state_of, subscription_of

_KEEP_CODE = Text(
    "{state}查询码是 {code}，请妥善保存：凭它可查询进度。", "{state} Keep the tracking code {code}: by it you can follow the case."
)

_CONFIRM = Text("请打开刚发给您的消息中的链接确认，之后有进展会告知您。", "Open the link in the message just sent to you: then you will be told of each turn.")
_NO_MESSAGES = Text(
    "本系统不能向您留下的联系方式发送消息，因此没有保存；请凭查询码查询进度。",
    "No messages can be sent to the contact that you left, and so it was not kept: the tracking code tells you how the case stands.",
)


@room.route("/public/nearby", may=None, refuses=(429,))
@public_read
@room.arguments(PublicNearbyArgs, location="query")
@room.response(200, SuggestionsOut)
def suggest_nearby(args: dict[str, Any]) -> dict[str, Any]:
    """Suggest at most five that may be the same trouble, within the category's radius: the open ones, then those closed lately, each the nearest first."""
    settings: Settings = current_app.extensions["settings"]
    return {"items": nearby.suggestions(position_of(args), args["category"], language(), settings.timezone)}


@room.route("/public/issues/<number>/follow", may=None, methods=("POST",), refuses=(409, 429))
@public_write
@room.body(FollowIn)
@room.response(201, FollowOut)
@room.alt_response(200, schema=FollowOut, description="It was followed already", success=True)
def follow_issue(data: dict[str, Any], number: str) -> tuple[dict[str, Any], int]:
    """Follow an issue that others reported, without an account; the answer's tracking code is the key to its progress."""
    settings: Settings = current_app.extensions["settings"]
    contact = said(data["contact"])
    issue = request_with_number(number)
    content = content_digest({"issue": str(issue.id), "contact": contact})
    digest = keyed_hash(content, purpose="follow", secret=settings.secret_key)
    follow, is_new = nearby.follow_known(data["id"], digest), False
    if follow is None:
        if (proof := proof_in(data["challenge"], settings)) is not None:
            actions.spend(proof)
        follow, is_new = nearby.follow_issue(
            issue, follow_id=data["id"] or new_id(), contact=contact, digest=digest, language=language(), settings=settings
        ), True
    words = _KEEP_CODE.format(state=STATE_PUBLIC_TEXT[State(issue.state)], code=follow.tracking_code)
    asked = subscription_of(follow)
    messages = [words, _CONFIRM] if state_of(asked) == "unconfirmed" else [words]
    if contact and asked is None:
        messages.append(_NO_MESSAGES)
    said_now = " ".join(text.in_language(language()) for text in messages)
    shown = {"id": follow.id, "tracking_code": follow.tracking_code, "number": issue.number, "message": said_now, "messages": state_of(asked)}
    return shown, 201 if is_new else 200
