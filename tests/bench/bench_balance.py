"""Responsibility areas: 10,000 cells into 100 against METIS alone; smaller ones against spopt where it is installed.

CPU seconds, medians of five; METIS gets the same weights. spopt runs in an environment of its own, named by
GRIDKEEPER_PEERS_PYTHON (pip install spopt geopandas); without it its rows are left out. Writes
docs/figures/bench_balance.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pymetis
from figures import FIGURES

from grids.balance import Balanced, balance, rebalance
from grids.ground import Ground
from grids.responsibility import components

HERE = Path(__file__).resolve()
REPORT = FIGURES / "bench_balance.md"
ROUNDS = 5
Floats = np.ndarray


def lattice(rows: int, columns: int) -> Ground:
    """A chessboard of hectares."""
    at = np.arange(rows * columns).reshape(rows, columns)
    side = np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], axis=1)
    above = np.stack([at[:-1].ravel(), at[1:].ravel()], axis=1)
    pairs = np.concatenate([side, above])
    row, column = np.divmod(np.arange(rows * columns), columns)
    return Ground(pairs, np.full(len(pairs), 100.0), np.stack([column * 100.0, row * 100.0], axis=1))


def loads(ground: Ground) -> dict[str, Floats]:
    """Loads as cities have them: all the same, scattered, and a centre that weighs most."""
    rng = np.random.default_rng(1)
    count = len(ground.place)
    middle = ground.place.mean(axis=0)
    away = ((ground.place - middle) ** 2).sum(axis=1) / (np.ptp(ground.place[:, 0]) ** 2)
    return {
        "equal": np.ones(count),
        "scattered (gamma, shape 2)": rng.gamma(2, 1, count),
        "a heavy centre": np.exp(-30 * away) * 5 + 0.2 + 0.2 * rng.random(count),
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the median CPU seconds, and the last result."""
    spent, result = [], None
    for _ in range(ROUNDS):
        began = time.process_time()
        result = work()
        spent.append(time.process_time() - began)
    return statistics.median(spent), result


def metis(ground: Ground, load: Floats, k: int) -> np.ndarray:
    """METIS alone, contiguous."""
    offsets, adjacent, border = ground.rows()
    weights = np.maximum(np.round(load / load.sum() * (1 << 26)), 1).astype(np.int64)
    lengths = np.round(border).astype(np.int64)
    graph = pymetis.CSRAdjacency(offsets, adjacent)
    _, member = pymetis.part_graph(
        k, graph, vweights=weights, eweights=lengths, options=pymetis.Options(contig=1, seed=0)
    )
    return np.asarray(member)


def judged(ground: Ground, load: Floats, area: np.ndarray) -> tuple[float, float, int]:
    """Return max/mean, cut in metres, and areas in several pieces."""
    k = int(area.max()) + 1
    apart = area[ground.pairs[:, 0]] != area[ground.pairs[:, 1]]
    parts = components(len(area), ground.pairs[~apart])
    pieces = np.unique(np.stack([area, parts]), axis=1)[0]
    sums = np.bincount(area, weights=load, minlength=k)
    torn = int((np.bincount(pieces, minlength=k) > 1).sum())
    return float(sums.max() / sums.mean()), float(ground.border_m[apart].sum()), torn


def spopt(method: str, ground: Ground, load: Floats, k: int) -> dict[str, Any] | None:
    """Return what spopt answers in a minute; None where it is not installed or does not."""
    python = os.environ.get("GRIDKEEPER_PEERS_PYTHON", "")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.npz"
        np.savez(path, place=ground.place, pairs=ground.pairs, load=load)
        command = [python, "-W", "ignore", str(HERE.with_name("peer_areas.py")), method, str(path), str(k)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return None
    if done.returncode:
        sys.stderr.write(done.stderr[-500:])
        return None
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def main() -> None:
    """Measure, print and write the report."""
    lines = [
        "# Responsibility areas: even, contiguous, short borders",
        "",
        (
            f"CPU seconds, medians of {ROUNDS}, on {os.cpu_count()} × {platform.processor() or platform.machine()};"
            f" Python {platform.python_version()}, numpy {np.__version__}, pymetis {version('pymetis')}."
            " Made by `tests/bench/bench_balance.py`."
        ),
        "",
        (
            "10,000 cells into 100 areas; the cut is the border between areas, by that of METIS alone (contiguous, its"
            " own tolerance). The goal is max/mean ≤ 1.015 at a cut ≤ 1.10, in less than 0.5 s, no area torn."
        ),
        "",
        "| load | by | max / mean | cut / METIS | torn | seconds |",
        "|---|---|---|---|---|---|",
    ]
    ground = lattice(100, 100)
    for name, load in loads(ground).items():
        seconds, area = timed(lambda load=load: metis(ground, load, 100))
        even, cut, torn = judged(ground, load, area)
        lines.append(f"| {name} | METIS alone | {even:.3f} | 1.00 | {torn} | {seconds:.3f} |")
        for way, use in (("METIS and exchange", True), ("halving and exchange, no METIS", False)):
            balance(ground, load, 100, metis=use)
            seconds, found = timed(lambda load=load, use=use: balance(ground, load, 100, metis=use))
            lines.append(_row(name, way, found, cut, seconds))
    lines += ["", "Evening out today's areas after the load of a tenth of the city grew by 30 %:", ""]
    lines += [
        "| change cost | max / mean before | after | cells that change their area | seconds |",
        "|---|---|---|---|---|",
    ]
    load = loads(ground)["scattered (gamma, shape 2)"]
    today = balance(ground, load, 100).area
    grown = load.copy()
    grown[:1_000] *= 1.3
    before = judged(ground, grown, today)[0]
    for cost in (0.0, 1.0, 5.0):
        seconds, found = timed(lambda cost=cost: rebalance(ground, grown, today, change_cost=cost))
        lines.append(f"| {cost:g} | {before:.3f} | {found.max_over_mean:.3f} | {found.changed:,} | {seconds:.3f} |")
    lines += _against_spopt()
    REPORT.write_text("\n".join(lines) + "\n")
    sys.stdout.write("\n".join(lines) + "\n")


def _row(name: str, way: str, found: Balanced, cut: float, seconds: float) -> str:
    return (
        f"| {name} | {way} | {found.max_over_mean:.3f} | {found.cut_m / cut:.2f} | {found.non_contiguous} |"
        f" {seconds:.3f} |"
    )


def _against_spopt() -> list[str]:
    rows = []
    for size, k in ((10, 5), (20, 10)):
        ground = lattice(size, size)
        load = np.random.default_rng(2).gamma(2, 1, size * size)
        balance(ground, load, k)
        seconds, ours = timed(lambda ground=ground, load=load, k=k: balance(ground, load, k))
        rows.append(
            f"| {size * size} into {k} | ours | {k} | {ours.max_over_mean:.3f} | {ours.cut_m / 1e3:.1f} |"
            f" {ours.non_contiguous} | {seconds:.3f} |"
        )
        for method in ("skater", "maxp"):
            answer = spopt(method, ground, load, k)
            if answer is None:
                continue
            _, area = np.unique(np.array(answer["labels"]), return_inverse=True)
            even, cut, torn = judged(ground, load, area)
            title = f"spopt {answer['version']} {method}"
            rows.append(
                f"| {size * size} into {k} | {title} | {int(area.max()) + 1} | {even:.3f} | {cut / 1e3:.1f} | {torn} |"
                f" {answer['seconds']:.2f} |"
            )
    if not any("spopt" in row for row in rows):
        return []
    return [
        "",
        (
            "Against spopt, which pursues likeness (Skater) or as many areas as reach a floor (MaxP, floor 90 % of the"
            " mean) and not even loads: at the sizes where it answers within a minute."
        ),
        "",
        "| cells | by | areas | max / mean | cut, km | torn | seconds |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]


if __name__ == "__main__":
    main()
