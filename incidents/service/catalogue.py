"""Use cases of the catalogue: seed it, read it, the duty list, running numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata.db import system_rights
from geodata.territory import TerritoryInfo
from incidents.calendars import code_for, shipped_calendars, working_calendar
from incidents.classes import CLASSES, SCHEME, SCHEME_VERSION
from incidents.limits import LIMITS
from incidents.model import Catalogue
from incidents.numbers import make_number, prefix_of
from incidents.store import catalogue as catalogue_store
from incidents.store import loading
from people.duties import owners_on


def seed_catalogue(session: Session, actor: Actor, territory: TerritoryInfo) -> dict[str, int]:
    """Add what is missing of the shipped classes, limits and calendars, and return how many of each.

    Doing it again adds nothing and changes nothing that was edited. It is done with the system's
    rights: nobody may write rules by himself, and there is nothing here to choose.
    """
    require(actor, May.LOAD_DATA)
    with system_rights(session, actor):
        calendars = catalogue_store.add_calendars(session, shipped_calendars(territory.timezone))
        classes = catalogue_store.add_classes(session, CLASSES, SCHEME, SCHEME_VERSION)
        ids = {row.key: row.id for row in catalogue_store.shipped(session)}
        known = [spec for spec in LIMITS if spec.class_key is None or spec.class_key in ids]
        limits = catalogue_store.add_limits(session, known, ids)
    return {"calendars": calendars, "classes": classes, "limits": limits}


def read_catalogue(session: Session, territory: TerritoryInfo) -> Catalogue:
    """Return the shipped classes as stored, their limits, and the office calendar of the territory.

    Raises
    ------
    NotFound
        Before `seed_catalogue`.
    """
    classes = {row.key: row for row in catalogue_store.shipped(session)}
    calendar = catalogue_store.calendar(session, code_for(territory.timezone))
    if not classes or calendar is None:
        raise NotFound("The catalogue of classes and calendars is empty.", hint="Seed it first.")
    limits = catalogue_store.handle_limits(session)
    named = {limit.calendar for limit in limits.values() if limit.calendar and limit.calendar != calendar.code}
    others = {code: catalogue_store.calendar(session, code) for code in sorted(named)}
    return Catalogue(
        classes,
        limits,
        working_calendar(calendar),
        {code: working_calendar(spec) for code, spec in others.items() if spec is not None},
    )


def assign_owners(
    session: Session, actor: Actor, territory: TerritoryInfo, units: Mapping[str, int], *, legal_basis: str = ""
) -> int:
    """Fill the duty list from category key to unit id and return how many classes got an owner.

    Classes that already have an owner in the whole territory keep it.
    """
    require(actor, May.LOAD_DATA)
    classes = catalogue_store.shipped(session)
    unknown = sorted(set(units) - {row.category for row in classes})
    if unknown:
        raise InvalidInput(f"Unknown categories in the duty list: {', '.join(unknown)}.")
    owners = {row.id: units[row.category] for row in classes if row.category in units}
    return catalogue_store.add_owners(session, territory.id, owners, legal_basis)


def owners(session: Session, territory: TerritoryInfo) -> dict[tuple[int, int], int]:
    """Return class id and community id to the unit that owns the class there today, by the duty list."""
    return owners_on(session, territory.id)


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
