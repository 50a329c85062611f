"""Use cases of finding the same place in two units' files: compare, look at a pair, decide, count places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, require
from geodata import catalogue, exchange_store, pairing_store
from geodata.catalogue_model import SET_PREFIX
from geodata.crs import project
from geodata.db import system_rights
from geodata.exchange import PLACED_BY, plain
from geodata.exchange_link import ADDRESSES
from geodata.exchange_load import owned
from geodata.same_places import Side, candidates, places_of, telephone
from geodata.tables import DataSet, PlacePair
from geodata.territory import TerritoryInfo

STATES: Final = ("same", "different", "unsure")
MOST_ROWS: Final = 50_000
LONGEST: Final = 500
NAMES: Final = (
    "name", "名称", "机构名称", "单位名称", "设施名称", "学校名称", "医院名称", "场所名称", "title", "facility",
    "facilityname", "nome", "nombre", "nameen", "namezh",
)  # fmt: skip
PHONES: Final = ("phonehash", "电话哈希", "telephone", "phone", "电话", "联系电话")


@dataclass(frozen=True, slots=True)
class SideView:
    """A row of a pair: of which data set, what it is called, its cells, where it lies; gone when none holds today."""

    data_set: str
    title: str
    key: str
    name: str
    said: Mapping[str, Any]
    lon: float | None
    lat: float | None
    gone: bool


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair with its score, what that is made of, and what was decided."""

    id: int
    score: float
    terms: Mapping[str, Any]
    state: str
    reason: str
    decided_label: str
    decided_at: Any
    version: int
    one: SideView
    other: SideView


def compare(session: Session, actor: Actor, territory: TerritoryInfo, one: str, other: str) -> dict[str, int]:
    """Look for rows of two data sets that may be one place; what was decided stays, what is open is scored anew.

    Raises
    ------
    InvalidInput
        When a data set says no names, or lies nowhere.
    NotPermitted
        When the actor may load neither of the two, or may not read one: what others found there would be lost.
    """
    require(actor, May.BRING_DATA)
    if one == other:
        raise InvalidInput("Choose two data sets.", zh="请选择两个不同的数据集。")
    sets = sorted((_held(session, territory.id, key) for key in (one, other)), key=lambda each: each.id)
    if not any(_may_load(actor, each) for each in sets):
        raise NotPermitted(
            "Neither data set is your unit's.", hint="Ask one of their owners.", zh="两个数据集均不属于本单位。"
        )
    if hidden := exchange_store.hidden_sets(session, territory.id, {each.key for each in sets}):
        raise NotPermitted(
            f"You may not read the rows of {hidden[0]}.",
            hint="Ask for them in the catalogue, or let a supervisor compare.",
            zh=f"您无权查看数据集 {hidden[0]} 的行，请在数据目录中申请，或由主管比对。",
        )
    catalogue.note_together(session, actor, [SET_PREFIX + each.key for each in sets], "page")
    return _compare(session, actor, territory, sets[0], sets[1])


def compare_again(session: Session, actor: Actor, territory: TerritoryInfo, data_set_id: int) -> int:
    """Compare a data set that was loaded anew with those it was compared with before; return how many pairs are new."""
    new = 0
    for one_id, other_id in pairing_store.partners(session, data_set_id):
        one, other = session.get(DataSet, one_id), session.get(DataSet, other_id)
        if one is not None and other is not None:
            new += _compare(session, actor, territory, one, other)["new"]
    return new


def list_pairs(
    session: Session, actor: Actor, territory: TerritoryInfo, *, state: str = "open", sets: Sequence[str] = (),
    limit: int = 200,
) -> list[PairView]:  # fmt: skip
    """Return pairs, the likeliest first; of every state when ``state`` is empty."""
    require(actor, May.BRING_DATA)
    ids = [_held(session, territory.id, key).id for key in sets]
    return _views(session, territory, pairing_store.pairs(session, territory.id, state=state, sets=ids, limit=limit))


def one_pair(session: Session, actor: Actor, territory: TerritoryInfo, pair_id: int) -> PairView | None:
    """Return a pair by its number, decided or not; None when there is none that the actor may see."""
    require(actor, May.BRING_DATA)
    row = pairing_store.seen(session, territory.id, pair_id)
    return None if row is None else _views(session, territory, [row])[0]


def _views(session: Session, territory: TerritoryInfo, rows: Sequence[PlacePair]) -> list[PairView]:
    wanted = {side for row in rows for side in ((row.one_set_id, row.one_key), (row.other_set_id, row.other_key))}
    said = pairing_store.rows_of(session, wanted) if wanted else {}
    titles = pairing_store.titles(session, territory.id)
    return [
        PairView(
            row.id, row.score, row.terms, row.state, row.reason, row.decided_label, row.decided_at, row.version,
            _side(row.one_set_id, row.one_key, said, titles), _side(row.other_set_id, row.other_key, said, titles),
        )
        for row in rows
    ]  # fmt: skip


def counts(session: Session, actor: Actor, territory: TerritoryInfo) -> dict[str, int]:
    """Return how many pairs wait, and how many were decided how."""
    require(actor, May.BRING_DATA)
    found = pairing_store.counts(session, territory.id)
    return {state: found.get(state, 0) for state in ("open", *STATES)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is decided of a pair: one of STATES, why (unless it is one place), and the version that was looked at."""

    state: str
    reason: str = ""
    version: int | None = None

    def said(self) -> str:
        """Return the reason in one line; refused where a decision needs one, or it is none."""
        reason = " ".join(self.reason.split())
        if self.state not in STATES:
            raise InvalidInput(
                f"{self.state!r} is no decision.", hint=f"It is one of {', '.join(STATES)}.", zh="决定无效。"
            )
        if self.state != "same" and not reason:
            raise InvalidInput(
                "Say why.", hint="Who looks at the pair next year wants to know.", zh="请说明理由，便于日后查阅。"
            )
        if len(reason) > LONGEST:
            raise InvalidInput(f"A reason has at most {LONGEST} characters.", zh=f"理由最多 {LONGEST} 字。")
        return reason


def decide(session: Session, actor: Actor, territory: TerritoryInfo, pair_id: int, answer: Answer) -> PlacePair:
    """Decide whether two rows are one place, with a reason unless they are; it may be decided anew.

    Raises
    ------
    Conflict
        When somebody decided meanwhile, or when rows decided to be different would become one through others.
    """
    require(actor, May.BRING_DATA)
    reason = answer.said()
    pairing_store.one_at_a_time(session, territory.id)
    row = pairing_store.find(session, territory.id, pair_id)
    if row is None:
        raise NotFound(f"There is no pair {pair_id}, or not yours to decide.", zh=f"没有第 {pair_id} 对，或无权处理。")
    if answer.version is not None and answer.version != row.version:
        raise Conflict(
            f"{row.decided_label or 'Somebody'} decided on this pair meanwhile: {row.state}.",
            zh=f"{row.decided_label or '他人'}已对此作出决定。",
        )
    row.state, row.reason = answer.state, reason
    row.decided_by, row.decided_label, row.decided_at = actor.user_id, actor.label, now()
    row.version += 1
    session.flush()
    with system_rights(session, actor):
        _relink(session, territory.id)
    return row


def tally(session: Session, actor: Actor, territory: TerritoryInfo, sets: Sequence[str]) -> dict[str, int]:
    """Return how many rows data sets have, and how many places they are."""
    require(actor, May.SEE_CATALOGUE)
    rows, places = pairing_store.tally(session, [_held(session, territory.id, key).id for key in sets])
    return {"rows": rows, "places": places}


def _compare(session: Session, actor: Actor, territory: TerritoryInfo, one: DataSet, other: DataSet) -> dict[str, int]:
    sides = [_sides(session, each, territory) for each in (one, other)]
    found = candidates(*sides)
    with system_rights(session, actor):
        return pairing_store.keep(session, territory.id, one.id, other.id, found) | {
            "rows": len(sides[0]) + len(sides[1])
        }


def _sides(session: Session, data_set: DataSet, territory: TerritoryInfo) -> list[Side]:
    name = _field(data_set, NAMES)
    if not name:
        raise InvalidInput(
            f"{data_set.title or data_set.key} has no column of names.", hint=f"Call it {NAMES[0]} or {NAMES[1]}.",
            zh=f"{data_set.title or data_set.key} 没有名称列。",
        )  # fmt: skip
    address, phone = _field(data_set, ADDRESSES), _field(data_set, PHONES)
    rows = pairing_store.rows_today(session, data_set.id, MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise InvalidInput(f"{data_set.key} has more than {MOST_ROWS:,} rows.", zh=f"{data_set.key} 行数过多。")
    places = [at for at, row in enumerate(rows) if row[2] is not None]
    metric = project(np.asarray([rows[at][2] for at in places], dtype=object), territory.metric_srid) if places else ()
    where = dict(zip(places, metric, strict=True))
    made = []
    for at, (key, said, _) in enumerate(rows):
        point = where.get(at)
        x, y = (shapely.get_x(point), shapely.get_y(point)) if point is not None else (np.nan, np.nan)
        called = str(said.get(name) or "")
        dialled, vague = telephone(str(said.get(phone) or "")) if phone else "", bool(said.get(PLACED_BY))
        street = str(said.get(address) or "") if address else ""
        if called:
            made.append(Side(key, called, float(x), float(y), street, dialled, vague))
    return made


def _field(data_set: DataSet, words: Sequence[str]) -> str:
    found = [
        (words.index(plain(each["name"])), each["name"]) for each in data_set.fields if plain(each["name"]) in words
    ]
    return str(min(found)[1]) if found else ""


def _relink(session: Session, territory_id: int) -> None:
    """Write which rows count as one place, from every pair decided as the same."""
    places = places_of(pairing_store.decided(session, territory_id, "same"))
    for number, one, other in pairing_store.decided(session, territory_id, "different"):
        if one in places and places[one] == places.get(other):
            raise Conflict(
                f"Pair {number} was decided to be two places, and would become one through others.",
                hint="Decide that pair anew first, or one of those between.",
                zh=f"第 {number} 对已判定为不同地点，经由其他配对会合为一处，请先更正。",
            )
    pairing_store.write_places(session, territory_id, places)


def _held(session: Session, territory_id: int, key: str) -> DataSet:
    found = exchange_store.find_data_set(session, territory_id, key)
    if found is None:
        known = ", ".join(each.key for each in exchange_store.data_sets(session, territory_id)) or "none"
        raise NotFound(f"There is no data set {key!r}.", hint=f"There is {known}.", zh=f"没有数据集 {key}。")
    return found


def _may_load(actor: Actor, data_set: DataSet) -> bool:
    try:
        owned(actor, data_set)
    except NotPermitted:
        return False
    return True


def _side(
    data_set_id: int, key: str, said: Mapping[tuple[int, str], tuple[dict[str, Any], float | None, float | None]],
    titles: Mapping[int, tuple[str, str]],
) -> SideView:  # fmt: skip
    cells, lon, lat = said.get((data_set_id, key), ({}, None, None))
    names = [name for name in cells if plain(name) in NAMES]
    name = str(cells[min(names, key=lambda each: NAMES.index(plain(each)))]) if names else key
    short, title = titles.get(data_set_id, ("", ""))
    return SideView(short, title, key, name, cells, lon, lat, not cells)
