"""The plan for regions: a tree whose rows may come in any order and may move whole branches."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from patrol.foundation.database import db, new_id
from patrol.foundation.geometry import to_wkb
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.waters.import_columns import Fault, ImportRow
from patrol.waters.import_plan import Planned, found, named
from patrol.waters.odd_levels import impossible_regions

LONGEST_PATH = 200
_NO_PARENT = Text("没有代码为 {code} 的上级行政区", "There is no region {code} to be the parent")
_CYCLE = Text("行政区 {code} 会成为自己的上级", "The region {code} would be its own superior")
_TOO_DEEP = Text("行政区层级过深", "The regions are nested too deep")
_TOP = Text(
    "请填写行政区 {code} 的上级代码：没有上级的行政区不在您的管辖范围内",
    "Give the code of the superior of region {code}: one without a superior is outside your area",
)
_OUTSIDE = Text("行政区 {code} 不在您的管辖范围内", "The region {code} is outside your area")


def plan_regions(rows: list[ImportRow], by: Actor, faults: list[Fault]) -> list[Planned]:
    """Return what shall become of each row, superiors first; adds to `faults` missing parents, cycles and foreign rows."""
    stored = {row.code: row for row in found(select(Region).options(undefer(Region.outline)), Region.code, named(rows, "code"))}
    ids, parents = _stored_tree()
    adrift = _hang_in(rows, ids, parents)
    planned = []
    for row in rows:
        values = {name: value for name, value in row.values.items() if name != "parent_code"}
        code = values.get("code", "")
        existing, parent = stored.get(code), row.values.get("parent_code", parents.get(code))
        path = path_of(code, parents) if code else ""
        wrong = _fault(row, path, None if existing is None else existing.path, parent, parents, by)
        if wrong and isinstance(path, str) and adrift.intersection(path.split("/")):
            wrong = None
        if wrong or row.unreadable or not isinstance(path, str):
            faults += [wrong] if wrong else []
            continue
        values["parent_id"] = None if parent is None else ids[parent]
        if row.geometry is not None:
            values["outline"] = to_wkb(row.geometry)
        derived = {"path": path} | ({"id": ids[code]} if existing is None else {})
        planned.append(Planned(row.number, code, Region, existing, values, derived))
    faults += impossible_regions(planned)
    return sorted(planned, key=lambda item: len(item.derived["path"].split("/")))


def _hang_in(rows: list[ImportRow], ids: dict[str, UUID], parents: dict[str, str | None]) -> set[str]:
    """Put the file's regions into the tree; return the new ones whose place is not known, since their parent is unreadable."""
    adrift = set()
    for row in rows:
        code = row.values.get("code")
        # Of a code that stands in the file twice the first row counts; the second is a fault already.
        if code is None or "" in row.unreadable:
            continue
        if code not in parents and "parent_code" in row.unreadable:
            adrift.add(code)
        ids.setdefault(code, new_id())
        parents.setdefault(code, None)
        if "parent_code" in row.values:
            parents[code] = row.values["parent_code"]
    return adrift


def _stored_tree() -> tuple[dict[str, UUID], dict[str, str | None]]:
    tree = db.session.execute(select(Region.code, Region.id, Region.parent_id)).all()
    code_of = {region_id: code for code, region_id, _ in tree}
    parents = {code: code_of[parent] if parent else None for code, _, parent in tree}
    return {code: region_id for code, region_id, _ in tree}, parents


def _fault(
    row: ImportRow, path: str | Text | None, path_before: str | None, parent: str | None, parents: Mapping[str, str | None], by: Actor
) -> Fault | None:
    if parent is not None and parent not in parents:
        return Fault(row.number, "parent_code", _NO_PARENT.format(code=parent))
    if isinstance(path, Text):
        return Fault(row.number, "parent_code", path)
    # Without a readable code, and below a circle, nobody knows where the region lies; the circle's own rows are told of it.
    if "code" in row.unreadable or path is None:
        return None
    if path_before is None and parent is None and not by.covers(path):
        return Fault(row.number, "parent_code", _TOP.format(code=row.values["code"]))
    if not by.covers(path_before or path):
        return Fault(row.number, "code", _OUTSIDE.format(code=row.values["code"]))
    if not by.covers(path):
        return Fault(row.number, "parent_code", _OUTSIDE.format(code=row.values["code"]))
    return None


def path_of(code: str, parents: Mapping[str, str | None]) -> str | Text | None:
    """Return the path of a region in the tree of `parents`, "/top/…/code/", or what is wrong with it; None below a circle of others."""
    chain: list[str] = []
    above: str | None = code
    length = 1
    while above is not None:
        if above in chain:
            return _CYCLE.format(code=code) if above == code else None
        chain.append(above)
        length += len(above) + 1
        if length > LONGEST_PATH:
            return _TOO_DEEP
        above = parents.get(above)
    return "/" + "/".join(reversed(chain)) + "/"


def settle_paths() -> None:
    """Write the paths of all regions whose branch has moved, those that no file mentions included."""
    rows = db.session.execute(select(Region.code, Region.id, Region.parent_id, Region.path)).all()
    code_of = {region_id: code for code, region_id, _, _ in rows}
    parents = {code: code_of[parent] if parent else None for code, _, parent, _ in rows}
    paths = [(region_id, path, path_of(code, parents)) for code, region_id, _, path in rows]
    moved = [{"id": region_id, "path": path} for region_id, before, path in paths if path != before]
    if moved:
        db.session.execute(update(Region), moved)
        db.session.expire_all()
