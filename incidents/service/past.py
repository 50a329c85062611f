"""Use case: the list of incidents as it stood at the end of a day of the past, in the grids of that day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.territory import TerritoryInfo
from incidents.model import IncidentFilter
from incidents.past_model import PastPage
from incidents.store import past

PAGE_ROWS = 50


def list_past(  # noqa: PLR0917  (which day, which part of the list)
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    wanted: IncidentFilter,
    day: dt.date,
    first: int = 0,
) -> PastPage:
    """Return a page of the incidents reported until the end of a day, as they stood then, newest report first.

    An incident stood open, closed or void, in the cell it was in. Of the filter, deadlines and marks are of now and do
    not count; unit and worker are those of today. Incidents are those that the actor may see today.
    """
    require(actor, May.SEE_INCIDENTS)
    if first < 0:
        raise InvalidInput("A list has no row before its first.")
    if len(wanted.text) > 200:
        wanted = replace(wanted, text=wanted.text[:200])
    zone = territory.zone

    def midnight(each: dt.date | None) -> dt.datetime | None:
        return None if each is None else dt.datetime.combine(each, dt.time(0), tzinfo=zone)

    one = dt.timedelta(days=1)
    spans = {
        "night": midnight(day + one),
        "since": midnight(wanted.first_day),
        "before": midnight(None if wanted.last_day is None else wanted.last_day + one),
    }
    rows = past.page(session, actor, wanted, day, spans, offset=first, limit=PAGE_ROWS)
    return PastPage(tuple(rows), past.count(session, actor, wanted, day, spans))
