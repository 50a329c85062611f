"""Works on page Traffic: which streets are closed or slowed, now and later, and the form that plans them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, widgets
from app.i18n import t, tn
from app.where import territory_of
from app.widgets import Column
from core.clock import now
from core.errors import GridkeeperError, InvalidInput
from core.identity import Actor, May
from dispatch import closures
from dispatch.closure_model import FASTEST_KMH, LONGEST_NAME, LONGEST_REASON, SLOWEST_KMH, ClosureInfo
from geodata.db import transaction
from geodata.territory import TerritoryInfo

CLOSED, SLOWED = "closed", "slowed"
FIRST_HOUR, LAST_HOUR = dt.time(8), dt.time(17)
USUAL_KMH = 30
_TOLD = f"{state.TRAFFIC}_works_told"


def works(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the works that are in force or still to come, and for a dispatcher the form for others."""
    widgets.heading(t("Closures and planned works"), anchor="works")
    told = st.session_state.pop(_TOLD, None)
    if isinstance(told, GridkeeperError):
        widgets.known_error(told)
    elif told:
        widgets.note(told)
    known = closures.list_closures(session, actor)
    if known:
        _table(known, territory)
    else:
        widgets.empty(
            t("No street is closed, and no works are planned."),
            t("Plan them below.") if actor.may(May.DISPATCH) else t("A dispatcher plans works on this page."),
        )
    if not actor.may(May.DISPATCH):
        return
    if known:
        whole = {each[0].id: each for each in streets(known)}
        names = {k: f"{each[0].name} · {i18n.clock(each[0].from_at, territory.timezone)}" for k, each in whole.items()}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            key = f"{state.TRAFFIC}_works_{i18n.locale()}"
            chosen = st.selectbox(t("One of them"), list(names), format_func=names.__getitem__, width=260, key=key)
            args = ([(each.id, each.version) for each in whole.get(chosen or 0, [])],)
            st.button(t("Open again"), key=f"{state.TRAFFIC}_works_open", on_click=_open, args=args)
    with st.expander(t("Plan works"), expanded=False):
        _form(territory)


def streets(known: Sequence[ClosureInfo]) -> list[list[ClosureInfo]]:
    """Return closures by street: pieces of one street for one time and reason are one."""
    found: dict[tuple[object, ...], list[ClosureInfo]] = {}
    for each in known:
        found.setdefault((each.name, each.from_at, each.to_at, each.reason, each.speed_kmh), []).append(each)
    return list(found.values())


def _table(known: list[ClosureInfo], territory: TerritoryInfo) -> None:
    at = now()
    widgets.table(
        [
            Column(t("Where"), fixed=True),
            Column(t("What")),
            Column(t("From"), right=True),
            Column(t("To"), right=True),
            Column(t("State")),
        ],
        [
            (
                widgets.link(each.name, _on_map(each)),
                " · ".join(part for part in (_what(each), each.reason) if part),
                i18n.clock(each.from_at, territory.timezone),
                i18n.clock(each.to_at, territory.timezone) if each.to_at else t("until it is opened"),
                t("in force") if each.in_force(at) else t("planned"),
            )
            for each, *_ in streets(known)
        ],
    )


def _what(each: ClosureInfo) -> str:
    return t("closed") if each.speed_kmh is None else t("at most {speed} km/h", speed=each.speed_kmh)


def _on_map(each: ClosureInfo) -> str:
    middle = (
        each.shape.interpolate(0.5, normalized=True) if each.shape.geom_type == "LineString" else each.shape.centroid
    )
    return f"/map?place={middle.x:.5f},{middle.y:.5f}&layers=works,grids"


def _form(territory: TerritoryInfo) -> None:
    today = now().astimezone(territory.zone).date()
    with st.form(f"{state.TRAFFIC}_works_form", border=False):
        name = st.text_input(
            t("Street, by its whole name"), max_chars=LONGEST_NAME,
            help=t("Where several places have a street of this name, with its community: High Street, Newport."),
        )  # fmt: skip
        reason = st.text_input(t("Reason"), max_chars=LONGEST_REASON)
        days = st.columns(2)
        first = days[0].date_input(t("From"), today, min_value=today, key=f"{state.TRAFFIC}_works_first")
        begins = days[0].time_input(t("From, at"), FIRST_HOUR, key=f"{state.TRAFFIC}_works_begins")
        last = days[1].date_input(t("To"), today, min_value=today, key=f"{state.TRAFFIC}_works_last")
        ends = days[1].time_input(t("To, at"), LAST_HOUR, key=f"{state.TRAFFIC}_works_ends")
        sides = st.columns(2)
        kinds = {CLOSED: t("nobody drives through"), SLOWED: t("open, but slower")}
        kind = sides[0].radio(t("What it means"), list(kinds), format_func=kinds.__getitem__)
        speed = sides[1].number_input(
            t("Speed past the works, km/h"), SLOWEST_KMH, FASTEST_KMH, USUAL_KMH, key=f"{state.TRAFFIC}_works_kmh"
        )
        widgets.note(t("The plan and arrival times go by it as soon as it begins; the City map shows it."))
        if not st.form_submit_button(t("Plan these works"), type="primary"):
            return
    zone = territory.zone
    start = dt.datetime.combine(_day(first), begins, zone)
    end = dt.datetime.combine(_day(last), ends, zone)
    _plan(name, reason, start, end, None if kind == CLOSED else int(speed))
    st.rerun()


def _day(given: object) -> dt.date:
    if not isinstance(given, dt.date):
        raise InvalidInput("A day is missing.", hint="Give the first and the last day.", zh="请填写起止日期。")
    return given


def _plan(name: str, reason: str, start: dt.datetime, end: dt.datetime, speed: int | None) -> None:
    actor = guard.current_actor()
    try:
        if end <= start:
            raise InvalidInput(
                "The works would end before they begin.", hint="Give a later end.", zh="结束时间须晚于开始时间。"
            )
        with transaction(actor) as session:
            made = closures.close_street(
                session, actor, territory_of(session, actor), name, from_at=start, to_at=end, reason=reason,
                speed_kmh=speed,
            )  # fmt: skip
    except GridkeeperError as error:
        st.session_state[_TOLD] = error
        return
    count = sum(each.stretches or 0 for each in made)
    st.session_state[_TOLD] = tn(
        "{name}: works planned on {count} stretch of street.", "{name}: works planned on {count} stretches of street.",
        count, name=made[0].name,
    )  # fmt: skip


def _open(pieces: list[tuple[int, int]]) -> None:
    """Open all pieces of a street, or none."""
    actor = guard.current_actor()
    name = ""
    try:
        with transaction(actor) as session:
            for closure_id, version in pieces:
                name = closures.end_closure(session, actor, closure_id, version=version).name
    except GridkeeperError as error:
        st.session_state[_TOLD] = error
        return
    st.session_state[_TOLD] = t("{name} is open again.", name=name)
