"""Faults as problem documents (RFC 9457), in the language the caller reads."""

from collections.abc import Mapping
from typing import Any, cast

import marshmallow as ma
import structlog
from flask import Flask, Response, current_app, has_request_context, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException

from patrol.foundation.errors import Conflict, Invalid, Refusal, Unavailable, saying_first
from patrol.foundation.field_messages import translated
from patrol.foundation.migrations import Unmigrated, is_unmigrated
from patrol.foundation.texts import Text

log = structlog.get_logger()
PROBLEM_JSON = "application/problem+json"

_HTTP_TEXTS = {
    400: Text("请求格式不对", "The request is malformed"),
    404: Text("没有这个地址", "There is nothing at this address"),
    405: Text("此地址不支持该方法", "This address does not take that method"),
    406: Text("无法提供所要求的格式", "The wanted format cannot be given"),
    408: Text("请求超时", "The request took too long"),
    411: Text("缺少 Content-Length", "Content-Length is required"),
    413: Text("内容过大", "The content is too large"),
    414: Text("地址过长", "The address is too long"),
    415: Text("不支持的内容类型", "Unsupported content type"),
    416: Text("无法提供所要求的范围", "The wanted range cannot be given"),
    422: Text("内容有误，请按提示修改", "Some fields need correction"),
    429: Text("请求过于频繁，请稍后再试", "Too many requests: try again later"),
    431: Text("请求头过大", "The request headers are too large"),
    500: Text("系统出错，已记录，请稍后重试", "Something failed here and was logged; try again later"),
    503: Text("暂时不可用，请稍后重试", "Temporarily unavailable: try again later"),
}
_BODY_TOO_LARGE = Text("内容过大：此处最多 {most} MB", "The content is too large: at most {most} MB are taken here")
_FORM_TOO_LARGE = Text(
    "表单过大：除文件外的各项合计最多 {most} MB，全部最多 {parts} 项",
    "The form is too large: its fields other than files may have {most} MB together, and it may have {parts} parts",
)
_COLLIDED = Text("与已保存的内容冲突，请重新读取后再试", "It collides with something stored: read again, then retry")
_FIELDS_WRONG = Text("内容有误", "Some fields need correction")


class ProblemSchema(ma.Schema):
    """A problem document as the API description shows it; some kinds carry members of their own (RFC 9457, 3.2)."""

    class Meta:
        unknown = ma.INCLUDE

    type = ma.fields.String(required=True, metadata={"example": "urn:xunhe:problem:conflict"})
    title = ma.fields.String(required=True, metadata={"example": "Conflicts with the current state"})
    status = ma.fields.Integer(required=True, metadata={"example": 409})
    detail = ma.fields.String(metadata={"example": "An issue that is closed cannot be started."})
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.String()),
        metadata={"description": "The faults by field, with 422."},
    )


def language() -> str:
    """Return the language of texts in this answer: the best of `Accept-Language`, Chinese when nothing fits.

    `xunhe.language` in the request's environment goes before: what the reader of a page chose.
    """
    if not has_request_context():
        return "zh"
    if chosen := request.environ.get("xunhe.language"):
        return str(chosen)
    # The first of the caller's languages that is one of ours: "zh-CN" is Chinese, whatever stands bare behind it.
    asked = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((tag for tag in asked if tag in {"zh", "en"}), "zh")


def problem_document(
    status: int, kind: str, title: Text, detail: Text, errors: Mapping[str, list[str]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the members of a problem document in the caller's language."""
    tongue = language()
    body: dict[str, Any] = {
        **(extra or {}), "type": f"urn:xunhe:problem:{kind}", "title": title.in_language(tongue), "status": status,
        "detail": detail.in_language(tongue),
    }
    return body | ({"errors": errors} if errors else {})


def refusal_document(error: Refusal) -> dict[str, Any]:
    """Return the problem document of a refusal, for an answer that tells of several things at once."""
    return problem_document(error.status, error.kind, error.title, error.detail, _errors_of(error), error.extra)


def faults_document(messages: Mapping[str, Any]) -> dict[str, Any]:
    """Return the problem document of a schema's faults, by field."""
    errors: dict[str, list[str]] = {}
    _flatten(messages, "", errors)
    return problem_document(422, Invalid.kind, Invalid.title, _detail_of(errors), errors)


def _detail_of(errors: Mapping[str, list[str]]) -> Text:
    """Return in one sentence what is wrong; the faults by field are in the caller's language already."""
    return saying_first(_FIELDS_WRONG, {field: [Text(fault, fault) for fault in faults] for field, faults in errors.items()})


def _errors_of(error: Refusal) -> dict[str, list[str]]:
    tongue = language()
    return {field: [text.in_language(tongue) for text in texts] for field, texts in error.errors.items()}


def problem(
    status: int, kind: str, title: Text, detail: Text, errors: Mapping[str, list[str]] | None = None,
    extra: Mapping[str, Any] | None = None, retry_after_s: int | None = None,
) -> Response:
    """Return the answer for a fault."""
    response = cast("Response", current_app.json.response(problem_document(status, kind, title, detail, errors, extra)))
    response.status_code, response.mimetype = status, PROBLEM_JSON
    response.headers["Content-Language"] = language()
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="xunhe"'
    return response


def _refused(error: Refusal) -> Response:
    return problem(error.status, error.kind, error.title, error.detail, _errors_of(error), error.extra, error.retry_after_s)


def _http_error(error: HTTPException) -> Response:
    if isinstance(original := getattr(error, "original_exception", None), Exception):
        log.error("unhandled", exc_info=original)
    if error.response is not None and error.code is None:
        return error.response  # type: ignore[return-value]
    code = error.code or 500
    text = _too_large() if code == 413 else _HTTP_TEXTS.get(code, Text(error.name, error.name))
    messages = (getattr(error, "data", None) or {}).get("messages")
    if messages:
        return _fields_wrong(messages)
    retry_after = getattr(error, "retry_after", None)
    response = problem(code, f"http-{code}", _HTTP_TEXTS.get(code, text), text, retry_after_s=int(retry_after) if retry_after else None)
    for name, value in error.get_headers():
        if name in {"Allow", "Location", "Content-Range"}:
            response.headers[name] = value
    return response


def _too_large() -> Text:
    """Return which limit the request goes beyond: that of its address, else that of a form's fields."""
    most, sent = request.max_content_length, request.content_length
    if most is None or (sent is not None and sent <= most):
        return _FORM_TOO_LARGE.format(most=_mb(request.max_form_memory_size or 0), parts=request.max_form_parts)
    return _BODY_TOO_LARGE.format(most=_mb(most))


def _mb(size_bytes: int) -> int:
    """Return megabytes as the limit was set, of 1,000,000 bytes or of 1,048,576; where bodies are read to be refused it has a byte more."""
    return size_bytes // (2**20 if size_bytes % 2**20 <= 1 else 1_000_000)


def _fields_wrong(messages: Mapping[str, Any]) -> Response:
    """Flatten webargs' faults, which it nests by the place a field came from, into one list a field."""
    errors: dict[str, list[str]] = {}
    for place in messages.values():
        _flatten(place, "", errors)
    return problem(422, Invalid.kind, Invalid.title, _detail_of(errors), errors)


def _flatten(found: Any, path: str, into: dict[str, list[str]]) -> None:
    if isinstance(found, dict):
        for key, value in found.items():
            name = "" if key == "_schema" else str(key)
            _flatten(value, f"{path}.{name}".strip("."), into)
    elif isinstance(found, list):
        into.setdefault(path or "body", []).extend(translated(str(message), language()) for message in found)
    else:
        into.setdefault(path or "body", []).append(translated(str(found), language()))


def _statement_failed(error: OperationalError | ProgrammingError) -> Response:
    # A table that is not there is an operational error of SQLite, and one of the program on PostgreSQL.
    if is_unmigrated(error):
        return _refused(Unmigrated())
    if isinstance(error, ProgrammingError):
        raise error
    log.error("database_away", error=str(error.orig))
    return problem(503, Unavailable.kind, Unavailable.title, _HTTP_TEXTS[503], retry_after_s=5)


def _collided(error: IntegrityError) -> Response:
    # Only its kind: the database's own words repeat the values.
    log.warning("collided", error=type(error.orig).__name__)
    return problem(409, Conflict.kind, Conflict.title, _COLLIDED)


def _broken_body(_error: ParseException) -> Response:
    """Answer a body whose chunks are malformed: gunicorn finds that out only while the body is being read."""
    return problem(400, "http-400", _HTTP_TEXTS[400], _HTTP_TEXTS[400])


def register_problem_handlers(app: Flask) -> None:
    """Turn every fault of `app` into a problem document, unexpected ones too."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _statement_failed)
    app.register_error_handler(ProgrammingError, _statement_failed)
    app.register_error_handler(IntegrityError, _collided)
    app.register_error_handler(ParseException, _broken_body)
