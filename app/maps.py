"""Maps for the pages: folium through streamlit-folium, drawn by our own script from our own tiles."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import folium
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template
from sqlalchemy.orm import Session
from streamlit_folium import st_folium

from app import i18n
from app.api.assets import asset_url
from app.api.values import address_of
from app.i18n import t
from app.offline import go_offline
from core.identity import Actor, May
from geodata.osm_facilities import FACILITY_KINDS
from geodata.territory import TerritoryInfo
from layers import congestion_cells
from layers.facilities import GROUPS
from layers.registry import layer_entries
from layers.style import CATEGORY_COLOURS, LIGHT, LIMIT_CLASSES, YLGNBU
from layers.values import EPOCH, METRICS, Question, cells_of

go_offline()

RETURNED_OBJECTS = ("last_clicked", "all_drawings")
MIN_ZOOM, MAX_ZOOM = 9, 19
MARGIN_DEG = 0.15
LEAST_PX = 3
EQUATOR_M_PX = 156_543.034
"""Metres of a pixel at zoom 0 on the equator."""
OSM_CREDIT = (
    '© <a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noopener">'
    "OpenStreetMap contributors</a>, ODbL"
)
"""Stands on every map; a link, so nothing is fetched until somebody follows it."""


@dataclass(frozen=True)
class MapState:
    """What the map shows at this moment; pushed into the living map, so that it keeps its tiles and place.

    Attributes
    ----------
    question
        What fills the grids.
    counted
        What the circles count when the map is far.
    visible
        Which of the layers grids, incidents, facilities and traffic are shown.
    fly
        Latitude, longitude and zoom to go to, once for each place; None to stay.
    fit
        South-western and north-eastern corner (latitude, longitude) to show whole, once for each; None to stay.
    mark
        Latitude and longitude of a place that was looked for; None for no mark.
    paint
        Lower edges of the classes and their colours, in the place of those that come with the values, and
        words for the classes where their values are not for reading.
    values
        Address of the values in the place of the question's own, and what they are called.
    """

    question: Question
    counted: Question
    visible: Mapping[str, bool]
    selected: int | None = None
    colour_by: str = "status"
    fly: tuple[float, float, int] | None = None
    fit: tuple[tuple[float, float], tuple[float, float]] | None = None
    mark: tuple[float, float] | None = None
    paint: Mapping[str, Any] | None = None
    values: tuple[str, str] | None = None

    def push(self) -> dict[str, Any]:
        """Return the message to the script."""
        asked = self.counted
        address, metric = self.values or (address_of(self.question), t(METRICS[self.question.metric]))
        return {
            "values": address,
            "counts": address_of(asked) if self.visible.get("incidents") else None,
            "centres": "/api/cells" + (f"?on={self.question.day.isoformat()}" if self.question.day else ""),
            "metric": metric,
            "blank": self.values is None and self.question.metric in congestion_cells.METRICS,
            "filter": {
                "first": (asked.first - EPOCH).days,
                "last": (asked.last - EPOCH).days,
                "categories": None if asked.categories is None else list(asked.categories),
                "status": asked.status,
            },
            "visible": dict(self.visible),
            "selected": self.selected,
            "colourBy": self.colour_by,
            "fly": self.fly,
            "fit": self.fit,
            "mark": self.mark,
            "paint": None if self.paint is None else dict(self.paint),
        }


class CityLayers(JSCSSMixin, MacroElement):
    """The layers of the city on a folium map; all the drawing is done by ``app/assets``."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "GridkeeperMap.attach({{ this._parent.get_name() }}, {{ this.settings }});"
        "{% endmacro %}"
    )
    default_js = [  # noqa: RUF012  (folium reads this class attribute)
        ("gridkeeper-city", asset_url("gk/gridkeeper-city.js")),
    ]
    default_css = [("gridkeeper-map", asset_url("gk/gridkeeper-map.css"))]  # noqa: RUF012

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "CityLayers"
        self.settings = script_json(settings)


class Push(MacroElement):
    """A "layer" that is only a statement: streamlit-folium runs it in the living map without remounting."""

    _template = Template("{% macro script(this, kwargs) %}GridkeeperMap.update({{ this.message }});{% endmacro %}")

    def __init__(self, message: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Push"
        self.message = script_json(message)


class Dots(MacroElement):
    """Many round signs in a few lines: rows of (latitude, longitude, number of the style, escaped words)."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "GridkeeperMap.dots({{ this._parent.get_name() }}, {{ this.rows }}, {{ this.styles }});"
        "{% endmacro %}"
    )

    def __init__(self, rows: Sequence[tuple[float, float, int, str]], styles: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Dots"
        self.rows, self.styles = script_json(rows), script_json(styles)


def script_json(value: object) -> str:
    """Return JSON that is safe inside a script: no ``<`` ends it, no line separator breaks it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def map_settings(
    territory: TerritoryInfo,
    actor: Actor,
    categories: Mapping[str, str],
    *,
    island: bool,
    day: dt.date | None = None,
    grain: Mapping[str, Any] | None = None,
    remembers: bool = False,
) -> dict[str, Any]:
    """Return what stays the same while the page lives.

    Parameters
    ----------
    categories
        Category key to title, in the order of the catalogue; the order decides the colours.
    island
        Whether what lies outside is drawn as water.
    day
        As of which day grids and incidents are drawn; None is now.
    grain
        How large cells are, see `grain_of`; None draws cells at every zoom.
    remembers
        Whether the page's address keeps what part of the map is seen.
    """
    west, south, east, north = territory.bounds
    locale = i18n.locale()
    return {
        "territory": territory.id,
        "bounds": [[south - MARGIN_DEG, west - MARGIN_DEG], [north + MARGIN_DEG, east + MARGIN_DEG]],
        "lang": locale,
        "on": "" if day is None else day.isoformat(),
        "theme": LIGHT.tokens(),
        "grain": None if grain is None else dict(grain),
        "remembers": remembers,
        "layers": [
            {"key": each.key, "title": each.name(locale), "zooms": list(each.zooms), "drawn": list(each.drawn)}
            for each in layer_entries().values()
            if each.drawn and actor.may(each.capability)
        ],
        "names": {key: each.name(locale) for key, each in layer_entries().items()},
        "outside": "water" if island else "ground",
        "ramps": {str(classes): list(colours) for classes, colours in YLGNBU.items()},
        "limits": [list(limit) for limit in LIMIT_CLASSES],
        "points": actor.may(May.SEE_INCIDENT_POINTS),
        "categories": dict(categories),
        "categoryColours": category_colours(list(categories)),
        "facilities": [
            {"kinds": list(group.kinds), "colour": group.colour, "glyph": group.glyph, "from_zoom": group.from_zoom}
            for group in GROUPS
        ],
        "kinds": {key: kind.label_zh if locale == "zh" else kind.label_en for key, kind in FACILITY_KINDS.items()},
        "attribution": OSM_CREDIT,
        "words": {
            "label": t("Map of {place}", place=territory.title(locale)),
            "ended": t("Your session has ended. Log in again."),
            "failed": t("The map's figures could not be loaded. Load the page again."),
            "missing": t("Missing on this map for now:"),
            "several": t("{count} incidents here", count="{count}"),
            "closer": t("Zoom in, or click to choose"),
            "more": t("and {count} more: zoom in", count="{count}"),
            "unknown": t("no data"),
            "few": t("too few people"),
            "overdue": t("Late"),
            "soon": t("Due within 24 h"),
            "ontime": t("Open, on time"),
            "closed": t("Closed"),
            "void": t("Void"),
            "signed": t("signed limit"),
            "usual": t("usual for the class"),
        },
    }


def grain_of(session: Session, territory: TerritoryInfo, day: dt.date | None = None) -> dict[str, Any]:
    """Return from which zoom a cell is at least three pixels wide, and what is filled instead below.

    Responsibility grids where every cell has one, else communities.
    """
    cells = cells_of(session, territory.id, day)
    if not cells.side_m:
        return {"below": 0, "parents": "parents"}
    _, south, _, north = territory.bounds
    metres = EQUATOR_M_PX * math.cos(math.radians((south + north) / 2))
    below = math.ceil(math.log2(LEAST_PX * metres / cells.side_m))
    bound = day is None and bool((cells.responsibility[cells.live] > 0).all())
    return {"below": max(0, min(below, MAX_ZOOM)), "parents": "responsibility" if bound else "parents"}


def category_colours(categories: list[str]) -> dict[str, str]:
    """Return category key to colour; past twelve categories colours repeat."""
    return {key: CATEGORY_COLOURS[at % len(CATEGORY_COLOURS)] for at, key in enumerate(categories)}


def city_map(territory: TerritoryInfo, settings: Mapping[str, Any]) -> folium.Map:
    """Return a map of the territory that opens where it says and cannot leave it."""
    west, south, east, north = territory.bounds
    lon, lat, zoom = territory.opens
    drawn = folium.Map(
        [lat, lon],
        zoom_start=zoom,
        tiles=None,
        control_scale=False,
        prefer_canvas=True,
        max_bounds=True,
        min_lat=south - MARGIN_DEG,
        max_lat=north + MARGIN_DEG,
        min_lon=west - MARGIN_DEG,
        max_lon=east + MARGIN_DEG,
        min_zoom=MIN_ZOOM,
        max_zoom=MAX_ZOOM,
    )
    # folium names jQuery and the "awesome" markers too; nothing of ours asks for them, and each is a request
    drawn.default_js = [link for link in drawn.default_js if link[0] == "leaflet"]
    drawn.default_css = [link for link in drawn.default_css if link[0] == "leaflet_css"]
    drawn.add_child(CityLayers(settings))
    return drawn


def show(
    drawn: folium.Map,
    state: MapState,
    *,
    key: str,
    height: int,
    on_change: Callable[[], None] | None = None,
    overlays: Sequence[folium.FeatureGroup] = (),
) -> dict[str, Any]:
    """Put the map on the page and return what the user did: ``last_clicked``, ``all_drawings``.

    ``on_change`` runs before the page does, with the same answer in the session state under ``key``.
    ``overlays`` are drawn natively over the layers and may change while the map lives.
    """
    pushed = folium.FeatureGroup(name="state")
    pushed.add_child(Push(state.push()))
    answer = st_folium(
        drawn,
        key=key,
        height=height,
        use_container_width=True,
        feature_group_to_add=[pushed, *overlays],
        returned_objects=list(RETURNED_OBJECTS),
        on_change=on_change,
    )
    return dict(answer or {})
