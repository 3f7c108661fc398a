"""Answers that are tables, sent while they are read."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

from flask import Response, stream_with_context

from patrol.foundation import clock
from patrol.foundation.errors import Invalid
from patrol.foundation.tables import MOST_SHEET_ROWS, Sheet, TooManyRows, csv_of, xlsx_of
from patrol.foundation.texts import Text

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE = {"type": "string", "format": "binary"}
"""What the description of the API says of such an answer."""
_TOO_MANY = Text(
    "符合条件的超过 {most} 行，一张 XLSX 工作表放不下：请缩小筛选范围，或导出 CSV",
    "More than {most} rows pass, which a sheet of XLSX cannot hold: narrow the filters, or export CSV",
)
Piece = TypeVar("Piece")


def begun(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Return `pieces` with the first query done, which lies within the first three: a fault there is still a problem document."""
    return chain(list(islice(pieces, 3)), pieces)


def csv_answer(batches: Iterable[Sequence[Sequence[Any]]], name: str) -> Response:
    """Return a table as a CSV file called `name` and the local day."""
    return Response(stream_with_context(begun(csv_of(batches))), mimetype=CSV, headers=_named(name, "csv"))


def xlsx_answer(batches: Iterable[Sequence[Sequence[Any]]], sheet: Sheet, language: str, name: str) -> Response:
    """Return a table as a workbook called `name` and the local day. Raises Invalid (422) for more rows than a sheet holds."""
    try:
        pieces = begun(xlsx_of(batches, sheet, language))
    except TooManyRows as error:
        raise Invalid(_TOO_MANY.format(most=MOST_SHEET_ROWS)) from error
    return Response(stream_with_context(pieces), mimetype=XLSX, headers=_named(name, "xlsx"))


def _named(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}-{clock.today(clock.home_timezone())}.{ending}"'}
