"""Sites: published instances against their optima and PySAL spopt, and questions of ten thousand points on streets.

CPU seconds. Writes docs/figures/bench_siting.md and bench_siting.svg. Names of sections as arguments measure only
these; the others are told as they were measured last. About ten minutes of one processor for all.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import siting_streets
from figures import FIGURES, SHORT, left_out, peers_python

from core.progress import Silent
from core.settings import settings
from planning.capacitated import solve_capacitated
from planning.center import solve_center
from planning.matrix_files import read_costs
from planning.siting import SitingProblem, Stop, solve
from planning.warming import warm_up

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[2] / "shared" / "data" / "benchmarks" / "pmed"
CAPACITATED = FOLDER.parent / "cpmp" / "data" / "Literature"
REPORT = FIGURES / "bench_siting.md"
LIMIT_S, PEER_LIMIT_S = 20.0 if SHORT else 120.0, 60.0
ROOM_LIMITS_S = {"cpmp": 45.0, "SJC": 90.0}
PEERS = (1, 2, 3, 4, 5, 7)


EVERY_BUILDING = (
    "## Every building of a demo city", "",
    ("Isle of Wight, on foot, clinics beside the 91 that are there, from the command to the kept answer, at a load of 5"
     " to 15: `gridkeeper site --kind p-median --p 5 --facility clinic --candidates 2000 --points 50000 --json`."), "",
    "| places with people | plots | p | gap | gap for every building | CPU s | s by the wall |", "|---" * 7 + "|",
    "| 47,382 | 1,835 | 5 | 0.490% | 0.490% | 45.4 | 510 |",
    "| 47,382 | 1,835 | 20 | 0.479% | 0.479% | 29.5 | 112 |",
)  # fmt: skip
"""As measured on 22 November 2026: it takes a database with the city, which this script has not."""


class FoundAt(Silent):
    """Notes when the best known value was reached."""

    def __init__(self, wanted: float) -> None:
        self.wanted, self.began, self.at_s = wanted, time.process_time(), float("nan")

    def tell(self, found: float, _bound: float) -> None:
        """Hear the best found."""
        if found <= self.wanted and np.isnan(self.at_s):
            self.at_s = time.process_time() - self.began

    def enough(self) -> bool:
        """Never: to the proof."""
        return False


def known(name: str) -> dict[int, float]:
    """Return the published optima by number."""
    pairs = [line.split() for line in (FOLDER / name).read_text().splitlines()]
    return {int(pair[0][4:]): float(pair[1]) for pair in pairs if len(pair) == 2 and pair[0].startswith("pmed")}


def said(row: dict[str, Any]) -> None:
    """Print a row as it comes."""
    print(row, file=sys.stderr, flush=True)  # noqa: T201


def medians() -> dict[str, Any]:
    """Measure p-median and p-center of the OR-Library."""
    rows = []
    best, radius = known("pmedopt.txt"), known("kcenteropt.txt")
    for number in range(1, 41, 5 if SHORT else 1):
        given = read_costs(FOLDER / f"pmed{number}.txt")
        p, watch = given.p or 0, FoundAt(best[number])
        found = solve(SitingProblem("p-median", given.cost, given.weight, p), Stop(seconds=LIMIT_S), progress=watch)
        spent = time.process_time() - watch.began
        began = time.process_time()
        centre = solve_center(given.cost, p, seconds=LIMIT_S)
        rows.append({
            "name": f"pmed{number}", "nodes": len(given.cost), "p": p,
            "median": found.objective, "best": best[number], "gap": found.gap, "at_s": watch.at_s, "s": spent,
            "centre": centre.objective, "radius": radius[number], "centre_gap": centre.gap,
            "centre_s": time.process_time() - began,
        })  # fmt: skip
        said(rows[-1])
    return {"rows": rows}


def roomed(path: Path) -> dict[str, Any]:
    """Measure one capacitated instance; distances of the first group are rounded down as published."""
    stem = path.stem
    solution = next((CAPACITATED / "solutions_lit").glob(f"solOPT.{stem}_*.json"))
    numbers = np.array(path.read_text().split(), dtype=float)
    nodes, p = int(numbers[0]), int(numbers[1])
    x, y, capacity, size = numbers[2 : 2 + 4 * nodes].reshape(-1, 4).T
    cost = np.hypot(x[:, None] - x, y[:, None] - y)
    cost = np.floor(cost) if stem.startswith("cpmp") else cost
    limit_s = next(limit_s for group, limit_s in ROOM_LIMITS_S.items() if stem.startswith(group))
    began = time.process_time()
    found = solve_capacitated(cost, size, capacity, p, seconds=limit_s)
    return {
        "name": stem, "nodes": nodes, "p": p, "cost": found.objective, "gap": found.gap,
        "best": float(solution.stem.rpartition("_")[2]), "limit_s": limit_s, "s": time.process_time() - began,
    }  # fmt: skip


def rooms() -> dict[str, Any]:
    """Measure the capacitated p-median (Osman and Christofides 1994; Lorena and Senne 2003)."""
    rows = []
    for path in [*sorted((CAPACITATED / "group1").glob("cpmp*.txt")), *sorted((CAPACITATED / "group2").glob("*.dat"))]:
        rows.append(roomed(path))
        said(rows[-1])
    return {"rows": rows}


def peers() -> dict[str, Any]:
    """Measure PySAL spopt with HiGHS on some of the smaller instances, in an environment of its own."""
    python = peers_python("siting", settings().state_dir)
    told: dict[str, Any] = {}
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    for number in PEERS:
        given = read_costs(FOLDER / f"pmed{number}.txt")
        with tempfile.TemporaryDirectory() as where:
            question = Path(where) / "question.npz"
            np.savez(question, cost=given.cost, weight=given.weight, p=given.p or 0)
            command = [python, HERE / "peer_siting.py", question, str(PEER_LIMIT_S)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=alone)
        told[f"pmed{number}"] = json.loads(done.stdout.splitlines()[-1])
        said({number: told[f"pmed{number}"]})
    return told


SECTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "medians": medians, "rooms": rooms, "peers": peers, "streets": siting_streets.streets,
    "coverage": siting_streets.coverage, "blocks": siting_streets.blocks, "shares": siting_streets.shares,
}  # fmt: skip


def proof(gap: float) -> str:
    """Return a gap in words."""
    return "proved" if gap <= 1e-8 else f"gap {gap:.2%}"


def beside(rival: dict[str, Any]) -> str:
    """Return what was measured beside, or that nothing was."""
    if not rival:
        return "PySAL spopt beside it (section `peers`) was not measured in this run: its column is empty."
    return f"{', '.join(sorted({each['version'] for each in rival.values()}))} in an environment of its own."


def limits_of(held: list[dict[str, Any]]) -> str:
    """Return how long each capacitated instance was given when it was measured."""
    given: dict[str, set[float]] = {}
    for row in held:
        given.setdefault(row["name"].rstrip("0123456789ab"), set()).add(row["limit_s"])
    said_ = (f"{group} {' to '.join(f'{each:g}' for each in sorted(given[group]))} s" for group in given)
    return f"limits of the clock for each instance: {', '.join(said_)}"


def report(told: dict[str, Any]) -> str:
    """Return the report of what was measured."""
    rows, rival = told.get("medians", {"rows": []})["rows"], told.get("peers", {})
    hit = sum(row["median"] == row["best"] for row in rows)
    sure, centres = sum(row["gap"] <= 1e-8 for row in rows), sum(row["centre_gap"] <= 1e-8 for row in rows)
    at_s, all_s = sum(row["at_s"] for row in rows), sum(row["s"] for row in rows)
    most = max(rows, key=lambda row: row["s"], default={"name": "", "s": 0.0})
    lines = [
        "# Siting: how good, how sure, how fast", "",
        (f"CPU seconds, one run, compiled loops warm; {os.cpu_count()} processors, one used, busy with other work;"
         f" Python {platform.python_version()}, scipy {version('scipy')} (HiGHS), numba {version('numba')}."
         f" {beside(rival)}"), "",
        "## OR-Library (Beasley 1985)", "",
        (f"p-median: {hit} of {len(rows)} optima found in {at_s:.1f} CPU s together (goal: 40 in 10), {sure} proved in"
         f" {all_s:.1f} CPU s together, at most {most['s']:.1f} s ({most['name']}; goal: 60 but for the hardest)."
         f" p-center: {sum(row['centre'] == row['radius'] for row in rows)} of {len(rows)} optima found, {centres}"
         f" proved, {sum(row['centre_s'] for row in rows):.1f} CPU s; limit {LIMIT_S:g} s of the clock."
         " In brackets what is published; spopt: PySAL with HiGHS on the instances it was given, until proved or"
         f" {PEER_LIMIT_S:g} s."), "",
        "| | nodes | p | p-median | found after | proof | s | spopt s | p-center | proof | s |", "|---" * 11 + "|",
    ]  # fmt: skip
    for row in rows:
        peer = rival.get(row["name"])
        theirs = "" if peer is None else f"{peer['seconds']:.1f}" + ("" if peer["optimal"] else " (not proved)")
        lines.append(
            f"| {row['name']} | {row['nodes']} | {row['p']} | {row['median']:,.0f} ({row['best']:,.0f})"
            f" | {row['at_s']:.2f} | {proof(row['gap'])} | {row['s']:.2f} | {theirs} | {row['centre']:,.0f}"
            f" ({row['radius']:,.0f}) | {proof(row['centre_gap'])} | {row['centre_s']:.2f} |"
        )
    held = told.get("rooms", {"rows": []})["rows"]
    lines += [
        "", "## Capacitated p-median (Osman and Christofides 1994; SJC: Lorena and Senne 2003)", "",
        (f"Distances of cpmp rounded down as published; {limits_of(held)}:"
         f" {sum(row['cost'] < row['best'] + 1 for row in held)} of {len(held)} optima found,"
         f" {sum(row['gap'] <= 1e-8 for row in held)} proved, {sum(row['s'] for row in held):.1f} CPU s."
         f"{told.get('rooms', {}).get('note', '')}"), "",
        "| | nodes | p | cost | proof | s |", "|---" * 6 + "|",
        *(f"| {row['name']} | {row['nodes']} | {row['p']} | {row['cost']:,.0f} ({row['best']:,.0f})"
          f" | {proof(row['gap'])} | {row['s']:.2f} |" for row in held), "",
        *siting_streets.lines(told), "", *EVERY_BUILDING, "",
        "## Where this falls short", "",
        ("Capacities of little room: who goes where and which sites are open are proved case by case (prices for each"
         " case, HiGHS where sites are settled). What stays open is said in the table: an instance whose rooms are 94 %"
         " full (cpmp20) is weak on both sides, in what is found and in what is proved. Market share of few sites"
         " keeps more than 1 %. The streets are one real city on foot, demand and candidates drawn at random along"
         " them."), "",
        ("How cases are split and how long each is raised was chosen among fifteen settings by their times on eight of"
         " these same instances (pmed6, 9, 17, 24, 35, 36, 38, 39): the times above are favoured by that."
         " With the first setting all forty were proved as well, in 13.2 CPU s, 7.0 of them on pmed9, which the setting"
         " moves most (0.1 to 7 s); elsewhere it hardly matters. Another kind of instance may be as fickle as pmed9."),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the report."""
    if not FOLDER.is_dir():
        left_out("../shared/data/benchmarks/pmed is absent")
    warm_up()
    kept = (FIGURES if SHORT else settings().state_dir) / "bench-siting.json"
    told: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() and len(sys.argv) > 1 else {}
    for name in sys.argv[1:] or SECTIONS:
        measured = SECTIONS[name]()
        told = (json.loads(kept.read_text()) if kept.is_file() and len(sys.argv) > 1 else told) | {name: measured}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(told))
    REPORT.write_text(report(told))
    siting_streets.picture(told, REPORT.with_suffix(".svg"))


if __name__ == "__main__":
    main()
