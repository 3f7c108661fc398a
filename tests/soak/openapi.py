"""The API's own description as the guide to what must be attacked: JSON routes, and every free-text field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.access.requests import REQUESTS, Request
from tests.access.world import World
from tests.soak.web import Caller

METHODS = ("get", "head", "post", "put", "patch", "delete")
# Strings that are no free text: their shape is checked, a naughty one is refused.
SHAPED = {"uuid", "date", "date-time", "binary", "byte", "email", "uri"}


@dataclass(frozen=True)
class Operation:
    """One operation of the description; `route` is its name in REQUESTS."""

    method: str
    template: str
    permission: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.described["operationId"])

    def body_schema(self, media_type: str = "application/json") -> dict[str, Any] | None:
        found = self.described.get("requestBody", {}).get("content", {}).get(media_type, {}).get("schema")
        return dict(found) if found else None


class Description:
    """The document of a running server."""

    def __init__(self, caller: Caller) -> None:
        self.document = caller.get("/openapi.json").json

    def operations(self) -> Iterator[Operation]:
        for template, path in self.document["paths"].items():
            for method in METHODS:
                if method in path:
                    described = path[method]
                    shared = path.get("parameters", [])
                    described = {**described, "parameters": [*shared, *described.get("parameters", [])]}
                    yield Operation(method.upper(), template, described.get("x-permission", "anyone"), described)

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def free_texts(self, schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """Give the paths of all strings in a body that are neither shaped nor chosen from a list."""
        schema = self.resolved(schema)
        for each in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())):
            yield from self.free_texts(each, path)
        for name, inner in schema.get("properties", {}).items():
            yield from self.free_texts(inner, (*path, name))
        if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
            yield from self.free_texts(schema["additionalProperties"], (*path, "*"))
        if "items" in schema:
            yield from self.free_texts(schema["items"], (*path, "*"))
        kinds = schema.get("type", ())
        is_text = "string" in ([kinds] if isinstance(kinds, str) else kinds)
        if is_text and not {"enum", "pattern", "const"} & schema.keys() and schema.get("format") not in SHAPED:
            yield path


def request_of(operation: Operation, world: World) -> Request:
    """Return the request of REQUESTS that this operation is: the same method, and a rule of the same shape."""
    shape = _shape(operation.template, "{", "}")
    for route, make in REQUESTS.items():
        method, rule = route.split(maxsplit=1)
        if method == operation.method and _shape(rule, "<", ">") == shape:
            return make(world)
    raise LookupError(f"no request in REQUESTS for {operation.method} {operation.template}")


def _shape(path: str, opening: str, closing: str) -> str:
    """Return the path with every placeholder as `*`."""
    made, inside = [], False
    for letter in path:
        if letter == opening:
            inside = True
            made.append("*")
        elif letter == closing:
            inside = False
        elif not inside:
            made.append(letter)
    return "".join(made)


def who_may(permission: str) -> str:
    """Return a persona that holds the permission and reaches the prepared things with it."""
    if permission == "anyone":
        return "anonymous"
    usual = permission.split(",", maxsplit=1)[0]
    for persona, wanted in WHO.items():
        if usual in wanted:
            return persona
    raise LookupError(f"nobody of the world may {permission}")


WHO = {
    "chief_of_this_reach": {
        "account:own", "waters:see", "patrol:do", "patrol:see", "issue:see", "issue:report", "issue:handle", "photo:add",
        "photo:see", "photo:original", "policy:see"},
    "office_of_this_region": {
        "issue:receive", "issue:dispatch", "issue:review", "issue:close", "issue:reopen", "issue:export", "patrol:export", "reporter:reveal",
        "register:manage", "duty:manage", "patrol:judge", "people:see", "notification:manage", "spot_check:see", "spot_check:do", "watch:own",
        "policy:see"},
    "admin": {"people:manage", "policy:manage", "outbox:manage"},
    "auditor": {"audit:see"},
    "supervisor": {"issue:supervise"},
}
