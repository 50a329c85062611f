"""Broken rules of hours and rest, the limits themselves, and the shift patterns."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, roster_edit, roster_words, state, widgets
from app.i18n import t
from app.widgets import Column
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import rostering
from people.roster import Pattern
from people.roster_change import clock, parse_clock
from people.roster_files import parse_steps
from people.roster_rules import Rules
from people.rostering import RosterView

DAYS = 28
SHOWN = 60
NAMED = 8


def show(session: Session, actor: Actor, territory: TerritoryInfo, today: dt.date) -> None:
    """Put the part of the page."""
    view = rostering.roster_view(session, actor, territory, today, DAYS)
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        _broken(view)
    with right:
        _limits(actor, territory, view.rules)
        _patterns(actor, territory, view)
        if actor.may(May.MANAGE_WORKERS):
            _without(actor, territory, view)
        if actor.may(May.EDIT_GRIDS):
            _needs(session, actor, territory)


def _broken(view: RosterView) -> None:
    aside = t("the next four weeks")
    widgets.heading(t("Rules broken"), aside=aside)
    if not view.violations:
        widgets.empty(
            t("No rule is broken."), t("Shifts that leave too little rest or hold too many hours would stand here.")
        )
        return
    counts = Counter(each.rule for each in view.violations)
    widgets.note(" · ".join(f"{roster_words.rule_name(rule)}: {i18n.number(n)}" for rule, n in counts.most_common()))
    widgets.table(
        [Column(t("Worker"), fixed=True), Column(t("Reason"))],
        [
            (
                widgets.link(
                    roster_words.worker(view.workers.get(each.worker_id), code), f"/roster?show=worker&worker={code}"
                ),
                roster_words.violation(each, code),
            )
            for each in view.violations[:SHOWN]
            for code in [view.code_of(each.worker_id)]
        ],
    )
    if len(view.violations) > SHOWN:
        widgets.note(t("and {count} more", count=i18n.number(len(view.violations) - SHOWN)))


def _limits(actor: Actor, territory: TerritoryInfo, rules: Rules) -> None:
    widgets.heading(t("Limits"))
    widgets.fields(
        {
            t("Hours a day, at most"): i18n.number(rules.max_day_h, 1),
            t("Hours a week, at most"): i18n.number(rules.max_week_h, 1),
            t("Rest between shifts, hours"): i18n.number(rules.min_rest_h, 1),
            t("Days in a row, at most"): i18n.number(rules.max_days_row),
            t("Break, min"): t(
                "{minutes} in a shift over {hours} h",
                minutes=rules.min_break_min,
                hours=i18n.number(rules.break_after_h, 1),
            ),
            t("Grids need somebody"): f"{clock(rules.cover_from_min)}–{clock(rules.cover_to_min)}",
        }
    )
    if not actor.may(May.MANAGE_DUTIES):
        return
    with st.popover(t("Change the limits"), width="content"):
        given = {
            "max_day_h": st.number_input(t("Hours a day, at most"), 1.0, 24.0, rules.max_day_h, 0.5),
            "max_week_h": st.number_input(t("Hours a week, at most"), 1.0, 168.0, rules.max_week_h, 0.5),
            "min_rest_h": st.number_input(t("Rest between shifts, hours"), 0.0, 24.0, rules.min_rest_h, 0.5),
            "max_days_row": st.number_input(t("Days in a row, at most"), 1, 31, rules.max_days_row),
            "break_after_h": st.number_input(t("A break in shifts over, hours"), 0.0, 24.0, rules.break_after_h, 0.5),
            "min_break_min": st.number_input(t("Break, min"), 0, 240, rules.min_break_min, 5),
        }
        cover = st.text_input(t("Grids need somebody"), f"{clock(rules.cover_from_min)}-{clock(rules.cover_to_min)}")
        st.button(t("Save the limits"), on_click=_save_rules, args=(actor, territory, given, cover, rules.version))


def _save_rules(actor: Actor, territory: TerritoryInfo, given: dict[str, float], cover: str, version: int) -> None:
    try:
        first, _, last = cover.replace("–", "-").partition("-")
        rules = Rules(**given, cover_from_min=parse_clock(first), cover_to_min=parse_clock(last), version=version)  # type: ignore[arg-type]
        with transaction(actor, purpose="rules of the roster") as session:
            rostering.set_rules(session, actor, territory.id, rules)
    except GridkeeperError as error:
        st.session_state[state.ROSTER_WRONG] = error
        return
    st.session_state[state.ROSTER_TOLD] = t("The limits are changed.")


def _patterns(actor: Actor, territory: TerritoryInfo, view: RosterView) -> None:
    widgets.heading(t("Shift patterns"))
    used = Counter(each.pattern_id for each in view.plan.assignments)
    if view.plan.patterns:
        widgets.table(
            [Column(t("Pattern"), fixed=True), Column(t("Shifts")), Column(t("Workers"), right=True)],
            [
                (f"{each.code} · {each.title(i18n.locale())}", _shifts(each), i18n.number(used[each.id]))
                for each in view.plan.patterns
            ],
        )
    else:
        widgets.empty(
            t("No pattern yet."),
            t("A pattern says which shifts repeat, for example five early ones and two free days."),
        )
    if not actor.may(May.MANAGE_DUTIES):
        return
    with st.popover(t("New pattern"), width="content"):
        code = st.text_input(t("Code, one letter is best"), max_chars=6)
        name = st.text_input(t("Name"))
        name_zh = st.text_input(t("Name in Chinese"))
        words = st.text_area(
            t("A line a day: hours and break in minutes, or free"),
            "08:00-16:00/30\n08:00-16:00/30\n08:00-16:00/30\n08:00-16:00/30\n08:00-16:00/30\nfree\nfree",
            height=190,
        )
        st.button(t("Save the pattern"), on_click=_save_pattern, args=(actor, territory, (code, name, name_zh), words))


def _without(actor: Actor, territory: TerritoryInfo, view: RosterView) -> None:
    """Name the workers in reach who have no pattern, and give all of them one in one act."""
    known = {each.worker_id for each in view.plan.assignments if each.valid_to is None or each.valid_to >= view.first}
    codes = {each.id: each.code for each in view.workers.values() if each.id not in known}
    if not codes or not view.plan.patterns:
        return
    first = list(codes.values())[:NAMED]
    named = t(", ").join(first) + (" …" if len(codes) > NAMED else "")
    count = i18n.tn("{count} worker has no pattern", "{count} workers have no pattern", len(codes))
    widgets.note(t("{count}: {codes}", count=count, codes=named))
    with st.popover(t("Give all of them one"), width="content"):
        names = {each.id: f"{each.code} · {each.title(i18n.locale())}" for each in view.plan.patterns}
        pattern = st.selectbox(t("Pattern"), list(names), format_func=names.__getitem__, key="gk_roster_all_pattern")
        day = st.date_input(
            t("First day"), view.first, format=widgets.DATE_FORMATS[i18n.locale()], key="gk_roster_all_from"
        )
        st.button(
            t("Change the roster"), key="gk_roster_all", on_click=roster_edit.act,
            args=(
                actor,
                territory,
                lambda session: rostering.first_patterns(
                    session, actor, territory, list(codes), pattern_id=pattern, from_on=day
                ),
                codes,
            ),
        )  # fmt: skip


def _shifts(pattern: Pattern) -> str:
    """Return the hours of a pattern, each once, and how many days of the cycle are worked."""
    hours = dict.fromkeys(roster_words.short_hours(step.start_min, step.end_min) for step in pattern.steps)
    return t(
        "{hours} on {worked} of {days} days",
        hours=t(", ").join(hours) or "–",
        worked=len(pattern.steps),
        days=pattern.cycle_days,
    )


def _save_pattern(actor: Actor, territory: TerritoryInfo, names: tuple[str, str, str], words: str) -> None:
    code, name, name_zh = names
    try:
        lines = [line.strip() for line in words.strip().splitlines()]
        steps = parse_steps(lines)
        pattern = Pattern(0, code.strip().upper(), name.strip(), name_zh.strip() or None, len(lines), steps, 0)
        with transaction(actor, purpose="shift pattern") as session:
            rostering.set_pattern(session, actor, territory.id, pattern)
    except GridkeeperError as error:
        st.session_state[state.ROSTER_WRONG] = error
        return
    st.session_state[state.ROSTER_TOLD] = t("The pattern is saved.")


def _needs(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Ask how many workers a grid needs at a time; one where nothing else was said."""
    grids = {each.code: each for each in rostering.grids_of(session, actor, territory.id)}
    if not grids:
        return
    widgets.heading(t("Workers a grid needs"))
    other = [each for each in grids.values() if each.need != 1]
    told = t(", ").join(f"{i18n.either(each.name, each.name_zh) or each.code}: {each.need}" for each in other)
    widgets.note(t("One at a time, but for {grids}.", grids=told) if other else t("One at a time, everywhere."))
    with st.popover(t("Change the need"), width="content"):
        code = st.selectbox(
            t("Grid"), list(grids), format_func=lambda key: i18n.either(grids[key].name, grids[key].name_zh) or key
        )
        need = st.number_input(t("Workers at a time"), 0, 50, grids[code].need, key=f"gk_roster_need_{code}")
        st.button(t("Save the need"), on_click=_save_need, args=(actor, territory, code, int(need)))


def _save_need(actor: Actor, territory: TerritoryInfo, code: str, need: int) -> None:
    try:
        with transaction(actor, purpose="need of a grid") as session:
            rostering.set_need(session, actor, territory.id, code, need)
    except GridkeeperError as error:
        st.session_state[state.ROSTER_WRONG] = error
        return
    st.session_state[state.ROSTER_TOLD] = t("The need is changed.")
