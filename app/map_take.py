"""Taking the map along: sheets to print, one HTML file, the table; each taking stands in the record."""

from __future__ import annotations

import datetime as dt
from functools import partial

import streamlit as st

from app import i18n, map_page, map_sheet, map_table, state, words
from app.exports import recorded
from app.i18n import t
from app.map_sheet import Wanted
from app.map_view import View
from core.identity import Actor
from geodata.db import transaction
from layers.values import STATUSES

FORMS = {"pdf": "application/pdf", "png": "image/png", "html": "text/html"}


def show(view: View) -> None:
    """Put the button behind which the map is taken along."""
    actor, territory, filters, selected = view.actor, view.territory, view.filters, view.selected
    with st.popover(t("Print or save"), width="content"):
        kinds = extents(actor, selected)
        kind = st.radio(t("Extent"), list(kinds), format_func=kinds.__getitem__, key=f"{state.MAP_TABLE}_extent")
        wanted = Wanted(kind or "territory", selected, map_table.title(filters), told(view), view.notes())
        stem = f"{territory.name}-map-{filters.first.isoformat()}-{filters.last.isoformat()}"
        labels = {"pdf": t("Sheet as PDF"), "png": t("Sheet as PNG"), "html": t("One HTML file, no network needed")}
        for form, mime in FORMS.items():
            take = partial(_take, view, wanted, form)
            st.download_button(
                labels[form], i18n.here(partial(recorded, actor, "map_sheet", 1, take)), f"{stem}.{form}", mime,
                on_click="ignore", key=f"{state.MAP_TABLE}_take_{form}", width="stretch",
            )  # fmt: skip


def extents(actor: Actor, selected: int | None) -> dict[str, str]:
    """Return what may be printed, the likeliest first."""
    whole = {"mine": t("My communities")} if actor.area_ids else {}
    whole["territory"] = t("The whole territory")
    if selected is None:
        return whole | {"district": t("The middle of the city, 6 km"), "street": t("The middle of the city, 900 m")}
    return whole | {"district": t("Around the chosen grid, 6 km"), "street": t("Around the chosen grid, 900 m")}


def told(view: View) -> str:
    """Return the filter of a map in words."""
    filters, compared = view.filters, view.compared

    def span(days: tuple[dt.date, dt.date]) -> str:
        return t("{first} – {last}", first=i18n.day(days[0]), last=i18n.day(days[1]))

    parts = [t("Reported {first} – {last}", first=i18n.day(filters.first), last=i18n.day(filters.last))]
    if compared is not None:
        parts.append(t("compared with {days}", days=span(compared.earlier)))
    status = filters.question().status
    if status != "all":
        parts.append(t("Status: {status}", status=t(STATUSES[status])))
    if filters.categories is not None:
        parts.append(", ".join(words.category(key) for key in filters.categories))
    if filters.day is not None:
        parts.append(t("as of {day}", day=i18n.day(filters.day)))
    return " · ".join(parts)


def _take(view: View, wanted: Wanted, form: str) -> bytes:
    with transaction(view.actor) as session:
        page = (map_page.page if form == "html" else map_sheet.html)(session, view, wanted)
    if form == "html":
        return page.encode()
    return map_sheet.pdf(page) if form == "pdf" else map_sheet.png(page)
