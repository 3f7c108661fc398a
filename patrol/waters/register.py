"""The registers in memory: the index of reaches and the map of regions, built once for each state of the registers.

A row of the database names the state that the registers are in. Each request compares it with the state of what this
process holds and builds anew when it has moved. The names are random: counted ones would repeat after a rollback or a
restored backup, and a process would take what it holds for current.
"""

import secrets
import threading
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import func, select

from patrol.foundation.database import db
from patrol.foundation.geometry import metres_per_mercator_unit, project, project_array
from patrol.people.models import Region
from patrol.waters.models import Reach, RegisterVersion
from patrol.waters.reach_index import IndexedReach, ReachIndex

T = TypeVar("T")
# A place this far outside every outline still belongs to the nearest region: outlines are drawn coarsely.
NEAREST_REGION_M = 20_000.0


class RegionMap:
    """The outlines of all regions by place; never changes once built."""

    def __init__(self, rows: list[tuple[UUID, bytes]]) -> None:
        """Build from (region id, outline as WKB, lon/lat) in any order."""
        self._ids = [region_id for region_id, _ in rows]
        outlines = np.array(shapely.from_wkb([outline for _, outline in rows]), dtype=object)
        outlines = shapely.transform(outlines, project_array)
        shapely.prepare(outlines)
        self._areas = shapely.area(outlines)
        self._tree = shapely.STRtree(outlines)

    def at(self, latitude: float, longitude: float) -> UUID | None:
        """Return the smallest region that contains a WGS 84 place, else the nearest within 20 km, else None."""
        here = shapely.Point(project(latitude, longitude))
        hits = self._tree.query(here, predicate="intersects")
        if not hits.size:
            farthest = NEAREST_REGION_M / metres_per_mercator_unit(latitude)
            hits = self._tree.query_nearest(here, max_distance=farthest)
        if not hits.size:
            return None
        smallest: int = min(hits.tolist(), key=lambda hit: (self._areas[hit], self._ids[hit]))
        return self._ids[smallest]


class _Held(NamedTuple, Generic[T]):
    state: tuple[object, ...]
    content: T


class _Keeper(Generic[T]):
    """Holds one thing built from the registers; of several threads that need it anew, one builds and the rest wait."""

    def __init__(self, build: Callable[..., T]) -> None:
        self._build, self._lock = build, threading.Lock()
        self._held: _Held[T] | None = None

    def peek(self, *arguments: object) -> tuple[T, int] | None:
        """Return what is held for these arguments and the register's state it was built from, without asking."""
        held = self._held
        # What was built while the registers had no state yet proves nothing: their first state may look the same.
        current = held is not None and held.state[0] is not None and held.state[1:] == arguments
        return (held.content, held.state[0]) if held and current else None  # type: ignore[return-value]

    def get(self, version: int | None, *arguments: object) -> T:
        """Return the content for the register's state `version`; built each time while the registers have no state."""
        state = (version, *arguments)
        held = self._held
        if held and held.state == state and version is not None:
            return held.content
        with self._lock:
            held = self._held
            if held is None or held.state != state or version is None:
                held = self._held = _Held(state, self._build(*arguments))
            return held.content


def _build_index(tolerance_default_m: float) -> ReachIndex:
    tolerance = func.coalesce(Reach.tolerance_m, tolerance_default_m)
    rows = db.session.execute(select(Reach.id, Reach.geometry, tolerance).where(Reach.retired_at.is_(None)))
    return ReachIndex(IndexedReach(reach_id, bytes(geometry), float(own)) for reach_id, geometry, own in rows)


def _build_region_map() -> RegionMap:
    rows = db.session.execute(select(Region.id, Region.outline).where(Region.outline.is_not(None)))
    return RegionMap([(region_id, bytes(outline)) for region_id, outline in rows if outline is not None])


_index: _Keeper[ReachIndex] = _Keeper(_build_index)
_regions: _Keeper[RegionMap] = _Keeper(_build_region_map)


def current_index(tolerance_default_m: float) -> ReachIndex:
    """Return the index of all reaches as the register stands now; reaches without a tolerance have the default one."""
    return _index.get(db.session.scalar(select(RegisterVersion.reaches)), float(tolerance_default_m))


def held_index(tolerance_default_m: float) -> tuple[ReachIndex, int] | None:
    """Return the index that this process holds, and its state, without asking the database whether it is current."""
    return _index.peek(float(tolerance_default_m))


def current_region_map() -> RegionMap:
    """Return the outlines of all regions as the register stands now."""
    return _regions.get(db.session.scalar(select(RegisterVersion.regions)))


def warm_index(tolerance_default_m: float) -> None:
    """Build what requests need before a server forks its workers, so that they share it; leaves no connection open."""
    current_index(tolerance_default_m)
    current_region_map()
    db.session.remove()
    db.engine.dispose()


def register_changed(*, reaches: bool = True, regions: bool = False) -> None:
    """Let every process know, once the transaction under way is committed, that reaches or regions have changed."""
    row = db.session.get(RegisterVersion, 1, with_for_update=True)
    if row is None:
        row = RegisterVersion(id=1, reaches=_fresh(), regions=_fresh())
        db.session.add(row)
    row.reaches = _fresh() if reaches else row.reaches
    row.regions = _fresh() if regions else row.regions
    db.session.flush()


def _fresh() -> int:
    return secrets.randbits(62)
