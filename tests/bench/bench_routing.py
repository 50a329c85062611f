"""The engine of dispatch on benchmarks of routing: Gehring & Homberger with PyVRP beside it, and Pillac's technicians.

CPU seconds of one thread. What is measured is kept at once, line by line, so that a run that was ended goes on where
it stood (--anew forgets it). Writes docs/figures/bench_routing.md.

python bench_routing.py [--seconds 5 30] [--files 30] [--anew | --kept]

--kept writes the tables of what earlier runs measured, and measures nothing of the first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from pathlib import Path
from typing import Any

from bench_dispatch import HERE, SHARED, alone, engine, kept, machine, versions
from figures import FIGURES, left_out, peers_python
from technicians import Technicians, judged, problem_of, read

from core.settings import settings
from dispatch.plan import solve, warm_up
from dispatch.plan_model import Stop
from dispatch.vrptw import read_vrptw, solve_vrptw

REPORT = FIGURES / "bench_routing.md"
DATA = SHARED / "data" / "benchmarks"
CLASSES = ("C1", "C2", "R1", "R2", "RC1", "RC2")
TECHNICIANS_S = 0.5
TECHNICIANS = """Medians by class at {seconds:g} s. Homes, skills and hard windows are the engine's; who lacks a tool or
a part comes past the depot first, and no later than that, which leaves requests with early windows out. Judged by a
walk of its own.
"""
AIMS = {5.0: 5.0, 30.0: 3.0}
"""Seconds, and the per cent above the best known that the median should not exceed."""


def ours(file: Path, seconds: float) -> dict[str, Any]:
    """Return what this engine finds."""
    answer = solve_vrptw(read_vrptw(file), Stop(seconds), seed=1)
    return {
        "cost": answer.cost,
        "vehicles": answer.vehicles,
        "feasible": answer.feasible,
        "cpu_s": answer.result.cpu_s,
    }


def pyvrp(python: Path, file: Path, seconds: float) -> dict[str, Any]:
    """Return what PyVRP finds."""
    command = [python, HERE / "peer_routing.py", file, str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=alone())
    return dict(json.loads(done.stdout.splitlines()[-1]))


def in_turn(files: list[Path]) -> list[Path]:
    """Return files so that each class comes up as soon as any other."""
    return sorted(files, key=lambda file: (int(file.stem.split("_")[2]), file.stem))


def windows(asked: argparse.Namespace, book: Path) -> list[str]:
    """Return the table of gaps to the best known, by class."""
    python = Path() if asked.kept else peers_python("dispatch", settings().state_dir)
    gaps: dict[tuple[str, float, str], list[float]] = {}
    both: dict[float, list[tuple[float, float]]] = {}
    files = in_turn(sorted((DATA / "vrp" / "homberger_1000").glob("*.vrp")))[: asked.files]
    for file in files:
        best = float(file.with_suffix(".sol").read_text().split()[-1])
        for seconds in asked.seconds:
            mine, his = f"{file.stem} {seconds:g} ours {engine()}", f"{file.stem} {seconds:g} pyvrp"
            told = {
                "ours": kept(book, mine, lambda f=file, s=seconds: ours(f, s), new=not asked.kept),  # type: ignore[misc]
                "PyVRP": kept(book, his, lambda f=file, s=seconds: pyvrp(python, f, s), new=not asked.kept),  # type: ignore[misc]
            }
            found = {name: _gap(each, best) for name, each in told.items() if each is not None}
            for name, gap in found.items():
                for group in (file.stem.split("_")[0], "all"):
                    gaps.setdefault((group, seconds, name), []).append(gap)
            if len(found) == len(told):
                both.setdefault(seconds, []).append((found["ours"], found["PyVRP"]))
    head = "| class | files |" + "".join(f" ours {s:g} s | PyVRP {s:g} s |" for s in asked.seconds)
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for group in (*CLASSES, "all"):
        cells = [gaps.get((group, s, name), []) for s in asked.seconds for name in ("ours", "PyVRP")]
        if cells[0]:
            most = len(cells[0])
            parts = [
                f"{statistics.median(c):.2f} %" + ("" if len(c) == most else f" ({len(c)})") if c else "" for c in cells
            ]
            lines.append(f"| {group} | {most} | " + " | ".join(parts) + " |")
    lines.append(
        "\nIn brackets: how many files ran, where not all did." if any(" (" in each for each in lines[2:]) else ""
    )
    for s, pairs in both.items():
        worst, shorter = max(gaps["all", s, "ours"]), sum(mine < his for mine, his in pairs)
        middle, others = (statistics.median(each) for each in zip(*pairs, strict=True))
        lines.append(
            f"\n{s:g} s: of the {len(pairs)} files that both ran, ours is the shorter in {shorter}"
            f" (medians {middle:.2f} and {others:.2f} %); its worst of {len(gaps['all', s, 'ours'])} files is"
            f" {worst:.1f} % above the best known; the aim is a median of {AIMS.get(s, 0):g} %."
        )
    return lines


def _gap(found: dict[str, Any], best: float) -> float:
    """Return the per cent above the best known."""
    return 100 * (float(found["cost"]) / best - 1) if found["feasible"] else float("inf")


def technicians(book: Path) -> list[str]:
    """Return the table of technician routing, by class."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted((DATA / "trsp" / "pillac").glob("*.txt")):
        given = read(file)

        def measure(given: Technicians = given) -> dict[str, Any]:
            result = solve(problem_of(given), Stop(TECHNICIANS_S), seed=1)
            names = ("distance", "technicians", "out", "broken")
            return dict(zip(names, judged(given, dict(result.routes)), strict=True)) | {"cpu_s": result.cpu_s}  # type: ignore[arg-type]

        name = file.name.partition(".")[0].strip()
        entry = kept(book, f"trsp {file.name} {engine()}", measure)
        found.setdefault(name.rstrip("0123456789") + name[-3], []).extend([entry] if entry else [])
    lines = [
        "| class | files | all served | distance | technicians of 25 | requests left out | broken |",
        "|---|---|---|---|---|---|---|",
    ]
    for group, each in sorted(found.items()):
        middle = {name: statistics.median(one[name] for one in each) for name in ("distance", "technicians")}
        lines.append(
            f"| {group} | {len(each)} | {sum(not one['out'] for one in each)} "
            f"| {middle['distance']:.0f} | {middle['technicians']:g} "
            f"| {sum(one['out'] for one in each)} | {sum(one['broken'] for one in each)} |"
        )
    return lines


def main() -> None:
    """Measure what is missing and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[5.0, 30.0])
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--kept", action="store_true")
    asked = parser.parse_args()
    if not SHARED.exists():
        left_out("the folder ../shared is absent")
    book = settings().state_dir / "bench-peers" / "routing.jsonl"
    if asked.anew:
        book.unlink(missing_ok=True)
    warm_up()
    parts = [
        "# Dispatch engine: benchmarks of routing\n",
        f"CPU seconds of one thread; {versions()}, {machine()}. Made by `tests/bench/bench_routing.py`.\n",
        "## Routes with time windows (Gehring & Homberger, 1,000 customers)\n",
        (
            "Median distance above the best known (truncated to a tenth, as the DIMACS challenge has it); "
            "the same search that plans a shift, with capacity, hard windows and return to the depot.\n"
        ),
        "\n".join(windows(asked, book)),
        "\n## Technicians (Pillac, Guéret & Medaglia: 100 requests, 25 technicians)\n",
        TECHNICIANS.format(seconds=TECHNICIANS_S),
        "\n".join(technicians(book)),
    ]
    REPORT.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
