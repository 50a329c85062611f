"""The peers of bench_access.py: PySAL access and inequality on the same arrays; answers as one JSON line.

python peer_access.py TABLES.npz OUT.npz ROUNDS
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd


def median_s(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Return the median CPU seconds of some rounds after one that does not count, and what came of it."""
    found = work()
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent), found


def main() -> None:
    """Measure each and write what was found."""
    warnings.filterwarnings("ignore")
    from access import Access, weights
    from inequality.gini import Gini
    from inequality.theil import TheilD

    tables, out, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with np.load(tables) as file:
        od, people, supply, groups = (file[name] for name in ("od_s", "people", "supply", "groups"))
        limit = float(file["limit_s"])
    demand = pd.DataFrame({"at": np.arange(len(people)), "people": people})
    offered = pd.DataFrame({"at": np.arange(len(supply)), "supply": supply})
    row, column = np.nonzero(od <= limit)  # what lies beyond the limit is left out beforehand, in the peer's favour
    costs = pd.DataFrame({"origin": row, "dest": column, "cost": od[row, column]})

    def made() -> Access:
        return Access(
            demand_df=demand, demand_index="at", demand_value="people", supply_df=offered, supply_index="at",
            supply_value="supply", cost_df=costs, cost_origin="origin", cost_dest="dest", cost_name="cost",
        )  # fmt: skip

    def plain() -> np.ndarray:
        return made().two_stage_fca(name="a", cost="cost", max_cost=limit)["a_supply"].to_numpy()

    def stairs() -> np.ndarray:
        weigh = weights.step_fn({limit / 3: 1.0, limit * 2 / 3: 0.68, limit: 0.22})
        found = made().enhanced_two_stage_fca(name="a", cost="cost", max_cost=limit, weight_fn=weigh)
        return found["a_supply"].to_numpy()

    told: dict[str, float] = {}
    told["2sfca"], first = median_s(plain, rounds)
    told["e2sfca"], second = median_s(stairs, rounds)
    first, second = np.nan_to_num(first), np.nan_to_num(second)  # a place without anything in reach is NaN there
    told["gini"], even = median_s(lambda: Gini(first).g, rounds)
    told["theil"], parts = median_s(lambda: TheilD(first, groups), rounds)
    np.savez(
        out, plain=first, stairs=second, gini=even, theil=np.array([parts.T, float(parts.bg[0]), float(parts.wg[0])])
    )
    print(json.dumps({"seconds": told, "access": version("access"), "inequality": version("inequality")}))  # noqa: T201


main()
