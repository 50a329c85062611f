"""All SQL of pairs of rows that may be one place, and of the rows that count as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import shapely
from sqlalchemy import CursorResult, func, select, text
from sqlalchemy.orm import Session

from geodata.same_places import Scored
from geodata.tables import DataSet, DataSetRow, PlacePair

_GONE: Final = """
    WITH f AS (SELECT * FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f(one text, other text))
    DELETE FROM place_pair AS p WHERE p.one_set_id = :one AND p.other_set_id = :other AND p.state = 'open'
      AND NOT EXISTS (SELECT FROM f WHERE f.one = p.one_key AND f.other = p.other_key)
"""
_ANEW: Final = """
    WITH f AS (SELECT * FROM jsonb_to_recordset(CAST(:found AS jsonb))
               AS f(one text, other text, score float8, terms jsonb))
    UPDATE place_pair AS p SET score = f.score, terms = f.terms FROM f
    WHERE p.one_set_id = :one AND p.other_set_id = :other AND p.one_key = f.one AND p.other_key = f.other
      AND p.state = 'open' AND (p.score, p.terms) IS DISTINCT FROM (f.score, f.terms)
"""
_NEW: Final = """
    INSERT INTO place_pair (territory_id, one_set_id, one_key, other_set_id, other_key, score, terms)
    SELECT :territory, :one, f.one, :other, f.other, f.score, f.terms
    FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f(one text, other text, score float8, terms jsonb)
    ON CONFLICT ON CONSTRAINT uq_place_pair_rows DO NOTHING
"""


def rows_today(session: Session, data_set_id: int, limit: int) -> list[tuple[str, dict[str, Any], Any]]:
    """Return key, cells and a point in EPSG:4326 (or None) of the rows of a data set that hold today."""
    rows = session.execute(
        select(
            DataSetRow.row_key, DataSetRow.properties, func.ST_AsBinary(func.ST_PointOnSurface(DataSetRow.geom))
        )
        .where(DataSetRow.data_set_id == data_set_id, DataSetRow.valid_to.is_(None))
        .order_by(DataSetRow.row_key)
        .limit(limit)
    )  # fmt: skip
    return [(key, said, None if point is None else shapely.from_wkb(bytes(point))) for key, said, point in rows]


def keep(session: Session, territory_id: int, one_id: int, other_id: int, found: Sequence[Scored]) -> dict[str, int]:
    """Write pairs: new ones open, open ones with their new score, decided ones as they are; return how many of each.

    Open pairs that are none any more go.
    """
    given = [{"one": each.one, "other": each.other, "score": each.score, "terms": dict(each.terms)} for each in found]
    said = {"territory": territory_id, "one": one_id, "other": other_id, "found": json.dumps(given)}
    gone = _count(session, _GONE, said)
    _count(session, _ANEW, said)
    new = _count(session, _NEW, said)
    return {"found": len(found), "new": new, "gone": gone}


def pairs(
    session: Session, territory_id: int, *, state: str = "", sets: Sequence[int] = (), limit: int = 200
) -> list[PlacePair]:
    """Return pairs that the actor may see, the likeliest first; of a state, or of two data sets, where said."""
    query = select(PlacePair).where(PlacePair.territory_id == territory_id)
    if state:
        query = query.where(PlacePair.state == state)
    if len(sets) == 2:
        query = query.where(PlacePair.one_set_id == min(sets), PlacePair.other_set_id == max(sets))
    return list(session.scalars(query.order_by(PlacePair.score.desc(), PlacePair.id).limit(limit)))


def counts(session: Session, territory_id: int) -> dict[str, int]:
    """Return how many pairs there are in each state."""
    query = select(PlacePair.state, func.count()).where(PlacePair.territory_id == territory_id)
    return {state: int(count) for state, count in session.execute(query.group_by(PlacePair.state))}


def one_at_a_time(session: Session, territory_id: int) -> None:
    """Wait until nobody else decides on a pair of the territory: what counts as one place follows from all of them."""
    key = {"key": f"same_place:{territory_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 60))"), key)


def seen(session: Session, territory_id: int, pair_id: int) -> PlacePair | None:
    """Return a pair to look at; None when there is none that the actor may see."""
    query = select(PlacePair).where(PlacePair.territory_id == territory_id, PlacePair.id == pair_id)
    return session.scalars(query).one_or_none()


def find(session: Session, territory_id: int, pair_id: int) -> PlacePair | None:
    """Return a pair to decide on, locked; None when there is none that the actor may see."""
    query = select(PlacePair).where(PlacePair.territory_id == territory_id, PlacePair.id == pair_id)
    return session.scalars(query.with_for_update()).one_or_none()


def partners(session: Session, data_set_id: int) -> list[tuple[int, int]]:
    """Return the pairs of data sets that were compared and one of which is this."""
    query = select(PlacePair.one_set_id, PlacePair.other_set_id).distinct()
    rows = session.execute(query.where((PlacePair.one_set_id == data_set_id) | (PlacePair.other_set_id == data_set_id)))
    return [(int(one), int(other)) for one, other in rows]


def decided(session: Session, territory_id: int, state: str) -> list[tuple[int, tuple[int, str], tuple[int, str]]]:
    """Return number and both rows of the pairs decided so."""
    rows = session.execute(
        select(
            PlacePair.id, PlacePair.one_set_id, PlacePair.one_key, PlacePair.other_set_id, PlacePair.other_key
        ).where(PlacePair.territory_id == territory_id, PlacePair.state == state)
    )
    return [(int(number), (one, one_key), (other, other_key)) for number, one, one_key, other, other_key in rows]


def write_places(session: Session, territory_id: int, places: Mapping[tuple[int, str], int]) -> None:
    """Write which rows count as which place, in the place of what was written before."""
    session.execute(text("DELETE FROM same_place WHERE territory_id = :territory"), {"territory": territory_id})
    rows = [
        {"territory": territory_id, "set": data_set, "key": key, "place": place}
        for (data_set, key), place in sorted(places.items())
    ]
    if rows:
        session.execute(
            text(
                "INSERT INTO same_place (territory_id, data_set_id, row_key, place)"
                " VALUES (:territory, :set, :key, :place)"
            ),
            rows,
        )


def tally(session: Session, data_set_ids: Iterable[int]) -> tuple[int, int]:
    """Return how many rows of data sets hold today, and how many places they are."""
    row = session.execute(
        text(
            "SELECT count(*), count(DISTINCT coalesce('p' || s.place, r.data_set_id || ' ' || r.row_key))"
            " FROM data_set_row AS r LEFT JOIN same_place AS s USING (data_set_id, row_key)"
            " WHERE r.data_set_id = ANY (CAST(:sets AS integer[])) AND r.valid_to IS NULL"
        ),
        {"sets": list(data_set_ids)},
    ).one()
    return int(row[0]), int(row[1])


def rows_of(
    session: Session, wanted: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], tuple[dict[str, Any], float | None, float | None]]:
    """Return cells and point of rows of today that the actor may read, by data set and key."""
    rows = session.execute(
        text(
            "SELECT r.data_set_id, r.row_key, r.properties, ST_X(ST_PointOnSurface(r.geom)),"
            " ST_Y(ST_PointOnSurface(r.geom)) FROM data_set_row AS r"
            " JOIN jsonb_to_recordset(CAST(:wanted AS jsonb)) AS w(s integer, k text)"
            " ON w.s = r.data_set_id AND w.k = r.row_key WHERE r.valid_to IS NULL"
        ),
        {"wanted": json.dumps([{"s": data_set, "k": key} for data_set, key in wanted])},
    )
    return {(int(data_set), key): (said, lon, lat) for data_set, key, said, lon, lat in rows}


def titles(session: Session, territory_id: int) -> dict[int, tuple[str, str]]:
    """Return key and title of the data sets of a territory by number."""
    rows = session.execute(select(DataSet.id, DataSet.key, DataSet.title).where(DataSet.territory_id == territory_id))
    return {int(number): (key, title or key) for number, key, title in rows}


def _count(session: Session, statement: str, given: Mapping[str, Any]) -> int:
    return cast("CursorResult[Any]", session.execute(text(statement), given)).rowcount
