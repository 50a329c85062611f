"""The summary of incidents in memory: read once as binary rows, then brought up to date by the rows that changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from incidents.summary import N_BINS
from layers.snapshot import Cells

Columns = dict[str, NDArray[np.signedinteger]]
"""Numbers by name of the column, one a row."""
_FIELD = np.dtype([("length", ">i4"), ("value", ">i4")])
_COLUMNS = ("cell", "day", "category", "open", "closed", "void")
_ARRAY_HEADER_BYTES = 20
_ROW = np.dtype(
    [
        ("fields", "V2"),
        *((name, _FIELD) for name in _COLUMNS),
        ("array", "V", 4 + _ARRAY_HEADER_BYTES),
        ("bins", _FIELD, (N_BINS,)),
    ]
)
"""A row of a binary COPY: six integers and an array of integers, all of fixed width."""
_HEAD_BYTES, _TAIL_BYTES = 19, 2
_BLOCK_ROWS = 20_000
_SETTLED = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_AHEAD = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@dataclass(frozen=True, eq=False)
class Summary:
    """Counts by cell, local day of report and category: one entry a row of ``incident_day``.

    Attributes
    ----------
    cell
        Index into `Cells`.
    day
        Days since 1970-01-01.
    category
        Index into ``categories``.
    within
        Closed incidents by bin of time to close, shape (rows, bins).
    upto
        Every transaction below this number is in it.
    rows
        How many rows of ``incident_day`` it holds, at the start of the arrays; the others are of ended cells.
    """

    categories: tuple[str, ...]
    cell: NDArray[np.signedinteger]
    day: NDArray[np.signedinteger]
    category: NDArray[np.signedinteger]
    open: NDArray[np.signedinteger]
    closed: NDArray[np.signedinteger]
    within: NDArray[np.signedinteger]
    upto: int = 0
    rows: int = 0


def read_summary(session: Session, territory_id: int, cells: Cells, day: dt.date | None = None) -> Summary:
    """Return the summary of a territory, now or as it stood at the end of a day.

    What was settled in a cell that has ended counts for the cell that holds its place today; where none does it
    is left out. On a day of the past everything counts for the cell of that day.
    """
    asked = _Asked(session, territory_id, _categories(session, territory_id), cells)
    if day is not None:
        return _made(asked.categories, asked.columns("gk_days_on(%(territory)s, %(day)s)", day=day))
    upto = _settled(session)
    base = asked.columns(_DAYS)
    ground = asked.columns(_GROUND)
    whole = {name: np.concatenate((base[name], ground[name])) for name in base}
    return _made(asked.categories, whole, upto, len(base["cell"]))


def refreshed(session: Session, territory_id: int, cells: Cells, kept: Summary) -> Summary:
    """Return ``kept`` brought up to date: rows written since are put in their place, new ones added.

    Of rows that have gone a notification tells; then all is to be read anew.
    """
    upto = _settled(session)
    # Numbers beyond the newest are of another database, which this one was restored from.
    touched = f"touched >= %(since)s AND touched <= {_AHEAD}"
    new_names = set(_categories(session, territory_id, touched, since=kept.upto)) - set(kept.categories)
    asked = _Asked(session, territory_id, tuple(sorted({*kept.categories, *new_names})), cells)
    fresh = asked.columns(f"{_DAYS} AND {touched}", since=kept.upto)
    ground = asked.columns(_GROUND)
    base = {name: getattr(kept, name)[: kept.rows] for name in fresh}
    if asked.categories != kept.categories:
        renamed = np.array([asked.categories.index(name) for name in kept.categories], dtype=np.int32)
        base["category"] = renamed[base["category"]]
    at = _places(base, fresh, len(asked.categories))
    new = at < 0
    whole = {}
    for name, old in base.items():
        whole[name] = np.concatenate((old, fresh[name][new], ground[name]))
        whole[name][at[~new]] = fresh[name][~new]
    return _made(asked.categories, whole, upto, kept.rows + int(new.sum()))


def _made(categories: tuple[str, ...], whole: Columns, upto: int = 0, rows: int = 0) -> Summary:
    cell, day, category, opened, closed, within = (
        whole[name] for name in ("cell", "day", "category", "open", "closed", "within")
    )
    return Summary(categories, cell, day, category, opened, closed, within, upto, rows)


_DAYS = "incident_day WHERE territory_id = %(territory)s"
_GROUND = "gk_ground_days(%(territory)s) AS ground WHERE true"


@dataclass(frozen=True)
class _Asked:
    """Reads rows of one shape as columns of whole numbers."""

    session: Session
    territory_id: int
    categories: tuple[str, ...]
    cells: Cells

    def columns(self, source: str, **given: object) -> Columns:
        """Return the columns of the rows of living cells; ``source`` stands after FROM and is ours."""
        binned = " array_length(closed_within, 1) = %(bins)s AND grid_id BETWEEN %(first)s AND %(last)s"
        binned += " AND category = ANY(%(categories)s::text[])"  # one that came since is read the next time
        joint = "AND" if "WHERE" in source else "WHERE"
        statement = (
            "COPY (SELECT grid_id, day - DATE '1970-01-01', array_position(%(categories)s::text[], category) - 1,"  # noqa: S608
            f" open, closed, void, closed_within FROM {source} {joint}{binned}) TO STDOUT (FORMAT BINARY)"
        )
        known = {
            "territory": self.territory_id,
            "categories": list(self.categories),
            "bins": N_BINS,
            "first": self.cells.first_id,
            "last": self.cells.first_id + len(self.cells) - 1,
        }
        parts = [self._block(block) for block in _blocks(self.session, statement, known | given)]
        parts.append(self._block(b""))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _block(self, block: bytes) -> Columns:
        rows = np.frombuffer(block, dtype=_ROW)
        cell = rows["cell"]["value"].astype(np.int32) - self.cells.first_id
        living = self.cells.live[cell] if len(cell) else np.empty(0, dtype=bool)
        rows = rows[living]
        found = {name: rows[name]["value"].astype(np.int32) for name in ("day", "category", "open", "closed")}
        return {"cell": cell[living], **found, "within": rows["bins"]["value"].astype(np.int16)}


def _blocks(session: Session, statement: str, given: dict[str, object]) -> Iterator[bytes]:
    """Yield the rows of a binary COPY in blocks of whole rows, so that a million never stand in memory twice."""
    driver = cast("psycopg.Connection", session.connection().connection.dbapi_connection)
    rest, begun, full = bytearray(), False, _ROW.itemsize * _BLOCK_ROWS
    with psycopg.ClientCursor(driver).copy(statement, given) as copy:
        for piece in copy:
            rest += piece
            if not begun and len(rest) >= _HEAD_BYTES:
                del rest[:_HEAD_BYTES]
                begun = True
            if len(rest) > full + _TAIL_BYTES:
                yield bytes(rest[:full])
                del rest[:full]
    yield bytes(rest[: len(rest) - len(rest) % _ROW.itemsize])


def _places(base: Columns, fresh: Columns, categories: int) -> NDArray[np.int64]:
    """Return where each fresh row stands in the base, -1 where it is new."""
    at = np.full(len(fresh["cell"]), -1, dtype=np.int64)
    if not len(at) or not len(base["cell"]):
        return at
    wanted, keys = _key(fresh, categories), _key(base, categories)
    order = np.argsort(wanted)
    nearest = np.minimum(np.searchsorted(wanted, keys, sorter=order), len(wanted) - 1)
    matched = order[nearest]
    hits = np.flatnonzero(wanted[matched] == keys)
    at[matched[hits]] = hits
    return at


def _key(columns: Columns, categories: int) -> NDArray[np.int64]:
    days = columns["day"].astype(np.int64) + _DAYS_BEFORE
    return (columns["cell"].astype(np.int64) * _DAYS_MOST + days) * max(categories, 1) + columns["category"]


_DAYS_BEFORE, _DAYS_MOST = 1_000_000, 4_000_000
"""Wide enough for any day PostgreSQL knows near our time; keys stay far below 2 ** 63."""


def _settled(session: Session) -> int:
    return int(session.execute(text(f"SELECT {_SETTLED}")).scalar_one())


def _categories(session: Session, territory_id: int, which: str = "true", **given: object) -> tuple[str, ...]:
    """Return the categories that occur, in the order of their keys."""
    statement = f"SELECT DISTINCT category FROM incident_day WHERE territory_id = %(territory)s AND {which}"  # noqa: S608
    driver = cast("psycopg.Connection", session.connection().connection.dbapi_connection)
    return tuple(sorted(row[0] for row in driver.execute(statement, {"territory": territory_id, **given})))
