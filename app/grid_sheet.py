"""The sheet of one grid for paper: a plan with the codes of its neighbours, all facts, versions, notes, signatures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import shapely
import streamlit as st
from sqlalchemy.orm import Session

from app import grid_notes, i18n, widgets
from app.i18n import t
from app.widgets import Cell, Column
from core.clock import now
from core.identity import Actor
from geodata.crs import project
from geodata.territory import TerritoryInfo
from grids import notes, publishing
from grids.change_model import GridFile
from grids.lattice import Geometries
from layers.style import LIGHT

STYLE = Path(__file__).parent / "assets" / "gridkeeper-grid.css"
WIDE, HIGH, PAD = 620, 400, 56
NOTES_SHOWN = 6


def show(session: Session, actor: Actor, territory: TerritoryInfo, file: GridFile, facts: Mapping[str, Cell]) -> None:
    """Put the sheet; the browser prints it without menus."""
    st.html(f"<style>{STYLE.read_text()}</style>")
    around = publishing.outlines_near(session, actor, file.id)
    source = f"data:image/svg+xml,{quote(plan(file, around, territory.metric_srid))}"
    words = t("Plan of grid {code} with its neighbours", code=file.code)
    widgets.write(f'<img class="gk-plan" alt="{escape(words)}" src="{source}">')
    widgets.fields(facts, beside=True)
    if file.versions:
        widgets.table(
            [Column(t("Versions")), Column(t("Relation")), Column(t("In force"))],
            [
                (
                    each.code,
                    t("came from") if each.is_parent else t("became"),
                    f"{i18n.day(each.started_on)} – {i18n.day(each.ended_on) if each.ended_on else t('today')}",
                )
                for each in file.versions[:NOTES_SHOWN]
            ],
        )
    standing = [each for each in notes.notes_of(session, actor, file.id) if each.struck_at is None]
    if standing:
        widgets.table(
            [Column(t("Notes")), Column(t("Written"))],
            [(each.body, grid_notes.said(each, territory, file)) for each in standing[:NOTES_SHOWN]],
        )
    printed = i18n.clock(now(), territory.timezone)
    widgets.write(
        f'<div class="gk-sign"><span>{escape(t("Grid worker"))}</span><span>{escape(t("Grid manager"))}</span></div>'
    )
    widgets.note(t("{name}, {moment}. Print with the browser; menus are left out.", name=actor.label, moment=printed))
    back = widgets.link(t("Back to the grid file"), f"/grid-file?grid={file.id}").text
    widgets.write(f'<p class="gk-no-print">{back}</p>')


def plan(file: GridFile, around: Sequence[tuple[str, Any]], srid: int) -> str:
    """Return a drawing of the cell in metres, north up, with the outlines and codes around it and a scale."""
    cell = project(np.array([file.shape], dtype=object), srid)[0]
    west, south, east, north = cell.bounds
    scale = min((WIDE - 2 * PAD) / max(east - west, 1.0), (HIGH - 2 * PAD) / max(north - south, 1.0))
    middle = (west + east) / 2, (south + north) / 2

    def put(x: float, y: float) -> tuple[float, float]:
        return WIDE / 2 + (x - middle[0]) * scale, HIGH / 2 - (y - middle[1]) * scale

    def path(shape: Any) -> str:
        rings = [ring for part in shapely.get_parts([shape]) for ring in (part.exterior, *part.interiors)]
        lines = ["L".join("{:.1f} {:.1f}".format(*put(*pair[:2])) for pair in ring.coords) for ring in rings]
        return "".join(f"M{line}Z" for line in lines)

    frame = shapely.box(
        middle[0] - WIDE / 2 / scale,
        middle[1] - HIGH / 2 / scale,
        middle[0] + WIDE / 2 / scale,
        middle[1] + HIGH / 2 / scale,
    )
    drawn, labels = [], []
    shapes: Geometries = project(np.array([shape for _, shape in around], dtype=object), srid)
    for (code, _), shape in zip(around, shapes, strict=True):
        seen = shapely.intersection(shape, frame)
        if seen.is_empty or seen.area <= 0:
            continue
        drawn.append(f'<path d="{path(shape)}" fill="none" stroke="{LIGHT.closed}" stroke-width="0.8"/>')
        x, y = put(*shapely.point_on_surface(seen).coords[0])
        room = math.sqrt(seen.area) * scale
        if room > 6.2 * len(code) and 30 < x < WIDE - 30 and 12 < y < HIGH - (40 if x < 190 else 8):
            labels.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{escape(code)}</text>')
    x, y = put(*shapely.point_on_surface(cell).coords[0])
    metres = _round_metres(110 / scale)
    length = metres * scale
    bar = (
        f'<path d="M20 {HIGH - 16}h{length:.1f}" stroke="{LIGHT.text}" stroke-width="2"/>'
        f'<text x="20" y="{HIGH - 22}">{metres:,.0f} m</text>'
        f'<path d="M{WIDE - 24} 40V18m-5 8l5 -8l5 8" fill="none" stroke="{LIGHT.text}" stroke-width="1.5"/>'
        f'<text x="{WIDE - 24}" y="54" text-anchor="middle">{escape(t("N"))}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="11"'
        f' fill="{LIGHT.muted}"><rect width="{WIDE}" height="{HIGH}" fill="#FFFFFF"/>{"".join(drawn)}'
        f'<path d="{path(cell)}" fill="{LIGHT.primary}" fill-opacity="0.12" stroke="{LIGHT.primary}"'
        f' stroke-width="2.5" stroke-linejoin="round"/>{"".join(labels)}'
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" font-size="13" font-weight="600" fill="{LIGHT.text}">'
        f"{escape(file.code)}</text>{bar}</svg>"
    )


def _round_metres(most: float) -> float:
    step = 10 ** math.floor(math.log10(max(most, 1.0)))
    return float(max(each * step for each in (1, 2, 5) if each * step <= max(most, 1.0)))
