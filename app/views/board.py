"""Board: the standing proposal, the queue by time left, the map, the reasons, and each worker's time."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import shapely
import streamlit as st
from sqlalchemy.orm import Session

from app import (
    as_of,
    board_block,
    board_closures,
    board_company,
    board_desk,
    board_head,
    board_live,
    board_map,
    board_plan_map,
    board_queue,
    board_rows,
    board_side,
    board_then,
    board_timeline,
    board_traffic,
    board_why,
    board_worker,
    guard,
    i18n,
    state,
    widgets,
)
from app.board_entries import Entry, Which, counts, shown
from app.board_live import Seen
from app.board_plan_map import Picture
from app.i18n import t
from app.where import territory_of
from core import clock
from dispatch import service as dispatch
from geodata.db import transaction
from layers.basemap import surrounded_by_water

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-board.css"
HEIGHT_PX = 400
LEGEND_PX = 34


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    st.html(STYLE)
    with transaction(actor) as session, st.container(key="gk-board"):
        territory = territory_of(session, actor)
        then = as_of.from_address(clock.now().astimezone(territory.zone).date())
        if then is not None:
            widgets.title(t("Board"), simulated=territory.is_demo)
            board_then.show(then)
            return
        seen = board_live.look(session, actor, territory)
        now = seen.board.at
        widgets.title(t("Board"), simulated=territory.is_demo, aside=i18n.long_day(now, territory.timezone))
        board_head.news(now)
        board_head.show(seen.plan, seen.entries, now)
        board_desk.show(seen.desk, now)
        codes = {worker.id: worker.code for worker in seen.workers}
        board_head.warnings(seen.plan, seen.entries, now, codes, to_file=seen.board.to_file)
        rows = _bar(seen)
        chosen = _chosen(seen, rows)
        left, middle, right = st.columns([1, 1.45, 1.1], gap="small")
        with left:
            _queue(seen, rows, chosen)
        with right, st.container(key="gk-why", height=HEIGHT_PX, border=True):
            scene, legend = _beside(session, seen, chosen)
        with middle:
            board_map.show(
                territory, actor, now.astimezone(territory.zone).date(), scene,
                island=_island(session, territory.id), height=HEIGHT_PX - LEGEND_PX, on_click=_map_clicked,
            )  # fmt: skip
            widgets.write(board_traffic.beside(legend, seen.speeds, seen.here(session)))
        lanes = _lanes(seen, _drawn_of(seen), now.replace(second=0, microsecond=0))
        if lanes:
            board_block.show(lanes, key="gk_board_lanes")
        board_block.mark(seen.mark(chosen))


@st.cache_data(ttl=3600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


def _drawn_of(seen: Seen) -> tuple[object, ...]:
    """Return what the timelines are drawn of: the plan with what was put into it since, and whose eyes see it."""
    plan = (seen.plan.id, len(seen.plan.rows)) if seen.plan else (0, 0)
    return (seen.territory.id, seen.actor.scope_key, *plan, len(seen.workers), i18n.locale())


@st.cache_data(ttl=120, max_entries=50, show_spinner=False)
def _lanes(_seen: Seen, plan: tuple[object, ...], minute: dt.datetime) -> str:
    """Return the timelines; the same for a plan within a minute, whatever is chosen."""
    del plan
    lanes = board_rows.lanes(_seen.plan, _seen.workers, minute, _seen.territory.zone)
    return board_timeline.drawn(lanes, minute, _seen.territory.timezone) if lanes else ""


def _bar(seen: Seen) -> tuple[Entry, ...]:
    """Put the filters and return the rows they leave."""
    names = _names(seen)
    with st.container(key="gk-board-bar", horizontal=True, vertical_alignment="center"):
        kept = st.session_state.get(f"{state.BOARD_QUEUE}_kept")
        picked = st.segmented_control(
            t("Queue"),
            list(names),
            default=kept if kept in names else _first(seen),
            format_func=names.__getitem__,
            key=f"{state.BOARD_QUEUE}_{i18n.locale()}",
            label_visibility="collapsed",
            required=True,
        )
        text = st.text_input(
            t("Search the queue"),
            key=state.BOARD_FIND,
            placeholder=t("Number, class, street or worker"),
            label_visibility="collapsed",
            width=240,
        )
        which = picked or Which.ALL
        rows = shown(seen.entries, Which.ALL if text.strip() else which, text)
        _keys(rows, seen)
        st.button(t("Close a street"), key="gk_board_closing", on_click=board_closures.begin)
        if seen.plan is not None:
            st.toggle(t("All changes on the map"), key=state.BOARD_SHOW)
        board_live.watch(seen.signature())
    st.session_state[f"{state.BOARD_QUEUE}_kept"] = which
    return rows


def _names(seen: Seen) -> dict[Which, str]:
    count = {which: i18n.number(value) for which, value in counts(seen.entries).items()}
    names = {
        Which.NEEDS: t("Needs you {count}", count=count[Which.NEEDS]),
        Which.SAFE: t("Safe {count}", count=count[Which.SAFE]),
        Which.RUNNING: t("Running {count}", count=count[Which.RUNNING]),
        Which.UNSERVED: t("Nobody yet {count}", count=count[Which.UNSERVED]),
        Which.ALL: t("All {count}", count=count[Which.ALL]),
    }
    if seen.plan is None:
        return {which: names[which] for which in (Which.UNSERVED, Which.RUNNING, Which.ALL)}
    return names


def _first(seen: Seen) -> Which:
    """Return what the queue begins with: what needs a person, else what is safe; without a plan what nobody has."""
    wanted = (Which.UNSERVED,) if seen.plan is None else (Which.NEEDS, Which.SAFE)
    count = counts(seen.entries)
    return next((which for which in wanted if count[which]), Which.ALL)


def _keys(rows: tuple[Entry, ...], seen: Seen) -> None:
    """Put the buttons that the keys press: a row on, a row back."""
    ids = [entry.incident_id for entry in rows]
    at = ids.index(seen.incident_id) if seen.incident_id in ids else 0 if seen.worker_id is None else -1
    for label, key, shortcut, to in (
        (t("Next row"), "gk_board_next", "J", at + 1),
        (t("Row before"), "gk_board_before", "K", at - 1),
    ):
        st.button(
            label,
            key=key,
            shortcut=shortcut,
            type="tertiary",
            disabled=not 0 <= to < len(ids),
            on_click=board_block.pick,
            args=(f"incident:{ids[to]}" if 0 <= to < len(ids) else "",),
        )


def _chosen(seen: Seen, rows: tuple[Entry, ...]) -> Entry | None:
    """Return the incident of the address, else the first of the queue; None where a worker is looked at.

    The first is written into the address, so that what comes in later does not move it from under a hand; once
    only, so that going back from here leads back.
    """
    if seen.incident_id is not None:
        return next((entry for entry in seen.entries if entry.incident_id == seen.incident_id), None)
    if not rows or seen.worker_id is not None:
        return None
    kept = st.session_state.get(state.BOARD_FIRST)
    found = next((entry for entry in rows if entry.incident_id == kept), None)
    if found is None:
        found = rows[0]
        st.session_state[state.BOARD_FIRST] = found.incident_id
        st.query_params["incident"] = str(found.incident_id)
    return found


def _queue(seen: Seen, rows: tuple[Entry, ...], chosen: Entry | None) -> None:
    if not rows:
        widgets.empty(
            t("Nothing waits here."),
            t("Filed incidents stand here until somebody is sent, the most urgent first."),
            link_label=t("All incidents"),
            href="/incidents",
        )
        return
    drawn = board_rows.first(rows, chosen)
    lines = board_rows.lines(drawn, seen.plan, seen.board.at, seen.territory.zone)
    board_block.show(board_queue.drawn(lines, len(rows) - len(drawn)), key="gk_board_rows")


def _beside(session: Session, seen: Seen, chosen: Entry | None) -> tuple[board_map.Scene, str]:
    """Put what stands beside the map, and return what the map shows and the words of its signs."""
    here = seen.here(session)
    known = board_why.Known(seen.workers)
    street = board_closures.aimed(here)
    worker_id = None
    if board_closures.aiming():
        board_closures.panel(here, list(seen.closures), street)
        worker_id = chosen.row.worker_id if chosen and chosen.row else seen.worker_id
    elif chosen is None and seen.incident_id is not None:
        board_side.not_waiting(here, seen.incident_id)
    elif chosen is None and seen.worker_id is not None:
        worker_id = seen.worker_id
        _worker(seen, known)
    elif chosen is None:
        widgets.empty(t("Nobody has to be sent."), t("Why this worker and not another would stand here."))
    elif chosen.row is not None and seen.plan is not None:
        worker_id = chosen.row.worker_id
        board_why.show(here, chosen, chosen.row, known, seen.pin(chosen.incident_id))
        if chosen.row.needs is not None and chosen.row.needs.kind == "no_unit":
            board_side.show(here, chosen, alone=False)
    elif chosen.queue is not None and chosen.queue.status == "handling":
        board_company.show(here, chosen, seen.workers)
        proposal, worker = board_side.begun(here, chosen, chosen.queue)
        return board_map.of_proposal(proposal, worker), board_map.legend(proposal)
    else:
        board_side.head(chosen, here)
        if chosen.off_shift and chosen.queue is not None and chosen.unserved is None:
            board_side.off_shift(chosen.queue)
        board_why.unserved(chosen, here, seen.workers)
        proposal, worker = board_side.show(here, chosen, alone=seen.plan is None)
        return board_map.of_proposal(proposal, worker), board_map.legend(proposal)
    picture = _picture(session, seen, chosen, worker_id, street.line if street else None)
    return board_plan_map.scene(picture), board_plan_map.legend(picture)


def _worker(seen: Seen, known: board_why.Known) -> None:
    worker = known.find(seen.worker_id or 0)
    if worker is None:
        widgets.empty(t("There is no such worker on the board."), t("Choose one from the timelines below."))
        return
    moves = [move for move in seen.plan.move_ups if move.worker == worker.id] if seen.plan else []
    place, route = seen.places.get(worker.id), seen.route(worker.id)
    board_worker.show(seen.territory, seen.board.at, worker, route, place=place, moves=moves)


def _picture(
    session: Session, seen: Seen, chosen: Entry | None, worker_id: int | None, aim: shapely.LineString | None
) -> Picture:  # fmt: skip
    route = seen.route(worker_id)
    start = seen.places.get(worker_id or 0)
    stops = [(row.lon, row.lat) for row in route]
    ways: tuple[shapely.LineString | None, ...] = ()
    in_force = (each for each in seen.closures if each.in_force(seen.board.at))
    closed = (*((each.id, each.version) for each in in_force), board_traffic.mark(seen.speeds))
    if stops and start is not None:
        legs = tuple(itertools.pairwise([(start.lon, start.lat), *stops]))
        ways = _ways(session, seen, legs, closed)
    others: tuple[board_plan_map.Leg, ...] = ()
    if st.session_state.get(state.BOARD_SHOW) and seen.plan is not None:
        legs = board_plan_map.changed_legs(seen.plan.rows, seen.places)
        on_streets = _ways(session, seen, legs[: board_plan_map.ON_STREETS], closed)
        others = tuple(zip(legs, [*on_streets, *[None] * len(legs)], strict=False))
    return Picture(
        entries=seen.entries,
        now=seen.board.at,
        zone=seen.territory.zone,
        chosen=chosen,
        worker_id=worker_id,
        route=route,
        ways=ways,
        places=seen.places,
        workers={worker.id: worker.code for worker in seen.workers if worker.id in seen.places},
        closed=[
            (each.shape, board_closures.said(each, seen.territory.timezone, seen.board.at)) for each in seen.closures
        ],
        aim=aim,
        others=others,
    )


@st.cache_data(ttl=900, max_entries=500, show_spinner=False)
def _ways(
    _session: Session, _seen: Seen, legs: tuple[board_plan_map.Ends, ...], closed: tuple[tuple[int, int], ...]
) -> tuple[shapely.LineString | None, ...]:
    """Return the ways on streets; the same as long as the closures in force and the speeds are."""
    del closed
    return tuple(dispatch.ways(_session, _seen.actor, _seen.territory, legs, _seen.board.at))


def _map_clicked() -> None:
    board_closures.clicked(st.session_state.get(state.BOARD_CLICKED, ""))


with guard.page():
    show()
