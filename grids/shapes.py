"""Cells of other shapes: H3, and the ground nearest to given points; cut along communities like all others."""

from __future__ import annotations

import geopandas as gpd
import h3  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
import shapely

from core.errors import InvalidInput
from core.progress import Progress, Silent
from geodata.crs import project
from grids.edits import renumbered
from grids.lattice import Geometries
from grids.partition import MOST_CELLS, check_areas
from grids.seams import share_vertices
from grids.slivers import Groups

H3_RESOLUTIONS = range(5, 14)
_CRUMB_SHARE = 0.05


def h3_cells(
    areas: gpd.GeoDataFrame, srid: int, *, resolution: int, progress: Progress | None = None
) -> gpd.GeoDataFrame:
    """Return communities in metres (``community_id``, geometry) cut into H3 cells of a resolution.

    Notes
    -----
    Sides of H3 cells are straight on the sphere; drawn straight in metres they miss by centimetres, which share
    their corners, so there is no gap. Resolution 10 averages 15,048 m², 11 2,150 m².

    Raises
    ------
    InvalidInput
        A resolution outside `H3_RESOLUTIONS`, or more than `grids.partition.MOST_CELLS` cells.
    """
    if resolution not in H3_RESOLUTIONS:
        raise InvalidInput(
            f"H3 has no resolution {resolution} that cuts a city.",
            hint=f"Give {H3_RESOLUTIONS.start} to {H3_RESOLUTIONS.stop - 1}; 10 averages 15,048 m².",
            zh=f"H3 分辨率 {resolution} 不适于划分城市。请给出 {H3_RESOLUTIONS.start} 至 {H3_RESOLUTIONS.stop - 1}。",
        )
    check_areas(areas)
    about = float(areas.geometry.area.sum()) / h3.average_hexagon_area(resolution, unit="m^2")
    if about > MOST_CELLS:
        raise InvalidInput(
            f"H3 cells of resolution {resolution} would be about {about:,.0f}; at most {MOST_CELLS:,} are possible.",
            hint="Take a lower resolution.",
            zh=f"分辨率 {resolution} 的 H3 网格约 {about:,.0f} 个，最多 {MOST_CELLS:,} 个。请降低分辨率。",
        )
    whole = shapely.convex_hull(shapely.union_all(areas.geometry.to_numpy()))
    wider = shapely.buffer(whole, 2 * h3.average_hexagon_edge_length(resolution, unit="m"))
    ground = project(np.array([wider]), 4326, srid)[0]
    names = sorted(h3.geo_to_cells(ground, resolution))
    corners = [shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(name)]) for name in names]
    return _cut(areas, project(np.array(corners, dtype=object), srid), "h3", progress)


def voronoi_cells(areas: gpd.GeoDataFrame, points: Geometries, *, progress: Progress | None = None) -> gpd.GeoDataFrame:
    """Return communities in metres cut into the ground that is nearest to each of some points in the same CRS.

    Raises
    ------
    InvalidInput
        Fewer than two different points.
    """
    check_areas(areas)
    places = np.unique(shapely.get_coordinates(points), axis=0)
    if len(places) < 2:
        raise InvalidInput(
            "Voronoi cells need at least two different points.", hint="Give a file with more points.",
            zh="泰森多边形至少需要两个不同的点。请提供含更多点的文件。",
        )  # fmt: skip
    whole = shapely.union_all(areas.geometry.to_numpy())
    faces = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(places), extend_to=whole))
    return _cut(areas, faces, "voronoi", progress)


def _cut(areas: gpd.GeoDataFrame, faces: Geometries, kind: str, progress: Progress | None) -> gpd.GeoDataFrame:
    """Return the pieces of faces in each community; what is left of a face joins its neighbour when it is a crumb."""
    progress = progress or Silent()
    progress.step("Cutting communities into cells", len(areas))
    tree = shapely.STRtree(faces)
    found = []
    for identity, area in zip(areas["community_id"], areas.geometry, strict=True):
        near = np.sort(tree.query(area, predicate="intersects"))
        lines = shapely.union_all([shapely.boundary(area), *shapely.boundary(faces[near])])
        pieces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
        pieces = pieces[shapely.contains(area, shapely.point_on_surface(pieces))]
        crumb = _CRUMB_SHARE * float(np.median(shapely.area(faces[near])))
        found.append(pd.DataFrame({"community_id": int(identity), "geometry": _joined(pieces, crumb)}))
        progress.advance()
    frame = pd.concat(found, ignore_index=True)
    shapes = share_vertices(frame["geometry"].to_numpy(dtype=object))
    community = frame["community_id"].to_numpy(dtype=np.int64)
    cells = gpd.GeoDataFrame(
        {
            "community_id": community,
            "kind": kind,
            "size_m": np.nan,
            "sequence": renumbered(community, shapes),
            "area_m2": shapely.area(shapes),
        },
        geometry=shapes,
        crs=areas.crs,
    )
    return cells.sort_values(["community_id", "sequence"], ignore_index=True)


def _joined(pieces: Geometries, crumb_m2: float) -> Geometries:
    area = shapely.area(pieces)
    left, right = shapely.STRtree(pieces).query(pieces, predicate="touches")
    lines = shapely.boundary(pieces)
    border = shapely.length(shapely.intersection(lines[left], lines[right]))
    groups = Groups(area, left[border > 0], right[border > 0], border[border > 0])
    for piece in np.flatnonzero(area < crumb_m2)[np.argsort(area[area < crumb_m2], kind="stable")].tolist():
        while groups.area_of(piece) < crumb_m2 and groups.join_longest(piece):
            pass
    owner = groups.owners()
    return np.array([shapely.union_all(pieces[owner == each]) for each in np.unique(owner)], dtype=object)
