"""Blocks of real cities: their quality, the time, against polygonizing alone, momepy and neatnet; two pictures.

Needs ../shared/data. momepy and neatnet run in an environment of their own, named by GRIDKEEPER_PEERS_PYTHON;
without it their rows are left out. Writes docs/figures/bench_blocks.md and, as block_sheets.py does
alone, sheets of the cells of two cities.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from block_cities import CITIES, DATA, blocks, cut, measured
from block_sheets import PICTURES, draw
from figures import FIGURES, SHORT, left_out

from grids.blocks import OFF_LINE_SHARE
from grids.quality import SLIVER_M2

HERE = Path(__file__).resolve()
SHARES = [OFF_LINE_SHARE, 0.25, 0.5]
PEER_S = int(os.environ.get("BENCH_PEER_SECONDS", "600"))


def trade_off(city: str, made: dict[str, Any]) -> list[str]:
    """Return rows of what more border on no line would bring, with paths as lines and as cuts."""
    rows = []
    for along in (True, False):
        for share, cells in zip(SHARES, blocks(made["areas"], made["lines"], SHARES, along_paths=along), strict=True):
            facts = measured(made, cells.geometry.to_numpy())
            rows.append(
                f"| {city} | {share:g} | {'streets and paths' if along else 'streets'} | {len(cells):,} |"
                f" {facts['near_buildings']} | {facts['near_streets']} | {facts['on_line']} | {facts['on_street']} |"
            )
    return rows


def alone(made: dict[str, Any]) -> tuple[float, np.ndarray]:
    """Return CPU seconds and faces of polygonizing streets and outline, nothing else."""
    began = time.process_time()
    lines = shapely.union_all([*made["streets"], shapely.boundary(made["whole"])])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    return time.process_time() - began, faces


def enclosures(made: dict[str, Any], by: str) -> dict[str, Any] | None:
    """Return what a peer makes of the same streets; None where it is not installed or does not answer."""
    python = os.environ.get("GRIDKEEPER_PEERS_PYTHON", "")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / name) for name in ("lines.parquet", "whole.parquet", "out.parquet")]
        crs = made["cells"].crs
        gpd.GeoDataFrame(geometry=made["streets"], crs=crs).to_parquet(names[0])
        gpd.GeoDataFrame(geometry=[made["whole"]], crs=crs).to_parquet(names[1])
        command = [python, "-W", "ignore", str(HERE.with_name("peer_enclosures.py")), by, *names]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PEER_S, check=False)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"{by} gave no answer in {PEER_S} s\n")
            return None
        if done.returncode:
            sys.stderr.write(done.stderr[-800:])
            return None
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        answer["faces"] = gpd.read_parquet(names[2]).geometry.to_numpy()
        return answer


def row(city: str, by: str, made: dict[str, Any], shapes: np.ndarray, seconds: float) -> str:
    """Return one row of the table."""
    area = shapely.area(shapes)
    facts = measured(made, shapes)
    return (
        f"| {city} | {made['count']:,} | {by} | {len(shapes):,} | {np.median(area):,.0f} | {facts['near_buildings']} |"
        f" {facts['near_streets']} | {int((area < SLIVER_M2).sum()):,} | {facts['on_line']} | {facts['on_street']} |"
        f" {facts['torn']} | {seconds:.1f} |"
    )


HEAD = (
    "| city | ways | by | cells | median m² | built-up in range, near buildings | built-up in range, near streets |"
    " below 500 m² | border on a line, paths too | border on a line but paths (strict) | gaps, overlaps, invalid |"
    " seconds |"
)


def report(rows: list[str], swaps: list[str]) -> str:
    """Return the text of the report."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = [
        "# Street blocks of real cities",
        "",
        (
            f"CPU seconds of one run on {os.cpu_count()} × {platform.processor() or platform.machine()};"
            f" Python {platform.python_version()}, shapely {shapely.__version__} (GEOS {shapely.geos_version_string});"
            f" most memory of the whole run {peak:.1f} GiB. Made by `tests/bench/bench_blocks.py`."
        ),
        "",
        (
            "The boundary is the concave hull of the streets. Goals: 80 % of the built-up area in cells of"
            " 2,000–30,000 m², none below 500 m², 90 % of the inner border on a street, railway, river or community"
            " line, no fault. Built-up is what lies within 50 m of a building where these are known, else within"
            " 100 m of a street; both are given. A border along any way of the file counts as on a line; the goal names"
            " streets, so that “border on a line but paths” beside it is the strict figure: it leaves out service"
            " roads, tracks and footways."
        ),
        "",
        HEAD,
        "|---" * 12 + "|",
        *rows,
        "",
        "## What more border on no line would bring",
        "",
        (
            "`--off-line-share` says how much of the inner border may lie on no line; cuts that bring the most built-up"
            " area for their length stay. `--streets-only` counts a border along a path as a cut. Where a city lies"
            " along country roads, land within 100 m of them is built-up by definition, and closing it in cells of 3 ha"
            " needs a line behind it that no street gives: both goals cannot hold there together."
        ),
        "",
        (
            "| city | off line at most | counts as a line | cells | in range, near buildings | in range, near streets |"
            " border on a line | but paths |"
        ),
        "|---" * 8 + "|",
        *swaps,
        "",
        "Sheets with numbers, reasons, coordinates and source, by `python tests/bench/block_sheets.py` alone:",
        "",
        *(f"![{city}]({sheet.file}.jpg)" for city, sheet in PICTURES.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, draw and write the report."""
    rows: list[str] = []
    swaps: list[str] = []
    if not DATA.is_dir():
        left_out("../shared/data/osm is absent")
    for city, name in list(CITIES.items())[: 1 if SHORT else None]:
        if not (DATA / name).exists():
            continue
        made = cut(DATA / name)
        if city in PICTURES:
            draw(city, made, FIGURES / f"{PICTURES[city].file}.jpg")
        rows.append(row(city, "ours", made, made["cells"].geometry.to_numpy(), made["seconds"]))
        seconds, faces = alone(made)
        rows.append(row(city, "polygonize alone", made, faces, seconds))
        for peer in ("momepy", "neatnet"):
            answer = enclosures(made, peer)
            if answer is not None:
                rows.append(row(city, f"{peer} {answer['version']}", made, answer["faces"], answer["seconds"]))
        swaps.extend(trade_off(city, made))
        (FIGURES / "bench_blocks.md").write_text(report(rows, swaps))
    sys.stdout.write(report(rows, swaps))


if __name__ == "__main__":
    main()
