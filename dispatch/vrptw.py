"""Benchmark files of vehicle routing with time windows, solved by the same core (pure).

Vehicles have a capacity and return to the depot, windows are hard, the cost is the distance alone, truncated to
one decimal as the DIMACS challenge does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InvalidInput
from core.progress import Progress
from dispatch.plan import Search, solve
from dispatch.plan_model import Problem, Result, Stop, Task, Weights, Worker

SCALE = 10
"""Units of the search in one unit of the file: distances and times are whole tenths."""
_LEFT_OUT = 1e6
SEARCH = Search(hot=6.0, cold=0.03)
"""Hotter than a shift of dispatch: routes are long, and only the distance counts."""
_SECTIONS = ("NODE_COORD_SECTION", "DEMAND_SECTION", "TIME_WINDOW_SECTION", "DEPOT_SECTION")


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
        When the file is not there or not of this layout, naming the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} cannot be read.", hint="Look whether the file is there.") from error
    head: dict[str, str] = {}
    sections: dict[str, list[list[float]]] = {}
    rows: list[list[float]] | None = None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text == "EOF":
            continue
        if text.endswith("_SECTION"):
            rows = sections.setdefault(text, [])
        elif rows is None:
            key, _, value = text.partition(":")
            head[key.strip()] = value.strip()
        else:
            try:
                rows.append([float(part) for part in text.split()])
            except ValueError:
                raise InvalidInput(f"{path.name}, line {number}: {text[:40]!r} is no row of numbers.") from None
    for name in _SECTIONS:
        if not sections.get(name):
            raise InvalidInput(f"{path.name} has no {name}.", hint="Give a file of vehicle routing with time windows.")
    return Instance(head.get("NAME", path.stem), _problem(path.name, head, sections))


def _problem(name: str, head: dict[str, str], sections: dict[str, list[list[float]]]) -> Problem:
    try:
        places = np.array([row[1:3] for row in sections["NODE_COORD_SECTION"]], float)
        demand = np.array([row[1] for row in sections["DEMAND_SECTION"]])
        windows = np.array([row[1:3] for row in sections["TIME_WINDOW_SECTION"]], float)
        vehicles, room = int(head["VEHICLES"]), float(head["CAPACITY"])
        given = sections.get("SERVICE_TIME_SECTION")
        service = np.array([row[1] for row in given]) if given else np.full(len(places), float(head["SERVICE_TIME"]))
        depot = int(sections["DEPOT_SECTION"][0][0]) - 1
    except (KeyError, IndexError, ValueError) as error:
        raise InvalidInput(f"{name} lacks figures: {error}.") from None
    if not len(places) == len(demand) == len(windows) == len(service) or not 0 <= depot < len(places):
        raise InvalidInput(f"{name}: its sections do not have the same number of rows.")
    apart = np.sqrt(((places[:, None] - places) ** 2).sum(axis=-1))
    travel = np.floor(apart * SCALE + 1e-9).astype(np.float32)
    tasks = [
        Task(
            int(k) + 1,
            float(service[k]) * SCALE,
            earliest_s=float(windows[k, 0]) * SCALE,
            latest_s=float(windows[k, 1]) * SCALE,
            size=float(demand[k]),
            prize_s=_LEFT_OUT,
        )
        for k in range(len(places))
        if k != depot
    ]
    opens, closes = windows[depot] * SCALE
    fleet = [Worker(v + 1, float(opens), float(closes), capacity=room) for v in range(vehicles)]
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
