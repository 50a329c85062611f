"""The map of access: grids filled by the way to the nearest, facilities, and whoever is not served drawn as circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import folium
import numpy as np
from numpy.typing import NDArray

from app import i18n, maps, state
from app.api.access import address_of
from app.i18n import t
from app.map_legend import legend_html
from core.clock import now
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.legend import Legend, LegendItem, class_labels
from layers.style import LIGHT, ramp
from layers.values import Question as Values
from planning.access_model import AccessRow

FACILITIES_SHOWN = 600
"""More than these would hide the ways to them; then they are told in numbers alone."""
LARGEST_PX, SMALLEST_PX = 9.0, 2.0
USUAL_WIDTH_PX, TILE_PX, ZOOM_AT_MOST = 780, 256, 15
SPARE_ZOOM = 0.15
"""How much of the next zoom level may be missing: a few pixels cut off beat a map half the size."""


@dataclass(frozen=True)
class AccessState(maps.MapState):
    """What the map shows: an answer of access in place of counts of incidents."""

    answer: str = ""
    title: str = ""

    def push(self) -> dict[str, Any]:
        """Return the message to the script."""
        return super().push() | {"values": self.answer, "counts": None, "metric": self.title}


def show(
    territory: TerritoryInfo, actor: Actor, row: AccessRow, *, shown: str, extent: tuple[float, float, float, float],
    facilities: NDArray[np.float64], sites: NDArray[np.float64], island: bool, height: int,
) -> None:  # fmt: skip
    """Put the map of an answer."""
    drawn = folium.FeatureGroup(name="access")
    for part in (*_unserved(row), *_facilities(facilities), *_sites(sites)):
        part.add_to(drawn)
    day = now().astimezone(territory.zone).date()
    nothing = Values("reported", day, day)
    layers = {"grids": True, "incidents": False, "facilities": False, "traffic": False}
    west, south, east, north = extent
    fit = ((south, west), (north, east)) if extent != territory.bounds else None
    pushed = AccessState(nothing, nothing, layers, fit=fit, answer=address_of(row.id, shown), title=_title(shown))
    settings = maps.map_settings(territory, actor, {}, island=island)
    settings["words"] |= {"unknown": t("no way leads there")}
    made = maps.city_map(replace(territory, opens=_view(territory.bounds, height)), settings)
    maps.show(made, pushed, key=f"{state.ACCESS_MAP}-{territory.id}-{i18n.locale()}", height=height, overlays=[drawn])


def _view(extent: tuple[float, float, float, float], height: int) -> tuple[float, float, int]:
    """Return longitude, latitude and zoom at which the extent just fits a map `USUAL_WIDTH_PX` wide."""
    west, south, east, north = extent
    flat = float(np.cos(np.radians((south + north) / 2)))
    wide = USUAL_WIDTH_PX / max(east - west, 1e-6)
    high = height * flat / max(north - south, 1e-6)
    zoom = int(np.floor(np.log2(min(wide, high) * 360 / TILE_PX) + SPARE_ZOOM))
    return (west + east) / 2, (south + north) / 2, min(max(zoom, maps.MIN_ZOOM), ZOOM_AT_MOST)


def _title(shown: str) -> str:
    return t("For 10,000 people") if shown == "supply" else t("Minutes to the nearest")


def legend(row: AccessRow, *, shown: str, edges: tuple[float, ...], sites: bool) -> str:
    """Return the signs of the map in words, as HTML."""
    limit = i18n.number(row.question.limit_min, 1)
    ways = edges
    fills = []
    if shown != "supply":
        labels = [*(f"{_figure(low)}–{_figure(high)}" for low, high in zip((0.0, *ways[1:]), ways[1:], strict=False))]
        labels.append(f"{_figure(ways[-1])}+")
        fills = [LegendItem(colour, label) for colour, label in zip(ramp(len(ways)), labels, strict=True)]
        fills.append(LegendItem(LIGHT.closed, t("no way leads there"), "hatch"))
        fills.append(LegendItem(LIGHT.closed, _empty(row), "empty"))
    else:
        labels = class_labels(edges, whole=False)
        fills = [LegendItem(colour, label) for colour, label in zip(ramp(len(edges)), labels, strict=True)]
        fills.append(LegendItem(LIGHT.closed, t("nothing, or nobody lives there"), "empty"))
    drawn = sum(row.facts["facilities"].values()) <= FACILITIES_SHOWN
    signs = [LegendItem(LIGHT.text, t("there now"), "ring")] if drawn else []
    if sites:
        signs.append(LegendItem(LIGHT.primary, t("site of the study"), "circle"))
    signs.append(LegendItem(LIGHT.overdue, t("people farther than {minutes} min, by number", minutes=limit), "ring"))
    if any(not each[3] for each in row.facts["unserved"]):
        signs.append(LegendItem(LIGHT.overdue, t("people without any way"), "circle"))
    return legend_html([Legend(_title(shown), tuple(fills)), Legend(t("Signs"), tuple(signs))], [])


def _empty(row: AccessRow) -> str:
    """Return what an empty grid says: people of a matrix stand at its places alone."""
    return t("nobody lives there") if row.question.matrix_id is None else t("no place of the matrix there")


def _figure(value: float) -> str:
    return i18n.number(value, 0 if value == round(value) else 1)


def _unserved(row: AccessRow) -> Iterator[folium.CircleMarker]:
    spots: Sequence[Sequence[float]] = row.facts["unserved"]
    most = max((each[2] for each in spots), default=1.0)
    for lon, lat, people, reached in sorted(spots, key=lambda each: -each[2]):
        words = t("{people} people in time nowhere", people=i18n.number(people)) if reached else t(
            "{people} people without any way", people=i18n.number(people)
        )  # fmt: skip
        yield folium.CircleMarker(
            (lat, lon),
            radius=max(SMALLEST_PX, LARGEST_PX * float(np.sqrt(people / most))),
            color=LIGHT.overdue,
            weight=1,
            opacity=0.8,
            fill_color=LIGHT.overdue,
            fill_opacity=0.06 if reached else 0.7,
            tooltip=escape(words),
        )


def _facilities(places: NDArray[np.float64]) -> Iterator[folium.CircleMarker]:
    for lon, lat in places[:, :2] if len(places) <= FACILITIES_SHOWN else []:
        yield folium.CircleMarker(
            (float(lat), float(lon)), radius=2.5, color=LIGHT.text, weight=1.2, fill_color=LIGHT.surface,
            fill_opacity=1, tooltip=escape(t("there now")),
        )  # fmt: skip


def _sites(places: NDArray[np.float64]) -> Iterator[folium.CircleMarker]:
    for number, (lon, lat) in enumerate(places, start=1):
        yield folium.CircleMarker(
            (float(lat), float(lon)), radius=7, color=LIGHT.surface, weight=2, fill_color=LIGHT.primary, fill_opacity=1,
            tooltip=escape(t("Site {number} of the study", number=number)),
        )  # fmt: skip


def kinds_of(row: AccessRow, by_kind: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return all facilities of a question, shape (n, 3)."""
    found = [by_kind[kind] for kind in row.question.kinds if len(by_kind[kind])]
    return np.concatenate(found) if found else np.empty((0, 3))
