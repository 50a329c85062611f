"""Files of layers: people at points or areas, candidates, zones; every row that cannot count is told by its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from core.errors import DataQuality, InvalidInput
from core.settings import settings
from geodata.crs import WGS84, project
from geodata.files import Table, read_table
from geodata.quality import as_areas
from planning.layer_model import GROUPS_AT_MOST, PLACES_AT_MOST, LayerData

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

ENDINGS = (".csv", ".csv.gz", ".xlsx", ".geojson", ".json", ".gpkg")
WEIGHTS = ("people", "population", "pop", "weight", "demand", "residents", "total", "人口", "人数", "总人口", "需求")
LONGITUDES = ("lon", "lng", "long", "longitude", "x", "经度")
LATITUDES = ("lat", "latitude", "y", "纬度")
NAMES = ("name", "title", "label", "id", "code", "ref", "名称", "编号")
LINES_SHOWN = 8
PEOPLE_AT_MOST = 1e9
"""Of one row; more live in no place."""
SUMS_APART = 0.01
"""Groups that add up to so much more or less than the people are told of."""


@dataclass(frozen=True)
class Columns:
    """Which columns say what; what is left out is found by its usual names.

    Attributes
    ----------
    weight
        People of each row.
    groups
        People of each group, e.g. of an age.
    srid
        CRS of the two columns of coordinates in a table.
    """

    weight: str | None = None
    groups: tuple[str, ...] = ()
    srid: int = WGS84


def read_layer(path: Path, kind: str, boundary: shapely.Geometry, columns: Columns, *, shown: str) -> LayerData:
    """Return the places of a file.

    Parameters
    ----------
    kind
        ``demand`` needs people; ``candidates`` takes points or areas; ``zones`` areas alone.
    boundary
        Of the territory, EPSG:4326; what lies outside is left out and told of.
    shown
        What the file is called in messages.

    Raises
    ------
    InvalidInput
        When the file cannot be read, has no places, or all lie elsewhere.
    DataQuality
        When a number of people is negative or no number; tells the lines.
    """
    table = read_table(path, most_bytes=settings().planning_upload_max_mib << 20)
    if len(table) > PLACES_AT_MOST:
        raise InvalidInput(f"{shown} has {len(table):,} rows.", hint=f"At most {PLACES_AT_MOST:,}; gather them first.")
    first = 1 if table.geometry is not None else 2
    """Line of the first row: a table has a heading."""
    lines = np.arange(len(table)) + first
    shapes = _shapes(table, columns.srid, shown)
    weight, groups, findings = _people(table, lines, columns, shown) if kind == "demand" else _no_people(len(table))
    names = _column(table, NAMES)
    keep = np.ones(len(table), dtype=bool)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if kind == "zones":
        missing |= shapely.get_dimensions(shapes) != 2
    keep &= ~_told(missing, lines, "has no area" if kind == "zones" else "has no place", "have", findings)
    if kind == "demand":
        keep &= ~_told((weight <= 0) & keep, lines, "has no people", "have", findings)
    outside = keep & ~_inside(shapes, boundary, keep)
    if keep.any() and (outside | ~keep).all():
        west, south, east, north = shapely.total_bounds(shapes[keep])
        there = ", ".join(f"{side:.3f}" for side in shapely.bounds(boundary))
        raise InvalidInput(
            f"All of {shown} lies outside the territory: it runs from {west:.3f}, {south:.3f} to {east:.3f},"
            f" {north:.3f}; the territory runs over {there}.",
            hint="Check the coordinate system; longitude comes first.",
        )
    if outside.any():
        people = f" with {weight[outside].sum():,.0f} people" if kind == "demand" else ""
        findings.append(f"{_lines(lines[outside])}: outside the territory{people}, left out")
    keep &= ~outside
    if not keep.any():
        raise InvalidInput(f"{shown} has no row that can be used.", hint="; ".join(findings[:3]))
    return LayerData(
        shapes[keep],
        ("",) * int(keep.sum()) if names is None else tuple(str(each)[:80] for each in names[keep]),
        weight[keep],
        groups[keep],
        columns.groups if kind == "demand" else (),
        tuple(findings),
        {"form": table.form, "rows": len(table), "left_out": int((~keep).sum())},
    )


def _shapes(table: Table, srid: int, shown: str) -> Shapes:
    """Return the shapes in EPSG:4326; None where a row has none."""
    if table.geometry is not None:
        shapes: Shapes = np.array(table.geometry, dtype=object)
        areas = shapely.get_dimensions(shapes) == 2
        if areas.any():
            shapes[areas] = as_areas(shapes[areas])[0]
        if (shapely.get_dimensions(shapes) == 1).any():
            raise InvalidInput(f"{shown} holds lines.", hint="Give points or areas.")
        return shapes
    across, along = _column(table, LONGITUDES), _column(table, LATITUDES)
    if across is None or along is None:
        raise InvalidInput(
            f"{shown} has no columns of longitude and latitude.",
            hint=f"Call them lon and lat; there are {', '.join(list(table.columns)[:12])}.",
        )
    xy = np.column_stack([_numbers(across), _numbers(along)])
    known = np.isfinite(xy).all(axis=1)
    made = np.full(len(xy), None, dtype=object)
    made[known] = shapely.points(xy[known])
    if srid != WGS84:
        try:
            made[known] = project(made[known], WGS84, srid)
        except CRSError as error:
            raise InvalidInput(
                f"There is no coordinate system EPSG:{srid}.", hint="Look it up; 4326 is longitude and latitude."
            ) from error
    elif known.any() and not ((np.abs(xy[known, 0]) <= 180) & (np.abs(xy[known, 1]) <= 90)).all():
        raise InvalidInput(
            f"The coordinates of {shown} are no longitude and latitude (up to {np.abs(xy[known]).max():,.0f}).",
            hint="Say their EPSG code, or write the file in degrees.",
        )
    return made


def _people(table: Table, lines: NDArray[np.int64], columns: Columns, shown: str) -> tuple[Floats, Floats, list[str]]:
    """Return people of each row and group, and what is to be said."""
    if len(columns.groups) > GROUPS_AT_MOST or len(set(columns.groups)) < len(columns.groups):
        raise InvalidInput(f"{len(columns.groups)} groups.", hint=f"At most {GROUPS_AT_MOST}, each once.")
    for name in (*columns.groups, *((columns.weight,) if columns.weight else ())):
        if name not in table.columns:
            raise InvalidInput(
                f"{shown} has no column {name!r}.", hint=f"There are {', '.join(list(table.columns)[:20])}."
            )
    given = table.columns[columns.weight] if columns.weight else _column(table, WEIGHTS)
    if given is None and not columns.groups:
        raise InvalidInput(
            f"{shown} has no column that says how many people.",
            hint=f"Call it people, or name one of {', '.join(list(table.columns)[:12])}.",
        )
    findings: list[str] = []
    wrong: list[str] = []
    parts = [_counted(table.columns[name], lines, name, wrong, findings) for name in columns.groups]
    groups = np.column_stack(parts) if parts else np.empty((len(lines), 0))
    weight = (
        groups.sum(axis=1) if given is None else _counted(given, lines, columns.weight or "people", wrong, findings)
    )
    if wrong:
        raise DataQuality(
            f"{shown} has numbers of people that cannot be.", wrong, hint="Mend these lines; nothing was kept."
        )
    if parts and given is not None and weight.sum() > 0:
        apart = abs(groups.sum() - weight.sum()) / weight.sum()
        if apart > SUMS_APART:
            findings.append(f"the groups add up to {groups.sum():,.0f} of {weight.sum():,.0f} people")
    return weight, groups, findings


def _counted(
    cells: Sequence[object] | NDArray[np.object_], lines: NDArray[np.int64], name: str, wrong: list[str],
    findings: list[str],
) -> Floats:  # fmt: skip
    """Return numbers of people; an empty cell counts 0 and is told of, what cannot be goes to ``wrong``."""
    texts = np.array([str(cell).strip() for cell in cells], dtype=object)
    values = _numbers(texts)
    empty = texts == ""
    bad = ~empty & ~((values >= 0) & (values <= PEOPLE_AT_MOST))
    wrong += [f"line {line}: {name} is {text!r}" for line, text in zip(lines[bad], texts[bad], strict=True)]
    if empty.any():
        findings.append(f"{_lines(lines[empty])}: {name} is empty, counted as 0")
    return np.where(empty | bad, 0.0, values)


def _no_people(count: int) -> tuple[Floats, Floats, list[str]]:
    return np.zeros(count), np.empty((count, 0)), []


def _inside(shapes: Shapes, boundary: shapely.Geometry, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    shapely.prepare(boundary)
    made = np.zeros(len(shapes), dtype=bool)
    made[rows] = shapely.intersects(boundary, shapes[rows])
    return made


def _told(
    rows: NDArray[np.bool_], lines: NDArray[np.int64], one: str, several: str, findings: list[str]
) -> NDArray[np.bool_]:
    if rows.any():
        what = one if rows.sum() == 1 else one.replace("has", several, 1)
        findings.append(f"{_lines(lines[rows])} {what}, left out")
    return rows


def _lines(lines: NDArray[np.int64]) -> str:
    told = ", ".join(str(line) for line in lines[:LINES_SHOWN])
    more = f" and {len(lines) - LINES_SHOWN:,} more" if len(lines) > LINES_SHOWN else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {told}{more}"


def _numbers(cells: Sequence[object] | NDArray[np.object_]) -> Floats:
    made = np.full(len(cells), np.nan)
    for at, cell in enumerate(cells):
        try:
            made[at] = float(str(cell).strip().replace("\u2212", "-").replace("\u00a0", "").replace(",", ""))
        except ValueError:
            continue
    return made


def _column(table: Table, names: Sequence[str]) -> NDArray[np.object_] | None:
    known = {heading.strip().lower(): heading for heading in table.columns}
    found = next((known[name] for name in names if name in known), None)
    return None if found is None else table.columns[found]
