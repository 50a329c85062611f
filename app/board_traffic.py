"""Speeds on the board: which ones the plan goes by, and bringing a file of them in."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import guard, i18n, state, uploads, widgets
from app.board_side import Here
from app.i18n import t, tn
from app.where import territory_of
from core.errors import GridkeeperError
from dispatch import traffic
from dispatch.traffic_model import BYTES_MOST, Fault, TrafficNow, TrafficRead
from geodata.db import transaction

FAULTS_SHOWN = 8
_DONE = f"{state.BOARD_CLOSE}_speeds"


def said(now: TrafficNow | None, here: Here) -> str:
    """Return "Speeds of 08:40, 212 stretches of street"; empty while the plan goes by what the roads allow."""
    if now is None:
        return ""
    clock = i18n.clock(now.newest_at, here.territory.timezone, now=here.board.at)
    count = tn("{count} stretch of street", "{count} stretches of street", now.stretches)
    return t("Speeds of {clock}, {count}", clock=clock, count=count)


def beside(legend: str, now: TrafficNow | None, here: Here) -> str:
    """Return the signs of the map with the speeds that its ways go by."""
    words = said(now, here)
    return legend.replace("</ul>", f"<li>{escape(words)}</li></ul>", 1) if words else legend


def mark(now: TrafficNow | None) -> tuple[int, int]:
    """Return what changes whenever the speeds do."""
    return (0, 0) if now is None else (-int(now.newest_at.timestamp()), now.stretches)


def panel(here: Here) -> None:
    """Put which speeds are reckoned with, and the field for a file of new ones."""
    widgets.heading(t("Speeds on the streets"))
    now = traffic.traffic_now(here.session, here.actor, here.territory, here.board.at)
    widgets.note(said(now, here) or t("The plan goes by what each road allows: no speeds were read of late."))
    _told()
    round_ = st.session_state.get(f"{_DONE}_round", 0)
    given = st.file_uploader(
        uploads.labelled(t("File of speeds (CSV)"), BYTES_MOST // 1_000_000),
        type=["csv"],
        max_upload_size=BYTES_MOST // 1_000_000,
        key=f"{_DONE}_file_{round_}_{i18n.locale()}",
    )
    if given is None:
        widgets.note(t("Columns: time, speed_kmh, and lon with lat or street."))
        return
    content = given.getvalue()
    st.button(
        t("Reckon with these speeds"),
        key="gk_board_speeds",
        width="stretch",
        disabled=not 0 < len(content) <= BYTES_MOST,
        on_click=_read,
        args=(content, given.name),
    )


def _read(content: bytes, name: str) -> None:
    actor = guard.current_actor()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    try:
        with transaction(actor) as session:
            done = traffic.read_traffic(session, actor, territory_of(session, actor), text, name)
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    st.session_state[_DONE] = done
    st.session_state[f"{_DONE}_round"] = st.session_state.get(f"{_DONE}_round", 0) + 1


def _told() -> None:
    """Say once what became of a file, with the lines that were refused."""
    done: TrafficRead | None = st.session_state.pop(_DONE, None)
    if done is None:
        return
    kept = tn("{count} reading was taken.", "{count} readings were taken.", done.readings)
    widgets.note(kept + " " + t("The next plan goes by them."))
    if not done.faults:
        return
    widgets.note(tn("{count} line was refused:", "{count} lines were refused:", len(done.faults)))
    rows = "".join(f"<li>{escape(_fault(each))}</li>" for each in done.faults[:FAULTS_SHOWN])
    if len(done.faults) > FAULTS_SHOWN:
        rows += f"<li>{escape(t('and {count} more', count=i18n.number(len(done.faults) - FAULTS_SHOWN)))}</li>"
    widgets.write(f'<ul class="gk-small">{rows}</ul>')


def _fault(each: Fault) -> str:
    return t("Line {line}: {why}", line=each.line, why=i18n.either(each.en, each.zh))
