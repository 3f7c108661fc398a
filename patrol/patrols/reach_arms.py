"""Which cells of a reach show each other: arms of a braided river across an island, and water drawn twice. Pure.

Who walks beside one arm of a small braided river sees the other as well. Arms are told from all else by the island
between them: water that parts and meets again encloses one. A tributary encloses nothing, and neither do the limbs of a
meander. Where lines lie one upon the other, whole or in part, there is one water: who walked the one walked the other.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from patrol.foundation.geometry import Floats, Geometry
from patrol.patrols.coverage_policy import CoveragePolicy
from patrol.patrols.reach_line import Flags, Indices, ReachLine
from patrol.patrols.reach_meetings import Meetings

# How exactly lines are taken to enclose an island, and a place to lie on its edge, in metres.
_GRID_M, _ON_EDGE_M = 0.1, 1.0


@dataclass(frozen=True)
class Arms:
    """Pairs of cells across an island from each other or of one place, columns of equal length: who was at `cell` saw `across`."""

    cell: Indices
    across: Indices

    def seen_from(self, cells: Flags) -> Flags:
        """Return these cells and those across an island from any of them. What is only seen shows nothing further."""
        seen = cells.copy()
        seen[self.across[cells[self.cell]]] = True
        return seen


def arms_of(line: ReachLine, meetings: Meetings, policy: CoveragePolicy) -> Arms:
    """Return the arms of a reach whose parts meet so; a lake's shores are none."""
    alone = Arms(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    if line.area is not None or not (len(meetings.part) or len(meetings.joints) or line.ring.any()):
        return alone
    noded = shapely.union_all(np.concatenate([line.drawn, meetings.joints]), grid_size=_GRID_M)
    islands = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    return _arms(line, islands, meetings, policy)


def _arms(line: ReachLine, islands: Geometry, meetings: Meetings, policy: CoveragePolicy) -> Arms:
    """Return the pairs of cells on edges of islands that lie near enough, in long enough runs, with an island between.

    The middle of a cell stands for it. Near is told to the metre, as rivers are not drawn more exactly. Where another line,
    or the same one on its way back, runs within `meet_m` it is the same water, and needs no island.
    """
    begin_m, end_m = line.cell_edges
    middle_m = (begin_m + end_m) / 2
    own = np.searchsorted(line.segment_measure, middle_m, side="right") - 1
    own_part, place = line.segment_part[own], line.on(middle_m, own)
    on_edge = _near(shapely.boundary(islands), place, _ON_EDGE_M)
    cell, segment = line.tree.query(shapely.points(place), "dwithin", distance=policy.arms_apart_m + 0.5)
    order = np.lexsort((segment, cell))
    cell, segment = cell[order], segment[order]
    other_m, off_m = line.projected(place[cell, 0], place[cell, 1], segment)
    part, there = line.segment_part[segment], line.on(other_m, segment)
    # Lines join in the order given, so that both arms may be one part: then others meet it in between, or it runs round the
    # island and closes. Its other side is told from the cell's own surroundings by the way round.
    closes = line.ring.copy()
    closes[meetings.part[meetings.part == meetings.other_part]] = True
    met_m = np.sort(meetings.other_m)
    between = np.searchsorted(met_m, middle_m[cell]) != np.searchsorted(met_m, other_m)
    around = line.along(middle_m[cell], other_m, part) > 1.5 * off_m
    found = (part != own_part[cell]) | (around & (between | closes[part]))
    found &= line.local_minima(cell, segment, off_m)
    twice = found & (off_m <= policy.meet_m)
    found &= on_edge[cell]
    found[found] &= _near(shapely.boundary(islands), there[found], _ON_EDGE_M)
    found[found] &= _near(islands, (place[cell] + there)[found] / 2, 0.5)
    found |= twice
    across, other_m, part = cell[found], other_m[found], part[found]
    matched = line.no_cells
    matched[across] = True
    starts = matched & np.append(True, ~matched[:-1] | (np.diff(own_part) != 0))
    run = np.cumsum(starts)
    run_m = np.bincount(run[matched], weights=(end_m - begin_m)[matched], minlength=len(matched) + 1)[run]
    # Where water parts at an angle the first metres are near, however wide the island is: these runs are short.
    long = (run_m + 1e-6 >= np.minimum(policy.arms_least_m, line.part_lengths[own_part]))[across]
    return Arms(line.cell_of(other_m, part)[long], across[long])


def _near(shapes: Geometry, places: Floats, within_m: float) -> Flags:
    """Tell which places (n, 2) lie within some metres of any of the shapes."""
    found: Flags = np.zeros(len(places), dtype=bool)
    found[shapely.STRtree(shapes).query(shapely.points(places), "dwithin", distance=within_m)[0]] = True
    return found
