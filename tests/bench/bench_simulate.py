"""The rolling plan against the rules that look at now alone, on simulated days of the shared instances.

The same days, the same length of work, for every rule; nobody is told how long work takes before it is done, the
plan knows its mean alone. Writes docs/figures/bench_simulate.md and bench_simulate.svg.

python bench_simulate.py [--seeds 1 2 3 4 5] [--peaks 0 0.5] [--rounds 150]
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import statistics
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from figures import FIGURES, left_out

from dispatch.plan import warm_up
from dispatch.plan_model import Weights
from dispatch.simulate import play
from dispatch.simulate_model import MYOPIC, Arrival, Day, Measures, Member, Options, Policy

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared" / "benchmarks" / "dispatch_instances.py"
WORKERS, TASKS, MEAN_S = 60, 800, 4 * 300.0
SHIPPED, SOONER = "rolling plan", "rolling plan, response weighed 0.2"
NAMES = {
    Policy.NEAREST_IDLE.value: "nearest idle",
    Policy.NEAREST_PAIR.value: "nearest pair",
    Policy.FIXED_OWNER.value: "fixed owner",
    Policy.OWNER_OVERFLOW.value: "owner with overflow",
}
ROWS: tuple[tuple[str, Callable[[Measures], float], int], ...] = (
    ("breaches", lambda m: m.breaches, 0),
    ("of these highest priority", lambda m: m.by_priority[0][3], 0),
    ("travel h", lambda m: m.travel_s / 3600, 1),
    ("response mean min", lambda m: m.response_s / 60, 1),
    ("response p90 min", lambda m: m.response_p90_s / 60, 1),
    ("highest priority p90 min", lambda m: m.by_priority[0][1] / 60, 1),
    ("lowest priority mean min", lambda m: m.by_priority[2][0] / 60, 1),
    ("lowest priority p90 min", lambda m: m.by_priority[2][1] / 60, 1),
    ("load CV", lambda m: m.load_cv, 2),
    ("own grid %", lambda m: 100 * m.own_grid, 0),
    ("plan changes", lambda m: m.churn, 0),
)


def instances() -> Any:
    """Return the shared module of instances."""
    spec = importlib.util.spec_from_file_location("instances", SHARED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def day_of(p: dict[str, Any]) -> Day:
    """Return a shared day; its work is drawn from a distribution whose mean alone is told."""
    arrivals = [
        Arrival(
            j,
            WORKERS + j,
            float(p["arrival"][j]),
            float(p["service"][j]),
            MEAN_S,
            int(p["priority"][j]),
            float(p["due"][j]),
            frozenset([str(p["skill"][j])]),
            int(p["owner"][j]),
        )
        for j in range(len(p["arrival"]))
    ]
    members = [
        Member(w, w, skills=frozenset(str(s) for s in np.flatnonzero(p["worker_skills"][w]))) for w in range(WORKERS)
    ]
    return Day(arrivals, members, p["T"].astype(np.float32))


def played(module: Any, peak: float, seeds: list[int], rounds: int) -> dict[str, list[Measures]]:
    """Return the measures of each rule on each day."""
    sooner = Options(rounds=rounds, weights=Weights(response=(0.2, 0.2, 0.2)))
    found: dict[str, list[Measures]] = {}
    for seed in seeds:
        day = day_of(module.day(seed, WORKERS, TASKS, peak=peak))
        runs = [(NAMES[each.value], each, Options()) for each in MYOPIC]
        runs += [(SHIPPED, Policy.ROLLING, Options(rounds=rounds)), (SOONER, Policy.ROLLING, sooner)]
        for name, policy, options in runs:
            outcome = play(day, policy, options)
            found.setdefault(name, []).append(outcome.measures)
            m = outcome.measures
            print(peak, seed, name, m.breaches, f"{m.travel_s / 3600:.1f} h", f"{outcome.cpu_s:.1f} s", flush=True)  # noqa: T201
    return found


def middle(found: list[Measures], of: Callable[[Measures], float]) -> float:
    """Return the median of a measure over the days."""
    return statistics.median(of(each) for each in found)


def table(found: dict[str, list[Measures]]) -> list[str]:
    """Return the medians, a column a rule."""
    lines = ["| median over the days | " + " | ".join(found) + " |", "|---|" + "---:|" * len(found)]
    for name, of, digits in ROWS:
        lines.append(f"| {name} | " + " | ".join(f"{middle(each, of):.{digits}f}" for each in found.values()) + " |")
    return lines


def verdict(found: dict[str, list[Measures]], peak: float) -> tuple[str, bool]:
    """Return what the goals say: against the rule with the fewest breaches, each figure over the seeds."""
    myopic = {name: found[name] for name in NAMES.values()}
    best = min(myopic, key=lambda name: (middle(myopic[name], ROWS[0][1]), middle(myopic[name], ROWS[2][1])))
    least = min(myopic, key=lambda name: middle(myopic[name], ROWS[2][1]))
    late, way = (middle(found[SHIPPED], of) / middle(found[best], of) for of in (ROWS[0][1], ROWS[2][1]))
    ok = late <= 1 / 3 and way <= 1 / 2 if peak == 0 else late < 1 and way < 1
    goal = "at most a third and a half" if peak == 0 else "less of both"
    words = (
        f"The rule with the fewest breaches is {best}: the rolling plan has {late:.2f} of its breaches and {way:.2f} "
        f"of its travel (goal: {goal}; {'met' if ok else 'missed'}). The rule with the least travel is {least}: "
        f"{middle(found[SHIPPED], ROWS[2][1]) / middle(found[least], ROWS[2][1]):.2f} of its travel, "
        f"{middle(found[SHIPPED], ROWS[0][1]) / max(1, middle(found[least], ROWS[0][1])):.2f} of its breaches."
    )
    worse = [
        f"{name} ({middle(found[SHIPPED], of):.{d}f} against {middle(found[best], of):.{d}f})"
        for name, of, d in ROWS[3:9]
        if middle(found[SHIPPED], of) > middle(found[best], of)
    ]
    if worse:
        words += f" Where the plan as shipped loses to {best}: {', '.join(worse)}."
    return words, ok


def picture(all_found: dict[float, dict[str, list[Measures]]]) -> str:
    """Return breaches against travel of each rule and day as SVG; nearer to the corner is better."""
    colours = ["#8E6BAA", "#B86E00", "#5F6B73", "#B3261E", "#0B6B70", "#7DB36A"]
    width, height, left, top = 460, 300, 56, 40
    size = f'width="{2 * (width + 30)}" height="{height + 130}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" fill="#1D2529">',
        '<rect width="100%" height="100%" fill="#F7F7F4"/>',
    ]
    for k, (peak, found) in enumerate(all_found.items()):
        x0 = left + k * (width + 30)
        wide = width - left - 10
        most_way = max(m.travel_s / 3600 for each in found.values() for m in each) * 1.05
        most_late = max(m.breaches for each in found.values() for m in each) * 1.05
        title = "arrivals even" if peak == 0 else "half of the arrivals in two rush hours"
        parts.append(f'<text x="{x0}" y="{top - 16}" font-size="14" font-weight="600">{title}</text>')
        parts.append(f'<path d="M{x0} {top}V{top + height}H{x0 + wide}" fill="none" stroke="#5F6B73"/>')
        parts.append(f'<text x="{x0 + wide}" y="{top + height + 32}" text-anchor="end">hours of travel</text>')
        parts.append(f'<text x="{x0 + 6}" y="{top + 8}">breaches</text>')
        for share in (0.25, 0.5, 0.75, 1.0):
            y, x = top + height * (1 - share), x0 + wide * share
            parts.append(f'<text x="{x0 - 6}" y="{y + 4:.0f}" text-anchor="end">{most_late * share:.0f}</text>')
            parts.append(
                f'<text x="{x:.0f}" y="{top + height + 16}" text-anchor="middle">{most_way * share:.0f}</text>'
            )
        for colour, each in zip(colours, found.values(), strict=True):
            for m in each:
                x = x0 + wide * m.travel_s / 3600 / most_way
                y = top + height * (1 - m.breaches / most_late)
                parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}" fill-opacity="0.75"/>')
    names = list(next(iter(all_found.values())))
    for k, (colour, name) in enumerate(zip(colours, names, strict=True)):
        x, y = left + (k % 3) * 280, top + height + 58 + 20 * (k // 3)
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/><text x="{x + 12}" y="{y}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def machine() -> str:
    """Return what it ran on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} × {names[0].partition(':')[2].strip()}" if names else platform.machine()


def main() -> None:
    """Play the days and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--peaks", type=float, nargs="+", default=[0.0, 0.5])
    parser.add_argument("--rounds", type=int, default=150)
    asked = parser.parse_args()
    if not SHARED.exists():
        left_out("the folder ../shared is absent")
    module = instances()
    warm_up()
    versions = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy"))
    setting = (
        f"`day(seed, {WORKERS}, {TASKS})` of the shared instances, seeds {', '.join(map(str, asked.seeds))}: "
        f"{WORKERS} workers, {TASKS} incidents in 8 hours, due after 20, 60 and 180 min by priority. Nobody knows how "
        f"long work takes before it is done; the plan knows the mean ({MEAN_S / 60:.0f} min). Breach: begun after the "
        "deadline. Who is on the way or at work is never called off. The plan aims 3, 10 and 20 min before the "
        "deadlines and is made anew at most every 20 s. Made by `make bench`.\n"
    )
    parts = [
        "# Simulated days: the rolling plan against rules that look at now alone\n",
        setting,
        f"Python {platform.python_version()}, {versions}, {machine()}; {asked.rounds} rounds a re-plan.\n",
    ]
    all_found: dict[float, dict[str, list[Measures]]] = {}
    for peak in asked.peaks:
        found = all_found[peak] = played(module, peak, asked.seeds, asked.rounds)
        words, _ = verdict(found, peak)
        parts += [f"## Peak {peak:g}\n", words + "\n", "\n".join(table(found)) + "\n"]
    parts.append("![Breaches against travel of each rule and day](bench_simulate.svg)")
    (FIGURES / "bench_simulate.md").write_text("\n".join(parts) + "\n")
    (FIGURES / "bench_simulate.svg").write_text(picture(all_found))


if __name__ == "__main__":
    main()
