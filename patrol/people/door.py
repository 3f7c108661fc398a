"""The door: reads the bearer token of a request, and says whether its account may use the route."""

from flask import g, request

from patrol.foundation.errors import NotAllowed, NotSignedIn
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.permissions import PERMISSION_NAME, Permission, roles_with
from patrol.people.queries import actor_with_token

_NO_TOKEN = Text(
    "请先登录：用 POST /api/v1/auth/login 取得令牌，并放在 Authorization: Bearer 中",
    "Sign in first: get a token from POST /api/v1/auth/login and send it as Authorization: Bearer",
)
_ENDED = Text("登录已失效，请刷新令牌或重新登录", "This sign-in has ended: refresh the token or sign in again")
_NOT_ALLOWED = Text(
    "您的角色不能{what}（权限 {permission}）。可以的角色：{roles}。请由他们办理，或请管理员调整您的角色",
    "Your roles do not let you {what} (permission {permission}). Roles that may: {roles}. Let one of them do it, or ask an administrator for such a role",
)


def refuse_without(permission: Permission) -> None:
    """Raise NotSignedIn (401) or NotAllowed (403) unless the request comes from an account that holds `permission`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn(_NO_TOKEN)
    actor = actor_with_token(token.strip())
    if actor is None:
        raise NotSignedIn(_ENDED)
    g.actor = actor
    if not actor.may(permission):
        raise NotAllowed(_NOT_ALLOWED.format(what=PERMISSION_NAME[permission], permission=permission.value, roles=roles_with(permission)))


def current_actor() -> Actor:
    """Return who makes this request; only on routes that declare a permission."""
    actor: Actor = g.actor
    return actor
