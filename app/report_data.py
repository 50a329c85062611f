"""A study's data as files that need no platform: GeoPackage, GeoJSON, and a folder of CSV tables; no words, only keys.

Layers: ``sites``, ``existing``, ``demand`` (people gathered at points, with their ways now and then), ``allocation``
(a line from each point to what serves most of its people), ``unserved`` (points with people beyond the limit),
``grounds``, ``communities``, ``grids``; and the table ``metadata`` of keys and values.
"""

from __future__ import annotations

import io
import json
import sqlite3
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from people.duty_files import shielded
from planning.report_model import THERE, AreaRow, at_most
from planning.reporting import Made

CRS = 4326
GEOJSON_LAYERS = ("sites", "allocation", "unserved", "grounds")


def layers(made: Made) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers with a geometry, EPSG:4326."""
    report = made.report
    points = _demand(made)
    names = ("number", "people", "within", "mean_s", "farthest_s", "street", "street_zh", "community_id", "grid_id")
    sites = gpd.GeoDataFrame(
        {name: [getattr(each, name) for each in report.sites] for name in names},
        geometry=[shapely.Point(each.lon, each.lat) for each in report.sites], crs=CRS,
    )  # fmt: skip
    existing = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*made.material.city.existing.T), crs=CRS)
    grounds = gpd.GeoDataFrame(
        {
            "kind": [each.kind for each in report.grounds],
            "number": pd.array([each.site_number for each in report.grounds], dtype="Int64"),
            "people": [each.people for each in report.grounds],
        },
        geometry=[each.shape for each in report.grounds], crs=CRS,
    )  # fmt: skip
    unserved = points[points["people"] - points["within_then"] > 0.05].drop(columns=["within_now"])
    return {
        "sites": sites,
        "existing": existing,
        "demand": points,
        "allocation": _allocation(made, points),
        "unserved": unserved.assign(beyond=unserved["people"] - unserved["within_then"]),
        "grounds": grounds,
    }


def tables(made: Made) -> dict[str, pd.DataFrame]:
    """Return the tables without a geometry."""
    material, numbers = made.material, made.report.numbers
    communities, grids = pd.DataFrame(map(_row, numbers.communities)), pd.DataFrame(map(_row, numbers.grids))
    areas, codes = material.areas, material.grids
    for place, name in enumerate(("code", "name", "name_zh")):
        communities.insert(place + 1, name, [areas[key][place] if key in areas else "" for key in communities["id"]])
    grids.insert(1, "code", [codes[key][0] if key in codes else "" for key in grids["id"]])
    grids.insert(2, "community_id", [codes[key][1] if key in codes else 0 for key in grids["id"]])
    told = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in metadata(made).items()]
    return {"communities": communities, "grids": grids, "metadata": pd.DataFrame(told, columns=["key", "value"])}


def metadata(made: Made) -> dict[str, Any]:
    """Return what is good to know of the data: question, answer, proof, sources, and what the columns mean."""
    report, question = made.report, made.report.study.question
    study = report.study
    return {
        "study": study.id,
        "territory": made.material.territory.name,
        "kind": question.kind,
        "p": question.p,
        "facility_kind": question.facility_kind,
        "mode": question.mode,
        "limit_min": question.limit_min,
        "keep_existing": question.keep_existing,
        "terms": question.terms.as_json(),
        "seed": question.seed,
        "status": study.status,
        "objective": study.objective,
        "bound": study.bound,
        "gap": study.gap,
        "gap_at_most": None if study.gap is None else at_most(study.gap),
        "candidates": study.facts.get("candidates"),
        "drift": report.drift,
        "answered_at": None if study.answered_at is None else study.answered_at.isoformat(),
        "made_at": report.made_at.isoformat(),
        "gridkeeper": version("gridkeeper"),
        "crs": f"EPSG:{CRS}",
        "units": {"_s": "seconds", "people": "residents, estimated", "within": "people within limit_min",
                  "site": "number of the new site, 0 what is there, -1 nobody"},
        "attribution": made.material.territory.attribution or "© OpenStreetMap contributors, ODbL 1.0",
        "sources": [
            {"kind": each.kind, "file": each.name, "sha256": each.sha256, "loaded_at": each.loaded_at.isoformat()}
            for each in report.sources
        ],
    }  # fmt: skip


def gpkg(made: Made) -> bytes:
    """Return all layers and tables as a GeoPackage."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.gpkg"
        for name, frame in layers(made).items():
            frame.to_file(path, layer=name, driver="GPKG")
        with sqlite3.connect(path) as file:
            for name, table in tables(made).items():
                table.to_sql(name, file, index=False)
                file.execute(
                    "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)",
                    (name, name),
                )
        file.close()
        return path.read_bytes()


def geojson(made: Made) -> bytes:
    """Return sites, allocation lines, unserved demand and grounds as one GeoJSON, told apart by ``layer``."""
    found = layers(made)
    parts = []
    for name in GEOJSON_LAYERS:
        frame = found[name]
        frame["geometry"] = shapely.set_precision(frame.geometry.to_numpy(), 1e-6)
        for feature in json.loads(frame.to_json(drop_id=True))["features"]:
            feature["properties"] = {"layer": name} | feature["properties"]
            parts.append(feature)
    whole = {"type": "FeatureCollection", "metadata": metadata(made), "features": parts}
    return json.dumps(whole, ensure_ascii=False).encode()


def csv(made: Made) -> bytes:
    """Return every layer and table as CSV (UTF-8 with mark, for spreadsheets), zipped; points as lon and lat."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, frame in layers(made).items():
            if name in {"grounds", "allocation"}:
                continue
            place = frame.geometry
            table = pd.DataFrame(frame.drop(columns="geometry")).assign(lon=place.x.round(6), lat=place.y.round(6))
            archive.writestr(f"{name}.csv", spreadsheet(table))
        for name, table in tables(made).items():
            archive.writestr(f"{name}.csv", spreadsheet(table))
    return held.getvalue()


def spreadsheet(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in which no text of a street, a community or a file is taken for a formula."""
    safe = table.map(lambda cell: shielded(cell) if isinstance(cell, str) else cell)
    return safe.to_csv(index=False).encode("utf-8-sig")


def _demand(made: Made) -> gpd.GeoDataFrame:
    """Return the gathered points of demand; people and those in time add up to the numbers of the report."""
    homes, demand = made.counted.homes, made.counted.demand
    limit_s = made.report.study.question.limit_s
    lived = homes.point >= 0
    point, people = homes.point[lived], homes.people[lived]
    count = len(demand.at)

    def summed(weight: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.bincount(point, weights=weight, minlength=count)

    columns: dict[str, Any] = {"id": np.arange(1, count + 1), "people": summed(people)}
    for name, times in (("now", homes.now_s[lived]), ("then", homes.then_s[lived])):
        has = np.isfinite(times)
        reached = summed(people * has)
        mean = summed(people * np.where(has, times, 0.0)) / np.where(reached > 0, reached, np.nan)
        columns |= {f"mean_s_{name}": mean, f"within_{name}": summed(people * (times <= limit_s))}
    columns["site"] = _most(point, homes.site[lived], people, count)
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*homes.lonlat[demand.at].T), crs=CRS)


def _most(
    point: np.ndarray[Any, Any], site: np.ndarray[Any, Any], people: np.ndarray[Any, Any], count: int
) -> np.ndarray[Any, Any]:
    """Return for each point the site that serves most of its people."""
    known = np.unique(site)
    shares = np.zeros((count, len(known)))
    np.add.at(shares, (point, np.searchsorted(known, site)), people)
    return np.asarray(known[shares.argmax(axis=1)])


def _allocation(made: Made, points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a straight line from each point of demand to the site, or the nearest facility there, that serves it."""
    sites = {each.number: (each.lon, each.lat) for each in made.report.sites}
    existing = made.material.city.existing
    served = points[(points["site"] > THERE) | ((points["site"] == THERE) & (len(existing) > 0))]
    start = np.column_stack([served.geometry.x, served.geometry.y])
    flat = np.array([np.cos(np.radians(start[:, 1].mean())), 1.0]) if len(start) else np.ones(2)
    goal = np.array([sites.get(each, (np.nan, np.nan)) for each in served["site"]]).reshape(-1, 2)
    there = np.isnan(goal[:, 0])
    if there.any():
        goal[there] = existing[cKDTree(existing * flat).query(start[there] * flat)[1]]
    return gpd.GeoDataFrame(
        {name: served[name].to_numpy() for name in ("id", "site", "people", "mean_s_then")},
        geometry=[shapely.LineString(pair) for pair in np.stack([start, goal], axis=1)], crs=CRS,
    )  # fmt: skip


def _row(row: AreaRow) -> dict[str, Any]:
    return {
        "id": row.key,
        "people": row.then.people,
        "within_now": row.now.within,
        "within_then": row.then.within,
        "left_out": row.left_out,
        "mean_s_now": row.now.mean_s,
        "mean_s_then": row.then.mean_s,
        "unreached": row.then.unreached,
    }
