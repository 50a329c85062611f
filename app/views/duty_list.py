"""Duty list: which class in which area belongs to whom, its gaps and conflicts first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app import duty_parts, guard, i18n, state, unit_parts, unit_words, widgets
from app.duty_parts import Around
from app.i18n import t
from app.where import territory_of
from app.widgets import Fact
from core.identity import May, require
from geodata.db import transaction
from people import duties
from people.duty_model import DutyEntry, DutyList

ROW_HEIGHT_PX = 32
ROWS_SHOWN = 16
CHOSEN_ROW = "background-color: #DDEBEA"
IN_FORCE, TO_COME, ENDED, ALL = "now", "later", "ended", "all"


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_PEOPLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        listed = duties.read(session, actor, territory.id)
        around = Around(actor, territory, listed, duties.check(listed))
        widgets.title(t("Duty list"), simulated=territory.is_demo, aside=t("which class in which area belongs to whom"))
        unit_parts.news()
        if not listed.classes:
            widgets.empty(
                t("There are no classes of incident yet."),
                t("They come with the first map that is brought in."),
            )
            return
        _facts(around)
        duty_parts.problems(around, at_most=duty_parts.PROBLEMS_SHOWN if _chosen(listed) is None else 3)
        if around.may_edit:
            _assign(around)
        _take_address(listed)
        entries, matrix, files = st.tabs([t("Entries"), t("By community"), t("Files")])
        with entries:
            shown = _bar(around)
            chosen = _chosen(listed)
            if chosen is None:
                _table(around, shown, None)
            else:
                with st.container(key="gk-beside"):
                    left, right = st.columns([1.15, 1], gap="medium")
                with left:
                    picked = _table(around, shown, chosen)
                with right, st.container(key="gk-detail"):
                    if st.button(t("Close"), key="gk_close_detail"):
                        st.query_params.pop("duty", None)
                        _fresh()
                    duty_parts.detail(session, around, picked or chosen)
        with matrix:
            duty_parts.matrix(around)
        with files:
            duty_parts.files(session, around)


def _assign(around: Around) -> None:
    """Put the form that assigns: open where a gap led to it, else behind its button."""
    if "assign" not in st.query_params:
        with st.popover(t("Assign classes"), type="primary", key=f"gk_duty_assign_{i18n.locale()}"):
            duty_parts.assign_form(around)
        return
    with st.container(border=True, key="gk-duty-assign"):
        widgets.heading(t("Assign classes"))
        duty_parts.assign_form(around, open_=True)


def _facts(around: Around) -> None:
    found, today = around.checked.problems, around.checked.first

    def places(kind: str, *, now: bool) -> int:
        return sum(len(each.area_ids) for each in found if each.kind == kind and (each.first <= today) == now)

    gaps, later = places("gap", now=True), places("gap", now=False)
    conflicts = places("conflict", now=True) + places("conflict", now=False)
    in_force = sum(1 for each in around.listed.entries if each.stands(today))
    owned = {each.class_id for each in around.listed.entries if each.stands(today)}
    note = t("classes in communities")
    widgets.facts(
        [
            Fact(t("Gaps today"), i18n.number(gaps), tone="late" if gaps else "", note=note, href=_problems(gaps)),
            Fact(
                t("Gaps within a year"),
                i18n.number(later),
                tone="soon" if later else "",
                note=note,
                href=_problems(later),
            ),
            Fact(
                t("Conflicts"),
                i18n.number(conflicts),
                tone="late" if conflicts else "",
                note=note,
                href=_problems(conflicts),
            ),
            Fact(t("Entries in force"), i18n.number(in_force), href="/duty-list?which=now"),
            Fact(
                t("Classes with an owner"),
                t("{some} of {all}", some=i18n.number(len(owned)), all=i18n.number(len(around.listed.classes))),
            ),
        ]
    )


def _problems(count: int) -> str:
    """Return where gaps and conflicts stand on the page; none needs no link."""
    return "#problems" if count else ""


def _take_address(listed: DutyList) -> None:
    """Turn ?category=, ?area=, ?unit= and ?which= into the state of the bar, once."""
    given = st.query_params
    if "assign" in given or not {"category", "area", "unit", "which"} & set(given):
        return
    categories = {each.category for each in listed.classes.values()}
    areas = {each.key: each.id for each in listed.areas.values()}
    units = {each.code: each.id for each in listed.units.values()}
    st.session_state.update(
        {
            state.DUTY_CATEGORY: [key for key in given.get("category", "").split(",") if key in categories],
            state.DUTY_AREA: areas.get(given.get("area", "")),
            state.DUTY_UNIT: units.get(given.get("unit", "")),
            state.DUTY_WHICH: given["which"] if given.get("which") in {IN_FORCE, TO_COME, ENDED, ALL} else IN_FORCE,
        }
    )
    for name in ("category", "area", "unit", "which"):
        given.pop(name, None)


def _bar(around: Around) -> list[DutyEntry]:
    """Put the filters and return the entries that fit."""
    listed = around.listed
    categories = {each.category: i18n.either(each.category_en, each.category_zh) for each in listed.classes.values()}
    which_words = {IN_FORCE: t("In force"), TO_COME: t("To come"), ENDED: t("Ended"), ALL: t("All")}
    with widgets.filter_bar():
        which = st.selectbox(
            t("State"), list(which_words), format_func=which_words.__getitem__, key=state.DUTY_WHICH, width=130
        )
        wanted = st.multiselect(
            t("Category"),
            list(categories),
            format_func=categories.__getitem__,
            placeholder=t("All categories"),
            key=state.DUTY_CATEGORY,
            width=240,
        )
        area = st.selectbox(
            t("Area"),
            list(listed.areas),
            index=None,
            format_func=lambda key: unit_words.area(listed.areas[key]),
            placeholder=t("All"),
            key=state.DUTY_AREA,
            width=200,
        )
        unit = st.selectbox(
            t("Unit"),
            list(listed.units),
            index=None,
            format_func=lambda key: unit_words.name(listed.units[key]),
            placeholder=t("All"),
            key=state.DUTY_UNIT,
            width=220,
        )
    above = _above(listed, area)
    return [
        each
        for each in listed.entries
        if (not wanted or listed.classes[each.class_id].category in wanted)
        and (area is None or each.area_id in above)
        and (unit is None or each.unit_id == unit)
        and _in(each, which or ALL, around.today)
    ]


def _above(listed: DutyList, area: int | None) -> set[int | None]:
    """Return an area with those it lies in: the entries that can count for it."""
    found: set[int | None] = {None}
    while area is not None and area not in found:
        found.add(area)
        area = listed.areas[area].parent_id
    return found


def _in(entry: DutyEntry, which: str, today: dt.date) -> bool:
    if which == ALL:
        return True
    if which == TO_COME:
        return entry.valid_from > today
    return entry.stands(today) if which == IN_FORCE else entry.valid_to is not None and entry.valid_to < today


def _chosen(listed: DutyList) -> DutyEntry | None:
    given = st.query_params.get("duty", "")
    return next((each for each in listed.entries if str(each.id) == given), None)


def _table(around: Around, shown: Sequence[DutyEntry], chosen: DutyEntry | None) -> DutyEntry | None:
    """Put the entries; a click on any cell opens its entry. Return the one clicked."""
    widgets.note(i18n.tn("{count} entry", "{count} entries", len(shown)))
    if not shown:
        widgets.empty(t("No entry fits the filters."), t("Take a filter away, or assign the class."))
        return None
    listed = around.listed
    frame = pd.DataFrame(
        {
            t("Class"): [unit_words.class_name(listed.classes[each.class_id]) for each in shown],
            t("Area"): [unit_words.area(listed.areas.get(each.area_id or 0)) for each in shown],
            t("Unit"): [unit_words.name(listed.units[each.unit_id]) for each in shown],
            t("Days"): [unit_words.days(each.valid_from, each.valid_to) for each in shown],
            t("Legal basis"): [each.legal_basis for each in shown],
        }
    )
    if chosen is not None:
        frame = frame.drop(columns=t("Legal basis"))
    marks = [CHOSEN_ROW if chosen is not None and each.id == chosen.id else "" for each in shown]
    widths = dict(zip(frame.columns, (180, 140, 190, 220, 320), strict=False))
    event = st.dataframe(
        frame.style.apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.DUTY_TABLE}_{st.session_state.get(state.UNIT_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(min(len(frame), ROWS_SHOWN) + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.TextColumn(name, width=widths[name]) for name in frame.columns},
    )
    places = [row for row, _ in event["selection"]["cells"]]
    picked = shown[places[0]] if places and places[0] < len(shown) else None
    if picked is not None and (chosen is None or picked.id != chosen.id):
        st.query_params["duty"] = str(picked.id)
        if chosen is None:
            st.rerun()
    return picked


def _fresh() -> None:
    """Draw the table anew without a selection."""
    st.session_state[state.UNIT_ROUND] = st.session_state.get(state.UNIT_ROUND, 0) + 1
    st.rerun()


show()
