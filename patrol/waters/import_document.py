"""docs/imports.md: which columns each register file has, generated from the table that reads them."""

from patrol.foundation.service import document_named
from patrol.people.departments import DEPARTMENTS
from patrol.waters.import_columns import COLUMNS, GIS_COLUMNS, WITH_GEOMETRY, Column, ImportKind
from patrol.waters.import_words import ASIDES, HEADINGS, column_of, roles_in_words
from patrol.waters.terms import BANKS, KINDS, LEVELS, TARGET_CLASSES

_GEOMETRY = {
    ImportKind.REGIONS: "Polygon or MultiPolygon: the outline; may be missing",
    ImportKind.WATER_BODIES: "any; may be missing",
    ImportKind.REACHES: "LineString or MultiLineString; Polygon or MultiPolygon for lakes",
}
_MEANING = {
    "code": "unique, stays the same for ever", "name": "as people read it", "level": ", ".join(LEVELS),
    "parent_code": "empty only for the top of the tree", "kind": ", ".join(KINDS), "target_class": ", ".join(TARGET_CLASSES),
    "water_body_code": "of a water body imported before", "region_code": "of a region imported before",
    "bank": f"{', '.join(BANKS)}; `both` when empty", "tolerance_m": "metres beside the line that still count; the setting when empty",
    "username": "letters, digits, `. _ @ + -`", "phone": "a telephone number; keep the column as text, or a spreadsheet writes `1.38E+10`",
    "roles": f"{roles_in_words().en}; several with `;`, `,`, `；`, `，` or `、`; 村级河长, 镇级河长 and the like are `chief`: the level comes from the region",
    "title": "post; `chief` when empty in appointments; nobody is chief of one reach twice in the same days, under whatever titles; "
    "a deputy (副河长, `deputy`) answers only while no chief proper can", "department": ", ".join(DEPARTMENTS),
    "password": "set only for accounts that have none yet, never changed: rows that bring another are named in `warnings`", "reach_code": "of a reach imported before",
    "valid_from": "a day such as 2026-05-01; a wrong one is not corrected but ended: a row with the wrong day and a `valid_to`, and the "
    "right days, which must not overlap, as a row of its own; of an appointment that has not begun see `former_valid_from`",
    "valid_to": "the last day, included; empty: until further notice",
    "former_valid_from": "only to correct the first day of an appointment that has not begun by today: the first day as it is stored; `valid_from` is the right one",
    "latitude": "degrees, WGS 84 or CGCS2000; no projected metres", "longitude": "degrees, WGS 84 or CGCS2000; no projected metres",
}


@document_named("imports.md")
def imports_document() -> str:
    """Render the document: one table for each kind of file."""
    lines = [
        "# Imports", "",
        "CSV (UTF-8 or GB18030), XLSX (first sheet) or GeoJSON (RFC 7946); the content decides, not the file's name. Columns "
        "have the English names below or one of the Chinese ones; in GeoJSON they are properties. For fixed values the Chinese "
        "words may stand too (村级, 左岸, 河长 …). Blanks in a heading and marks of what must be filled (`名称(必填)`, `级别*`, `编 码`) do not "
        "matter; in codes, user names, numbers, days, telephones and fixed values neither do full-width digits and letters (９９０１) nor the "
        "apostrophe by which a spreadsheet keeps a number as text (`'990100`). Generated from `patrol/waters/import_columns.py`.", "",
        "`flask --app app import KIND FILE [--dry-run]`, or `POST /api/v1/imports`. All or nothing: with any fault nothing is "
        "written, and all faults of all rows come in one answer. A dry run answers 200 with them; "
        "its command ends with 1, like the import's, which answers 422. Columns that GIS programs add by themselves are ignored "
        f"({', '.join(sorted(GIS_COLUMNS))}); a clerk's own columns are passed over and named in `warnings` "
        f"({', '.join(sorted(ASIDES))}); any other unknown column is a fault. Beside the `field` of each fault stands "
        "its `heading`, the column as the file calls it. KML, GPX, GML and zipped shapefiles are saved as GeoJSON first.", "",
        "The `row` of a fault, warning or change is counted as the file shows it: in CSV and XLSX the headings are row 1, so that the first row of "
        "data is 2, and empty rows count; a cell with line breaks is one row. In GeoJSON the first feature is 1. What is wrong with a column as a whole has row 1.", "",
        "Rows that look wrong and need not be are named in `warnings`, of a dry run too, and are imported all the same: a region of the "
        "same level as its superior, or more than one level is left out between them (of a higher level is a fault); a reach of a higher level "
        "than its region, or drawn far from that region's outline; an appointment after whose end nobody answers for the reach; a chief whose account works at another "
        "level than the reach, or beside another chief in the same days; a board far from its reach; a password that is not taken over.", "",
    ]
    for kind in ImportKind:
        lines += [f"## {kind}", "", "| column | 列名 | needed | what |", "|---|---|---|---|"]
        lines += [_row(column, kind) for column in COLUMNS[kind]]
        if kind in WITH_GEOMETRY:
            lines.append(f"| geometry | | {'yes' if kind is ImportKind.REACHES else ''} | {_GEOMETRY[kind]} |")
        lines.append("")
    return "\n".join(lines)


def _row(column: Column, kind: ImportKind) -> str:
    known = frozenset(other.name for other in COLUMNS[kind])
    said = [heading for heading in HEADINGS[column.name] if column_of(heading, known) == column.name]
    return f"| `{column.name}` | {'、'.join(said)} | {'yes' if column.required else ''} | {_MEANING[column.name]} |"
