"""What a choice of sites must keep to besides its number: sites that are fixed, spacing, a budget, an equity floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult

from planning.listening import Standing, milp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
SPARE = 1e-9
FLOOR_SPARE = 1e-6
"""A share that lacks no more than this is met."""
NO_PAIRS = np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Floor:
    """Every group has at least a share of its people within reach.

    Attributes
    ----------
    reach
        Whether a candidate reaches a demand in time, shape (demand, candidates).
    there
        Whether what is there already does, shape (demand,).
    people, group
        Of each demand; groups are numbered from 0, -1 counts in none.
    share
        Of the people of a group, 0 to 1.
    """

    reach: Mask
    there: Mask
    people: Floats
    group: Ints
    share: float

    def met(self, sites: Ints) -> bool:
        """Return whether each group has its share with these sites."""
        return not len(self.short(sites))

    def short(self, sites: Ints) -> Ints:
        """Return the groups that do not have their share with these sites."""
        near = self.there | self.reach[:, sites].any(axis=1)
        counted = self.group >= 0
        most = int(self.group.max(initial=-1)) + 1
        group, people = self.group[counted], self.people[counted]
        all_ = np.bincount(group, people, most)
        reached = np.bincount(group, people * near[counted], most)
        return np.flatnonzero(reached < (self.share - FLOOR_SPARE) * all_)

    def among(self, some: Ints) -> Floor:
        """Return the floor where only some of the candidates can be chosen."""
        return Floor(self.reach[:, some], self.there, self.people, self.group, self.share)

    def rows(self) -> tuple[sp.csr_array, Floats, int]:
        """Return constraints over candidates and one variable for each demand that may come to count.

        ``matrix @ (candidates, covered) >= least``; third is the number of variables that were added.
        """
        counted = (self.group >= 0) & (self.people > 0)
        open_ = np.flatnonzero(counted & ~self.there & self.reach.any(axis=1))
        most = int(self.group.max(initial=-1)) + 1
        total = np.bincount(self.group[counted], self.people[counted], most)
        done = np.bincount(self.group[counted], (self.people * self.there)[counted], most)
        whole = np.where(total > 0, total, 1.0)  # rows speak of shares, so that tolerances fit however few people
        least = self.share - FLOOR_SPARE / 10 - done / whole
        groups = np.flatnonzero((least > 0) & (total > 0))
        row_of = np.full(most, -1)
        row_of[groups] = np.arange(len(groups))
        open_ = open_[row_of[self.group[open_]] >= 0]
        count = len(open_)
        cover = sp.hstack([sp.csr_array(self.reach[open_].astype(float)), -sp.eye_array(count)])
        group = self.group[open_]
        shares = sp.csr_array(
            (self.people[open_] / whole[group], (row_of[group], self.reach.shape[1] + np.arange(count))),
            shape=(len(groups), self.reach.shape[1] + count),
        )
        return sp.csr_array(sp.vstack([cover, shares])), np.r_[np.zeros(count), least[groups]], count


@dataclass(frozen=True, eq=False)
class Side:
    """What a choice among ``candidates`` candidates keeps to.

    Attributes
    ----------
    least, most
        Number of sites, those that are fixed among them.
    fixed
        Candidates that are taken in any case.
    conflicts
        Pairs of candidates that are too close to each other, shape (n, 2).
    cost, budget
        Of each candidate, and what all together may cost.
    """

    candidates: int
    least: int
    most: int
    fixed: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    conflicts: Ints = field(default_factory=lambda: NO_PAIRS)
    cost: Floats | None = None
    budget: float | None = None
    floor: Floor | None = None

    @property
    def plain(self) -> bool:
        """Return whether only the number of sites counts."""
        return not (len(self.fixed) or len(self.conflicts) or self.budget is not None or self.floor is not None)

    @property
    def quick(self) -> bool:
        """Return whether the best sites by worth are found by looking: a number of sites, some of them fixed."""
        return not (len(self.conflicts) or self.budget is not None or self.floor is not None)

    def allows(self, sites: Sequence[int] | Ints) -> bool:
        """Return whether a choice keeps to all of it."""
        chosen = np.unique(np.asarray(sites, dtype=np.int64))
        if not self.least <= len(chosen) <= self.most or not np.isin(self.fixed, chosen).all():
            return False
        if len(self.conflicts) and np.isin(self.conflicts, chosen).all(axis=1).any():
            return False
        if self.budget is not None and self.cost is not None and self.cost[chosen].sum() > self.budget + 1e-6:
            return False
        return self.floor is None or self.floor.met(chosen)

    def rows(self, more: int = 0) -> tuple[list[LinearConstraint], int]:
        """Return constraints over (candidates, ``more`` other variables, own ones), and how many own ones there are."""
        own = 0
        parts: list[tuple[sp.csr_array, Floats, Floats]] = []
        every = sp.csr_array(np.ones((1, self.candidates)))
        parts.append((every, np.array([float(self.least)]), np.array([float(self.most)])))
        if len(self.conflicts):
            matrix = _apart(self.conflicts, self.candidates)
            parts.append((matrix, np.zeros(matrix.shape[0]), np.ones(matrix.shape[0])))
        if self.budget is not None and self.cost is not None:
            parts.append((sp.csr_array(self.cost[None, :]), np.array([-np.inf]), np.array([self.budget + SPARE])))
        made = []
        floor = None if self.floor is None else self.floor.rows()
        if floor is not None:
            own = floor[2]
        for matrix, low, high in parts:
            wide = sp.hstack([matrix, sp.csr_array((matrix.shape[0], more + own))])
            made.append(LinearConstraint(sp.csr_array(wide), low, high))
        if floor is not None and floor[0].shape[0]:
            n = self.candidates
            wide = sp.hstack([floor[0][:, :n], sp.csr_array((floor[0].shape[0], more)), floor[0][:, n:]])
            made.append(LinearConstraint(sp.csr_array(wide), floor[1], np.inf))
        return made, own

    def solve(
        self,
        cost: Floats,
        *,
        more: Sequence[LinearConstraint] = (),
        others: Others | None = None,
        seconds: float = 10.0,
        standing: Standing | None = None,
    ) -> OptimizeResult:
        """Return what HiGHS finds for the least ``cost`` of candidates and other variables.

        Parameters
        ----------
        cost
            Of the candidates, then of the other variables.
        more
            Constraints over candidates and the other variables.
        others
            The other variables; None when there are none.
        standing
            As in `planning.listening.milp`.
        """
        others = others or Others(0)
        rows, own = self.rows(others.count)
        width = self.candidates + others.count + own
        for each in more:
            matrix = sp.csr_array(cast("sp.csr_array", each.A))
            wide = sp.hstack([matrix, sp.csr_array((matrix.shape[0], width - matrix.shape[1]))])
            rows.append(LinearConstraint(sp.csr_array(wide), each.lb, each.ub))
        low, high = np.zeros(width), np.ones(width)
        low[self.fixed] = 1.0
        whole = np.zeros(width, dtype=np.int64)
        whole[: self.candidates] = 1
        part = slice(self.candidates, self.candidates + others.count)
        high[part], low[part], whole[part] = others.high, others.low, others.whole
        return milp(
            np.r_[cost, np.zeros(own)],
            constraints=rows,
            integrality=whole,
            bounds=Bounds(low, high),
            seconds=seconds,
            standing=standing,
        )

    def choose(self, worth: Floats, *, seconds: float = 10.0) -> tuple[Ints | None, float]:
        """Return the sites with the least sum of ``worth`` that keep to it, and a bound on that sum.

        No sites when there are none, or none were found in time; the bound is infinite when there are none.
        """
        if self.quick:
            return self._by_looking(worth)
        found = self.solve(worth, seconds=seconds)
        if found.status == 2:
            return None, np.inf
        bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound)
        if found.x is None:
            return None, bound
        sites = np.flatnonzero(found.x[: self.candidates] > 0.5)
        return sites, min(bound, float(worth[sites].sum()))

    def _by_looking(self, worth: Floats) -> tuple[Ints | None, float]:
        if len(self.fixed) > self.most or self.least > self.candidates:
            return None, np.inf
        own = worth.copy()
        own[self.fixed] = -np.inf
        order = np.argsort(own, kind="stable")
        least = max(self.least, len(self.fixed))
        wanted = max(least, min(self.most, len(self.fixed) + int((np.delete(worth, self.fixed) < 0).sum())))
        sites = np.sort(order[:wanted])
        return sites, float(worth[sites].sum())

    def binding(self, *, seconds: float = 5.0) -> str:
        """Return what cannot be kept to, "" when there is a choice: the first whose loss makes a choice possible."""
        if self.quick:
            return "" if self.choose(np.zeros(self.candidates))[0] is not None else "candidates"
        if self.solve(np.zeros(self.candidates), seconds=seconds).status != 2:
            return ""
        if self.candidates < self.least:
            return "candidates"
        plain = {"fixed": self.fixed, "least": self.least, "most": self.most}
        held: dict[str, dict[str, object]] = {
            "floor": {"conflicts": self.conflicts, "cost": self.cost, "budget": self.budget},
            "spacing": {"cost": self.cost, "budget": self.budget, "floor": self.floor},
            "budget": {"conflicts": self.conflicts, "floor": self.floor},
        }
        for name, rest in held.items():
            without = Side(self.candidates, **plain, **rest)  # type: ignore[arg-type]
            if without.solve(np.zeros(self.candidates), seconds=seconds).status != 2:
                return name
        return "together"


@dataclass(frozen=True, eq=False)
class Others:
    """Variables beside the candidates: how many, their limits, and which are whole."""

    count: int
    low: Floats | float = 0.0
    high: Floats | float = 1.0
    whole: int = 0


def _apart(conflicts: Ints, candidates: int) -> sp.csr_array:
    """Return rows "at most one of these", one for each group of candidates that are all too close to each other."""
    close = np.zeros((candidates, candidates), dtype=bool)
    close[conflicts[:, 0], conflicts[:, 1]] = close[conflicts[:, 1], conflicts[:, 0]] = True
    left = np.triu(close, 1)
    rows: list[Ints] = []
    while left.any():
        first = int(left.sum(axis=1).argmax())
        second = int(np.flatnonzero(left[first])[0])
        group = [first, second]
        common = close[first] & close[second]
        while common.any():
            group.append(int(np.flatnonzero(common)[0]))
            common &= close[group[-1]]
        members = np.array(sorted(group))
        left[np.ix_(members, members)] = False
        rows.append(members)
    lengths = [len(row) for row in rows]
    return sp.csr_array(
        (np.ones(sum(lengths)), (np.repeat(np.arange(len(rows)), lengths), np.concatenate(rows))),
        shape=(len(rows), candidates),
    )
