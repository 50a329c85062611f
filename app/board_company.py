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
from incidents.lifecycle import REASONS
from people.model import WorkerInfo

OUT = frozenset({"dispatched", "handling"})


def show(here: Here, entry: Entry, workers: Sequence[WorkerInfo]) -> None:
    """Put who comes along and whether he knows, and the list to call in another."""
    queue = entry.queue
    told = set(queue.along or ()) if queue is not None else set[str]()
    takes = queue.workers if queue is not None else 1
    # What the plan says of somebody whom it knew otherwise is not so by now: he may have been taken back.
    along = [row for row in entry.along if row.worker_code in told or _stands(row, entry)]
    planned = {row.worker_code for row in along}
    lines = [_line(row, row.worker_code in told, here) for row in along]
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
    if out and told:
        _take_back(entry, workers, told)


def _stands(row: PlanRow, entry: Entry) -> bool:
    return entry.queue is None or entry.queue.version == row.incident_version


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


def _take_back(entry: Entry, workers: Sequence[WorkerInfo], told: set[str]) -> None:
    """Put, folded away, who is not to come along after all, and why."""
    names = {each.id: f"{each.code} {each.name or ''}".strip() for each in workers if each.code in told}
    version = entry.queue.version if entry.queue is not None else None
    key = f"{state.BOARD_CHOICE}_back_{entry.incident_id}_{version}_{i18n.locale()}"
    with st.popover(t("Take back who comes along"), width="stretch", key=key):
        picked = st.selectbox(
            t("Grid worker"),
            list(names),
            index=0 if len(names) == 1 else None,
            format_func=names.__getitem__,
            placeholder=t("Choose"),
            key=f"{key}_who",
        )
        reason = st.selectbox(
            t("Reason"),
            list(REASONS["take_back"]),
            index=None,
            format_func=lambda name: i18n.either(*REASONS["take_back"][name]),
            placeholder=t("Choose a reason"),
            key=f"{key}_why",
        )
        st.button(
            t("Take {worker} back", worker=names[picked]) if picked is not None else t("Take a worker back"),
            key="gk_board_take_back",
            width="stretch",
            disabled=picked is None or reason is None,
            on_click=_taken_back,
            args=(entry, picked, names.get(picked or 0, ""), reason or ""),
        )


def _called(entry: Entry, worker_id: int, who: str) -> None:
    """Call a worker in, against the incident as it was seen."""
    _do(entry, "join", worker_id, t("{worker} is told to come along to {number}.", worker=who, number=entry.number))


def _taken_back(entry: Entry, worker_id: int, who: str, reason: str) -> None:
    """Take a worker back, against the incident as it was seen."""
    said = t("{worker} is told not to come to {number}.", worker=who, number=entry.number)
    _do(entry, "take_back", worker_id, said, reason)


def _do(entry: Entry, act: str, worker_id: int, said: str, reason: str = "") -> None:
    version = entry.queue.version if entry.queue is not None else None
    known: dict[str, str] = st.session_state.setdefault(state.BOARD_COMMAND, {})
    key = f"{act}.{entry.incident_id}.{version}.{worker_id}.{reason}"
    command = known.setdefault(key, f"board-{uuid.uuid4()}")
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            incidents.move(
                session, actor, entry.incident_id, act,
                version=version, command_id=command, reason=reason, worker_id=worker_id,
            )  # fmt: skip
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    finally:
        known.pop(key, None)
    st.session_state[state.BOARD_DONE] = said
