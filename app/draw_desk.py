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
from grids import background
from grids.change_model import Change

MOST_PICKED = 5_000


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


def act(
    actor: Actor,
    work: Callable[[Session], str],
    after: Callable[[], object] | None = None,
    *,
    change_id: int | None = None,
) -> None:
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
                if change_id is not None:
                    background.check_idle(session, actor, change_id)
                told = work(session)
            said["told"] = told
        except GridkeeperError as error:
            said["wrong"] = error
        else:
            if after is not None:
                after()
    let_go()
    st.rerun()


def act_on(desk: Desk, work: Callable[[Session], str], after: Callable[[], object] | None = None) -> None:
    """Do an act on the draft at hand, see `act`; refused at once while background work is at it."""
    act(desk.actor, work, after, change_id=desk.change.id)


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


def turn() -> int:
    """Return the number of this round of picking; it goes up when all cells are let go."""
    return int(st.session_state.get(state.DRAW_ROUND, 0))


def clicks() -> int:
    """Return how many clicks of this round were heard."""
    known = st.session_state.get(state.DRAW_PICKED)
    return int(known[2]) if known else 0


def let_go() -> None:
    """Let all picked cells go; clicks that are still on their way count no more."""
    st.session_state.pop(state.DRAW_PICKED, None)
    st.session_state[state.DRAW_ROUND] = turn() + 1


def hear(change: Change, click: Mapping[str, Any] | None) -> bool:
    """Take over the cells that the map says are picked; return whether that is news.

    The map sends its whole list with every click, so that none is lost while the page is busy.
    """
    if not click or click.get("round") != turn() or not isinstance(click.get("picked"), list):
        return False
    number = int(click.get("clicks") or 0)
    if number <= clicks():
        return False
    chosen = [int(each) for each in click["picked"][:MOST_PICKED]]
    st.session_state[state.DRAW_PICKED] = (change.id, chosen, number)
    return True
