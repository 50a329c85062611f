"""Single incidents on a printed map: a sign for each, its shape by how it stands, as on the screen."""

from __future__ import annotations

import datetime as dt

import shapely
from sqlalchemy.orm import Session

from app import map_paper, maps
from app.i18n import t
from app.map_legend import category_legend
from app.map_view import View
from app.report_map import Frame
from core.clock import now
from layers.legend import Legend, incident_legend
from layers.paper_points import MOST, STATES, PaperPoints, read_points
from layers.style import LIGHT

WIDEST_M = 14_000.0
"""On a wider frame single incidents run together; the grids say where they are."""
RADIUS = 5.5
COLOURS = {"closed": LIGHT.closed, "ontime": LIGHT.on_time, "soon": LIGHT.due_soon, "overdue": LIGHT.overdue}


def marks(session: Session, view: View, frame: Frame) -> tuple[str, list[Legend], str]:
    """Return the incidents of a frame as SVG, their legend, and a sentence where they are left out."""
    if not view.points:
        return "", [], ""
    if frame.east - frame.west > WIDEST_M:
        return "", [], t("Single incidents stand on sheets of a district or a street")
    srid = view.territory.metric_srid
    day = view.filters.day
    moment = now() if day is None else _night(day, view)
    box = map_paper.box_around(frame, srid)
    found = read_points(session, view.actor, view.filters.counted(), srid, box, moment)
    if found is None:
        return "", [], t("More than {count} incidents: single ones are left out", count=MOST)
    by_category = view.filters.colour_by == "category"
    colours = maps.category_colours(list(view.titles)) if by_category else {}
    legend = category_legend(view.titles, colours) if by_category else incident_legend()
    return _drawn(found, frame, colours), [legend], ""


def _night(day: dt.date, view: View) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), view.territory.zone)


def _drawn(found: PaperPoints, frame: Frame, colours: dict[str, str]) -> str:
    if not len(found):
        return ""
    made = []
    at = frame.xy(shapely.get_coordinates(found.points))
    for (x, y), state, category in zip(at.tolist(), found.state.tolist(), found.category, strict=True):
        name = STATES[state]
        made.append(sign(name, x, y, colours.get(category, LIGHT.muted) if colours else COLOURS[name]))
    return f'<g id="incidents">{"".join(made)}</g>'


def sign(state: str, x: float, y: float, colour: str, r: float = RADIUS) -> str:
    """Return the sign of an incident: diamond late, triangle due soon, circle in time, ring closed."""
    edge = f'stroke="{LIGHT.surface}" stroke-width="1"'
    if state == "overdue":
        d = r * 1.35
        path = f"M{x:.1f} {y - d:.1f}l{d:.1f} {d:.1f}l-{d:.1f} {d:.1f}l-{d:.1f} -{d:.1f}z"
        return f'<path d="{path}" fill="{colour}" {edge}/>'
    if state == "soon":
        return (
            f'<path d="M{x:.1f} {y - r * 1.25:.1f}L{x + r * 1.2:.1f} {y + r * 0.9:.1f}H{x - r * 1.2:.1f}z"'
            f' fill="{colour}" {edge}/>'
        )
    if state == "closed":
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r * 0.6:.1f}" fill="{LIGHT.surface}" stroke="{colour}"'
            f' stroke-width="1.4"/>'
        )
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{colour}" {edge}/>'
