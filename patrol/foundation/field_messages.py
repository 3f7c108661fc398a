"""Chinese words for what marshmallow says about a field, so that a 422 can be read by everybody."""

import re

_TABLE = [
    (r"Missing data for required field\.", "缺少必填项。"),
    (r"Field may not be null\.", "不能为空值。"),
    (r"Unknown field\.", "未知字段。"),
    (r"Not a valid string\.", "必须是文本。"),
    (r"Not a valid utf-8 string\.", "不是有效的 UTF-8 文本。"),
    (r"Not a valid number\.", "必须是数字。"),
    (r"Special numeric values \(nan or infinity\) are not permitted\.", "不能是 NaN 或无穷大。"),
    (r"Not a valid integer\.", "必须是整数。"),
    (r"Not a valid boolean\.", "必须是 true 或 false。"),
    (r"Not a valid UUID\.", "不是有效的 UUID。"),
    (r"Not a valid (aware )?datetime\.", "不是有效的时间，应为带时区的 RFC 3339，例如 2026-05-01T08:30:00+08:00。"),
    (r"Not a valid date\.", "不是有效的日期，例如 2026-05-01。"),
    (r"Not a valid list\.", "必须是列表。"),
    (r"Not a valid mapping type\.", "必须是对象。"),
    (r"Not a valid delimited list\.", "必须是逗号分隔的列表。"),
    (r"Not a valid tuple\.", "必须是数组。"),
    (r"Invalid (input )?type\.", "类型不对。"),
    (r"Invalid input\.", "取值无效。"),
    (r"Invalid value\.", "取值无效。"),
    (r"Must be one of: (.+)\.", r"只能是以下之一：\1。"),
    (r"Length must be between (\d+) and (\d+)\.", r"长度须在 \1 到 \2 之间。"),
    (r"Longer than maximum length (\d+)\.", r"长度不得超过 \1。"),
    (r"Shorter than minimum length (\d+)\.", r"长度不得少于 \1。"),
    (r"Length must be (\d+)\.", r"长度必须为 \1。"),
    (r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\.", r"须在 \1 与 \2 之间。"),
    (r"Must be greater than or equal to (\S+)\.", r"不得小于 \1。"),
    (r"Must be greater than (\S+)\.", r"必须大于 \1。"),
    (r"Must be less than or equal to (\S+)\.", r"不得大于 \1。"),
    (r"Must be less than (\S+)\.", r"必须小于 \1。"),
    (r"Number too large\.", "数字过大。"),
    (r"String does not match expected pattern\.", "格式不对。"),
    (r"Not a valid (URL|email address)\.", "格式不对。"),
]
_PATTERNS = [(re.compile(pattern, re.DOTALL), words) for pattern, words in _TABLE]


def translated(message: str, language: str) -> str:
    """Return marshmallow's `message` in `language` ("zh" or "en"); one that the table lacks stays in English."""
    if language == "en":
        return message.split("\x1f", maxsplit=1)[-1]
    if "\x1f" in message:
        return message.split("\x1f", maxsplit=1)[0]
    for pattern, words in _PATTERNS:
        if match := pattern.fullmatch(message):
            return match.expand(words)
    return message
