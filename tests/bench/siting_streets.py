"""Of bench_siting.py: sites on the streets of a real city, with travel times; each question in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.crs import WGS84, metric_srid_of, project
from geodata.network import RoadNetwork, Snapped, build_network
from geodata.travel import compile_all, matrix_s
from geodata.travel_files import read_streets
from planning.blocks import solve_by_blocks
from planning.placement import Placement, place
from planning.siting import SitingProblem, Stop, solve
from planning.warming import warm_up

STREETS = Path(__file__).resolve().parents[3] / "shared" / "data" / "osm" / "streets" / "bucaramanga_4617.parquet"
CITY = "Bucaramanga, on foot"
SITES = (5, 20, 50, 100)
COVERED = ((20, 10), (50, 10), (100, 10))
SHARE_LIMIT_S = 90.0
COLOURS = ("#1f6f8b", "#c8553d", "#588157", "#7b2d8b")


class Trail:
    """CPU seconds, best found and bound."""

    def __init__(self) -> None:
        self.began, self.points = time.process_time(), []  # type: ignore[var-annotated]

    def step(self, name: str, total: int | None = None) -> None:
        """Begin."""

    def advance(self, items: int = 1) -> None:
        """Count."""

    def tell(self, found: float, bound: float) -> None:
        """Hear how it stands."""
        self.points.append((round(time.process_time() - self.began, 3), found, bound))

    def enough(self) -> bool:
        """Never."""
        return False


def network() -> RoadNetwork:
    """Return the streets as a network."""
    roads = read_streets(STREETS).roads
    return build_network(roads, "walk", metric_srid_of(*roads["geom"].iloc[0].coords[0]))


def points(city: RoadNetwork, count: int, seed: int) -> Snapped:
    """Return places drawn at random along the streets."""
    rng = np.random.default_rng(seed)
    lines = city.lines[city.targets[rng.integers(0, len(city.targets), count)]]
    places = shapely.line_interpolate_point(lines, rng.random(count), normalized=True)
    return city.snap(shapely.get_coordinates(project(places, WGS84, city.metric_srid)))


def asked(demand: int, candidates: int) -> tuple[Any, NDArray[np.float64]]:
    """Return what gives the times of some candidates (candidates, demand), warm, and the people."""
    compile_all()
    warm_up()
    city = network()
    homes, places = points(city, demand, 1), points(city, candidates, 2)

    def times(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        some = Snapped(places.stretch[rows], places.along[rows], places.access_s[rows])
        return np.ascontiguousarray(matrix_s(city, homes, some).T)

    times(np.arange(40))
    return times, np.rint(np.random.default_rng(3).gamma(2, 20, demand)) + 1.0


def alone(what: str, *numbers: int) -> dict[str, Any]:
    """Return what a process of its own measured."""
    command = [sys.executable, __file__, what, *map(str, numbers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(what, numbers, {k: v for k, v in told.items() if k != "trail"}, file=sys.stderr, flush=True)  # noqa: T201
    return told


def streets() -> dict[str, Any]:
    """Measure the p-median of 10,000 points and 1,000 candidates, the matrix counted."""
    return {"rows": [alone("median", 10_000, 1_000, p) for p in SITES]}


def coverage() -> dict[str, Any]:
    """Measure maximal covering of 10,000 points and 1,000 candidates to its proof."""
    return {"rows": [alone("mclp", 10_000, 1_000, p, minutes) for p, minutes in COVERED]}


def blocks() -> dict[str, Any]:
    """Measure the p-median of 50,000 points and 5,000 candidates."""
    return {"rows": [alone("median", 50_000, 5_000, p) for p in (20, 50, 100)]}


def shares() -> dict[str, Any]:
    """Measure market share of 10,000 points and 1,000 candidates, with nothing there but staying at home."""
    return {"rows": [alone("huff", 10_000, 1_000, p) for p in (5, 20)]}


def _measure(what: str, demand: int, candidates: int, p: int, minutes: int = 0) -> dict[str, Any]:
    times, people = asked(demand, candidates)
    trail = Trail()
    everybody = np.arange(candidates)
    if what == "mclp":
        od_s = times(everybody).T.astype(np.float64)
        trail = Trail()
        found = solve(SitingProblem("mclp", od_s, people, p, 60.0 * minutes), Stop(seconds=300), progress=trail)
    elif what == "huff":
        od_s = times(everybody).T.astype(np.float64)
        trail = Trail()
        found = place(Placement("huff", od_s, people, p), Stop(seconds=SHARE_LIMIT_S), progress=trail)
    else:
        found = solve_by_blocks(times, candidates, people, p, stop=Stop(gap=0.005, seconds=900), progress=trail)
    spent = time.process_time() - trail.began
    return {
        "demand": demand, "candidates": candidates, "p": p, "minutes": minutes, "objective": found.objective,
        "bound": found.bound, "gap": found.gap, "s": spent, "people": float(people.sum()),
        "limit_s": SHARE_LIMIT_S, "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "trail": trail.points[:: max(1, len(trail.points) // 60)],
    }  # fmt: skip


def lines(told: dict[str, Any]) -> list[str]:
    """Return the part of the report."""
    medians = [*told.get("streets", {"rows": []})["rows"], *told.get("blocks", {"rows": []})["rows"]]
    covered = told.get("coverage", {"rows": []})["rows"]
    made = [
        f"## On streets ({CITY})", "",
        ("p-median to a gap of 0.5 %, travel times counted: 10,000 × 1,000 (goal: 3 CPU s for p from 20) and 50,000 ×"
         " 5,000 by blocks (goal: within 16 GiB). Memory is the greatest the process ever had, streets and libraries"
         " among it."), "",
        "| points | candidates | p | mean way, s | bound, s | gap | CPU s | GiB |", "|---" * 8 + "|",
    ]  # fmt: skip
    made += [
        f"| {row['demand']:,} | {row['candidates']:,} | {row['p']} | {row['objective'] / row['people']:,.1f}"
        f" | {row['bound'] / row['people']:,.1f} | {row['gap']:.2%} | {row['s']:.1f} | {row['gib']:.1f} |"
        for row in medians
    ]
    made += [
        told.get("blocks", {}).get("note", ""), "![Gap over CPU seconds](bench_siting.svg)", "",
        "Maximal covering, to its proof, travel times not counted (goal: 40 CPU s):", "",
        "| points | candidates | p | minutes | people reached | of | gap | CPU s |", "|---" * 8 + "|",
    ]  # fmt: skip
    made += [
        f"| {row['demand']:,} | {row['candidates']:,} | {row['p']} | {row['minutes']} | {row['objective']:,.0f}"
        f" | {row['people']:,.0f} | {'proved' if row['gap'] <= 1e-8 else format(row['gap'], '.2%')} | {row['s']:.1f} |"
        for row in covered
    ]
    drawn = told.get("shares", {"rows": []})["rows"]
    made += [
        "", f"Market share (Huff), {SHARE_LIMIT_S:g} s of the clock, travel times not counted (goal: 1 % in 30 CPU s):",
        "", "| points | candidates | p | people drawn | bound | gap | CPU s |", "|---" * 7 + "|",
    ]  # fmt: skip
    made += [
        f"| {row['demand']:,} | {row['candidates']:,} | {row['p']} | {row['objective']:,.0f} | {row['bound']:,.0f}"
        f" | {row['gap']:.2%} | {row['s']:.1f} |"
        for row in drawn
    ]
    return made


def picture(told: dict[str, Any], path: Path) -> None:
    """Draw the gap over CPU seconds of the questions of 10,000 × 1,000."""
    rows = told.get("streets", {"rows": []})["rows"]
    if not rows:
        return
    width, height, left, low = 640, 300, 60, 40
    last = max(row["trail"][-1][0] for row in rows)

    def x(seconds: float) -> float:
        return float(left + (width - left - 110) * seconds / last)

    def y(gap: float) -> float:
        share = (np.log10(min(max(gap, 0.002), 0.5)) - np.log10(0.002)) / (np.log10(0.5) - np.log10(0.002))
        return float(height - low - (height - low - 20) * share)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        '<g font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for gap in (0.005, 0.01, 0.05, 0.1, 0.5):
        parts.append(f'<line x1="{left}" x2="{x(last):.0f}" y1="{y(gap):.1f}" y2="{y(gap):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(gap) + 4:.1f}" text-anchor="end">{gap:.1%}</text>')
    parts += [
        f'<text x="{x(second):.1f}" y="{height - 20}" text-anchor="middle">{second:g}</text>'
        for second in np.arange(0, last, max(0.25, round(last / 8, 1)))
    ]
    parts.append(f'<text x="{width / 2:.0f}" y="{height - 4}" text-anchor="middle">CPU seconds, matrix counted</text>')
    for row, colour in zip(rows, COLOURS, strict=False):
        trail = [(seconds, 1 - bound / found) for seconds, found, bound in row["trail"] if bound > 0]
        line = " ".join(f"{x(seconds):.1f},{y(gap):.1f}" for seconds, gap in trail)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = 34 + 18 * rows.index(row)
        parts.append(f'<text x="{width - 96}" y="{at}" fill="{colour}">p = {row["p"]}</text>')
    path.write_text("\n".join([*parts, "</g></svg>"]) + "\n")


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], *map(int, sys.argv[2:]))))  # noqa: T201
