"""Side moves: more time, postponement, urging, reopening, joint handling, looks on site, settling on the spot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Role
from geodata import db
from geodata.tables import ExtensionRequest, Incident, Task, Unit
from incidents.model import IncidentFilter
from incidents.service import incident_detail, list_incidents, waiting_extensions
from tests.db.incidents.conftest import NOW
from tests.db.incidents.desk import Desk

Add = Callable[..., int]
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def given(desk: Desk, add_incident: Add) -> int:
    """An incident given to the worker, due in three hours."""
    incident = add_incident(unit_id=desk.unit_id, due_at=NOW + 3 * HOUR)
    desk.assign(incident)
    return incident


def due(desk: Desk, incident: int) -> dt.datetime | None:
    return desk.session.scalar(select(Incident.due_at).where(Incident.id == incident))


def test_more_time_is_granted_by_another_and_only_then_the_deadline_moves(desk: Desk, given: int) -> None:
    desk.act(desk.handler, given, "ask_extension", reason="weather", until=NOW + DAY)
    assert due(desk, given) == NOW + 3 * HOUR
    with pytest.raises(NotPermitted, match="asked for already"):
        desk.act(desk.worker, given, "ask_extension", reason="weather", until=NOW + DAY)
    with pytest.raises(NotPermitted, match="somebody else decides"):
        desk.act(replace(desk.handler, role=Role.SUPERVISOR), given, "grant_extension")
    db.as_actor(desk.session, desk.supervisor)
    assert [row.id for row in waiting_extensions(desk.session, desk.supervisor)] == [given]
    desk.act(desk.supervisor, given, "grant_extension")
    assert due(desk, given) == NOW + DAY
    request = desk.session.scalars(select(ExtensionRequest)).one()
    assert (request.state, request.asked_by, request.decided_by, request.due_before) == (
        "granted", desk.handler.user_id, desk.supervisor.user_id, NOW + 3 * HOUR,
    )  # fmt: skip
    assert desk.session.scalars(select(Task.due_at).where(Task.incident_id == given)).all() == [NOW + DAY]
    assert waiting_extensions(desk.session, desk.supervisor) == []
    with pytest.raises(DBAPIError, match="decided once"), desk.session.begin_nested():
        desk.session.execute(text("UPDATE extension_request SET until = now() + interval '90 days'"))


def test_more_time_is_refused_with_a_reason_and_may_be_asked_for_again(desk: Desk, given: int) -> None:
    desk.act(desk.worker, given, "ask_extension", reason="parts", until=NOW + DAY)
    with pytest.raises(InvalidInput, match="needs a reason"):
        desk.act(desk.supervisor, given, "refuse_extension")
    desk.act(desk.supervisor, given, "refuse_extension", reason="danger")
    assert due(desk, given) == NOW + 3 * HOUR
    desk.act(desk.worker, given, "ask_extension", reason="parts", until=NOW + DAY)
    detail = incident_detail(desk.session, desk.worker, given)
    assert [each.state for each in detail.side.requests] == ["refused", "waiting"]


def test_a_moment_that_is_none_is_refused_in_words(desk: Desk, given: int) -> None:
    for until, says in (
        (None, "Until when"),
        (NOW - HOUR, "has passed"),
        (NOW + 400 * DAY, "a year"),
        (NOW + HOUR, "not later"),
    ):
        with pytest.raises(InvalidInput, match=says) as told:
            desk.act(desk.worker, given, "ask_extension", reason="parts", until=until)
        assert told.value.zh


def test_a_person_does_not_grant_his_own_request_in_sql(desk: Desk, given: int) -> None:
    desk.act(desk.handler, given, "ask_extension", reason="weather", until=NOW + DAY)
    db.as_actor(desk.session, replace(desk.handler, role=Role.SUPERVISOR))
    with pytest.raises(DBAPIError, match="two_persons"), desk.session.begin_nested():
        desk.session.execute(text("UPDATE extension_request SET state = 'granted', decided_at = now()"))


def test_the_clock_stands_still_while_it_is_postponed(desk: Desk, given: int) -> None:
    desk.act(desk.supervisor, given, "postpone", reason="season", until=NOW + 10 * DAY)
    assert due(desk, given) == NOW + 10 * DAY + 3 * HOUR
    assert desk.act(desk.supervisor, given, "resume", moment=NOW + 4 * DAY).status == "dispatched"
    assert due(desk, given) == NOW + 4 * DAY + 3 * HOUR
    with pytest.raises(NotPermitted, match="not postponed"):
        desk.act(desk.supervisor, given, "resume", moment=NOW + 5 * DAY)


def test_everybody_on_the_incident_sees_that_it_is_urged(desk: Desk, given: int) -> None:
    desk.act(desk.supervisor, given, "urge", reason="citizen")
    desk.act(desk.supervisor, given, "urge", reason="growing")
    db.as_actor(desk.session, desk.worker)
    side = incident_detail(desk.session, desk.worker, given).side
    assert (side.urges, side.urge_reason, side.urged_at) == (2, "growing", NOW)


def closed(desk: Desk, incident: int) -> None:
    desk.act(desk.worker, incident, "finish")
    desk.act(desk.supervisor, incident, "close")


def test_a_closed_incident_is_reopened_for_some_days_and_counts_as_rework(desk: Desk, given: int) -> None:
    closed(desk, given)
    with pytest.raises(NotPermitted, match="report it anew"):
        desk.act(desk.dispatcher, given, "reopen", reason="citizen", moment=NOW + 16 * DAY)
    assert desk.act(desk.dispatcher, given, "reopen", reason="citizen", moment=NOW + DAY).status == "filed"
    row = desk.session.get_one(Incident, given)
    assert (row.reworks, row.closed_at, row.closed_by, row.due_at) == (1, None, None, NOW + DAY + 3 * HOUR)
    desk.assign(given, desk.other_worker_id, moment=NOW + DAY)
    desk.act(desk.handler, given, "finish", moment=NOW + DAY)
    assert desk.act(desk.supervisor, given, "close", moment=NOW + DAY).status == "closed"


@pytest.fixture
def parks(desk: Desk) -> Unit:
    unit = Unit(
        territory_id=desk.city.territory.id, code="PK", kind="department", name="Parks", valid_from=dt.date(2020, 1, 1)
    )
    db.as_actor(desk.session, desk.city.actor)
    desk.session.add(unit)
    desk.session.flush()
    return unit


def test_joint_handling_ends_when_all_parts_are_done(desk: Desk, given: int, parks: Unit) -> None:
    helper = replace(desk.handler, user_id=None, label="pia", unit_ids=(parks.id,))
    with pytest.raises(NotFound):
        desk.act(helper, given, "finish_part")
    desk.act(desk.dispatcher, given, "join", unit_id=parks.id)
    with pytest.raises(InvalidInput, match="at work on it already"):
        desk.act(desk.dispatcher, given, "join", unit_id=parks.id)
    db.as_actor(desk.session, helper)
    assert [row.id for row in list_incidents(desk.session, helper, IncidentFilter()).rows] == [given]
    assert set(desk.allowed(helper, given)) == {"finish_part", "return_part"}
    with pytest.raises(NotPermitted, match="Other units are still at work"):
        desk.act(desk.worker, given, "finish")
    with pytest.raises(NotPermitted, match="another unit"):
        desk.act(helper, given, "finish")
    assert desk.act(helper, given, "finish_part").status == "dispatched"
    assert desk.act(desk.worker, given, "finish").status == "checking"
    assert desk.act(desk.supervisor, given, "close").status == "closed"


def test_a_part_may_be_returned_and_a_helper_does_not_verify(desk: Desk, given: int, parks: Unit) -> None:
    helper = replace(desk.supervisor, role=Role.HANDLER, unit_ids=(parks.id,))
    desk.act(desk.dispatcher, given, "join", unit_id=parks.id)
    desk.act(helper, given, "return_part", reason="wrong_department")
    desk.act(desk.dispatcher, given, "join", unit_id=parks.id)
    desk.act(helper, given, "finish_part")
    desk.act(desk.worker, given, "finish")
    with pytest.raises(NotPermitted, match="You handled this incident"):
        desk.act(desk.supervisor, given, "close")


def test_a_report_of_the_public_is_verified_before_it_is_filed(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(status="reported", filed_at=None, code="01-02")
    desk.act(desk.supervisor, incident, "ask_verify", worker_id=desk.worker.worker_id)
    with pytest.raises(NotPermitted, match="verify this report on site"):
        desk.act(desk.supervisor, incident, "file")
    db.as_actor(desk.session, desk.supervisor)
    with pytest.raises(DBAPIError, match="verified on site first"), desk.session.begin_nested():
        desk.session.execute(text("UPDATE incident SET status = 'filed' WHERE id = :id"), {"id": incident})
    with pytest.raises(InvalidInput, match="needs a reason"):
        desk.act(desk.worker, incident, "verify")
    desk.act(desk.worker, incident, "verify", reason="found")
    assert desk.act(desk.supervisor, incident, "file").status == "filed"
    task = desk.session.scalars(select(Task).where(Task.incident_id == incident)).one()
    assert (task.kind, task.state, task.outcome) == ("verify", "done", "found")


def test_an_emergency_does_not_wait_for_a_look(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(status="reported", filed_at=None, emergency=True)
    desk.act(desk.supervisor, incident, "ask_verify", worker_id=desk.worker.worker_id)
    assert desk.act(desk.supervisor, incident, "file").status == "filed"


def test_who_did_not_handle_checks_on_site(desk: Desk, given: int) -> None:
    desk.act(desk.worker, given, "finish")
    for who, says in ((desk.worker.worker_id, "does not check it"), (None, "no responsibility grid")):
        with pytest.raises(InvalidInput, match=says):
            desk.act(desk.supervisor, given, "ask_check", worker_id=who)
    desk.act(desk.supervisor, given, "ask_check", worker_id=desk.other_worker_id)
    other = replace(desk.worker, user_id=None, label="w2", worker_id=desk.other_worker_id)
    assert desk.allowed(other, given) == ("check",)
    assert desk.act(other, given, "check", reason="not_solved").status == "checking"
    assert desk.act(desk.supervisor, given, "rework", reason="not_solved").status == "handling"


def test_a_worker_settles_a_simple_own_finding_and_a_supervisor_samples_it(desk: Desk, add_incident: Add) -> None:
    worker = replace(desk.worker, area_ids=(desk.city.west_id,))
    db.as_actor(desk.session, worker)
    simple = {"source": "patrol", "emergency": False, "priority": 3, "code": "01-02"}
    mine = add_incident(**simple)
    urgent = add_incident(**(simple | {"priority": 1}))
    db.as_actor(desk.session, desk.supervisor)
    anothers = add_incident(**simple)
    for incident in (urgent, anothers):
        with pytest.raises(NotPermitted, match="simple finding of your own"):
            desk.act(worker, incident, "self_handle")
        with pytest.raises(DBAPIError, match="one's own"), desk.session.begin_nested():
            desk.session.execute(
                text("UPDATE incident SET status = 'closed', self_handled = true WHERE id = :id"), {"id": incident}
            )
    assert desk.act(worker, mine, "self_handle").status == "closed"
    with pytest.raises(NotPermitted, match="somebody else samples"):
        desk.act(replace(worker, role=Role.SUPERVISOR), mine, "sample")
    assert desk.act(desk.supervisor, mine, "sample").status == "closed"
    with pytest.raises(NotPermitted, match="nothing to sample"):
        desk.act(desk.supervisor, mine, "sample")
    desk.act(desk.supervisor, mine, "reopen", reason="sampling")
    assert desk.session.get_one(Incident, mine).self_handled is False
