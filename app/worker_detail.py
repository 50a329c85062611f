"""One worker beside the list: what is kept, absences, who is stood in for, history."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, widgets, words, worker_acts, worker_forms, worker_words
from app.i18n import t
from app.widgets import Cell, Column
from app.worker_forms import Around
from core.identity import May, Role
from people import staff
from people.worker_model import Away, StaffDetail


def show(session: Session, around: Around, detail: StaffDetail) -> None:
    """Put the worker."""
    row = detail.row
    label, tone = worker_words.state(row, around.today)
    name = widgets.html(row.name or row.code)
    widgets.write(
        f'<div class="gk-title"><h2>{name}</h2></div>'
        f"<p>{f'{widgets.html(row.code)} · ' if row.name else ''}{widgets.toned(label, tone).text}</p>"
    )
    if row.active and row.grid is None:
        widgets.alert(_no_grid(around, detail))
    if not row.active and row.tasks:
        tasks = i18n.tn("{count} open task", "{count} open tasks", row.tasks)
        widgets.alert(
            t("{code} has left with {tasks}: hand them over in Accounts, Handover.", code=row.code, tasks=tasks)
        )
    if detail.may_change:
        worker_acts.acts(around, detail)
    titles = [t("Worker"), t("Absences"), t("History"), t("Change")]
    about, away, history, *change = st.tabs(titles if detail.may_change else titles[:-1])
    with about:
        widgets.fields(_fields(around, detail), beside=True)
    with away:
        _absences(session, around, detail)
    with history:
        _history(session, around, detail)
    for tab in change:
        with tab:
            worker_forms.change_form(around, detail)


def _no_grid(around: Around, detail: StaffDetail) -> str:
    code = detail.row.code
    if detail.may_change and around.grids:
        return t("{code} looks after no grid. Choose one under Change.", code=code)
    if detail.may_change and around.actor.role is Role.HANDLER:
        return t("{code} looks after no grid.", code=code)
    if not around.grids:
        return t("{code} looks after no grid: there is none yet. Grids are drawn first.", code=code)
    return t("{code} looks after no grid. The supervisor can give one.", code=code)


def _fields(around: Around, detail: StaffDetail) -> dict[str, Cell]:
    row = detail.row
    fields: dict[str, Cell] = {} if row.name else {t("Full name"): worker_words.person(row)}
    fields |= {
        t("Phone"): detail.phone,
        t("Works for"): widgets.link(worker_words.unit(row), f"/units?unit={row.unit_code}"),
        t("Responsibility grid"): _grid(detail),
        t("Skills"): worker_words.skills(row.skills),
        t("Equipment"): worker_words.skills(row.equipment),
        t("Language"): worker_words.LANGUAGES.get(row.language, row.language),
        t("Employed from"): i18n.day(row.employed_from) if row.employed_from else None,
    }
    if row.employed_to:
        fields[t("Employed until")] = i18n.day(row.employed_to)
    fields[t("Open tasks")] = _tasks(around, detail)
    if row.active:
        fields[t("Roster")] = widgets.link(t("Shifts of four weeks"), f"/roster?show=worker&worker={row.code}")
    if around.actor.may(May.MANAGE_USERS):
        fields[t("Account")] = (
            widgets.link(detail.login, f"/accounts?user={detail.login}") if detail.login else t("none")
        )
    if not around.actor.may(May.MANAGE_WORKERS) and around.actor.role is not Role.DISPATCHER:
        fields[t("Phone")] = t("not for your role")
    return fields


def _grid(detail: StaffDetail) -> Cell:
    grid = detail.row.grid
    if grid is None:
        return t("looks after no grid")
    if grid.cell_id is None:
        return worker_words.grid(grid)
    return widgets.link(worker_words.grid(grid), f"/map?grid={grid.cell_id}")


def _tasks(around: Around, detail: StaffDetail) -> Cell:
    count = i18n.number(detail.row.tasks)
    if detail.row.tasks and around.actor.may(May.SEE_INCIDENTS):
        return widgets.link(count, f"/incidents?worker={detail.row.id}&status=open")
    return count


def _absences(session: Session, around: Around, detail: StaffDetail) -> None:
    codes = staff.codes_of(
        session,
        around.actor,
        [each for away in (*detail.coming, *detail.stands_in) for each in (away.worker_id, away.deputy_id) if each],
    )
    if detail.sees_why and detail.absences:
        for absence in detail.absences:
            past = absence.to_on < around.today
            tone = "" if past else "soon"
            deputy = worker_words.link(absence.deputy_code) if absence.deputy_code else t("nobody stands in")
            widgets.fields(
                {
                    worker_words.absence_kind(absence.kind): widgets.toned(
                        worker_words.days(absence.from_on, absence.to_on), tone
                    ),
                    t("Deputy"): deputy,
                },
                beside=True,
            )
            if detail.may_change and not past and detail.row.active:
                worker_acts.absence_acts(around, detail.row, absence)
    elif detail.coming:
        widgets.table(
            [Column(t("Away")), Column(t("Deputy"))],
            [
                (worker_words.days(each.from_on, each.to_on), worker_words.link(codes.get(each.deputy_id or 0)))
                for each in detail.coming
            ],
        )
        widgets.note(t("Why is told to those who manage this worker."))
    else:
        widgets.empty(t("No absence."), t("Leave, sickness and training stand here with who stands in."))
    _stands_in(detail.stands_in, codes)


def _stands_in(stands_in: tuple[Away, ...], codes: dict[int, str]) -> None:
    if not stands_in:
        return
    widgets.heading(t("Stands in for"))
    widgets.table(
        [Column(t("Worker")), Column(t("Days"))],
        [
            (worker_words.link(codes.get(each.worker_id)), worker_words.days(each.from_on, each.to_on))
            for each in stands_in
        ],
    )


def _history(session: Session, around: Around, detail: StaffDetail) -> None:
    entries = staff.staff_history(session, around.actor, detail.row)
    if not entries:
        if around.actor.role is Role.DISPATCHER:
            widgets.empty(
                t("The history is not for your role."), t("Those who manage this worker read it, and the auditor.")
            )
        else:
            widgets.empty(t("No entry in the record."), t("Every later act will stand here."))
        return
    named: dict[tuple[str, int], str] = {}
    named |= {("unit_id", each.id): i18n.either(each.name, each.name_zh) for each in around.units}
    named |= {("responsibility_grid_id", each.id): each.code for each in around.grids}
    if detail.row.grid is not None:
        named["responsibility_grid_id", detail.row.grid.id] = detail.row.grid.code
    named |= {("deputy_id", each.id): each.code for each in around.rows}
    widgets.table(
        [Column(t("When"), fixed=True), Column(t("By")), Column(t("What"))],
        [
            (
                i18n.clock(entry.at, around.territory.timezone),
                words.doer(entry.actor_label),
                worker_words.entry(entry, named),
            )
            for entry in reversed(entries)
        ],
    )
    widgets.note(t("The record cannot be changed; personal fields stand in it as ciphertext only."))
