"""Random cities in a metric CRS: communities that fit together, however odd their outline."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import strategies as st

CRS = 32630
EAST, NORTH = 620_000.0, 5_615_000.0


@st.composite
def cities(draw: st.DrawFn, most_communities: int = 6) -> gpd.GeoDataFrame:
    """Star-shaped outline (sometimes with a lake and an islet), cut by random straight lines.

    Coordinates are sometimes whole multiples of the cell sizes, so that community lines run along
    lattice lines; communities may have several parts.
    """
    step = draw(st.sampled_from([0.0, 50.0, 100.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    radius = draw(st.floats(300, 2_000))
    angle = np.sort(rng.uniform(0, 2 * np.pi, draw(st.integers(4, 40))))
    distance = radius * rng.uniform(0.4, 1, len(angle))
    ring = np.stack([EAST + distance * np.cos(angle), NORTH + distance * np.sin(angle)], axis=1)
    if step:
        ring = np.round(ring / step) * step
    outline = shapely.make_valid(shapely.Polygon(ring)).buffer(0)
    if draw(st.booleans()):
        outline = outline.difference(shapely.Point(EAST, NORTH).buffer(radius * 0.1, quad_segs=3))
    if draw(st.booleans()):
        outline = outline.union(shapely.Point(EAST + 2 * radius, NORTH).buffer(radius * 0.1, quad_segs=2))
    if outline.is_empty or outline.area < 10_000:
        outline = shapely.box(EAST, NORTH, EAST + 1_000, NORTH + 1_000)
    west, south, east, north = outline.bounds
    lines = [outline.boundary]
    for _ in range(draw(st.integers(0, 4))):
        ends = np.stack([rng.uniform(west, east, 2), rng.uniform(south, north, 2)], axis=1)
        if step:
            ends = np.round(ends / step) * step
            ends[1, rng.integers(2)] = ends[0, rng.integers(2)]
        if (ends[0] != ends[1]).any():
            away = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0])) * 10_000
            lines.append(shapely.LineString([ends[0] - away, ends[1] + away]))
    noded = shapely.union_all(lines, grid_size=0.01)  # surveyed to the centimetre
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    faces = faces[shapely.contains(outline, shapely.point_on_surface(faces)) & (shapely.area(faces) > 1e-3)]
    if shapely.is_empty(shapely.buffer(faces, -0.5)).any():  # lines so close that a hair is left between them
        faces = shapely.get_parts([shapely.set_precision(outline, 0.01)])
    part_of = np.arange(len(faces)) % most_communities
    areas = [shapely.union_all(faces[part_of == part]) for part in np.unique(part_of)]
    return gpd.GeoDataFrame({"community_id": [7 * n + 3 for n in range(len(areas))]}, geometry=areas, crs=CRS)


@st.composite
def sizes(draw: st.DrawFn, city: gpd.GeoDataFrame) -> dict[int, float]:
    """A cell size for each community: often equal, sometimes not."""
    choice = st.sampled_from([100.0, 200.0, 500.0, 137.3])
    if draw(st.booleans()):
        return dict.fromkeys(city["community_id"], draw(choice))
    return {identity: draw(choice) for identity in city["community_id"]}
