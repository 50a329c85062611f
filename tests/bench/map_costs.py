"""What the values of the City map cost in CPU: reading the arrays once, bringing them up to date, each question."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any


def costs(territory: int) -> dict[str, float]:
    """Return CPU seconds of this process by what was done."""
    from core.identity import Actor, Role
    from geodata import db
    from layers.cache import Entry
    from layers.summary import refreshed
    from layers.tallies import by_category, by_day
    from layers.values import Question, cell_values, cells_of, summary_of
    from layers.versions import versions

    versions.connected = True  # keeps what was read, as the server does
    actor = Actor(None, "bench", Role.DISPATCHER, territory)
    last = dt.datetime.now(dt.UTC).date()
    first = last - dt.timedelta(days=89)
    found: dict[str, float] = {}

    def spent(name: str, work: Callable[[], Any]) -> Any:
        began = time.process_time()
        made = work()
        found[name] = time.process_time() - began
        return made

    try:
        with db.transaction(actor) as session:
            cells = spent("Read the cells, once", lambda: cells_of(session, territory))
            summary = spent("Read the summary of a million, once", lambda: summary_of(session, territory, cells))
            spent("Bring it up to date after a change", lambda: refreshed(session, territory, cells, summary))
            for name, question in {
                "A value for each cell: reported and open": Question("reported", first, last, None, "open"),
                "… open now": Question("open", first, last),
                "… per 1,000 people": Question("per_1000", first, last),
                "… median days to close": Question("median_days", first, last),
                "… late now, first": Question("overdue", first, last),
                "… late now, again": Question("overdue", first, last),
                "… reported, of 1,600 responsibility grids": Question("reported", first, last, by="responsibility"),
            }.items():
                values = spent(name, lambda asked=question: cell_values(session, actor, asked))
            asked = Question("reported", first, last, None, "open")
            values = cell_values(session, actor, asked)
            spent("The bytes of 100,000 values, packed", lambda: Entry.of(values.encoded()))
            spent("Incidents by day, for the histogram", lambda: by_day(session, actor, asked))
            spent("Incidents by category, beside the map", lambda: by_category(session, actor, asked))
    finally:
        versions.connected = False
    return found
