"""Arrays in memory that the maps are computed from: the cells, the summary, the open incidents."""

from __future__ import annotations

import datetime as dt
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import Actor
from incidents.summary import N_BINS

T = TypeVar("T")
IntArray = NDArray[np.int32]

_ROW = np.dtype(
    [("cell", ">i4"), ("day", ">i4"), ("category", ">i4"), ("open", ">i4"), ("closed", ">i4"), ("void", ">i4")]
)
_ARRAY_HEADER_BYTES = 20
_WITHIN = np.dtype(
    [("header", "V", _ARRAY_HEADER_BYTES), ("bins", np.dtype([("length", ">i4"), ("count", ">i4")]), (N_BINS,))]
)
_SUMMARY_ROW = np.dtype([("row", _ROW), ("within", _WITHIN)])


@dataclass(frozen=True, eq=False)
class Cells:
    """The live unit grids of a territory, indexed densely from the smallest identity.

    Attributes
    ----------
    live
        Which indices are a living cell; identities may have gaps.
    people
        Estimated residents; NaN when unknown.
    x, y
        Centre in web mercator, 0…1 from the north-west corner of the world.
    """

    first_id: int
    live: NDArray[np.bool_]
    people: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.live)

    def centre(self, grid_id: int) -> tuple[float, float] | None:
        """Return latitude and longitude of a living cell's centre, None for any other number."""
        at = grid_id - self.first_id
        if not (0 <= at < len(self) and self.live[at]):
            return None
        lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * float(self.y[at])))))
        return lat, float(self.x[at]) * 360 - 180


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
    """

    categories: tuple[str, ...]
    cell: IntArray
    day: IntArray
    category: IntArray
    open: IntArray
    closed: IntArray
    within: IntArray


@dataclass(frozen=True, eq=False)
class OpenIncidents:
    """The open incidents an actor may see; ``due`` in seconds since 1970, infinite without deadline."""

    categories: tuple[str, ...]
    cell: IntArray
    day: IntArray
    category: IntArray
    due: NDArray[np.float64]


def read_cells(session: Session, territory_id: int, day: dt.date | None = None) -> Cells:
    """Return the cells of a territory in force, now or on a day; no cell gives empty arrays."""
    when = "ended_on IS NULL" if day is None else "started_on <= :day AND (ended_on IS NULL OR ended_on > :day)"
    rows = session.execute(
        text(
            "SELECT id, people, ST_X(c), ST_Y(c) FROM (SELECT id, people,"  # noqa: S608  (both parts stand here)
            " ST_Transform(ST_Centroid(geom), 3857) AS c FROM unit_grid"
            f" WHERE territory_id = :territory AND {when}) q ORDER BY id"
        ),
        {"territory": territory_id, "day": day},
    ).all()
    if not rows:
        nothing = np.empty(0, dtype=np.float32)
        return Cells(0, np.empty(0, dtype=bool), nothing, nothing, nothing)
    table = np.array([(row[0], np.nan if row[1] is None else row[1], row[2], row[3]) for row in rows], dtype=np.float64)
    ids = table[:, 0].astype(np.int64)
    first, length = int(ids[0]), int(ids[-1] - ids[0] + 1)
    at = ids - first
    half = np.pi * 6378137
    columns = [np.full(length, np.nan, dtype=np.float32) for _ in range(3)]
    columns[0][at] = table[:, 1]
    columns[1][at] = (table[:, 2] + half) / (2 * half)
    columns[2][at] = (half - table[:, 3]) / (2 * half)
    live = np.zeros(length, dtype=bool)
    live[at] = True
    return Cells(first, live, *columns)


def read_summary(session: Session, territory_id: int, cells: Cells, day: dt.date | None = None) -> Summary:
    """Return the summary of a territory, now or as it stood at the end of a day.

    What was settled in a cell that has ended counts for the cell that holds its place today; where none does it
    is left out. On a day of the past everything counts for the cell of that day.
    """
    source = (
        "(SELECT grid_id, day, category, open, closed, void, closed_within FROM incident_day"
        " WHERE territory_id = :territory UNION ALL SELECT * FROM gk_ground_days(:territory))"
        if day is None
        else "gk_days_on(:territory, :day)"
    )
    categories = _categories(session, territory_id)
    # One blob of fixed-width rows: reading 19 array elements a row through the driver takes seconds.
    blob = session.execute(
        text(
            "SELECT string_agg(int4send(grid_id) || int4send(day - DATE '1970-01-01')"  # noqa: S608  (names of ours)
            " || int4send(array_position(CAST(:categories AS text[]), category) - 1)"
            " || int4send(open) || int4send(closed) || int4send(void) || array_send(closed_within), ''::bytea)"
            f" FROM {source} AS counted WHERE"
            " array_length(closed_within, 1) = :bins AND grid_id BETWEEN :first AND :last"
        ),
        {
            "territory": territory_id,
            "categories": list(categories),
            "bins": N_BINS,
            "first": cells.first_id,
            "last": cells.first_id + len(cells) - 1,
            "day": day,
        },
    ).scalar()
    rows = np.frombuffer(blob or b"", dtype=_SUMMARY_ROW)
    rows = rows[cells.live[rows["row"]["cell"] - cells.first_id]] if len(rows) else rows
    head = rows["row"]
    return Summary(
        categories,
        cell=(head["cell"] - cells.first_id).astype(np.int32),
        day=head["day"].astype(np.int32),
        category=head["category"].astype(np.int32),
        open=head["open"].astype(np.int32),
        closed=head["closed"].astype(np.int32),
        within=rows["within"]["bins"]["count"].astype(np.int32).reshape(-1, N_BINS),
    )


def read_open(session: Session, actor: Actor, cells: Cells, day: dt.date | None = None) -> OpenIncidents:
    """Return the open incidents that the session's actor may see, now or at the end of a day.

    Those of now come from the partial index of open ones. Of a day of the past the deadline is the one that
    stands today.
    """
    if day is not None:
        return _open_on(session, actor, cells, day)
    categories = _categories(session, actor.territory_id)
    rows = session.execute(
        text(
            "SELECT i.grid_id, (i.reported_at AT TIME ZONE t.timezone)::date - DATE '1970-01-01',"
            " array_position(CAST(:categories AS text[]), i.category) - 1,"
            " CASE WHEN i.postponed_until > now() THEN 'Infinity'"
            " ELSE COALESCE(EXTRACT(epoch FROM i.due_at), 'Infinity') END::float8"
            " FROM incident i JOIN territory t ON t.id = i.territory_id"
            " WHERE i.territory_id = :territory AND i.status NOT IN ('closed', 'void')"
            " AND i.grid_id BETWEEN :first AND :last"
        ),
        {
            "territory": actor.territory_id,
            "categories": list(categories),
            "first": cells.first_id,
            "last": cells.first_id + len(cells) - 1,
        },
    ).all()
    table = np.array([tuple(row) for row in rows if row[2] is not None], dtype=np.float64).reshape(-1, 4)
    table = table[cells.live[table[:, 0].astype(np.int64) - cells.first_id]] if len(table) else table
    return OpenIncidents(
        categories,
        cell=(table[:, 0] - cells.first_id).astype(np.int32),
        day=table[:, 1].astype(np.int32),
        category=table[:, 2].astype(np.int32),
        due=table[:, 3],
    )


def _open_on(session: Session, actor: Actor, cells: Cells, day: dt.date) -> OpenIncidents:
    categories = _categories(session, actor.territory_id)
    rows = session.execute(
        text(
            "SELECT coalesce(h.grid_id, i.grid_id) AS grid, (i.reported_at AT TIME ZONE t.timezone)::date"
            " - DATE '1970-01-01', array_position(CAST(:categories AS text[]), i.category) - 1,"
            " COALESCE(EXTRACT(epoch FROM i.due_at), 'Infinity')::float8"
            " FROM incident AS i JOIN territory AS t ON t.id = i.territory_id LEFT JOIN LATERAL ("
            "   SELECT grid_id FROM incident_home AS h WHERE h.incident_id = i.id AND h.until > :day"
            "   ORDER BY h.until, h.id LIMIT 1) AS h ON true"
            " WHERE i.territory_id = :territory"
            " AND i.reported_at < (CAST(:day AS date) + 1)::timestamp AT TIME ZONE t.timezone"
            " AND CASE WHEN i.status = 'void' OR i.reopens > 0"
            "  THEN coalesce(gk_stood_open(i.id, (CAST(:day AS date) + 1)::timestamp AT TIME ZONE t.timezone),"
            "                i.status NOT IN ('closed', 'void'))"
            "  ELSE i.closed_at IS NULL"
            "       OR i.closed_at >= (CAST(:day AS date) + 1)::timestamp AT TIME ZONE t.timezone END"
            " AND (i.postponed_until IS NULL"
            "      OR i.postponed_until <= (CAST(:day AS date) + 1)::timestamp AT TIME ZONE t.timezone)"
        ),
        {"territory": actor.territory_id, "categories": list(categories), "day": day},
    ).all()
    table = np.array([tuple(row) for row in rows if row[2] is not None], dtype=np.float64).reshape(-1, 4)
    at = table[:, 0].astype(np.int64) - cells.first_id
    inside = (at >= 0) & (at < len(cells))
    inside[inside] = cells.live[at[inside]]
    at, table = at[inside], table[inside]
    return OpenIncidents(
        categories,
        cell=at.astype(np.int32),
        day=table[:, 1].astype(np.int32),
        category=table[:, 2].astype(np.int32),
        due=table[:, 3],
    )


def _categories(session: Session, territory_id: int | None) -> tuple[str, ...]:
    rows = session.execute(
        text("SELECT DISTINCT category FROM incident_day WHERE territory_id = :territory ORDER BY category"),
        {"territory": territory_id},
    )
    return tuple(row[0] for row in rows)


class Kept(Generic[T]):
    """The newest snapshots by key, least recently used dropped; None as version keeps nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[tuple[int, ...], T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, version: tuple[int, ...] | None, read: Callable[[], T]) -> T:
        """Return what is kept for ``key`` at ``version``, else what ``read`` returns, then kept."""
        if version is None:
            return read()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(key)
                return kept[1]
        value = read()
        with self._lock:
            self._kept[key] = (version, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return value
