"""Our blueprint: a permission on every route, one transaction per write, bodies as JSON or as a form with photos."""

from collections.abc import Callable, Collection
from functools import wraps
from http import HTTPStatus
from typing import Any, ClassVar, cast

import marshmallow as ma
from flask import Response, current_app, g, request
from flask_smorest import Api, Blueprint
from flask_smorest.fields import Upload
from sqlalchemy.exc import IntegrityError
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import FileStorage

from patrol.foundation import json_safety
from patrol.foundation.database import reading
from patrol.foundation.errors import BadRequest, NeedsIfMatch, Stale, UnsupportedKind
from patrol.foundation.examples import with_examples
from patrol.foundation.forms import fields_of, form_values, refuse_repeated
from patrol.foundation.problems import PROBLEM_JSON, ProblemSchema, register_problem_handlers
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction

JSON_OR_FORM = "json_or_form"
MULTIPART = "multipart"
View = Callable[..., Any]

_NEEDS_JSON = Text("请以 application/json 发送", "Send application/json")
_NEEDS_JSON_OR_FORM = Text("请以 application/json 或 multipart/form-data 发送", "Send application/json or multipart/form-data")
_NEEDS_FORM = Text("请以 multipart/form-data 发送", "Send multipart/form-data")
_NEEDS_IF_MATCH = Text(
    "请先读取当前内容，并用 If-Match 带上它的 ETag", "Read the current state first and send its ETag as If-Match"
)
_BAD_IF_MATCH = Text("If-Match 应为读取时得到的 ETag，例如 \"3\"", "If-Match should be the ETag that was read, such as \"3\"")
_STALE = Text(
    "内容已被他人更新（当前版本 {version}），请重新读取后再提交", "It was changed meanwhile (now version {version}): read it again"
)


class UploadedFile(Upload):
    """A file of a form; what a JSON body sends in its place is refused."""

    default_error_messages = {"invalid": "必须是文件，请以 multipart/form-data 发送。\x1fNot a file: send it as multipart/form-data."}  # noqa: RUF012

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise self.make_error("invalid")
        return value


class FlatForm(ma.Schema):
    """Base of request bodies: unknown fields are refused."""

    class Meta:
        unknown = ma.RAISE


class Parser(FlaskParser):
    """Reads bodies through the JSON safety, and forms whose structured fields are JSON text."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE, "json": ma.RAISE, JSON_OR_FORM: ma.RAISE,
        MULTIPART: ma.RAISE,
    }

    def load_json(self, req: Any, schema: ma.Schema) -> Any:
        """Return the body's JSON; of the list that the schema names `APART` each element is refused alone."""
        if _says_nothing(req):
            return {}
        if req.mimetype != "application/json" and not req.mimetype.endswith("+json"):
            raise UnsupportedKind(_NEEDS_JSON)
        body, apart = json_safety.body_up_to(json_safety.LARGEST_JSON_BYTES), getattr(schema, "APART", None)
        return json_safety.parse_json_apart(body, apart) if apart else json_safety.parse_json(body)

    def load_json_or_form(self, req: Any, schema: ma.Schema) -> Any:
        if req.mimetype == "multipart/form-data":
            return self.load_multipart(req, schema)
        if _says_nothing(req):
            return {}
        if req.mimetype != "application/json":
            raise UnsupportedKind(_NEEDS_JSON_OR_FORM)
        return json_safety.parse_json(json_safety.body_up_to(json_safety.LARGEST_JSON_BYTES))

    def load_multipart(self, req: Any, schema: ma.Schema) -> Any:
        if req.mimetype != "multipart/form-data":
            raise UnsupportedKind(_NEEDS_FORM)
        return form_values(req.form, req.files, schema)

    def load_querystring(self, req: Any, schema: ma.Schema) -> Any:
        fields = fields_of(schema)
        for name, values in req.args.lists():
            for value in values:
                json_safety.refuse_unsafe_text(value)
            if not isinstance(fields.get(name), ma.fields.List):
                refuse_repeated(name, values)
        return MultiDictProxy(req.args, schema)


Parser.__location_map__ = {
    **FlaskParser.__location_map__, JSON_OR_FORM: "load_json_or_form", MULTIPART: "load_multipart",
}


def _says_nothing(req: Any) -> bool:
    """Tell whether a request has neither a body nor a content type: then all its fields were left out."""
    return not req.mimetype and not req.content_length and "Transfer-Encoding" not in req.headers


class Room(Blueprint):
    """A blueprint that refuses a route with no declared permission."""

    ARGUMENTS_PARSER = Parser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING: ClassVar[dict[str, str]] = {
        **Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING, JSON_OR_FORM: "application/json",
        MULTIPART: "multipart/form-data",
    }
    # Set by the people room, which knows accounts: raises NotSignedIn or NotAllowed.
    check: ClassVar[Callable[[Any], None]]

    def route(
        self, rule: str, *, may: Any, methods: tuple[str, ...] = ("GET",), refuses: Collection[int] = (),
        if_match: bool = False, writes: bool | None = None, **options: Any,
    ) -> Callable[[View], View]:
        """Register a view: `may` is the permission it needs, None for anyone.

        `refuses` are status codes beyond those that follow from the route's own shape; `if_match` says that the view
        wants the header; `writes` defaults to what the method says.
        """
        register = super().route(rule, methods=list(methods), **options)
        is_write = methods != ("GET",) if writes is None else writes

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                # PostgreSQL cannot be asked for a text with NUL; with another letter in its place nothing is found.
                kwargs = {name: part.replace("\0", "\ufffd") if isinstance(part, str) else part for name, part in kwargs.items()}
                with reading():
                    if may is not None:
                        Room.check(may)
                    if not is_write:
                        return view(*args, **kwargs)
                try:
                    with transaction():
                        return view(*args, **kwargs)
                except IntegrityError:
                    # Somebody stored the same id at the same moment. Now it is there to be found and compared.
                    with transaction():
                        return view(*args, **kwargs)

            apidoc: dict[str, Any] = dict(getattr(view, "_apidoc", {}))
            faults = self.described_faults({*refuses, *_implied(rule, may, apidoc, if_match, is_write)})
            _document(apidoc, view, may, faults, if_match)
            guarded._apidoc = apidoc  # type: ignore[attr-defined]
            guarded.may = may  # type: ignore[attr-defined]
            registered: View = register(guarded)
            return registered

        return decorate

    def described_faults(self, codes: Collection[int]) -> dict[int, list[Any]]:
        """Return how the description tells of answers with these codes: as references to the problem documents."""
        return {code: [HTTPStatus(code).name] for code in sorted(codes)}

    def arguments(self, schema: type[ma.Schema], **options: Any) -> Callable[[View], View]:
        """Hand loaded arguments to the view. The schema is made once: webargs would make a class's anew on each request."""
        decorate: Callable[[View], View] = super().arguments(schema(), **options)
        return decorate

    def body(self, schema: type[ma.Schema], *, with_photos: bool = False) -> Callable[[View], View]:
        """Hand the request's JSON to the view as a dictionary; with `with_photos` also a form with files in `photos`."""
        location = JSON_OR_FORM if with_photos else "json"
        arguments = self.arguments(_with_photo_files(schema) if with_photos else schema, location=location)

        def decorate(view: View) -> View:
            decorated: View = arguments(view)
            if with_photos:
                decorated._apidoc["also_multipart"] = True  # type: ignore[attr-defined]
            return decorated

        return decorate


def _with_photo_files(schema: type[ma.Schema]) -> type[ma.Schema]:
    files: ma.fields.List[Any] = ma.fields.List(
        UploadedFile(), load_default=list, validate=ma.validate.Length(max=9),
        metadata={"description": "Photo files (multipart only): at most nine."},
    )
    made: type[ma.Schema] = type(f"{schema.__name__}WithPhotos", (schema,), {"photo_files": files})
    made._declared_fields["photo_files"].data_key = "photos"
    return made


def _implied(rule: str, may: Any, apidoc: dict[str, Any], if_match: bool, is_write: bool) -> set[int]:
    """Return the status codes that a route of this shape can answer with besides its success."""
    codes = {503}
    if may is not None:
        codes |= {401, 403}
    if "<" in rule:
        codes.add(404)
    if "arguments" in apidoc:
        codes.add(422)
        if is_write:
            codes |= {400, 413, 415}
    if if_match:
        codes |= {400, 412, 428}
    return codes


def _document(apidoc: dict[str, Any], view: View, may: Any, faults: dict[int, list[Any]], if_match: bool) -> None:
    responses = apidoc.setdefault("response", {}).setdefault("responses", {})
    for code, described in faults.items():
        responses.setdefault(code, []).extend(described)
    manual = dict(apidoc.get("manual_doc", {}))
    manual |= {"operationId": view.__name__, "security": [{"bearer": []}] if may else []}
    manual.setdefault("x-permission", str(may or "anyone"))
    if if_match:
        header = {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}, "example": '"3"',
                  "description": "The ETag of the state that was read."}
        apidoc.setdefault("arguments", {}).setdefault("parameters", []).append(header)
    apidoc["manual_doc"] = manual


class PatrolApi(Api):
    """The API's description, with problem documents for every fault."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_responses(self) -> None:
        usual = self.DEFAULT_RESPONSE_CONTENT_TYPE  # type: ignore[has-type]
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_JSON
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = usual

    def _register_error_handlers(self) -> None:
        register_problem_handlers(self._app)

    def description(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return _also_as_forms(with_examples(self.spec.to_dict()))

    def _openapi_json(self) -> Response:
        response: Response = self._app.json.response(self.description())
        return response


def _also_as_forms(document: dict[str, Any]) -> dict[str, Any]:
    """Add multipart/form-data beside JSON wherever a body may bring photos; the JSON form has no files."""
    schemas = document["components"]["schemas"]
    for name in [name for name in schemas if name.endswith("WithPhotos")]:
        without = dict(schemas[name]["properties"])
        without.pop("photos", None)
        schemas[name.removesuffix("WithPhotos")] = {**schemas[name], "properties": without}
    for path in document["paths"].values():
        for operation in path.values():
            content = operation.get("requestBody", {}).get("content", {}) if isinstance(operation, dict) else {}
            reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            if reference.endswith("WithPhotos"):
                content["multipart/form-data"] = {"schema": {"$ref": reference}}
                content["application/json"]["schema"] = {"$ref": reference.removesuffix("WithPhotos")}
    return document


def answer(data: Any, status: int = 200) -> Response:
    """Return JSON that was built as the schema documents it; dumping it once more would only cost time."""
    response = cast("Response", current_app.json.response(data))
    response.status_code = status
    return response


def set_etag(version: int) -> None:
    """Let the answer carry the ETag of this version of what it shows."""
    g.etag = f'"{version}"'


def expected_version() -> int | None:
    """Return the version that the caller has read, from If-Match; None for `*`. Raises NeedsIfMatch without it."""
    header = request.headers.get("If-Match")
    if header is None:
        raise NeedsIfMatch(_NEEDS_IF_MATCH)
    if header.strip() == "*":
        return None
    text = header.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(_BAD_IF_MATCH)
    return int(text)


def refuse_stale(expected: int | None, version: int) -> None:
    """Raise Stale (412) when the row has moved on since the caller read it."""
    if expected is not None and expected != version:
        raise Stale(_STALE.format(version=version))


class ShortAddresses:
    """Lets devices use an address without `/api/v1`: apps that know only a host and a path are typed in by hand."""

    def __init__(self, wsgi_app: Any, short: tuple[str, ...], prefix: str) -> None:
        self._wsgi_app, self._short, self._prefix = wsgi_app, short, prefix

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith(self._short):
            environ["PATH_INFO"] = self._prefix + environ["PATH_INFO"]
        return self._wsgi_app(environ, start_response)
