"""The forms of the staff list: a new worker, a change, an absence, the end of an employment."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from app import i18n, state, widgets, worker_words
from app.i18n import t
from core.errors import Conflict, GridkeeperError
from core.identity import Actor, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import workers
from people.model import UnitInfo
from people.staff_reach import reaches
from people.worker_model import (
    CODE_LETTERS,
    LANGUAGES,
    NAME_LETTERS,
    GridRef,
    StaffDetail,
    StaffRow,
    WorkerFields,
    labels_of,
)

FIRST_DAY, LAST_DAY = dt.date(1949, 10, 1), dt.date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class Around:
    """What the parts of the page need: who reads, where, when, and all workers, units and grids in reach."""

    actor: Actor
    territory: TerritoryInfo
    today: dt.date
    rows: Sequence[StaffRow]
    units: Sequence[UnitInfo]
    grids: Sequence[GridRef]

    def code(self, worker_id: int | None) -> str | None:
        """Return a staff number; None for nobody, and for who lies outside the reach."""
        return next((row.code for row in self.rows if row.id == worker_id), None)


def add_form(around: Around, proposed: str) -> None:
    """Put the form of a new worker."""
    key = f"gk_worker_new_{this_round()}_{i18n.locale()}"
    units = _units(around)
    if not units:
        widgets.note(t("First make a unit that workers belong to."))
        return
    with st.form(key, border=False):
        usual = Counter(row.unit_id for row in around.rows if row.active).most_common(1)
        unit = usual[0][0] if usual else units[0].id
        new = _fields(around, WorkerFields(proposed, unit, name="", employed_from=around.today), key=key)
        if st.form_submit_button(t("Add the worker"), type="primary"):
            actor, home = around.actor, around.territory.id
            do(
                lambda session: workers.add_worker(session, actor, home, new, today=around.today),
                actor,
                lambda kept: t("{code} was added.", code=kept.code),
                purpose="worker added",
                open_=True,
            )


def field_of(worker_id: int) -> str:
    """Return the key of the first field of the form that changes a worker."""
    return f"gk_worker_form_{worker_id}_{this_round()}_{i18n.locale()}_code"


def change_form(around: Around, detail: StaffDetail) -> None:
    """Put the form that changes a worker."""
    row = detail.row
    key = field_of(row.id).removesuffix("_code")
    version = seen(field_of(row.id), row.version)
    kept = replace(row.fields(), name=None if row.person == "erased" else row.name, phone=detail.phone or "")
    with st.form(key, border=False):
        given = _fields(around, kept, key=key, erased=row.person == "erased")
        if st.form_submit_button(t("Save")):
            # What was left as it stood is not sealed anew; an empty name cannot take the place of a kept one.
            name = None if given.name == (row.name or "") else given.name
            new = replace(given, name=name, phone=None if given.phone == (detail.phone or "") else given.phone)
            actor, home = around.actor, around.territory.id
            do(
                lambda session: workers.change_worker(session, actor, home, row.id, new, version=version),
                actor,
                lambda done: (
                    t("{code} was changed.", code=done.code)
                    if done.changed
                    else t("{code} stands as it was; nothing was to change.", code=done.code)
                ),
                purpose="worker changed",
                open_=True,
            )


def _fields(around: Around, kept: WorkerFields, *, key: str, erased: bool = False) -> WorkerFields:
    """Put the fields of a worker and return what they say."""
    left, right = st.columns([1, 2])
    code = left.text_input(t("Staff number"), kept.code, max_chars=CODE_LETTERS, key=f"{key}_code")
    name, phone = None, None
    if erased:
        widgets.note(t("Name and phone were erased on request."))
    else:
        name = right.text_input(t("Full name"), kept.name or "", max_chars=NAME_LETTERS, key=f"{key}_name")
        phone = left.text_input(t("Phone"), kept.phone or "", max_chars=30, key=f"{key}_phone")
    units = {each.id: i18n.either(each.name, each.name_zh) for each in _units(around)}
    own = next((row for row in around.rows if row.unit_id == kept.unit_id), None)
    if kept.unit_id not in units and own is not None:
        units[kept.unit_id] = worker_words.unit(own)
    unit_id = right.selectbox(
        t("Works for"), list(units), index=_place(units, kept.unit_id), format_func=units.__getitem__, key=f"{key}_unit"
    )
    grids = {each.id: _grid_choice(each, kept.code) for each in around.grids}
    grid_id = st.selectbox(
        t("Responsibility grid"),
        list(grids),
        index=list(grids).index(kept.grid_id) if kept.grid_id in grids else None,
        format_func=grids.__getitem__,
        placeholder=t("looks after no grid"),
        key=f"{key}_grid",
    )
    skills = _labels(t("Skills"), around, "skills", kept.skills, key=f"{key}_skills")
    equipment = _labels(t("Equipment"), around, "equipment", kept.equipment, key=f"{key}_equipment")
    left, right = st.columns(2)
    language = left.selectbox(
        t("Language"),
        list(LANGUAGES),
        index=LANGUAGES.index(kept.language) if kept.language in LANGUAGES else 0,
        format_func=worker_words.LANGUAGES.__getitem__,
        key=f"{key}_language",
    )
    with right:
        first = day_input(t("Employed from"), kept.employed_from, key=f"{key}_first")
    return WorkerFields(
        code=code,
        unit_id=unit_id or 0,
        name=name,
        phone=phone,
        grid_id=grid_id,
        language=language,
        skills=tuple(skills),
        equipment=tuple(equipment),
        employed_from=first,
    )


def _units(around: Around) -> list[UnitInfo]:
    """Return the units the actor may put a worker into."""
    if around.actor.role is not Role.HANDLER:
        return list(around.units)
    return [unit for unit in around.units if reaches(around.actor, unit.id, None)]


def _place(known: Mapping[int, str], wanted: int) -> int:
    return list(known).index(wanted) if wanted in known else 0


def _grid_choice(grid: GridRef, code: str) -> str:
    """Return a grid with who looks after it already."""
    others = [each for each in grid.worker_codes if each != code]
    told = ", ".join(others[:3]) or (t("nobody else") if grid.worker_codes else t("nobody yet"))
    return f"{worker_words.grid(grid)} · {told}"


def _labels(label: str, around: Around, which: str, kept: Sequence[str], *, key: str) -> list[str]:
    known = labels_of(around.rows, which)
    return st.multiselect(
        label,
        [*known, *(each for each in kept if each not in known)],
        list(kept),
        format_func=worker_words.skill,
        accept_new_options=True,
        placeholder=t("Choose, or type a new one"),
        key=key,
    )


def day_input(label: str, value: dt.date | None, *, key: str) -> dt.date:
    """Ask for one day; what is left empty stays as it was."""
    given: dt.date | None = st.date_input(
        label, value, min_value=FIRST_DAY, max_value=LAST_DAY, format=widgets.DATE_FORMATS[i18n.locale()], key=key
    )
    return given  # type: ignore[return-value]


def do(
    act: Callable[..., Any],
    actor: Actor,
    told: Callable[[Any], str],
    *,
    purpose: str,
    open_: bool = False,
) -> None:
    """Do an act in a transaction of its own, keep what came of it for the top of the page, and draw it anew.

    With ``open_`` the worker that the act answers with is opened.
    """
    try:
        with transaction(actor, purpose=purpose) as session:
            kept = act(session)
    except GridkeeperError as error:
        st.session_state[state.WORKER_WRONG] = error
        if isinstance(error, Conflict):
            next_round()
    else:
        st.session_state[state.WORKER_TOLD] = told(kept)
        next_round()
        if open_:
            st.query_params["worker"] = kept.code
    st.rerun()


def news() -> None:
    """Put what came of the last act."""
    told = st.session_state.pop(state.WORKER_TOLD, None)
    if told is not None:
        widgets.told(told)
    wrong = st.session_state.pop(state.WORKER_WRONG, None)
    if wrong is not None:
        worker_words.refused(wrong)


def seen(key: str, version: int) -> int:
    """Return the version that the form with the field ``key`` was first drawn from: a click draws the page anew."""
    if key not in st.session_state:
        st.session_state[f"{key}_seen"] = version
    seen: int = st.session_state.get(f"{key}_seen", version)
    return seen


def this_round() -> int:
    """Return a number that is part of the keys of forms and list: another one lets them begin anew."""
    drawn: int = st.session_state.get(state.WORKER_ROUND, 0)
    return drawn


def next_round() -> None:
    """Let every form and the list begin anew."""
    st.session_state[state.WORKER_ROUND] = this_round() + 1
