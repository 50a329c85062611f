"""Dispatch engine against PyVRP, VROOM and OR-Tools on the fixed instances, judged by their own evaluator.

CPU seconds of one thread, for us and for the peers (VROOM cannot be told when to stop: it gets its exploration
levels). Peers run in an environment of their own, made from peers_dispatch.lock in the state folder. Writes
docs/figures/bench_dispatch.md.

python bench_dispatch.py [--seconds 1 5 30] [--seeds 1 2 3] [--routing N] [--peers pyvrp ortools vroom]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core.settings import settings
from dispatch.filing import open_filing
from dispatch.plan import solve, warm_up
from dispatch.plan_model import Problem, Stop, Task, Worker
from dispatch.vrptw import read_vrptw, solve_vrptw

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared"
REPORT = HERE.parents[1] / "docs" / "figures" / "bench_dispatch.md"
SIZES = (100, 200)
LEVELS = (0, 5)
"""Exploration levels of VROOM: the quickest and the most thorough."""


def shared_module() -> Any:
    """Return the shared instances and their judge."""
    spec = importlib.util.spec_from_file_location("instances", SHARED / "benchmarks" / "dispatch_instances.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def problem_of(p: dict[str, Any], tasks: int | None = None, accepted: dict[int, int] | None = None) -> Problem:
    """Return an instance (its first ``tasks`` tasks) as a problem; ``accepted`` names who has accepted what."""
    workers, count = len(p["worker_skills"]), tasks or len(p["skill"])
    work = [
        Task(
            j,
            float(p["service"][j]),
            int(p["priority"][j]),
            float(p["early"][j]),
            float(p["due"][j]),
            skills=frozenset([str(p["skill"][j])]),
            prize_s=float(p["prize"][j]),
            accepted_by=(accepted or {}).get(j),
        )
        for j in range(count)
    ]
    crew = [
        Worker(w, end_s=float(p["shift"]), skills=frozenset(str(s) for s in np.flatnonzero(p["worker_skills"][w])))
        for w in range(workers)
    ]
    return Problem(work, crew, p["T"][: workers + count, : workers + count].astype(np.float32))


def peers_python() -> Path:
    """Return the interpreter of the peers' environment; made where it is missing or of another lock."""
    lock, folder = HERE / "peers_dispatch.lock", settings().state_dir / "bench-peers" / "dispatch"
    python, stamp = folder / "bin" / "python", folder / "lock"
    if not (stamp.is_file() and stamp.read_text() == lock.read_text()):
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", lock], check=True)
        stamp.write_text(lock.read_text())
    return python


def peer(python: Path, library: str, p: dict[str, Any], limit: float) -> dict[str, Any]:
    """Return what a library answers."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "p.npz", **p)
        command = [python, HERE / "peer_dispatch.py", library, Path(folder) / "p.npz", str(limit)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=alone())
    return dict(json.loads(done.stdout.splitlines()[-1]))


def judged(judge: Any, p: dict[str, Any], routes: dict[Any, Any]) -> str:
    """Return travel with what is left out and violated, when anything is."""
    told = judge.evaluate(p, {int(w): list(route) for w, route in routes.items()})
    if told["unserved"] == len(p["skill"]):
        return "no plan yet"
    more = [f"{told[name]} {word}" for name, word in (("unserved", "out"), ("violations", "broken")) if told[name]]
    return f"{told['travel_h']:.1f}" + (f" ({', '.join(more)})" if more else "")


def against_peers(asked: argparse.Namespace, judge: Any) -> list[str]:
    """Return the table of travel hours."""
    python = peers_python() if asked.peers else None
    head = "| instance | CPU s | ours |" + "".join(f" {name} |" for name in asked.peers if name != "vroom")
    if "vroom" in asked.peers:
        head += "".join(f" VROOM, level {level} (CPU s) |" for level in LEVELS)
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for size in SIZES:
        for seed in asked.seeds:
            p = judge.static(seed, 1000, size)
            vroom = []
            if "vroom" in asked.peers:
                found = [peer(python, "vroom", p, level) for level in LEVELS]  # type: ignore[arg-type]
                vroom = [f"{judged(judge, p, each['routes'])} ({each['cpu_s']:.1f})" for each in found]
            for seconds in asked.seconds:
                ours = solve(problem_of(p), Stop(seconds), seed=1)
                cells = [f"1000 × {size}, seed {seed}", f"{seconds:g}", judged(judge, p, dict(ours.routes))]
                others = [name for name in asked.peers if name != "vroom"]
                cells += [judged(judge, p, peer(python, name, p, seconds)["routes"]) for name in others]  # type: ignore[arg-type]
                lines.append("| " + " | ".join([*cells, *vroom]) + " |")
                vroom = ["" for _ in vroom]
                print(lines[-1], flush=True)  # noqa: T201
    return lines


def fifty_more(judge: Any) -> list[str]:
    """Return the table of 50 tasks that come onto a running plan of 950."""
    lines = ["| seed | CPU s | moved | travel h | a free re-plan |", "|---|---|---|---|---|"]
    for seed in (1, 2, 3):
        p = judge.static(seed, 1000, 100)
        running = solve(problem_of(p, 950), Stop(5.0), seed=1)
        accepted = {int(j): int(w) for w, route in running.routes.items() for j in route}
        onward = solve(problem_of(p, accepted=accepted), Stop(0.45), seed=1, initial=running.routes)
        free = solve(problem_of(p), Stop(5.0), seed=1)
        moved = f"{onward.changed} of 950 ({onward.changed / 9.5:.1f} %)"
        more = f"{judged(judge, p, dict(onward.routes))} ({100 * (onward.travel_s / free.travel_s - 1):+.1f} %)"
        lines.append(f"| {seed} | {onward.cpu_s:.2f} | {moved} | {more} | {free.travel_s / 3600:.1f} at 5 s |")
        print(lines[-1], flush=True)  # noqa: T201
    return lines


def filing_ms(judge: Any) -> float:
    """Return the milliseconds that weighing one new task takes on a plan of 950 tasks and 100 workers."""
    p = judge.static(1, 1000, 100)
    problem = problem_of(p, 950)
    filing = open_filing(problem, solve(problem, Stop(rounds=200), seed=1).routes)
    whole, spent = problem_of(p), []
    for j in range(950, 1000):
        began = time.process_time()
        ways = whole.travel_s
        filing.propose(whole.tasks[j], ways[100 + j, :1050], ways[:1050, 100 + j])
        spent.append(time.process_time() - began)
    return statistics.median(spent) * 1000


def routing(asked: argparse.Namespace) -> list[str]:
    """Return the table of gaps to the best known routes with time windows."""
    files = sorted((SHARED / "data" / "benchmarks" / "vrp" / "homberger_1000").glob("*.vrp"))[: asked.routing]
    lines = ["| class | files |" + "".join(f" {s:g} s |" for s in asked.seconds if s > 1)]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    gaps: dict[tuple[str, float], list[float]] = {}
    for file in files:
        instance, best = read_vrptw(file), float(file.with_suffix(".sol").read_text().split()[-1])
        for seconds in (s for s in asked.seconds if s > 1):
            answer = solve_vrptw(instance, Stop(seconds), 1)
            gap = 100 * (answer.cost / best - 1) if answer.feasible else float("inf")
            for name in (file.stem.split("_")[0], "all"):
                gaps.setdefault((name, seconds), []).append(gap)
            print(file.stem, f"{seconds:g} s", f"{gap:.2f} %", flush=True)  # noqa: T201
    for name in sorted({name for name, _ in gaps}):
        cells = [gaps[name, seconds] for seconds in asked.seconds if seconds > 1]
        lines.append(
            f"| {name} | {len(cells[0])} | " + " | ".join(f"{statistics.median(c):.1f} %" for c in cells) + " |"
        )
    return lines


def alone() -> dict[str, str]:
    """Return the environment of a peer: one thread."""
    return os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def versions() -> str:
    """Return versions of what we run on."""
    return f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy"))


def machine() -> str:
    """Return what it ran on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} × {names[0].partition(':')[2].strip()}" if names else platform.machine()


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 5.0, 30.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--routing", type=int, default=30)
    parser.add_argument("--peers", nargs="*", default=["pyvrp", "ortools", "vroom"])
    asked = parser.parse_args()
    if not SHARED.exists():
        sys.exit("the folder ../shared is absent")
    judge = shared_module()
    warm_up()
    versions = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy"))
    parts = [
        "# Dispatch engine: against the peers\n",
        f"CPU seconds of one thread; Python {platform.python_version()}, {versions}, {machine()}.\n",
        "Peers as in tests/bench/peers_dispatch.lock. Made by `make bench`.\n",
        "## One shift, all workers: hours of travel\n",
        "\n".join(against_peers(asked, judge)),
        "\n## 50 more tasks on a running plan of 950\n",
        "\n".join(fifty_more(judge)),
        f"\nOne new task weighed against every place in 100 routes: {filing_ms(judge):.2f} ms.\n",
    ]
    if asked.routing:
        parts += ["## Vehicle routing with time windows (Gehring & Homberger, 1,000 customers)\n"]
        parts += ["Median distance above the best known.\n", "\n".join(routing(asked))]
    REPORT.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
