"""Siting questions out of files: p-median instances of the OR-Library, and archives of costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from core.errors import InvalidInput
from geodata.archives import numbers, read_arrays

Floats = NDArray[np.float64]
NODES_AT_MOST = 20_000


@dataclass(frozen=True, eq=False)
class CostFile:
    """Costs and what goes with them.

    Attributes
    ----------
    cost
        Shape (demand, candidates); infinite where there is no way.
    weight
        Of each demand.
    capacity
        Of each candidate; None when the file says none.
    size
        Room that each demand takes; its weight unless the file says otherwise.
    p
        What the file asks for; None when it does not.
    site_cost
        Of each candidate; None when the file says none.
    between
        Distances of candidates from each other; None when the file says none.
    """

    cost: Floats
    weight: Floats
    capacity: Floats | None
    size: Floats
    p: int | None
    site_cost: Floats | None = None
    between: Floats | None = None


def read_costs(path: Path) -> CostFile:
    """Return the costs of a file.

    An archive (``.npz``) holds ``cost`` (demand, candidates), and if it likes ``weight``, ``capacity``, ``size``,
    ``site_cost``, ``between`` (distances of candidates) and ``p``; anything else is read as an instance of the
    OR-Library (Beasley 1985): nodes, edges and p, then the edges with their lengths, of twins the last one; every node
    is demand of weight one and candidate.

    Raises
    ------
    InvalidInput
        When it is neither, or numbers are missing, negative or do not fit together; says how many.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    return _checked(_archive(path) if path.suffix.lower() == ".npz" else _instance(path), path.name)


def _archive(path: Path) -> CostFile:
    given = read_arrays(path, _PARTS, what="archive of numbers", hint="np.savez of NumPy writes one.")
    if "cost" not in given:
        raise InvalidInput(f"{path.name} has no cost.", hint="It needs cost, of shape (demand, candidates).")
    if any(np.iscomplexobj(values) for values in given.values()):
        raise InvalidInput(f"{path.name} holds complex numbers.", hint="Costs and weights are real numbers.")
    parts = {name: numbers(values, name, path.name) for name, values in given.items()}
    cost = parts["cost"]
    if cost.ndim != 2 or not cost.size:
        raise InvalidInput(f"{path.name}: cost has shape {cost.shape}, not (demand, candidates).")
    weight = parts.get("weight", np.ones(len(cost)))
    return CostFile(
        cost, weight, parts.get("capacity"), parts.get("size", weight), _asked(parts.get("p"), path.name),
        parts.get("site_cost"), parts.get("between"),
    )  # fmt: skip


def _asked(p: Floats | None, name: str) -> int | None:
    if p is None:
        return None
    if p.size != 1 or not np.isfinite(p).all() or (p % 1 != 0).any():
        raise InvalidInput(f"{name}: p is no whole number.", hint="Give one number of sites, or leave p out.")
    return int(p.item())


_PARTS = ("cost", "weight", "capacity", "size", "p", "site_cost", "between")


def _instance(path: Path) -> CostFile:
    try:
        numbers = np.array(path.read_text(encoding="ascii").split(), dtype=np.int64)
        nodes, edges, p = (int(each) for each in numbers[:3])
        rows = numbers[3:].reshape(-1, 3)
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        raise InvalidInput(
            f"{path.name} is no p-median instance of the OR-Library.",
            hint="It holds whole numbers: nodes, edges, p, then two nodes and a length for each edge.",
        ) from error
    if len(rows) != edges or nodes < 1 or not ((rows[:, :2] >= 1) & (rows[:, :2] <= nodes)).all():
        raise InvalidInput(
            f"{path.name} promises {nodes:,} nodes and {edges:,} edges and holds {len(rows):,} edges,"
            f" {int(((rows[:, :2] < 1) | (rows[:, :2] > nodes)).any(axis=1).sum()):,} of them with other nodes."
        )
    if nodes > NODES_AT_MOST:
        raise InvalidInput(
            f"{path.name} has {nodes:,} nodes; the ways between all of them do not fit into memory.",
            hint=f"At most {NODES_AT_MOST:,}.",
        )
    if (rows[:, 2] < 0).any():
        raise InvalidInput(f"{path.name}: {int((rows[:, 2] < 0).sum()):,} lengths are negative.")
    pairs = np.sort(rows[:, :2] - 1, axis=1)
    key = pairs[:, 0] * nodes + pairs[:, 1]
    _, last = np.unique(key[::-1], return_index=True)
    kept = len(key) - 1 - last
    ends = (pairs[kept, 0], pairs[kept, 1])
    graph = coo_array((rows[kept, 2].astype(np.float64), ends), shape=(nodes, nodes)).tocsr()
    cost = dijkstra(graph, directed=False)
    return CostFile(cost, np.ones(nodes), None, np.ones(nodes), p)


def _checked(file: CostFile, name: str) -> CostFile:
    demand, candidates = file.cost.shape
    for what, values, count in (
        ("weight", file.weight, demand),
        ("size", file.size, demand),
        ("capacity", file.capacity, candidates),
        ("site_cost", file.site_cost, candidates),
    ):
        if values is None:
            continue
        if values.shape != (count,):
            raise InvalidInput(
                f"{name}: {what} has shape {values.shape}, cost {file.cost.shape}.", hint="Rows are demand."
            )
        bad = int((~(values >= 0)).sum())
        if bad:
            raise InvalidInput(f"{name}: {bad:,} of {count:,} numbers of {what} are negative or missing.")
    if file.between is not None and file.between.shape != (candidates, candidates):
        raise InvalidInput(f"{name}: between has shape {file.between.shape}, not candidates by candidates.")
    bad = int((~(file.cost >= 0)).sum())
    if bad:
        raise InvalidInput(f"{name}: {bad:,} of {file.cost.size:,} costs are negative or missing.")
    return file
