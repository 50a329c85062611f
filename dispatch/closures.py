"""Use cases of closures: close a street or an area, open it, and the road network as it is at a moment."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, require
from dispatch import store_closures as store
from dispatch.closure_model import (
    FASTEST_KMH,
    LONGEST_NAME,
    LONGEST_REASON,
    SLOWEST_KMH,
    ClosureInfo,
    Stretch,
    check_shape,
    shut_by,
)
from dispatch.street_names import street_named
from dispatch.traffic import with_speeds
from geodata.crs import project
from geodata.network import Mode, RoadNetwork
from geodata.roads import network_of
from geodata.territory import TerritoryInfo
from geodata.travel import closed, slowed

KEPT = 2
"""Networks with closures that are kept beside the open one."""
_lock = threading.Lock()


def add_closure(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    *,
    name: str,
    shape: shapely.Geometry,
    from_at: dt.datetime | None = None,
    to_at: dt.datetime | None = None,
    reason: str = "",
    speed_kmh: int | None = None,
    moment: dt.datetime | None = None,
) -> ClosureInfo:
    """Close a street or an area, and return the closure with the number of stretches it shuts.

    With ``speed_kmh`` it stays open and is driven so fast at most.

    Raises
    ------
    InvalidInput
        When the name is missing, the shape or its time cannot be used, or no street lies there.
    """
    require(actor, May.DISPATCH)
    at = moment or clock_now()
    name, reason, begin = " ".join(name.split()), reason.strip(), from_at or at
    if not name or len(name) > LONGEST_NAME or len(reason) > LONGEST_REASON:
        raise InvalidInput(
            f"A closure has a name of at most {LONGEST_NAME} signs and a reason of at most {LONGEST_REASON}.",
            hint="Name the street.",
            zh=f"请填写名称（不超过 {LONGEST_NAME} 字），原因不超过 {LONGEST_REASON} 字。",
        )
    if to_at is not None and to_at <= max(begin, at):
        raise InvalidInput(
            "The closure would end before it begins, or is over already.",
            hint="Give a later end, or none: then it stays until somebody opens it.",
            zh="结束时间须晚于开始时间和现在；不填则直到手动开放。",
        )
    if speed_kmh is not None and not SLOWEST_KMH <= speed_kmh <= FASTEST_KMH:
        raise InvalidInput(
            f"{speed_kmh} km/h is no speed past works.",
            hint=f"Give {SLOWEST_KMH} to {FASTEST_KMH} km/h, or close the street.",
            zh=f"施工限速应为每小时 {SLOWEST_KMH} 至 {FASTEST_KMH} 公里；完全不能通行请选择封闭。",
        )
    checked = check_shape(shape)
    network = network_of(session, territory, "drive")
    shut = stretches_shut(network, [checked])
    if not len(shut):
        raise InvalidInput(
            f"No street lies where {name} would be closed.",
            hint="Draw the line along the street or across it.",
            zh="所绘位置没有道路，请沿道路或横跨道路绘制。",
        )
    given = ClosureInfo(0, name, checked, begin, to_at, reason, actor.user_id, at, speed_kmh=speed_kmh)
    return dataclasses.replace(store.add(session, territory.id, given), stretches=len(shut))


def close_street(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    name: str,
    *,
    from_at: dt.datetime | None = None,
    to_at: dt.datetime | None = None,
    reason: str = "",
    speed_kmh: int | None = None,
    moment: dt.datetime | None = None,
) -> list[ClosureInfo]:
    """Close a street over its whole length by its name; one closure a piece that hangs together.

    Raises
    ------
    NotFound
        When no street has the name.
    InvalidInput
        When streets of several places have it and the name does not say which, as "High Street, Newport" does.
    """
    require(actor, May.DISPATCH)
    title, found = street_named(session, territory, name)
    merged = shapely.line_merge(shapely.union_all([each.line for each in found]))
    parts = shapely.get_parts(merged)
    at = moment or clock_now()
    return [
        add_closure(
            session, actor, territory, name=title, shape=part, from_at=from_at, to_at=to_at, reason=reason,
            speed_kmh=speed_kmh, moment=at,
        )
        for part in parts
    ]  # fmt: skip


def end_closure(
    session: Session, actor: Actor, closure_id: int, *, version: int, moment: dt.datetime | None = None
) -> ClosureInfo:
    """Open what was closed, and return the closure as it is then.

    Raises
    ------
    NotFound
        When there is no such closure.
    Conflict
        When somebody opened or changed it meanwhile.
    """
    territory_id = _dispatches(actor)
    at = moment or clock_now()
    before = store.find(session, territory_id, closure_id)
    if before is None:
        raise NotFound(f"There is no closure {closure_id}.", hint="See the list of closures.", zh="没有这条封闭记录。")
    if not store.end(session, territory_id, closure_id, version, max(at, before.made_at)):
        raise Conflict(
            f"{before.name} was opened or changed meanwhile.",
            hint="Look at the list again.",
            zh="该封闭已被更改或开放。",
        )
    return store.find(session, territory_id, closure_id) or before


def list_closures(session: Session, actor: Actor, *, moment: dt.datetime | None = None) -> list[ClosureInfo]:
    """Return the closures of the actor's territory that are in force or still to come, the newest first."""
    require(actor, May.SEE_MAP)
    if actor.territory_id is None:
        return []
    return store.closures(session, actor.territory_id, moment=moment or clock_now())


def stretch_at(session: Session, actor: Actor, lon: float, lat: float) -> Stretch | None:
    """Return the stretch of road nearest to a place that was pointed at."""
    return store.nearest_road(session, _dispatches(actor), lon, lat)


def network_now(session: Session, territory: TerritoryInfo, mode: Mode, moment: dt.datetime) -> RoadNetwork:
    """Return the road network as it is at a moment: with the speeds read of late, without what is closed.

    Who walks passes. A kept network takes no time; a new closure costs the graph to be weighed anew.
    """
    network = network_of(session, territory, mode)
    if mode == "walk":
        return network
    known = [each for each in store.closures(session, territory.id, moment=moment) if each.in_force(moment)]
    shapes = [each.shape for each in known if each.speed_kmh is None]
    shut = stretches_shut(network, shapes) if shapes else np.zeros(0, np.int64)
    slow = [(stretches_shut(network, [each.shape]), each.speed_kmh) for each in known if each.speed_kmh is not None]
    network = with_speeds(session, territory, network, moment)
    if slow:
        network = with_slow(network, slow)
    return with_shut(network, shut) if len(shut) else network


def stretches_shut(network: RoadNetwork, shapes: Sequence[shapely.Geometry]) -> NDArray[np.int64]:
    """Return the stretches of a network that closures shut, sorted."""
    kept = network.prepared
    if "closures_tree" not in kept:
        kept["closures_tree"] = shapely.STRtree(network.lines)
    metric = project(np.array(shapes, dtype=object), network.metric_srid)
    found = [shut_by(each, network.lines, kept["closures_tree"]) for each in metric]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def with_shut(network: RoadNetwork, stretches: NDArray[np.int64]) -> RoadNetwork:
    """Return the network without some stretches, kept with it for the next time."""
    key = stretches.tobytes()
    with _lock:
        kept: OrderedDict[bytes, RoadNetwork] = network.prepared.setdefault("closures", OrderedDict())
        if key not in kept:
            kept[key] = closed(network, stretches)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]


def with_slow(network: RoadNetwork, works: Sequence[tuple[NDArray[np.int64], int]]) -> RoadNetwork:
    """Return the network with works that slow some stretches, kept with it for the next time."""
    stretches = np.concatenate([each for each, _ in works])
    kmh = np.concatenate([np.full(len(each), speed, float) for each, speed in works])
    key = b"slow" + stretches.tobytes() + kmh.tobytes()
    with _lock:
        kept: OrderedDict[bytes, RoadNetwork] = network.prepared.setdefault("closures", OrderedDict())
        if key not in kept:
            kept[key] = slowed(network, stretches, kmh)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]


def _dispatches(actor: Actor) -> int:
    require(actor, May.DISPATCH)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id
