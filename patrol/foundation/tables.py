"""Tables for spreadsheet programs, as CSV and XLSX: rows come in batches, no text becomes a formula, days and moments are such."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from tempfile import TemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

from patrol.foundation import clock
from patrol.foundation.texts import Text

MOST_SHEET_ROWS = 1_048_575
"""What a sheet of XLSX holds below its headings (ECMA-376: 1,048,576 rows)."""
LONGEST_CELL = 32_000
"""A little less than the 32,767 letters that a cell of a workbook holds; what is longer ends with a mark."""
YES_NO = {True: Text("是", "yes"), False: Text("否", "no")}
BETWEEN = Text("；", "; ")
"""What stands between several things in one cell."""
# XML 1.0 has no way to write these.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What spreadsheet programs take for a formula at the beginning of a cell, after blanks and what has no width too, in both widths.
_WIDTHLESS = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_FORMULA = re.compile(rf"[\s{_WIDTHLESS}]*[=+\-@＝＋－＠]|[\t\r\n]")
# Workbooks count days from 1900 on.
_FIRST_YEAR = 1900
# Narrower, a moment would show as a row of hash marks; wider, one long text would take the whole screen.
_MOMENT_WIDTH, _WIDEST, _NARROWEST = 19, 45, 8
# The first rows tell well enough how wide a column should be, and reading more would slow a large export.
_MEASURED_ROWS = 100


class TooManyRows(Exception):
    """More rows than a sheet of XLSX holds."""


@dataclass(frozen=True)
class Sheet:
    """What a table is called and what its columns are; `days` are the numbers of those that hold days, from 0."""

    name: Text
    headings: Sequence[Text]
    days: Sequence[int] = ()

    def headings_in(self, language: str) -> list[Any]:
        """Return the first row, in `language`."""
        return [heading.in_language(language) for heading in self.headings]


def without_controls(text: str) -> str:
    """Return `text` without the letters that neither XML nor paper can hold."""
    return _ILLEGAL.sub("", text)


def safe_cell(text: str) -> str:
    """Return `text` such that no spreadsheet program takes it for a formula: an apostrophe goes before one.

    Letters that a sheet cannot hold are left out first: behind one of them a formula would come out unguarded.
    """
    text = without_controls(text)
    return f"'{text}" if _FORMULA.match(text) else text


def cut(text: str) -> str:
    """Return `text` as long as a cell can hold; a mark tells where more followed."""
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def local_cell(moment: datetime | None, zone: ZoneInfo) -> datetime | str:
    """Return a moment as local time without a zone, as spreadsheet programs know it; empty for none.

    What they cannot know is text: local time before 1900, and in UTC with its zone what the calendar has no local time for.
    """
    if moment is None:
        return ""
    local = clock.local(moment, zone).replace(microsecond=0)
    if local.tzinfo is not zone:
        return local.isoformat()
    return local.replace(tzinfo=None) if local.year >= _FIRST_YEAR else local.replace(tzinfo=None).isoformat(" ")


def csv_of(batches: Iterable[Sequence[Sequence[Any]]]) -> Iterator[bytes]:
    """Yield a CSV file in pieces, with the mark by which Excel knows UTF-8."""
    yield b"\xef\xbb\xbf"
    for rows in batches:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        yield text.getvalue().encode()


def xlsx_of(batches: Iterable[Sequence[Sequence[Any]]], sheet: Sheet, language: str) -> Iterator[bytes]:
    """Yield an XLSX file in pieces; rows wait on disk, so that the memory does not grow with them.

    The sheet has its name in `language`; its headings stay in sight and filter the rows. Days and moments are cells of these
    kinds, by which spreadsheets sort and reckon. Letters that the format cannot hold are left out, and no text becomes a
    formula or a link. Raises TooManyRows, before the first piece, rather than leave out a row.
    """
    # Only who exports needs the library.
    import xlsxwriter  # noqa: PLC0415

    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }  # fmt: skip
    with TemporaryFile() as file:
        with xlsxwriter.Workbook(file, options) as book:
            page, day_format = book.add_worksheet(sheet.name.in_language(language)), book.add_format({"num_format": "yyyy-mm-dd"})
            page.freeze_panes(1, 0)
            bold, widths, number = book.add_format({"bold": True}), [_NARROWEST] * len(sheet.headings), 0
            for number, row in enumerate(row for rows in batches for row in rows):
                if number > MOST_SHEET_ROWS:
                    raise TooManyRows(number)
                page.write_row(number, 0, [without_controls(cell) if isinstance(cell, str) else cell for cell in row], None if number else bold)
                if number < _MEASURED_ROWS:
                    widths = [max(width, _width(cell)) for width, cell in zip(widths, row, strict=True)]
                for column in sheet.days:
                    if type(row[column]) is date:
                        page.write_datetime(number, column, row[column], day_format)
            for column, width in enumerate(widths):
                page.set_column(column, column, width)
            page.autofilter(0, 0, number, len(sheet.headings) - 1)
        file.seek(0)
        yield from iter(partial(file.read, 65_536), b"")


def _width(cell: Any) -> int:
    """Return how wide a column must be to show a cell, in letters; Chinese ones are two wide, and the mark of the filter takes one."""
    if isinstance(cell, datetime):
        return _MOMENT_WIDTH
    text = str(cell)[:_WIDEST]
    return min(_WIDEST, 2 + sum(2 if letter > "\u2e7f" else 1 for letter in text))
