"""Use cases of clocks: the stages of one incident, and calendars whose days end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import NotFound
from core.identity import Actor, May, require
from geodata.territory import TerritoryInfo
from incidents.calendars import AHEAD, code_for, missing_years, working_calendar
from incidents.deadlines import Pause
from incidents.model import IncidentDetail
from incidents.stages import Limits, StageClock, stage_clocks
from incidents.store import catalogue
from incidents.store import clocks as store


@dataclass(frozen=True, slots=True)
class CalendarEnd:
    """A calendar in use whose days are not known for all years that deadlines reach into.

    Attributes
    ----------
    last_year
        The last year whose holidays it knows; None when it knows none.
    missing
        The years of now and of `AHEAD` that it does not know.
    """

    code: str
    name_en: str
    name_zh: str
    last_year: int | None
    missing: tuple[int, ...]


def stages_of(
    session: Session,
    actor: Actor,
    detail: IncidentDetail,
    territory: TerritoryInfo,
    *,
    moment: dt.datetime | None = None,
    pauses: Iterable[Pause] = (),
) -> tuple[StageClock, ...]:
    """Return the stages of an incident that the actor sees, each with its clock at ``moment``.

    Parameters
    ----------
    pauses
        Postponements, counted into the deadline that stands in the incident.

    Raises
    ------
    NotFound
        Before the calendars are seeded.
    """
    require(actor, May.SEE_INCIDENTS)
    class_id, rules = store.limits_of(session, detail.row.id)
    own = code_for(territory.timezone)
    named = {rule.calendar for rule in rules if rule.calendar is not None}
    specs = {code: catalogue.calendar(session, code) for code in sorted({own, *named})}
    calendars = {code: working_calendar(spec) for code, spec in specs.items() if spec is not None}
    if own not in calendars:
        raise NotFound("The calendar of this territory is missing.", hint="Seed the catalogue first.")
    limits = Limits(class_id, rules, calendars[own], calendars)
    filed_under = None if detail.filed_under is None else detail.filed_under.limit
    at = now() if moment is None else aware(moment)
    return stage_clocks(detail.row, detail.tasks, limits, at, filed_under=filed_under, pauses=pauses)


def calendars_ending(session: Session, actor: Actor, *, moment: dt.datetime | None = None) -> list[CalendarEnd]:
    """Return the calendars in use that do not know the days of this year, or of the year that comes within 60 days.

    Deadlines that reach into such a year count its public holidays as worked, and its make-up workdays not.
    """
    require(actor, May.KEEP_RUNNING)
    at = now() if moment is None else aware(moment)
    codes = {code_for(zone) for zone in store.zones(session)} | store.named_calendars(session, at.date())
    found = []
    for (code, name_en, name_zh), years in store.holidays_by_year(session, codes - {"always"}).items():
        missing = missing_years(years, at.year, (at + AHEAD).year)
        if missing:
            known = [year for year in years if not missing_years(years, year, year)]
            found.append(CalendarEnd(code, name_en, name_zh, max(known, default=None), missing))
    return found
