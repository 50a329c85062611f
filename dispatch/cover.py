"""Move-up: which areas nobody free reaches in time, and who should stand where so that they are reached again.

A worker who is moved never leaves an area behind that only that worker reached, unless another one takes the place
in the same proposal. Figures are seconds and expected incidents an hour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from dispatch.plan_model import Id, Reason

STANDARD_S = 15 * 60.0
"""Within so many seconds somebody free should be there; a territory may say otherwise."""
LONGEST_S = 30 * 60.0
"""Nobody is moved by a longer way."""
MOST = 3
LEAST_DEMAND = 0.02
"""Areas where less is expected an hour are not worth a way."""
WINDOW_H = 1
_TRIED = 40
"""Moves that need a second one for which the second is looked for."""

F8 = NDArray[np.float64]
B1 = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Area:
    """A responsibility grid or a demand point.

    Attributes
    ----------
    lon, lat
        Where somebody would stand for it.
    demand
        Incidents expected an hour, see `expected_demand`.
    """

    id: Id
    name: str
    name_zh: str
    lon: float
    lat: float
    demand: float


@dataclass(frozen=True, slots=True)
class Standby:
    """A worker who is free and has nothing to go to next."""

    id: Id
    code: str


@dataclass(frozen=True, slots=True)
class MoveUp:
    """Who should stand where.

    Attributes
    ----------
    worker
        The worker's id.
    area
        Id of the area to stand in, at ``lon`` and ``lat``.
    gain
        Incidents expected an hour in the areas that come within reach by the proposal this move belongs to.
    travel_s
        How long the way there takes.
    step
        Moves with the same number belong together: one without the other would uncover an area.
    """

    worker: Id
    lon: float
    lat: float
    area: Id
    why: Reason
    gain: float
    travel_s: float
    step: int


def expected_demand(area_of: NDArray[np.int64], hour_of: NDArray[np.int64], areas: int, days: float, hour: int) -> F8:
    """Return the incidents expected an hour in each area about an hour of the day, shape (areas,).

    Parameters
    ----------
    area_of, hour_of
        Of each past incident its area (-1: none of them) and its hour of the day, local time.
    days
        How many days the history covers.

    Notes
    -----
    Half of the figure is the area's own about this hour (the hour before and after too), half its mean of the day:
    a quiet area has few incidents, and a few say little of an hour.
    """
    if not days > 0:
        raise InvalidInput("The history must cover more than nothing.", hint="Give the number of days.")
    inside = (area_of >= 0) & (area_of < areas)
    apart = np.abs((hour_of - hour + 12) % 24 - 12)
    day = np.bincount(area_of[inside], minlength=areas) / (24 * days)
    near = inside & (apart <= WINDOW_H)
    window = np.bincount(area_of[near], minlength=areas) / ((2 * WINDOW_H + 1) * days)
    return np.asarray((day + window) / 2)


def uncovered(areas: Sequence[Area], reach_s: F8, standard_s: float = STANDARD_S) -> tuple[Area, ...]:
    """Return the areas that nobody free reaches within the standard time, the busiest first.

    Parameters
    ----------
    reach_s
        Seconds from each free worker to each area, shape (workers, areas); inf or nan where there is no way.
    """
    _fits(reach_s, (len(reach_s), len(areas)), "workers", standard_s)
    bare = np.array(~np.any(reach_s <= standard_s, axis=0))
    return tuple(
        sorted((each for each, no in zip(areas, bare.tolist(), strict=True) if no and each.demand > 0), key=_busiest)
    )


def _busiest(area: Area) -> float:
    return -area.demand


def move_ups(
    areas: Sequence[Area],
    workers: Sequence[Standby],
    reach_s: F8,
    between_s: F8,
    *,
    standard_s: float = STANDARD_S,
    longest_s: float = LONGEST_S,
    most: int = MOST,
    least: float = LEAST_DEMAND,
) -> tuple[MoveUp, ...]:
    """Return who should stand where, the most useful first; empty when everything is covered or nothing helps.

    Each step takes the move, or the pair of moves in which the second worker takes the place of the first, that
    brings the most expected demand within reach; among equals the fewest moves and the shortest ways. With
    ``most`` 1 that is the best of all moves.

    Parameters
    ----------
    workers
        Those who are free: they alone can be moved, and they alone cover.
    reach_s
        Seconds from each worker to each area, shape (workers, areas); inf or nan where there is no way.
    between_s
        Seconds from each area's place to each area, shape (areas, areas).
    longest_s
        Nobody is sent on a longer way.
    most
        Moves at most.
    least
        A step that gains less expected demand is not proposed.
    """
    _fits(reach_s, (len(workers), len(areas)), "workers", standard_s)
    _fits(between_s, (len(areas), len(areas)), "areas", standard_s)
    if not len(areas) or not len(workers):
        return ()
    demand = np.array([each.demand for each in areas])
    state = _State(reach_s <= standard_s, between_s <= standard_s, np.where(reach_s <= longest_s, reach_s, np.inf))
    np.fill_diagonal(state.post, val=True)
    moves: list[MoveUp] = []
    for step in range(most):
        room = most - len(moves)
        found = state.best(demand, pairs=room > 1)
        if found is None or room < 1 or found.gain < max(least, 1e-12):
            break
        won = state.take(found)
        moves += _told(found, won, (areas, workers), state.way, standard_s=standard_s, step=step)
    return tuple(moves)


@dataclass(frozen=True, slots=True)
class _Found:
    """Moves (worker, area) of one step, the one that gains first."""

    gain: float
    moves: tuple[tuple[int, int], ...]
    keeps: tuple[int, ...] = ()

    def key(self, way: F8) -> tuple[float, int, float]:
        return -round(self.gain, 12), len(self.moves), float(sum(way[w, p] for w, p in self.moves))


class _State:
    """What each worker covers now, and what would be covered from each post."""

    def __init__(self, sees: B1, post: B1, way: F8) -> None:
        self.sees, self.post, self.way = sees.copy(), post.copy(), way
        self.moved = np.zeros(len(sees), bool)

    def best(self, demand: F8, *, pairs: bool) -> _Found | None:
        """Return the best step, None when no step covers more."""
        count = self.sees.sum(axis=0)
        bare = count == 0
        gain = self.post @ (demand * bare)
        found: list[_Found] = []
        partial: list[tuple[float, int, int, B1]] = []
        for w in np.flatnonzero(~self.moved):
            lost = self.sees[w] & (count == 1)
            there = np.isfinite(self.way[w]) & (gain > 0)
            safe = there & ~(lost & ~self.post).any(axis=1)
            if safe.any():
                p = _first(np.flatnonzero(safe), gain, self.way[w])
                found.append(_Found(float(gain[p]), ((int(w), p),)))
            if pairs:
                partial += [
                    (float(gain[p]), int(w), int(p), lost & ~self.post[p]) for p in np.flatnonzero(there & ~safe)
                ]
        single = min(found, key=lambda each: each.key(self.way), default=None)
        if not pairs:
            return single
        partial.sort(key=lambda each: (-each[0], self.way[each[1], each[2]]))
        for promise, who, where, left in partial[:_TRIED]:
            pair = self._follow(demand, count, (who, where), left, promise)
            if pair is not None:
                found.append(pair)
        return min(found, key=lambda each: each.key(self.way), default=None)

    def _follow(
        self, demand: F8, count: NDArray[np.int64], first: tuple[int, int], lost: B1, promise: float
    ) -> _Found | None:
        """Return the pair in which another worker covers what the first one leaves; None when nobody can."""
        w, p = first
        after = count - self.sees[w] + self.post[p]
        bare = demand * (after == 0) * ~lost
        holds = self.post[:, lost].all(axis=1)
        best: _Found | None = None
        for v in np.flatnonzero(~self.moved):
            if v == w:
                continue
            fragile = self.sees[v] & (after == 1)
            fit = holds & np.isfinite(self.way[v]) & ~(fragile & ~self.post).any(axis=1)
            if fit.any():
                more = self.post @ bare
                q = _first(np.flatnonzero(fit), more, self.way[v])
                pair = _Found(promise + float(more[q]), ((w, p), (int(v), q)), tuple(map(int, np.flatnonzero(lost))))
                if best is None or pair.key(self.way) < best.key(self.way):
                    best = pair
        return best

    def take(self, found: _Found) -> list[int]:
        """Move them; return the areas that were bare and are covered now."""
        bare = ~self.sees.any(axis=0)
        for w, p in found.moves:
            self.sees[w] = self.post[p]
            self.moved[w] = True
        return [int(a) for a in np.flatnonzero(bare & self.sees.any(axis=0))]


def _first(posts: NDArray[np.int64], gain: F8, way: F8) -> int:
    """Return the post with the most gain, among equals the nearest."""
    return int(min(posts, key=lambda p: (-round(float(gain[p]), 12), way[p], p)))


def _told(
    found: _Found,
    won: Sequence[int],
    names_of: tuple[Sequence[Area], Sequence[Standby]],
    way_s: F8,
    *,
    standard_s: float,
    step: int,
) -> list[MoveUp]:
    areas, workers = names_of
    minutes = max(1, round(standard_s / 60))
    won = sorted(won, key=lambda a: (-areas[a].demand, a))
    told = []
    for k, (w, p) in enumerate(found.moves):
        follows = k > 0
        names = list(found.keeps) if follows else won
        en = ", ".join(areas[a].name for a in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        zh = "、".join(areas[a].name_zh or areas[a].name for a in names[:3])
        zh += f"等 {len(names)} 处" if len(names) > 3 else ""
        way = max(1, math.ceil(way_s[w, p] / 60))
        here, here_zh = areas[p].name, areas[p].name_zh or areas[p].name
        if follows:
            why = Reason(
                "move_up_follow",
                f"Takes the place of {workers[found.moves[0][0]].code} in {here} ({way} min away), so that {en} stays "
                f"within {minutes} min of somebody free.",
                f"前往{here_zh}（路程 {way} 分钟）接替 {workers[found.moves[0][0]].code}，"
                f"使{zh}仍有空闲人员可在 {minutes} 分钟内到达。",
                {"minutes": minutes, "way_min": way},
            )
        else:
            hourly = sum(areas[a].demand for a in won)
            each = f"{hourly:.1f}" if hourly >= 0.1 else f"{hourly:.2f}"
            why = Reason(
                "move_up",
                f"Nobody free reaches {en} within {minutes} min, where {each} incidents an hour are expected. "
                f"From {here} ({way} min away) this worker does, and no other area loses cover.",
                f"{zh}目前没有空闲人员可在 {minutes} 分钟内到达，预计每小时发生 {each} 件。"
                f"该人员移至{here_zh}（路程 {way} 分钟）即可覆盖，其他区域不受影响。",
                {"minutes": minutes, "way_min": way, "demand": hourly, "areas": float(len(won))},
            )
        area = areas[p]
        told.append(MoveUp(workers[w].id, area.lon, area.lat, area.id, why, found.gain, float(way_s[w, p]), step))
    return told


def _fits(seconds: F8, shape: tuple[int, int], what: str, standard_s: float) -> None:
    if seconds.shape != shape:
        raise InvalidInput(f"The times from {what} to areas have the shape {seconds.shape}; {shape} is needed.")
    if not standard_s > 0:
        raise InvalidInput("The standard time must be above zero.", hint="Give it in seconds.")
