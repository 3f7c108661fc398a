"""Numbers in texts from outside, strictly: Python itself also reads `2_9.6`, digits of other scripts, `nan` and `inf`."""

import re
from typing import Any

import marshmallow as ma

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def number_in(text: str) -> float:
    """Return the decimal number in a text, blanks around it aside. Raises ValueError for anything else."""
    plain = text.strip()
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"no number: {plain[:40]!r}")
    return float(plain)


class PlainFloat(ma.fields.Float):
    """A number of JSON or a form; as a text it is a plain decimal number."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, str):
            try:
                value = number_in(value)
            except ValueError as error:
                raise self.make_error("invalid", input=value) from error
        return super()._validated(value)
