"""Files of a study: places and zones that are read, sites and grounds that are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from planning.service import StudyDetail
from planning.terms import OwnPlace, Place

M_PER_DEGREE = 111_195.0
"""Of latitude, on the sphere of the same volume."""
FORMS = {".gpkg": "GPKG", ".geojson": "GeoJSON"}


def places(option: str, said: Sequence[str] | None) -> tuple[Place, ...]:
    """Return places written as LON,LAT.

    Raises
    ------
    InvalidInput
        When one is no pair of numbers.
    """
    made = []
    for each in said or ():
        parts = each.split(",")
        try:
            lon, lat = (float(part) for part in parts)
        except ValueError as error:
            raise InvalidInput(f"{option} {each!r} is no place.", hint="Write LON,LAT in degrees.") from error
        made.append((lon, lat))
    return tuple(made)


def own_places(path: Path) -> tuple[OwnPlace, ...]:
    """Return the candidates of a file: its points, with cost and capacity where columns are called so.

    Raises
    ------
    InvalidInput
        When there is no file, no point, or a cost or capacity is no number above or at zero.
    """
    from geodata.travel_files import read_points
    from geodata.vector_files import ENDINGS, read_shapes

    if not path.is_file():
        raise InvalidInput(
            f"{path} is neither a number nor a file.", hint="Give how many places are compared, or a file of points."
        )
    points = read_points(path).lonlat
    shapes = read_shapes(path) if path.suffix.lower() in ENDINGS else None
    columns = {} if shapes is None else shapes.columns
    area_m2 = [None] * len(points) if shapes is None else _areas(shapes.geometry, len(points))
    named = {name.strip().lower(): values for name, values in columns.items()}
    cost, room = (_numbers(named.get(name), len(points), path.name, name) for name in ("cost", "capacity"))
    return tuple(
        OwnPlace(float(lon), float(lat), cost[at], room[at], area_m2[at])
        for at, (lon, lat) in enumerate(points.tolist())
    )


def _areas(shapes: NDArray[np.object_], count: int) -> list[float | None]:
    """Return the square metres of each area, to a thousandth; None for points and lines."""
    import shapely

    if len(shapes) != count:
        return [None] * count
    areas: list[float | None] = []
    for shape in shapes:
        if shape.geom_type not in {"Polygon", "MultiPolygon"}:
            areas.append(None)
            continue
        # In degrees the width of a meridian strip shrinks with the cosine; a parcel is small enough for one cosine.
        lat = float(shapely.centroid(shape).y)
        areas.append(float(shapely.area(shape)) * M_PER_DEGREE**2 * float(np.cos(np.radians(lat))))
    return areas


def _numbers(said: list[str] | None, count: int, file: str, name: str) -> list[float | None]:
    if said is None or len(said) != count:
        return [None] * count
    made: list[float | None] = []
    wrong = 0
    for text in said:
        try:
            value = float(text) if text else None
        except ValueError:
            value = -1.0
        wrong += value is not None and not 0 <= value < float("inf")
        made.append(value)
    if wrong:
        raise InvalidInput(f"{file}: {wrong:,} of {count:,} values of {name} are no number at or above zero.")
    return made


def polygons(path: Path) -> tuple[str, ...]:
    """Return the polygons of a file as WKT, EPSG:4326.

    Raises
    ------
    InvalidInput
        When there is no file or it holds anything else.
    """
    import shapely

    from geodata.vector_files import read_shapes

    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    shapes = read_shapes(path).geometry
    other = int((shapely.get_dimensions(shapes) != 2).sum())
    if other:
        raise InvalidInput(f"{path.name}: {other:,} of {len(shapes):,} shapes are no polygons.")
    return tuple(str(each) for each in shapely.to_wkt(shapes, rounding_precision=7))


def checked_out(path: Path) -> Path:
    """Return where to write, before anything is computed.

    Raises
    ------
    InvalidInput
        When the ending is unknown or the folder is not there.
    """
    if path.suffix.lower() not in FORMS:
        raise InvalidInput(f"{path.name} has an unknown ending.", hint=f"Take {' or '.join(FORMS)}.")
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no folder {path.parent}.", hint="Make it first.")
    return path


def write_study(detail: StudyDetail, path: Path) -> None:
    """Write sites and grounds of a study; GeoJSON holds both in one list, GeoPackage a layer of each."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    names = ("number", "people", "within", "mean_s", "farthest_s", "street", "street_zh")
    sites = gpd.GeoDataFrame(
        {"kind": ["site"] * len(detail.sites)}
        | {name: [getattr(each, name) for each in detail.sites] for name in names},
        geometry=[shapely.Point(each.lon, each.lat) for each in detail.sites],
        crs=4326,
    )
    grounds = gpd.GeoDataFrame(
        {
            "kind": [each.kind for each in detail.grounds],
            "number": pd.array([each.site_number for each in detail.grounds], dtype="Int64"),
            "people": [each.people for each in detail.grounds],
        },
        geometry=[each.shape for each in detail.grounds],
        crs=4326,
    )
    part = path.with_name(f".{path.name}.part{path.suffix}")
    part.unlink(missing_ok=True)
    if FORMS[path.suffix.lower()] == "GPKG":
        sites.to_file(part, layer="sites", driver="GPKG")
        grounds.to_file(part, layer="grounds", driver="GPKG")
    else:
        pd.concat([sites, grounds], ignore_index=True).to_file(part, driver="GeoJSON")
    part.replace(path)
