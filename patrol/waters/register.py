"""The registers in memory: the index of reaches and the map of regions, built once for each state of the registers.

A row of the database names the state that the registers are in. Each request compares it with the state of what this
process holds and builds anew when it has moved. The names are random: counted ones would repeat after a rollback or a
restored backup, and a process would take what it holds for current.
"""

from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import func, select

from patrol.foundation.database import db
from patrol.foundation.geometry import metres_per_mercator_unit, project, project_array
from patrol.foundation.keeping import Keeper, fresh_state
from patrol.people.models import Region
from patrol.waters.models import Reach, RegisterVersion
from patrol.waters.reach_index import IndexedReach, ReachIndex

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

    def __len__(self) -> int:
        """Return how many regions have an outline."""
        return len(self._ids)

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


def _build_index(tolerance_default_m: float) -> ReachIndex:
    tolerance = func.coalesce(Reach.tolerance_m, tolerance_default_m)
    rows = db.session.execute(select(Reach.id, Reach.geometry, tolerance).where(Reach.retired_at.is_(None)))
    return ReachIndex(IndexedReach(reach_id, bytes(geometry), float(own)) for reach_id, geometry, own in rows)


def _build_region_map() -> RegionMap:
    rows = db.session.execute(select(Region.id, Region.outline).where(Region.outline.is_not(None)))
    return RegionMap([(region_id, bytes(outline)) for region_id, outline in rows if outline is not None])


_index: Keeper[ReachIndex] = Keeper(_build_index)
_regions: Keeper[RegionMap] = Keeper(_build_region_map)


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


def hold_registers() -> None:
    """Let imports come one after another: whoever asks waits until no other one is under way, and then sees what that one wrote."""
    db.session.execute(select(RegisterVersion.id).where(RegisterVersion.id == 1).with_for_update())


def register_changed(*, reaches: bool = True, regions: bool = False) -> None:
    """Let every process know, once the transaction under way is committed, that reaches or regions have changed."""
    row = db.session.get(RegisterVersion, 1, with_for_update=True)
    if row is None:
        row = RegisterVersion(id=1, reaches=fresh_state(), regions=fresh_state())
        db.session.add(row)
    row.reaches = fresh_state() if reaches else row.reaches
    row.regions = fresh_state() if regions else row.regions
    db.session.flush()
