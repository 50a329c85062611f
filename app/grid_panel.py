"""The card of one unit grid beside the map: who, how many, how late, what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from sqlalchemy.orm import Session

from app import widgets, words
from app.i18n import either, locale, number, span, t, tn
from app.map_legend import bars_html, spark_html
from core.clock import now
from core.identity import Actor, May, Role
from geodata.osm_facilities import FACILITY_KINDS
from geodata.tables import OPEN_STATUSES
from geodata.territory import TerritoryInfo
from grids.model import GridCard
from grids.service import grid_card
from incidents.model import IncidentFilter
from incidents.service import grid_incidents_summary, list_incidents
from layers.values import MIN_CLOSED
from people.service import list_workers

CATEGORIES_SHOWN = 5
FACILITIES_SHOWN = 6
INCIDENTS_SHOWN = 5


def grid_panel(session: Session, actor: Actor, territory: TerritoryInfo, grid_id: int) -> None:
    """Put the card of a grid on the page; raise `NotFound` when there is no such grid in force."""
    card = grid_card(session, actor, grid_id)
    found = grid_incidents_summary(session, actor, grid_id)
    place = either(card.community, card.community_zh)
    own = f" · {widgets.link(t('Grid file'), f'/grid-file?grid={grid_id}').text}"
    if actor.may(May.SEE_INCIDENTS):
        own += f" · {widgets.link(t('Incidents of this grid'), f'/incidents?grid={grid_id}').text}"
    widgets.write(
        f'<div class="gk-card-head"><h2>{escape(t("Grid {code}", code=card.code))}</h2>'
        f'<span class="gk-muted">{escape(place)} · {escape(_settlement(card))}</span>{own}</div>'
    )
    # A handler's list holds the own unit only, so it would not show what is counted here.
    listed = actor.may(May.SEE_INCIDENTS) and actor.role is not Role.HANDLER
    rows = f"/incidents?grid={grid_id}" if listed else ""
    late = "–" if found.late is None else number(found.late)
    widgets.facts(
        [
            widgets.Fact(t("Open"), number(found.open), href=f"{rows}&status=open" if rows and found.open else ""),
            widgets.Fact(
                t("Late"), late, "late" if found.late else "", href=f"{rows}&overdue=1" if rows and found.late else ""
            ),
            widgets.Fact(t("People"), number(card.people) if card.people is not None else "–"),
        ]
    )
    median = "–"
    if found.median_days is not None and found.closed >= MIN_CLOSED:
        median = t("{days} days", days=number(found.median_days, 1))
    total = sum(found.daily)
    label = tn("{count} report in 90 days", "{count} reports in 90 days", total)
    spark = spark_html(found.daily, label) if total else ""
    note = f"<p>{escape(label)}</p>{spark}"
    if total:
        first, last = t("90 days ago"), t("today")
        note += f'<p class="gk-muted gk-small gk-ends"><span>{escape(first)}</span><span>{escape(last)}</span></p>'
    widgets.write(f'<div class="gk-part">{note}</div>')
    if found.by_category:
        shown = list(found.by_category.items())[:CATEGORIES_SHOWN]
        hrefs = {
            words.category(key): f"{rows}&days={len(found.days)}&status=open,closed&category={key}"
            for key, _ in shown
            if rows
        }
        widgets.write(bars_html({words.category(key): count for key, count in shown}, hrefs))
    if listed and found.open:
        _open_incidents(session, actor, grid_id, found.open)
    pairs = {
        t("Grid worker"): _worker(session, actor, territory, card),
        t("Responsibility grid"): either(card.responsibility_name, card.responsibility_name_zh) or "–",
        t("Median to close"): median,
        t("Surface"): t("{area} ha", area=number(card.area_m2 / 10_000, 2)),
        t("Facilities"): facility_words(card.facilities),
    }
    lines = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in pairs.items())
    widgets.write(f'<table class="gk-pairs">{lines}</table>')


def _open_incidents(session: Session, actor: Actor, grid_id: int, total: int) -> None:
    """Put the open incidents of the grid, those with the longest past their deadline first, each a link."""
    late_first = IncidentFilter(grid_id=grid_id, overdue=True), IncidentFilter(grid_id=grid_id, statuses=OPEN_STATUSES)
    found = {
        row.id: row
        for wanted in late_first
        for row in list_incidents(session, actor, wanted, limit=INCIDENTS_SHOWN).rows
    }
    rows, moment = list(found.values())[:INCIDENTS_SHOWN], now()
    lines = []
    for row in rows:
        late = row.due_at is not None and row.due_at < moment
        left = "–" if row.due_at is None else span(abs(row.due_at - moment))
        told = widgets.toned(t("late by {time}", time=left), "late") if late else widgets.Html(escape(left))
        link = widgets.link(row.number, f"/incidents?grid={grid_id}&incident={row.id}").text
        lines.append(f"<tr><td>{link}</td><td>{escape(row.title(locale()))}</td><td>{told.text}</td></tr>")
    if lines:
        more = f' <span class="gk-muted">{escape(t("{shown} of {all}", shown=len(rows), all=total))}</span>'
        widgets.write(
            f"<h3>{escape(t('Open incidents'))}{more if total > len(rows) else ''}</h3>"
            f'<table class="gk-open-list">{"".join(lines)}</table>'
        )


def _settlement(card: GridCard) -> str:
    return t("town") if card.settlement == "town" else t("countryside")


def _worker(session: Session, actor: Actor, territory: TerritoryInfo, card: GridCard) -> str:
    if card.responsibility_code is None or not actor.may(May.SEE_INCIDENTS):
        return "–"
    mine = [
        worker.name or worker.code
        for worker in list_workers(session, actor, territory.id)
        if worker.grid_code == card.responsibility_code
    ]
    return ", ".join(mine) or t("nobody")


def facility_words(facilities: Mapping[str, int]) -> str:
    """Return kinds of facilities with their number, the most frequent first."""
    if not facilities:
        return t("none")
    told = []
    for kind, count in list(facilities.items())[:FACILITIES_SHOWN]:
        known = FACILITY_KINDS.get(kind)
        name = kind if known is None else known.label_zh if locale() == "zh" else known.label_en
        told.append(f"{name} {number(count)}")
    rest = len(facilities) - FACILITIES_SHOWN
    return ", ".join(told) + (" …" if rest > 0 else "")
