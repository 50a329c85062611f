"""Notes on a grid beside its file."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, widgets
from app import words as common
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor, May, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from grids import notes
from grids.change_model import GridFile, Note
from grids.notes import LONGEST

SHOWN = 8


def show(session: Session, actor: Actor, territory: TerritoryInfo, file: GridFile) -> None:
    """Put the notes of a grid, and the field for one more."""
    widgets.heading(t("Notes"))
    wrong = st.session_state.pop(state.GRID_NOTE_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)
    if actor.may(May.NOTE_GRIDS) and _here(actor, file):
        _add(actor, file)
    found = notes.notes_of(session, actor, file.id)
    if not found:
        widgets.note(t("Nobody has written anything about this grid."))
    for each in found[:SHOWN]:
        _note(actor, territory, file, each)
    if len(found) > SHOWN:
        widgets.note(t("{count} more are not listed", count=i18n.number(len(found) - SHOWN)))


def said(each: Note, territory: TerritoryInfo, file: GridFile) -> str:
    """Return when and by whom a note was written, and on which grid if on an earlier one."""
    told = f"{i18n.clock(each.made_at, territory.timezone)} · {common.doer(each.author)}"
    return told if each.cell_id == file.id else f"{told} · {t('on {code}', code=each.code)}"


def _here(actor: Actor, file: GridFile) -> bool:
    return actor.role not in {Role.GRID_MANAGER, Role.GRID_WORKER} or file.community_id in actor.area_ids


def _add(actor: Actor, file: GridFile) -> None:
    # a field of its own for each note: one that was refused keeps its words
    turn = st.session_state.get(state.GRID_NOTE_TURN, 0)
    with st.form(f"gk_note_{file.id}", border=False):
        body = st.text_area(
            t("What others should know of this place; never about a person"), max_chars=LONGEST, height=70,
            key=f"gk_note_body_{file.id}_{turn}",
        )  # fmt: skip
        sent = st.form_submit_button(t("Add note"))
    if sent:
        try:
            with transaction(actor, purpose="note on a grid") as inner:
                notes.add_note(inner, actor, file.id, body or "")
        except GridkeeperError as error:
            st.session_state[state.GRID_NOTE_WRONG] = error
        else:
            st.session_state[state.GRID_NOTE_TURN] = turn + 1
        st.rerun()


def _note(actor: Actor, territory: TerritoryInfo, file: GridFile, each: Note) -> None:
    words = widgets.html(each.body)
    struck = each.struck_at is not None
    body = f"<s>{words}</s> {widgets.html(t('struck out'))}" if struck else words
    widgets.write(f'<p class="gk-note-line">{body}<br><span class="gk-muted gk-small">'
                  f"{widgets.html(said(each, territory, file))}</span></p>")  # fmt: skip
    mine = actor.may(May.NOTE_GRIDS) and (actor.role is Role.SUPERVISOR or each.author_id == actor.user_id)
    if struck or not mine or not st.button(t("Strike out"), type="tertiary", key=f"gk_note_strike_{each.id}"):
        return
    try:
        with transaction(actor, purpose="note on a grid") as inner:
            notes.strike_note(inner, actor, each.id)
    except GridkeeperError as error:
        st.session_state[state.GRID_NOTE_WRONG] = error
    st.rerun()
