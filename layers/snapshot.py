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

T = TypeVar("T")
IntArray = NDArray[np.int32]


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
    area_m2
        Of the ground; NaN where no cell lives.
    community, responsibility
        Identity of the community and of the responsibility grid; 0 for none.
    """

    first_id: int
    live: NDArray[np.bool_]
    people: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    area_m2: NDArray[np.float32]
    community: IntArray
    responsibility: IntArray

    @property
    def side_m(self) -> float:
        """Return how long the side of a usual cell is, in metres; 0 without cells."""
        return float(np.sqrt(np.median(self.area_m2[self.live]))) if self.live.any() else 0.0

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
            "SELECT id, people, ST_X(c), ST_Y(c), area_m2, community_id, responsibility_grid_id FROM ("  # noqa: S608
            "SELECT id, people, area_m2, community_id, coalesce(responsibility_grid_id, 0) AS responsibility_grid_id,"
            " ST_Transform(ST_Centroid(geom), 3857) AS c FROM unit_grid"
            f" WHERE territory_id = :territory AND {when}) q ORDER BY id"
        ),
        {"territory": territory_id, "day": day},
    ).all()
    if not rows:
        nothing = np.empty(0, dtype=np.float32)
        none = np.empty(0, dtype=np.int32)
        return Cells(0, np.empty(0, dtype=bool), nothing, nothing, nothing, nothing, none, none)
    table = np.array([(row[0], np.nan if row[1] is None else row[1], *row[2:]) for row in rows], dtype=np.float64)
    ids = table[:, 0].astype(np.int64)
    first, length = int(ids[0]), int(ids[-1] - ids[0] + 1)
    at = ids - first
    half = np.pi * 6378137
    columns = [np.full(length, np.nan, dtype=np.float32) for _ in range(4)]
    columns[0][at] = table[:, 1]
    columns[1][at] = (table[:, 2] + half) / (2 * half)
    columns[2][at] = (half - table[:, 3]) / (2 * half)
    columns[3][at] = table[:, 4]
    parents = np.zeros((2, length), dtype=np.int32)
    parents[:, at] = table[:, 5:7].T
    live = np.zeros(length, dtype=bool)
    live[at] = True
    people, x, y, area = columns
    return Cells(first, live, people, x, y, area, parents[0], parents[1])


def grouped(cells: Cells, by: str) -> tuple[Cells, IntArray]:
    """Return the parents of the cells as if they were cells, and the index of each cell's parent; -1 for none.

    Parameters
    ----------
    by
        community | responsibility
    """
    parent = cells.community if by == "community" else cells.responsibility
    known = cells.live & (parent > 0)
    if not known.any():
        nothing = np.empty(0, dtype=np.float32)
        none = np.empty(0, dtype=np.int32)
        made = Cells(0, np.empty(0, dtype=bool), nothing, nothing, nothing, nothing, none, none)
        return made, np.full(len(cells), -1, dtype=np.int32)
    first = int(parent[known].min())
    length = int(parent[known].max()) - first + 1
    at = np.where(known, parent - first, -1).astype(np.int32)
    inside = at[known]
    number = np.bincount(inside, minlength=length)
    counted = known & ~np.isnan(cells.people)
    people = np.bincount(at[counted], weights=cells.people[counted], minlength=length)
    people[np.bincount(at[counted], minlength=length) == 0] = np.nan
    with np.errstate(invalid="ignore"):
        centre = [np.bincount(inside, weights=each[known], minlength=length) / number for each in (cells.x, cells.y)]
    area = np.bincount(inside, weights=cells.area_m2[known], minlength=length)
    none = np.zeros(length, dtype=np.int32)
    whole, x, y, ground = (each.astype(np.float32) for each in (people, *centre, area))
    return Cells(first, number > 0, whole, x, y, ground, none, none), at


def read_open(
    session: Session, actor: Actor, cells: Cells, categories: tuple[str, ...], day: dt.date | None = None
) -> OpenIncidents:
    """Return the open incidents of ``categories`` that the session's actor may see, now or at the end of a day.

    Those of now come from the partial index of open ones. Of a day of the past the deadline is the one that
    stands today.
    """
    if day is not None:
        return _open_on(session, actor, cells, categories, day)
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


def _open_on(session: Session, actor: Actor, cells: Cells, categories: tuple[str, ...], day: dt.date) -> OpenIncidents:
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


class Kept(Generic[T]):
    """The newest snapshots by key, least recently used dropped; None as version keeps nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[tuple[tuple[int, ...], tuple[int, ...] | None], T]] = OrderedDict()
        self._reading: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(
        self,
        key: Hashable,
        version: tuple[int, ...] | None,
        read: Callable[[], T],
        *,
        renew: Callable[[T], T] | None = None,
        base: tuple[int, ...] | None = None,
    ) -> T:
        """Return what is kept for ``key`` at ``version``, else what ``read`` returns, then kept.

        Who asks for what is being read waits for it: it is large, and not to be read twice at a time.

        Parameters
        ----------
        renew, base
            While ``base`` is the same, what is kept is not read again but renewed.
        """
        if version is None:
            return read()
        with self._lock:
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:
            with self._lock:
                kept = self._kept.get(key)
                if kept is not None and kept[0] == (version, base):
                    self._kept.move_to_end(key)
                    return kept[1]
            same = kept is not None and renew is not None and base is not None and kept[0][1] == base
            value = renew(kept[1]) if same and kept is not None and renew is not None else read()
            with self._lock:
                self._kept[key] = ((version, base), value)
                self._kept.move_to_end(key)
                while len(self._kept) > self._limit:
                    gone, _ = self._kept.popitem(last=False)
                    self._reading.pop(gone, None)
            return value
