"""Beside the board's map: a worker's day as the plan has it, stop by stop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape

from app import board_block, board_rows, board_words, i18n, widgets
from app.i18n import t, tn
from dispatch.cover import MoveUp
from dispatch.model import Place
from dispatch.standing_model import PlanRow
from geodata.territory import TerritoryInfo
from people.model import WorkerInfo


def show(
    territory: TerritoryInfo, at: dt.datetime, worker: WorkerInfo, route: Sequence[PlanRow], *,
    place: Place | None, moves: Sequence[MoveUp],
) -> None:  # fmt: skip
    """Put the stops with times and what is to spare, each a way to its incident."""
    zone = territory.zone
    shift = ""
    if worker.shift_start is not None and worker.shift_end is not None:
        begin, end = worker.shift_start.astimezone(zone), worker.shift_end.astimezone(zone)
        shift = t("shift {begin}–{end}", begin=f"{begin:%H:%M}", end=f"{end:%H:%M}")
    link = widgets.link(worker.code, f"/workers?worker={worker.id}").text
    grid = t("grid {code}", code=worker.grid_code) if worker.grid_code else ""
    facts = " · ".join(escape(part) for part in (shift, grid) if part)
    way = board_words.short(sum(row.travel_s for row in route)) if route else ""
    told = tn("{count} stop", "{count} stops", len(route))
    if route:
        told = t("{stops}, {way} on the way", stops=told, way=way)
    head = f"<p>{link} {escape(worker.name or '')}</p><p class='gk-muted'>{facts}</p>"
    widgets.write(f'<div class="gk-card-head"><h2>{escape(t("A worker’s day"))}</h2></div>{head}<p>{escape(told)}</p>')
    for move in moves:
        widgets.write(f'<div class="gk-ask"><p>{escape(i18n.either(move.why.en, move.why.zh))}</p></div>')
    if not route:
        free = t("Nothing is planned here; whoever is free gets what is filed next nearby.")
        widgets.note(free if worker.on_duty(at) else t("Not on shift at this hour."))
    else:
        board_block.show(f'<ol class="gk-stops">{_stops(route, zone)}</ol>', key="gk_board_stops")
    if place is not None:
        widgets.note(board_words.origin(place, worker.grid_code or "", territory.timezone, at))


def _stops(route: Sequence[PlanRow], zone: dt.tzinfo) -> str:
    found = []
    for number, row in enumerate(route, 1):
        tone = "late" if row.late_s > 0 else "muted"
        title = f"{board_rows.short(row.number)} {row.title(i18n.locale())}"
        mark, _ = board_rows.change(row.change)
        spare = " · ".join(part for part in (board_rows.spare(row), mark) if part)
        found.append(
            f"<li><span class='gk-muted'>{number}</span><span>{row.start_at.astimezone(zone):%H:%M}</span>"
            f"<button type='button' data-pick='incident:{row.incident_id}'>{escape(title)}</button>"
            f"<span class='gk-{tone} gk-small'>{escape(spare)}</span></li>"
        )
    return "".join(found)
