"""What went wrong, in words that may be kept and shown: without addresses, keys, telephone numbers or values of rows. Pure."""

import re

from sqlalchemy.exc import SQLAlchemyError

from patrol.foundation.errors import Refusal

MOST_LETTERS = 500
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# The order matters: an address of the web may hold one of mail, and that a number.
_HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*)://[^\s'\"<>)\]]+"), r"\1://…"),
    (re.compile(r"[^\s'\"<>(=,:;]+@[^\s'\"<>),;]+"), "…@…"),
    (re.compile(rf"(?<![\w-])(?!{_UUID}(?![\w-]))(?=[\w-]*\d)[A-Za-z0-9_-]{{20,}}"), "…"),
    (re.compile(r"(?<![\w.-])\+?\d(?:[ -]?\d){6,}(?![\w-])"), "…"),
)


# As refusals were kept before they were kept in both languages: by the name of their class, in English.
_FORMERLY_KEPT = re.compile(r"Unavailable\((['\"])(.*)\1\)", re.DOTALL)


def plain_error(error: BaseException) -> str:
    """Return an exception in at most 500 letters that hold nothing secret, to be kept; `shown_error` gives one language of it.

    Of a fault of the database only its kind is told: its words quote the row. A refusal has a line for each language.
    """
    if isinstance(error, Refusal):
        most = (MOST_LETTERS - 1) // 2
        lines = (" ".join(without_secrets(words).split())[:most] for words in error.detail)
        return "\n".join(dict.fromkeys(lines))
    if isinstance(error, SQLAlchemyError):
        cause = getattr(error, "orig", None)
        return f"{type(error).__name__}({type(cause).__name__ if cause is not None else ''})"
    return without_secrets(repr(error))


def shown_error(kept: str, language: str) -> str:
    """Return what `plain_error` gave in the reader's language; what is no refusal has only one."""
    zh, _, en = kept.partition("\n")
    return _FORMERLY_KEPT.sub(r"\2", en if en and language == "en" else zh)


def without_secrets(text: str) -> str:
    """Return `text` with `…` for web and mail addresses, long keys and telephone numbers; ids of rows stay."""
    for pattern, shown in _HIDDEN:
        text = pattern.sub(shown, text)
    return text[:MOST_LETTERS]
