"""A peer of bench_routing.py: PyVRP on a file of vehicle routing with time windows; answers as one JSON line.

python peer_routing.py FILE.vrp SECONDS [SEED]
"""

from __future__ import annotations

import json
import sys
import time

import pyvrp


def main() -> None:
    """Answer with the distance in the unit of the file, vehicles, and CPU seconds of the search."""
    path, seconds, *seed = sys.argv[1:]
    data = pyvrp.read(path, round_func="dimacs")
    began = time.process_time()
    limit = float(seconds)
    found = pyvrp.solve(
        data, lambda _: time.process_time() - began > limit, seed=int((seed or ["1"])[0]), display=False
    )
    spent, best = time.process_time() - began, found.best
    answer = {"cost": best.distance() / 10, "vehicles": best.num_routes(), "feasible": best.is_feasible()}
    print(json.dumps(answer | {"cpu_s": spent}))  # noqa: T201


if __name__ == "__main__":
    main()
