"""What sets GeoReport v2 apart from the rest of the API: its parameters, its two formats, its arrays of faults."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, NamedTuple

import marshmallow as ma
import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import UnprocessableEntity

from patrol.foundation.errors import NotFound
from patrol.foundation.http import Room, View
from patrol.foundation.json_safety import refuse_unsafe_text
from patrol.foundation.problems import PROBLEM_JSON
from patrol.foundation.texts import Text
from patrol.public.open311_answers import FORMATS, rendered

BASE = "/open311/v2"
# The standard knows 404 (absent), 403 (key) and 400 (all else); beside them stand the codes that tell a client to wait.
STATUS = {401: 403, 409: 400, 411: 400, 413: 400, 415: 400, 422: 400}
_NO_FORMAT = Text("地址应以 .xml 或 .json 结尾", "The address should end in .xml or .json")
_SUFFIX = {
    "name": "suffix", "in": "path", "required": True, "schema": {"type": "string", "enum": list(FORMATS)},
    "description": "The format of the answer, faults included.",
}


class Shape(NamedTuple):
    """How one kind of answer is wrapped in XML, and its schema."""

    schema: ma.Schema
    root: str
    item: str = ""


class FaultOut(ma.Schema):
    code = ma.fields.Integer(required=True, metadata={"example": 404})
    description = ma.fields.String(required=True, metadata={"example": "service_code: There is no service with the code 001"})


FAULTS = Shape(FaultOut(many=True), "errors", "error")


class Open311Room(Room):
    """A blueprint whose routes end in the format's suffix and whose faults are the standard's arrays."""

    def call(
        self, path: str, shape: Shape, *, asks: type[ma.Schema], methods: tuple[str, ...] = ("GET",), refuses: Collection[int] = (),
        read: "Callable[[], dict[str, Any]] | None" = None,
    ) -> Callable[[View], View]:  # fmt: skip
        """Register a view that gets the loaded parameters, as `read` finds them, and returns what `shape` wraps."""
        schema, read = asks(), read or sent_values

        def decorate(view: View) -> View:
            @wraps(view)
            def answering(suffix: str, **parts: str) -> Response:
                if suffix not in FORMATS:
                    raise NotFound(_NO_FORMAT)
                content = rendered(view(loaded(schema, read()), **parts), suffix, shape.root, shape.item)
                return Response(content, content_type=FORMATS[suffix])

            answering.throttled = view.throttled  # type: ignore[attr-defined]
            is_get = methods == ("GET",)
            location = "query" if is_get else "form"
            answering._apidoc = {"arguments": {"parameters": [{"in": location, "required": True, "schema": schema}]}}  # type: ignore[attr-defined]
            documented = self.alt_response(200, schema=shape.schema, content_type="application/json", success=True)(answering)
            as_xml = self.alt_response(200, schema={"type": "string"}, content_type="text/xml", success=True)(documented)
            if not is_get:
                # The same form as multipart may bring photo files.
                body = {"content": {"multipart/form-data": {"schema": {"type": "object", "additionalProperties": True}}}}
                as_xml = self.doc(requestBody=body)(as_xml)
            as_xml.throttled = view.throttled  # type: ignore[attr-defined]
            register = self.route(f"{path}.<suffix>", may=None, methods=methods, refuses={400, 429, *refuses}, parameters=[_SUFFIX])
            register(as_xml)
            return view

        return decorate

    def described_faults(self, codes: Collection[int]) -> dict[int, list[Any]]:
        """Return how the description tells of faults: as arrays, with the codes that the standard knows."""
        answered = {STATUS.get(code, code) for code in (*codes, 404)}
        shapes = (("application/json", FAULTS.schema), ("text/xml", {"type": "string"}))
        return {
            code: [{"description": "What was wrong", "schema": schema, "content_type": kind} for kind, schema in shapes]
            for code in sorted(answered)
        }  # fmt: skip


def sent_values() -> dict[str, list[str]]:
    """Return what query and form say, by name; empty texts count as left out. The form goes before the query."""
    found: dict[str, list[str]] = {}
    for source in (request.args, request.form):
        for name in source:
            refuse_unsafe_text(name)
            texts = [text for text in source.getlist(name) if text.strip()]
            for text in texts:
                refuse_unsafe_text(text)
            if texts:
                found[name] = texts
    return found


def loaded(schema: ma.Schema, values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` as the schema loads them; raises what the parser of the other routes raises for wrong fields."""
    lists = {field.data_key or name for name, field in schema.fields.items() if isinstance(field, ma.fields.List)}
    single = {name: value[0] if isinstance(value, list) and name not in lists else value for name, value in values.items()}
    try:
        data: dict[str, Any] = schema.load(single)
    except ma.ValidationError as error:
        fault = UnprocessableEntity()
        fault.data = {"messages": {"sent": error.messages}}  # type: ignore[attr-defined]
        raise fault from error
    return data


def as_open311(response: Response) -> Response:
    """Turn a problem document about an address of this face into the standard's array of faults, in the asked format."""
    if not request.path.startswith(f"{BASE}/") or response.mimetype != PROBLEM_JSON:
        return response
    problem = orjson.loads(response.get_data())
    status = STATUS.get(response.status_code, response.status_code)
    told = [f"{field}: {text}" for field, texts in problem.get("errors", {}).items() for text in texts] or [problem["detail"]]
    suffix = "json" if request.path.endswith(".json") else "xml"
    response.set_data(rendered([{"code": status, "description": text} for text in told], suffix, *FAULTS[1:]))
    response.status_code, response.content_type = status, FORMATS[suffix]
    g.pop("etag", None)
    response.headers.pop("WWW-Authenticate", None)
    return response


def tolerate_double_slashes(app: Flask) -> None:
    """Let `/open311/v2//requests.xml` mean the same with one slash, as some clients write it: a POST must not be redirected."""
    inner = app.wsgi_app

    def with_single_slashes(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if path.lstrip("/").startswith("open311/"):
            environ["PATH_INFO"] = "/" + "/".join(part for part in path.split("/") if part)
        return inner(environ, start_response)

    app.wsgi_app = with_single_slashes  # type: ignore[method-assign]
