"""Who is on duty now or at another moment, who covers the grids, on a list and on the map."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from html import escape

import shapely
import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, roster_map, roster_words, state, widgets
from app.i18n import t
from app.widgets import Cell, Column, Fact, Html
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.basemap import surrounded_by_water
from people import rostering
from people.cover import State
from people.roster import local_time
from people.rostering import CoverView, RosterView

SHOWN = 14
MAP_PX = 400
DAYS = 7


def show(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> None:
    """Put the part of the page."""
    at = _when(territory, moment)
    first = at.astimezone(territory.zone).date()
    view = rostering.roster_view(session, actor, territory, first, DAYS, at=at)
    if not view.workers:
        widgets.empty(
            t("No workers yet."), t("Who is on duty stands here once workers and their patterns are entered.")
        )
        return
    cover = rostering.cover_view(session, actor, territory, view, at)
    _strip(view, cover)
    left, right = st.columns([1, 1.25], gap="medium")
    with left:
        _present(view, cover)
        _next_day(view)
    with right:
        if cover.grids:
            shapes = _shapes(session, actor, territory.id)
            st.html(roster_map.legend(cover))
            island = _island(session, territory.id)
            roster_map.show(territory, actor, view, cover, shapes, island=island, height=MAP_PX)
        _uncovered(view, cover)


def _when(territory: TerritoryInfo, moment: dt.datetime) -> dt.datetime:
    """Ask for the moment: now, tomorrow at this time, or a day and time of one's own."""
    language = i18n.locale()
    names = {"now": t("Now"), "tomorrow": t("Tomorrow at this time"), "other": t("Another time")}
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-roster-when"):
        chosen = st.segmented_control(
            t("When"), list(names), default="now", format_func=names.__getitem__, required=True,
            key=f"{state.ROSTER_WHEN}_{language}", label_visibility="collapsed",
        )  # fmt: skip
        local = moment.astimezone(territory.zone)
        if chosen == "tomorrow":
            return (local.replace(tzinfo=None) + dt.timedelta(days=1)).replace(tzinfo=territory.zone)
        if chosen == "other":
            day = st.date_input(
                t("Day"), local.date() + dt.timedelta(days=1), format=widgets.DATE_FORMATS[language], width=150,
                key=f"{state.ROSTER_WHEN}_day_{language}",
            )  # fmt: skip
            time = st.time_input(t("Time"), dt.time(12), width=120, key=f"{state.ROSTER_WHEN}_time_{language}")
            return dt.datetime.combine(day, time, territory.zone)
    return moment


def _strip(view: RosterView, cover: CoverView) -> None:
    reach = set(view.rows())
    present = reach & set(view.shifts.at(int(cover.at.timestamp())).tolist())
    on_day = view.roster.index_of(cover.at.astimezone(view.zone).date())
    away = int(view.roster.away[sorted(reach), on_day].sum())
    tomorrow = int((view.roster.start_min[sorted(reach), on_day + 1] >= 0).sum())
    short = sum(each.state is State.UNCOVERED for each in cover.states)
    broken = len(view.violations)
    total = i18n.number(len(reach))
    widgets.facts(
        [
            Fact(
                t("On duty"), t("{present} of {total}", present=i18n.number(len(present)), total=total), href="#on-duty"
            ),
            Fact(
                t("Working the next day"),
                t("{present} of {total}", present=i18n.number(tomorrow), total=total),
                href="#next-day",
            ),
            Fact(t("Away"), i18n.number(away), href="/roster?show=table"),
            Fact(t("Grids uncovered"), i18n.number(short), "late" if short else "", href="#uncovered"),
            Fact(t("Rules broken, 7 days"), i18n.number(broken), "soon" if broken else "", href="/roster?show=rules"),
        ]
    )


def _present(view: RosterView, cover: CoverView) -> None:
    at, moment_s = cover.at, int(cover.at.timestamp())
    names = {grid.code: i18n.either(grid.name, grid.name_zh) or grid.code for grid in cover.grids}
    clock = i18n.clock(at, view.zone.key)
    widgets.heading(t("On duty"), aside=clock, anchor="on-duty")
    reach = set(view.rows())
    shifts = view.shifts
    here = [
        (int(shifts.end_s[place]), int(shifts.worker[place]))
        for place in ((shifts.start_s <= moment_s) & (moment_s < shifts.end_s)).nonzero()[0].tolist()
        if int(shifts.worker[place]) in reach
    ]
    if not here:
        widgets.empty(
            t("Nobody is on shift at this hour."),
            t("The shifts of all {count} workers are over or not yet begun.", count=i18n.number(len(reach))),
            link_label=t("See the table"),
            href="/roster?show=table",
        )
        return
    widgets.table(
        [Column(t("Worker"), fixed=True), Column(t("Until"), right=True), Column(t("Grid"), wide=True)],
        [
            (_who(view, row), f"{local_time(end, view.zone):%H:%M}", _grid(view, row, names))
            for end, row in sorted(here, key=lambda pair: view.members[pair[1]].code)[:SHOWN]
        ],
    )
    _more(len(here))


def _next_day(view: RosterView) -> None:
    """Put how many work at which hours on the next day, and who."""
    column = view.lead + 1
    day = view.roster.day(column)
    widgets.heading(t("The next day"), aside=i18n.day(day), anchor="next-day")
    by_hours: dict[tuple[int, int], list[int]] = {}
    for row in view.rows():
        start, end = int(view.roster.start_min[row, column]), int(view.roster.end_min[row, column])
        if start >= 0:
            by_hours.setdefault((start, end), []).append(row)
    if not by_hours:
        widgets.empty(t("Nobody works on this day."), t("Every worker is free or away, or has no pattern yet."))
        return
    rows: list[tuple[Cell, ...]] = []
    for (start, end), who in sorted(by_hours.items()):
        named = t(", ").join(_code(view, row) for row in who[:8]) + (" …" if len(who) > 8 else "")
        rows.append((roster_words.hours(start, end), i18n.number(len(who)), Html(named)))
    widgets.table([Column(t("Hours"), fixed=True), Column(t("Workers"), right=True), Column(t("Staff numbers"))], rows)


def _uncovered(view: RosterView, cover: CoverView) -> None:
    """Put the grids that nobody covers at the moment, and the gaps of their day."""
    day = view.roster.index_of(cover.at.astimezone(view.zone).date())
    hours = f"{roster_words.minutes(view.rules.cover_from_min)}–{roster_words.minutes(view.rules.cover_to_min)}"
    widgets.heading(t("Uncovered"), aside=t("needed {hours}", hours=hours), anchor="uncovered")
    gaps: dict[int, list[str]] = {}
    for gap in cover.gaps:
        if gap.day == day:
            gaps.setdefault(gap.grid, []).append(roster_words.span(gap.start_s, gap.end_s, view.zone))
    open_now = [at for at, each in enumerate(cover.states) if each.state is State.UNCOVERED]
    later = [at for at in gaps if at not in set(open_now)]
    if not open_now and not later:
        widgets.empty(
            t("Every grid is covered."), t("Grids that nobody covers in the hours they need somebody would stand here.")
        )
        return
    rows: list[tuple[Cell, ...]] = []
    for at in [*open_now, *later][:SHOWN]:
        each, grid = cover.states[at], cover.grids[at]
        now = widgets.toned(roster_words.reason(each.reason), "late") if each.reason else roster_words.state(each.state)
        whose = Html(t(", ").join(_code(view, row) for row in cover.homes[at].workers))
        rows.append((i18n.either(grid.name, grid.name_zh) or grid.code, now, whose, t(", ").join(gaps.get(at, []))))
    widgets.table(
        [Column(t("Grid")), Column(t("Why")), Column(t("Own worker")), Column(t("Without anybody"), wide=True)], rows
    )
    _more(len(open_now) + len(later))


def _more(count: int) -> None:
    if count > SHOWN:
        widgets.note(t("and {count} more", count=i18n.number(count - SHOWN)))


def _who(view: RosterView, row: int) -> Cell:
    code = view.members[row].code
    name = roster_words.worker(view.workers.get(view.members[row].id), code)
    return widgets.link(name, f"/roster?show=worker&worker={code}")


def _code(view: RosterView, row: int) -> str:
    """Return a staff number as a link to the worker's own roster, with the name for who points at it."""
    code = view.members[row].code
    name = roster_words.worker(view.workers.get(view.members[row].id), code)
    href = escape(f"/roster?show=worker&worker={code}")
    return f'<a href="{href}" target="_self" title="{escape(name)}">{escape(code)}</a>'


def _grid(view: RosterView, row: int, names: Mapping[str, str]) -> str:
    who = view.workers.get(view.members[row].id)
    if who is None:
        return ""
    own = i18n.either(who.grid_name, who.grid_name_zh) or who.grid_code or ""
    if who.stands_in:
        return t(
            "{grid}, stands in for {others}",
            grid=own,
            others=t(", ").join(names.get(code, code) for code in who.stands_in),
        )
    return own


@st.cache_data(ttl=600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


@st.cache_data(ttl=300, show_spinner=False)
def _shapes(_session: Session, _actor: Actor, territory_id: int) -> dict[int, shapely.Geometry]:
    return rostering.grid_shapes(_session, _actor, territory_id)
