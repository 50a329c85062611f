"""The gazetteer of a territory: named roads by community, known house numbers, facilities, communities, settlements."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geodata.crs import project
from geodata.gazetteer import Entry, Gazetteer
from geodata.linking import keys_of, readings_of
from geodata.tables import Area, DataBatch, DataSet, DataSetRow, Facility, Load, PlaceName, Road
from geodata.territory import TerritoryInfo

KEPT: Final = 3
ADDRESSES: Final = "addresses"
"""Key of the data set whose rows are known house numbers: an address (or street and number) and a place."""
_GAP_M: Final = 250.0
"""Stretches of one name in one community that lie farther apart are two roads."""
_STREET: Final = (
    "street",
    "addrstreet",
    "road",
    "streetname",
    "路名",
    "街道名称",
    "道路名称",
    "道路",
    "logradouro",
    "calle",
)
_NUMBER: Final = ("housenumber", "addrhousenumber", "number", "门牌号", "门牌", "numero", "no")
_ADDRESS: Final = ("address", "地址", "详细地址", "endereco", "direccion")
_DIGITS: Final = 9
"""A longer number is none of a house."""
_Key = tuple[str, int]

_kept: OrderedDict[_Key, tuple[tuple[int, int], Gazetteer]] = OrderedDict()
_lock = threading.Lock()


def gazetteer_of(session: Session, territory: TerritoryInfo) -> Gazetteer:
    """Return the gazetteer of a territory; made once for each load of data, and for each batch of addresses."""
    database = session.get_bind().engine.url.render_as_string(hide_password=True)
    key = (database, territory.id)
    newest = session.scalars(select(func.coalesce(func.max(Load.id), 0)).where(Load.territory_id == territory.id)).one()
    batch = session.scalars(
        select(func.coalesce(func.max(DataBatch.id), 0))
        .join(DataSet, DataSet.id == DataBatch.data_set_id)
        .where(DataSet.territory_id == territory.id, DataSet.key == ADDRESSES, DataBatch.status == "loaded")
    ).one()
    roads = session.scalars(select(func.count()).select_from(Road).where(Road.territory_id == territory.id)).one()
    version = (int(newest) * 1_000_003 + int(roads), int(batch))
    with _lock:
        kept = _kept.get(key)
    if kept is None or kept[0] != version:
        kept = (version, Gazetteer(list(_entries(session, territory))))
    with _lock:
        _kept[key] = kept
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return kept[1]


def _entries(session: Session, territory: TerritoryInfo) -> Iterator[Entry]:
    areas = session.execute(
        select(Area.name, Area.name_zh, func.ST_AsBinary(Area.boundary))
        .where(Area.territory_id == territory.id, Area.level == "community")
        .order_by(Area.id)
    ).all()
    names = [(row[0] or "", row[1] or "") for row in areas]
    shapes = _metric([row[2] for row in areas], territory)
    tree = shapely.STRtree(shapes)
    for (name, name_zh), shape in zip(names, shapes, strict=True):
        inner = shapely.point_on_surface(shape)
        yield Entry("community", name, name_zh, name, name_zh, inner.x, inner.y, _reach(shape, inner))
    for table, kind in ((PlaceName, "settlement"), (Facility, "facility")):
        rows = session.execute(
            select(table.name, table.name_zh, func.ST_AsBinary(table.geom))
            .where(table.territory_id == territory.id, func.coalesce(table.name, table.name_zh).is_not(None))
            .order_by(table.id)
        ).all()
        points = _metric([row[2] for row in rows], territory)
        for row, point, area in zip(rows, points, _inside(tree, points), strict=True):
            near, near_zh = names[area] if area >= 0 else ("", "")
            reach = 1_000.0 if kind == "settlement" else 40.0
            yield Entry(kind, row[0] or "", row[1] or "", near, near_zh, point.x, point.y, reach)
    yield from _roads(session, territory, tree, names)


def _roads(
    session: Session, territory: TerritoryInfo, tree: shapely.STRtree, names: list[tuple[str, str]]
) -> Iterator[Entry]:
    rows = session.execute(
        select(Road.name, Road.name_zh, func.ST_AsBinary(Road.geom))
        .where(Road.territory_id == territory.id, func.coalesce(Road.name, Road.name_zh).is_not(None))
        .order_by(Road.id)
    ).all()
    lines = _metric([row[2] for row in rows], territory)
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    named: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for place, (row, area) in enumerate(zip(rows, _inside(tree, middles), strict=True)):
        named[row[0] or "", row[1] or "", area].append(place)
    numbers = _numbers(session, territory)
    for (name, name_zh, area), places in named.items():
        at, at_zh = names[area] if area >= 0 else ("", "")
        known = [each for key in (*keys_of(name), *keys_of(name_zh)) for each in numbers.get((key.stem, key.kind), ())]
        for some in _clusters(lines[places]):
            shape = shapely.union_all(some)
            middle = shapely.get_point(shapely.shortest_line(shape, shapely.centroid(shape)), 0)
            near = {number: at for number, at in known if shapely.distance(shape, shapely.Point(at)) <= _GAP_M / 2}
            yield Entry("road", name, name_zh, at, at_zh, middle.x, middle.y, _reach(shape, middle), shape, near)


def _numbers(
    session: Session, territory: TerritoryInfo
) -> Mapping[tuple[str, str], list[tuple[str, tuple[float, float]]]]:
    """Return known house numbers by the key of their street."""
    rows = session.execute(
        select(DataSetRow.properties, func.ST_AsBinary(func.ST_PointOnSurface(DataSetRow.geom)))
        .join(DataSet, DataSet.id == DataSetRow.data_set_id)
        .where(
            DataSet.territory_id == territory.id, DataSet.key == ADDRESSES, DataSetRow.valid_to.is_(None),
            DataSetRow.geom.is_not(None),
        )
        .order_by(DataSetRow.row_key)
    ).all()  # fmt: skip
    made: dict[tuple[str, str], list[tuple[str, tuple[float, float]]]] = defaultdict(list)
    points = _metric([row[1] for row in rows], territory)
    for (properties, _), point in zip(rows, points, strict=True):
        street, number = _street_and_number(properties)
        for key in keys_of(street) if number else ():
            made[key.stem, key.kind].append((number, (point.x, point.y)))
    return made


def _street_and_number(properties: Mapping[str, Any]) -> tuple[str, str]:
    from geodata.exchange import plain

    said = {plain(name): str(value) for name, value in properties.items() if value not in {None, ""}}
    street = next((said[each] for each in _STREET if each in said), "")
    number = next((said[each] for each in _NUMBER if each in said), "")
    if street and number:
        digits = "".join(each for each in number.partition("-")[0] if each.isdecimal())
        return street, str(int(digits)) if 0 < len(digits) <= _DIGITS else ""
    whole = next((said[each] for each in _ADDRESS if each in said), "")
    found = next((each for each in readings_of(whole) if each.number), None)
    return (found.name, found.number) if found else ("", "")


def _metric(raw: list[Any], territory: TerritoryInfo) -> NDArray[np.object_]:
    if not raw:
        return np.empty(0, dtype=object)
    return np.asarray(
        project(shapely.from_wkb(np.array([bytes(each) for each in raw], dtype=object)), territory.metric_srid)
    )


def _inside(tree: shapely.STRtree, points: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return in which area each point lies, -1 for none."""
    made = np.full(len(points), -1, dtype=np.int64)
    if len(points) and len(tree.geometries):
        at, area = tree.query(points, predicate="intersects")
        made[at[::-1]] = area[::-1]
    return made


def _clusters(lines: NDArray[np.object_]) -> list[NDArray[np.object_]]:
    """Return lines in groups that hang together."""
    if len(lines) == 1:
        return [lines]
    west, south, east, north = shapely.total_bounds(lines)
    if max(east - west, north - south) <= _GAP_M:
        return [lines]
    one, other = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=_GAP_M)
    group = np.arange(len(lines))
    while True:
        least = group.copy()
        np.minimum.at(least, one, group[other])
        if (least == group).all():
            break
        group = least
    return [lines[group == each] for each in np.unique(group)]


def _reach(shape: Any, point: Any) -> float:
    xy = shapely.get_coordinates(shape)
    return float(np.hypot(xy[:, 0] - point.x, xy[:, 1] - point.y).max()) if len(xy) else 0.0
