"""Benchmark files of vehicle routing with time windows, solved by the same core (pure).

Vehicles have a capacity and return to the depot, windows are hard, the cost is the distance alone, truncated to
one decimal as the DIMACS challenge does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.progress import Progress
from dispatch.plan import Search, solve
from dispatch.plan_model import Problem, Result, Stop, Task, Unserved, Weights, Worker
from dispatch.vrptw_files import Places, read_places

SCALE = 10
"""Units of the search in one unit of the file: distances and times are whole tenths."""
_LEFT_OUT, _FAR = 1e6, 4.0
"""What leaving a customer out costs: so much, and so many times the longest way at least."""
SEARCH = Search(hot=6.0, cold=0.03)
"""Hotter than a shift of dispatch: routes are long, and only the distance counts."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A file read: its problem, in tenths of its unit."""

    name: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Answer:
    """The routes found, with cost in the unit of the file; not feasible when a customer is in no route."""

    cost: float
    vehicles: int
    feasible: bool
    result: Result


def read_vrptw(path: Path) -> Instance:
    """Return the instance of a file in the layout of VRPLIB.

    Raises
    ------
    InvalidInput
        When the file is not there, not of this layout, or a figure in it cannot be, naming the line.
    """
    given = read_places(path)
    return Instance(given.name, _problem(given))


def _problem(given: Places) -> Problem:
    places, windows, depot = given.xy, given.windows, given.depot
    apart = np.sqrt(((places[:, None] - places) ** 2).sum(axis=-1))
    travel = np.floor(apart * SCALE + 1e-9).astype(np.float32)
    left_out = max(_LEFT_OUT, _FAR * float(travel.max()))
    tasks = [
        Task(
            int(k) + 1,
            float(given.service[k]) * SCALE,
            earliest_s=float(windows[k, 0]) * SCALE,
            latest_s=float(windows[k, 1]) * SCALE,
            size=float(given.demand[k]),
            prize_s=left_out,
        )
        for k in range(len(places))
        if k != depot
    ]
    opens, closes = windows[depot] * SCALE
    vehicles = min(given.vehicles, len(tasks))  # one each is the most that can be used
    fleet = [Worker(v + 1, float(opens), float(closes), capacity=given.room) for v in range(vehicles)]
    here = np.full(vehicles, depot)
    task_at = np.array([k for k in range(len(places)) if k != depot])
    return Problem(tasks, fleet, travel, Weights(overtime=0.0), here, task_at, here)


def solve_vrptw(
    instance: Instance,
    stop: Stop | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    search: Search | None = None,
) -> Answer:
    """Return the shortest routes found."""
    result = solve(instance.problem, stop, seed, progress=progress, search=search or SEARCH)
    vehicles = sum(bool(route) for route in result.routes.values())
    return Answer(result.travel_s / SCALE, vehicles, not result.unserved and math.isfinite(result.cost_s), result)


def left_out(each: Unserved) -> str:
    """Return why a customer is in no route."""
    why = each.why.en if each.why.kind == "too_big" else "No vehicle reaches it in time, beside the others."
    return f"place {each.task}: {why}"
