"""The map as a table: every grid with its values, the same filter, sorted as wanted; a way without the map."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app import i18n, map_address, state, widgets
from app.exports import recorded
from app.i18n import t
from app.map_compare import Compared, verdicts
from app.map_filters import Filters
from app.map_view import View
from app.widgets import Cell, Column, Html
from core.clock import now
from core.identity import Actor
from core.spreadsheets import neutral
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from layers import congestion_cells, overview
from layers.paper import place_names
from layers.values import METRICS, MIN_CLOSED, MIN_PEOPLE, STATUSES, TOO_FEW, WHOLE, CellValues, cell_values, cells_of

PAGE = 25
SHOWN_BESIDE = 12
SORTS = ("value", "code", "community", "people")


@dataclass(frozen=True, eq=False)
class Rows:
    """The grids of a view in their order.

    Attributes
    ----------
    grid_id
        Identities, shape (rows,).
    values, people, reported, still_open
        One a row; NaN where not known.
    """

    grid_id: NDArray[np.int64]
    values: NDArray[np.float64]
    people: NDArray[np.float64]
    reported: NDArray[np.float64]
    still_open: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.grid_id)

    def ordered(self, order: NDArray[np.int64]) -> Rows:
        """Return the rows in another order, or some of them."""
        return Rows(
            self.grid_id[order], self.values[order], self.people[order], self.reported[order], self.still_open[order]
        )


def rows_of(session: Session, actor: Actor, filters: Filters, found: CellValues) -> Rows:
    """Return the grids with a value or a report, those of the actor's own communities where he has some."""
    cells = cells_of(session, actor.territory_id or 0, filters.day)
    counted = filters.counted()
    reported = cell_values(session, actor, replace(counted, status="all")).values.astype(np.float64)
    still_open = cell_values(session, actor, replace(counted, metric="open", status="all")).values.astype(np.float64)
    mine = cells.live.copy()
    if actor.area_ids:
        mine &= np.isin(cells.community, list(actor.area_ids))
    values = found.values.astype(np.float64)
    at = np.flatnonzero(mine & ((np.nan_to_num(values) != 0) | (np.nan_to_num(reported) > 0)))
    people = cells.people.astype(np.float64)
    return Rows(at + found.first_id, values[at], people[at], reported[at], still_open[at])


def sorted_rows(rows: Rows, by: str, names: dict[int, overview.GridName]) -> Rows:
    """Return the rows by value, by people (both from the top), by code, or by community and code."""
    if by in {"value", "people"}:
        key = np.nan_to_num(rows.values if by == "value" else rows.people, nan=-2.0)
        return rows.ordered(np.lexsort((rows.grid_id, -key)))
    named = [names.get(int(each)) for each in rows.grid_id]
    keys = [
        (i18n.either(name.community, name.community_zh) if by == "community" else "", name.code) if name else ("", "")
        for name in named
    ]
    return rows.ordered(np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64))


def show(session: Session, view: View) -> None:
    """Put the table of all grids, page by page, with its file."""
    actor, filters = view.actor, view.filters
    rows = rows_of(session, actor, filters, view.found)
    if not len(rows):
        widgets.empty(
            t("No grid has anything to show."),
            t("Grids with incidents of this filter would stand here, the highest value first."),
            link_label=t("Without filters"), href="/map?view=table",
        )  # fmt: skip
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-table-bar"):
        titles = {"value": title(filters), "code": t("Grid"), "community": t("Community"), "people": t("People")}
        by = st.selectbox(t("Sort by"), SORTS, format_func=titles.__getitem__, key=f"{state.MAP_TABLE}_sort", width=240)
        pages = math.ceil(len(rows) / PAGE)
        at = st.number_input(t("Page"), 1, pages, 1, key=f"{state.MAP_TABLE}_page_{pages}", width=120)
        download(actor, view.territory, filters, rows)
    names = overview.grid_names(session, rows.grid_id.tolist()) if by in {"code", "community"} else {}
    shown = sorted_rows(rows, by or "value", names).ordered(np.arange((at - 1) * PAGE, min(at * PAGE, len(rows))))
    widgets.note(
        t("Grids {first} to {last} of {all}, page {page} of {pages}.", first=i18n.number((at - 1) * PAGE + 1),
          last=i18n.number((at - 1) * PAGE + len(shown)), all=i18n.number(len(rows)), page=at, pages=pages)
    )  # fmt: skip
    _table(session, filters, shown)


def title(filters: Filters) -> str:
    """Return what the values are called."""
    if filters.earlier:
        return t("Change of incidents reported")
    named = t(METRICS[filters.metric])
    if filters.metric in {"reported", "per_1000"} and filters.status != "all":
        return t("{metric}: {status}", metric=named, status=t(STATUSES[filters.status]).lower())
    return named


def _table(session: Session, filters: Filters, rows: Rows) -> None:
    names = overview.grid_names(session, rows.grid_id.tolist())
    columns = [Column(t("Grid"), fixed=True), Column(t("Community")), Column(title(filters), right=True)]
    columns += [
        Column(t("Reported, all"), right=True),
        Column(t("Still open"), right=True),
        Column(t("People"), right=True),
    ]
    body: list[list[Cell]] = []
    for at, grid_id in enumerate(rows.grid_id.tolist()):
        name = names.get(grid_id)
        code = name.code if name else str(grid_id)
        line: list[Cell] = [
            widgets.link(code, map_address.link(st.query_params, {"grid": str(grid_id)})),
            i18n.either(name.community, name.community_zh) if name else None,
            said(filters, float(rows.values[at])),
        ]
        line += [_count(float(column[at])) for column in (rows.reported, rows.still_open, rows.people)]
        body.append(line)
    widgets.table(columns, body)


def said(filters: Filters, value: float) -> str:
    """Return a value in words: a number, a verdict, or why there is none."""
    if filters.earlier:
        return "–" if math.isnan(value) else verdicts()[int(value)]
    if value == TOO_FEW:
        return t("Too few people (under {count})", count=MIN_PEOPLE)
    if math.isnan(value):
        return t("Fewer than {count} closed", count=MIN_CLOSED) if filters.metric == "median_days" else t("no data")
    if filters.metric in congestion_cells.METRICS:
        return i18n.number(value, 2) if value else t("no data")
    return i18n.number(value, 0 if filters.metric in WHOLE else 1)


def _count(value: float) -> Html:
    return Html("–" if math.isnan(value) else i18n.number(value))


def download(actor: Actor, territory: TerritoryInfo, filters: Filters, rows: Rows) -> None:
    """Put the button of the table's file."""
    stem = f"{territory.name}-grids-{filters.first.isoformat()}-{filters.last.isoformat()}"
    take = partial(recorded, actor, "map_table", len(rows), partial(_take, actor, filters, rows))
    st.download_button(
        t("Table as CSV"), i18n.here(take), f"{stem}.csv", "text/csv", on_click="ignore", key=f"{state.MAP_TABLE}_csv",
    )  # fmt: skip


def _take(actor: Actor, filters: Filters, rows: Rows) -> bytes:
    with transaction(actor) as session:
        names = overview.grid_names(session, rows.grid_id.tolist())
    return table_csv(filters, rows, names)


def table_csv(filters: Filters, rows: Rows, names: dict[int, overview.GridName]) -> bytes:
    """Return the rows as CSV with a byte-order mark; no text is taken for a formula, what is not known stays empty."""
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow([t("Grid"), t("Community"), title(filters), t("Reported, all"), t("Still open"), t("People")])
    for at, grid_id in enumerate(rows.grid_id.tolist()):
        name = names.get(grid_id)
        value = float(rows.values[at])
        told = said(filters, value) if filters.earlier else "" if math.isnan(value) or value < 0 else f"{value:.6g}"
        texts = (name.code, i18n.either(name.community, name.community_zh)) if name else (str(grid_id), "")
        counts = (rows.reported[at], rows.still_open[at], rows.people[at])
        writer.writerow([
            *(neutral(text) for text in texts), told,
            *("" if math.isnan(count) else f"{count:.6g}" for count in counts),
        ])  # fmt: skip
    span = f"{filters.first.isoformat()} – {filters.last.isoformat()}"
    writer.writerow([])
    writer.writerow([t("Reported {first} – {last}", first=span.split(" – ", maxsplit=1)[0], last=span.split(" – ")[1])])
    writer.writerow([t("Made on {day}", day=i18n.day(now().date()))])
    return held.getvalue().encode("utf-8-sig")


def changes(session: Session, view: View, found: Compared) -> None:
    """Put the places that changed by more than chance, the surest first."""
    clear = np.flatnonzero(np.isfinite(found.change.q) & (found.change.q <= 0.05))
    order = clear[np.argsort(found.change.p[clear], kind="stable")][:SHOWN_BESIDE]
    if not len(order):
        widgets.empty(
            t("Nothing changed by more than chance."),
            t("A longer period or larger places show smaller changes."),
        )
        return
    ids = (order + found.first_id).tolist()
    names = place_names(session, view.filters.level, ids)
    told = verdicts()
    widgets.table(
        [
            Column(t("Place")), Column(t("Before"), right=True), Column(t("After"), right=True), Column(t("Change")),
        ],
        [
            (
                i18n.either(*names.get(place, (str(place), None))), i18n.number(int(found.before[at])),
                i18n.number(int(found.after[at])), told[int(found.change.verdict[at])],
            )
            for at, place in zip(order.tolist(), ids, strict=True)
        ],
        bare=True,
    )  # fmt: skip
