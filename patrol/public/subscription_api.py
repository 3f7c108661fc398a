"""Being told of a case, over HTTP: confirmed or ended by the link in a message, without an account; and following no more."""

from typing import Any

from flask import current_app

from patrol.foundation.problems import language
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.foundation.throttle import public_read, public_write
from patrol.public import queries, subscriptions
from patrol.public.api import room
from patrol.public.subscription_schemas import SubscriptionOut, WithdrawnOut

_WITHDRAWN = Text("已取消关注。", "You follow it no more.")
_WITHDRAWN_WITH_CONTACT = Text("已取消关注，留下的联系方式已删除。", "You follow it no more; the contact that you left is deleted.")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@room.route("/public/subscriptions/<token>", may=None, refuses=(429,))
@public_read
@room.response(200, SubscriptionOut)
def show_subscription(token: str) -> dict[str, Any]:
    """Tell which case a link in a message is about, and whether messages come."""
    return subscriptions.shown(subscriptions.subscription_with(token, _settings().secret_key))


@room.route("/public/subscriptions/<token>/confirm", may=None, methods=("POST",), refuses=(429,))
@public_read
@room.response(200, SubscriptionOut)
def confirm_subscription(token: str) -> dict[str, Any]:
    """Confirm that an address wants to be told; until then it gets nothing but the question."""
    row = subscriptions.subscription_with(token, _settings().secret_key, lock=True)
    subscriptions.confirm(row)
    return subscriptions.shown(row)


@room.route("/public/subscriptions/<token>/end", may=None, methods=("POST",), refuses=(429,))
@public_read
@room.response(200, SubscriptionOut)
def end_subscription(token: str) -> dict[str, Any]:
    """Send nothing more about the case; mail programs call this themselves (RFC 8058)."""
    row = subscriptions.subscription_with(token, _settings().secret_key, lock=True)
    subscriptions.end(row)
    return subscriptions.shown(row)


@room.route("/public/complaints/<tracking_code>/withdraw", may=None, methods=("POST",), refuses=(409, 429))
@public_write
@room.response(200, WithdrawnOut)
def withdraw_follow(tracking_code: str) -> dict[str, str]:
    """Follow somebody else's report no more: the code opens nothing from now on, a contact left with it is deleted."""
    words = _WITHDRAWN_WITH_CONTACT if subscriptions.withdraw(queries.follow_with_code(tracking_code)) else _WITHDRAWN
    return {"message": words.in_language(language())}
