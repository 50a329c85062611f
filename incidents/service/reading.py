"""Use cases of reading: the list, one incident, Today, a grid."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, Role, require
from geodata.persons import unseal
from geodata.record import history
from incidents.model import (
    Cursor,
    GridIncidents,
    IncidentDetail,
    IncidentFilter,
    IncidentPage,
    IncidentRow,
    TodayCounts,
)
from incidents.numbers import check_number
from incidents.store import listing, rules, side
from incidents.summary import N_BINS, median_hours
from incidents.work import MyTask

DAYS_SHOWN = 90
PAGE_MOST = 1000


def list_incidents(
    session: Session,
    actor: Actor,
    wanted: IncidentFilter | None = None,
    *,
    after: Cursor | None = None,
    limit: int = 50,
    moment: dt.datetime | None = None,
) -> IncidentPage:
    """Return a page of incidents within the actor's reach: newest report first, or by deadline where the filter says.

    Parameters
    ----------
    after
        ``IncidentPage.after`` of the page before; None for the first.
    limit
        At most `PAGE_MOST`.
    moment
        What counts as now for overdue ones.
    """
    _sees(actor, May.SEE_INCIDENTS)
    if not 1 <= limit <= PAGE_MOST:
        raise InvalidInput(f"A page holds 1 to {PAGE_MOST} incidents, not {limit}.")
    wanted = wanted or IncidentFilter()
    rows = listing.page(session, actor, wanted, moment=_moment(moment), after=after, limit=limit + 1)
    shown = tuple(rows[:limit])
    if len(rows) <= limit:
        return IncidentPage(shown, None)
    last = shown[-1]
    at = last.due_at if wanted.by_deadline and last.due_at is not None else last.reported_at
    return IncidentPage(shown, (at, last.id))


def count_incidents(
    session: Session,
    actor: Actor,
    wanted: IncidentFilter | None = None,
    *,
    moment: dt.datetime | None = None,
    most: int | None = None,
) -> int:
    """Return how many incidents within the actor's reach the filter finds; ``most`` + 1 stands for more than that."""
    _sees(actor, May.SEE_INCIDENTS)
    return listing.count(session, actor, wanted or IncidentFilter(), _moment(moment), most=most)


def incident_detail(session: Session, actor: Actor, incident_id: int) -> IncidentDetail:
    """Return all about one incident; raise `NotFound` when it does not exist or is out of reach."""
    territory_id = _sees(actor, May.SEE_INCIDENTS)
    found = listing.find(session, territory_id, incident_id)
    if found is None:
        raise NotFound("There is no such incident, or it lies outside your reach.", hint="Look for it in the list.")
    row, external_ref, source_system = found
    note, state = _note(session, actor, incident_id)
    tasks = listing.tasks(session, incident_id)
    entries = [*history(session, "incident", incident_id)]
    for task in tasks:
        entries += history(session, "task", task.id)
    return IncidentDetail(
        row,
        note,
        state,
        external_ref,
        source_system,
        tuple(tasks),
        tuple(sorted(entries, key=lambda entry: entry.seq)),
        rules.filed_under(session, incident_id),
        side.side_of(session, incident_id),
    )


def find_incident(session: Session, actor: Actor, number: str) -> int | None:
    """Return the id of the incident with a number; None when it is out of reach or absent.

    Raises
    ------
    InvalidInput
        When the number is mistyped.
    """
    return listing.find_number(session, _sees(actor, May.SEE_INCIDENTS), check_number(number))


def today_counts(session: Session, actor: Actor, moment: dt.datetime | None = None) -> TodayCounts:
    """Return the counts at the head of the page Today, within the actor's reach."""
    _sees(actor, May.SEE_INCIDENTS)
    return listing.today(session, actor, _moment(moment))


def late_incidents(
    session: Session, actor: Actor, moment: dt.datetime | None = None, *, limit: int = 20
) -> list[IncidentRow]:
    """Return open incidents past their deadline: emergencies first, then by priority and lateness."""
    _sees(actor, May.SEE_INCIDENTS)
    return listing.late(session, actor, _moment(moment), limit)


def my_tasks(session: Session, actor: Actor) -> list[MyTask]:
    """Return the live handle tasks of the actor's own worker, the most urgent first; none for who is no worker."""
    territory_id = _sees(actor, May.SEE_INCIDENTS)
    return [] if actor.worker_id is None else listing.live_tasks_of(session, territory_id, actor.worker_id)


def waiting_to_close(session: Session, actor: Actor, *, limit: int = 20) -> list[IncidentRow]:
    """Return incidents that are handled and wait to be closed or sent back, the most urgent first."""
    _sees(actor, May.SEE_INCIDENTS)
    return listing.by_status(session, actor, "checking", limit)


def waiting_extensions(session: Session, actor: Actor) -> list[IncidentRow]:
    """Return incidents for which more time is asked, the longest waiting first; none for who does not decide."""
    territory_id = _sees(actor, May.SEE_INCIDENTS)
    if actor.role is not Role.SUPERVISOR:
        return []
    found = (listing.find(session, territory_id, each) for each in side.waiting_incidents(session, territory_id))
    return [each[0] for each in found if each is not None]


def not_begun(session: Session, actor: Actor, *, limit: int = 20) -> list[IncidentRow]:
    """Return incidents that were sent to a unit and are not begun yet, the most urgent first."""
    _sees(actor, May.SEE_INCIDENTS)
    return listing.by_status(session, actor, "dispatched", limit)


def grid_incidents_summary(
    session: Session, actor: Actor, grid_id: int, *, moment: dt.datetime | None = None
) -> GridIncidents:
    """Return what happened in one unit grid in the last 90 local days, today included."""
    territory_id = _sees(actor, May.SEE_MAP)
    at = _moment(moment)
    last_day = at.astimezone(ZoneInfo(listing.timezone(session, territory_id))).date()
    days = tuple(last_day - dt.timedelta(days=back) for back in reversed(range(DAYS_SHOWN)))
    daily: Counter[dt.date] = Counter()
    by_category: Counter[str] = Counter()
    bins = np.zeros(N_BINS, dtype=np.int64)
    closed_total = 0
    for day, category, is_open, closed, within in listing.grid_days(session, territory_id, grid_id, days[0]):
        daily[day] += is_open + closed
        by_category[category] += is_open + closed
        closed_total += closed
        bins += within
    hours = median_hours(bins)
    return GridIncidents(
        grid_id=grid_id,
        open=listing.open_in_grid(session, territory_id, grid_id),
        late=listing.late_in_grid(session, grid_id, at) if actor.may(May.SEE_INCIDENTS) else None,
        closed=closed_total,
        days=days,
        daily=tuple(daily[day] for day in days),
        median_days=None if hours is None else hours / 24,
        by_category=dict(by_category.most_common()),
    )


def _note(session: Session, actor: Actor, incident_id: int) -> tuple[str | None, str]:
    if not actor.may(May.READ_NOTE):
        return None, "not permitted"
    sealed = listing.note(session, incident_id)
    if sealed is None or sealed.note_cipher is None:
        return None, "none"
    plain = unseal(session, sealed.subject_id, sealed.note_cipher)
    return plain, "erased" if plain is None else "shown"


def _sees(actor: Actor, capability: May) -> int:
    require(actor, capability)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id


def _moment(moment: dt.datetime | None) -> dt.datetime:
    return now() if moment is None else aware(moment)
