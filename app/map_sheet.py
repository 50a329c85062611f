"""The City map as a sheet of paper: PDF, and the same sheet as PNG; with scale, north, legend, source and date."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jinja2
from markupsafe import Markup
from sqlalchemy.orm import Session

from app import i18n, map_marks, map_paper, maps, report_pdf
from app.i18n import t
from app.map_legend import legend_html
from app.map_view import View
from core.clock import now
from core.errors import SourceUnavailable
from layers.basemap import surrounded_by_water
from layers.style import LIGHT

_PICTURE = re.compile(r'<img [^>]*src="data:image/svg\+xml,([^"]*)">')
TEMPLATES = Path(__file__).parent / "templates"
DPI = 160
POINT_INCH = 72
TALLEST, FLATTEST = 0.53, 0.53
"""A page has this room beside title, legend and sources."""


@dataclass(frozen=True)
class Wanted:
    """What is printed.

    Attributes
    ----------
    kind
        territory | mine | district | street
    grid_id
        The grid in whose surroundings the district or the street lies; None for the middle of the city.
    notes
        Lines below the map, already safe HTML.
    """

    kind: str
    grid_id: int | None
    title: str
    told: str
    notes: Sequence[str]


def html(session: Session, view: View, wanted: Wanted) -> str:
    """Return the sheet as one HTML page that needs nothing else."""
    actor, territory, filters, compared = view.actor, view.territory, view.filters, view.compared
    _, metric = map_paper.extent(session, actor, territory, wanted.kind, wanted.grid_id)
    frame = map_paper.frame_of(metric, tallest=TALLEST, flattest=FLATTEST)
    fill = map_paper.fill_of(session, actor, filters, compared, 1 / frame.scale)
    ground = map_paper.ground_of(session, territory, frame)
    places = ""
    if "grids" in filters.layers:
        shapes = map_paper.shapes_of(session, territory, frame, fill, filters)
        places = map_paper.filled(shapes, fill, frame, "sheet")
    points, signs, left_out = map_marks.marks(session, view, frame)
    island = surrounded_by_water(session, territory.id)
    drawn = map_paper.picture(ground, frame, places + points, island=island, alt=wanted.title, key="sheet")
    by = {"cell": t("by unit grid"), "responsibility": t("by responsibility grid"), "community": t("by community")}
    legends = [*([fill.legend] if places else []), *signs]
    told = {t("Map data {credit}", credit=maps.OSM_CREDIT), *wanted.told.split(" · ")}  # stand on the sheet anyway
    notes = [note for note in wanted.notes if note not in told] + ([escape(left_out)] if left_out else [])
    return _environment().get_template("map_sheet.html").render(
        language={"zh": "zh-Hans", "en": "en"}[i18n.locale()], tokens=LIGHT.tokens(), title=wanted.title,
        place=territory.title(i18n.locale()), told=wanted.told, demo=territory.is_demo, map=Markup(drawn),  # noqa: S704  # nosec B704
        legend=Markup(_drawn(legend_html(legends, ()))), by=by[fill.level] if places else "",  # noqa: S704  # nosec B704
        notes=[Markup(note) for note in notes],  # noqa: S704  # nosec B704
        source=territory.attribution or t("© OpenStreetMap contributors, ODbL 1.0"),
        made=t("{name}, {moment}", name=actor.label, moment=_stamp(now().astimezone(territory.zone))),
    )  # fmt: skip


def _stamp(local: dt.datetime) -> str:
    """Return day and time in full: a sheet is read on other days."""
    return f"{i18n.day(local.date())} {local:%H:%M}"


def _drawn(legend: str) -> str:
    """Return a legend with its pictures as drawings: paper is laid out without fetching anything, not even these."""
    return _PICTURE.sub(lambda found: unquote(found[1]).replace("<svg ", '<svg class="gk-swatch" ', 1), legend)


def pdf(page: str) -> bytes:
    """Return the sheet as PDF; raise `SourceUnavailable` where the machine lacks what that needs."""
    return report_pdf.pdf(page)


def png(page: str) -> bytes:
    """Return the sheet as PNG; raise `SourceUnavailable` where the machine lacks what that needs."""
    made = pdf(page)
    try:
        import pypdfium2
    except (ImportError, OSError) as error:
        raise SourceUnavailable(
            "A PNG cannot be made on this machine.", hint="Take the PDF, or the HTML file."
        ) from error
    document = pypdfium2.PdfDocument(made)
    try:
        image = document[0].render(scale=DPI / POINT_INCH).to_pil()
    finally:
        document.close()
    held = io.BytesIO()
    image.convert("RGB").save(held, format="PNG", optimize=True)
    return held.getvalue()


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    shared: dict[str, Any] = {"t": t}
    environment.globals.update(shared)
    return environment
