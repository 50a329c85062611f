"""Matrices by public transport: asked on a page with timetables, made by background work, kept like any other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, May, Role, require
from core.progress import Progress
from geodata import jobs
from geodata.jobs import Job
from geodata.network import RoadNetwork
from geodata.roads import network_of
from geodata.territory import TerritoryInfo
from geodata.transit import WALK_S, transit_s
from geodata.transit_feed import Timetable, read_timetable
from planning import matrices, service
from planning.layer_model import LayerInfo, checked_name
from planning.own_matrix import COLUMNS_AT_MOST, Expected, OwnMatrix
from planning.terms import OwnPlace

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
JOB_KIND = "transit matrix"
WINDOW_AT_MOST, EVERY_MIN, DAY_MIN = 180, 10, 24 * 60
FEEDS_AT_MOST = 6


@dataclass(frozen=True)
class TransitAsked:
    """A matrix by public transport that is wanted.

    Attributes
    ----------
    name
        What it is to be called.
    feeds, shown
        Timetables (GTFS) as they are kept until they are read, and as their sender calls them.
    day, begins_min, window_min
        The day, the first departure in minutes since midnight, and how many minutes after it people still set out.
    demand_id, kind, candidates
        Whose people, which facilities that are there, and which places: as `matrices.expected` takes them.
    plots
        How many free plots are candidates where none are given; 0 for none.
    """

    name: str
    feeds: tuple[str, ...]
    shown: tuple[str, ...]
    day: str
    begins_min: int
    window_min: int
    demand_id: int | None = None
    kind: str | None = None
    candidates: tuple[tuple[float, float], ...] = ()
    plots: int = 0

    @property
    def departures_s(self) -> tuple[float, ...]:
        """Return when people set out, seconds since midnight."""
        return tuple(60.0 * (self.begins_min + more) for more in range(0, self.window_min + 1, EVERY_MIN))

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> TransitAsked:
        """Return it as a job keeps it."""
        at = tuple((float(lon), float(lat)) for lon, lat in said["candidates"])
        lists = {name: tuple(str(each) for each in said[name]) for name in ("feeds", "shown")}
        return cls(**{**said, **lists, "candidates": at})


def ask(session: Session, actor: Actor, territory: TerritoryInfo, wanted: TransitAsked) -> int:
    """Queue the making of a matrix and return the job.

    Raises
    ------
    InvalidInput
        When there is no timetable, the name is too long, or there are too many places.
    """
    _require(actor, territory)
    checked_name(wanted.name)
    if not 1 <= len(wanted.feeds) <= FEEDS_AT_MOST:
        raise InvalidInput(
            f"{len(wanted.feeds)} timetables are given.", hint=f"Give one to {FEEDS_AT_MOST} GTFS feeds.",
            zh=f"给出了 {len(wanted.feeds)} 份时刻表。请给出 1 至 {FEEDS_AT_MOST} 份 GTFS。",
        )  # fmt: skip
    if len(wanted.candidates) > COLUMNS_AT_MOST:
        raise InvalidInput(
            f"{len(wanted.candidates):,} places are too many for a matrix.", hint=f"At most {COLUMNS_AT_MOST:,}.",
            zh=f"矩阵容不下 {len(wanted.candidates):,} 个地点，最多 {COLUMNS_AT_MOST:,} 个。",
        )  # fmt: skip
    dt.date.fromisoformat(wanted.day)
    if not (0 <= wanted.begins_min < DAY_MIN and 0 <= wanted.window_min <= WINDOW_AT_MOST):
        raise InvalidInput(
            "People set out within one day.", hint=f"Give a window of at most {WINDOW_AT_MOST} minutes.",
            zh=f"出发时段应在一天之内，最长 {WINDOW_AT_MOST} 分钟。",
        )  # fmt: skip
    return jobs.enqueue(session, actor, JOB_KIND, asdict(wanted))


def unfinished(session: Session, actor: Actor, territory: TerritoryInfo) -> Job | None:
    """Return the newest of the actor's matrices that is being made; None when none is."""
    _require(actor, territory)
    return next((each for each in jobs.recent_jobs(session, territory.id, JOB_KIND) if not each.ended), None)


def read(
    session: Session, actor: Actor, territory: TerritoryInfo, wanted: TransitAsked
) -> tuple[Expected, RoadNetwork]:
    """Return the places of a matrix and the streets to walk on."""
    _require(actor, territory)
    network = network_of(session, territory, "walk")
    at = wanted.candidates
    if not at and wanted.plots:
        at = service.plots_of(session, actor, territory, network, wanted.plots)
    candidates = tuple(OwnPlace(lon, lat) for lon, lat in at)
    places = matrices.expected(
        session, actor, territory, demand_id=wanted.demand_id, candidates=candidates, kind=wanted.kind
    )
    return places, network


def made(
    places: Expected, network: RoadNetwork, wanted: TransitAsked, feeds: Sequence[Path], *,
    bounds: tuple[float, float, float, float], progress: Progress,
) -> tuple[OwnMatrix, dict[str, Any]]:  # fmt: skip
    """Return a matrix and what it rests on.

    Raises
    ------
    InvalidInput
        When a timetable cannot be read, nothing runs on the day, or no stop lies in the territory.
    """
    if not len(places.columns):
        raise InvalidInput(
            "There is no place the ways could lead to.", hint="Give candidates, or a kind that is there.",
            zh="没有可以到达的地点。请给出候选点，或选择现有的设施类别。",
        )  # fmt: skip
    if not len(network.targets):
        raise InvalidInput(
            "The map has no streets to walk on.", hint="Load its map with 'gridkeeper load osm'.",
            zh="地图上没有可步行的道路。请先加载地图。",
        )  # fmt: skip
    progress.step("Reading the timetables")
    timetable = read_timetable(feeds, dt.date.fromisoformat(wanted.day), progress=progress)
    here = _inside(timetable, bounds)
    progress.step("Ways on foot")
    rows, columns = network.snap(places.rows), network.snap(places.columns)
    seconds: Floats32 = transit_s(network, timetable, rows, columns, wanted.departures_s, progress=progress)
    facts = {
        "feeds": list(wanted.shown), "day": wanted.day, "begins_min": wanted.begins_min,
        "window_min": wanted.window_min, "departures": len(wanted.departures_s), "stops": len(timetable.stops),
        "stops_here": here, "trips": timetable.trips, "rides": len(timetable.trip), "walk_min": WALK_S / 60,
        "notes": list(timetable.notes),
    }  # fmt: skip
    return OwnMatrix(places, np.ascontiguousarray(seconds)), facts


def _inside(timetable: Timetable, bounds: tuple[float, float, float, float]) -> int:
    """Return how many stops lie in the territory's box; refuse a timetable of elsewhere."""
    west, south, east, north = bounds
    lon, lat = timetable.stops.T
    here = int(((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)).sum())
    if not here:
        raise InvalidInput(
            f"None of the {len(lon):,} stops of the timetable lies in the territory.",
            hint="Take the timetable of this city.",
            zh=f"时刻表中的 {len(lon):,} 个站点均不在本辖区内。请使用本市的时刻表。",
        )
    return here


def keep(
    session: Session, actor: Actor, territory: TerritoryInfo, made_matrix: OwnMatrix, facts: Mapping[str, Any],
    *, name: str,
) -> LayerInfo:  # fmt: skip
    """Keep a matrix under its name and return it."""
    shown = ", ".join(facts["feeds"])
    return matrices.keep(session, actor, territory, made_matrix, name=name, shown=shown, more={"transit": dict(facts)})


def _require(actor: Actor, territory: TerritoryInfo) -> None:
    require(actor, May.MAKE_STUDIES)
    if actor.role is not Role.SYSTEM and actor.territory_id != territory.id:
        raise NotPermitted("You have no role in this territory.", hint="Ask an administrator.")
