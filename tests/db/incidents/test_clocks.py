"""Clocks of stages as the database tells them, for who may see the incident; calendars whose days end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from core.errors import NotPermitted
from core.identity import Role
from geodata import db
from incidents import stages
from incidents.service import clocks, incident_detail
from tests.db.incidents.conftest import NOW, City

Add = Callable[..., int]
HOUR = dt.timedelta(hours=1)


def test_each_stage_has_its_clock_by_the_seeded_limits(session: Session, city: City, add_incident: Add) -> None:
    # Reported at nine on a Wednesday in London, filed at once, dispatched after two hours of work.
    nine = NOW - 3 * HOUR
    incident_id = add_incident(
        status="dispatched", reported_at=nine, filed_at=nine, dispatched_at=nine + 2 * HOUR, due_at=nine + 3 * HOUR
    )
    actor = city.officer(Role.SUPERVISOR)
    db.as_actor(session, actor)
    detail = incident_detail(session, actor, incident_id)
    found = clocks.stages_of(session, actor, detail, city.territory, moment=NOW - HOUR)
    by_name = {(each.stage, each.condition): each for each in found}
    assert by_name["file", ""].state == stages.ON_TIME
    assert (by_name["dispatch", ""].state, by_name["dispatch", ""].due_at) == (stages.LATE, nine + 1.5 * HOUR)
    handle = by_name["handle", ""]
    assert (handle.state, handle.due_at, handle.reached) == (stages.RUNNING, nine + 3 * HOUR, 0.5)
    assert handle.rule is not None
    assert handle.rule.verified
    assert by_name["handle", "repair"].due_at == nine + 48 * HOUR
    assert by_name[stages.CHECK_AND_CLOSE, ""].state == stages.WAITING


def test_who_sees_no_incident_sees_no_clock(session: Session, city: City, add_incident: Add) -> None:
    incident_id = add_incident()
    db.as_actor(session, city.actor)
    detail = incident_detail(session, city.actor, incident_id)
    planner = city.officer(Role.PLANNER)
    db.as_actor(session, planner)
    with pytest.raises(NotPermitted):
        clocks.stages_of(session, planner, detail, city.territory)


def test_calendars_in_use_tell_where_their_days_end(session: Session, city: City) -> None:
    db.as_actor(session, city.actor)
    assert clocks.calendars_ending(session, city.actor, moment=NOW) == []
    late = dt.datetime(2035, 11, 20, tzinfo=dt.UTC)
    ending = clocks.calendars_ending(session, city.actor, moment=late)
    assert [(each.code, each.last_year, each.missing) for each in ending] == [("office-gb", 2035, (2036,))]
    with pytest.raises(NotPermitted):
        clocks.calendars_ending(session, city.officer(Role.DISPATCHER), moment=NOW)
