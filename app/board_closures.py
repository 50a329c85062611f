"""Closing a street from the board: point at it, name it, from when to when; and what is closed now."""

from __future__ import annotations

import datetime as dt
from html import escape

import shapely
import streamlit as st

from app import board_traffic, guard, i18n, state, widgets
from app.board_side import Here
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.errors import GridkeeperError
from dispatch import closures
from dispatch.closure_model import LONGEST_NAME, LONGEST_REASON, ClosureInfo, Stretch
from geodata.db import transaction

UNTIL_H = (1, 2, 4, 8, 24, 72)


def aiming() -> bool:
    """Return whether a click on the map means a street to close."""
    return bool(st.session_state.get(f"{state.BOARD_CLOSE}_on"))


def clicked(key: str) -> None:
    """Take over where the map was clicked, while a street is being chosen."""
    answer = st.session_state.get(key)
    place = answer.get("last_clicked") if answer else None
    if aiming() and place:
        st.session_state[state.BOARD_CLICK] = (float(place["lng"]), float(place["lat"]))


def aimed(here: Here) -> Stretch | None:
    """Return the street that was pointed at."""
    place = st.session_state.get(state.BOARD_CLICK)
    if not aiming() or place is None:
        return None
    return closures.stretch_at(here.session, here.actor, *place)


def begin() -> None:
    """Make the next click on the map mean a street."""
    st.session_state[f"{state.BOARD_CLOSE}_on"] = True
    st.session_state.pop(state.BOARD_CLICK, None)


def leave() -> None:
    """Close the panel."""
    st.session_state.pop(f"{state.BOARD_CLOSE}_on", None)
    st.session_state.pop(state.BOARD_CLICK, None)


def said(closure: ClosureInfo, timezone: str, now: dt.datetime) -> str:
    """Return a closure in one line: what, until when, why."""
    until = (
        t("until {clock}", clock=i18n.clock(closure.to_at, timezone, now=now))
        if closure.to_at is not None
        else t("until it is opened")
    )
    if closure.from_at > now:
        until = t(", ").join((t("from {clock}", clock=i18n.clock(closure.from_at, timezone, now=now)), until))
    slow = t("{speed} km/h", speed=closure.speed_kmh) if closure.speed_kmh else ""
    return " · ".join(part for part in (closure.name, slow, until, closure.reason) if part)


def panel(here: Here, known: list[ClosureInfo], street: Stretch | None) -> None:
    """Put the form for a new closure and the list of those that stand."""
    head, close = st.columns([1, 0.3], vertical_alignment="center")
    with head:
        widgets.heading(t("Close a street"))
    with close:
        st.button(t("Done"), key="gk_board_close_done", on_click=leave, width="stretch")
    if street is None:
        pointed = st.session_state.get(state.BOARD_CLICK) is not None
        widgets.note(
            t("No street lies there. Click on a street.")
            if pointed
            else t("Click on the map where the street is closed.")
        )
    else:
        _form(street)
    _list(here, known)
    board_traffic.panel(here)


def _form(street: Stretch) -> None:
    place = st.session_state[state.BOARD_CLICK]
    where = f"{place[0]:.5f}_{place[1]:.5f}_{i18n.locale()}"
    name = st.text_input(
        t("Name"),
        value=i18n.either(street.name, street.name_zh) or t("Street without a name"),
        max_chars=LONGEST_NAME,
        key=f"{state.BOARD_CLOSE}_name_{where}",
    )
    hours = st.selectbox(
        t("Closed for"),
        [*UNTIL_H, 0],
        index=1,
        format_func=lambda hours: i18n.span(dt.timedelta(hours=hours)) if hours else t("until somebody opens it"),
        key=f"{state.BOARD_CLOSE}_hours_{where}",
    )
    later = st.selectbox(
        t("From"),
        [0, 1, 2, 4, 8, 24],
        format_func=lambda hours: t("in {span}", span=i18n.span(dt.timedelta(hours=hours))) if hours else t("now"),
        key=f"{state.BOARD_CLOSE}_from_{where}",
    )
    reason = st.text_input(t("Reason"), max_chars=LONGEST_REASON, key=f"{state.BOARD_CLOSE}_why_{where}")
    st.button(
        t("Close this street"),
        key="gk_board_close_street",
        width="stretch",
        disabled=not name.strip(),
        on_click=_close,
        args=(street.line, name, reason),
        kwargs={"later_h": later, "hours": hours},
    )


def _close(line: shapely.LineString, name: str, reason: str, *, later_h: int, hours: int) -> None:
    actor = guard.current_actor()
    start = now() + dt.timedelta(hours=later_h)
    try:
        with transaction(actor) as session:
            made = closures.add_closure(
                session,
                actor,
                territory_of(session, actor),
                name=name,
                shape=line,
                from_at=start,
                to_at=start + dt.timedelta(hours=hours) if hours else None,
                reason=reason,
            )
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    st.session_state.pop(state.BOARD_CLICK, None)
    st.session_state[state.BOARD_DONE] = t("{name} is closed. The next plan goes round it.", name=made.name)


def _list(here: Here, known: list[ClosureInfo]) -> None:
    widgets.heading(t("Closed now or soon"))
    if not known:
        widgets.note(t("Every street is open."))
    for closure in known:
        told, opened = st.columns([1, 0.4], vertical_alignment="center")
        with told:
            line = said(closure, here.territory.timezone, here.board.at)
            widgets.write(f'<p class="gk-small">{escape(line)}</p>')
        with opened:
            st.button(
                t("Open again"),
                key=f"gk_board_open_{closure.id}",
                width="stretch",
                on_click=_open,
                args=(closure,),
            )


def _open(closure: ClosureInfo) -> None:
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            closures.end_closure(session, actor, closure.id, version=closure.version)
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    st.session_state[state.BOARD_DONE] = t("{name} is open again.", name=closure.name)
