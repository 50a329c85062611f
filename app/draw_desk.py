"""Draw & balance: who draws what, and how an act is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import state, widgets
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from grids.change_model import Change


@dataclass(frozen=True, slots=True)
class Desk:
    """What the parts need: who reads, where, the change, its communities by id."""

    actor: Actor
    territory: TerritoryInfo
    change: Change
    titles: Mapping[int, str]

    @property
    def own(self) -> bool:
        """Return whether the actor may change it now."""
        return self.change.state == "draft" and self.change.author_id == self.actor.user_id


def act(actor: Actor, work: Callable[[Session], str], after: Callable[[], object] | None = None) -> None:
    """Do an act in a transaction of its own and draw the page anew with what came of it.

    Whoever clicks elsewhere meanwhile ends this run of the page at its next touch of Streamlit. So nothing of
    Streamlit stands between the work and its commit: a minute of drawing is not lost by a click, and its news
    lies in a dictionary that was fetched before. ``work`` keeps to this too; what it wants of the page comes
    by ``after``.
    """
    said: dict[str, Any] = st.session_state.setdefault(state.DRAW_NEWS, {})
    with st.spinner(t("At work; the rest of the page can wait …")):
        try:
            with transaction(actor, purpose="draw grids") as session:
                told = work(session)
            said["told"] = told
        except GridkeeperError as error:
            said["wrong"] = error
        else:
            if after is not None:
                after()
    st.session_state.pop(state.DRAW_PICKED, None)
    st.rerun()


def news() -> None:
    """Put what came of the last act."""
    said: dict[str, Any] = st.session_state.setdefault(state.DRAW_NEWS, {})
    told, wrong = said.pop("told", None), said.pop("wrong", None)
    if told:
        widgets.told(told)
    if wrong is not None:
        widgets.known_error(wrong)


def picked(change: Change) -> list[int]:
    """Return the picked cells."""
    known = st.session_state.get(state.DRAW_PICKED)
    return list(known[1]) if known and known[0] == change.id else []


def toggle(change: Change, cell_id: int) -> None:
    """Pick a cell, or let it go."""
    now_picked = picked(change)
    chosen = [each for each in now_picked if each != cell_id] if cell_id in now_picked else [*now_picked, cell_id]
    st.session_state[state.DRAW_PICKED] = (change.id, chosen)
