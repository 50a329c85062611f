"""Responsibility areas: contiguous, about equally loaded, compact, and near to those of today where asked.

METIS cuts, and cells at the borders are exchanged until no area is above the bound; without METIS halving
along the longer side begins. Loads are what the user composes of the numbers of the cells.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from grids.balance_kernels import polish, relay
from grids.ground import Ground
from grids.lattice import Floats, Ints
from grids.responsibility import components, halves

SPREAD = 0.012
"""How far the load of an area may lie above the mean, as a share of it, before cells are moved for it."""
ROUNDS = 60
_STEPS = 10
_TRIES = 3
_WHOLE = 1 << 20


@dataclass(frozen=True, eq=False)
class Balanced:
    """Areas and how good they are.

    Attributes
    ----------
    area
        Area of each cell, from 0.
    load
        Of each area.
    cut_m
        Length of the border between areas.
    changed
        Cells that left the area they had; 0 where none had one.
    """

    area: Ints
    load: Floats
    cut_m: float
    non_contiguous: int
    changed: int = 0

    @property
    def max_over_mean(self) -> float:
        """Return the heaviest area by the mean; 1 where there is no load at all."""
        mean = float(self.load.mean())
        return float(self.load.max()) / mean if mean > 0 else 1.0

    @property
    def variation(self) -> float:
        """Return the standard deviation of the loads by their mean."""
        mean = float(self.load.mean())
        return float(self.load.std()) / mean if mean > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the facts by name."""
        return {
            "k": len(self.load),
            "max_over_mean": round(self.max_over_mean, 6),
            "cv": round(self.variation, 6),
            "non_contiguous": self.non_contiguous,
            "cut": round(self.cut_m, 3),
            "changed_cells": self.changed,
        }


@dataclass(frozen=True)
class AreaLoad:
    """Why an area weighs what it weighs: cells, load, load by the mean, and what it is made of."""

    area: int
    cells: int
    load: float
    over_mean: float
    parts: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name."""
        return asdict(self)


def compose(columns: Mapping[str, npt.ArrayLike], weights: Mapping[str, float]) -> tuple[Floats, dict[str, Floats]]:
    """Return the load of each cell, and what each number contributes to it.

    A number counts as its share of the whole city, times its weight; all loads add up to the number of
    cells. So "incidents=1, people=0.2" says what matters how much, whatever the units.

    Raises
    ------
    InvalidInput
        No weight above 0, a column that is not there, or a number that is negative or missing.
    """
    if not weights or min(weights.values()) < 0 or sum(weights.values()) <= 0:
        raise InvalidInput(
            "No workload is composed.",
            hint="Give weights from 0 up, e.g. incidents=1,people=0.2.",
            zh="尚未选择工作量，请至少给一项大于零的权重。",
        )
    parts = {}
    total = sum(weights.values())
    for name, weight in weights.items():
        if name not in columns:
            raise InvalidInput(f"The cells have no number “{name}”.", hint=f"There are: {', '.join(columns)}.")
        values = np.asarray(columns[name], dtype=np.float64)
        bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
        if len(bad):
            raise InvalidInput(
                f"“{name}” of cell {bad[0] + 1} is {values[bad[0]]:g}; loads are numbers from 0 up.",
                hint=f"Mend {len(bad):,} cells, or leave “{name}” out of the weights.",
            )
        whole = float(values.sum())
        parts[name] = values / whole * weight / total * len(values) if whole > 0 else np.zeros(len(values))
    return np.sum(list(parts.values()), axis=0), parts


def balance(
    ground: Ground,
    load: Floats,
    k: int,
    *,
    group: Ints | None = None,
    metis: bool | None = None,
    compactness: float = 1.0,
    seed: int = 0,
) -> Balanced:
    """Return ``k`` contiguous areas of about equal load.

    Parameters
    ----------
    load
        Of each cell, from 0 up.
    group
        Community of each cell, when no area may cross from one into another.
    metis
        False begins without METIS; None uses it where it is installed.
    compactness
        How much short borders count against even loads, within the bound.

    Raises
    ------
    InvalidInput
        Fewer areas than parts that no side joins, or more than cells; says both numbers.
    """
    count = len(load)
    if group is not None:
        ground = ground.within(group)
    parts = _parts(ground)
    if not len(parts) <= k <= count:
        raise InvalidInput(
            f"{count:,} cells in {len(parts):,} separate parts cannot make {k:,} contiguous areas.",
            hint=f"Ask for {len(parts):,} to {count:,} areas.",
            zh=f"网格分为互不相连的 {len(parts):,} 片，责任网格数目须在 {len(parts):,} 至 {count:,} 之间。",
        )
    use_metis = has_metis() if metis is None else metis
    area = np.full(count, -1, dtype=np.int64)
    made = 0
    for part, wanted in zip(parts, _shares(parts, load, k), strict=True):
        small = _sub_ground(ground, part)
        area[part] = _areas(small, load[part], wanted, compactness, use_metis=use_metis, seed=seed) + made
        made += wanted
    return _judged(ground, load, area, k)


def rebalance(
    ground: Ground,
    load: Floats,
    today: Ints,
    *,
    group: Ints | None = None,
    change_cost: float = 1.0,
    compactness: float = 1.0,
    spread: float = SPREAD,
) -> Balanced:
    """Return the areas of today with loads evened, moving few cells.

    Parameters
    ----------
    today
        Area of each cell, from 0; an area in several parts keeps its heaviest, the others join a neighbour.
    change_cost
        How much a cell that changes its area counts against even loads within the bound and short borders.
    spread
        How far above the mean an area may stay.
    """
    if group is not None:
        ground = ground.within(group)
    k = int(today.max()) + 1
    area = _mended(ground, load, today.astype(np.int64))
    parts = _parts(ground)
    for part in parts:
        kept = np.unique(area[part])
        small = _sub_ground(ground, part)
        local = np.searchsorted(kept, area[part])
        home = np.searchsorted(kept, today[part])
        known = np.isin(today[part], kept)
        home = np.where(known, home, -1)
        local = _exchange(
            small, load[part], local, len(kept), home=home, change=change_cost, compactness=compactness, spread=spread
        )
        area[part] = kept[local]
    return _judged(ground, load, area, k, today=today)


def explain(balanced: Balanced, parts: Mapping[str, Floats]) -> list[AreaLoad]:
    """Return what each area is loaded with, by the parts that `compose` returned."""
    k = len(balanced.load)
    mean = float(balanced.load.mean()) or 1.0
    cells = np.bincount(balanced.area, minlength=k)
    sums = {name: np.bincount(balanced.area, weights=values, minlength=k) for name, values in parts.items()}
    return [
        AreaLoad(
            number,
            int(cells[number]),
            float(balanced.load[number]),
            float(balanced.load[number]) / mean,
            {name: float(values[number]) for name, values in sums.items()},
        )
        for number in range(k)
    ]


def staffing_curve(
    ground: Ground, load: Floats, numbers: Sequence[int], *, group: Ints | None = None
) -> list[dict[str, Any]]:
    """Return for each number of areas the mean load, the heaviest and the length of inner borders."""
    curve = []
    for k in numbers:
        found = balance(ground, load, k, group=group)
        facts = {"k": k, "mean": float(found.load.mean()), "max": float(found.load.max())}
        curve.append({**facts, "max_over_mean": round(found.max_over_mean, 6), "cut": round(found.cut_m, 1)})
    return curve


def has_metis() -> bool:
    """Return whether METIS is installed."""
    return importlib.util.find_spec("pymetis") is not None


def _start(ground: Ground, load: Floats, k: int, *, use_metis: bool, seed: int) -> Ints:
    count = len(load)
    if k == 1:
        return np.zeros(count, dtype=np.int64)
    if use_metis and count > k:
        import pymetis

        offsets, adjacent, border = ground.rows()
        whole = load / load.sum() if load.sum() > 0 else np.full(count, 1 / count)
        weights = np.maximum(np.round(whole * _WHOLE * 64), 1).astype(np.int64)
        lengths = np.maximum(np.round(border / max(float(border.max(initial=0.0)), 1e-9) * 1000), 1).astype(np.int64)
        options = pymetis.Options(contig=1, seed=seed, ufactor=12)
        _, member = pymetis.part_graph(
            k,
            pymetis.CSRAdjacency(offsets, adjacent),
            vweights=weights,
            eweights=lengths,
            options=options,
        )
        found = np.asarray(member, dtype=np.int64)
        if len(np.unique(found)) == k:
            return found
    return halves(ground.place, load, ground.pairs, k)


def _areas(ground: Ground, load: Floats, k: int, compactness: float, *, use_metis: bool, seed: int) -> Ints:
    """Return areas within the bound; the evenest of several tries where none is."""
    nowhere = np.full(len(load), -1, dtype=np.int64)
    best, least = nowhere, np.inf
    for attempt in range(_TRIES):
        begun = _start(ground, load, k, use_metis=use_metis and attempt < _TRIES - 1, seed=seed + attempt)
        area = _exchange(
            ground, load, _mended(ground, load, begun), k,
            home=nowhere, change=0.0, compactness=compactness, spread=SPREAD, seed=seed + attempt,
        )  # fmt: skip
        heaviest = float(np.bincount(area, weights=load, minlength=k).max())
        if heaviest < least:
            best, least = area, heaviest
        if heaviest <= (1 + SPREAD) * float(load.sum()) / k or k == 1:
            break
    return best


def _exchange(
    ground: Ground,
    load: Floats,
    area: Ints,
    k: int,
    *,
    home: Ints,
    change: float,
    compactness: float,
    spread: float,
    seed: int = 0,
) -> Ints:
    """Return the areas after exchange: first whatever evens the loads, then shorter borders within the bound."""
    if k == 1 or load.sum() <= 0:
        return area
    offsets, adjacent, border = ground.rows()
    mean = float(load.sum()) / k
    weight = load / mean
    border = border / max(float(border.mean()), 1e-9)
    rng = np.random.default_rng(seed)
    area = np.ascontiguousarray(area, dtype=np.int64)
    best, best_key = area, (np.inf, np.inf)
    owner = np.repeat(np.arange(len(load)), np.diff(offsets))
    low, high = 1 - 3 * spread, 1 + spread
    # Pressure for even loads rises, and cells are handed on over several areas, until the bound holds.
    for step in range(_STEPS):
        area = area.copy()
        total = np.bincount(area, weights=weight, minlength=k).astype(np.float64)
        if step:
            relay(offsets, adjacent, border, weight, area, home, total, high, 2 * k)
        polish(
            offsets, adjacent, border, weight, area, home, total, low, high,
            30.0 * 10 ** min(step, 4), 0.1 * compactness, 0.1 * change, rng.permutation(len(load)), ROUNDS,
        )  # fmt: skip
        heaviest = float(np.bincount(area, weights=weight, minlength=k).max())
        key = (max(heaviest - high, 0.0), float(border[area[owner] != area[adjacent]].sum()))
        if key < best_key:
            best, best_key = area, key
        if key[0] <= 0.0:
            break
    return best


def _mended(ground: Ground, load: Floats, area: Ints) -> Ints:
    """Return the areas with every part of an area but its heaviest given to the neighbour of the longest border."""
    area = area.copy()
    same = area[ground.pairs[:, 0]] == area[ground.pairs[:, 1]]
    parts = components(len(area), ground.pairs[same])
    number = int(parts.max(initial=-1)) + 1
    if number == len(np.unique(area)):
        return area
    weight = np.bincount(parts, weights=load + 1e-12, minlength=number)
    owner = np.zeros(number, dtype=np.int64)
    owner[parts] = area
    heaviest = np.full(int(area.max()) + 1, -1)
    for part in np.argsort(weight, kind="stable"):
        heaviest[owner[part]] = part
    loose = set(range(number)) - set(heaviest.tolist())
    while loose:
        borders: dict[int, dict[int, float]] = {}
        for (one, other), length in zip(ground.pairs.tolist(), ground.border_m.tolist(), strict=True):
            for here, there in ((one, other), (other, one)):
                if parts[here] in loose and parts[there] not in loose:
                    known = borders.setdefault(int(parts[here]), {})
                    known[int(area[there])] = known.get(int(area[there]), 0.0) + length
        if not borders:
            break  # a part that no side joins to anything stays
        for part, known in borders.items():
            area[parts == part] = max(known, key=lambda each: (known[each], -each))
            loose.discard(part)
    return area


def _judged(ground: Ground, load: Floats, area: Ints, k: int, today: Ints | None = None) -> Balanced:
    apart = area[ground.pairs[:, 0]] != area[ground.pairs[:, 1]]
    parts = components(len(area), ground.pairs[~apart])
    pieces = np.unique(np.stack([area, parts]), axis=1)[0]
    torn = int((np.bincount(pieces, minlength=k) > 1).sum())
    changed = 0 if today is None else int((area != today).sum())
    sums = np.bincount(area, weights=load, minlength=k).astype(np.float64)
    return Balanced(area, sums, float(ground.border_m[apart].sum()), torn, changed)


def _parts(ground: Ground) -> list[Ints]:
    label = components(len(ground.place), ground.pairs)
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(np.bincount(label))[:-1] if len(label) else np.empty(0, dtype=np.int64)
    return [np.asarray(part) for part in np.split(order, ends)]


def _sub_ground(ground: Ground, part: Ints) -> Ground:
    if len(part) == len(ground.place):
        return ground
    new = np.full(len(ground.place), -1, dtype=np.int64)
    new[part] = np.arange(len(part))
    inside = new[ground.pairs[:, 0]] >= 0
    return Ground(new[ground.pairs[inside]], ground.border_m[inside], ground.place[part])


def _shares(parts: Sequence[Ints], load: Floats, k: int) -> list[int]:
    """Return how many areas each part gets: at least one, at most one a cell, the most loaded first."""
    weight = np.array([max(float(load[part].sum()), 1e-12) for part in parts])
    given = np.ones(len(parts), dtype=np.int64)
    room = np.array([len(part) for part in parts])
    for _ in range(k - len(parts)):
        need = np.where(given < room, weight / given, -1.0)
        given[int(np.argmax(need))] += 1
    return [int(each) for each in given]
