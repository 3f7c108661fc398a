"""What is a telephone number of staff, and what only looks like one in a spreadsheet. Pure."""

import re

from patrol.foundation.texts import Text

# A mobile or landline number with its usual marks, and an extension: 13800000000, +86 138-0000-0000, (0572) 6012345转801.
_NUMBER = re.compile(r"[+＋]?[0-9(（][0-9 ()（）-]{2,30}(?:\s*(?:转|分机|ext\.?|x|#)\s*[0-9]{1,6})?", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*[/、,，;；]\s*")
_SHORTENED = re.compile(r"[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+")
LEAST_DIGITS, MOST_DIGITS = 3, 20

NOT_A_PHONE = Text(
    "“{value}”不是电话号码，例如 13800000000 或 0572-6012345", "{value} is not a telephone number such as 13800000000 or 0572-6012345"
)
SHORTENED = Text(
    "表格软件把号码显示成了“{value}”，末几位已丢失：请将该列设为“文本”格式，重新填写完整号码后再导入",
    "A spreadsheet has shortened the number to {value} and lost its last digits: format the column as text, enter the whole numbers, and import again",
)


def fault_of_phone(text: str) -> Text | None:
    """Return why `text` is no telephone number, or several with `/` or a comma between them; None when it is."""
    if _SHORTENED.fullmatch(text.strip()):
        return SHORTENED.format(value=text.strip()[:40])
    if all(_is_number(part) for part in _BETWEEN.split(text.strip())):
        return None
    return NOT_A_PHONE.format(value=text[:40])


def _is_number(part: str) -> bool:
    digits = sum(letter.isdigit() for letter in part)
    return _NUMBER.fullmatch(part) is not None and LEAST_DIGITS <= digits <= MOST_DIGITS
