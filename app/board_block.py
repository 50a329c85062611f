"""A block of the board: HTML made here, and which row of it was picked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

SCRIPT = Path(__file__).parent / "assets" / "gridkeeper-board.js"
_BLOCK: Any = st.components.v2.component("gridkeeper_board", js=SCRIPT.read_text(), isolate_styles=False)


def mark(chosen: str) -> None:
    """Mark in all blocks what is chosen, "incident:12"; apart from them, so that a long block is not sent again."""
    _BLOCK(key="gk_board_mark", data={"mark": chosen}, height=1)


def show(body: str, *, key: str, on_pick: Callable[[object], None] | None = None) -> None:
    """Put a block; a pick in it becomes the address of the page.

    Parameters
    ----------
    body
        HTML, every piece of data in it escaped. Rows carry ``data-pick``.
    on_pick
        What a pick does instead.
    """

    def picked() -> None:
        given = st.session_state.get(key)
        (on_pick or pick)(None if given is None else given.get("pick"))

    _BLOCK(key=key, data={"html": f'<div class="gk">{body}</div>'}, on_pick_change=picked)


def pick(chosen: object) -> None:
    """Put an incident or a worker, "incident:12", into the address."""
    kind, _, number = str(chosen or "").partition(":")
    if kind not in {"incident", "worker"} or not number.isdecimal():
        return
    for each in ("incident", "worker"):
        st.query_params.pop(each, None)
    st.query_params[kind] = number
