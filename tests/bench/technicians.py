"""Files of technician routing (Pillac, Guéret & Medaglia, 2013) as problems of the engine, and their own judge.

Technicians leave home and return to it, requests have hard windows and need a skill, tools and spare parts. Who comes
past the depot has all tools and parts. The engine plans everybody past the depot first; who turns out to need nothing
of it goes straight from home, which is never longer.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dispatch.plan_model import Problem, Task, Weights, Worker

LEFT_OUT = 1e5


@dataclass(frozen=True, eq=False)
class Technicians:
    """A file read: rows of places (depot, homes, requests), their windows, and what is brought or needed."""

    crew: int
    at: NDArray[np.float64]
    windows: NDArray[np.float64]
    service: NDArray[np.float64]
    skills: list[set[int]]
    tools: list[set[int]]
    parts: NDArray[np.int64]

    @property
    def ways(self) -> NDArray[np.float64]:
        """Distances, which are times, too."""
        return np.sqrt(((self.at[:, None] - self.at) ** 2).sum(axis=-1))


def read(path: Path) -> Technicians:
    """Return the content of a file."""
    rows = []
    for line in path.read_text(encoding="latin-1").splitlines():
        lists = re.findall(r"\[[^\]]*\]", line)
        if len(lists) == 3:
            rows.append(
                ([float(part) for part in line.split("[")[0].split()], [ast.literal_eval(each) for each in lists])
            )
    crew = sum(not service for (*_, service), _ in rows) - 1
    table = np.array([each for each, _ in rows])
    parts = np.array([lists[2] or [0] * 5 for _, lists in rows])
    sets = [[set(lists[k]) for _, lists in rows] for k in (0, 1)]
    return Technicians(crew, table[:, 1:3], table[:, 3:5], table[:, 5], *sets, parts)


def problem_of(given: Technicians) -> Problem:
    """Return the problem in which everybody comes past the depot first."""
    first = given.crew + 1
    workers = [
        Worker(
            w,
            float(given.windows[w, 0] + given.ways[w, 0]),
            float(given.windows[w, 1]),
            skills=frozenset(str(each) for each in given.skills[w]),
        )
        for w in range(1, first)
    ]
    tasks = [
        Task(
            j,
            float(given.service[j]),
            earliest_s=float(given.windows[j, 0]),
            latest_s=float(given.windows[j, 1]),
            skills=frozenset(str(each) for each in given.skills[j]),
            prize_s=LEFT_OUT,
        )
        for j in range(first, len(given.at))
    ]
    weights = Weights(overtime=0.0)
    depot = np.zeros(given.crew, np.int64)
    return Problem(
        tasks,
        workers,
        given.ways.astype(np.float32),
        weights,
        depot,
        np.arange(first, len(given.at)),
        np.arange(1, first),
    )


def judged(given: Technicians, routes: Mapping[int, Sequence[int]]) -> tuple[float, int, int, int]:
    """Return distance, technicians, requests left out and what is broken, by a walk of its own."""
    ways, length, used, broken, seen = given.ways, 0.0, 0, 0, set[int]()
    for w, route in routes.items():
        if not route:
            continue
        used += 1
        tools = set().union(*(given.tools[j] for j in route))
        past = not tools <= given.tools[w] or bool((given.parts[list(route)].sum(axis=0) > given.parts[w]).any())
        stops = [0, *route] if past else [*route]
        clock, at = float(given.windows[w, 0]), w
        for j in stops:
            clock, length = clock + ways[at, j], length + ways[at, j]
            if j:
                clock = max(clock, given.windows[j, 0])
                broken += clock > given.windows[j, 1] + 1e-3
                broken += not given.skills[j] <= given.skills[w]
                broken += j in seen
                seen.add(j)
            clock += given.service[j]
            at = j
        length += ways[at, w]
        broken += not math.isfinite(clock) or clock + ways[at, w] > given.windows[w, 1] + 1e-3
    return length, used, len(given.at) - given.crew - 1 - len(seen), int(broken)
