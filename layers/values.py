"""A value for every cell: metric by date range, categories and status, from arrays in memory."""

from __future__ import annotations

import datetime as dt
import json
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from core import clock
from core.errors import InvalidInput
from core.identity import Actor, May, Role, require
from incidents.summary import median_hours_of_rows
from layers import congestion_cells
from layers.cache import ByteCache, Entry
from layers.registry import t
from layers.snapshot import Cells, Kept, OpenIncidents, grouped, read_cells, read_open
from layers.style import class_edges
from layers.summary import Summary, read_summary, refreshed
from layers.versions import SUMMARY, versions

METRICS = {
    "reported": t("Incidents reported"),
    "open": t("Open now"),
    "overdue": t("Late now"),
    "per_1000": t("Incidents per 1,000 people"),
    "median_days": t("Median days to close"),
    "people": t("Residents"),
    "people_km2": t("Residents per km²"),
    **congestion_cells.METRICS,
}
STATUSES = {"all": t("All"), "open": t("Open"), "overdue": t("Late"), "closed": t("Closed")}
MIN_PEOPLE = 50
"""A rate over fewer residents says more about chance than about the place."""
MIN_CLOSED = 3
"""A median of fewer closed incidents is not shown."""
TOO_FEW = -1.0
WHOLE = frozenset({"reported", "open", "overdue", "people"})
"""Metrics that count whole things."""
MAX_DAYS = 366 * 20
EPOCH = dt.date(1970, 1, 1)
OVERDUE_FRESH_S = 60
MAGIC = b"GKV1"
STANDING = frozenset({"people", "people_km2"})
"""What is of the ground alone: neither dates nor categories change it."""
BY = ("cell", "community", "responsibility")
_DEPENDS = ("incidents", "grids", SUMMARY)
_REACH_LIMITED = frozenset({Role.GRID_MANAGER, Role.GRID_WORKER, Role.HANDLER})

_cells: Kept[Cells] = Kept(limit=8)
_summaries: Kept[Summary] = Kept(limit=4)
_opened: Kept[OpenIncidents] = Kept(limit=24)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every cell.

    Attributes
    ----------
    first, last
        Local days of report, both included.
    categories
        None for all.
    status
        Restricts ``reported`` and ``per_1000``; the other metrics say themselves what they count.
    day
        As of the end of which day, in the cells of that day; None is now.
    by
        A value for what: cell | community | responsibility.
    """

    metric: str
    first: dt.date
    last: dt.date
    categories: tuple[str, ...] | None = None
    status: str = "all"
    day: dt.date | None = None
    by: str = "cell"

    def __post_init__(self) -> None:
        """Check all parts."""
        if self.by not in BY:
            raise InvalidInput(f"There are no values by {self.by!r}.", hint=f"Known are: {', '.join(BY)}.")
        if self.metric not in METRICS:
            raise InvalidInput(f"There is no metric {self.metric!r}.", hint=f"Known are: {', '.join(METRICS)}.")
        if self.status not in STATUSES:
            raise InvalidInput(f"There is no status {self.status!r}.", hint=f"Known are: {', '.join(STATUSES)}.")
        if self.last < self.first:
            raise InvalidInput(f"The last day {self.last} lies before the first day {self.first}.")
        if (self.last - self.first).days > MAX_DAYS:
            raise InvalidInput("The date range is longer than twenty years.", hint="Ask for less.")

    @property
    def needs_open(self) -> bool:
        """Return whether deadlines of open incidents are needed, which not every role may see."""
        return self.metric == "overdue" or (self.metric in ("reported", "per_1000") and self.status == "overdue")


@dataclass(frozen=True, eq=False)
class CellValues:
    """The answer: a value a cell, and what a legend needs.

    Attributes
    ----------
    values
        By identity minus ``first_id``; NaN no data, `TOO_FEW` too few people for a rate.
    edges
        Lower edges of the classes, see `layers.style.class_edges`.
    total
        Incidents counted; of a median or a rate too.
    limited
        True when the actor's reach, not the territory, bounds the count.
    """

    first_id: int
    values: NDArray[np.float32]
    edges: tuple[float, ...]
    total: int
    limited: bool

    def encoded(self) -> bytes:
        """Return the answer as bytes, little-endian.

        Four bytes of magic, the length of a JSON header as uint32, the header padded to four bytes,
        then the values as float32.
        """
        header = json.dumps({"first": self.first_id, "edges": self.edges, "total": self.total, "limited": self.limited})
        body = header.encode()
        body += b" " * (-len(body) % 4)
        return MAGIC + struct.pack("<I", len(body)) + body + self.values.astype("<f4").tobytes()


def cells_of(session: Session, territory_id: int, day: dt.date | None = None) -> Cells:
    """Return the cells of a territory, of now or of a day, kept while nothing changes."""
    version = versions.of(territory_id, ("grids",))
    return _cells.get((territory_id, day), version, lambda: read_cells(session, territory_id, day))


def cell_values(session: Session, actor: Actor, question: Question, *, now: dt.datetime | None = None) -> CellValues:
    """Return the value of every cell as ``actor`` may know it.

    Raises
    ------
    NotPermitted
        When deadlines of incidents are asked for by a role that may not see incidents.
    """
    require(actor, May.SEE_MAP)
    if question.needs_open:
        require(actor, May.SEE_INCIDENTS)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Say which territory you mean.")
    territory_id = actor.territory_id
    cells, day = cells_of(session, territory_id, question.day), question.day
    if question.needs_open:
        opened = open_of(session, actor, cells, day)
        mask = chosen_rows(opened, question) & late(session, territory_id, opened, day, now or clock.now())
        counts, within = np.bincount(opened.cell[mask], minlength=len(cells)).astype(np.float64), None
    else:
        counts, within = _counted(cells, summary_of(session, territory_id, cells, day), question)
    if question.by != "cell":
        cells, at = grouped(cells, question.by)
        counts, within = _moved(counts, at, len(cells)), None if within is None else _moved_rows(within, at, len(cells))
    if question.metric in congestion_cells.METRICS:
        units = cells_of(session, territory_id, day)
        values = congestion_cells.congestion(
            session, territory_id, units, question.metric, question.by, day, now or clock.now()
        )
        values[~cells.live] = np.nan
        edges: tuple[float, ...] = congestion_cells.EDGES
    else:
        values = _valued(cells, counts, within, question)
        edges = tuple(class_edges(values, whole=question.metric in WHOLE))
    limited = question.needs_open and actor.role in _REACH_LIMITED
    return CellValues(cells.first_id, values, edges, int(counts.sum()), limited)


def summary_of(session: Session, territory_id: int, cells: Cells, day: dt.date | None = None) -> Summary:
    """Return the summary of a territory: that of now is read once and then brought up to date."""
    version = versions.of(territory_id, _DEPENDS)

    def read() -> Summary:
        return read_summary(session, territory_id, cells, day)

    if day is not None:
        return _summaries.get((territory_id, day), version, read)
    base = versions.of(territory_id, ("grids", SUMMARY))
    return _summaries.get(
        (territory_id, None),
        version,
        read,
        renew=lambda kept: refreshed(session, territory_id, cells, kept),
        base=base,
    )


def open_of(session: Session, actor: Actor, cells: Cells, day: dt.date | None = None) -> OpenIncidents:
    """Return the open incidents that the actor may see, now or at the end of a day, kept while nothing changes."""
    territory_id = actor.territory_id or 0

    def read() -> OpenIncidents:
        categories = summary_of(session, territory_id, cells, day).categories
        return read_open(session, actor, cells, categories, day)

    return _opened.get((actor.scope_key, day), versions.of(territory_id, _DEPENDS), read)


def late(
    session: Session, territory_id: int, opened: OpenIncidents, day: dt.date | None, now: dt.datetime
) -> NDArray[np.bool_]:
    """Return which of the open incidents were late at the end of a day, or are ``now``."""
    if day is not None:
        found = session.execute(
            text("SELECT (CAST(:day AS date) + 1)::timestamp AT TIME ZONE timezone FROM territory WHERE id = :id"),
            {"day": day, "id": territory_id},
        ).scalar()
        now = found or now
    return opened.due < now.timestamp()


def encoded_values(session: Session, actor: Actor, question: Question, cache: ByteCache) -> Entry:
    """Return the answer as bytes, from the cache where it is fresh."""
    key = values_key(actor, question)
    entry = cache.get(key) if key is not None else None
    if entry is None:
        entry = Entry.of(cell_values(session, actor, question).encoded())
        if key is not None:
            cache.put(key, entry)
    return entry


def values_key(actor: Actor, question: Question) -> tuple[object, ...] | None:
    """Return the cache key of an answer, None when nothing may be cached; overdue ages by the minute."""
    version = versions.of(actor.territory_id or 0, _DEPENDS)
    if version is None:
        return None
    minute = int(clock.now().timestamp() // OVERDUE_FRESH_S) if question.needs_open else 0
    if question.metric in congestion_cells.METRICS:
        version = versions.of(actor.territory_id or 0, (*_DEPENDS, *congestion_cells.DEPENDS)) or ()
        minute = int(clock.now().timestamp() // congestion_cells.FRESH_S)
    return ("values", actor.scope_key, version, question, minute)


def categories_of(session: Session, territory_id: int) -> dict[str, tuple[str, str]]:
    """Return category key to English and Chinese title of what was reported, in the order of the catalogue."""
    categories = summary_of(session, territory_id, cells_of(session, territory_id)).categories
    rows = session.execute(
        text(
            "SELECT category, min(category_en), min(category_zh) FROM incident_class"
            " WHERE category = ANY(:categories) GROUP BY category"
        ),
        {"categories": list(categories)},
    )
    known = {key: (english or key, chinese or english or key) for key, english, chinese in rows}
    return {key: known.get(key, (key, key)) for key in categories}


def encoded_cells(cells: Cells) -> bytes:
    """Return the centres of the cells in the format of `CellValues.encoded`: all x, then all y, 0…1 in mercator."""
    body = json.dumps({"first": cells.first_id, "length": len(cells)}).encode()
    body += b" " * (-len(body) % 4)
    return (
        MAGIC + struct.pack("<I", len(body)) + body + cells.x.astype("<f4").tobytes() + cells.y.astype("<f4").tobytes()
    )


def chosen_rows(source: Summary | OpenIncidents, question: Question) -> NDArray[np.bool_]:
    """Return which rows are of the question's days and categories."""
    first, last = (question.first - EPOCH).days, (question.last - EPOCH).days
    mask = (source.day >= first) & (source.day <= last)
    if question.categories is not None:
        wanted = np.array([name in question.categories for name in source.categories], dtype=bool)
        mask &= wanted[source.category] if len(wanted) else False
    return mask


def _counted(
    cells: Cells, summary: Summary, question: Question
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    mask = chosen_rows(summary, question)
    if question.metric == "median_days":
        rows = np.flatnonzero(mask & (summary.closed > 0))
        at = summary.cell[rows]
        counts = np.bincount(at, weights=summary.closed[rows], minlength=len(cells))
        within = np.empty((len(cells), summary.within.shape[1]))
        for place in range(within.shape[1]):  # a bin at a time: all at once would take gigabytes of a large city
            within[:, place] = np.bincount(at, weights=summary.within[rows, place], minlength=len(cells))
        return counts.astype(np.float64), within
    wanted = "open" if question.metric == "open" else question.status
    weights = {"open": summary.open, "closed": summary.closed}.get(wanted, summary.open + summary.closed)
    return np.bincount(summary.cell[mask], weights=weights[mask], minlength=len(cells)).astype(np.float64), None


def _moved(counts: NDArray[np.float64], at: NDArray[np.int32], length: int) -> NDArray[np.float64]:
    known = at >= 0
    return np.bincount(at[known], weights=counts[known], minlength=length).astype(np.float64)


def _moved_rows(within: NDArray[np.float64], at: NDArray[np.int32], length: int) -> NDArray[np.float64]:
    return np.column_stack([_moved(within[:, place], at, length) for place in range(within.shape[1])])


def _valued(
    cells: Cells, counts: NDArray[np.float64], within: NDArray[np.float64] | None, question: Question
) -> NDArray[np.float32]:
    values = counts.astype(np.float32)
    if within is not None:
        days = median_hours_of_rows(within.astype(np.int64)) / 24
        values = np.where(counts >= MIN_CLOSED, days, np.nan).astype(np.float32)
    elif question.metric == "per_1000":
        enough = cells.people >= MIN_PEOPLE
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = counts / cells.people * 1000
        values = np.where(enough, rates, np.where(np.isnan(cells.people), np.nan, TOO_FEW)).astype(np.float32)
    elif question.metric in STANDING:
        values = cells.people.copy()
        if question.metric == "people_km2":
            with np.errstate(invalid="ignore", divide="ignore"):
                values = (cells.people / cells.area_m2 * 1e6).astype(np.float32)
    values[~cells.live] = np.nan
    return values
