"""Uploaded data sets as sources: statements composed from what the catalogue knows of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import sql

from core.identity import May
from geodata.catalogue_builtin import Source
from geodata.catalogue_model import GEOMETRIES, SET_PREFIX, FieldInfo, Offer, may_leave
from geodata.tables import CatalogueEntry, DataSet

_KINDS = {"integer": "integer", "number": "number", "boolean": "boolean", "date": "day", "datetime": "moment"}
_CASTS = {
    "text": sql.SQL("{}"),
    "integer": sql.SQL("({})::bigint"),
    "number": sql.SQL("({})::float8"),
    "boolean": sql.SQL("({})::boolean"),
    "day": sql.SQL("({})::date"),
    "moment": sql.SQL("({})::timestamptz"),
}
GRID = FieldInfo("unit_grid", "text", "Code of the unit grid it lies in", "所在单元网格编码")
"""Added to every data set with places, where it has no column of that name itself."""


def field_of(told: Mapping[str, Any]) -> FieldInfo:
    """Return a column of a data set as others read it."""
    name = str(told.get("name", ""))
    return FieldInfo(
        name,
        _KINDS.get(str(told.get("type", "text")), "text"),
        str(told.get("title_en") or told.get("heading") or name),
        str(told.get("title_zh") or told.get("heading") or name),
        str(told.get("unit") or ""),
    )


def columns_of(fields: Iterable[Mapping[str, Any]]) -> tuple[FieldInfo, ...]:
    """Return the columns that may leave: what names a person stays, whatever the role of who asks."""
    left_out = {"lon", "lat", "shape", "left out"}
    return tuple(
        field_of(each) for each in fields if may_leave(each.get("role")) and str(each.get("role")) not in left_out
    )


def offer_of(data_set: DataSet, said: CatalogueEntry | None) -> Offer:
    """Return a data set as an offer, in the words of its steward where there are some."""
    fields = columns_of(data_set.fields)
    geometry = data_set.geometry_type or ("Geometry" if data_set.kind == "places" else "")
    geometry = geometry.removeprefix("Multi") if geometry else ""
    if geometry not in GEOMETRIES:
        geometry = "Geometry"
    if geometry and all(each.name != GRID.name for each in fields):
        fields = (*fields, GRID)
    told = {each.kind: each.name for each in reversed(fields)}
    moment = told.get("moment") or told.get("day", "")
    called = data_set.title or data_set.key
    return Offer(
        SET_PREFIX + data_set.key,
        (said and said.title_en) or called,
        (said and said.title_zh) or called,
        (said and said.about_en) or "",
        (said and said.about_zh) or "",
        geometry,
        fields,
        moment=moment,
        capability=May.SEE_MAP,
        sensitivity=data_set.sensitivity,
        licence=(said and said.licence) or "",
        rhythm=said.rhythm if said else "irregular",
        data_set_id=data_set.id,
    )


def key_may_leave(data_set: DataSet) -> bool:
    """Return whether a row's key tells of no person: it is made of its natural key, else of its whole content."""
    made_of = set(data_set.natural_key)
    return all(may_leave(each.get("role")) for each in data_set.fields if not made_of or each.get("name") in made_of)


def source_of(offer: Offer, *, with_key: bool = True) -> Source:
    """Return where the rows of today of a data set come from; without their keys, rows are told by batch and number."""
    columns: dict[str, sql.Composable] = {}
    for each in offer.fields:
        cell = sql.SQL("x.properties ->> {}").format(sql.Literal(each.name))
        columns[each.name] = sql.SQL("g.code") if each is GRID else _CASTS[each.kind].format(cell)
    number = sql.Literal(offer.data_set_id)
    grid = sql.SQL("{} AS x LEFT JOIN unit_grid AS g ON g.id = x.unit_grid_id")
    return Source(
        offer,
        grid.format(sql.SQL("data_set_row")),
        columns,
        sql.SQL("x.row_key" if with_key else "(x.batch_id || '-' || x.row_number)"),
        sql.SQL("x.geom") if offer.geometry else None,
        sql.SQL("x.data_set_id = " + number.as_string() + " AND x.valid_to IS NULL"),
        sql.SQL("x.geom && {shape} AND ST_Intersects(x.geom, {shape})") if offer.geometry else None,
        numbered=False,
        near=sql.SQL(
            "gk_data_set_in(" + number.as_string() + ", {shape}) AS x LEFT JOIN unit_grid AS g ON g.id = x.unit_grid_id"
        )
        if offer.geometry
        else None,
        beside=("unit-grids",) if GRID in offer.fields else (),
    )
