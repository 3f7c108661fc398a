"""Patrols and duties as CSV and XLSX, by the same filters as their lists."""

from collections.abc import Iterator
from typing import Any

from flask import Response

from patrol.foundation.clock import home_timezone
from patrol.foundation.problems import language
from patrol.foundation.table_answers import CSV, FILE, XLSX, csv_answer, xlsx_answer
from patrol.patrols import tables
from patrol.patrols.api import room
from patrol.patrols.duty_api import today
from patrol.patrols.duty_periods import window_of
from patrol.patrols.duty_schemas import DutyFilterArgs
from patrol.patrols.queries import person_meant
from patrol.patrols.schemas import PatrolFilterArgs
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


def _patrols(args: dict[str, Any]) -> Iterator[list[list[Any]]]:
    return tables.patrol_table(current_actor(), args, language=language(), timezone=home_timezone())


def _duties(args: dict[str, Any]) -> Iterator[list[list[Any]]]:
    window = window_of(args.pop("period"), args.pop("from_"), args.pop("to"), today=today())
    filters = {**args, "person": person_meant(args["person"], current_actor())}
    return tables.duty_table(current_actor(), filters, window=window, today=today(), language=language(), timezone=home_timezone())


@room.route("/patrols.csv", may=P.EXPORT_PATROLS, refuses=(404,))
@room.arguments(PatrolFilterArgs, location="query")
@room.response(200, FILE, content_type=CSV)
def patrols_as_csv(args: dict[str, Any]) -> Response:
    """Give the patrols that pass the filters as CSV (UTF-8), all of them, the latest first."""
    return csv_answer(_patrols(args), "patrols")


@room.route("/patrols.xlsx", may=P.EXPORT_PATROLS, refuses=(404,))
@room.arguments(PatrolFilterArgs, location="query")
@room.response(200, FILE, content_type=XLSX)
def patrols_as_xlsx(args: dict[str, Any]) -> Response:
    """Give the patrols that pass the filters as a workbook: what its sheet cannot hold is refused (422)."""
    return xlsx_answer(_patrols(args), tables.PATROLS, language(), "patrols")


@room.route("/duties.csv", may=P.EXPORT_PATROLS, refuses=(404,))
@room.arguments(DutyFilterArgs, location="query")
@room.response(200, FILE, content_type=CSV)
def duties_as_csv(args: dict[str, Any]) -> Response:
    """Give the duties that pass the filters as CSV (UTF-8), a row for each person, reach and period."""
    return csv_answer(_duties(args), "duties")


@room.route("/duties.xlsx", may=P.EXPORT_PATROLS, refuses=(404,))
@room.arguments(DutyFilterArgs, location="query")
@room.response(200, FILE, content_type=XLSX)
def duties_as_xlsx(args: dict[str, Any]) -> Response:
    """Give the duties that pass the filters as a workbook, a row for each person, reach and period; too many for a sheet are refused (422)."""
    return xlsx_answer(_duties(args), tables.DUTIES, language(), "duties")
