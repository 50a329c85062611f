"""What stands beside the map while no grid is chosen: the filter in numbers, its categories, its foremost grids."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, map_address, widgets, words
from app.i18n import t
from app.map_legend import bars_html
from app.widgets import Column, Fact
from core.identity import Actor, May, Role
from geodata.territory import TerritoryInfo
from layers import overview
from layers.tallies import CategoryCount, by_category
from layers.values import METRICS, CellValues, Question

CATEGORIES_SHOWN = 8
GRIDS_SHOWN = 8
LISTED = {"all": {"status": "open,closed"}, "open": {"status": "open"}, "closed": {"status": "closed"}}
"""How the list of incidents is asked for what a status of the map counts."""


def map_panel(
    session: Session, actor: Actor, territory: TerritoryInfo, *, question: Question, days: int, found: CellValues
) -> None:
    """Put the panel.

    Parameters
    ----------
    days
        Length of the period, `words.OWN_DATES` for a first and a last day of one's own.
    """
    whole = territory.title(i18n.locale())
    name = t("My communities") if actor.area_ids else whole
    widgets.write(
        f'<div class="gk-card-head"><h2>{widgets.html(name)}</h2>'
        f'<span class="gk-muted">{widgets.html(t("Click a grid on the map."))}</span></div>'
    )
    counts = by_category(session, actor, question, area_ids=actor.area_ids)
    links = _links(actor, question, days)
    still_open, closed = sum(each.open for each in counts), sum(each.closed for each in counts)
    widgets.facts(
        [
            Fact(t("Reported"), i18n.number(still_open + closed), href=links.get("all", "")),
            Fact(t("Still open"), i18n.number(still_open), href=links.get("open", "")),
            Fact(t("Closed"), i18n.number(closed), href=links.get("closed", "")),
        ]
    )
    _categories(counts, question.status, links)
    _grids(session, actor, question, found)


def _links(actor: Actor, question: Question, days: int) -> dict[str, str]:
    """Return the list's address for each status; none where the list would count something else."""
    if not actor.may(May.SEE_INCIDENTS) or actor.role is Role.HANDLER or days == words.OWN_DATES or question.day:
        return {}
    chosen = {"category": ",".join(question.categories)} if question.categories else {}
    return {status: f"/incidents?{urlencode({'days': days} | asked | chosen)}" for status, asked in LISTED.items()}


def _categories(counts: list[CategoryCount], status: str, links: Mapping[str, str]) -> None:
    by_status = {
        "all": {each.category: each.open + each.closed for each in counts},
        "open": {each.category: each.open for each in counts},
        "closed": {each.category: each.closed for each in counts},
    }
    counted = by_status.get(status)
    if not counted:
        return  # what is late is known of single incidents only
    shown = sorted(((key, count) for key, count in counted.items() if count), key=lambda pair: -pair[1])
    base = links.get(status, "").split("&category=")[0]
    hrefs = {words.category(key): f"{base}&category={key}" for key, _ in shown} if base else {}
    bars = bars_html({words.category(key): count for key, count in shown[:CATEGORIES_SHOWN]}, hrefs)
    widgets.write(f"<h3>{widgets.html(t('By category'))}</h3>{bars}")


def _grids(session: Session, actor: Actor, question: Question, found: CellValues) -> None:
    """Put the grids with the highest values of what fills the map."""
    values = np.nan_to_num(found.values, nan=0.0)
    if actor.area_ids:
        mine = np.zeros(len(values), dtype=bool)
        mine[
            np.array(overview.grids_within(session, actor.area_ids, question.day), dtype=np.int64) - found.first_id
        ] = True
        values = np.where(mine, values, 0.0)
    order = [int(at) for at in np.argsort(-values, kind="stable")[:GRIDS_SHOWN] if values[at] > 0]
    names = overview.grid_names(session, [found.first_id + at for at in order])
    rows = [(names[found.first_id + at], float(values[at])) for at in order if found.first_id + at in names]
    if not rows:
        return
    digits = {"reported": 0, "open": 0, "overdue": 0, "congestion": 2, "rush": 2}.get(question.metric, 1)
    widgets.write(f"<h3>{widgets.html(t('Grids with the highest values'))}</h3>")
    widgets.table(
        [Column(t("Grid"), fixed=True), Column(t("Community")), Column(t(METRICS[question.metric]), right=True)],
        [
            (
                widgets.link(name.code, map_address.link(st.query_params, {"grid": str(name.grid_id)})),
                i18n.either(name.community, name.community_zh),
                i18n.number(value, digits),
            )
            for name, value in rows
        ],
        bare=True,
    )
