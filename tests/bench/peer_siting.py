"""The peer of bench_siting.py: the p-median of PySAL spopt, solved by HiGHS; answers as one JSON line.

python peer_siting.py QUESTION.npz SECONDS
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

import numpy as np
import pulp
from spopt.locate import PMedian


def main() -> None:
    """Solve and tell."""
    with np.load(sys.argv[1]) as file:
        cost, weight, p = file["cost"], file["weight"], int(file["p"])
    began = time.process_time()
    model = PMedian.from_cost_matrix(cost, weight, p_facilities=p)
    solver = pulp.HiGHS(msg=False, timeLimit=float(sys.argv[2]), threads=1)
    model.problem.solve(solver)
    told = {
        "seconds": time.process_time() - began,
        "optimal": model.problem.sol_status == pulp.LpSolutionOptimal,
        "objective": pulp.value(model.problem.objective),
        "version": f"spopt {version('spopt')}, PuLP {version('pulp')}, highspy {version('highspy')}",
    }
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
