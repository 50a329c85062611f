"""Grid file as of a day of the past: what the grid was then, whose it was, why its borders were there."""

from __future__ import annotations

import datetime as dt
import math

from sqlalchemy.orm import Session

from app import grid_borders, i18n, widgets
from app.as_of import PARAMETER, told
from app.i18n import t
from app.widgets import Cell, Column, Fact
from core.identity import Actor, May, Role
from geodata.territory import TerritoryInfo
from grids import bordering, coding, publishing
from grids.border_model import Stretch
from grids.change_model import GridFile
from layers.values import Question, cell_values

REPORT_DAYS = 90


def stood(file: GridFile, day: dt.date) -> bool:
    """Return whether a grid was in force on a day."""
    return file.started_on <= day and (file.ended_on is None or file.ended_on > day)


def instead(session: Session, actor: Actor, territory: TerritoryInfo, file: GridFile, day: dt.date) -> None:
    """Say that the grid was not in force on a day, and which grids stood on its ground."""
    then = coding.meaning(session, actor, territory, file.code, day).cells
    links = ", ".join(widgets.link(each.code, f"/grid-file?grid={each.id}&{PARAMETER}={day}").text for each in then)
    widgets.empty(
        t("This grid was not in force on {day}.", day=i18n.day(day)),
        t("Choose another day, or a grid of that day."),
    )
    if links:
        widgets.write(f"<p>{widgets.html(t('On its ground there was'))} {links}</p>")


def facts(session: Session, actor: Actor, file: GridFile, day: dt.date) -> None:
    """Put what had happened in the grid until the end of a day."""
    counts = {name: _value(session, actor, file.id, day, name) for name in ("reported", "open", "closed")}
    any_of = {name: value not in {"–", "0"} for name, value in counts.items()}
    listed = actor.may(May.SEE_INCIDENTS) and actor.role is not Role.HANDLER
    rows = f"/incidents?grid={file.id}&{PARAMETER}={day}&days={REPORT_DAYS}" if listed else ""
    widgets.facts(
        [
            Fact(t("Reported in 90 days"), counts["reported"], href=rows if any_of["reported"] else ""),
            Fact(
                t("Of these open then"), counts["open"], href=f"{rows}&status=open" if rows and any_of["open"] else ""
            ),
            Fact(t("Of these closed"), counts["closed"]),
            Fact(t("People"), "–" if file.people is None else i18n.number(file.people)),
            Fact(t("Surface"), t("{area} ha", area=i18n.number(file.area_m2 / 1e4, 2))),
        ]
    )
    widgets.note(" · ".join(told(day)))


def fields(session: Session, actor: Actor, file: GridFile, day: dt.date) -> dict[str, Cell]:
    """Return what the grid was on a day."""
    bound = publishing.bound_on(session, actor, file.id, day)
    return {
        t("Code"): f"{file.code} ({file.scheme})",
        t("Community"): i18n.either(file.community, file.community_zh),
        t("In force since"): i18n.day(file.started_on),
        t("Responsibility grid"): i18n.either(bound[1], bound[2]) if bound else "–",
        t("Today"): widgets.link(t("Grid file"), f"/grid-file?grid={file.id}"),
    }


def whose(session: Session, actor: Actor, file: GridFile) -> None:
    """Put which responsibility grids a grid belonged to, where that changed."""
    rows = publishing.bindings_of(session, actor, file.id)
    if len(rows) < 2:
        return
    widgets.heading(t("Responsibility grids by day"))
    widgets.table(
        [Column(t("From")), Column(t("Responsibility grid"))],
        [(i18n.day(since), i18n.either(name, name_zh) if name else "–") for since, _, name, name_zh in rows],
    )


def borders(
    session: Session, actor: Actor, territory: TerritoryInfo, file: GridFile, day: dt.date | None
) -> list[Stretch]:
    """Return the stretches of border as of a day: of an ended grid as of its last day when none is named."""
    last = file.ended_on - dt.timedelta(days=1) if file.ended_on is not None else None
    return bordering.borders_of(session, actor, territory, file.id, day or last)


def put_borders(file: GridFile, found: list[Stretch], day: dt.date | None) -> None:
    """Put why the borders of a grid are where they are, side by side."""
    widgets.heading(t("Borders"), aside=t("from north, clockwise"))
    asked = f"&{PARAMETER}={day}" if day else ""
    grid_borders.table(found, method=file.kind, address="/grid-file?grid={id}" + asked)


def _value(session: Session, actor: Actor, grid_id: int, day: dt.date, status: str) -> str:
    first = day - dt.timedelta(days=REPORT_DAYS - 1)
    asked = Question("reported", first, day, None, "all" if status == "reported" else status, day)
    found = cell_values(session, actor, asked)
    at = grid_id - found.first_id
    value = float(found.values[at]) if 0 <= at < len(found.values) else float("nan")
    return "–" if math.isnan(value) else i18n.number(value)
