"""Sites on the instances of the OR-Library: p-median, p-center and capacitated p-median, against published optima.

CPU seconds; a question is left after a time limit (first argument, seconds) with the gap it has then. Writes
docs/figures/bench_siting.md; instances may be limited by a second argument, so many of each kind.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from planning.capacitated import solve_capacitated
from planning.center import solve_center
from planning.matrix_files import read_costs
from planning.search import warm_up
from planning.siting import SitingProblem, Stop, solve

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[2] / "shared" / "data" / "benchmarks" / "pmed"
CAPACITATED = FOLDER.parent / "cpmp" / "data" / "Literature"
REPORT = HERE.parents[1] / "docs" / "figures" / "bench_siting.md"


def known(name: str) -> dict[int, float]:
    """Return the published optima by number."""
    pairs = [line.split() for line in (FOLDER / name).read_text().splitlines()]
    return {int(pair[0][4:]): float(pair[1]) for pair in pairs if len(pair) == 2 and pair[0].startswith("pmed")}


def capacitated(limit_s: float, count: int) -> tuple[list[str], str]:
    """Return rows of the capacitated instances (Osman and Christofides 1994), and a sentence."""
    rows, hit, sure, spent = [], 0, 0, 0.0
    for path in sorted((CAPACITATED / "group1").glob("cpmp*.txt"))[:count]:
        solution = next((CAPACITATED / "solutions_lit").glob(f"solOPT.{path.stem}_*.json"))
        best = float(solution.stem.rpartition("_")[2])
        numbers = np.array(path.read_text().split(), dtype=float)
        nodes, p = int(numbers[0]), int(numbers[1])
        x, y, capacity, size = numbers[2 : 2 + 4 * nodes].reshape(-1, 4).T
        cost = np.floor(np.hypot(x[:, None] - x, y[:, None] - y))
        began = time.process_time()
        found = solve_capacitated(cost, size, capacity, p, seconds=limit_s)
        took = time.process_time() - began
        hit, sure, spent = hit + (found.objective == best), sure + (found.status == "optimal"), spent + took
        proof = "proved" if found.status == "optimal" else f"gap {found.gap:.2%}"
        rows.append(f"| {path.stem} | {nodes} | {p} | {found.objective:,.0f} ({best:,.0f}) | {proof} | {took:.2f} |")
        print(rows[-1], file=sys.stderr, flush=True)  # noqa: T201
    return rows, f"{hit} of {len(rows)} optima found, {sure} proved, {spent:.1f} CPU s"


def main() -> None:
    """Measure and write the report."""
    limit_s = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    warm_up()
    medians, centres = known("pmedopt.txt"), known("kcenteropt.txt")
    rows, sums = [], {"median": [0, 0, 0.0], "centre": [0, 0, 0.0]}
    for number in range(1, count + 1):
        given = read_costs(FOLDER / f"pmed{number}.txt")
        p = given.p or 0
        cells = []
        for kind, best in (("median", medians[number]), ("centre", centres[number])):
            began = time.process_time()
            if kind == "median":
                found = solve(SitingProblem("p-median", given.cost, given.weight, p), Stop(seconds=limit_s))
            else:
                found = solve_center(given.cost, p, seconds=limit_s)
            spent = time.process_time() - began
            sums[kind][0] += found.objective == best
            sums[kind][1] += found.status == "optimal"
            sums[kind][2] += spent
            proof = "proved" if found.status == "optimal" else f"gap {found.gap:.2%}"
            cells.append(f"{found.objective:,.0f} ({best:,.0f}) | {proof} | {spent:.2f}")
        rows.append(f"| pmed{number} | {len(given.cost)} | {p} | {' | '.join(cells)} |")
        print(rows[-1], file=sys.stderr, flush=True)  # noqa: T201
    held, sentence = capacitated(limit_s, count)
    told = [f"{kind}: {hit} of {count} optima found, {sure} proved, {spent:.1f} CPU s" for kind, (hit, sure, spent) in sums.items()]  # fmt: skip # noqa: E501
    REPORT.write_text(
        "# Siting on files: the OR-Library\n\n"
        f"CPU seconds, one run; each question is left after {limit_s:g} s of the clock with the gap it has then, on a"
        f" machine that was busy with other work. {os.cpu_count()} processors; Python {platform.python_version()},"
        f" scipy {version('scipy')} (HiGHS). Published optimum in brackets. {'; '.join(told)}.\n\n"
        "| | nodes | p | p-median | proof | s | p-center | proof | s |\n|---|---|---|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + f"\n\nCapacitated p-median, distances rounded down as published: {sentence}.\n\n"
        "| | nodes | p | cost | proof | s |\n|---|---|---|---|---|---|\n"
        + "\n".join(held)
        + "\n\nWhere this falls short: two medians of large p are missed by a thousandth or less, most of low p are not"
        " proved in so little time, p-center beyond 400 nodes and capacities of little room stay open. Not measured"
        " yet: PySAL spopt beside it, SJC and larger instances, networks of 10,000 × 1,000.\n"
    )


if __name__ == "__main__":
    main()
