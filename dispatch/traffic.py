"""Use cases of traffic: bring speeds in, and the road network with the speeds that are fresh enough."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import DataQuality, InvalidInput
from core.identity import Actor, May, require
from core.settings import settings
from dispatch import past, store_traffic
from dispatch.traffic_model import (
    NEAR_M,
    Fault,
    Reading,
    Speeds,
    TrafficNow,
    TrafficRead,
    is_placed,
    medians,
    read_readings,
    told,
    too_fast,
)
from geodata.db import system_rights
from geodata.network import RoadNetwork
from geodata.roads import network_of
from geodata.territory import TerritoryInfo
from geodata.travel import with_traffic

KEPT = dt.timedelta(days=2)
"""Files stay so long in the tables; who brought what in stays in the record."""
NETWORKS_KEPT, MATCHED_KEPT = 2, 200
LONGEST_NAME = 120
PLACES_MOST = 100_000
"""So many places are kept of a file; a line for a whole street counts once for each of its stretches."""
Matched = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]
"""Stretch, speed (km/h), moment (seconds since 1970) and direction of each reading of a file."""
_lock = threading.Lock()


def oldest() -> dt.timedelta:
    """Return how old a reading may be: `GRIDKEEPER_TRAFFIC_MINUTES`."""
    return dt.timedelta(minutes=settings().traffic_minutes)


def read_traffic(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    text: str,
    name: str,
    *,
    moment: dt.datetime | None = None,
) -> TrafficRead:
    """Keep the readings of a CSV file and return what became of them; the next plan goes by them.

    Raises
    ------
    InvalidInput
        When the columns are others than wanted.
    DataQuality
        When no line can be used, with each line's reason.
    """
    require(actor, May.DISPATCH)
    at = moment or clock_now()
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise InvalidInput("The file has no name.", hint="Give it one.", zh="文件没有名称。")
    readings, faults = read_readings(text, territory.zone, at, oldest())
    placed = _placed(session, territory, readings, faults)
    network = network_of(session, territory, "drive")
    speeds, stretches = on_streets(network, placed, faults)
    faults.sort(key=lambda each: each.line)
    if not len(speeds.kmh):
        error = DataQuality("No reading can be used:", told(faults) or ["the file has no lines"])
        error.zh = "没有可用的读数：" + "；".join(f"第 {each.line} 行：{each.zh}" for each in faults[:20])
        raise error
    store_traffic.add(session, territory.id, name, speeds, at=at, refused=len({each.line for each in faults}))
    past.keep(session, territory, network, stretches, speeds, name)
    with system_rights(session, actor):
        store_traffic.forget(session, territory.id, at - KEPT)
    newest = dt.datetime.fromtimestamp(float(speeds.at_s.max()), dt.UTC)
    return TrafficRead(len(speeds.kmh), len(np.unique(stretches)), newest, tuple(faults))


def traffic_now(
    session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime | None = None
) -> TrafficNow | None:
    """Return which speeds the plan reckons with now; None while it goes by what the roads allow."""
    require(actor, May.SEE_MAP)
    at = moment or clock_now()
    loads = store_traffic.since(session, territory.id, at - oldest())
    if not loads:
        return None
    stretches, *_ = _fresh(session, network_of(session, territory, "drive"), [one for one, _ in loads], at)
    return TrafficNow(loads[0][1], len(stretches)) if len(stretches) else None


def with_speeds(session: Session, territory: TerritoryInfo, network: RoadNetwork, moment: dt.datetime) -> RoadNetwork:
    """Return the network of cars with the speeds read of late; the same one while there are none.

    A kept network takes no time; new speeds cost the graph to be weighed anew.
    """
    loads = store_traffic.since(session, territory.id, moment - oldest())
    if not loads:
        return network
    stretches, kmh, ways = _fresh(session, network, [one for one, _ in loads], moment)
    if not len(stretches):
        return network
    key = stretches.tobytes() + kmh.tobytes() + ways.tobytes()
    with _lock:
        kept: OrderedDict[bytes, RoadNetwork] = network.prepared.setdefault("traffic", OrderedDict())
        if key not in kept:
            kept[key] = with_traffic(network, stretches, kmh, ways)
            while len(kept) > NETWORKS_KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]


def _fresh(
    session: Session, network: RoadNetwork, ids: Sequence[int], moment: dt.datetime
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the stretches on which somebody measured of late, with their speeds and directions."""
    known: OrderedDict[int, Matched] = network.prepared.setdefault("traffic_read", OrderedDict())
    for speeds in store_traffic.read(session, [one for one in ids if one not in known]):
        snapped = network.snap(speeds.places)
        ways = past.ways_of(network, snapped, speeds.headings)
        known[speeds.id] = (snapped.stretch.astype(np.int64), speeds.kmh, speeds.at_s, ways)
    found = [known[one] for one in ids if one in known]
    while len(known) > MATCHED_KEPT:
        known.popitem(last=False)
    if not found:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64)
    stretches, kmh, at_s, ways = (np.concatenate(each) for each in zip(*found, strict=True))
    young = (at_s > (moment - oldest()).timestamp()) & (stretches >= 0)
    both, middle = medians(stretches[young] * 3 + ways[young] + 1, kmh[young])
    return both // 3, middle, both % 3 - 1


def _placed(
    session: Session, territory: TerritoryInfo, readings: Sequence[Reading], faults: list[Fault]
) -> list[Reading]:
    named = {_key(one) for one in readings if not is_placed(one)}
    return with_places(readings, store_traffic.middles_of(session, territory.id, sorted(named)), faults)


def with_places(
    readings: Sequence[Reading], middles: Mapping[str, Sequence[tuple[float, float]]], faults: list[Fault]
) -> list[Reading]:
    """Return the readings with a place each: one of a whole street stands in the middle of each of its stretches.

    Parameters
    ----------
    middles
        Longitude and latitude of the middle of each stretch of the streets, by name in small letters.
    faults
        To these go the readings of unknown streets, and the first for which there is no room.
    """
    placed = [one for one in readings if is_placed(one)]
    room = PLACES_MOST - len(placed)
    for one in readings:
        if is_placed(one):
            continue
        here = middles.get(_key(one), ())
        room -= len(here)
        if not here:
            faults.append(Fault(one.line, f"there is no street {one.street[:60]!r}", f"没有道路“{one.street[:60]}”"))
        elif room < 0:
            en = f"the streets of this file have more than {PLACES_MOST:,} stretches together, counted by line"
            faults.append(Fault(one.line, en, f"文件各行所列道路合计超过 {PLACES_MOST} 段", last=True))
            break
        placed += [dataclasses.replace(one, lon=lon, lat=lat) for lon, lat in here if room >= 0]
    return placed


def _key(one: Reading) -> str:
    return one.street.lower()


def on_streets(
    network: RoadNetwork, readings: Sequence[Reading], faults: list[Fault]
) -> tuple[Speeds, NDArray[np.int64]]:
    """Return the readings that lie on streets and can be so, with the stretch of each; the others go to ``faults``."""
    places = np.array([(each.lon, each.lat) for each in readings]).reshape(-1, 2)
    kmh = np.array([each.kmh for each in readings])
    at_s = np.array([each.at.timestamp() for each in readings])
    snapped = network.snap(places)
    away_m = snapped.distance_m
    near = (snapped.stretch >= 0) & (away_m <= NEAR_M)
    allowed = np.full(len(kmh), np.inf)
    if near.any():
        on = snapped.stretch[near]
        allowed[near] = network.length_m[on] * 3.6 / np.minimum(network.forward_s[on], network.backward_s[on])
    fast = near & too_fast(kmh, allowed)
    faults += [
        Fault(readings[k].line, f"no street lies within {NEAR_M:.0f} m", f"{NEAR_M:.0f} 米内没有道路")
        for k in np.flatnonzero(~near).tolist()
    ]
    faults += [
        Fault(
            readings[k].line,
            f"{kmh[k]:g} km/h on a street that allows {allowed[k]:.0f}",
            f"该道路允许时速 {allowed[k]:.0f} 公里，读数 {kmh[k]:g} 不合理",
        )
        for k in np.flatnonzero(fast).tolist()
    ]
    good = near & ~fast
    headings = np.array([each.heading for each in readings])
    return Speeds(0, places[good], kmh[good], at_s[good], headings[good]), snapped.stretch[good].astype(np.int64)
