"""Draw & balance: who draws what, and how an act is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st
from sqlalchemy.orm import Session

from app import state, widgets
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


def act(actor: Actor, work: Callable[[Session], str]) -> None:
    """Do an act in a transaction of its own and draw the page anew with what came of it."""
    try:
        with transaction(actor, purpose="draw grids") as session:
            st.session_state[state.DRAW_TOLD] = work(session)
    except GridkeeperError as error:
        st.session_state[state.DRAW_WRONG] = error
    st.session_state.pop(state.DRAW_PICKED, None)
    st.rerun()


def news() -> None:
    """Put what came of the last act."""
    told = st.session_state.pop(state.DRAW_TOLD, None)
    if told:
        widgets.told(told)
    wrong = st.session_state.pop(state.DRAW_WRONG, None)
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
