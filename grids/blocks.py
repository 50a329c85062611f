"""Cutting communities into street blocks: cells whose borders are the streets, railways and rivers themselves."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from core.errors import DataQuality, InvalidInput
from core.progress import Progress, Silent
from grids.block_borders import on_line
from grids.block_cuts import chords, extensions
from grids.block_merge import Rules, merged
from grids.built_up import BuiltUp
from grids.codes import reading_order
from grids.lattice import Geometries, Ints
from grids.partition import MOST_CELLS, check_areas
from grids.seams import share_vertices

BORDER_KINDS = ("street", "railway", "river")
"""Lines that are borders of cells wherever they close a block."""
INNER_KIND = "path"
"""Lines that only part blocks that would be far too large."""
STREET_CLASSES = (
    *(f"{each}{link}" for each in ("motorway", "trunk", "primary", "secondary", "tertiary") for link in ("", "_link")),
    "unclassified", "residential", "living_street", "pedestrian", "road",
)  # fmt: skip
"""OSM highway values that part blocks wherever they run; other ways do so only where blocks are far too large."""
TARGET_M2 = 10_000.0


@dataclass(frozen=True, slots=True)
class _Network:
    """The lines inside one community: those that make borders, and the paths."""

    borders: Geometries
    paths: Geometries


def street_blocks(
    areas: gpd.GeoDataFrame,
    lines: gpd.GeoDataFrame,
    *,
    target_m2: float = TARGET_M2,
    built_up: BuiltUp,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Return the street blocks of all communities: together they are the communities, to the last corner.

    Streets, railways and rivers are noded with the community line and polygonised; dead ends are
    ignored. A block far above the target with buildings in it is parted along its paths, along its
    dead ends lengthened to the next line, and by shortest cuts; slivers (between the carriageways of
    one street, inside a roundabout) and blocks far below the target join the neighbour with the
    longest shared border in the same community. Paths and cuts are given up again, the least useful first,
    while more than `Rules.off_line_share` of the inner border would lie on no line.

    Parameters
    ----------
    areas
        Columns ``community_id`` and ``geometry`` (polygons of one metric CRS).
    lines
        Columns ``kind`` (`BORDER_KINDS` or `INNER_KIND`) and ``geometry`` (lines) of the same CRS;
        they may cross without a common node, and may reach beyond the communities.
    target_m2
        Area of a block as wished; up to three times as much is left whole.
    built_up
        Where the town is: only there large blocks are parted.

    Returns
    -------
    GeoDataFrame
        One row a cell, ordered by community and sequence: ``community_id``, ``kind`` ("block"),
        ``size_m`` (NaN), ``sequence``, ``area_m2``, ``geometry`` (Polygon). A community without any
        line is one cell.

    Raises
    ------
    InvalidInput
        No CRS in metres, lines of another CRS, no line at all, or a bad target.
    DataQuality
        Communities that are not valid polygons or overlap.
    """
    check_areas(areas)
    _check_lines(areas, lines, target_m2)
    progress = progress or Silent()
    progress.step("Cutting communities along their streets", len(areas))
    rules = Rules.of(target_m2)
    kinds = lines["kind"].to_numpy()
    shapes = shapely.force_2d(lines.geometry.to_numpy())
    tree = shapely.STRtree(shapes)
    communities: list[npt.NDArray[np.int64]] = []
    found: list[Geometries] = []
    for identity, area in zip(areas["community_id"], areas.geometry, strict=True):
        here = np.sort(tree.query(area, predicate="intersects"))
        clipped = shapely.get_parts(shapely.intersection(shapes[here], area), return_index=True)
        parts, owner = clipped
        lineal = (shapely.get_dimensions(parts) == 1) & ~shapely.is_empty(parts)
        parts, which = parts[lineal], kinds[here][owner[lineal]]
        network = _Network(parts[which != INNER_KIND], parts[which == INNER_KIND])
        cells = _blocks_of(area, network, rules, built_up)
        communities.append(np.full(len(cells), int(identity)))
        found.append(cells)
        progress.advance()
    community, cells = np.concatenate(communities), share_vertices(np.concatenate(found))
    if len(cells) > MOST_CELLS:
        raise InvalidInput(
            f"The streets make {len(cells):,} cells; at most {MOST_CELLS:,} are possible.",
            hint="Take a larger target.",
            zh="网格数目过多，请增大目标面积。",
        )
    return _frame(community, cells, rules, areas)


def _blocks_of(area: shapely.Geometry, network: _Network, rules: Rules, built_up: BuiltUp) -> Geometries:
    """Return the cells of one community."""
    base = _noded([shapely.boundary(area), *network.borders])
    blocks = _faces(base, area)
    large = shapely.area(blocks) > rules.most_m2
    large[large] = built_up.share(blocks[large]) > rules.built_share
    edges = base
    if large.any():
        inner = _within(network.paths, blocks[large])
        fine = _noded([*base, *inner]) if len(inner) else base
        edges = _noded([*fine, *extensions(fine, blocks[large])])
        faces = _faces(edges, area)
        cuts = chords(faces, rules, built_up)
        if len(cuts):
            edges = _noded([*edges, *cuts])
    faces = _faces(edges, area)
    quality = on_line(faces, shapely.STRtree(network.borders), area)
    return merged(faces, quality, rules, built_up)


def _noded(lines: list[shapely.Geometry]) -> Geometries:
    """Return the lines cut wherever two meet, each piece once."""
    return np.asarray(shapely.get_parts(shapely.union_all(lines)))


def _faces(edges: Geometries, area: shapely.Geometry) -> Geometries:
    """Return the faces that the edges close inside the area."""
    faces = np.asarray(shapely.get_parts(shapely.polygonize(edges)))
    if len(faces) == 0:
        return np.array([area], dtype=object)
    shapely.prepare(area)
    at = shapely.point_on_surface(faces)
    return np.asarray(faces[shapely.contains_xy(area, shapely.get_x(at), shapely.get_y(at))])


def _within(lines: Geometries, blocks: Geometries) -> Geometries:
    """Return what of the lines lies in the blocks."""
    if len(lines) == 0:
        return lines
    line, block = shapely.STRtree(blocks).query(lines, predicate="intersects")
    parts = shapely.get_parts(shapely.intersection(lines[line], blocks[block]))
    return np.asarray(parts[shapely.get_dimensions(parts) == 1])


def _frame(community: Ints, cells: Geometries, rules: Rules, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    centre = shapely.centroid(cells)
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    # Bands as high as a block of the target: what stands side by side in a street counts from the west.
    row = np.floor(y / np.sqrt(rules.target_m2)).astype(np.int64)
    frame = pd.DataFrame(
        {
            "community_id": community,
            "kind": "block",
            "size_m": np.nan,
            "sequence": reading_order(community, row, x, y),
            "area_m2": shapely.area(cells),
        },
    )
    made = gpd.GeoDataFrame(frame, geometry=cells, crs=areas.crs)
    return made.sort_values(["community_id", "sequence"], ignore_index=True)


def _check_lines(areas: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, target_m2: float) -> None:
    if not (np.isfinite(target_m2) and 100 <= target_m2 <= 1e8):
        raise InvalidInput(f"A block cannot have {target_m2:g} m² as its target.", hint="Give 100 to 100,000,000 m².")
    if len(lines) == 0:
        raise InvalidInput(
            "There is no street to cut along.",
            hint="Load the streets first, or make square cells.",
            zh="没有可供划分的道路，请先载入道路，或改用方格。",
        )
    if lines.crs is None or lines.crs != areas.crs:
        raise InvalidInput("Streets and communities must be in the same CRS in metres.")
    strange = sorted(set(lines["kind"]) - {*BORDER_KINDS, INNER_KIND})
    if strange:
        raise InvalidInput(
            f"There is no line of kind “{strange[0]}”.", hint=f"{', '.join(BORDER_KINDS)}, {INNER_KIND}."
        )
    kind = shapely.get_type_id(lines.geometry.to_numpy())
    wrong = np.flatnonzero(~np.isin(kind, [1, 2, 5]))
    if len(wrong):
        raise DataQuality(
            "Some streets are no lines.",
            [f"row {int(each) + 1}" for each in wrong[:50]],
            hint="Take out what is no line.",
        )
