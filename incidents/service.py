"""Use cases of incidents: the catalogue, the list, one incident, Today, a grid, and bringing a file in."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

import numpy as np
from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata.persons import unseal
from geodata.record import history
from geodata.territory import TerritoryInfo
from incidents.calendars import code_for, shipped_calendars, working_calendar
from incidents.classes import CLASSES, SCHEME, SCHEME_VERSION
from incidents.limits import LIMITS
from incidents.model import (
    Catalogue,
    Cursor,
    GridIncidents,
    IncidentDetail,
    IncidentFilter,
    IncidentPage,
    IncidentRow,
    TodayCounts,
)
from incidents.numbers import check_number, make_number, prefix_of
from incidents.store import catalogue as catalogue_store
from incidents.store import listing, loading
from incidents.summary import N_BINS, median_hours

DAYS_SHOWN = 90
PAGE_MOST = 1000


def seed_catalogue(session: Session, actor: Actor, territory: TerritoryInfo) -> dict[str, int]:
    """Add what is missing of the shipped classes, limits and calendars, and return how many of each.

    Doing it again adds nothing and changes nothing that was edited.
    """
    require(actor, May.LOAD_DATA)
    calendars = catalogue_store.add_calendars(session, shipped_calendars(territory.timezone))
    classes = catalogue_store.add_classes(session, CLASSES, SCHEME, SCHEME_VERSION)
    ids = {row.key: row.id for row in catalogue_store.classes(session, SCHEME, SCHEME_VERSION)}
    known = [spec for spec in LIMITS if spec.class_key is None or spec.class_key in ids]
    return {
        "calendars": calendars,
        "classes": classes,
        "limits": catalogue_store.add_limits(session, known, ids),
    }


def read_catalogue(session: Session, territory: TerritoryInfo) -> Catalogue:
    """Return the shipped classes as stored, their limits, and the office calendar of the territory.

    Raises
    ------
    NotFound
        Before `seed_catalogue`.
    """
    classes = {row.key: row for row in catalogue_store.classes(session, SCHEME, SCHEME_VERSION)}
    calendar = catalogue_store.calendar(session, code_for(territory.timezone))
    if not classes or calendar is None:
        raise NotFound("The catalogue of classes and calendars is empty.", hint="Seed it first.")
    limits = catalogue_store.handle_limits(session, [row.id for row in classes.values()])
    return Catalogue(classes, limits, working_calendar(calendar))


def assign_owners(
    session: Session, actor: Actor, territory: TerritoryInfo, units: Mapping[str, int], *, legal_basis: str = ""
) -> int:
    """Fill the duty list from category key to unit id and return how many classes got an owner.

    Classes that already have an owner in the whole territory keep it.
    """
    require(actor, May.LOAD_DATA)
    classes = catalogue_store.classes(session, SCHEME, SCHEME_VERSION)
    unknown = sorted(set(units) - {row.category for row in classes})
    if unknown:
        raise InvalidInput(f"Unknown categories in the duty list: {', '.join(unknown)}.")
    owners = {row.id: units[row.category] for row in classes if row.category in units}
    return catalogue_store.add_owners(session, territory.id, owners, legal_basis)


def owners(session: Session, territory: TerritoryInfo) -> dict[int, int]:
    """Return class id to the unit that owns it in the whole territory today."""
    return catalogue_store.owners_of(session, territory.id)


def take_numbers(session: Session, territory: TerritoryInfo, years: np.ndarray) -> list[str]:
    """Return a fresh number for each local year of report, in order; nobody else ever gets them."""
    of_year = np.asarray(years, dtype=np.int64)
    prefix = prefix_of(territory.name)
    numbers = np.empty(len(of_year), dtype=object)
    for year in np.unique(of_year).tolist():
        places = np.flatnonzero(of_year == year)
        first = loading.take_numbers(session, territory.id, year, len(places))
        numbers[places] = [make_number(prefix, year, first + i) for i in range(len(places))]
    return list(numbers)


def list_incidents(
    session: Session,
    actor: Actor,
    wanted: IncidentFilter | None = None,
    *,
    after: Cursor | None = None,
    limit: int = 50,
    moment: dt.datetime | None = None,
) -> IncidentPage:
    """Return a page of incidents within the actor's reach, newest report first.

    Parameters
    ----------
    after
        ``IncidentPage.after`` of the page before; None for the first.
    limit
        At most `PAGE_MOST`.
    moment
        What counts as now for overdue ones.
    """
    territory_id = _sees(actor, May.SEE_INCIDENTS)
    if not 1 <= limit <= PAGE_MOST:
        raise InvalidInput(f"A page holds 1 to {PAGE_MOST} incidents, not {limit}.")
    rows = listing.page(
        session, territory_id, wanted or IncidentFilter(), moment=_moment(moment), after=after, limit=limit + 1
    )
    shown = tuple(rows[:limit])
    more = len(rows) > limit
    return IncidentPage(shown, (shown[-1].reported_at, shown[-1].id) if more else None)


def count_incidents(
    session: Session, actor: Actor, wanted: IncidentFilter | None = None, *, moment: dt.datetime | None = None
) -> int:
    """Return how many incidents within the actor's reach the filter finds."""
    territory_id = _sees(actor, May.SEE_INCIDENTS)
    return listing.count(session, territory_id, wanted or IncidentFilter(), _moment(moment))


def incident_detail(session: Session, actor: Actor, incident_id: int) -> IncidentDetail:
    """Return all about one incident; raise `NotFound` when it does not exist or is out of reach."""
    territory_id = _sees(actor, May.SEE_INCIDENTS)
    found = listing.find(session, territory_id, incident_id)
    if found is None:
        raise NotFound("There is no such incident, or it lies outside your reach.", hint="Look for it in the list.")
    row, external_ref, source_system = found
    note, state = _note(session, actor, incident_id)
    return IncidentDetail(
        row,
        note,
        state,
        external_ref,
        source_system,
        tuple(listing.tasks(session, incident_id)),
        tuple(history(session, "incident", incident_id)),
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
    return listing.today(session, _sees(actor, May.SEE_INCIDENTS), _moment(moment))


def late_incidents(
    session: Session, actor: Actor, moment: dt.datetime | None = None, *, limit: int = 20
) -> list[IncidentRow]:
    """Return open incidents past their deadline: emergencies first, then by priority and lateness."""
    return listing.late(session, _sees(actor, May.SEE_INCIDENTS), _moment(moment), limit)


def grid_incidents_summary(
    session: Session, actor: Actor, territory: TerritoryInfo, grid_id: int, *, moment: dt.datetime | None = None
) -> GridIncidents:
    """Return what happened in one unit grid in the last 90 local days, today included."""
    _sees(actor, May.SEE_MAP)
    at = _moment(moment)
    last_day = at.astimezone(territory.zone).date()
    days = tuple(last_day - dt.timedelta(days=back) for back in reversed(range(DAYS_SHOWN)))
    daily: Counter[dt.date] = Counter()
    by_category: Counter[str] = Counter()
    bins = np.zeros(N_BINS, dtype=np.int64)
    closed_total = 0
    for day, category, is_open, closed, within in listing.grid_days(session, territory.id, grid_id, days[0]):
        daily[day] += is_open + closed
        by_category[category] += is_open + closed
        closed_total += closed
        bins += within
    hours = median_hours(bins)
    return GridIncidents(
        grid_id=grid_id,
        open=listing.open_in_grid(session, territory.id, grid_id),
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
