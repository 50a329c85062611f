"""Dispatch engine against PyVRP, VROOM and OR-Tools on the fixed instances, judged by their own evaluator.

CPU seconds of one thread, for us and for the peers. Peers run in an environment of their own, made from
peers_dispatch.lock in the state folder. Writes docs/figures/bench_dispatch.md.

python bench_dispatch.py [--seconds 1 5 30] [--seeds 1 2 3] [--anew | --kept] [--peers pyvrp ortools vroom]

--kept writes the table of what earlier runs measured, and measures nothing of it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import itertools
import json
import math
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from figures import FIGURES, left_out, peers_python

from core.settings import settings
from dispatch.filing import open_filing
from dispatch.plan import solve, warm_up
from dispatch.plan_model import Problem, Result, Stop, Task, Weights, Worker

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared"
REPORT = FIGURES / "bench_dispatch.md"
PICTURE = REPORT.with_suffix(".svg")
DISPATCH = HERE.parents[1] / "dispatch"
SIZES = (100, 200)
SERVED = 500
"""A library that leaves so many of the 1,000 tasks out has no plan yet."""
ACCEPTED, ONWARD_S, SEARCHES = 2, 0.45, (1, 2, 3)
"""So many tasks of each worker are accepted, the others only sent; the seconds of a re-plan, and the seeds of its
search: of the plans they find the middle one is told, since one search alone strays by a per cent."""
COLOURS = ("#0b5fa5", "#b3541e", "#5a7d2a", "#7a4a9e")


FIFTY = """The aims: under 0.5 s, at most 1 % of accepted work moved, travel at most 3 % above a free re-plan.
Giving accepted work to another costs {change:g} s; work that was only sent, {sent:g} s. Each day is asked twice: all of
the running plan is accepted; and the next {accepted} of each worker are, the others sent. Beside it a plan from
nothing, and a re-plan in which changes are free, in the same half second from the same plan. Of three searches with
other random numbers each the middle one by travel; moves and seconds are the most of the three.
"""


def shared_module() -> Any:
    """Return the shared instances and their judge."""
    spec = importlib.util.spec_from_file_location("instances", SHARED / "benchmarks" / "dispatch_instances.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def problem_of(
    p: dict[str, Any],
    tasks: int | None = None,
    accepted: dict[int, int] | None = None,
    sent: dict[int, int] | None = None,
) -> Problem:
    """Return an instance (its first ``tasks`` tasks) as a problem.

    ``accepted`` names who has accepted what, ``sent`` who was sent and has not answered.
    """
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
            sent_to=(sent or {}).get(j),
        )
        for j in range(count)
    ]
    crew = [
        Worker(w, end_s=float(p["shift"]), skills=frozenset(str(s) for s in np.flatnonzero(p["worker_skills"][w])))
        for w in range(workers)
    ]
    return Problem(work, crew, p["T"][: workers + count, : workers + count].astype(np.float32))


def peer(python: Path, library: str, p: dict[str, Any], limit: float) -> dict[str, Any]:
    """Return what a library answers."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "p.npz", **p)
        command = [python, HERE / "peer_dispatch.py", library, Path(folder) / "p.npz", str(limit)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=alone())
    return dict(json.loads(done.stdout.splitlines()[-1]))


def kept(path: Path, key: str, measure: Callable[[], dict[str, Any]], *, new: bool = True) -> dict[str, Any] | None:
    """Return what was measured under a key, now or in an earlier run; None when it was not and nothing ``new`` is."""
    for line in path.read_text().splitlines() if path.exists() else []:
        entry = json.loads(line)
        if entry["key"] == key:
            return dict(entry)
    if not new:
        return None
    entry = {"key": key} | measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(entry) + "\n")
    print(entry, flush=True)  # noqa: T201
    return entry


def engine() -> str:
    """Return what tells one state of the search from another; what an older one found is measured anew."""
    sources = [DISPATCH / f"plan_{name}.py" for name in ("kernels", "moves", "search")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def judged(judge: Any, p: dict[str, Any], routes: dict[Any, Any], cpu_s: float) -> dict[str, Any]:
    """Return what the one judge of all says; integers and hours."""
    told = judge.evaluate(p, {int(w): list(route) for w, route in routes.items()}) if routes else {}
    names = ("travel_h", "unserved", "violations")
    return {name: told.get(name) for name in names} | {"cpu_s": cpu_s}


def shown(found: list[dict[str, Any]]) -> str:
    """Return the median of the travel hours, with the most that is left out or broken in a run."""
    if not found:
        return "not run"
    plans = [each for each in found if each["travel_h"] is not None and each["unserved"] < SERVED]
    if len(plans) < len(found):
        return "no plan yet"
    worst = [
        (max(each[name] for each in plans), word) for name, word in (("unserved", "out"), ("violations", "broken"))
    ]
    more = [f"up to {count} {word}" for count, word in worst if count]
    return f"{statistics.median(each['travel_h'] for each in plans):.1f}" + (f" ({', '.join(more)})" if more else "")


def against_peers(  # noqa: C901  (sizes, seeds, libraries, limits)
    asked: argparse.Namespace, judge: Any, book: Path
) -> tuple[list[str], dict[str, list[tuple[float, float]]]]:
    """Return the table of travel hours, medians over the seeds, and the points of the picture, of the first seed."""
    python = peers_python("dispatch", settings().state_dir) if asked.peers and not asked.kept else Path()
    found: dict[tuple[int, str, float], list[dict[str, Any]]] = {}
    for size in SIZES:
        for seed in asked.seeds:
            p = judge.static(seed, 1000, size)

            def ours(seconds: float, p: dict[str, Any] = p) -> dict[str, Any]:
                result = solve(problem_of(p), Stop(seconds), seed=1)
                return judged(judge, p, dict(result.routes), result.cpu_s)

            def theirs(name: str, limit: float, p: dict[str, Any] = p) -> dict[str, Any]:
                answer = peer(python, name, p, limit)
                return judged(judge, p, answer["routes"], answer["cpu_s"])

            for seconds in asked.seconds:
                key = f"{size} {seed} ours {seconds:g} {engine()}"
                entry = kept(book, key, lambda s=seconds: ours(s), new=not asked.kept)  # type: ignore[misc]
                found.setdefault((size, "ours", seconds), []).extend([entry] if entry else [])
            for name, limit in itertools.product(asked.peers, asked.seconds):
                key = f"{size} {seed} {name} {limit:g}"
                entry = kept(book, key, lambda n=name, b=limit: theirs(n, b), new=not asked.kept)  # type: ignore[misc]
                found.setdefault((size, name, limit), []).extend([entry] if entry else [])
    names = {"ours": "ours", "pyvrp": "PyVRP", "ortools": "OR-Tools", "vroom": "VROOM"}
    others = [name for name in names if name in ("ours", *asked.peers)]
    lines = ["| tasks × workers | CPU s |" + "".join(f" {names[name]} |" for name in others)]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    points: dict[str, list[tuple[float, float]]] = {}
    for size in SIZES:
        for seconds in asked.seconds:
            runs = [found[size, name, seconds] for name in others]
            few = [f", {len(each)} of {len(asked.seeds)}" if 0 < len(each) < len(asked.seeds) else "" for each in runs]
            cells = [f"{shown(each)}{part}" for each, part in zip(runs, few, strict=True)]
            lines.append(f"| 1000 × {size} | {seconds:g} | " + " | ".join(cells) + " |")
    lines.append("")
    for (size, name, _), each in found.items():
        if size == SIZES[0] and shown(each)[:1].isdigit():
            points.setdefault(names[name], []).append((each[0]["cpu_s"], each[0]["travel_h"]))
    return lines, points


def fifty_more(judge: Any) -> list[str]:
    """Return the table of 50 tasks that come onto a running plan of 950, by what of it was accepted."""
    lines = [
        "| seed | of the 950 accepted, sent | CPU s | moved of them | travel h | at 5 s from nothing | free, as long |",
        "|---|---|---|---|---|---|---|",
    ]
    for seed in (1, 2, 3):
        p = judge.static(seed, 1000, 100)
        running = solve(problem_of(p, 950), Stop(5.0), seed=1)
        has = {int(j): int(w) for w, route in running.routes.items() for j in route}
        first = {int(j): int(w) for w, route in running.routes.items() for j in route[:ACCEPTED]}
        fresh = solve(problem_of(p), Stop(5.0), seed=1)
        loose = _middle([solve(problem_of(p), Stop(ONWARD_S), seed=s, initial=running.routes) for s in SEARCHES])
        for accepted in (has, first):
            problem = problem_of(p, accepted=accepted, sent={j: w for j, w in has.items() if j not in accepted})
            tries = [solve(problem, Stop(ONWARD_S), seed=s, initial=running.routes) for s in SEARCHES]
            onward = _middle(tries)
            told = judge.evaluate(p, {int(w): list(route) for w, route in onward.routes.items()})
            moved = [max(_moved(each, known) for each in tries) for known in (accepted, has)]
            share = f"{moved[0]} ({100 * moved[0] / len(accepted):.1f} %), {moved[1] - moved[0]}"
            away = f"{told['travel_h']:.1f}"
            if told["unserved"] or told["violations"]:
                away += f", {told['unserved']} out, {told['violations']} broken"
            others = [
                f"{each.travel_s / 3600:.1f} ({100 * (onward.travel_s / each.travel_s - 1):+.1f} %)"
                for each in (fresh, loose)
            ]
            spent = max(each.cpu_s for each in tries)
            cells = [f"{seed}", f"{len(accepted)}, {len(has) - len(accepted)}", f"{spent:.2f}", share, away]
            lines.append("| " + " | ".join([*cells, *others]) + " |")
            print(lines[-1], flush=True)  # noqa: T201
    return lines


def _middle(found: list[Result]) -> Result:
    """Return the plan in the middle, by travel."""
    return sorted(found, key=lambda each: each.travel_s)[len(found) // 2]


def _moved(found: Result, known: dict[int, int]) -> int:
    """Return how many tasks are with another worker than before."""
    now = {int(j): int(w) for w, route in found.routes.items() for j in route}
    return sum(now.get(j) != w for j, w in known.items())


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


def picture(points: dict[str, list[tuple[float, float]]]) -> str:
    """Return hours of travel over CPU seconds (a scale of tenfolds) as SVG."""
    wide, high, left, top = 720, 380, 60, 34
    every = [point for line in points.values() for point in line]
    low, most = min(h for _, h in every) // 5 * 5, max(h for _, h in every) // 5 * 5 + 5
    first, last = min(0.5, *(s for s, _ in every)), max(40.0, *(s for s, _ in every))

    def at(seconds: float, hours: float) -> tuple[float, float]:
        along = math.log(seconds / first) / math.log(last / first)
        return left + along * (wide - left - 110), top + (most - hours) / (most - low) * (high - top - 50)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="13">'
    ]
    parts.append(f'<rect width="{wide}" height="{high}" fill="#fff"/><text x="{left}" y="18" fill="#333">')
    parts.append("Hours of travel, 1,000 tasks, 100 workers; the shift of the first seed</text>")
    for hours in range(int(low), int(most) + 1, 5):
        y = at(first, hours)[1]
        parts.append(f'<path d="M{left} {y:.1f}H{wide - 110}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{hours}</text>')
    for seconds in (1, 5, 30):
        x = at(seconds, low)[0]
        parts.append(f'<text x="{x:.1f}" y="{high - 26}" text-anchor="middle" fill="#666">{seconds} s</text>')
    parts.append(f'<text x="{left}" y="{high - 8}" fill="#666">CPU seconds</text>')
    said: list[float] = []
    for (name, line), colour in zip(points.items(), COLOURS, strict=False):
        way = [at(*point) for point in sorted(line)]
        parts.append(
            f'<path d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in way)}" fill="none" stroke="{colour}" '
            'stroke-width="2.5"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in way]
        x, y = way[-1]
        while any(abs(y - each) < 15 for each in said):
            y += 1
        said.append(y)
        parts.append(f'<text x="{x + 9:.1f}" y="{y + 4:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def alone() -> dict[str, str]:
    """Return the environment of a peer: one thread."""
    return os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def versions() -> str:
    """Return versions of what we run on."""
    return f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy"))


def machine() -> str:
    """Return what it ran on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = f"{len(names)} × {names[0].partition(':')[2].strip()}" if names else platform.machine()
    return f"{name} under a load of {os.getloadavg()[1]:.0f}"


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 5.0, 30.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--peers", nargs="*", default=["pyvrp", "ortools", "vroom"])
    asked = parser.parse_args()
    if not SHARED.exists():
        left_out("the folder ../shared is absent")
    judge, book = shared_module(), settings().state_dir / "bench-peers" / "dispatch.jsonl"
    if asked.anew:
        book.unlink(missing_ok=True)
    warm_up()
    table, points = against_peers(asked, judge, book)
    PICTURE.write_text(picture(points))
    parts = [
        "# Dispatch engine: against the peers\n",
        f"CPU seconds of one thread; {versions()}, {machine()}. Peers as in tests/bench/peers_dispatch.lock.",
        "Made by `tests/bench/bench_dispatch.py`; for time windows see [bench_routing.md](bench_routing.md).\n",
        "## One shift, all workers: hours of travel\n",
        f"Medians over seeds {', '.join(map(str, asked.seeds))} of the fixed instances, by their own judge.\n",
        "![hours of travel over CPU seconds, first seed](bench_dispatch.svg)\n",
        "\n".join(table),
        "\n## 50 more tasks on a running plan of 950\n",
        FIFTY.format(change=Weights().change_s, sent=Weights().sent_s, accepted=ACCEPTED),
        "\n".join(fifty_more(judge)),
        f"\nOne new task weighed against every place in 100 routes: {filing_ms(judge):.2f} ms.\n",
    ]
    REPORT.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
