"""What makes the City map follow: a fragment asks each second whether anything has changed, and draws only then.

Whether something has changed is known in memory: `layers.versions` hears notifications and looks at the record. A page
that asks costs no statement. When it is drawn anew its map stays: it fetches values and points again, and keeps its
place, what is chosen and where the page was scrolled to.
"""

from __future__ import annotations

import time
import zlib

import streamlit as st

from app import guard, state
from layers.versions import TASKS, versions

LOOK_S = 1
AT_MOST_EVERY_S = 1.5
"""Where changes come all the time the page is drawn so often."""
FOLLOWED = ("incidents", "grids", "components", "facilities", "traffic", TASKS)


def mark(territory_id: int) -> int:
    """Return a number that is another whenever something on the map changed; 0 while nobody listens."""
    found = versions.of(territory_id, FOLLOWED)
    return 0 if found is None else zlib.crc32(repr(found).encode()) or 1


def begin(territory_id: int) -> None:
    """Note what is current before the page reads anything, so that nothing that comes meanwhile is missed."""
    st.session_state[f"{state.MAP_LIVE}_seen"] = mark(territory_id)


def begun() -> int:
    """Return what was current when the page began."""
    return int(st.session_state.get(f"{state.MAP_LIVE}_seen", 0))


@st.fragment(run_every=LOOK_S)
def follow(territory_id: int, seen: int) -> None:
    """Draw the page anew when something on the map has changed since it was drawn."""
    with guard.page():
        now = mark(territory_id)
        last = float(st.session_state.get(state.MAP_LIVE, 0.0))
        if now in {0, seen} or time.monotonic() - last < AT_MOST_EVERY_S:
            return
        guard.current_actor()
        st.session_state[state.MAP_LIVE] = time.monotonic()
        st.rerun(scope="app")
