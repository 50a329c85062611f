"""Bring the compiled loops of planning into the process (made by set-up, then read from the disk)."""

from __future__ import annotations

import numpy as np

from planning import search
from planning.capacitated import solve_capacitated
from planning.huff import solve_huff
from planning.room_kernels import repair
from planning.side import Side


def warm_up() -> None:
    """Run each compiled loop of planning once, on next to nothing."""
    search.warm_up()
    pulls = np.random.default_rng(0).random((6, 5))
    solve_huff(pulls, np.ones(6), np.ones(6), Side(5, 2, 2))
    at = np.arange(20.0)
    solve_capacitated(np.abs(at[:, None] - at), np.ones(20), np.full(20, 9.0), 3)
    repair(np.ones((1, 2)), np.ones(2), np.full(1, 2.0), np.zeros(2, int), 1.0, 1)  # else where room is short
