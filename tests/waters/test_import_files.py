"""Register files as rows: what decides the format, encodings, spreadsheets, GeoJSON, and files made to do harm."""

import io
import json
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from patrol.foundation.errors import Invalid, TooLarge
from patrol.waters import import_files
from patrol.waters.import_files import read_table

CSV = "code,name\n990100,清溪区\n990101,东湖区\n"


def xlsx(*rows) -> bytes:
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.create_sheet("notes").append(["not", "this"])
    book.save(stream)
    return stream.getvalue()


def features(*rows, **more) -> bytes:
    document = {"type": "FeatureCollection", **more, "features": [
        {"type": "Feature", "properties": properties, "geometry": geometry} for properties, geometry in rows]}
    return json.dumps(document, ensure_ascii=False).encode()


def values(data):
    return [list(row.values.values()) for row in read_table(data).rows]


def refusal(data) -> str:
    with pytest.raises(Invalid) as caught:
        read_table(data)
    return caught.value.detail.en


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_the_encodings_that_spreadsheets_write(encoding):
    table = read_table(CSV.encode(encoding))
    assert table.columns == ["code", "name"]
    assert [(row.number, row.values) for row in table.rows] == [
        (2, {"code": "990100", "name": "清溪区"}), (3, {"code": "990101", "name": "东湖区"})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_other_delimiters(delimiter):
    assert values(CSV.replace(",", delimiter).encode()) == [["990100", "清溪区"], ["990101", "东湖区"]]


def test_csv_headings_are_tidied_and_empty_lines_keep_the_numbers():
    table = read_table(b' Code , NAME,\r\n\r\n1,"a\nb"\r\n,,\r\n2,c\r\n')
    assert table.columns == ["code", "name"]
    assert [(row.number, row.values) for row in table.rows] == [
        (3, {"code": "1", "name": "a\nb"}), (5, {"code": "2", "name": "c"})]


def test_semicolons_are_found_behind_empty_first_lines():
    assert values(b"\r\n\r\ncode;name\r\n1;a\r\n;;\r\n \r\n") == [["1", "a"]]


def test_a_cell_beyond_the_headings_is_kept_to_be_complained_about():
    assert read_table(b"code,name\n1,a,b\n").rows[0].values[""] == "b"


def test_xlsx_gives_codes_without_decimals_and_days_as_days():
    data = xlsx(["code", "name", "from", "to", "share"], [990100001, " 柳岸镇 ", datetime.fromisoformat("2026-05-01T08:00"), date(2026, 6, 1), 0.5], [12.0, None])
    assert values(data) == [["990100001", "柳岸镇", date(2026, 5, 1), date(2026, 6, 1), "0.5"], ["12", "", "", "", ""]]
    assert [row.number for row in read_table(data).rows] == [2, 3]


@pytest.mark.parametrize(("kept", "read"), [
    (330521001001000000, "3.30521E+17"), (3.30521001001e17, "3.30521E+17"), (330521001001000, "330521001001000"), (True, "True"),
])
def test_a_code_too_long_for_a_number_is_not_taken_for_another(kept, read):
    """Excel keeps fifteen digits of a number: …000123 and …000456 were both read as …000000, which is some other reach's code."""
    assert values(xlsx(["code"], [kept])) == [[read]]
    assert values(features(({"code": 330521001001000123}, None))) == [["330521001001000123"]]


def test_geojson_rows_are_numbered_from_one_and_numbers_become_codes():
    line = {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}
    table = read_table(b"\xef\xbb\xbf" + features(({"Code": 7.0, "name": None}, line), ({"code": 8}, None)))
    assert table.columns == ["code", "name", "geometry"]
    assert [(row.number, row.values, row.geometry) for row in table.rows] == [
        (1, {"code": "7", "name": ""}, line), (2, {"code": "8"}, None)]


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4490", "EPSG:4326"])
def test_geojson_may_name_degrees(name):
    assert values(features(({"code": "1"}, None), crs={"type": "name", "properties": {"name": name}})) == [["1"]]


@pytest.mark.parametrize(("data", "says"), [
    (b"", "empty"), (b" \n ", "empty"), (b"\xd0\xcf\x11\xe0rest", "old Excel"), (b"PK\x03\x04rest", "valid XLSX"),
    (b"\xff\xfe\x00\xd8", "UTF-8"), (b'code,name\n"1,2\n3', "valid CSV"), (b"{", "valid JSON"), (b"[1]", "FeatureCollection"),
    (b'{"type": "Feature"}', "FeatureCollection"), (b'{"type":"FeatureCollection","features":1}', "FeatureCollection"),
    (b"code,,name\n1,2,3\n", "column names"), (b"code,code\n1,2\n", "twice"), (b",".join([b"c%d" % n for n in range(101)]), "100 columns"),
    (features(({"code": 1}, None), crs={"properties": {"name": "EPSG:4549"}}), "EPSG:4549"), (features(crs="x"), "longitude"),
])
def test_unreadable_files_say_why(data, says):
    assert says in refusal(data)


@pytest.mark.parametrize(("data", "says"), [
    (b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"></kml>', "KML"), (b"<gpx/>", "GPX"), (b"<html><table></table></html>", "另存为 .xlsx"),
    (b'code,name\n"1,2\n3', "双引号没有成对"), (b'code,name\n"1"x,2\n', "分隔符"), (b'{"type": "Feature', "第 1 行第"),
])
def test_what_is_wrong_with_a_file_is_told_in_chinese(data, says):
    with pytest.raises(Invalid) as caught:
        read_table(data)
    told = caught.value.detail.zh
    assert says in told
    assert not any(word in told for word in ("unexpected", "expected", "end of", "error"))


@pytest.mark.parametrize(("name", "kind"), [("doc.kml", "KMZ"), ("reaches.SHP", "shapefile")])
def test_zipped_maps_are_told_apart_from_workbooks(name, kind):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, b"x")
    assert f"{kind} file" in refusal(made.getvalue())


def archive_of(*names):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"<x/>")
    return made.getvalue()


@pytest.mark.parametrize(("data", "kind"), [
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"), (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG"), (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
    (b"Rar!\x1a\x07\x01\x00", "RAR"), (b"SQLite format 3\0rest", "GeoPackage / SQLite"), (b"{\\rtf1\\ansi x}", "RTF"),
    (archive_of("[Content_Types].xml", "word/document.xml"), "Word"), (archive_of("[Content_Types].xml", "ppt/presentation.xml"), "PowerPoint"),
    (archive_of("mimetype", "content.xml"), "OpenDocument"), (archive_of("清单.csv"), "ZIP"),
])
def test_files_of_other_programs_are_told_by_what_is_in_them(data, kind):
    with pytest.raises(Invalid) as caught:
        read_table(data)
    assert caught.value.detail.zh.startswith(f"这是 {kind} 文件，不是 CSV、XLSX 或 GeoJSON")
    assert caught.value.detail.en.startswith(f"This is a {kind} file")


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setattr(import_files, "MOST_ROWS", 1)
    assert "1 rows" in refusal(CSV.encode())
    assert "1 rows" in refusal(features(({}, None), ({}, None)))
    monkeypatch.setattr(import_files, "LARGEST_FILE_BYTES", 10)
    with pytest.raises(TooLarge):
        read_table(CSV.encode())


def rezipped(change) -> bytes:
    made, source = io.BytesIO(), zipfile.ZipFile(io.BytesIO(xlsx(["code"], ["1"])))
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for part in source.infolist():
            target.writestr(part.filename, change(part.filename, source.read(part)))
    return made.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(openpyxl, "load_workbook", None)
    bomb = rezipped(lambda name, content: content + b" " * 210_000_000 if name.endswith("sheet1.xml") else content)
    assert len(bomb) < 1_000_000
    assert "unpacks" in refusal(bomb)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_dtd_is_refused(encoding):
    lol = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    evil = rezipped(lambda name, content: (f'<?xml version="1.0" encoding="{encoding}"?>{lol}<x/>'.encode(encoding)
                                           if name.endswith("sheet1.xml") else content))
    assert "DTD" in refusal(evil)


def test_a_sheet_that_claims_a_far_row_ends_soon():
    far = rezipped(lambda name, content: content.replace(b'r="1"', b'r="999999999"') if name.endswith("sheet1.xml") else content)
    assert "at most" in refusal(far)
