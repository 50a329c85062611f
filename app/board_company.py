"""Beside the board's map: who comes along with who leads, and calling in one more by hand."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from html import escape

import streamlit as st

from app import guard, i18n, state, widgets
from app.board_entries import Entry
from app.board_side import Here
from app.i18n import t
from core.errors import GridkeeperError
from dispatch.standing_model import PlanRow
from geodata.db import transaction
from incidents import service as incidents
from people.model import WorkerInfo

OUT = frozenset({"dispatched", "handling"})


def show(here: Here, entry: Entry, workers: Sequence[WorkerInfo]) -> None:
    """Put who comes along and whether he knows, and the list to call in another."""
    queue = entry.queue
    told = set(queue.along or ()) if queue is not None else set[str]()
    takes = queue.workers if queue is not None else 1
    planned = {row.worker_code for row in entry.along}
    lines = [_line(row, row.worker_code in told, here) for row in entry.along]
    lines += [t("{worker} comes along", worker=code) for code in sorted(told - planned)]
    if lines:
        listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
        head = t("{count} go together", count=i18n.number(len(lines) + 1))
        widgets.write(
            f'<div class="gk-part"><p class="gk-muted gk-small gk-over">{escape(head)}</p><ul>{listed}</ul></div>'
        )
    out = queue is not None and queue.status in OUT
    if out and takes > 1 + len(told | planned):
        missing = i18n.number(takes - 1 - len(told | planned))
        widgets.note(t("This class takes {count} more; call them in by hand.", count=missing))
    if out and (takes > 1 or told):
        _call(here, entry, workers, told)


def _line(row: PlanRow, told: bool, here: Here) -> str:
    at = f"{row.start_at.astimezone(here.territory.zone):%H:%M}"
    if told:
        return t("{worker} comes along, there {at}", worker=row.worker_code, at=at)
    return t("{worker} is to come along, there {at}, and is told when it is published", worker=row.worker_code, at=at)


def _call(here: Here, entry: Entry, workers: Sequence[WorkerInfo], told: set[str]) -> None:
    has = entry.queue.worker_id if entry.queue is not None else None
    free = {
        each.id: f"{each.code} {each.name or ''}".strip()
        for each in workers
        if each.on_duty(here.board.at) and each.code not in told and each.id != has
    }
    picked = st.selectbox(
        t("Call in another worker"),
        list(free),
        index=None,
        format_func=free.__getitem__,
        placeholder=t("Choose"),
        key=f"{state.BOARD_CHOICE}_along_{entry.incident_id}_{i18n.locale()}",
    )
    if picked is not None:
        st.button(
            t("{worker} comes along", worker=free[picked]),
            key="gk_board_call_in",
            width="stretch",
            on_click=_called,
            args=(entry, picked, free[picked]),
        )


def _called(entry: Entry, worker_id: int, who: str) -> None:
    """Call a worker in, against the incident as it was seen."""
    version = entry.queue.version if entry.queue is not None else None
    known: dict[str, str] = st.session_state.setdefault(state.BOARD_COMMAND, {})
    key = f"along.{entry.incident_id}.{version}.{worker_id}"
    command = known.setdefault(key, f"board-{uuid.uuid4()}")
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            incidents.move(
                session, actor, entry.incident_id, "join", version=version, command_id=command, worker_id=worker_id
            )
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    finally:
        known.pop(key, None)
    said = t("{worker} is told to come along to {number}.", worker=who, number=entry.number)
    st.session_state[state.BOARD_DONE] = said
