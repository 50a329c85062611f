"""Travel times of a road network on its prepared graph: matrices, the nearest of many, closures and traffic.

`geodata.network.RoadNetwork` says where points meet the roads; here many of them are answered at once. Seconds
are float32: right to 1 ms and a millionth.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from geodata.network import Floats, Ints, RoadNetwork, Snapped, remade
from geodata.travel_cache import hierarchy_of
from geodata.travel_hierarchy import Costs, Floats32, build_hierarchy
from geodata.travel_nearest import nearest_of
from geodata.travel_own import MatrixWays
from geodata.travel_sweep import Ends, at_nodes, many_to_many

SLOWEST_KMH = 0.5


def costs_of(network: RoadNetwork) -> Costs:
    """Return the prepared graph of a network with its times; made at the first call, then kept with it."""
    made = network.prepared.get("costs")
    if made is None:
        tails, heads = network.ends[:, 0], network.ends[:, 1]
        hierarchy = hierarchy_of(network.junctions, np.r_[tails, heads], np.r_[heads, tails])
        made = hierarchy.customise(np.r_[network.forward_s, network.backward_s])
        network.prepared["costs"] = made
    return made


def matrix_s(network: RoadNetwork, origins: Snapped, destinations: Snapped, *, threads: int = 1) -> Floats32:
    """Return seconds between points, shape (origins, destinations); infinite where no way leads.

    The sweep runs from the side with fewer points.

    Parameters
    ----------
    threads
        How many work at once; 0 for as many as there are processors.
    """
    if not len(network.targets) or not len(origins) or not len(destinations):
        return np.full((len(origins), len(destinations)), np.inf, dtype=np.float32)
    if isinstance(network, MatrixWays):
        return network.times(origins, destinations).astype(np.float32)
    costs = costs_of(network)
    leaving, arriving = ends_of(network, origins, leaving=True), ends_of(network, destinations, leaving=False)
    if len(destinations) < len(origins):
        times = np.ascontiguousarray(many_to_many(costs.reversed(), arriving, leaving, threads=threads).T)
    else:
        times = many_to_many(costs, leaving, arriving, threads=threads)
    rows, columns = _on_one_stretch(origins.stretch, destinations.stretch)
    direct = direct_s(network, _rows(origins, rows), _rows(destinations, columns))
    times[rows, columns] = np.minimum(times[rows, columns], direct)
    return times


def nearest_s(
    network: RoadNetwork, places: Snapped, facilities: Snapped, *, towards: bool = True
) -> tuple[Floats32, Ints]:
    """Return for each place the seconds to its nearest facility, and which one that is.

    One pass for all, however many facilities there are. Where no way leads: infinite and -1. Of two as near the
    first counts.

    Parameters
    ----------
    towards
        People go to the facility; False: help comes from it.
    """
    if not len(network.targets) or not len(places) or not len(facilities):
        return np.full(len(places), np.inf, dtype=np.float32), np.full(len(places), -1)
    if isinstance(network, MatrixWays):
        times = network.times(places, facilities) if towards else network.times(facilities, places).T
        near = times.argmin(axis=1)
        least = times[np.arange(len(times)), near].astype(np.float32)
        return least, np.where(np.isfinite(least), near, -1)
    costs = costs_of(network)
    sources = ends_of(network, facilities, leaving=not towards)
    reached, which = nearest_of(costs.reversed() if towards else costs, sources)
    goals = ends_of(network, places, leaving=towards)
    over = reached[goals.nodes] + goals.legs_s
    side = over.argmin(axis=1)
    at = np.arange(len(places))
    seconds, who = over[at, side], which[goals.nodes[at, side]]
    rows, columns = _on_one_stretch(places.stretch, facilities.stretch)
    starts, stops = _rows(places, rows), _rows(facilities, columns)
    direct = direct_s(network, *((starts, stops) if towards else (stops, starts))).astype(np.float32)
    order = np.lexsort((columns, direct, rows))
    first = order[np.r_[True, rows[order][1:] != rows[order][:-1]]] if len(order) else order
    better = first[direct[first] < seconds[rows[first]]]
    seconds[rows[better]], who[rows[better]] = direct[better], columns[better]
    return seconds, np.where(np.isfinite(seconds), who, -1)


def compile_all() -> None:
    """Compile what this and its neighbours need, on a graph of two nodes; a moment where it was compiled before."""
    tails, heads = np.array([0, 1]), np.array([1, 0])
    costs = build_hierarchy(2, tails, heads).customise(np.ones(2))
    many_to_many(costs, at_nodes(tails), at_nodes(heads))
    many_to_many(costs, at_nodes(tails))
    nearest_of(costs, at_nodes(tails))


def closed(network: RoadNetwork, stretches: NDArray[np.integer]) -> RoadNetwork:
    """Return the network with some stretches closed to all; the order of the graph is kept."""
    shut = np.zeros(len(network.ends), dtype=bool)
    shut[_known(network, stretches)] = True
    return remade(network, np.where(shut, np.inf, network.forward_s), np.where(shut, np.inf, network.backward_s))


def slowed(network: RoadNetwork, stretches: NDArray[np.integer], kmh: Floats) -> RoadNetwork:
    """Return the network with stretches that are driven so fast at most; what is slower already stays so."""
    known = _known(network, stretches)
    least = np.zeros(len(network.ends))
    np.maximum.at(least, known, network.length_m[known] * 3.6 / np.maximum(kmh, SLOWEST_KMH))
    return remade(network, np.maximum(network.forward_s, least), np.maximum(network.backward_s, least))


def with_traffic(
    network: RoadNetwork, stretches: NDArray[np.integer], kmh: Floats, ways: NDArray[np.integer] | None = None
) -> RoadNetwork:
    """Return the network with the speeds that were measured on some stretches.

    Where a way was forbidden it stays so.

    Parameters
    ----------
    ways
        1 for a speed along the stretch, -1 against it, 0 (or None for all) for both; a direction's own goes first.

    Raises
    ------
    InvalidInput
        When a speed is no number or below `SLOWEST_KMH`: close the stretch instead.
    """
    kmh = np.broadcast_to(np.asarray(kmh, dtype=np.float64), np.shape(stretches))
    slow = int((~(kmh >= SLOWEST_KMH)).sum())
    if slow:
        raise InvalidInput(
            f"{slow:,} of {kmh.size:,} speeds are below {SLOWEST_KMH:g} km/h or no number.",
            hint="Close a street on which nothing moves.",
        )
    known = _known(network, stretches)
    said = np.zeros(len(known), dtype=np.int64) if ways is None else np.asarray(ways, dtype=np.int64)
    measured = network.length_m[known] * 3.6 / kmh
    times = []
    for direction, way in ((1, network.forward_s), (-1, network.backward_s)):
        seconds = np.full(len(network.ends), np.nan)
        for one in (0, direction):
            seconds[known[said == one]] = measured[said == one]
        times.append(np.where(np.isfinite(way) & np.isfinite(seconds), seconds, way))
    return remade(network, *times)


def ends_of(network: RoadNetwork, points: Snapped, *, leaving: bool) -> Ends:
    """Return how points meet the junctions: over either end of their stretch, access on foot included."""
    legs = network.legs_s(points, leaving=leaving) + points.access_s[:, None]
    return Ends(network.ends[points.stretch], legs.astype(np.float32))


def direct_s(network: RoadNetwork, origins: Snapped, destinations: Snapped) -> Floats:
    """Return seconds along one stretch from each origin to the destination of the same row, access included."""
    ahead = destinations.along - origins.along
    whole = np.where(ahead >= 0, network.forward_s[origins.stretch], network.backward_s[origins.stretch])
    with np.errstate(invalid="ignore"):
        along = np.where(ahead == 0, 0.0, np.abs(ahead) * whole)
    return np.asarray(along + origins.access_s + destinations.access_s)


def _rows(points: Snapped, rows: Ints) -> Snapped:
    return Snapped(*(getattr(points, each.name)[rows] for each in dataclasses.fields(points)))


def _known(network: RoadNetwork, stretches: NDArray[np.integer]) -> Ints:
    wanted = np.asarray(stretches, dtype=np.int64)
    wrong = int(((wanted < 0) | (wanted >= len(network.ends))).sum())
    if wrong:
        raise InvalidInput(f"{wrong:,} of {wanted.size:,} stretches are not of this network.")
    return wanted


def _on_one_stretch(ones: Ints, others: Ints) -> tuple[Ints, Ints]:
    """Return the pairs (place in ones, place in others) on the same stretch."""
    order = np.argsort(others, kind="stable")
    first = np.searchsorted(others, ones, side="left", sorter=order)
    counts = np.searchsorted(others, ones, side="right", sorter=order) - first
    rows = np.repeat(np.arange(len(ones)), counts)
    steps = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[first[rows] + steps]
