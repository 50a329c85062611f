"""Postponement by the deadline's own clock, warnings at 50 and 80 %, and what leaves the late ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from geodata import db
from geodata.tables import Incident, IncidentClass, Task, TimeLimit
from incidents.model import IncidentFilter
from incidents.service import count_incidents, incident_detail, late_incidents, list_incidents, today_counts
from tests.db.incidents.conftest import NOW
from tests.db.incidents.desk import Desk

Add = Callable[..., int]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def working(desk: Desk, add_incident: Add) -> int:
    """Posters, four working hours from now: due at 17:00 London time, the end of the Wednesday."""
    session = desk.session
    limit = session.scalars(
        select(TimeLimit)
        .join(IncidentClass, IncidentClass.id == TimeLimit.class_id)
        .where(IncidentClass.kind == "event", IncidentClass.code == "02-01", TimeLimit.stage == "handle")
        .order_by(TimeLimit.id)
        .limit(1)
    ).one()
    limit.value, limit.unit = 4, "working_hours"
    session.flush()
    incident = add_incident(code="02-01", status="reported", filed_at=None)
    desk.act(desk.supervisor, incident, "file")
    return incident


def row(desk: Desk, incident_id: int) -> Incident:
    db.as_actor(desk.session, desk.supervisor)
    return desk.session.get_one(Incident, incident_id, populate_existing=True)


def marks(desk: Desk, incident_id: int) -> tuple[object, ...]:
    found = row(desk, incident_id)
    return found.due_at, found.warn_half_at, found.warn_most_at


def test_warnings_are_written_with_the_deadline(desk: Desk, working: int) -> None:
    assert marks(desk, working) == (NOW + 4 * HOUR, NOW + 2 * HOUR, NOW + 3.2 * HOUR)


def test_a_postponement_counts_by_the_calendar_of_its_limit(desk: Desk, working: int) -> None:
    # Wednesday noon until Friday noon are sixteen working hours: Wednesday 17:00 becomes Friday 17:00.
    desk.act(desk.supervisor, working, "postpone", reason="season", until=NOW + dt.timedelta(days=2))
    moved = marks(desk, working)
    assert moved[0] == NOW + dt.timedelta(days=2, hours=4)
    assert moved[1:] == (NOW + dt.timedelta(days=2, hours=2), NOW + dt.timedelta(days=2, hours=3.2))
    # Resumed on Thursday noon, eight working hours are left of the pause.
    desk.act(desk.supervisor, working, "resume", moment=NOW + dt.timedelta(days=1))
    assert marks(desk, working)[0] == NOW + dt.timedelta(days=1, hours=4)


def test_nights_and_weekends_move_nothing(desk: Desk, working: int) -> None:
    evening = NOW + 10 * HOUR  # 22:00 on Wednesday
    before = marks(desk, working)[0]
    desk.session.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
    row_of = desk.session.get_one(Incident, working, populate_existing=True)
    row_of.due_at = before + dt.timedelta(days=1)
    desk.session.flush()
    desk.act(desk.supervisor, working, "postpone", reason="law", until=evening + 8 * HOUR, moment=evening)
    assert marks(desk, working)[0] == before + dt.timedelta(days=1)


def test_resumed_at_once_nothing_changed(desk: Desk, working: int) -> None:
    before = marks(desk, working)
    desk.act(desk.supervisor, working, "postpone", reason="law", until=NOW + dt.timedelta(days=60))
    assert marks(desk, working) != before
    desk.act(desk.supervisor, working, "resume")
    assert marks(desk, working) == before


def test_more_time_granted_meanwhile_stands(desk: Desk, working: int) -> None:
    desk.assign(working, unit_id=desk.unit_id)
    desk.act(desk.supervisor, working, "postpone", reason="law", until=NOW + dt.timedelta(days=1))
    until = NOW + dt.timedelta(days=9)
    desk.act(desk.worker, working, "ask_extension", reason="weather", until=until)
    desk.act(desk.supervisor, working, "grant_extension")
    desk.act(desk.supervisor, working, "resume")
    assert marks(desk, working)[0] == until
    db.as_actor(desk.session, desk.supervisor)
    task = desk.session.scalars(select(Task).where(Task.incident_id == working)).one()
    assert task.due_at == until


def test_what_is_postponed_is_not_late_anywhere(desk: Desk, add_incident: Add) -> None:
    late = add_incident(due_at=NOW - HOUR)
    desk.act(desk.supervisor, late, "postpone", reason="budget", until=NOW + dt.timedelta(days=3))
    moment = NOW + HOUR
    session, actor = desk.session, desk.supervisor

    def found(**asked: object) -> list[int]:
        page = list_incidents(session, actor, IncidentFilter(**asked), moment=moment)
        return [each.id for each in page.rows]

    assert late_incidents(session, actor, moment) == []
    assert found(overdue=True) == found(mark="late") == found(used=100) == found(mark="unsent") == []
    assert found(mark="postponed") == [late]
    counts = today_counts(session, actor, moment)
    assert (counts.late, counts.postponed) == (0, 1)
    shown = incident_detail(session, actor, late).row
    assert shown.is_postponed(moment)
    assert not shown.is_late(moment)
    # A deadline that had passed stays passed: when the clock runs again it is late again.
    after = NOW + dt.timedelta(days=4)
    assert [each.id for each in late_incidents(session, actor, after)] == [late]


def test_the_list_warns_at_half_and_at_most_of_the_time(desk: Desk, working: int) -> None:
    session, actor = desk.session, desk.supervisor

    def used(share: int, hours: float) -> bool:
        moment = NOW + hours * HOUR
        return count_incidents(session, actor, IncidentFilter(used=share), moment=moment) == 1

    db.as_actor(session, actor)
    assert [used(50, hours) for hours in (1.9, 2, 3.9, 4.1)] == [False, True, True, False]
    assert [used(80, hours) for hours in (3.1, 3.2, 3.9, 4.1)] == [False, True, True, False]
    assert [used(100, hours) for hours in (3.9, 4.1)] == [False, True]
    shown = incident_detail(session, actor, working).row
    assert [shown.used(NOW + hours * HOUR) for hours in (1, 2, 3.5, 5)] == [0, 50, 80, 100]


def test_reopening_is_counted_by_the_database_and_has_its_own_clock(desk: Desk, working: int) -> None:
    desk.assign(working, unit_id=desk.unit_id)
    desk.act(desk.worker, working, "finish")
    desk.act(desk.supervisor, working, "close")
    desk.act(desk.supervisor, working, "reopen", reason="citizen", moment=NOW + HOUR)
    found = row(desk, working)
    assert (found.reopens, found.due_from) == (1, NOW + HOUR)
    assert found.warn_half_at == NOW + 3 * HOUR
    page = list_incidents(desk.session, desk.supervisor, IncidentFilter(mark="reopened"), moment=NOW)
    assert [each.id for each in page.rows] == [working]
    with pytest.raises(DBAPIError, match="moves only with its deadline"), desk.session.begin_nested():
        desk.session.execute(text("UPDATE incident SET warn_most_at = NULL WHERE id = :id"), {"id": working})
    with desk.session.begin_nested():
        desk.session.execute(text("UPDATE incident SET reopens = 0 WHERE id = :id"), {"id": working})
    assert row(desk, working).reopens == 1
