"""Texts from outside that match a pattern as a whole."""

from typing import Any

import marshmallow as ma


class Matches(ma.validate.Regexp):
    r"""The validator of a text that matches `^…$` as a whole.

    To Python `$` also stands before a last line break, which no column has room for; `\Z`, which does not, means nothing in
    the regular expressions of an API's description (ECMA-262).
    """

    def __call__(self, value: Any) -> Any:
        """Return `value`; raises ValidationError unless all of it matches."""
        if self.regex.fullmatch(value) is None:
            raise ma.ValidationError(self._format_error(value))
        return value
