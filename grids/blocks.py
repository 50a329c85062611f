"""Cutting communities into street blocks: cells whose borders are the streets, railways and rivers themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from core.errors import DataQuality, InvalidInput
from core.progress import Progress, Silent
from grids.block_borders import Borders, on_line
from grids.block_choice import choose
from grids.block_cuts import beyond, chords, closing, extensions
from grids.block_merge import Joining, Rules, dissolved, give_up_needless, take_in_scraps
from grids.block_strips import NEEDLE_M, across, at_rim, inside_streets, to_rim
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
OFF_LINE_SHARE = 0.095
"""Nine tenths of the inner border lie on a line, with a little to spare for how that is measured."""


@dataclass(frozen=True, slots=True)
class _Network:
    """The lines inside one community: those that make borders, and the paths."""

    borders: Geometries
    paths: Geometries
    tracks: Geometries


@dataclass(frozen=True, slots=True)
class _Parted:
    """The blocks of one community: pieces, thin ones, the block of each, which are large, borders between pieces."""

    pieces: Geometries
    thin: npt.NDArray[np.bool_]
    block: Ints
    large: npt.NDArray[np.bool_]
    borders: Borders


def street_blocks(
    areas: gpd.GeoDataFrame,
    lines: gpd.GeoDataFrame,
    *,
    target_m2: float = TARGET_M2,
    built_up: BuiltUp,
    off_line_share: float = OFF_LINE_SHARE,
    along_paths: bool = True,
    buildings: Geometries | None = None,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Return the street blocks of all communities: together they are the communities, to the last corner.

    Streets, railways and rivers are noded with the community line and polygonised; dead ends are
    ignored. Ground inside a street (between carriageways, in a roundabout) and scraps join the
    neighbour with the longest shared border in the same community. A block far above the target
    with buildings in it is parted along its paths, along its dead ends lengthened to the next line,
    and by shortest cuts, from where streets meet and between buildings where that costs little. Of all these
    cuts those stay that bring most of the town into cells of lawful size (a fifth to three times the
    target), as many as ``off_line_share`` allows: see `grids.block_choice`.

    Parameters
    ----------
    areas
        Columns ``community_id`` and ``geometry`` (polygons of one metric CRS).
    lines
        Columns ``kind`` (`BORDER_KINDS` or `INNER_KIND`) and ``geometry`` (lines) of the same CRS;
        they may cross without a common node, and may reach beyond the communities. Where known,
        ``oneway`` (not 0 for streets of one direction), which tells carriageways.
    target_m2
        Area of a block as wished; up to three times as much is left whole.
    built_up
        Where the town is: only there large blocks are parted.
    off_line_share
        At most this share of the border between cells lies on no line: more of it brings more of the town
        into cells of lawful size.
    along_paths
        Whether a border along a path lies on a line; where not, paths count as cuts do.
    buildings
        Outlines that cuts keep out of, where they are known.

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
    (found,) = blocks_at(
        areas,
        lines,
        target_m2=target_m2,
        built_up=built_up,
        off_line_shares=[off_line_share],
        along_paths=along_paths,
        buildings=buildings,
        progress=progress,
    )
    return found


def blocks_at(
    areas: gpd.GeoDataFrame,
    lines: gpd.GeoDataFrame,
    *,
    target_m2: float = TARGET_M2,
    built_up: BuiltUp,
    off_line_shares: Sequence[float],
    along_paths: bool = True,
    buildings: Geometries | None = None,
    progress: Progress | None = None,
) -> list[gpd.GeoDataFrame]:
    """Return the street blocks for each of several shares, cut once: see `street_blocks`."""
    check_areas(areas)
    _check_lines(areas, lines, target_m2)
    for share in off_line_shares:
        if not 0 <= share <= 1:
            raise InvalidInput(f"A share of {share:g} of the border is none.", hint="Give 0 to 1, e.g. 0.1.")
    areas, lines = areas.sort_values("community_id", ignore_index=True), lines.iloc[_order(lines)]
    progress = progress or Silent()
    progress.step("Cutting communities along their streets", len(areas))
    rules = Rules.of(target_m2, off_line_share=0.0, along_paths=along_paths)
    houses = shapely.STRtree([] if buildings is None else buildings)
    kinds = lines["kind"].to_numpy()
    shapes = shapely.force_2d(lines.geometry.to_numpy())
    tree = shapely.STRtree(shapes)
    tracks = _tracks(lines)
    parted: list[_Parted] = []
    for area in areas.geometry:
        here = np.sort(tree.query(area, predicate="intersects"))
        parts, owner = shapely.get_parts(shapely.intersection(shapes[here], area), return_index=True)
        lineal = (shapely.get_dimensions(parts) == 1) & ~shapely.is_empty(parts)
        parts, row = parts[lineal], here[owner[lineal]]
        inner = kinds[row] == INNER_KIND
        network = _Network(parts[~inner], parts[inner], parts[tracks[row]])
        parted.append(_pieces_of(area, network, rules, built_up, houses))
        progress.advance()
    found = []
    progress.step("Choosing which cuts stay")
    for share in off_line_shares:
        cells, community = _joined(parted, areas, replace(rules, off_line_share=share), built_up)
        if len(cells) > MOST_CELLS:
            raise InvalidInput(
                f"The streets make {len(cells):,} cells; at most {MOST_CELLS:,} are possible.",
                hint="Take a larger target.",
                zh="网格数目过多，请增大目标面积。",
            )
        found.append(_frame(community, share_vertices(cells), rules, areas))
    return found


def _pieces_of(
    area: shapely.Geometry, network: _Network, rules: Rules, built_up: BuiltUp, houses: shapely.STRtree
) -> _Parted:
    """Return the blocks of one community, the large ones in pieces."""
    base = _noded([shapely.boundary(area), *network.borders])
    base = _noded([*base, *closing(base)])
    nodes = _nodes(base)
    faces = _faces(base, area)
    line = shapely.boundary(area)
    thin, rim = inside_streets(faces, network.tracks), at_rim(faces, line)
    short = np.concatenate([across(faces[thin & ~rim], nodes), to_rim(faces[rim], nodes, line)])
    if len(short):
        base = _noded([*base, *beyond(short)])
        faces = _faces(base, area)
        thin, rim = inside_streets(faces, network.tracks), at_rim(faces, line)
    natural = shapely.STRtree(network.borders)
    joining = Joining(shapely.area(faces), built_up.area_in(faces), on_line(faces, natural, area))
    take_in_scraps(joining, thin | rim, rules)
    blocks = dissolved(faces, joining.owners())
    large = shapely.area(blocks) > rules.most_m2
    large[large] = built_up.share(blocks[large]) > rules.built_share
    pieces = faces
    if large.any():
        inner = _within(network.paths, blocks[large])
        fine = _noded([*base, *inner]) if len(inner) else base
        edges = _noded([*fine, *extensions(fine, blocks[large])])
        cuts = chords(_faces(edges, area), edges, rules, built_up, nodes=nodes, houses=houses)
        pieces = _faces(_noded([*edges, *cuts]) if len(cuts) else edges, area)
    at, block = shapely.STRtree(blocks).query(shapely.point_on_surface(pieces), predicate="intersects")
    where = np.zeros(len(pieces), dtype=np.int64)
    where[at] = block
    lines = np.concatenate([network.borders, network.paths]) if rules.along_paths else network.borders
    thin = inside_streets(pieces, network.tracks) | (2 * shapely.area(pieces) / shapely.length(pieces) < NEEDLE_M)
    return _Parted(pieces, thin, where, large, on_line(pieces, shapely.STRtree(lines), area))


def _joined(
    parted: list[_Parted], areas: gpd.GeoDataFrame, rules: Rules, built_up: BuiltUp
) -> tuple[Geometries, npt.NDArray[np.int64]]:
    """Return the cells of all communities, with the community of each."""
    pieces = np.concatenate([each.pieces for each in parted])
    count = np.cumsum([0, *(len(each.pieces) for each in parted)])
    block_count = np.cumsum([0, *(len(each.large) for each in parted)])
    block = np.concatenate([each.block + block_count[at] for at, each in enumerate(parted)])
    large = np.concatenate([each.large for each in parted])[block]
    left, right, length, off = (
        np.concatenate(columns)
        for columns in zip(
            *(
                (here.left + at, here.right + at, here.length_m, here.off_line_m)
                for at, here in zip(count, (each.borders for each in parted), strict=False)
            ),
            strict=True,
        )
    )
    same = block[left] == block[right]
    community_m = (areas.geometry.length.sum() - areas.geometry.union_all().length) / 2
    base_m = float(length[~same].sum() + community_m)
    inside = Borders(left[same], right[same], length[same], off[same])
    joining = Joining(shapely.area(pieces), built_up.area_in(pieces), inside)
    for one, other in zip(*(side[same & ~large[left]].tolist() for side in (left, right)), strict=True):
        first, second = joining.root(one), joining.root(other)
        if first != second:
            joining.join(first, second)
    take_in_scraps(joining, large & np.concatenate([each.thin for each in parted]), rules)
    give_up_needless(joining, rules)
    choose(joining, block, base_m, rules)
    owner = joining.owners()
    community = np.repeat(areas["community_id"].to_numpy(dtype=np.int64), np.diff(count))
    return dissolved(pieces, owner), community[np.unique(owner)]


def _order(lines: gpd.GeoDataFrame) -> Ints:
    """Return the rows in an order that depends on the lines alone: the same streets make the same cells."""
    shape = shapely.to_wkb(shapely.normalize(shapely.force_2d(lines.geometry.to_numpy())))
    _, place = np.unique(shape, return_inverse=True)
    _, kind = np.unique(lines["kind"].to_numpy(dtype=str), return_inverse=True)
    return np.lexsort((kind, place))


def _tracks(lines: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    """Return which lines run side by side with others of their kind: railways, and streets of one direction."""
    kind = lines["kind"].to_numpy()
    railway = kind == "railway"
    if "oneway" not in lines:
        return np.asarray(railway)
    return np.asarray(railway | ((kind == "street") & (lines["oneway"].to_numpy() != 0)))


def _nodes(edges: Geometries) -> shapely.STRtree:
    """Return the points where at least three noded lines meet."""
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(edges, at)) for at in (0, -1)])
    place, degree = np.unique(ends, axis=0, return_counts=True)
    return shapely.STRtree(np.asarray(shapely.points(place[degree >= 3]), dtype=object).reshape(-1))


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
