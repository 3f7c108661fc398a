"""Shared boundaries: which other reaches run along the same water, so that both sides must see what happens there."""

import shapely

from patrol.foundation.geometry import Geometry, metres_per_mercator_unit, project_array

# Two registers draw the same bank or centre line this far apart at most.
APART_M = 30.0
# Consecutive reaches only touch at their ends; a shared one runs along at least half of the shorter.
SHARE_OF_LINE = 0.5
# Parts of one lake meet along a dividing line that may be short against their shores.
LEAST_SHARED_M = 100.0


def shared_m(one: Geometry, other: Geometry) -> float:
    """Return along how many metres of `one` (its shore, for an area) `other` runs within 30 m; lon/lat geometries."""
    latitude = float(shapely.get_coordinates(one)[0, 1])
    scale = metres_per_mercator_unit(latitude)
    mine, theirs = (_line(shapely.transform(shape, project_array)) for shape in (one, other))
    return float(shapely.length(shapely.intersection(mine, shapely.buffer(theirs, APART_M / scale)))) * scale


def is_shared(one: Geometry, other: Geometry) -> bool:
    """Tell whether two reaches of the same water, given as lon/lat lines or areas, run along each other."""
    forth, back = shared_m(one, other), shared_m(other, one)
    if shapely.get_dimensions(one) == shapely.get_dimensions(other) == 2:
        return min(forth, back) >= LEAST_SHARED_M
    return any(
        length >= SHARE_OF_LINE * _length_m(shape) and shapely.get_dimensions(shape) == 1
        for length, shape in ((forth, one), (back, other))
    )


def _line(shape: Geometry) -> Geometry:
    return shapely.boundary(shape) if shapely.get_dimensions(shape) == 2 else shape


def _length_m(shape: Geometry) -> float:
    scale = metres_per_mercator_unit(float(shapely.get_coordinates(shape)[0, 1]))
    return float(shapely.length(shapely.transform(_line(shape), project_array))) * scale


def may_share(path: str, bank: str, other_path: str, other_bank: str) -> bool:
    """Tell whether two reaches can be two sides of a boundary: opposite banks, or regions of which none holds the other.

    A township's reach on top of its own village's is the same water once more, no boundary.
    """
    if {bank, other_bank} == {"left", "right"}:
        return True
    return not (path.startswith(other_path) or other_path.startswith(path))
