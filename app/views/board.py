"""Board: what waits by time left, the map, and beside it who should go and why."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import streamlit as st
from sqlalchemy.orm import Session

from app import board_map, board_side, board_words, guard, i18n, state, widgets
from app.board_side import Here
from app.i18n import t, tn
from app.where import territory_of
from core.errors import Conflict
from dispatch import service as dispatch
from dispatch.model import Board, QueueRow
from geodata.db import transaction
from geodata.network import MODES, Mode
from layers.basemap import surrounded_by_water

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-board.css"
HEIGHT_PX = 700
LEGEND_PX = 42
QUEUE_SHOWN = 60
REFRESH_S = 20
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!~$|<>:])")


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        waiting = dispatch.board(session, actor)
        widgets.title(t("Board"), simulated=territory.is_demo, aside=i18n.long_day(waiting.at, territory.timezone))
        rows, mode = _bar(waiting)
        here = Here(session, actor, territory, waiting, mode)
        _news()
        chosen = _chosen(rows)
        left, middle, right = st.columns([1, 1.62, 1.12], gap="small")
        with left:
            _queue(here, rows, chosen)
        with right, st.container(key="gk-why", height=HEIGHT_PX, border=True):
            proposal, worker = board_side.show(here, chosen)
        with middle:
            today = waiting.at.astimezone(territory.zone).date()
            island = _island(session, territory.id)
            board_map.show(territory, actor, today, proposal, worker, island=island, height=HEIGHT_PX - LEGEND_PX)
            widgets.write(board_map.legend(proposal))


@st.cache_data(ttl=3600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


def _bar(waiting: Board) -> tuple[tuple[QueueRow, ...], Mode]:
    """Put the bar and return the queue and the mode of travel it says."""
    queues = {"to_send": waiting.to_send, "not_begun": waiting.not_begun}
    names = {
        "to_send": t("To send out {count}", count=i18n.number(len(waiting.to_send))),
        "not_begun": t("Sent, not begun {count}", count=i18n.number(len(waiting.not_begun))),
    }
    asked = _asked()
    sent_already = asked is not None and any(row.id == asked for row in waiting.not_begun)
    first = "not_begun" if sent_already or not waiting.to_send else "to_send"
    with st.container(key="gk-board-bar", horizontal=True, vertical_alignment="center"):
        queue = st.segmented_control(
            t("Queue"),
            list(queues),
            default=st.session_state.get(f"{state.BOARD_QUEUE}_kept", first),
            format_func=names.__getitem__,
            key=f"{state.BOARD_QUEUE}_{i18n.locale()}",
            label_visibility="collapsed",
            required=True,
        )
        mode = st.segmented_control(
            t("Way"),
            list(MODES),
            default=st.session_state.get(f"{state.BOARD_MODE}_kept", "drive"),
            format_func=board_words.mode_name,
            key=f"{state.BOARD_MODE}_{i18n.locale()}",
            label_visibility="collapsed",
            required=True,
        )
        if waiting.to_file:
            told = tn(
                "{count} report waits to be filed by a supervisor.",
                "{count} reports wait to be filed by a supervisor.",
                waiting.to_file,
            )
            st.html(f'<span class="gk-muted">{escape(told)}</span>', width="content")
        done = st.session_state.pop(state.BOARD_DONE, None)
        if done:
            st.html(f'<span class="gk-done-note" role="status">{escape(done)}</span>', width="content")
        _watch(_signature(waiting))
    st.session_state[f"{state.BOARD_QUEUE}_kept"] = queue
    st.session_state[f"{state.BOARD_MODE}_kept"] = mode
    return queues[queue or first], mode or "drive"


def _signature(waiting: Board) -> tuple[tuple[int, int], ...]:
    """Return what changes whenever another dispatcher, worker or supervisor changes the queue."""
    return tuple((row.id, row.version) for row in (*waiting.to_send, *waiting.not_begun))


@st.fragment(run_every=REFRESH_S)
def _watch(seen: tuple[tuple[int, int], ...]) -> None:
    """Say that the queue has changed; nothing moves under the dispatcher's hand."""
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            waiting = dispatch.board(session, actor)
        if _signature(waiting) == seen:
            return
        count = i18n.number(len(waiting.to_send))
        with st.container(horizontal=True, vertical_alignment="center"):
            told = t("The board has changed: {count} wait now.", count=count)
            st.html(
                f'<span class="gk" role="status"><span class="gk-soon">{escape(told)}</span></span>', width="content"
            )
            if st.button(t("Look again")):
                st.rerun(scope="app")


def _news() -> None:
    """Say what stood against the last act."""
    wrong = st.session_state.pop(state.BOARD_WRONG, None)
    if isinstance(wrong, Conflict):
        told = wrong.zh if wrong.zh and i18n.locale() == "zh" else str(wrong)
        widgets.wrong(t("Somebody else was faster. Nobody was sent by you."), told)
    elif wrong is not None:
        widgets.known_error(wrong)


def _chosen(rows: tuple[QueueRow, ...]) -> int | None:
    """Return the incident of the address, else the first that waits."""
    return _asked() or (rows[0].id if rows else None)


def _asked() -> int | None:
    given = st.query_params.get("incident", "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _choose(incident_id: int) -> None:
    st.query_params["incident"] = str(incident_id)


def _queue(here: Here, rows: tuple[QueueRow, ...], chosen: int | None) -> None:
    with st.container(key="gk-queue", height=HEIGHT_PX, border=True):
        if not rows:
            widgets.empty(
                t("Nothing waits here."),
                t("Filed incidents stand here until somebody is sent, the most urgent first."),
                link_label=t("All incidents"),
                href="/incidents",
            )
            return
        for row in rows[:QUEUE_SHOWN]:
            part = "gk-row-chosen" if row.id == chosen else "gk-row"
            with st.container(key=f"{part}-{row.id}"):
                st.button(_label(row, here), key=f"gk_pick_{row.id}", width="stretch", on_click=_choose, args=(row.id,))
        if len(rows) > QUEUE_SHOWN:
            widgets.note(t("and {count} more", count=i18n.number(len(rows) - QUEUE_SHOWN)))


def _label(row: QueueRow, here: Here) -> str:
    """Return an entry of the queue as Streamlit's Markdown; data stand in it as they are."""
    left, tone = board_words.left(row, here.board.at)
    colour = {"late": "red", "soon": "orange", "good": "green"}.get(tone)
    time = f":{colour}[**{_plain(left)}**]" if colour else f"**{_plain(left)}**"
    title = _plain(row.title(i18n.locale()))
    urgent = f" · :red[{_plain(t('emergency'))}]" if row.emergency else ""
    return f"**{title}**{urgent}  \n{_plain(board_words.where(row))}  \n{time} · {_plain(_owner(row))}"


def _owner(row: QueueRow) -> str:
    return row.worker_code or i18n.either(row.unit, row.unit_zh) or t("no unit yet")


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


with guard.page():
    show()
