"""A planned problem as bytes and back, so that another process can answer why; whole seconds stay as they were."""

from __future__ import annotations

import dataclasses
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch.plan_model import Break, Commitment, Id, Problem, Seconds, Task, Weights, Worker

FORM = 1
_NO_WAY, _UNKNOWN = 65_535, 65_534
_SETS = ("skills", "equipment", "pinned", "excluded", "grids")


@dataclass(frozen=True, eq=False)
class Kept:
    """A problem with its plan.

    Attributes
    ----------
    incidents, workers
        Incident of each task and worker of each staff number, by the ids of the problem.
    places
        Longitude and latitude of workers, then tasks.
    """

    problem: Problem
    routes: Mapping[Id, tuple[Id, ...]]
    incidents: Mapping[Id, int]
    workers: Mapping[Id, int]
    places: NDArray[np.float64]


def pack(kept: Kept) -> bytes:
    """Return a problem and its plan as bytes; travel times have to be whole seconds below 18 hours."""
    ways = kept.problem.travel_s
    numbers = np.where(np.isnan(ways), _UNKNOWN, np.where(np.isfinite(ways), ways, _NO_WAY)).astype(np.uint16)
    told = {
        "form": FORM,
        "tasks": [_plain(task) for task in kept.problem.tasks],
        "workers": [_plain(worker) for worker in kept.problem.workers],
        "weights": dataclasses.asdict(kept.problem.weights),
        "routes": {str(worker): list(route) for worker, route in kept.routes.items()},
        "incidents": [kept.incidents[task.id] for task in kept.problem.tasks],
        "ids": [kept.workers[worker.id] for worker in kept.problem.workers],
    }
    file = io.BytesIO()
    text = np.frombuffer(json.dumps(told, separators=(",", ":")).encode(), np.uint8)
    np.savez(file, told=text, ways=numbers, places=kept.places)
    return zlib.compress(file.getvalue(), 1)


def unpack(content: bytes) -> Kept | None:
    """Return what was packed; None when it was packed by another version of the platform."""
    with np.load(io.BytesIO(zlib.decompress(content)), allow_pickle=False) as file:
        told: dict[str, Any] = json.loads(file["told"].tobytes())
        numbers, places = file["ways"], file["places"]
    if told.get("form") != FORM:
        return None
    tasks = [_task(each) for each in told["tasks"]]
    workers = [_worker(each) for each in told["workers"]]
    costs: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told["weights"].items()}
    return Kept(
        Problem(tasks, workers, _ways(numbers), Weights(**costs)),
        {worker: tuple(route) for worker, route in told["routes"].items()},
        {task.id: incident for task, incident in zip(tasks, told["incidents"], strict=True)},
        {worker.id: one for worker, one in zip(workers, told["ids"], strict=True)},
        places,
    )


def _ways(numbers: NDArray[np.uint16]) -> Seconds:
    ways = numbers.astype(np.float32)
    ways[numbers == _NO_WAY] = np.inf
    ways[numbers == _UNKNOWN] = np.nan
    return ways


def _plain(each: Task | Worker) -> dict[str, Any]:
    """Return what of a task or worker is not as usual."""
    told: dict[str, Any] = {}
    for one in dataclasses.fields(each):
        value = getattr(each, one.name)
        if value == one.default:
            continue
        if isinstance(value, frozenset):
            value = sorted(map(str, value))
        elif one.name in {"breaks", "commitments"}:
            value = [dataclasses.astuple(part) for part in value]
        if value != []:
            told[one.name] = value
    return told


def _sets(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: frozenset(value) if name in _SETS else value for name, value in told.items()}


def _task(told: Mapping[str, Any]) -> Task:
    return Task(**_sets(told))


def _worker(told: Mapping[str, Any]) -> Worker:
    parts: dict[str, type[Break | Commitment]] = {"breaks": Break, "commitments": Commitment}
    given = _sets(told)
    for name, kind in parts.items():
        values: Sequence[Sequence[Any]] = given.get(name, ())
        given[name] = tuple(kind(*value) for value in values)
    return Worker(**given)
