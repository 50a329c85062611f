"""Access as files: a table by community (CSV), or communities, grids, facilities and the unserved (GeoPackage)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy.orm import Session

from core.identity import Actor
from geodata.territory import TerritoryInfo, communities
from people.table_out import as_csv
from planning import accessing
from planning.access_model import AccessRow

GPKG_TYPE = "application/geopackage+sqlite3"
_DIGITS = 2


def community_rows(session: Session, territory: TerritoryInfo, row: AccessRow) -> list[dict[str, Any]]:
    """Return what the answer says of each community, with its code and names; 0 is outside every community."""
    areas = communities(session, territory.id).set_index("id")
    made = []
    for each in row.facts["communities"]:
        known = each["id"] in areas.index
        made.append(
            {
                "code": areas.at[each["id"], "code"] if known else "",
                "name": areas.at[each["id"], "name"] if known else "",
                "name_zh": (areas.at[each["id"], "name_zh"] or "") if known else "",
                "people": _round(each["people"]),
                "within": _round(each["within"]),
                "beyond": _round(each["beyond"]),
                "unreached": _round(each["unreached"]),
                "share": _round(each["within"] / each["people"], 4),
                "median_s": _round(each["median_s"], 1),
                "p90_s": _round(each["p90_s"], 1),
                "supply_10000": _round(each["supply"], 4),
                **({"within_then": _round(each["within_then"])} if "within_then" in each else {}),
            }
        )
    return made


def csv_of(session: Session, territory: TerritoryInfo, row: AccessRow) -> bytes:
    """Return the table by community as CSV."""
    rows = community_rows(session, territory, row)
    names = list(rows[0]) if rows else ["code", "name", "people"]
    return as_csv({name: ["" if each[name] is None else str(each[name]) for each in rows] for name in names})


def gpkg_of(session: Session, actor: Actor, territory: TerritoryInfo, row: AccessRow) -> bytes:
    """Return communities, grids, facilities and unserved people as one GeoPackage."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "access.gpkg"
        for layer, frame in _layers(session, actor, territory, row):
            frame.to_file(path, layer=layer, driver="GPKG")
        return path.read_bytes()


def write_file(session: Session, actor: Actor, territory: TerritoryInfo, row: AccessRow, out: Path) -> None:
    """Write the file by the ending of its name, beside its place first, so that it is whole or not there."""
    made = csv_of(session, territory, row) if out.suffix.lower() == ".csv" else gpkg_of(session, actor, territory, row)
    part = out.with_name(f"{out.name}.part")
    part.write_bytes(made)
    part.replace(out)


def _layers(
    session: Session, actor: Actor, territory: TerritoryInfo, row: AccessRow
) -> list[tuple[str, gpd.GeoDataFrame]]:
    areas = communities(session, territory.id)
    shapes = dict(zip(areas["code"], areas.geometry, strict=True))
    rows = [each for each in community_rows(session, territory, row) if each["code"]]
    layers = [("communities", _frame(rows, [shapes[each["code"]] for each in rows]))]
    cells = accessing.cells_of_answer(session, actor, row.id)
    found = accessing.grid_shapes(session, actor, territory, cells.grid_id.tolist())
    grids, outlines = [], []
    for at, key in enumerate(cells.grid_id.tolist()):
        if key not in found:
            continue
        code, _, wkb = found[key]
        told = {"code": code, "people": _round(cells.people[at]), "within": _round(cells.within[at])}
        told["mean_s"] = _finite(cells.now_s[at])
        if len(cells.then_s):
            told["mean_then_s"] = _finite(cells.then_s[at])
        if len(cells.supply):
            told["supply_10000"] = _finite(cells.supply[at], 4)
        grids.append(told)
        outlines.append(shapely.from_wkb(wkb))
    layers.append(("grids", _frame(grids, outlines)))
    spots = [
        {"people": people, "way": bool(reached), "lon": lon, "lat": lat}
        for lon, lat, people, reached in row.facts["unserved"]
    ]
    layers.append(("unserved", _frame(spots, [shapely.Point(each["lon"], each["lat"]) for each in spots])))
    there: list[dict[str, Any]] = []
    for kind in row.question.kinds:
        places = accessing.facilities(session, actor, territory, kind)
        there += [{"kind": kind, "places": _finite(places[at, 2]), "lon": place[0], "lat": place[1]}
                  for at, place in enumerate(places)]  # fmt: skip
    layers.append(("facilities", _frame(there, [shapely.Point(each["lon"], each["lat"]) for each in there])))
    return [(name, frame) for name, frame in layers if len(frame)]


def _frame(rows: Sequence[dict[str, Any]], shapes: Sequence[shapely.Geometry]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(list(rows), geometry=list(shapes), crs=4326)


def _round(value: float | None, digits: int = _DIGITS) -> float | None:
    return None if value is None else round(float(value), digits)


def _finite(value: float, digits: int = 1) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
