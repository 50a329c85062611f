"""A picture of a territory for the login page: land, water, green, main roads and communities as SVG."""

from __future__ import annotations

from html import escape

from sqlalchemy import text
from sqlalchemy.orm import Session

from layers.basemap import surrounded_by_water
from layers.style import LIGHT, Theme

WIDTH_PX = 1000
MAIN_ROADS = {
    1: ("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link"),
    2: ("secondary", "secondary_link", "tertiary", "tertiary_link"),
    3: ("unclassified", "residential"),
}
ROAD_WIDTH_PX = {1: 2.6, 2: 1.4, 3: 0.5}
LARGEST_TOWNS = 8

_FRAME = text("""
    SELECT metric_srid AS srid, ST_XMin(b) AS west, ST_YMin(b) AS south, ST_XMax(b) AS east, ST_YMax(b) AS north
    FROM territory, LATERAL (SELECT ST_Transform(boundary, metric_srid) AS b) AS shape
    WHERE id = :territory
""")
_LAND = text("""
    SELECT ST_AsSVG(ST_SimplifyPreserveTopology(ST_Transform(boundary, CAST(:srid AS int)), :px), 1, 0)
    FROM territory WHERE id = :territory
""")
_COVER = text("""
    SELECT kind, ST_AsSVG(ST_Simplify(shape, :px), 1, 0)
    FROM (SELECT kind, ST_Transform(geom, CAST(:srid AS int)) AS shape FROM land_cover
          WHERE territory_id = :territory AND kind IN ('water', 'waterway', 'green', 'wood')) AS cover
    WHERE kind = 'waterway' AND ST_Length(shape) > 60 * :px OR ST_Area(shape) > 30 * :px * :px
""")
_ROADS = text("""
    SELECT ST_AsSVG(ST_Simplify(ST_LineMerge(ST_Collect(ST_Transform(geom, CAST(:srid AS int)))), :px), 1, 0)
    FROM road WHERE territory_id = :territory AND road_class = ANY(:classes)
""")
_COMMUNITIES = text("""
    SELECT ST_AsSVG(ST_SimplifyPreserveTopology(ST_Transform(boundary, CAST(:srid AS int)), :px), 1, 0)
    FROM area WHERE territory_id = :territory AND level = 'community'
""")
_TOWNS = text("""
    SELECT name, coalesce(name_zh, (SELECT area.name_zh FROM area WHERE area.territory_id = place_name.territory_id
                                    AND area.level = 'community' AND area.name = place_name.name LIMIT 1)) AS name_zh,
           ST_X(p) AS x, ST_Y(p) AS y
    FROM place_name, LATERAL (SELECT ST_Transform(geom, CAST(:srid AS int)) AS p) AS point
    WHERE territory_id = :territory AND kind IN ('city', 'town')
    ORDER BY kind, people DESC NULLS LAST, id LIMIT :largest
""")


def view_box(
    west: float, south: float, east: float, north: float, *, margin: float
) -> tuple[float, float, float, float]:
    """Return left, top, width and height of a box in the picture's units (metres, y downwards)."""
    return west - margin, -north - margin, east - west + 2 * margin, north - south + 2 * margin


def frame_of(session: Session, territory_id: int) -> tuple[int, float, tuple[float, float, float, float]] | None:
    """Return metric system, metres of a pixel of 1,000 and the view box of the picture; None without a territory."""
    frame = session.execute(_FRAME, {"territory": territory_id}).one_or_none()
    if frame is None or frame.west is None:
        return None
    px = max(frame.east - frame.west, frame.north - frame.south, 1.0) / WIDTH_PX
    return frame.srid, px, view_box(frame.west, frame.south, frame.east, frame.north, margin=40 * px)


def portrait(session: Session, territory_id: int, *, chinese: bool = False, theme: Theme = LIGHT) -> str | None:
    """Return the picture as an SVG document without script or link; None when there is no such territory.

    Drawn north up in the territory's metric CRS, one unit a metre; shapes smaller than a pixel of a
    picture 1,000 pixels wide are left out.
    """
    given: dict[str, object] = {"territory": territory_id}
    found = frame_of(session, territory_id)
    if found is None:
        return None
    srid, px, (west, top, width, height) = found
    given |= {"srid": srid, "px": px}
    outside = theme.water if surrounded_by_water(session, territory_id) else theme.ground
    box = f"{west:.0f} {top:.0f} {width:.0f} {height:.0f}"
    land = session.execute(_LAND, given).scalar_one()
    shore = "#A9BFCB" if theme is LIGHT else theme.line
    cover = session.execute(_COVER, given).all()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img">',
        f'<defs><clipPath id="land"><path d="{land}"/></clipPath></defs>',
        f'<rect x="{west:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height:.0f}" fill="{outside}"/>',
        f'<path d="{land}" fill="{theme.land}" stroke="{shore}" stroke-width="{1.2 * px:.0f}"/>',
        '<g clip-path="url(#land)">',
        *(_cover(kind, path, px, theme) for kind, path in cover if path),
        *_roads(session, given, px, theme),
        _communities(session, given, px, theme),
        "</g>",
        *_towns(session, given, px, theme, chinese=chinese),
        "</svg>",
    ]
    return "".join(parts)


def _cover(kind: str, path: str, px: float, theme: Theme) -> str:
    if kind == "waterway":
        return f'<path d="{path}" fill="none" stroke="{theme.water}" stroke-width="{1.2 * px:.0f}"/>'
    fill = {"water": theme.water, "green": theme.green, "wood": theme.wood}[kind]
    return f'<path d="{path}" fill="{fill}"/>'


def _roads(session: Session, given: dict[str, object], px: float, theme: Theme) -> list[str]:
    paths = {
        rank: session.execute(_ROADS, given | {"classes": list(classes)}).scalar()
        for rank, classes in MAIN_ROADS.items()
    }
    lines = []
    for rank in (3, 2, 1):
        if not paths[rank]:
            continue
        colour = theme.casing if rank == 3 else "#BDB7AB" if theme is LIGHT else theme.path
        extra = 0 if rank == 3 else 1.2
        shape = f'<path d="{paths[rank]}" fill="none" stroke-linecap="round" stroke-linejoin="round"'
        lines.append(f'{shape} stroke="{colour}" stroke-width="{(ROAD_WIDTH_PX[rank] + extra) * px:.0f}"/>')
        if rank < 3:
            lines.append(f'{shape} stroke="{theme.road}" stroke-width="{ROAD_WIDTH_PX[rank] * px:.0f}"/>')
    return lines


def _communities(session: Session, given: dict[str, object], px: float, theme: Theme) -> str:
    borders = [path for path in session.execute(_COMMUNITIES, given).scalars() if path]
    return (
        f'<path d="{" ".join(borders)}" fill="none" stroke="{theme.primary}" stroke-opacity="0.55"'
        f' stroke-width="{1.1 * px:.0f}" stroke-dasharray="{5 * px:.0f} {4 * px:.0f}"/>'
    )


def _towns(session: Session, given: dict[str, object], px: float, theme: Theme, *, chinese: bool) -> list[str]:
    labels = []
    size = 17 if theme is LIGHT else 25  # of a wall it is read from afar
    taken: list[tuple[float, float]] = []
    for town in session.execute(_TOWNS, given | {"largest": LARGEST_TOWNS}):
        if any(abs(town.x - x) < 6.5 * size * px and abs(town.y - y) < 1.5 * size * px for x, y in taken):
            continue
        taken.append((town.x, town.y))
        name = escape((chinese and town.name_zh) or town.name)
        labels.append(
            f'<text x="{town.x:.0f}" y="{-town.y:.0f}" text-anchor="middle" font-family="Source Sans, Noto Sans CJK SC,'
            f' sans-serif" font-weight="600" font-size="{size * px:.0f}" fill="{theme.label}" stroke="{theme.halo}"'
            f' stroke-width="{4 * px:.0f}" paint-order="stroke">{name}</text>'
        )
    return labels
