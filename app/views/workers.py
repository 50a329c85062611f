"""Workers: who works here, who is away and who stands in, and one of them beside the list."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, widgets, worker_detail, worker_forms, worker_import, worker_words
from app.i18n import t
from app.where import territory_of
from app.widgets import Fact
from app.worker_forms import Around
from core.clock import now
from core.identity import Actor, May, require
from geodata.db import transaction
from people import staff, workers
from people.service import list_units
from people.staff_reach import sees_names
from people.worker_model import StaffFilter, StaffRow, labels_of

ROW_HEIGHT_PX = 32
ROWS_SHOWN = 18
STATES = ("", "here", "away", "no_grid", "left")
CHOSEN_ROW = "background-color: #DDEBEA"
STANDING_SHOWN = 8


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_PEOPLE)
    with transaction(actor) as session:
        around = _around(session, actor)
        widgets.title(t("Workers"), simulated=around.territory.is_demo)
        worker_forms.news()
        _take_address(around)
        _facts(around.rows)
        _standing_in(session, around)
        wanted = _bar(around) if around.rows else StaffFilter()
        if actor.may(May.MANAGE_WORKERS):
            _acts(session, around)
        if not around.rows:
            _nobody(actor)
            return
        fits = {row.id for row in _found(session, around, wanted)}
        shown = [row for row in around.rows if row.id in fits]
        chosen = st.query_params.get("worker", "").strip()[:20]
        if not chosen:
            _list(around, shown, "")
            return
        with st.container(key="gk-beside"):
            left, right = st.columns([1.15, 1], gap="medium")
        with left:
            picked = _list(around, shown, chosen)
        with right, st.container(key="gk-detail"):
            if st.button(t("Close"), key="gk_close_detail"):
                st.query_params.pop("worker", None)
                worker_forms.next_round()
                st.rerun()
            with guard.page():
                detail = staff.staff_detail(session, actor, around.territory.id, picked or chosen, today=around.today)
                worker_detail.show(session, around, detail)


def _around(session: Session, actor: Actor) -> Around:
    territory = territory_of(session, actor)
    today = now().astimezone(territory.zone).date()
    rows, grids = staff.overview(session, actor, territory.id, today=today)
    return Around(actor, territory, today, rows, list_units(session, actor, territory.id), grids)


def _found(session: Session, around: Around, wanted: StaffFilter) -> Sequence[StaffRow]:
    """Return the rows that fit; the database is asked anew only where a phone may be meant."""
    if wanted.text:
        return staff.list_staff(session, around.actor, around.territory.id, today=around.today, wanted=wanted)
    return [row for row in around.rows if wanted.takes(row)]


def _take_address(around: Around) -> None:
    """Turn the filters of a link (?unit=, ?grid=, ?state=, ?find=) into the state of the bar, once."""
    given = st.query_params
    if not any(name in given for name in ("unit", "grid", "state", "find")):
        return
    unit = given.get("unit", "")
    by_name = {each.code: each.id for each in around.units} | {str(each.id): each.id for each in around.units}
    grids = {each.code: each.id for each in around.grids} | {str(each.id): each.id for each in around.grids}
    st.session_state[state.WORKER_UNIT] = by_name.get(unit)
    st.session_state[state.WORKER_GRID] = grids.get(given.get("grid", ""))
    st.session_state[state.WORKER_STATE] = given.get("state", "") if given.get("state") in STATES else ""
    st.session_state[state.WORKER_TEXT] = given.get("find", "").strip()[:60]
    for name in ("unit", "grid", "state", "find"):
        given.pop(name, None)


def _facts(rows: Sequence[StaffRow]) -> None:
    counts = {key: sum(StaffFilter(state=key).takes(row) for row in rows) for key in STATES}
    widgets.facts(
        [
            Fact(t("Work here"), i18n.number(counts[""]), href="/workers?state="),
            Fact(t("Not away today"), i18n.number(counts["here"]), href="/workers?state=here"),
            Fact(t("Away today"), i18n.number(counts["away"]), href="/workers?state=away"),
            Fact(
                t("Without a grid"),
                i18n.number(counts["no_grid"]),
                tone="soon" if counts["no_grid"] else "",
                href="/workers?state=no_grid",
            ),
            Fact(t("Have left"), i18n.number(counts["left"]), href="/workers?state=left"),
        ]
    )


def _standing_in(session: Session, around: Around) -> None:
    """Say who stands in for whom today."""
    away = staff.stands_in_today(session, around.actor, around.rows)
    if not away:
        return
    named = {row.code: row.label() for row in around.rows}
    told = [
        t(
            "{deputy} for {worker}",
            deputy=widgets.html(
                worker_words.link(deputy, named.get(deputy or "")) or widgets.toned(t("nobody"), "soon")
            ),
            worker=widgets.html(worker_words.link(row.code, row.label())),
        )
        for row, deputy in away[:STANDING_SHOWN]
    ]
    more = len(away) - STANDING_SHOWN
    tail = (
        f" · {widgets.link(i18n.tn('{count} more', '{count} more', more), '/workers?state=away').text}"
        if more > 0
        else ""
    )
    widgets.write(f"<p><b>{t('Stands in today')}</b>&ensp;{' · '.join(told)}{tail}</p>")


def _bar(around: Around) -> StaffFilter:
    units = {each.id: i18n.either(each.name, each.name_zh) for each in around.units}
    grids = {each.id: worker_words.grid(each) for each in around.grids}
    skills = sorted(labels_of([row for row in around.rows if row.active], "skills"), key=worker_words.skill)
    with widgets.filter_bar():
        chosen = st.selectbox(
            t("State"), STATES, format_func=worker_words.state_filter, key=state.WORKER_STATE, width=170
        )
        unit = st.selectbox(
            t("Works for"),
            list(units),
            index=None,
            format_func=units.__getitem__,
            placeholder=t("All units"),
            key=state.WORKER_UNIT,
            width=220,
        )
        grid = st.selectbox(
            t("Responsibility grid"),
            list(grids),
            index=None,
            format_func=grids.__getitem__,
            placeholder=t("All grids"),
            key=state.WORKER_GRID,
            width=220,
        )
        skill = st.selectbox(
            t("Skill"),
            skills,
            index=None,
            format_func=worker_words.skill,
            placeholder=t("Any"),
            key=state.WORKER_SKILL,
            width=150,
        )
        asked = t("Staff number, name or phone") if sees_names(around.actor) else t("Staff number")
        text = st.text_input(asked, key=state.WORKER_TEXT, max_chars=60, width=220)
    return StaffFilter(unit_id=unit, grid_id=grid, skill=skill or "", state=chosen or "", text=text.strip())


def _acts(session: Session, around: Around) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        language = i18n.locale()
        with st.popover(t("Add a worker"), type="primary", key=f"gk_worker_add_{language}"):
            worker_forms.add_form(around, workers.propose_code(session, around.actor, around.territory.id))
        with st.popover(t("From a file"), key=f"gk_worker_file_{language}"):
            worker_import.bring_in(around)
        if around.rows:
            with st.popover(t("Save as a file"), key=f"gk_worker_save_{language}"):
                worker_import.take_out(around)


def _nobody(actor: Actor) -> None:
    if actor.may(May.MANAGE_WORKERS):
        widgets.empty(t("No workers yet."), t("Add them one by one, or all at once from a file, above."))
    else:
        widgets.empty(t("No workers yet."), t("Those who keep the staff list enter them."))


def _list(around: Around, shown: Sequence[StaffRow], chosen: str) -> str | None:
    """Put the rows; a click on any cell opens its worker. Return the one clicked."""
    widgets.note(i18n.tn("{count} worker", "{count} workers", len(shown)))
    if not shown:
        widgets.empty(
            t("No worker fits the filters."),
            t("Take a filter away."),
            link_label=t("All workers"),
            href="/workers?state=",
        )
        return None
    states = [worker_words.state(row, around.today) for row in shown]
    frame = pd.DataFrame(
        {
            t("Staff number"): [row.code for row in shown],
            t("Full name"): [worker_words.person(row) for row in shown],
            t("Today"): [words for words, _ in states],
            t("Works for"): [worker_words.unit(row) for row in shown],
            t("Responsibility grid"): [worker_words.grid(row.grid) or t("looks after no grid") for row in shown],
            t("Skills"): [worker_words.skills(row.skills) for row in shown],
            t("Open tasks"): [i18n.number(row.tasks) if row.tasks else "" for row in shown],
        }
    )
    widths = dict(zip(frame.columns, (100, 150, 150, 200, 190, 220, 90), strict=True))
    if {row.person for row in shown} == {"hidden"}:
        frame = frame.drop(columns=t("Full name"))
    if chosen:
        kept = (t("Staff number"), t("Full name"), t("Today"), t("Responsibility grid"))
        frame = frame[[name for name in kept if name in frame.columns]]
    marks = [CHOSEN_ROW if row.code == chosen else "" for row in shown]
    config = {name: st.column_config.TextColumn(name, width=widths[name]) for name in frame.columns}
    if t("Open tasks") in frame.columns:
        config[t("Open tasks")] = st.column_config.TextColumn(t("Open tasks"), width=90, alignment="right")
    event = st.dataframe(
        frame.style.apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.WORKER_TABLE}_{st.session_state.get(state.WORKER_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(min(len(frame), ROWS_SHOWN) + 1) * ROW_HEIGHT_PX + 4,
        column_config=config,
    )
    places = [row for row, _ in event["selection"]["cells"]]
    picked = shown[places[0]].code if places and places[0] < len(shown) else None
    if picked is not None and picked != chosen:
        st.query_params["worker"] = picked
        if not chosen:
            st.rerun()
    return picked


show()
