"""The map's ground from our own OpenStreetMap data: land, water, green, buildings, roads, names."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from sqlalchemy import text
from sqlalchemy.orm import Session

from layers.registry import OPEN_STREETS, LayerEntry, t
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

BUILDINGS_FROM = 13
ROADS_EACH_FROM = 14
NAMES_FROM = 11

_MERGED: LiteralString = "split_part(road_class, '_link', 1)"
GROUP: LiteralString = f"""CASE
    WHEN {_MERGED} IN ('motorway', 'trunk', 'primary', 'secondary', 'tertiary') THEN {_MERGED}
    WHEN road_class IN ('unclassified', 'residential', 'living_street', 'road') THEN 'minor'
    WHEN road_class IN ('service', 'pedestrian', 'busway') THEN 'service'
    ELSE 'path' END"""
"""The road classes the map tells apart."""

_CLASSES_FROM: tuple[tuple[int, LiteralString], ...] = (
    (0, "'motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link', 'primary_link'"),
    (8, "'secondary', 'secondary_link'"),
    (10, "'tertiary', 'tertiary_link'"),
    (11, "'unclassified', 'residential', 'living_street', 'road'"),
    (13, "'service', 'pedestrian', 'busway', 'track', 'cycleway', 'bridleway'"),
)


def classes_at(z: int) -> LiteralString | None:
    """Return the quoted OSM road classes drawn at tile zoom ``z``; None for all."""
    if z >= ROADS_EACH_FROM:
        return None
    wanted: list[LiteralString] = [names for first, names in _CLASSES_FROM if z >= first]
    joined: LiteralString = ", ".join(wanted)
    return joined


def visible_roads(z: int) -> LiteralString:
    """Return the WHERE clause for the roads of a tile at zoom ``z``."""
    classes = classes_at(z)
    only: LiteralString = f" AND road_class IN ({classes})" if classes is not None else ""
    return f"territory_id = %(territory)s AND geom && {WITH_MARGIN}{only}"


def _land() -> LiteralString:
    clipped: LiteralString = f"ST_ClipByBox2D(boundary, {WITH_MARGIN})"
    return as_layer(
        "land",
        f"SELECT {in_tile(f'ST_Simplify({clipped}, %(pixel)s / 2)')} AS geom FROM territory WHERE id = %(territory)s",
    )


def _cover() -> LiteralString:
    large: LiteralString = (
        "ST_XMax(geom) - ST_XMin(geom) > 2 * %(pixel)s OR ST_YMax(geom) - ST_YMin(geom) > 2 * %(pixel)s"
    )
    return as_layer(
        "cover",
        f"SELECT kind, {in_tile('ST_Simplify(geom, %(pixel)s / 2)')} AS geom FROM land_cover"
        f" WHERE territory_id = %(territory)s AND geom && {WITH_MARGIN} AND ({large})"
        " ORDER BY kind IN ('water', 'waterway'), ST_Area(geom) DESC",
    )


def _buildings(z: int) -> LiteralString:
    size: LiteralString = " AND ST_XMax(geom) - ST_XMin(geom) > 2 * %(pixel)s" if z < BUILDINGS_FROM + 1 else ""
    return as_layer(
        "building",
        f"SELECT {in_tile('geom')} AS geom FROM building"
        f" WHERE territory_id = %(territory)s AND geom && {WITH_MARGIN}{size}",
    )


def _roads(z: int) -> LiteralString:
    line: LiteralString = "ST_Simplify(geom, %(pixel)s / 2)" if z < ROADS_EACH_FROM else "geom"
    return as_layer(
        "road",
        f"SELECT class, bridge, tunnel, {in_tile('ST_Collect(line)')} AS geom FROM ("
        f"SELECT {GROUP} AS class, bridge, tunnel, {line} AS line FROM road WHERE {visible_roads(z)}) r"
        " GROUP BY class, bridge, tunnel",
    )


def _names(z: int) -> LiteralString:
    merged: LiteralString = in_tile("ST_LineMerge(ST_Collect(ST_Simplify(geom, %(pixel)s)))")
    return as_layer(
        "road_name",
        f"SELECT name, name_zh, class, {merged} AS geom FROM ("
        f"SELECT name, name_zh, {GROUP} AS class, geom FROM road WHERE {visible_roads(z)} AND name IS NOT NULL) r"
        " WHERE class <> 'path' GROUP BY name, name_zh, class",
    )


def _places(z: int) -> LiteralString:
    kinds: LiteralString = "'city', 'town'"
    if z >= 9:
        kinds = "'city', 'town', 'village'"
    if z >= 11:
        kinds = "'city', 'town', 'village', 'suburb', 'hamlet'"
    return as_layer(
        "place",
        "SELECT kind, name, coalesce(name_zh, (SELECT a.name_zh FROM area AS a WHERE a.territory_id = %(territory)s"
        " AND a.name = place_name.name AND a.name_zh IS NOT NULL LIMIT 1)) AS name_zh, people,"
        f" {in_tile('geom')} AS geom FROM place_name"
        f" WHERE territory_id = %(territory)s AND geom && {WITH_MARGIN} AND kind IN ({kinds})",
    )


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``."""
    parts = [_land(), _cover(), _roads(z), _places(z)]
    if z >= BUILDINGS_FROM:
        parts.append(_buildings(z))
    if z >= NAMES_FROM:
        parts.append(_names(z))
    return together(*parts)


def surrounded_by_water(session: Session, territory_id: int) -> bool:
    """Return whether the territory is an island as far as its roads tell: no through road reaches its edge."""
    found = session.execute(
        text(
            "WITH edge AS MATERIALIZED (SELECT ST_Expand(e, 1e-7) AS box, e FROM territory t,"
            " LATERAL ST_Subdivide(ST_Boundary(t.boundary), 32) AS e WHERE t.id = :territory)"
            " SELECT EXISTS (SELECT 1 FROM edge JOIN road r ON r.geom && edge.box AND ST_DWithin(r.geom, edge.e, 1e-7)"
            " WHERE r.territory_id = :territory"
            " AND r.road_class IN ('motorway', 'trunk', 'primary', 'secondary', 'tertiary')),"
            " EXISTS (SELECT 1 FROM road WHERE territory_id = :territory)"
        ),
        {"territory": territory_id},
    ).one()
    return bool(found[1] and not found[0])


ENTRY = LayerEntry(
    key="basemap",
    title=t("Ground"),
    title_zh="底图",
    order=0,
    chosen=False,
    sensitivity="public",
    licence=OPEN_STREETS,
    depends_on=("basemap", "roads"),
    zooms=(6, 15),
    statement=statement,
)
