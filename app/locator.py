"""A small still map: the picture of the territory with a few dots that are links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import shapely
from sqlalchemy.orm import Session

from app import i18n, widgets
from app.i18n import t
from geodata.crs import project
from geodata.territory import TerritoryInfo, boundary_of, communities
from layers.portrait import view_box

LEAST_WIDTH_M = 1500.0
LEAST_RATIO = 1.1
"""Width to height; a taller picture would leave its column half empty."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A place on the small map that leads to an incident."""

    lon: float
    lat: float
    label: str
    incident_id: int


def locator(session: Session, territory: TerritoryInfo, dots: Sequence[Dot], *, area_ids: Sequence[int] = ()) -> None:
    """Put the small map; it shows the areas when given, else the whole territory, and leads to the city map."""
    frame = _frame(session, territory, area_ids)
    left, top, width, height = frame
    source = f"/login/picture.svg?territory={territory.id}&lang={i18n.locale()}"
    fragment = f"#svgView(viewBox({left:.0f},{top:.0f},{width:.0f},{height:.0f}))"
    marks = "".join(_mark(territory, frame, dot) for dot in dots)
    words = escape(t("Map of {place}", place=territory.title(i18n.locale())))
    widgets.write(
        f'<div class="gk-locator" style="aspect-ratio:{width / height:.4f}">'
        f'<a href="/map" target="_self"><img src="{escape(source + fragment)}" alt="{words}"></a>{marks}</div>'
        f'<p class="gk-muted gk-small">{escape(territory.attribution)}</p>',
    )


def _frame(session: Session, territory: TerritoryInfo, area_ids: Sequence[int]) -> tuple[float, float, float, float]:
    if area_ids:
        areas = communities(session, territory.id)
        shapes = np.array(list(areas.geometry[areas["id"].isin(area_ids)]), dtype=object)
    else:
        shapes = np.array([boundary_of(session, territory.id)], dtype=object)
    west, south, east, north = shapely.total_bounds(project(shapes, territory.metric_srid))
    spare = max(0.0, LEAST_WIDTH_M - (east - west)) / 2
    wide = max(spare, ((north - south + 2 * spare) * LEAST_RATIO - (east - west)) / 2)
    return view_box(west - wide, south - spare, east + wide, north + spare, margin=0.04 * (east - west))


def _mark(territory: TerritoryInfo, frame: tuple[float, float, float, float], dot: Dot) -> str:
    left, top, width, height = frame
    point = project(np.array([shapely.Point(dot.lon, dot.lat)], dtype=object), territory.metric_srid)[0]
    across, down = (point.x - left) / width, (-point.y - top) / height
    if not (0 <= across <= 1 and 0 <= down <= 1):
        return ""
    return (
        f'<a class="gk-dot" href="/incidents?incident={dot.incident_id}" target="_self" title="{escape(dot.label)}"'
        f' aria-label="{escape(dot.label)}" style="left:{across * 100:.2f}%;top:{down * 100:.2f}%"></a>'
    )
