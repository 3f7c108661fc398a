"""Refusals the domain can make; `http.py` turns each into a problem document (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from patrol.foundation.texts import Text


class Refusal(Exception):
    """The request was understood and will not be done; `detail` says what was wrong and what to do."""

    status: ClassVar[int] = 400
    kind: ClassVar[str] = "refused"
    title: ClassVar[Text] = Text("不能执行", "Refused")
    # A few refusals must leave a trace: a failed sign-in is counted, a reused token ends its sign-in.
    keeps_changes: ClassVar[bool] = False

    def __init__(
        self, detail: Text, *, errors: Mapping[str, list[Text]] | None = None, retry_after_s: int | None = None,
        **extra: Any,
    ) -> None:
        """Keep the detail, the faults by field (422), the wait in seconds (429, 503) and other members of the body."""
        super().__init__(detail.en)
        self.detail, self.errors, self.retry_after_s, self.extra = detail, dict(errors or {}), retry_after_s, extra


_FIRST_FAULT = Text("{what}：{field}：{fault}", "{what}: {field}: {fault}")
_FURTHER_FAULTS = Text("{first}；还有：{others}", "{first}; also: {others}")


def saying_first(what: Text, errors: Mapping[str, Sequence[Text]]) -> Text:
    """Return `what` is wrong with the words of the first fault by field, and the names of the other fields."""
    (field, (fault, *_)), *others = errors.items()
    plain = Text(fault.zh.rstrip("。."), fault.en.rstrip("."))
    first = _FIRST_FAULT.format(what=what, field=field, fault=plain)
    return _FURTHER_FAULTS.format(first=first, others=", ".join(name for name, _ in others)) if others else first


class BadRequest(Refusal):
    status, kind, title = 400, "bad-request", Text("请求格式不对", "Bad request")


class NotSignedIn(Refusal):
    status, kind, title = 401, "not-signed-in", Text("请先登录", "Sign in first")


class NotAllowed(Refusal):
    status, kind, title = 403, "not-allowed", Text("没有权限", "Not allowed")


class NotFound(Refusal):
    """Also for what exists but the caller may not see: the two cannot be told apart from outside."""

    status, kind, title = 404, "not-found", Text("没有找到", "Not found")


class Conflict(Refusal):
    status, kind, title = 409, "conflict", Text("与现有状态冲突", "Conflicts with the current state")


class Stale(Refusal):
    status, kind, title = 412, "stale", Text("内容已被他人更新", "Changed by somebody else")


class TooLarge(Refusal):
    status, kind, title = 413, "too-large", Text("内容过大", "Too large")


class UnsupportedKind(Refusal):
    status, kind, title = 415, "unsupported-kind", Text("不支持的文件类型", "Unsupported kind of content")


class Invalid(Refusal):
    status, kind, title = 422, "invalid", Text("内容有误", "Invalid content")


class NeedsIfMatch(Refusal):
    status, kind, title = 428, "needs-if-match", Text("缺少 If-Match", "If-Match is required")


class TooMany(Refusal):
    status, kind, title = 429, "too-many", Text("请求过于频繁", "Too many requests")


class Unavailable(Refusal):
    status, kind, title = 503, "unavailable", Text("暂时不可用", "Temporarily unavailable")
