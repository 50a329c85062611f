"""What may be done with a worker: change, absences, the end of an employment, erasing the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app import i18n, widgets, worker_words
from app.i18n import t
from app.worker_forms import Around, day_input, do, field_of, seen, this_round
from core.identity import Role
from geodata.tables import PURPOSES
from people import absences, workers
from people.worker_model import ABSENCE_KINDS, AbsenceRow, Away, StaffDetail, StaffRow


def acts(around: Around, detail: StaffDetail) -> None:
    """Put what may be done with a worker."""
    row = detail.row
    mark = f"{row.id}_{this_round()}_{i18n.locale()}"
    row = replace(row, version=seen(field_of(row.id), row.version))
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-acts"):
        if row.active:
            with st.popover(t("Away"), key=f"gk_worker_away_{mark}"):
                _absence(around, row, mark)
            with st.popover(t("End employment"), key=f"gk_worker_end_{mark}"):
                _end(around, row, mark)
        if (not row.active or row.employed_to) and st.button(t("Employ again"), key=f"gk_worker_again_{mark}"):
            actor, home = around.actor, around.territory.id
            do(
                lambda session: workers.resume_employment(session, actor, home, row.id, version=row.version),
                actor,
                lambda kept: t("{code} works here again.", code=kept.code),
                purpose="employed again",
            )
        erasable = not row.active and row.person == "named" and around.actor.role is Role.ADMINISTRATOR
        if erasable:
            with st.popover(t("Erase the person"), key=f"gk_worker_erase_{mark}"):
                _erase(around, row, mark)


def _deputies(around: Around, row: StaffRow) -> dict[int, str]:
    """Return who may stand in: colleagues who work here, those of the same unit first."""
    others = [each for each in around.rows if each.active and each.id != row.id]
    others.sort(key=lambda each: (each.unit_id != row.unit_id, each.code))
    return {each.id: each.label() for each in others}


def _absence(around: Around, row: StaffRow, mark: str) -> None:
    key = f"gk_absence_{mark}"
    deputies = _deputies(around, row)
    with st.form(key, border=False):
        kind = st.selectbox(t("Why"), list(ABSENCE_KINDS), format_func=worker_words.absence_kind, key=f"{key}_kind")
        left, right = st.columns(2)
        with left:
            first = day_input(t("First day away"), around.today, key=f"{key}_from")
        with right:
            last = day_input(t("Last day away"), around.today, key=f"{key}_to")
        deputy = st.selectbox(
            t("Deputy"),
            list(deputies),
            index=None,
            format_func=deputies.__getitem__,
            placeholder=t("nobody stands in"),
            key=f"{key}_deputy",
        )
        widgets.note(t("Others see that {code} is away and who stands in, not why.", code=row.code))
        if st.form_submit_button(t("Enter the absence")):
            actor, home = around.actor, around.territory.id
            do(
                lambda session: absences.add_absence(
                    session, actor, home, row.id, kind=kind, from_on=first, to_on=last, deputy_id=deputy
                ),
                actor,
                lambda kept: told_absence(around, kept),
                purpose="absence",
            )


def absence_acts(around: Around, row: StaffRow, absence: AbsenceRow) -> None:
    """Put what may be done with an absence that is not over: back earlier, longer, another deputy."""
    key = f"gk_absence_{absence.id}_{this_round()}_{i18n.locale()}"
    version = seen(f"{key}_to", absence.version)
    actor, home = around.actor, around.territory.id
    begun = absence.from_on <= around.today
    words = t("Back today") if begun else t("Take back")
    with st.container(horizontal=True):
        if st.button(words, key=f"{key}_back"):
            back_on = around.today if begun else absence.from_on
            do(
                lambda session: absences.end_absence(
                    session, actor, home, absence.id, back_on=back_on, version=version
                ),
                actor,
                lambda kept: told_absence(around, kept),
                purpose="absence ended",
            )
        with st.popover(t("Change"), key=f"{key}_change"), st.form(f"{key}_form", border=False):
            last = day_input(t("Last day away"), absence.to_on, key=f"{key}_to")
            deputies = _deputies(around, row)
            if absence.deputy_id is not None:
                deputies.setdefault(absence.deputy_id, absence.deputy_code or "")
            deputy = st.selectbox(
                t("Deputy"),
                list(deputies),
                index=list(deputies).index(absence.deputy_id) if absence.deputy_id else None,
                format_func=deputies.__getitem__,
                placeholder=t("nobody stands in"),
                key=f"{key}_deputy",
            )
            if st.form_submit_button(t("Save")):
                do(
                    lambda session: absences.change_absence(
                        session, actor, home, absence.id, to_on=last, deputy_id=deputy, version=version
                    ),
                    actor,
                    lambda kept: told_absence(around, kept),
                    purpose="absence changed",
                )


def told_absence(around: Around, kept: absences.AbsenceKept) -> str:
    """Return what came of an act on an absence, and whose deputy is missing by it."""
    if kept.id is None:
        return t("The absence of {code} was taken back.", code=kept.worker_code)
    span = worker_words.days(kept.from_on, kept.to_on)
    return t("{code} is away {days}.", code=kept.worker_code, days=span) + _missing(around, kept.stands_in)


def _missing(around: Around, stands_in: Sequence[Away]) -> str:
    codes = [code for each in stands_in if (code := around.code(each.worker_id))]
    if not codes:
        return ""
    return " " + t("Stands in for {codes} in these days: name another deputy there.", codes=", ".join(codes))


def _end(around: Around, row: StaffRow, mark: str) -> None:
    key = f"gk_worker_last_{mark}"
    widgets.note(t("Until the last day everything stays; after it no work is given. Record and work are kept."))
    if row.tasks:
        told = i18n.tn("{count} open task", "{count} open tasks", row.tasks)
        widgets.note(t("{tasks} must be handed over first: Accounts, Handover.", tasks=told))
    with st.form(key, border=False):
        last = day_input(t("Last day of work"), row.employed_to or around.today, key=f"{key}_day")
        if st.form_submit_button(t("Set the last day")):
            actor, home = around.actor, around.territory.id
            do(
                lambda session: workers.end_employment(
                    session, actor, home, row.id, last, version=row.version, today=around.today
                ),
                actor,
                lambda kept: (
                    t("{code}: last day {day}.", code=kept.code, day=i18n.day(last)) + _missing(around, kept.stands_in)
                ),
                purpose="employment ended",
            )


def _erase(around: Around, row: StaffRow, mark: str) -> None:
    key = f"gk_worker_gone_{mark}"
    widgets.note(t("Name and phone are destroyed everywhere, for good. Staff number, work and record stay."))
    with st.form(key, border=False):
        purpose = st.selectbox(t("Why"), list(PURPOSES), format_func=worker_words.erasure_purpose, key=f"{key}_purpose")
        reference = st.text_input(
            t("Number of the letter or order"), max_chars=40, key=f"{key}_reference", help=t("Leave names out of it.")
        )
        if st.form_submit_button(t("Erase for good")):
            actor, home = around.actor, around.territory.id
            do(
                lambda session: workers.erase_worker_person(
                    session, actor, home, row.id, purpose=purpose, reference=reference.strip()
                ),
                actor,
                lambda _: t("The person of {code} was erased.", code=row.code),
                purpose="erase",
            )
