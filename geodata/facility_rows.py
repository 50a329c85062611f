"""Facilities out of a data set: its rows of today stand on the map as what they serve, and go with their batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata import exchange_store as store
from geodata.exchange import plain
from geodata.osm_facilities import FACILITY_KINDS, facility_kind
from geodata.tables import DataSetRow, Facility
from geodata.territory import TerritoryInfo

KIND_HEADINGS: Final = ("kind", "type", "class", "category", "facilitytype", "类型", "类别", "设施类型", "种类")
NAME_HEADINGS: Final = ("name", "title", "facilityname", "名称", "设施名称", "单位名称", "机构名称")
_PIECE: Final = 5_000


def take_over(session: Session, actor: Actor, territory: TerritoryInfo, key: str) -> dict[str, int]:
    """Let the rows of a data set stand among the facilities; return how many, and how many are of no known kind.

    What stood there of the set before and is no longer in it goes.

    Raises
    ------
    InvalidInput
        When no column says what kind of facility a row is.
    """
    require(actor, May.LOAD_DATA)
    data_set = store.find_data_set(session, territory.id, key)
    if data_set is None:
        raise NotFound(f"There is no data set {key!r}.", zh=f"没有数据集 {key}。")
    names = [str(each["name"]) for each in data_set.fields]
    kind_field = next((each for each in names if plain(each) in KIND_HEADINGS), None)
    if kind_field is None:
        raise InvalidInput(
            f"No column of {key} says what kind of facility a row is.",
            hint=f"Name it {KIND_HEADINGS[0]}; kinds are {', '.join(list(FACILITY_KINDS)[:8])} …",
            zh=f"{key} 中没有说明设施类型的列，请将其命名为“类型”。",
        )
    name_field = next((each for each in names if plain(each) in NAME_HEADINGS), "name")
    source, rows, unknown = f"data:{key}", [], 0
    query = select(
        DataSetRow.row_key, DataSetRow.properties, func.ST_PointOnSurface(DataSetRow.geom).label("geom")
    ).where(DataSetRow.data_set_id == data_set.id, DataSetRow.valid_to.is_(None), DataSetRow.geom.is_not(None))
    for row_key, said, geom in session.execute(query):
        kind = kind_of(str(said.get(kind_field) or ""))
        if kind is None:
            unknown += 1
            continue
        name = said.get(name_field)
        rows.append({
            "territory_id": territory.id, "source": source, "source_ref": row_key, "kind": kind, "name": name,
            "name_zh": said.get("name_zh"), "attributes": _kept(said, kind_field, name_field), "geom": geom,
        })  # fmt: skip
    session.execute(delete(Facility).where(Facility.territory_id == territory.id, Facility.source == source))
    for start in range(0, len(rows), _PIECE):
        session.execute(insert(Facility), rows[start : start + _PIECE])
    return {"facilities": len(rows), "unknown_kind": unknown}


def kind_of(said: str) -> str | None:
    """Return the kind of facility that a cell says: its key, its name in English or Chinese, or a tag of a map."""
    word = said.strip()
    if word in FACILITY_KINDS:
        return word
    if "=" in word:
        tag, _, value = word.partition("=")
        return facility_kind({tag: value})
    flat = plain(word)
    return next(
        (
            key
            for key, each in FACILITY_KINDS.items()
            if flat in {plain(key), plain(each.label_en), plain(each.label_zh)}
        ),
        None,
    )


def _kept(said: Mapping[str, Any], *without: str) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in without and value is not None}
