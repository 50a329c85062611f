"""The map of a study: sites, the ground each serves, and hatched what is beyond the limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import folium
import numpy as np
import shapely
from numpy.typing import NDArray

from app import i18n, maps, state, study_words
from app.i18n import t
from core.clock import now
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.style import CATEGORY_COLOURS, LIGHT
from layers.values import Question as Values
from planning.model import Ground, SiteAnswer, Study

LAYERS = ("grids", "incidents", "facilities", "traffic")
HATCH_STEPS = 110
"""Hatching lines across the whole view."""
EXISTING_SHOWN = 1500
USUAL_WIDTH_PX = 780
TILE_PX = 256
SPARE_ZOOM = 0.15
"""How much of the next zoom level may be missing: a few pixels cut off beat a map half the size."""
ZOOM_AT_MOST = 16
LEAST_VIEW_DEG = 0.12
_DIGITS = 5


def colour(number: int) -> str:
    """Return the colour of a site; past twelve they repeat, the numbers tell them apart."""
    return CATEGORY_COLOURS[(number - 1) % len(CATEGORY_COLOURS)]


def show_study(
    territory: TerritoryInfo, actor: Actor, study: Study, sites: tuple[SiteAnswer, ...], grounds: tuple[Ground, ...], *,
    existing: NDArray[np.float64], communities: dict[int, str], island: bool, height: int,
    width: int = USUAL_WIDTH_PX,
) -> None:  # fmt: skip
    """Put the map of an answered study."""
    drawn = folium.FeatureGroup(name="study")
    for part in _parts(sites, grounds, existing, communities):
        part.add_to(drawn)
    extent = tuple(shapely.total_bounds([ground.shape for ground in grounds])) if grounds else territory.bounds
    if study.state == "infeasible" and grounds:  # a few houses are shown with what lies around them
        west, south, east, north = extent
        spare = max(0.0, LEAST_VIEW_DEG - (east - west)) / 2
        extent = (west - spare, south - spare / 2, east + spare, north + spare / 2)
    key = f"{state.STUDY_MAP}-{study.id}"
    _put(territory, actor, drawn, key, island=island, height=height, extent=extent, width=width)


def show_existing(
    territory: TerritoryInfo, actor: Actor, existing: NDArray[np.float64], *, name: str, island: bool, height: int,
    own: NDArray[np.float64] | None = None,
) -> tuple[float, float] | None:  # fmt: skip
    """Put a map of the facilities of a kind that are there and of places of one's own; return where it was clicked."""
    drawn = folium.FeatureGroup(name="existing")
    for marker in _existing(existing, name):
        marker.add_to(drawn)
    for lon, lat in np.empty((0, 2)) if own is None else own[:EXISTING_SHOWN]:
        folium.CircleMarker(
            (float(lat), float(lon)), radius=4, color=LIGHT.primary, weight=2, fill_color=LIGHT.surface,
            fill_opacity=1, tooltip=escape(t("could stand here")),
        ).add_to(drawn)  # fmt: skip
    answer = _put(territory, actor, drawn, state.STUDY_ASKED_MAP, island=island, height=height, extent=territory.bounds)
    return _clicked(answer)


def show_places(
    territory: TerritoryInfo, actor: Actor, drawn: folium.FeatureGroup, study_id: int, *, island: bool, height: int
) -> None:
    """Put a map of the places of a study that are in ``drawn``."""
    key = f"{state.STUDY_PLACES_MAP}-{study_id}"
    _put(territory, actor, drawn, key, island=island, height=height, extent=territory.bounds)


def show_trial(
    territory: TerritoryInfo, actor: Actor, study: Study, marked: Sequence[tuple[float, float]],
    struck: Sequence[tuple[float, float]], *, streets: Sequence[shapely.Geometry] = (),
    grounds: tuple[Ground, ...], existing: NDArray[np.float64], island: bool, height: int,
) -> tuple[float, float] | None:  # fmt: skip
    """Put a map to mark places on; return the place of the last click (longitude, latitude)."""
    drawn = folium.FeatureGroup(name="trial")
    for marker in _existing(existing, t("there already")):
        marker.add_to(drawn)
    for lon, lat in struck:
        folium.CircleMarker(
            (lat, lon), radius=8, color=LIGHT.overdue, weight=2, fill=False, tooltip=escape(t("struck out"))
        ).add_to(drawn)
    for street in streets:
        path = [(lat, lon) for lon, lat in shapely.get_coordinates(street).tolist()]
        folium.PolyLine(path, color=LIGHT.overdue, weight=6, opacity=0.9, tooltip=escape(t("closed"))).add_to(drawn)  # type: ignore[no-untyped-call]
    for number, (lon, lat) in enumerate(marked, 1):
        _numbered(number, lon, lat, folium.Tooltip(escape(t("your place {number}", number=number)))).add_to(drawn)
    extent = tuple(shapely.total_bounds([ground.shape for ground in grounds])) if grounds else territory.bounds
    answer = _put(
        territory, actor, drawn, f"{state.STUDY_TRIAL_MAP}-{study.id}", island=island, height=height, extent=extent
    )
    return _clicked(answer)


def _clicked(answer: dict[str, Any]) -> tuple[float, float] | None:
    """Return the place of the last click, longitude and latitude."""
    click = answer.get("last_clicked")
    return (round(float(click["lng"]), 6), round(float(click["lat"]), 6)) if click else None


def legend(study: Study, sites: tuple[SiteAnswer, ...], grounds: tuple[Ground, ...]) -> str:
    """Return the signs of the map in words, as HTML."""
    kinds = {ground.kind for ground in grounds}
    entries = [
        (
            "".join(_dot(colour(site.number), str(site.number)) for site in sites[:4]),
            t("new site and the ground it serves"),
        )
    ]
    if study.facts.get("existing"):
        entries.append((_dot(LIGHT.surface, "", LIGHT.text), t("there already")))
    if "existing" in kinds:
        entries.append((_box(f"background:{LIGHT.closed};opacity:.45"), t("nearest to what is there")))
    if "left_out" in kinds:
        stripes = f"repeating-linear-gradient(-45deg,{LIGHT.text} 0 1px,transparent 1px 5px)"
        limit = i18n.number(study.question.limit_min, 1)
        entries.append((_box(f"background:{stripes}"), t("farther than {minutes} min", minutes=limit)))
    if "unreachable" in kinds:
        entries.append((_box(f"background:{LIGHT.overdue};opacity:.6"), t("no way")))
    items = "".join(f"<li>{sign}{escape(words)}</li>" for sign, words in entries)
    return f'<div class="gk-legend"><ul>{items}</ul></div>'


def _dot(ground: str, sign: str, edge: str = "") -> str:
    style = f"background:{ground};border-color:{edge or ground}"
    return f'<span class="gk-sign" style="{style}">{escape(sign)}</span>'


def _box(style: str) -> str:
    return f'<span class="gk-ground" style="{style}"></span>'


def _put(
    territory: TerritoryInfo, actor: Actor, drawn: folium.FeatureGroup, key: str, *, island: bool, height: int,
    extent: tuple[float, ...], width: int = USUAL_WIDTH_PX,
) -> dict[str, Any]:  # fmt: skip
    """Put a map that opens on the extent (west, south, east, north) and lives on while what is drawn changes."""
    day = now().astimezone(territory.zone).date()
    nothing = Values("reported", day, day)
    pushed = maps.MapState(nothing, nothing, dict.fromkeys(LAYERS, False))
    settings = maps.map_settings(territory, actor, {}, island=island)
    made = maps.city_map(replace(territory, opens=_view(extent, height, width)), settings)
    return maps.show(made, pushed, key=f"{key}-{territory.id}-{i18n.locale()}", height=height, overlays=[drawn])


def _view(extent: tuple[float, ...], height: int, width: int) -> tuple[float, float, int]:
    """Return longitude, latitude and zoom at which the extent just fits a map so many pixels high and wide."""
    west, south, east, north = extent
    flat = np.cos(np.radians((south + north) / 2))
    degrees_a_pixel = 360 / TILE_PX
    wide = width * degrees_a_pixel / max(east - west, 1e-6)
    high = height * degrees_a_pixel * flat / max(north - south, 1e-6)
    zoom = int(np.floor(np.log2(min(wide, high)) + SPARE_ZOOM))
    return (west + east) / 2, (south + north) / 2, min(max(zoom, maps.MIN_ZOOM), ZOOM_AT_MOST)


def _parts(
    sites: tuple[SiteAnswer, ...], grounds: tuple[Ground, ...], existing: NDArray[np.float64], names: dict[int, str]
) -> Iterator[Any]:
    """Yield what is drawn, the lowest first."""
    for ground in grounds:
        if ground.kind == "catchment" and ground.site_number:
            tip = t("Served by site {number}: {people} people", number=ground.site_number, people=_people(ground))
            yield _area(ground, colour(ground.site_number), 0.32, tip)
        elif ground.kind == "existing":
            tip = t("Nearest to what is there: {people} people", people=_people(ground))
            yield _area(ground, LIGHT.closed, 0.2, tip, outlined=False)
    for ground in grounds:
        if ground.kind == "left_out":
            yield from _hatched(ground, grounds)
        elif ground.kind == "unreachable":
            yield _area(ground, LIGHT.overdue, 0.55, t("No way: {people} people", people=_people(ground)))
    yield from _existing(existing, t("there already"))
    for site in reversed(sites):
        yield _site(site, names)


def _people(ground: Ground) -> str:
    return i18n.number(ground.people)


def _area(ground: Ground, fill: str, opacity: float, tip: str, *, outlined: bool = True) -> folium.GeoJson:
    style = {"color": fill, "weight": 1 if outlined else 0, "opacity": 0.9, "fillColor": fill, "fillOpacity": opacity}
    shape = shapely.transform(ground.shape, lambda points: np.round(points, _DIGITS))
    return folium.GeoJson(
        shapely.geometry.mapping(shape), style_function=lambda _: style, tooltip=folium.Tooltip(escape(tip))
    )


def _hatched(ground: Ground, grounds: tuple[Ground, ...]) -> Iterator[Any]:
    """Yield the outline of a ground and lines across it, at an angle of 45 degrees on the screen."""
    west, south, east, north = shapely.total_bounds([each.shape for each in grounds])
    flat = float(np.cos(np.radians((south + north) / 2)))
    wide, high = (east - west) * flat, north - south
    step = max(wide, high) / HATCH_STEPS * np.sqrt(2)
    starts = np.arange(-high, wide, step)
    ends = [[(west + at / flat, south), (west + (at + high) / flat, north)] for at in starts]
    across = shapely.multilinestrings([shapely.LineString(pair) for pair in ends])
    lines = shapely.intersection(across, shapely.make_valid(ground.shape))
    paths = [
        [(round(lat, _DIGITS), round(lon, _DIGITS)) for lon, lat in shapely.get_coordinates(part)]
        for part in shapely.get_parts(lines)
        if part.geom_type == "LineString"
    ]
    if paths:
        yield folium.PolyLine(paths, color=LIGHT.text, weight=1, opacity=0.4, interactive=False)  # type: ignore[no-untyped-call]


def _existing(places: NDArray[np.float64], name: str) -> Iterator[folium.CircleMarker]:
    for lon, lat in places[:EXISTING_SHOWN]:
        yield folium.CircleMarker(
            (float(lat), float(lon)), radius=3, color=LIGHT.text, weight=1.5, fill_color=LIGHT.surface, fill_opacity=1,
            tooltip=escape(name),
        )  # fmt: skip


def _site(site: SiteAnswer, names: dict[int, str]) -> folium.Marker:
    lines = t("{people} people, {minutes} on average", people=i18n.number(site.people),
              minutes=study_words.minutes(site.mean_s))  # fmt: skip
    tip = f"<strong>{escape(study_words.place(site, names))}</strong><div>{escape(lines)}</div>"
    return _numbered(site.number, site.lon, site.lat, folium.Tooltip(tip))


def _numbered(number: int, lon: float, lat: float, tip: folium.Tooltip) -> folium.Marker:
    style = (
        f"box-sizing:border-box;width:28px;height:28px;border-radius:14px;border:2px solid {LIGHT.surface};"
        f"outline:1px solid {LIGHT.text};background:{colour(number)};color:{LIGHT.surface};"
        "font:600 14px/24px sans-serif;text-align:center"
    )
    icon = folium.DivIcon(
        html=f'<div style="{style}">{number}</div>', icon_size=(28, 28), icon_anchor=(14, 14), class_name="gk-site"
    )
    return folium.Marker((lat, lon), icon=icon, tooltip=tip)
