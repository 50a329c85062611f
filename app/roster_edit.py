"""One worker's roster, and what changes it: another shift for a day, a pattern from a day on, a swap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, roster_words, state, widgets
from app.i18n import t
from app.widgets import Column
from core.errors import DataQuality, GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import rostering
from people.model import WorkerInfo
from people.roster import DAY_MIN, DayException
from people.roster_change import Change
from people.rostering import RosterView

WEEKS = 4
BREAK_MIN = 30
Maker = Callable[[Session], Change]


def news() -> None:
    """Put what came of the last act; where it would break rules, which, and whether it is meant so."""
    told = st.session_state.pop(state.ROSTER_TOLD, None)
    if told:
        widgets.told(told)
    wrong = st.session_state.pop(state.ROSTER_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)
    pending = st.session_state.get(state.ROSTER_PENDING)
    if pending is None:
        return
    actor, territory, change, sentences = pending
    widgets.alert(t("This breaks the rules of hours and rest; nothing was changed yet."))
    widgets.write("<ul>" + "".join(f"<li>{widgets.html(each)}</li>" for each in sentences[:10]) + "</ul>")
    if len(sentences) > 10:
        widgets.note(t("and {count} more", count=i18n.number(len(sentences) - 10)))
    with st.container(horizontal=True):
        st.button(
            t("Do it all the same"), key="gk_roster_knowingly", on_click=_confirm, args=(actor, territory, change)
        )
        st.button(t("Leave it as it was"), key="gk_roster_leave", on_click=_forget)


def act(actor: Actor, territory: TerritoryInfo, make: Maker, codes: Mapping[int, str]) -> None:
    """Make a change and carry it out in one transaction; runs before the page is drawn anew."""
    _forget()
    try:
        with transaction(actor) as session:
            change = make(session)
            broken = rostering.judge(session, actor, territory, change)
            if broken:
                sentences = [roster_words.violation(each, codes.get(each.worker_id, "")) for each in broken]
                st.session_state[state.ROSTER_PENDING] = (actor, territory, change, sentences)
                return
            rostering.carry_out(session, actor, territory, change)
    except GridkeeperError as error:
        st.session_state[state.ROSTER_WRONG] = error
        return
    st.session_state[state.ROSTER_TOLD] = t("The roster is changed.")


def _confirm(actor: Actor, territory: TerritoryInfo, change: Change) -> None:
    _forget()
    try:
        with transaction(actor, purpose="roster against its rules") as session:
            rostering.carry_out(session, actor, territory, change, knowingly=True)
    except GridkeeperError as error:
        st.session_state[state.ROSTER_WRONG] = error
        return
    st.session_state[state.ROSTER_TOLD] = t("The roster is changed, against its rules.")


def _forget() -> None:
    st.session_state.pop(state.ROSTER_PENDING, None)


def show(session: Session, actor: Actor, territory: TerritoryInfo, today: dt.date) -> None:
    """Put the roster of one worker and, for those who may, what changes it."""
    monday = today - dt.timedelta(days=today.weekday())
    view = rostering.roster_view(session, actor, territory, monday, WEEKS * 7)
    if not view.workers:
        widgets.empty(t("No workers yet."), t("Workers stand here once they are entered."))
        return
    who = _choose(view)
    row = next(at for at, each in enumerate(view.members) if each.id == who.id)
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _facts(view, who, row)
        _weeks(view, row, today)
        _broken(view, who)
    with right:
        if actor.may(May.MANAGE_WORKERS):
            _forms(actor, territory, view, who, today)
        _exceptions(view, who)


def _choose(view: RosterView) -> WorkerInfo:
    names = {each.code: roster_words.worker(each, each.code) for each in view.workers.values()}
    asked = st.query_params.get("worker", "")
    key = f"{state.ROSTER_WORKER}_{i18n.locale()}"
    if asked in names and st.session_state.get(f"{key}_asked") != asked:
        st.session_state[key] = st.session_state[f"{key}_asked"] = asked
    code = st.selectbox(t("Worker"), list(names), format_func=names.__getitem__, key=key, width=320)
    if code != asked:
        st.query_params["worker"] = code
        st.session_state[f"{key}_asked"] = code
    return next(each for each in view.workers.values() if each.code == code)


def _facts(view: RosterView, who: WorkerInfo, row: int) -> None:
    mine = sorted(
        (each for each in view.plan.assignments if each.worker_id == who.id), key=lambda each: each.valid_from
    )
    names = {each.id: f"{each.code} · {each.title(i18n.locale())}" for each in view.plan.patterns}
    last = mine[-1] if mine else None
    words = t("no pattern yet") if last is None else t(
        "{pattern}, since {day}", pattern=names.get(last.pattern_id, ""), day=i18n.day(last.valid_from)
    )  # fmt: skip
    in_view = (view.shifts.worker == row) & (view.shifts.day >= view.lead) & (view.shifts.day < view.lead + WEEKS * 7)
    hours = float(view.shifts.work_s[in_view].sum()) / 3600
    widgets.fields(
        {
            t("Works for"): widgets.link(i18n.either(who.unit_name, who.unit_name_zh), f"/units?unit={who.unit_id}"),
            t("Own grid"): i18n.either(who.grid_name, who.grid_name_zh) or who.grid_code,
            t("Pattern"): words,
            t("Hours in four weeks"): i18n.number(hours, 1),
            t("Absences and more"): widgets.link(who.code, f"/workers?worker={who.code}"),
        },
        beside=True,
    )


def _weeks(view: RosterView, row: int, today: dt.date) -> None:
    """Put four weeks as a calendar, Monday to Sunday."""
    widgets.heading(t("Four weeks"))
    monday = view.roster.day(view.lead)
    columns = [Column(t("Week from")), *(Column(roster_words.weekday(monday + dt.timedelta(days=d))) for d in range(7))]
    rows = []
    for week in range(WEEKS):
        cells: list[widgets.Cell] = [i18n.day(monday + dt.timedelta(days=7 * week))]
        for at in range(7):
            column = view.lead + 7 * week + at
            start, end = int(view.roster.start_min[row, column]), int(view.roster.end_min[row, column])
            words = roster_words.short_hours(start, end) if start >= 0 else "·"
            if view.roster.away[row, column]:
                words = t("away")
            if view.roster.special[row, column]:
                words = f"{words} *"
            cells.append(
                widgets.Html(f"<b>{widgets.html(words)}</b>")
                if view.roster.day(column) == today
                else widgets.toned(words, "soon" if view.roster.special[row, column] else "")
            )
        rows.append(cells)
    widgets.table(columns, rows)
    widgets.note(t("Bold is today; a star marks a changed day; a dot is free."))


def _broken(view: RosterView, who: WorkerInfo) -> None:
    mine = [each for each in view.violations if each.worker_id == who.id]
    if mine:
        widgets.heading(t("Rules broken"))
        items = "".join(f"<li>{widgets.html(roster_words.violation(each, who.code))}</li>" for each in mine)
        widgets.write(f"<ul>{items}</ul>")


def _exceptions(view: RosterView, who: WorkerInfo) -> None:
    mine = sorted(
        (e for e in view.plan.exceptions if e.worker_id == who.id and view.first <= e.day <= view.last),
        key=lambda each: each.day,
    )
    if mine:
        widgets.heading(t("Changed days"))
        widgets.table(
            [Column(t("Day"), fixed=True), Column(t("Hours")), Column(t("Why"))],
            [
                (i18n.day(e.day), roster_words.hours(e.start_min, e.end_min), roster_words.why_changed(e.reason))
                for e in mine
            ],
        )


def _forms(actor: Actor, territory: TerritoryInfo, view: RosterView, who: WorkerInfo, today: dt.date) -> None:
    names = {"day": t("Change a day"), "pattern": t("Give a pattern"), "swap": t("Swap a shift")}
    chosen = st.segmented_control(
        t("What to change"), list(names), default="day", format_func=names.__getitem__, required=True,
        key=f"gk_roster_what_{i18n.locale()}",
    )  # fmt: skip
    codes = {each.id: each.code for each in view.workers.values()}
    if chosen == "pattern":
        make = _pattern_form(actor, territory, view, who, today)
    elif chosen == "swap":
        make = _swap_form(actor, territory, view, who, today)
    else:
        make = _day_form(view, who, today)
    st.button(
        t("Change the roster"), type="primary", disabled=make is None, key="gk_roster_go",
        on_click=act, args=(actor, territory, make, codes),
    )  # fmt: skip


def _day_form(view: RosterView, who: WorkerInfo, today: dt.date) -> Maker | None:
    """Ask for a day and what the worker does on it; the versions are those the reader sees."""
    key = f"gk_roster_day_{who.id}_{i18n.locale()}"
    day = st.date_input(t("Day"), today + dt.timedelta(days=1), format=widgets.DATE_FORMATS[i18n.locale()], key=key)
    known = next((e for e in view.plan.exceptions if e.worker_id == who.id and e.day == day), None)
    kinds = {"hours": t("Works"), "free": t("Is free")}
    if known is not None:
        kinds["pattern"] = t("By the pattern again")
    kind = st.radio(t("What"), list(kinds), format_func=kinds.__getitem__, horizontal=True, key=f"{key}_kind")
    version = 0 if known is None else known.version
    if kind == "pattern" and known is not None:
        return lambda _session: Change(cleared=(known,))
    if kind == "free":
        return lambda _session: Change(days=(DayException(who.id, day, None, None, 0, "free", version),))
    with st.container(horizontal=True):
        start = st.time_input(t("Begins"), dt.time(8), key=f"{key}_start", width=110)
        end = st.time_input(t("Ends at"), dt.time(16), key=f"{key}_end", width=110)
        rest = st.number_input(t("Break, min"), 0, 240, BREAK_MIN, 5, key=f"{key}_break", width=130)
    begins, ends = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    late = st.checkbox(t("Ends on the next day"), key=f"{key}_late")
    ends += DAY_MIN if late else 0
    column = view.roster.index_of(day)
    row = next(at for at, each in enumerate(view.members) if each.id == who.id)
    free = 0 <= column < view.roster.days and view.roster.start_min[row, column] < 0
    reason = "extra" if free else "change"
    return lambda _session: Change(days=(DayException(who.id, day, begins, ends, int(rest), reason, version),))


def _pattern_form(
    actor: Actor, territory: TerritoryInfo, view: RosterView, who: WorkerInfo, today: dt.date
) -> Maker | None:
    names = {each.id: f"{each.code} · {each.title(i18n.locale())}" for each in view.plan.patterns}
    key = f"gk_roster_pattern_{who.id}_{i18n.locale()}"
    if not names:
        widgets.note(t("There is no pattern yet; a supervisor makes one under Rules."))
        return None
    pattern = st.selectbox(
        t("Pattern"), list(names), format_func=names.__getitem__, index=None, placeholder=t("Choose"), key=key
    )
    with st.container(horizontal=True):
        formats = widgets.DATE_FORMATS[i18n.locale()]
        first = st.date_input(
            t("First day"), today + dt.timedelta(days=1), format=formats, key=f"{key}_from", width=150
        )
        cycle = next((each.cycle_days for each in view.plan.patterns if each.id == pattern), 7)
        monday = first - dt.timedelta(days=first.weekday()) if cycle % 7 == 0 else first
        anchor = st.date_input(
            t("Day 1 of the pattern"), monday, format=formats, key=f"{key}_anchor_{monday}_{pattern}", width=170
        )
    widgets.note(t("The pattern of now ends the day before."))
    if pattern is None:
        return None
    return lambda session: rostering.pattern_change(
        session, actor, territory, who.id, pattern, from_on=first, anchor_on=anchor
    )


def _swap_form(
    actor: Actor, territory: TerritoryInfo, view: RosterView, who: WorkerInfo, today: dt.date
) -> Maker | None:
    key = f"gk_roster_swap_{who.id}_{i18n.locale()}"
    day = st.date_input(t("Day"), today + dt.timedelta(days=1), format=widgets.DATE_FORMATS[i18n.locale()], key=key)
    column = view.roster.index_of(day)
    names = {}
    for row in view.rows():
        each = view.members[row]
        if each.id == who.id or not 0 <= column < view.roster.days or view.roster.away[row, column]:
            continue
        start, end = int(view.roster.start_min[row, column]), int(view.roster.end_min[row, column])
        words = roster_words.hours(start if start >= 0 else None, end)
        names[each.id] = f"{roster_words.worker(view.workers.get(each.id), each.code)} · {words}"
    other = st.selectbox(
        t("With"), list(names), format_func=names.__getitem__, index=None, placeholder=t("Choose"), key=f"{key}_with"
    )
    if other is None:
        return None
    return lambda session: rostering.swap_change(session, actor, territory, one=who.id, other=other, day=day)


def problems(error: DataQuality) -> None:
    """Put every fault of a refusal."""
    widgets.write("<ul>" + "".join(f"<li>{widgets.html(each)}</li>" for each in error.violations[:50]) + "</ul>")
