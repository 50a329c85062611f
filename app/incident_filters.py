"""The filters of the incident list: the bar above it, the addresses that set it, the place it is narrowed to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import as_of, i18n, state, widgets, words
from app.i18n import t
from core.clock import now
from core.errors import InvalidInput
from core.identity import Actor
from geodata.tables import OPEN_STATUSES, STATUSES
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.classes import MAJORS
from incidents.model import IncidentFilter, IncidentRow

ANY_TIME = -1
PERIODS = (ANY_TIME, 7, 30, 90, 365, words.OWN_DATES)
BAR_NAMES = ("overdue", "due", "status", "category", "days", "find")
PLACE_NAMES = ("grid", "community", "unit", "worker")
MOVES = ("filed", "closed")
DEADLINES = ("late", "soon", "50", "80")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the address narrows the list to, beside the bar: ``?grid=``, ``?moved=filed`` and so on."""

    grid_id: int | None = None
    community_id: int | None = None
    unit_id: int | None = None
    worker_id: int | None = None
    moved: str = ""

    def address(self) -> dict[str, str]:
        """Return it as the address has it."""
        numbers = zip(PLACE_NAMES, (self.grid_id, self.community_id, self.unit_id, self.worker_id), strict=True)
        asked = {name: str(number) for name, number in numbers if number is not None}
        return asked | ({"moved": self.moved} if self.moved else {})

    @property
    def anything(self) -> bool:
        """Return whether the list is narrowed at all."""
        return self != Narrowed()

    def words(self, row: IncidentRow | None) -> str:
        """Return what the list is narrowed to; names come from one of its rows."""
        if self.moved:
            return t("Filed since yesterday") if self.moved == "filed" else t("Closed since yesterday")
        if self.worker_id is not None:
            return t("Only worker {code}", code=row.worker_code) if row and row.worker_code else t("Only one worker")
        if self.grid_id is not None:
            return t("Only grid {code}", code=row.grid_code) if row else t("Only one grid")
        if self.community_id is not None:
            name = i18n.either(row.community, row.community_zh) if row else ""
            return t("Only {name}", name=name) if name else t("Only one community")
        name = i18n.either(row.unit, row.unit_zh) if row else ""
        return t("Only {name}", name=name) if name else t("Only one unit")


def number_of(name: str) -> int | None:
    """Return the id that the address gives under ``name``; None when there is none or it is no id."""
    given = st.query_params.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def narrowed() -> Narrowed:
    """Return what the address narrows the list to."""
    moved = st.query_params.get("moved", "")
    grid, community, unit, worker = (number_of(name) for name in PLACE_NAMES)
    return Narrowed(grid, community, unit, worker, moved if moved in MOVES else "")


def widen() -> None:
    """Take what narrows the list out of the address again."""
    for name in (*PLACE_NAMES, "moved"):
        st.query_params.pop(name, None)


def take_address(session: Session, actor: Actor) -> None:
    """Turn the filters of a link (?overdue=1, ?status=open, ?find=…) into the state of the bar, once.

    A link says the whole filter: what it does not name is set to all. A whole number that is looked
    for opens its incident.
    """
    given = st.query_params
    if not any(name in given for name in BAR_NAMES):
        return
    asked = {name: given[name] for name in BAR_NAMES if name in given}
    if asked.pop("overdue", "") == "1":
        asked["due"] = "late"
    found = _incident_of(session, actor, asked.get("find", "").strip()[:60])
    if found is not None:
        given["incident"] = str(found)
        asked["find"] = ""
    set_bar(asked)
    for name in BAR_NAMES:
        given.pop(name, None)


def set_bar(asked: Mapping[str, str]) -> None:
    """Set the whole bar as an address or a kept queue asks; what it does not name is set to all."""
    status, days, due = asked.get("status", "").split(","), asked.get("days", ""), asked.get("due", "")
    due = "late" if due == "100" else due
    chosen: dict[str, Any] = {
        state.FILTER_DEADLINE: due if due in DEADLINES else "",
        state.FILTER_STATUS: [key for key in STATUSES if key in status or ("open" in status and key in OPEN_STATUSES)],
        state.FILTER_CATEGORY: [key for key in asked.get("category", "").split(",") if key in MAJORS],
        state.FILTER_PERIOD: int(days) if days.isdecimal() and int(days) in PERIODS else ANY_TIME,
        state.FILTER_TEXT: asked.get("find", "").strip()[:60],
    }
    st.session_state.update(chosen)


def bar_address() -> dict[str, str]:
    """Return what the bar asks as an address has it; own dates have none."""
    of = st.session_state
    period = of.get(state.FILTER_PERIOD, ANY_TIME)
    asked = {
        "due": of.get(state.FILTER_DEADLINE, ""),
        "status": ",".join(of.get(state.FILTER_STATUS, [])),
        "category": ",".join(of.get(state.FILTER_CATEGORY, [])),
        "days": str(period) if period and period > 0 else "",
        "find": of.get(state.FILTER_TEXT, "").strip(),
    }
    return {name: value for name, value in asked.items() if value}


def _incident_of(session: Session, actor: Actor, number: str) -> int | None:
    try:
        return incidents.find_incident(session, actor, number) if number else None
    except InvalidInput:
        return None  # not a whole number: a part of one, or a place


def bar(territory: TerritoryInfo) -> IncidentFilter:
    """Put the bar and return what it and the address say."""
    deadlines = {
        "": t("All"),
        "late": t("Late"),
        "soon": t("Due in 2 h"),
        "80": t("80 % used"),
        "50": t("50 % used"),
    }
    today = now().astimezone(territory.zone).date()
    with widgets.filter_bar():
        period = st.selectbox(t("Reported in"), PERIODS, format_func=words.period, key=state.FILTER_PERIOD, width=150)
        first, last = None, None
        if period == words.OWN_DATES:
            first, last = widgets.dates((today - dt.timedelta(days=6), today), key=state.FILTER_DAYS)
        categories = st.multiselect(
            t("Category"),
            list(MAJORS),
            format_func=words.category,
            placeholder=t("All categories"),
            key=state.FILTER_CATEGORY,
            width=240,
        )
        statuses = st.multiselect(
            t("Status"),
            list(STATUSES),
            format_func=words.status,
            placeholder=t("All"),
            key=state.FILTER_STATUS,
            width=240,
        )
        deadline = st.selectbox(
            t("Deadline"), list(deadlines), format_func=deadlines.__getitem__, key=state.FILTER_DEADLINE, width=130
        )
        text = st.text_input(t("Number or place"), key=state.FILTER_TEXT, max_chars=60, width=200)
        day = as_of.control(territory, key=f"{state.LIST_PAST}_on_{i18n.locale()}")
    if period not in {None, ANY_TIME, words.OWN_DATES}:
        last = day or today  # the last 30 days of a list of the past end on its day
        first = last - dt.timedelta(days=int(period) - 1)
    place = narrowed()
    return IncidentFilter(
        first_day=first,
        last_day=last,
        categories=tuple(categories),
        statuses=tuple(statuses),
        grid_id=place.grid_id,
        community_id=place.community_id,
        unit_id=place.unit_id,
        worker_id=place.worker_id,
        moved=place.moved,
        overdue=deadline == "late",
        due_soon=deadline == "soon",
        used=int(deadline) if deadline in {"50", "80"} else 0,
        text=text.strip(),
    )
