"""The map of the board: ground, streets and what is drawn on it; for one incident alone, who could go there."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
SHORT_SIGN = 2
LAYERS = ("grids", "incidents", "facilities", "traffic")
Corners = tuple[tuple[float, float], tuple[float, float]]
_OTHER_WAYS = 2
_SIDE_PX = 22


@dataclass(frozen=True)
class Scene:
    """What is drawn, the lowest first, and the corners (latitude, longitude) to show whole; None stays."""

    parts: tuple[Any, ...]
    fit: Corners | None


def show(
    territory: TerritoryInfo, actor: Actor, today: dt.date, scene: Scene, *,
    island: bool, height: int, on_click: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    """Put the map; it lives on when another incident is chosen."""
    settings = maps.map_settings(territory, actor, {}, island=island)
    nothing = Question("reported", today, today)
    pushed = maps.MapState(nothing, nothing, dict.fromkeys(LAYERS, False), fit=scene.fit)
    drawn = folium.FeatureGroup(name="board")
    for part in scene.parts:
        part.add_to(drawn)
    maps.show(
        maps.city_map(territory, settings), pushed, key=key(territory), height=height, overlays=[drawn],
        on_change=on_click,
    )  # fmt: skip


def key(territory: TerritoryInfo) -> str:
    """Return the key of the map in the session state."""
    return f"{state.BOARD_MAP}-{territory.id}-{i18n.locale()}"


def of_proposal(proposal: Proposal | None, chosen: Ranked | None) -> Scene:
    """Return what is drawn for one incident with its own ranking."""
    if proposal is None:
        return Scene((), None)
    return Scene(tuple(_parts(proposal, chosen)), _extent(proposal, chosen))


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
    others = [each for each in proposal.ranking.all if each is not chosen]
    for entry in others[:_OTHER_WAYS]:
        yield from _way_of(proposal.contenders[entry.candidate.worker_id], goal, LIGHT.muted, weight=3, opacity=0.55)
    if chosen is not None:
        contender = proposal.contenders[chosen.candidate.worker_id]
        yield from _way_of(contender, goal, LIGHT.primary, weight=5, opacity=1.0)
    beside = _beside(proposal, chosen)
    for entry in reversed(others):
        place = proposal.ranking.place_of(entry.candidate.worker_id)
        sign = str(place) if place <= NUMBERED else ""
        yield _worker(proposal, entry, sign, beside=beside[entry.candidate.worker_id])
    yield folium.CircleMarker(
        goal, radius=9, color=LIGHT.surface, weight=3, fill_color=LIGHT.overdue, fill_opacity=1,
        tooltip=tip(incident.title(i18n.locale()), board_words.where(incident)),
    )  # fmt: skip
    if chosen is not None:
        place = proposal.ranking.place_of(chosen.candidate.worker_id)
        yield _worker(proposal, chosen, str(place), beside=0, goes=True)


def _beside(proposal: Proposal, chosen: Ranked | None) -> dict[int, int]:
    """Return worker id to how many stand at the same place before: their signs are drawn side by side."""
    taken: Counter[tuple[float, float]] = Counter()
    beside = {}
    first = [] if chosen is None else [chosen]
    for entry in (*first, *(each for each in proposal.ranking.all if each is not chosen)):
        place = proposal.contenders[entry.candidate.worker_id].place
        spot = (round(place.lon, 4), round(place.lat, 4))
        beside[entry.candidate.worker_id] = taken[spot]
        taken[spot] += 1
    return beside


def _way_of(
    contender: Contender, goal: tuple[float, float], colour: str, *, weight: int, opacity: float
) -> Iterator[folium.PolyLine]:
    """Yield the way on streets on a light ground, and dashed what is walked to and from the street."""
    if contender.line is None:
        return
    start = (contender.place.lat, contender.place.lon)
    yield from way(contender.line, start, goal, colour, weight=weight, opacity=opacity)


def way(
    line: shapely.LineString, start: tuple[float, float], goal: tuple[float, float], colour: str, *,
    weight: int, opacity: float,
) -> Iterator[folium.PolyLine]:  # fmt: skip
    """Yield a way on streets between two places (latitude, longitude), dashed what is walked to and from the street."""
    points = [(lat, lon) for lon, lat in shapely.get_coordinates(line)]
    if opacity == 1.0:
        yield stroke(points, color=LIGHT.surface, weight=weight + 4, opacity=0.9)
    yield stroke(points, color=colour, weight=weight, opacity=opacity)
    for pair in ((start, points[0]), (points[-1], goal)):
        yield stroke(pair, color=colour, weight=2, opacity=opacity, dash_array="3 5")


def stroke(points: Sequence[Any], **style: Any) -> folium.PolyLine:
    """Return a line between places (latitude, longitude), or several, that a click goes through."""
    return folium.PolyLine(points, interactive=False, **style)  # type: ignore[no-untyped-call]


def _worker(proposal: Proposal, entry: Ranked, sign: str, *, beside: int, goes: bool = False) -> Any:
    contender = proposal.contenders[entry.candidate.worker_id]
    at = (contender.place.lat, contender.place.lon)
    said = tip(board_words.name(contender), board_words.one_line(entry, proposal.ranking.best))
    if not sign:
        return folium.CircleMarker(
            at, radius=5, color=LIGHT.muted, weight=1.5, fill_color=LIGHT.surface, fill_opacity=1, tooltip=said
        )
    ground, ink = (LIGHT.primary, LIGHT.surface) if goes else (LIGHT.surface, LIGHT.text)
    return disc(at, sign, said, ground=ground, ink=ink, edge=LIGHT.primary, beside=beside)


def disc(
    at: tuple[float, float], sign: str, tip: folium.Tooltip, *,
    ground: str, ink: str, edge: str, beside: int = 0, css_class: str = "gk-worker",
) -> folium.Marker:  # fmt: skip
    """Return a round sign with a word or number in it; ``beside`` others that stand at the same place."""
    wide = 24 if len(sign) <= SHORT_SIGN else 14 + 8 * len(sign)
    style = (
        f"box-sizing:border-box;width:{wide}px;height:24px;border-radius:12px;border:2px solid {edge};"
        f"background:{ground};color:{ink};font:600 12px/20px sans-serif;text-align:center"
    )
    icon = folium.DivIcon(
        html=f'<div style="{style}">{escape(sign)}</div>',
        icon_size=(wide, 24),
        icon_anchor=(wide // 2 - _SIDE_PX * beside, 12),
        class_name=css_class,
    )
    return folium.Marker(at, icon=icon, tooltip=tip)


def tip(first: str, second: str) -> folium.Tooltip:
    """Return what is told beside the pointer, in two lines."""
    return folium.Tooltip(f"<strong>{escape(first)}</strong><div>{escape(second)}</div>", sticky=False)


def _extent(proposal: Proposal, chosen: Ranked | None) -> Corners:
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
