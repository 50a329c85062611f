"""Incidents: the queues, the list with its filters, one incident beside it, and one act on several."""

from __future__ import annotations

import streamlit as st

from app import (
    as_of,
    guard,
    i18n,
    incident_bulk,
    incident_detail,
    incident_filters,
    incident_past,
    incident_queues,
    incident_table,
    state,
    widgets,
)
from app.i18n import t
from app.incident_queues import Queues
from app.incident_table import Here
from app.where import territory_of
from core.clock import now
from geodata.db import transaction
from incidents import service as incidents
from incidents.model import Cursor, IncidentFilter, IncidentRow


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    moment = now()
    with transaction(actor) as session:
        queues = incident_queues.take(session, actor)
        incident_filters.take_address(session, actor)
        territory = territory_of(session, actor)
        widgets.title(t("Incidents"), simulated=territory.is_demo)
        incident_queues.show(session, actor, queues)
        asked = incident_filters.bar(territory)
        day = as_of.from_address(moment.astimezone(territory.zone).date())
        if day is not None:
            incident_past.show(session, actor, territory, asked, day)
            return
        wanted = queues.within(asked)
        chosen = _chosen()
        here = Here(session, actor, territory, moment)
        if chosen is None:
            incident_bulk.results()
            _list(here, wanted, queues, None)
            return
        with st.container(key="gk-beside"):
            left, right = st.columns([1.25, 1], gap="medium")
        with left:
            picked = _list(here, wanted, queues, chosen)
        with right:
            _detail(here, picked or chosen)


def _chosen() -> int | None:
    given = st.query_params.get("incident", "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _list(here: Here, wanted: IncidentFilter, queues: Queues, chosen: int | None) -> int | None:
    """Put a page of the list; return the incident picked in it, None when none is."""
    cursors = _cursors(wanted)
    page = incidents.list_incidents(
        here.session,
        here.actor,
        wanted,
        after=cursors[-1] if cursors else None,
        limit=incident_table.PAGE_ROWS,
        moment=here.moment,
    )
    total = incidents.count_incidents(here.session, here.actor, wanted, moment=here.moment, most=incident_table.COUNTED)
    shown = _counted(wanted, total)
    several = _count(here, queues, shown, page.rows[0] if page.rows else None, chosen)
    if not page.rows:
        _nothing(wanted, queues)
        return None
    picked = incident_table.table(page, here, chosen, several=several)
    incident_table.keys(page, chosen)
    incident_table.turn_pages(page, cursors, total, by_deadline=wanted.by_deadline)
    if several:
        incident_bulk.show(here, picked)
        return None
    opened = picked[0].id if picked else None
    if opened is not None and opened != chosen:
        st.query_params["incident"] = str(opened)
        if chosen is None:
            st.rerun()
    return opened


def _counted(wanted: IncidentFilter, total: int) -> str:
    """Return how many the filters find, and in which order they stand."""
    counted = (
        i18n.tn("{count} incident", "{count} incidents", total)
        if total <= incident_table.COUNTED
        else t("{count} incidents", count=incident_table.many(total))
    )
    if not total:
        return counted
    late = wanted.overdue or wanted.mark == "late"
    by_deadline = t("longest overdue first") if late else t("nearest deadline first")
    return f"{counted} · {by_deadline if wanted.by_deadline else t('newest report first')}"


def _count(here: Here, queues: Queues, counted: str, row: IncidentRow | None, chosen: int | None) -> bool:
    """Say how many the filters find, with the way out of them; return whether rows are to be ticked."""
    place = incident_filters.narrowed()
    with st.container(horizontal=True, vertical_alignment="center", key="gk-count"):
        widgets.note(f"{counted} · {place.words(row)}" if place.anything else counted)
        if place.anything and st.button(t("Show all"), type="tertiary", key="gk_widen"):
            incident_filters.widen()
            incident_table.fresh()
        if chosen is not None:
            return False
        incident_queues.keep_or_drop(here.actor, queues)
        return st.toggle(t("Tick rows"), key=state.LIST_CHOOSE, help=t("To do one act on several incidents."))


def _nothing(wanted: IncidentFilter, queues: Queues) -> None:
    if wanted == IncidentFilter():
        widgets.empty(
            t("No incidents yet."),
            t("They come from reports, or from a file: gridkeeper load file FILE --as incidents."),
        )
        return
    if queues.base is not None:
        name = i18n.either(queues.base.en, queues.base.zh)
        widgets.empty(
            t("Nothing waits in the queue “{name}”.", name=name),
            t("What comes to wait here shows at once; the filters may leave some out."),
            link_label=t("All incidents"),
            href="/incidents",
        )
        return
    widgets.empty(
        t("No incident fits the filters."),
        t("Widen the dates, or take a filter away."),
        link_label=t("All incidents"),
        href="/incidents",
    )


def _cursors(wanted: IncidentFilter) -> list[Cursor]:
    """Return the cursors of the pages turned so far; a changed filter begins at the first page."""
    if st.session_state.get(state.LIST_FILTER) != wanted:
        st.session_state[state.LIST_FILTER] = wanted
        st.session_state[state.LIST_CURSORS] = []
    cursors: list[Cursor] = st.session_state[state.LIST_CURSORS]
    return cursors


def _detail(here: Here, incident_id: int) -> None:
    with st.container(key="gk-detail"):
        if st.button(t("Close"), key="gk_close_detail", shortcut="Esc"):
            st.query_params.pop("incident", None)
            incident_table.fresh()
        with guard.page():
            detail = incidents.incident_detail(here.session, here.actor, incident_id)
            incident_detail.show(here.session, detail, here.actor, here.territory, here.moment)


show()
