"""The map of the board: the incident, who could go, and the way of the chosen worker on streets."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import folium
import shapely

from app import board_words, i18n, maps, state
from app.i18n import t
from core.identity import Actor
from dispatch.model import Contender, Proposal
from dispatch.propose import Ranked
from geodata.territory import TerritoryInfo
from layers.style import LIGHT
from layers.values import Question

NUMBERED = 5
LAYERS = ("grids", "incidents", "facilities", "traffic")
_OTHER_WAYS = 2
_SIDE_PX = 22


def show(
    territory: TerritoryInfo, actor: Actor, today: dt.date, proposal: Proposal | None, chosen: Ranked | None, *,
    island: bool, height: int,
) -> None:  # fmt: skip
    """Put the map; it lives on when another incident is chosen."""
    settings = maps.map_settings(territory, actor, {}, island=island)
    nothing = Question("reported", today, today)
    pushed = maps.MapState(
        nothing,
        nothing,
        dict.fromkeys(LAYERS, False),
        fit=None if proposal is None else _extent(proposal, chosen),
    )
    drawn = folium.FeatureGroup(name="board")
    if proposal is not None:
        for part in _parts(proposal, chosen):
            part.add_to(drawn)
    key = f"{state.BOARD_MAP}-{territory.id}-{i18n.locale()}"
    maps.show(maps.city_map(territory, settings), pushed, key=key, height=height, overlays=[drawn])


def legend(proposal: Proposal | None) -> str:
    """Return the signs of the map in words, as HTML."""
    if proposal is None:
        return ""
    entries = (
        (f'<span class="gk-sign gk-sign-place" style="background:{LIGHT.overdue}"></span>', t("incident")),
        (f'<span class="gk-sign" style="background:{LIGHT.primary}">1</span>', t("who goes")),
        ('<span class="gk-sign gk-sign-other">2</span>', t("next in rank")),
        ('<span class="gk-sign gk-sign-small"></span>', t("others on duty")),
        (f'<span class="gk-stroke" style="background:{LIGHT.primary}"></span>', t("way on streets")),
    )
    items = "".join(f"<li>{sign}{escape(words)}</li>" for sign, words in entries)
    return f'<div class="gk-legend"><ul>{items}</ul></div>'


def _parts(proposal: Proposal, chosen: Ranked | None) -> Iterator[Any]:
    """Yield what is drawn, the lowest first."""
    incident = proposal.incident
    goal = (incident.lat, incident.lon)
    others = [each for each in proposal.ranking.ranked if each is not chosen]
    for entry in others[:_OTHER_WAYS]:
        yield from _way(proposal.contenders[entry.candidate.worker_id], goal, LIGHT.muted, weight=3, opacity=0.55)
    if chosen is not None:
        contender = proposal.contenders[chosen.candidate.worker_id]
        yield from _way(contender, goal, LIGHT.primary, weight=5, opacity=1.0)
    beside = _beside(proposal, chosen)
    for entry in reversed(others):
        place = proposal.ranking.place_of(entry.candidate.worker_id)
        sign = str(place) if place <= NUMBERED else ""
        yield _worker(proposal, entry, sign, beside=beside[entry.candidate.worker_id])
    yield folium.CircleMarker(
        goal, radius=9, color=LIGHT.surface, weight=3, fill_color=LIGHT.overdue, fill_opacity=1,
        tooltip=_tip(incident.title(i18n.locale()), board_words.where(incident)),
    )  # fmt: skip
    if chosen is not None:
        place = proposal.ranking.place_of(chosen.candidate.worker_id)
        yield _worker(proposal, chosen, str(place), beside=0, goes=True)


def _beside(proposal: Proposal, chosen: Ranked | None) -> dict[int, int]:
    """Return worker id to how many stand at the same place before: their signs are drawn side by side."""
    taken: Counter[tuple[float, float]] = Counter()
    beside = {}
    first = [] if chosen is None else [chosen]
    for entry in (*first, *(each for each in proposal.ranking.ranked if each is not chosen)):
        place = proposal.contenders[entry.candidate.worker_id].place
        spot = (round(place.lon, 4), round(place.lat, 4))
        beside[entry.candidate.worker_id] = taken[spot]
        taken[spot] += 1
    return beside


def _way(
    contender: Contender, goal: tuple[float, float], colour: str, *, weight: int, opacity: float
) -> Iterator[folium.PolyLine]:
    """Yield the way on streets on a light ground, and dashed what is walked to and from the street."""
    if contender.line is None:
        return
    points = [(lat, lon) for lon, lat in shapely.get_coordinates(contender.line)]
    if opacity == 1.0:
        yield _stroke(points, color=LIGHT.surface, weight=weight + 4, opacity=0.9)
    yield _stroke(points, color=colour, weight=weight, opacity=opacity)
    start = (contender.place.lat, contender.place.lon)
    for pair in ((start, points[0]), (points[-1], goal)):
        yield _stroke(
            pair, color=colour, weight=2, opacity=opacity, dash_array="3 5"
        )  # fmt: skip


def _stroke(points: Sequence[tuple[float, float]], **style: Any) -> folium.PolyLine:
    return folium.PolyLine(points, interactive=False, **style)  # type: ignore[no-untyped-call]


def _worker(proposal: Proposal, entry: Ranked, sign: str, *, beside: int, goes: bool = False) -> Any:
    contender = proposal.contenders[entry.candidate.worker_id]
    at = (contender.place.lat, contender.place.lon)
    tip = _tip(board_words.name(contender), board_words.one_line(entry, proposal.mode))
    if not sign:
        return folium.CircleMarker(
            at, radius=5, color=LIGHT.muted, weight=1.5, fill_color=LIGHT.surface, fill_opacity=1, tooltip=tip
        )
    ground, ink = (LIGHT.primary, LIGHT.surface) if goes else (LIGHT.surface, LIGHT.text)
    style = (
        f"box-sizing:border-box;width:24px;height:24px;border-radius:12px;border:2px solid {LIGHT.primary};"
        f"background:{ground};color:{ink};font:600 12px/20px sans-serif;text-align:center"
    )
    icon = folium.DivIcon(
        html=f'<div style="{style}">{sign}</div>',
        icon_size=(24, 24),
        icon_anchor=(12 - _SIDE_PX * beside, 12),
        class_name="gk-worker",
    )
    return folium.Marker(at, icon=icon, tooltip=tip)


def _tip(first: str, second: str) -> folium.Tooltip:
    return folium.Tooltip(f"<strong>{escape(first)}</strong><div>{escape(second)}</div>", sticky=False)


def _extent(proposal: Proposal, chosen: Ranked | None) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the south-western and north-eastern corner of the incident, the chosen way and the first two workers."""
    incident = proposal.incident
    points = [(incident.lon, incident.lat)]
    shown = [each for each in (chosen, *proposal.ranking.ranked[:_OTHER_WAYS]) if each is not None]
    for entry in shown:
        contender = proposal.contenders[entry.candidate.worker_id]
        points.append((contender.place.lon, contender.place.lat))
        if contender.line is not None and entry is chosen:
            points += map(tuple, shapely.get_coordinates(contender.line).tolist())
    lons, lats = zip(*points, strict=True)
    return (min(lats), min(lons)), (max(lats), max(lons))
