"""Register files as rows: CSV, XLSX and GeoJSON, told apart by what is in them and not by their name."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson

from patrol.foundation.errors import Invalid, TooLarge
from patrol.foundation.texts import Text

LARGEST_FILE_BYTES = 30 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 100
# A sheet of 50,000 rows unpacks to some 30 MB; what unpacks to far more was made to fill the memory.
LARGEST_UNPACKED_BYTES = 200 * 1024 * 1024
MOST_UNPACKED_PARTS = 2_000
_EXACT_DIGITS = 15
# Longitude and latitude in degrees; CGCS2000 (EPSG:4490) is WGS 84 within centimetres.
_DEGREES = ("CRS84", "4326", "4490")

_EMPTY = Text("文件是空的", "The file is empty")
_TOO_LARGE = Text("文件不得超过 30 MB", "The file must not exceed 30 MB")
_TOO_MANY = Text("一个文件最多 {most} 行，请分批导入", "A file has at most {most} rows: import it in parts")
_TOO_WIDE = Text("最多 {most} 列", "At most {most} columns")
_OLD_EXCEL = Text("这是旧版 Excel（.xls）文件，请另存为 .xlsx 或 CSV", "This is an old Excel file (.xls): save it as .xlsx or CSV")
_BAD_XLSX = Text("不是有效的 XLSX 文件", "It is not a valid XLSX file")
_BOMB = Text("XLSX 文件解压后过大，已拒绝", "The XLSX file unpacks to too much and was refused")
_ENTITIES = Text("XLSX 文件含有 DTD，已拒绝", "The XLSX file contains a DTD and was refused")
_NOT_TEXT = Text("文本编码既不是 UTF-8 也不是 GB18030", "The text is neither UTF-8 nor GB18030")
_MAP_FILE = Text(
    "这是 {kind} 文件，不能直接导入：请在 GIS 软件中另存为 GeoJSON（WGS 84 或 CGCS2000 经纬度）后导入",
    "This is a {kind} file, which cannot be imported as it is: save it as GeoJSON (longitude and latitude in WGS 84 or CGCS2000) in a GIS program",
)
_FOREIGN = Text(
    "这是 {kind} 文件，不是 CSV、XLSX 或 GeoJSON：请在表格软件中另存为 .xlsx 或 CSV，图形在 GIS 软件中另存为 GeoJSON",
    "This is a {kind} file and neither CSV, XLSX nor GeoJSON: save a sheet as .xlsx or CSV in a spreadsheet program, a map as GeoJSON in a GIS program",
)
# How files begin that somebody picks by mistake.
_BEGINNINGS = {
    b"%PDF-": "PDF", b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF", b"RIFF": "WebP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"{\\rtf": "RTF",
    b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"\x1f\x8b": "gzip", b"SQLite format 3\0": "GeoPackage / SQLite", b"\0\0\x27\x0a": "shapefile (.shp)",
}
# What lies in an archive that is no workbook.
_INSIDES = (("word/", "Word"), ("ppt/", "PowerPoint"), ("content.xml", "OpenDocument"))
_MARKUP = Text(
    "这是网页或 XML 文件，不是表格：请在表格软件中另存为 .xlsx 或 CSV",
    "This is a web page or another XML file and no sheet: save it as .xlsx or CSV in a spreadsheet program",
)
_BAD_CSV = Text("第 {row} 行起不是有效的 CSV：{why}", "It is not valid CSV from row {row} on: {why}")
_CSV_FAULTS = {
    "unexpected end of data": Text("双引号没有成对，直到文件末尾仍未关闭", "a quotation mark is never closed"),
    "expected after": Text("成对的双引号之后应为分隔符", "a delimiter should follow the closing quotation mark"),
    "new-line character": Text("单元格中有未加双引号的换行", "a cell breaks the line without quotation marks"),
    "field larger": Text("一个单元格过长，多为双引号没有成对", "a cell is too long: mostly a quotation mark is missing"),
}
_CSV_FAULT = Text("请检查双引号和分隔符", "look at its quotation marks and delimiters")
_BAD_JSON = Text("不是有效的 JSON（第 {line} 行第 {column} 个字符处有误或不完整）", "It is not valid JSON: {why}, in line {line} at character {column}")
_NO_FEATURES = Text("GeoJSON 必须是 FeatureCollection", "The GeoJSON must be a FeatureCollection")
_BAD_FEATURE = Text("不是有效的 Feature：须有 type 与 properties", "It is not a valid Feature, with `type` and `properties`")
_PROJECTED = Text("坐标系 {name} 不支持，请转换为 WGS 84 或 CGCS2000 经纬度", "Convert {name} to longitude and latitude in WGS 84 or CGCS2000")
_NO_HEADING = Text(
    "第一行应为列名，第 {n} 列没有列名：请删除标题行，取消合并单元格",
    "The first row should hold the column names, and column {n} has none: remove title rows, and take merged cells apart",
)
_TWICE = Text("列名重复：{names}", "Columns appear twice: {names}")


@dataclass(frozen=True)
class RawRow:
    """One row: its number as the clerk sees it (a sheet's headings are row 1, a first feature is 1) and its values.

    Values are texts, dates, or anything else that GeoJSON properties hold; an empty cell is "". `geometry` is the
    parsed JSON of a feature's geometry. `fault` says why a row is none.
    """

    number: int
    values: dict[str, Any]
    geometry: Any = None
    fault: Text | None = None


@dataclass(frozen=True)
class Table:
    """A file's rows, and its columns in order; of GeoJSON all properties that occur, with `geometry` where one does."""

    columns: list[str]
    rows: list[RawRow] = field(default_factory=list)


def read_table(data: bytes) -> Table:
    """Return the rows of a CSV, XLSX or GeoJSON file. Raises Invalid or TooLarge with what is wrong with the whole."""
    if len(data) > LARGEST_FILE_BYTES:
        raise TooLarge(_TOO_LARGE)
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise _unreadable(_EMPTY)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _unreadable(_OLD_EXCEL)
    if kind := next((kind for beginning, kind in _BEGINNINGS.items() if data.startswith(beginning)), None):
        raise _unreadable(_FOREIGN.format(kind=kind))
    if data.startswith(b"PK\x03\x04"):
        return _table(_xlsx_lines(data))
    if start.startswith(b"<"):
        head = data[:4_096].lower()
        kind = next((name for name in ("KML", "GPX", "GML") if f"<{name.lower()}".encode() in head), None)
        raise _unreadable(_MAP_FILE.format(kind=kind) if kind else _MARKUP)
    if start.startswith((b"{", b"[")):
        return _features(data)
    return _table(_csv_lines(data))


def _unreadable(fault: Text) -> Invalid:
    return Invalid(fault, errors={"file": [fault]})


def _table(lines: Iterable[tuple[int, list[Any]]]) -> Table:
    """Return lines of cells, the first of which holds the column names, as a table; empty lines are passed over."""
    filled = ((number, cells) for number, cells in lines if any(cell != "" for cell in cells))
    _, headings = next(filled, (0, []))
    columns = [str(heading).strip().lower() for heading in headings]
    while columns and columns[-1] == "":
        columns.pop()
    if not columns or "" in columns:
        raise _unreadable(_NO_HEADING.format(n=columns.index("") + 1 if columns else 1))
    if len(columns) > MOST_COLUMNS:
        raise _unreadable(_TOO_WIDE.format(most=MOST_COLUMNS))
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise _unreadable(_TWICE.format(names=", ".join(twice)))
    table = Table(columns)
    for number, cells in filled:
        if len(table.rows) == MOST_ROWS:
            raise _unreadable(_TOO_MANY.format(most=MOST_ROWS))
        padded = [*cells, *[""] * (len(columns) - len(cells))]
        values = dict(zip(columns, padded, strict=False))
        # Cells beyond the last heading are a column without a name; whoever filled them must learn that they are lost.
        beyond = [cell for cell in padded[len(columns):] if cell != ""]
        table.rows.append(RawRow(number, values | ({"": beyond[0]} if beyond else {})))
    return table


def _csv_lines(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    text = _decoded(data)
    heading = text.lstrip().split("\n", maxsplit=1)[0]
    delimiter = max((",", ";", "\t"), key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        why = next((text for part, text in _CSV_FAULTS.items() if part in str(error)), _CSV_FAULT)
        raise _unreadable(_BAD_CSV.format(row=number + 1, why=why)) from error


def _decoded(data: bytes) -> str:
    # Excel in China writes CSV in GB18030 unless told otherwise, and "Unicode text" as UTF-16 with a mark.
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable(_NOT_TEXT)


def _xlsx_lines(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    import openpyxl  # noqa: PLC0415 - six megabytes of each process, needed by the few that read a workbook

    _refuse_hostile_zip(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # The size that a sheet declares may be wrong or absurd; reading goes by the rows that are there.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1), start=1):
            # A sheet may claim that its next row is the billionth; the empty ones before it would be read first.
            if number > 4 * MOST_ROWS:
                raise _unreadable(_TOO_MANY.format(most=MOST_ROWS))
            if cells.count(None) < len(cells):
                yield number, [_cell(cell) for cell in cells]
    except Invalid:
        raise
    except Exception as error:  # openpyxl raises whatever its XML and its zip run into
        raise _unreadable(_BAD_XLSX) from error


def _refuse_hostile_zip(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            total = sum(part.file_size for part in parts)
            for ending, kind in ((".shp", "shapefile"), (".kml", "KMZ")):
                if any(part.filename.lower().endswith(ending) for part in parts):
                    raise _unreadable(_MAP_FILE.format(kind=kind))
            _refuse_other_archive([part.filename for part in parts])
            if total > LARGEST_UNPACKED_BYTES or len(parts) > MOST_UNPACKED_PARTS:
                raise _unreadable(_BOMB)
            for part in parts:
                # No office suite writes a DTD. Without one XML has no entities that could expand or be fetched.
                # The declaration can only stand before the root element; the zip module stops at the declared size.
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as stream:
                        start = stream.read(65_536)
                    if b"<!" in start.replace(b"\0", b"").replace(b"<!--", b"").replace(b"<![CDATA[", b""):
                        raise _unreadable(_ENTITIES)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise _unreadable(_BAD_XLSX) from error


def _refuse_other_archive(names: list[str]) -> None:
    """Raise Invalid for an archive that is another office program's file, or holds no workbook at all."""
    kind = next((kind for inside, kind in _INSIDES if any(name.startswith(inside) for name in names)), None)
    if kind or "[Content_Types].xml" not in names:
        raise _unreadable(_FOREIGN.format(kind=kind or "ZIP"))


def _cell(value: Any) -> Any:
    """Return a cell as text, or as a date; a code that the sheet keeps as a number gets no decimal point.

    One that is too long for a number has lost its last digits there: it is given as a sheet shows it, 3.30521E+17.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float | int) and not isinstance(value, bool) and _lost_digits(value):
        return f"{float(value):.6G}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _lost_digits(value: float) -> bool:
    """Tell whether a number is what a spreadsheet keeps of a longer code: it counts fifteen digits, and writes noughts for the rest."""
    return abs(value) >= 10**_EXACT_DIGITS and (isinstance(value, float) or str(abs(value))[_EXACT_DIGITS:].strip("0") == "")


def _features(data: bytes) -> Table:
    try:
        collection = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise _unreadable(_BAD_JSON.format(why=error.msg, line=error.lineno, column=error.colno)) from error
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise _unreadable(_NO_FEATURES)
    if len(features) > MOST_ROWS:
        raise _unreadable(_TOO_MANY.format(most=MOST_ROWS))
    _refuse_projected(collection.get("crs"))
    rows = [_feature(number, feature) for number, feature in enumerate(features, start=1)]
    columns = dict.fromkeys(name for row in rows for name in row.values)
    with_geometry = ["geometry"] if any(row.geometry is not None for row in rows) else []
    return Table([*columns, *with_geometry], rows)


def _feature(number: int, feature: Any) -> RawRow:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or feature.get("type") != "Feature" or not isinstance(properties, dict | None):
        return RawRow(number, {}, fault=_BAD_FEATURE)
    values = {name.strip().lower(): _property(value) for name, value in (properties or {}).items()}
    return RawRow(number, values, feature.get("geometry"))


def _property(value: Any) -> Any:
    return value if isinstance(value, list | dict | bool) else _cell(value)


def _refuse_projected(crs: Any) -> None:
    """Refuse the old `crs` member (GeoJSON 2008) unless it names degrees: projected metres would land in the sea."""
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name")) if isinstance(properties, dict) else str(crs)[:80]
    if not name.endswith(_DEGREES):
        raise _unreadable(_PROJECTED.format(name=name[:80]))
