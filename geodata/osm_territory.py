"""The true territory of an extract and its communities: no gap, no overlap, nothing from far outside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from core.errors import InvalidInput
from geodata.crs import metric_srid_of, project
from geodata.osm_facilities import FACILITY_KINDS
from geodata.osm_read import PLACE_KINDS, OsmContent
from geodata.quality import as_areas

HOLDS_SHARE = 0.8
"""A boundary is the territory's when it holds this share of the length of all roads."""
COVERS_SHARE = 0.5
"""A level of boundaries makes the communities when it covers this share of the territory."""
HULL_RATIO = 0.1
HULL_MARGIN_M = 50.0
SLIVER_M2, SLIVER_WIDTH_M, SLIVER_SHARE, PART_SHARE = 250_000.0, 30.0, 0.01, 0.1
"""Land in no community joins its neighbour when it is narrow, or below 1 % of the territory, or below 250,000 m² and
10 % of the territory; else it stands alone."""
TOWN_PLACES = ("city", "town")
"""A community that holds a place of these kinds is a town."""
TOWN_PEOPLE_PER_KM2 = 300.0
"""From this density a community is a town (the urban threshold of the UN degree of urbanisation)."""
TOWN_ROAD_KM_PER_KM2 = 8.0
"""The same where no building tells of people."""


@dataclass(frozen=True)
class FoundBoundary:
    """A boundary, the name it has in the file if any, and where it came from in words."""

    geometry: MultiPolygon
    name: str | None
    how: str


def find_boundary(content: OsmContent, box: BaseGeometry | None = None) -> FoundBoundary:
    """Return the boundary of the territory that a file shows.

    The smallest administrative area that holds nearly all roads; else the union of areas of one level that does;
    else the hull of the roads. With a ``box`` only what lies in it counts, and the boundary is cut to it.

    Raises
    ------
    InvalidInput
        When there is no road (inside the box) to tell by.
    """
    roads = content.roads
    if box is not None:
        roads = roads[_touches(roads["geom"].to_numpy(dtype=object), box)]
    if not len(roads):
        raise InvalidInput(
            "The file shows no road" + (" inside the box." if box is not None else ", so its territory is unknown."),
            hint="Give the boundary with --boundary FILE or --bbox WEST,SOUTH,EAST,NORTH.",
        )
    lines = roads["geom"].to_numpy(dtype=object)
    starts = shapely.get_point(lines, 0)
    length = roads["length_m"].to_numpy(dtype=float)
    areas = content.areas
    shapes = areas["geom"].to_numpy(dtype=object)
    shapely.prepare(shapes)
    share = np.array([length[shapely.contains(shape, starts)].sum() / length.sum() for shape in shapes])
    fit = np.flatnonzero(share >= HOLDS_SHARE)
    if len(fit):
        best = fit[np.argmin(shapely.area(shapes[fit]))]
        name = str(areas["name"].iloc[best])
        return FoundBoundary(_cut(shapes[best], box), name, f"the boundary of {name} in the file")
    for level in sorted(set(areas["admin_level"])):
        of_level = (areas["admin_level"] == level).to_numpy(dtype=bool)
        if share[of_level].sum() >= HOLDS_SHARE:
            union = shapely.union_all(shapes[of_level])
            return FoundBoundary(
                _cut(union, box), None, f"all {of_level.sum()} boundaries of level {level} in the file"
            )
    return FoundBoundary(
        _cut(hull_of(lines), box), None, "the hull of the roads, as the file holds no boundary around them"
    )


def hull_of(lines: NDArray[np.object_]) -> MultiPolygon:
    """Return a close-fitting hull of lines in EPSG:4326, a little wider than they are."""
    lon, lat = np.median(shapely.get_coordinates(lines), axis=0)
    srid = metric_srid_of(float(lon), float(lat))
    points = np.unique(np.round(shapely.get_coordinates(project(lines, srid)) / 20) * 20, axis=0)
    if len(points) > 3:
        hull = shapely.concave_hull(shapely.multipoints(points), ratio=HULL_RATIO)
    else:
        hull = shapely.convex_hull(shapely.multipoints(points))
    wide = shapely.simplify(shapely.buffer(hull, HULL_MARGIN_M), HULL_MARGIN_M / 5)
    return MultiPolygon(as_areas(project(np.array([wide], dtype=object), 4326, srid))[0][0])


def clip(content: OsmContent, boundary: MultiPolygon) -> OsmContent:
    """Return the content inside a boundary; what was left out is counted in ``dropped`` by kind.

    Roads that touch the territory stay whole, so that the network is not torn at its edge; buildings, facilities and
    places count by their point, areas of land cover and boundaries are cut at the line.
    """
    dropped = Counter(content.dropped)

    def inside(frame: pd.DataFrame, by: NDArray[np.object_], what: str) -> pd.DataFrame:
        keep = _touches(by, boundary)
        if not keep.all():
            dropped[f"outside_{what}"] += int((~keep).sum())
        kept: pd.DataFrame = frame[keep].reset_index(drop=True)
        return kept

    def geometry(frame: pd.DataFrame) -> NDArray[np.object_]:
        return frame["geom"].to_numpy(dtype=object)

    buildings = inside(content.buildings, shapely.point_on_surface(geometry(content.buildings)), "buildings")
    facilities = inside(content.facilities, geometry(content.facilities), "facilities")
    facilities, doubles = without_doubles(facilities)
    if doubles:
        dropped["duplicate_facilities"] += doubles
    return replace(
        content,
        roads=inside(content.roads, geometry(content.roads), "roads"),
        facilities=facilities,
        buildings=buildings,
        cover=_cut_frame(inside(content.cover, geometry(content.cover), "land_cover"), boundary),
        rails=inside(content.rails, geometry(content.rails), "railways"),
        sites=inside(content.sites, geometry(content.sites), "land_use"),
        places=inside(content.places, geometry(content.places), "places"),
        areas=inside(content.areas, geometry(content.areas), "boundaries"),
        dropped=dropped,
    )


def without_doubles(facilities: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the facilities without those that lie on the grounds of another of the same kind, and how many left.

    A school is often mapped as its grounds and again as a building or point on them. The inner one stays when it has
    a name of its own, unless it is a ward of a hospital.
    """
    with_grounds = facilities["kind"].map(lambda kind: FACILITY_KINDS[kind].grounds).to_numpy(dtype=bool)
    one_site = facilities["kind"].map(lambda kind: FACILITY_KINDS[kind].one_site).to_numpy(dtype=bool)
    ground = facilities["ground"].to_numpy(dtype=object)
    candidates = np.flatnonzero(with_grounds & shapely.is_geometry(ground))
    if not len(candidates):
        return facilities, 0
    points = facilities["geom"].to_numpy(dtype=object)
    outer, inner = shapely.STRtree(points).query(ground[candidates], predicate="contains")
    outer = candidates[outer]
    kind = facilities["kind"].to_numpy(dtype=object)
    name = facilities["name"].fillna("").to_numpy(dtype=object)
    size = shapely.area(ground)
    size[~shapely.is_geometry(ground)] = 0
    double = (
        (outer != inner)
        & (kind[outer] == kind[inner])
        & ((size[outer] > size[inner]) | ((size[outer] == size[inner]) & (outer < inner)))
        & (one_site[inner] | (name[inner] == "") | (name[inner] == name[outer]))
    )
    keep = np.ones(len(facilities), dtype=bool)
    keep[inner[double]] = False
    kept: pd.DataFrame = facilities[keep].reset_index(drop=True)
    return kept, int((~keep).sum())


def communities_of(
    areas: pd.DataFrame,
    places: pd.DataFrame,
    boundary: MultiPolygon,
    metric_srid: int,
    level: int | None = None,
) -> pd.DataFrame:
    """Return the communities that fill the territory: source_ref, name, name_zh, geom, from north-west to south-east.

    They are the areas of the most numerous administrative level that covers at least half of the territory, or of
    ``level``. What the level leaves free joins its neighbour when it is a sliver, else it becomes a community named
    after its largest place. Empty when no level fits: then the territory is one community.

    Raises
    ------
    InvalidInput
        When ``level`` is given and no boundary in the file has it.
    """
    levels = Counter(areas["admin_level"])
    if level is not None and level not in levels:
        known = ", ".join(f"{key} ({count})" for key, count in sorted(levels.items())) or "none"
        raise InvalidInput(
            f"The file holds no complete boundary of level {level}.",
            hint=f"Levels found inside the territory: {known}.",
        )
    best: pd.DataFrame | None = None
    whole = _area_m2(np.array([boundary], dtype=object), metric_srid)[0]
    for candidate in [level] if level is not None else sorted(levels):
        cut = _cut_frame(areas[areas["admin_level"] == candidate].reset_index(drop=True), boundary)
        cut = cut[_area_m2(cut["geom"].to_numpy(dtype=object), metric_srid) > SLIVER_M2 / 100]
        covered = _area_m2(cut["geom"].to_numpy(dtype=object), metric_srid).sum()
        fits = level is not None or (covered >= COVERS_SHARE * whole and len(cut) > 1)
        if len(cut) and fits and (best is None or len(cut) > len(best)):
            best = cut
    if best is None:
        return areas.iloc[:0][["source_ref", "name", "name_zh", "geom"]]
    return _fill(_apart(best), places, boundary, metric_srid)


def settlements(
    shapes: NDArray[np.object_],
    metric_srid: int,
    *,
    people_at: NDArray[np.object_],
    people: NDArray[np.float64],
    roads: pd.DataFrame,
    towns: NDArray[np.object_],
) -> list[str]:
    """Return town or countryside for each community, given by its shape.

    A town holds one of ``towns`` (points of places called town or city), or is densely peopled; where no building
    tells of people, its roads lie densely.
    """
    km2 = _area_m2(shapes, metric_srid) / 1e6
    if people.sum() > 0:
        dense = _sum_in(shapes, people_at, people) / km2 >= TOWN_PEOPLE_PER_KM2
    else:
        starts = shapely.get_point(roads["geom"].to_numpy(dtype=object), 0)
        road_km = _sum_in(shapes, starts, roads["length_m"].to_numpy(dtype=float) / 1000)
        dense = road_km / km2 >= TOWN_ROAD_KM_PER_KM2
    named = _sum_in(shapes, towns, np.ones(len(towns))) > 0
    return ["town" if is_town else "countryside" for is_town in dense | named]


def _sum_in(
    shapes: NDArray[np.object_], points: NDArray[np.object_], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    shape, point = shapely.STRtree(points).query(shapes, predicate="contains")
    return np.bincount(shape, weights=values[point], minlength=len(shapes)).astype(np.float64)


def _apart(areas: pd.DataFrame) -> pd.DataFrame:
    """Return the areas without overlap: where two lie over each other the smaller one has the land."""
    shapes = areas["geom"].to_numpy(dtype=object).copy()
    order: NDArray[np.int64] = np.argsort(shapely.area(shapes))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    original = shapes.copy()
    for index in order:
        smaller = other[(one == index) & (rank[other] < rank[index])]
        smaller = smaller[shapely.area(shapely.intersection(original[index], original[smaller])) > 0]
        if len(smaller):
            shapes[index] = shapely.difference(shapes[index], shapely.union_all(original[smaller]))
    apart = areas.copy()
    apart["geom"] = as_areas(shapes)[0]
    kept: pd.DataFrame = apart[shapely.is_geometry(apart["geom"].to_numpy(dtype=object))].reset_index(drop=True)
    return kept


def _fill(communities: pd.DataFrame, places: pd.DataFrame, boundary: MultiPolygon, srid: int) -> pd.DataFrame:
    """Return the communities with the land that none of them holds, sorted from north-west to south-east."""
    shapes = list(communities["geom"])
    rows = communities[["source_ref", "name", "name_zh"]].to_dict("records")
    free = shapely.get_parts(shapely.difference(boundary, shapely.union_all(np.array(shapes, dtype=object))))
    free = free[shapely.get_dimensions(free) == 2]
    metric = project(free, srid)
    area, width = shapely.area(metric), 2 * shapely.area(metric) / np.maximum(shapely.length(metric), 1e-9)
    whole = _area_m2(np.array([boundary], dtype=object), srid)[0]
    least = max(SLIVER_SHARE * whole, min(SLIVER_M2, PART_SHARE * whole))
    alone = (area >= least) & (width >= SLIVER_WIDTH_M)
    for number, part in enumerate(free[alone], start=1):
        name, name_zh = _place_in(part, places)
        rows.append({"source_ref": f"rest{number}", "name": name or f"Rest {number}", "name_zh": name_zh})
        shapes.append(part)
    joined: dict[int, list[BaseGeometry]] = {}
    known = np.array(shapes, dtype=object)
    for part in free[~alone]:
        shared = shapely.length(shapely.intersection(shapely.boundary(part), known))
        near = int(np.argmax(shared)) if shared.max() > 0 else int(np.argmin(shapely.distance(part, known)))
        joined.setdefault(near, []).append(part)
    for index, parts in joined.items():
        known[index] = shapely.union_all([known[index], *parts])
    filled = pd.DataFrame(rows, dtype=object)
    filled["geom"] = as_areas(known)[0]
    centre = shapely.centroid(filled["geom"].to_numpy(dtype=object))
    order = np.lexsort((-shapely.get_y(centre), shapely.get_x(centre)))
    return filled.iloc[order].reset_index(drop=True)


def _place_in(part: BaseGeometry, places: pd.DataFrame) -> tuple[str | None, str | None]:
    if not len(places):
        return None, None
    inside = places[_touches(places["geom"].to_numpy(dtype=object), part)]
    if not len(inside):
        return None, None
    first = inside.iloc[int(np.argmin([PLACE_KINDS.index(kind) for kind in inside["kind"]]))]
    return first["name"], first["name_zh"]


def _touches(shapes: NDArray[np.object_], area: BaseGeometry) -> NDArray[np.bool_]:
    shapely.prepare(area)
    touching: NDArray[np.bool_] = shapely.intersects(area, shapes)
    return touching


def _cut(shape: BaseGeometry, box: BaseGeometry | None) -> MultiPolygon:
    area = shape if box is None else shapely.intersection(shape, box)
    return MultiPolygon(as_areas(np.array([area], dtype=object))[0][0])


def _cut_frame(frame: pd.DataFrame, boundary: MultiPolygon) -> pd.DataFrame:
    """Return the rows with their geometry cut at the boundary, without those of which nothing is left."""
    shapes = frame["geom"].to_numpy(dtype=object).copy()
    shapely.prepare(boundary)
    crossing = np.flatnonzero(~shapely.contains_properly(boundary, shapes))
    dimension = shapely.get_dimensions(shapes[crossing])
    shapes[crossing] = shapely.intersection(shapes[crossing], boundary)
    flat = dimension == 2
    shapes[crossing[flat]] = as_areas(shapes[crossing[flat]])[0]
    lines = crossing[~flat]
    shapes[lines] = [_only_lines(shape) for shape in shapes[lines]]
    cut = frame.copy()
    cut["geom"] = shapes
    kept: pd.DataFrame = cut[shapely.is_geometry(shapes)].reset_index(drop=True)
    return kept


def _only_lines(shape: BaseGeometry) -> BaseGeometry | None:
    parts = shapely.get_parts(shape)
    parts = parts[shapely.get_dimensions(parts) == 1]
    return shapely.line_merge(shapely.multilinestrings(parts)) if len(parts) else None


def _area_m2(shapes: NDArray[np.object_], srid: int) -> NDArray[np.float64]:
    area: NDArray[np.float64] = shapely.area(project(shapes, srid)) if len(shapes) else np.empty(0)
    return area
