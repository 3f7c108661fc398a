"""The same lists as files: GeoJSON for maps, CSV and XLSX for offices."""

from typing import IO, Any

from flask import Response, stream_with_context

from patrol.foundation import clock
from patrol.foundation.problems import language
from patrol.issues.api import filters_of, room, settings
from patrol.issues.exports import Export, csv_of, geojson_of, table_of, xlsx_of
from patrol.issues.schemas import IssueExportArgs, IssueFeaturesOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

GEOJSON, CSV = "application/geo+json", "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE = {"type": "string", "format": "binary"}


def _export_of(args: dict[str, Any]) -> Export:
    actor = current_actor()
    return Export(actor, filters_of(args, actor), args["order"], language(), settings().timezone)


def _file_name(ending: str) -> dict[str, str]:
    day = clock.today(settings().timezone)
    return {"Content-Disposition": f'attachment; filename="issues-{day}.{ending}"'}


@room.route("/issues.geojson", may=P.SEE_ISSUES)
@room.arguments(IssueExportArgs, location="query")
@room.response(200, IssueFeaturesOut, content_type=GEOJSON)
def issues_as_geojson(args: dict[str, Any]) -> Response:
    """Give the issues that pass the filters as points on the map, up to 100,000."""
    return Response(stream_with_context(_begun(geojson_of(_export_of(args)))), mimetype=GEOJSON)


@room.route("/issues.csv", may=P.EXPORT_ISSUES)
@room.arguments(IssueExportArgs, location="query")
@room.response(200, _FILE, content_type=CSV)
def issues_as_csv(args: dict[str, Any]) -> Response:
    """Give the issues that pass the filters as CSV (UTF-8), up to 100,000."""
    pieces = _begun(csv_of(table_of(_export_of(args))))
    return Response(stream_with_context(pieces), mimetype=CSV, headers=_file_name("csv"))


@room.route("/issues.xlsx", may=P.EXPORT_ISSUES)
@room.arguments(IssueExportArgs, location="query")
@room.response(200, _FILE, content_type=XLSX)
def issues_as_xlsx(args: dict[str, Any]) -> Response:
    """Give the issues that pass the filters as a workbook, up to 100,000."""
    file = xlsx_of(table_of(_export_of(args)), "issues")
    response = Response(_pieces(file), mimetype=XLSX, headers=_file_name("xlsx"))
    response.call_on_close(file.close)
    return response


def _pieces(file: IO[bytes]) -> Any:
    return iter(lambda: file.read(65_536), b"")


def _begun(pieces: Any) -> Any:
    """Return `pieces` with what comes before the first query and that query done: a fault there is still a problem document."""
    head = [next(pieces), next(pieces, b"")]

    def all_of_them() -> Any:
        yield from head
        yield from pieces

    return all_of_them()
