"""What the board shows at a moment, and noticing that it has changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import board_desk, board_map, guard, state
from app.board_entries import Entry, entries
from app.board_side import Here
from app.i18n import t, tn
from core.clock import now as clock_now
from core.identity import Actor
from dispatch import closures, execution, notices, standing_plan, traffic
from dispatch import service as dispatch
from dispatch.closure_model import ClosureInfo
from dispatch.execution_model import DeskRow, PinRow
from dispatch.model import Board, Place
from dispatch.standing_model import PlanRow, StandingPlan
from dispatch.traffic_model import TrafficNow
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import service as people
from people.model import WorkerInfo

REFRESH_S = 5
"""So often it is asked whether anything has changed."""
TOLD_FOR = dt.timedelta(seconds=25)
"""So long it stands there what a new plan changed."""
CLOCK_S = 60
"""The times left are never older than this."""


@dataclass(frozen=True)
class Seen:
    """All that the page shows; ``incident_id`` and ``worker_id`` are those of its address."""

    actor: Actor
    territory: TerritoryInfo
    board: Board
    plan: StandingPlan | None
    entries: tuple[Entry, ...]
    workers: tuple[WorkerInfo, ...]
    places: Mapping[int, Place]
    closures: tuple[ClosureInfo, ...]
    pins: tuple[PinRow, ...]
    desk: tuple[DeskRow, ...]
    speeds: TrafficNow | None
    incident_id: int | None
    worker_id: int | None

    def here(self, session: Session) -> Here:
        """Return what a part of the page needs."""
        return Here(session, self.actor, self.territory, self.board)

    def route(self, worker_id: int | None) -> tuple[PlanRow, ...]:
        """Return the stops of a worker in order."""
        if worker_id is None or self.plan is None:
            return ()
        mine = (row for row in self.plan.rows if row.worker_id == worker_id)
        return tuple(sorted(mine, key=lambda row: row.place_in_route))

    def pin(self, incident_id: int) -> PinRow | None:
        """Return who is held to an incident by hand."""
        return next((pin for pin in self.pins if pin.incident_id == incident_id and pin.kind == "pin"), None)

    def mark(self, chosen: Entry | None) -> str:
        """Return what is chosen, as a block names it."""
        if chosen is not None:
            return f"incident:{chosen.incident_id}"
        return f"worker:{self.worker_id}" if self.worker_id is not None else ""

    def signature(self) -> tuple[Any, ...]:
        """Return what changes whenever the plan or the queue does."""
        return signature(self.board, self.plan, self.closures, self.desk)


def look(session: Session, actor: Actor, territory: TerritoryInfo) -> Seen:
    """Return all that the page shows now."""
    moment = clock_now()
    board = dispatch.board(session, actor, moment)
    plan = standing_plan.standing_plan(session, actor, moment)
    workers = tuple(people.list_workers(session, actor, territory.id, at=moment, timezone=territory.timezone))
    present = [worker for worker in workers if worker.on_duty(moment)]
    st.session_state[state.BOARD_CLICKED] = board_map.key(territory)
    desk = notices.on_desk(session, actor)
    return Seen(
        actor=actor,
        territory=territory,
        board=board,
        plan=plan,
        entries=board_desk.marked(entries(board, plan, {worker.id for worker in present}), desk),
        workers=workers,
        places=dispatch.whereabouts(session, actor, territory.id, present, moment),
        closures=tuple(closures.list_closures(session, actor, moment=moment)),
        pins=execution.list_pins(session, actor),
        desk=desk,
        speeds=traffic.traffic_now(session, actor, territory, moment),
        incident_id=_number("incident"),
        worker_id=_number("worker"),
    )


def _number(name: str) -> int | None:
    given = st.query_params.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def signature(
    board: Board, plan: StandingPlan | None, closed: tuple[ClosureInfo, ...], desk: tuple[DeskRow, ...] = ()
) -> tuple[Any, ...]:
    """Return what changes whenever the plan, the queue, a closure or what the desk is told does."""
    rows = hash(tuple((row.id, row.version) for row in (*board.to_send, *board.not_begun, *board.begun)))
    rows ^= hash(frozenset(board.times.items()))
    shut = tuple((each.id, each.version) for each in closed)
    return (plan.id if plan else 0, rows, shut, board_desk.signature(desk), board.at)


@st.fragment(run_every=REFRESH_S)
def watch(seen: tuple[Any, ...]) -> None:
    """Draw the page anew when the plan or the queue has changed; what is chosen and typed stays."""
    with guard.page():
        told, until = st.session_state.get(state.BOARD_SEEN, ("", None))
        if told and until is not None and clock_now() < until:
            st.html(f'<span class="gk gk-small gk-muted" role="status">{escape(told)}</span>', width="content")
        actor = guard.current_actor()
        with transaction(actor) as session:
            board = dispatch.board(session, actor)
            plan = standing_plan.standing_plan(session, actor)
            closed = tuple(closures.list_closures(session, actor))
            desk = notices.on_desk(session, actor)
        now = signature(board, plan, closed, desk)
        aged = board.at - seen[-1] > dt.timedelta(seconds=CLOCK_S)
        if now[:-1] == seen[:-1] and not aged:
            return
        if plan is not None and now[0] != seen[0]:
            st.session_state[state.BOARD_SEEN] = (changed(plan), clock_now() + TOLD_FOR)
        st.rerun(scope="app")


def changed(plan: StandingPlan) -> str:
    """Return what a new plan changes against what runs: "3 new, 2 moved, 1 re-timed"."""
    kinds = [row.change for row in plan.rows]
    parts = [
        tn(one, many, kinds.count(key))
        for key, one, many in (
            ("new", "{count} new", "{count} new"),
            ("moved", "{count} moved", "{count} moved"),
            ("retimed", "{count} re-timed", "{count} re-timed"),
        )
        if key in kinds
    ]
    return t("New plan: {parts}", parts=t(", ").join(parts)) if parts else ""
