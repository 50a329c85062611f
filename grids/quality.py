"""The quality card of a partition: what is wrong with it, where, and how far it keeps to the streets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import shapely

from core.errors import InvalidInput
from grids.block_borders import on_line
from grids.built_up import BuiltUp
from grids.lattice import Geometries
from grids.seams import share_vertices

IN_RANGE_M2 = (2_000.0, 30_000.0)
"""Sizes that a unit grid of 10,000 m² by custom may have."""
SLIVER_M2 = 500.0
_SEEN_M2 = 1e-3
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place: area in m², a point of it in the metric CRS, and the cells by their row from 1."""

    area_m2: float
    x: float
    y: float
    cells: tuple[int, ...] = ()


@dataclass(frozen=True)
class Quality:
    """What `check_cells` found.

    Attributes
    ----------
    gaps, overlaps, slivers
        Ground in no cell, ground in two cells, cells below `SLIVER_M2`; the largest hundred of each.
    counts
        How many there are of each in all.
    invalid
        Rows (from 1) that are no valid polygon, with the reason; they take part in nothing else.
    share_in_range
        Share of the built-up area in cells of `IN_RANGE_M2`; None without streets.
    border_on_line
        Share of the inner border on a street, path, railway, river or community line; None without streets.
    border_on_street
        The same without the paths.
    """

    cells: int
    area_m2: float
    median_m2: float
    compactness: float
    gaps: tuple[Fault, ...]
    overlaps: tuple[Fault, ...]
    slivers: tuple[Fault, ...]
    invalid: tuple[tuple[int, str], ...]
    counts: dict[str, int]
    share_in_range: float | None
    border_on_line: float | None
    border_on_street: float | None

    @property
    def sound(self) -> bool:
        """Return whether there is no gap, no overlap and no invalid cell."""
        return not (self.counts["gaps"] or self.counts["overlaps"] or self.invalid)

    def as_dict(self) -> dict[str, Any]:
        """Return all by name, the numbers of faults instead of the faults, and these under ``faults``."""
        facts = asdict(self)
        faults = {name: facts.pop(name) for name in ("gaps", "overlaps", "slivers")}
        facts["invalid"] = len(self.invalid)
        return {
            **{key: value for key, value in facts.items() if key != "counts"},
            **self.counts,
            "faults": {**faults, "invalid": [list(each) for each in self.invalid]},
        }


def check_cells(
    cells: Geometries,
    *,
    lines: Geometries | None = None,
    paths: Geometries | None = None,
    built_up: BuiltUp | None = None,
    boundary: shapely.Geometry | None = None,
) -> Quality:
    """Return the quality card of cells given in a CRS in metres.

    Parameters
    ----------
    lines
        Streets, railways, rivers and community lines in the same CRS.
    paths
        Smaller ways, which tell apart `Quality.border_on_line` and `Quality.border_on_street`.
    built_up
        Where the town is; None measures it from the lines.
    boundary
        What the cells should cover; None takes the outline of the cells, so that gaps are only holes.
    """
    if len(cells) == 0:
        raise InvalidInput("There is no cell to check.")
    polygonal = np.isin(shapely.get_type_id(cells), [3, 6])
    good = polygonal & shapely.is_valid(cells) & ~shapely.is_empty(cells)
    reasons = [
        (int(row) + 1, shapely.is_valid_reason(cells[row]) if polygonal[row] else "no polygon")
        for row in np.flatnonzero(~good)
    ]
    row = np.flatnonzero(good) + 1
    kept = cells[good]
    area = shapely.area(kept)
    union = shapely.union_all(kept)
    gaps = _gaps(union, boundary)
    overlaps = _overlaps(kept, row)
    small = np.flatnonzero(area < SLIVER_M2)
    slivers = [_fault(kept[each], (int(row[each]),)) for each in small]
    in_range = on = strict = None
    if lines is not None and len(lines) and len(kept):
        town = built_up or BuiltUp.of(lines)
        lawful = (area >= IN_RANGE_M2[0]) & (area <= IN_RANGE_M2[1])
        whole = float(town.area_in(np.array([union])).sum())
        in_range = float(town.area_in(kept[lawful]).sum()) / whole if whole else None
        outline = boundary if boundary is not None else union
        parts = share_vertices(shapely.get_parts(kept))
        on = strict = on_line(parts, shapely.STRtree(lines), outline).on_line_share
        if paths is not None and len(paths):
            on = on_line(parts, shapely.STRtree(np.concatenate([lines, paths])), outline).on_line_share
    round_share = 4 * np.pi * area / np.maximum(shapely.length(kept), 1e-9) ** 2
    return Quality(
        cells=len(cells),
        area_m2=float(shapely.area(union)),
        median_m2=float(np.median(area)) if len(area) else 0.0,
        compactness=float(np.average(round_share, weights=area)) if len(area) else 0.0,
        gaps=_worst(gaps),
        overlaps=_worst(overlaps),
        slivers=_worst(slivers),
        invalid=tuple(reasons[:_SHOWN]),
        counts={"gaps": len(gaps), "overlaps": len(overlaps), "slivers": len(slivers)},
        share_in_range=in_range,
        border_on_line=on,
        border_on_street=strict,
    )


def _gaps(union: shapely.Geometry, boundary: shapely.Geometry | None) -> list[Fault]:
    """Return ground inside the boundary that no cell covers."""
    if boundary is not None:
        rest = shapely.get_parts(shapely.difference(boundary, union))
    else:
        outer = [shapely.Polygon(shapely.get_exterior_ring(part)) for part in shapely.get_parts(union)]
        rest = shapely.get_parts(shapely.difference(shapely.union_all(outer), union))
    return [_fault(each) for each in rest if shapely.area(each) > _SEEN_M2]


def _overlaps(cells: Geometries, row: np.ndarray) -> list[Fault]:
    left, right = shapely.STRtree(cells).query(cells, predicate="intersects")
    left, right = left[left < right], right[left < right]
    common = shapely.intersection(cells[left], cells[right])
    return [
        _fault(common[each], (int(row[left[each]]), int(row[right[each]])))
        for each in np.flatnonzero(shapely.area(common) > _SEEN_M2)
    ]


def _fault(shape: shapely.Geometry, cells: tuple[int, ...] = ()) -> Fault:
    at = shapely.point_on_surface(shape)
    return Fault(round(float(shapely.area(shape)), 3), float(shapely.get_x(at)), float(shapely.get_y(at)), cells)


def _worst(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: -fault.area_m2)[:_SHOWN])
