"""Exports of all issues over a real server: rows a second, how the worker's memory grows, and that no cell is a formula."""

import csv
import io
import time
import zipfile
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection

from sqlalchemy import text

from patrol.foundation.database import db
from tests.bench.issue_rows import load_issues
from tests.bench.registers import load_district
from tests.bench.servers import Server, peak_memory_mb, site, web_server
from tests.bench.table import Row, measured

REACHES, ISSUES = 4_000, 100_000
MOST_MB, LEAST_ROWS = 80, 10_000
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1")
XML_FORMULA = b"<f>"


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Export everything as CSV and as XLSX, each from a server that has just begun."""
    for engine in sorted(engines):
        with site(engine) as place:
            with place.application():
                district = load_district(REACHES)
                load_issues(district, ISSUES)
                _put_formulas()
            for ending in ("csv", "xlsx"):
                with web_server(place) as server:
                    yield from _export(engine, server, ending, district.tokens["office"])


def _put_formulas() -> None:
    """Let a tenth of the descriptions begin as a formula would."""
    with db.engine.begin() as connection:
        for number, formula in enumerate(FORMULAS):
            connection.execute(text("UPDATE issues SET description = :it WHERE serial % 70 = :number"), {"it": formula, "number": number})


def _export(engine: str, server: Server, ending: str, token: str) -> Iterator[Row]:
    workers = [process.pid for process in server.family()[1:]]
    before = {pid: peak_memory_mb(pid) for pid in workers}
    began = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", f"/api/v1/issues.{ending}", headers={"Authorization": f"Bearer {token}"})
    reply = connection.getresponse()
    assert reply.status == 200, reply.status
    data = reply.read()
    spent_s = time.perf_counter() - began
    grown = max(peak_memory_mb(pid) - before[pid] for pid in workers)
    found, formulas = _in_csv(data) if ending == "csv" else _in_xlsx(data)
    assert found == ISSUES, found
    what = f"{engine}, {ISSUES:,} issues as {ending.upper()}"
    is_csv = ending == "csv"
    yield Row(f"{what}: rows", measured([found / spent_s], "/s"), least=LEAST_ROWS if is_csv else None, note=f"{spent_s:.1f} s, {len(data) / 2**20:.0f} MiB")
    yield Row(f"{what}: the worker's peak above idle", measured([grown], "MiB"), most=MOST_MB)
    yield Row(f"{what}: cells that a spreadsheet takes for a formula", measured([formulas], "cells"), most=0)


def _in_csv(data: bytes) -> tuple[int, int]:
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    starts = ("=", "+", "-", "@", "＝", "\t", "\r")
    return len(table) - 1, sum(cell.strip(" \ufeff").startswith(starts) for row in table for cell in row if not _is_number(cell))


def _in_xlsx(data: bytes) -> tuple[int, int]:
    """Count the rows and the formula elements; text in a workbook is typed, and never a formula by how it begins."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    return sheet.count(b"<row ") - 1, sheet.count(XML_FORMULA)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
