"""The clock that the deadline of one incident runs by: how a postponement moves it, and when it warns."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.clock import ALWAYS, WorkingCalendar
from geodata.tables import Incident
from incidents.calendars import code_for, working_calendar
from incidents.deadlines import Pause, countdown_to, paused
from incidents.store import catalogue, clocks, listing

BY_CALENDAR = ("working_hours", "working_days")


def clock_of(session: Session, incident: Incident) -> WorkingCalendar:
    """Return the clock of the limit that set the deadline; real time where no limit of ours did."""
    held = None if incident.limit_id is None else clocks.limit_of(session, incident.limit_id)
    if held is None:
        return ALWAYS
    limit, code = held
    if limit.unit not in BY_CALENDAR:
        return ALWAYS
    spec = catalogue.calendar(session, code or code_for(listing.timezone(session, incident.territory_id)))
    return ALWAYS if spec is None else working_calendar(spec)


def postpone(session: Session, incident: Incident, at: dt.datetime, until: dt.datetime) -> None:
    """Stop the clock until a moment: the deadline moves by what its clock would have counted of the pause."""
    incident.postponed_at, incident.postponed_until = at, until
    incident.due_unpaused = incident.due_at
    if incident.due_at is not None:
        incident.due_at = paused(incident.due_at, clock_of(session, incident), Pause(at, until))


def resume(session: Session, incident: Incident, at: dt.datetime) -> None:
    """Let the clock run again before the time; a deadline that was granted meanwhile stands."""
    begun, until, before = incident.postponed_at, incident.postponed_until, incident.due_unpaused
    incident.postponed_until = at
    if begun is None or until is None or before is None:
        return
    running = clock_of(session, incident)
    if incident.due_at == paused(before, running, Pause(begun, until)):
        incident.due_at = paused(before, running, Pause(begun, at))


def set_warnings(session: Session, incident: Incident, start: dt.datetime) -> None:
    """Write when 50 and 80 % of the time from ``start`` to the deadline are used, the postponement not counted."""
    incident.due_from = start
    if incident.due_at is None:
        incident.warn_half_at = incident.warn_most_at = None
        return
    held = []
    if incident.postponed_at is not None and incident.postponed_until is not None:
        held.append(Pause(incident.postponed_at, incident.postponed_until))
    clock = countdown_to(incident.due_at, clock_of(session, incident), start, pauses=held)
    (_, incident.warn_half_at), (_, incident.warn_most_at), _ = clock.warnings()
