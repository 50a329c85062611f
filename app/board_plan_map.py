"""What the board's map shows of the plan: a worker's way from stop to stop, who stands where, what is closed."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import folium
import shapely

from app import board_map, board_rows, board_words, i18n, maps
from app.board_entries import CHANGES, Entry, Group
from app.board_map import Corners, Scene
from app.i18n import t
from dispatch.model import Place
from dispatch.standing_model import PlanRow
from layers.style import LIGHT

DOTS = 1200
"""Open incidents beyond this are not drawn; with the workers a map stays below two thousand features."""
ON_STREETS = 40
"""So many of all changed ways are drawn on streets, the first to begin; the others straight."""
Ends = tuple[tuple[float, float], tuple[float, float]]
Leg = tuple[Ends, shapely.LineString | None]
Dot = tuple[float, float, int, str]
_DIGITS, _SAME_DEG = 5, 0.0005
_WIDE_PX, _HIGH_PX, _APART_PX = 520, 330, 26
"""What the map leaves for a route in pixels, about, and how near two signs cover each other."""
_ROUND = {"radius": 4, "weight": 1, "color": LIGHT.surface, "fillOpacity": 1}
STYLES = (
    _ROUND | {"fillColor": LIGHT.overdue, "radius": 5},
    _ROUND | {"fillColor": LIGHT.due_soon, "radius": 5},
    _ROUND | {"fillColor": LIGHT.muted},
    {"radius": 5, "weight": 2, "color": LIGHT.primary, "fillColor": LIGHT.surface, "fillOpacity": 1},
)
"""Of what is late or left over, of what needs a person, of other incidents, of workers."""


@dataclass(frozen=True)
class Picture:
    """What there is to draw.

    Attributes
    ----------
    route
        The stops of the worker that is looked at, in order; empty for nobody.
    ways
        The way on streets to each stop of the route; None where none is known.
    workers
        Worker id to staff number, of those whose place is known.
    closed
        Lines and areas that are closed, with what is said of each.
    aim
        Where a street is about to be closed: its line.
    others
        Ways of all workers that the plan changes, on streets where the line is known.
    """

    entries: Sequence[Entry]
    now: dt.datetime
    zone: ZoneInfo
    chosen: Entry | None = None
    worker_id: int | None = None
    route: Sequence[PlanRow] = ()
    ways: Sequence[shapely.LineString | None] = ()
    places: Mapping[int, Place] = field(default_factory=dict)
    workers: Mapping[int, str] = field(default_factory=dict)
    closed: Sequence[tuple[shapely.Geometry, str]] = ()
    aim: shapely.LineString | None = None
    others: Sequence[Leg] = ()


def changed_legs(rows: Sequence[PlanRow], places: Mapping[int, Place]) -> tuple[Ends, ...]:
    """Return the way to each stop that the plan changes, from the stop before or where the worker is."""
    routes: dict[int, list[PlanRow]] = defaultdict(list)
    for row in rows:
        routes[row.worker_id].append(row)
    found = []
    for worker_id, route in routes.items():
        start = places.get(worker_id)
        before = (start.lon, start.lat) if start else None
        for row in sorted(route, key=lambda row: row.place_in_route):
            here = (row.lon, row.lat)
            if before is not None and row.change in CHANGES and before != here:
                found.append((row.start_at, (before, here)))
            before = here
    return tuple(leg for _, leg in sorted(found))


def scene(picture: Picture) -> Scene:
    """Return what is drawn and what to show whole."""
    return Scene(tuple(_drawn(picture)), _extent(picture))


def legend(picture: Picture) -> str:
    """Return the signs of the map in words, as HTML."""
    entries = []
    if picture.route:
        entries += [
            (f'<span class="gk-sign" style="background:{LIGHT.primary}">1</span>', t("stop")),
            (f'<span class="gk-stroke" style="background:{LIGHT.primary}"></span>', t("way on streets")),
        ]
    entries += [
        (_dot(LIGHT.overdue), t("late or left over")),
        (_dot(LIGHT.due_soon), t("needs you")),
        (_dot(LIGHT.muted), t("open incident")),
        ('<span class="gk-sign gk-sign-small gk-sign-worker"></span>', t("worker")),
    ]
    if picture.closed or picture.aim is not None:
        entries.append(('<span class="gk-stroke gk-stroke-closed"></span>', t("closed street or works")))
    items = "".join(f"<li>{sign}{escape(words)}</li>" for sign, words in entries)
    return f'<div class="gk-legend"><ul>{items}</ul></div>'


def _dot(colour: str) -> str:
    return f'<span class="gk-sign gk-sign-small" style="border:0;background:{colour}"></span>'


def _drawn(picture: Picture) -> Iterator[Any]:
    """Yield what is drawn, the lowest first."""
    rows = [_incident(entry, picture.now) for entry in picture.entries[:DOTS] if entry.at]
    rows += [_worker(picture, who) for who in picture.workers if who in picture.places]
    yield maps.Dots(rows, STYLES)
    for shape, said in picture.closed:
        yield from _closed(shape, said)
    if picture.aim is not None:
        yield from _closed(picture.aim, t("About to be closed"), weight=8)
    yield from _all_changes(picture.others)
    yield from _route(picture)
    on_route = any(picture.chosen and row.incident_id == picture.chosen.incident_id for row in picture.route)
    if picture.chosen is not None and not on_route and picture.chosen.at:
        lon, lat = picture.chosen.at
        yield folium.CircleMarker(
            (lat, lon), radius=9, color=LIGHT.surface, weight=3, fill_color=LIGHT.overdue, fill_opacity=1,
            tooltip=board_map.tip(picture.chosen.title(i18n.locale()), picture.chosen.number),
        )  # fmt: skip


def _all_changes(legs: Sequence[Leg]) -> Iterator[Any]:
    """Yield two lines of many parts: on streets, and dashed straight ones."""
    streets = [[(lat, lon) for lon, lat in shapely.get_coordinates(line)] for _, line in legs if line is not None]
    straight = [[(lat, lon) for lon, lat in ends] for ends, line in legs if line is None]
    if straight:
        yield board_map.stroke(straight, color=LIGHT.primary, weight=1.5, opacity=0.45, dash_array="2 5")
    if streets:
        yield board_map.stroke(streets, color=LIGHT.primary, weight=3, opacity=0.6)


def _route(picture: Picture) -> Iterator[Any]:
    place = picture.places.get(picture.worker_id or 0)
    at = (place.lat, place.lon) if place else None
    before = at
    for row, line in zip(picture.route, [*picture.ways, *[None] * len(picture.route)], strict=False):
        goal = (row.lat, row.lon)
        if line is not None and before is not None:
            yield from board_map.way(line, before, goal, LIGHT.primary, weight=5, opacity=1.0)
        elif before is not None:
            yield board_map.stroke((before, goal), color=LIGHT.primary, weight=3, opacity=0.7, dash_array="3 6")
        before = goal
    if at is not None:
        # Where a stop would cover the place, the worker stands beside it.
        near_deg = max(_SAME_DEG, _APART_PX * _degrees_a_pixel(picture, at[0]))
        narrow = math.cos(math.radians(at[0]))
        here = any(math.hypot(row.lat - at[0], (row.lon - at[1]) * narrow) < near_deg for row in picture.route)
        yield board_map.disc(
            at, picture.workers.get(picture.worker_id or 0, ""), board_map.tip(t("Sets out from here"), ""),
            ground=LIGHT.surface, ink=LIGHT.text, edge=LIGHT.primary, beside=-2 if here else 0,
        )  # fmt: skip
    taken: dict[tuple[float, float], int] = {}
    for number, row in enumerate(picture.route, 1):
        spot = (round(row.lat, 4), round(row.lon, 4))
        late, here = row.late_s > 0, picture.chosen is not None and row.incident_id == picture.chosen.incident_id
        edge = LIGHT.overdue if late else LIGHT.primary
        yield board_map.disc(
            (row.lat, row.lon), f"{number}!" if late else str(number),
            board_map.tip(board_rows.stop(row, picture.zone, i18n.locale()), board_rows.spare(row)),
            ground=edge if here else LIGHT.surface, ink=LIGHT.surface if here else LIGHT.text, edge=edge,
            beside=taken.get(spot, 0),
        )  # fmt: skip
        taken[spot] = taken.get(spot, 0) + 1


def _degrees_a_pixel(picture: Picture, lat: float) -> float:
    """Return how many degrees of latitude a pixel is when the route is shown whole, about."""
    corners = _extent(picture)
    if corners is None:
        return 0.0
    (south, west), (north, east) = corners
    return max((north - south) / _HIGH_PX, (east - west) * math.cos(math.radians(lat)) / _WIDE_PX)


def _incident(entry: Entry, now: dt.datetime) -> Dot:
    lon, lat = entry.at or (0.0, 0.0)
    left, tone = board_words.left_until(entry.due_at, now)
    late = tone == "late" or entry.group is Group.UNSERVED or (entry.row is not None and entry.row.late_s > 0)
    style = 0 if late else 1 if entry.group is Group.NEEDS else 2
    tip = f"{board_rows.short(entry.number)} {entry.title(i18n.locale())} · {left}"
    return round(lat, _DIGITS), round(lon, _DIGITS), style, escape(tip)


def _worker(picture: Picture, worker_id: int) -> Dot:
    place = picture.places[worker_id]
    return round(place.lat, _DIGITS), round(place.lon, _DIGITS), 3, escape(picture.workers[worker_id])


def _closed(shape: shapely.Geometry, said: str, *, weight: int = 5) -> Iterator[Any]:
    ring = shape.exterior if isinstance(shape, shapely.Polygon) else shape
    points = [(lat, lon) for lon, lat in shapely.get_coordinates(ring)]
    yield board_map.stroke(points, color=LIGHT.surface, weight=weight + 3, opacity=0.95)
    line = folium.PolyLine(  # type: ignore[no-untyped-call]
        points, color=LIGHT.overdue, weight=weight, dash_array="8 5", tooltip=escape(said)
    )
    yield line


def _extent(picture: Picture) -> Corners | None:
    """Return the corners of the route, or of what is chosen with some room; None leaves the map where it is."""
    points = [(row.lon, row.lat) for row in picture.route]
    points += [place for ends, _ in picture.others for place in ends]
    place = picture.places.get(picture.worker_id or 0)
    if points and place is not None:
        points.append((place.lon, place.lat))
    for line in picture.ways:
        if line is not None:
            points += map(tuple, shapely.get_coordinates(line).tolist())
    if not points and picture.chosen is not None and picture.chosen.at:
        lon, lat = picture.chosen.at
        points = [(lon - 0.008, lat - 0.005), (lon + 0.008, lat + 0.005)]
    if not points:
        return None
    lons, lats = zip(*points, strict=True)
    return (min(lats), min(lons)), (max(lats), max(lons))
