"""The board and the proposals on a small town whose streets, workers and tasks are known."""

from __future__ import annotations

import datetime as dt

import pytest
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select, update

from core.errors import NotFound, NotPermitted
from core.identity import Role, system_actor
from dispatch.model import Whereabouts
from dispatch.plan_model import Stop
from dispatch.service import board, proposals
from dispatch.standing_plan import refresh, why
from geodata.tables import Absence, Incident, IncidentClass, ResponsibilityGrid, Task, Unit, UnitGrid, Worker
from tests.map_city import EAST, MIDDLE, WEST, add_incidents, at, make_map_city
from tests.rosters import give_shift

NOON = at("2026-03-03")  # a Tuesday, GMT
STREET = 50.69
HALVES = {"west": (WEST, MIDDLE), "east": (MIDDLE, EAST)}


@pytest.fixture
def city(session, small_city):
    """Two responsibility grids with a worker each on the one street, and a third worker off duty."""
    made = make_map_city(session, halves=small_city)
    territory = made.territory.id
    unit = Unit(territory_id=territory, code="U1", kind="department", name="Roads", valid_from=dt.date(2020, 1, 1))
    session.add(unit)
    session.flush()
    for number, (half, (west, east)) in enumerate(HALVES.items(), start=1):
        shape = shapely.MultiPolygon([shapely.box(west, 50.68, east, 50.70)])
        grid = ResponsibilityGrid(
            territory_id=territory, code=f"R{number}", name=half.title(), boundary=from_shape(shape, 4326)
        )
        session.add(grid)
        session.flush()
        session.execute(
            update(UnitGrid)
            .where(UnitGrid.community_id == made.communities[half])
            .values(responsibility_grid_id=grid.id)
        )
        _worker(session, territory, unit_id=unit.id, code=f"W{number}", grid_id=grid.id)
    _worker(session, territory, unit_id=unit.id, code="W3", grid_id=grid.id, begins=18, ends=22)
    rows = [
        {"reported_at": NOON, "due_at": NOON + dt.timedelta(hours=2), "half": "west"},
        {"reported_at": NOON, "due_at": NOON + dt.timedelta(hours=1), "half": "east"},
        {"reported_at": NOON, "status": "reported"},
    ]
    add_incidents(session, made, rows)
    return made


def _worker(session, territory_id, *, unit_id, code, grid_id, begins=8, ends=17):
    worker = Worker(territory_id=territory_id, unit_id=unit_id, code=code, responsibility_grid_id=grid_id)
    session.add(worker)
    session.flush()
    give_shift(session, territory_id, worker.id, begins * 60, ends * 60)


def _worker_id(session, city, code):
    return session.scalars(select(Worker.id).where(Worker.code == code, Worker.territory_id == city.territory.id)).one()


def _task(session, city, code, *, half, state, finished_at=None):
    incident = session.scalars(select(Incident).where(Incident.grid_id == city.cells[half])).first()
    session.add(
        Task(
            territory_id=city.territory.id,
            incident_id=incident.id,
            kind="check",
            state=state,
            worker_id=_worker_id(session, city, code),
            created_at=NOON,
            finished_at=finished_at,
        )
    )
    session.flush()


def test_the_board_shows_what_waits_most_urgent_first(session, city):
    shown = board(session, city.officer(Role.DISPATCHER), NOON)
    assert [row.community for row in shown.to_send] == ["Eastend", "Westend"]
    assert shown.to_file == 1
    assert shown.not_begun == ()
    assert shown.to_send[0].responsibility_code == "R2"
    assert shown.find(shown.to_send[1].id) is shown.to_send[1]
    assert shown.find(0) is None


def test_the_worker_of_the_grid_is_proposed_with_the_way_on_the_street(session, city):
    actor = city.officer(Role.DISPATCHER)
    east = board(session, actor, NOON).to_send[0]
    found = proposals(session, actor, city.territory, east.id, moment=NOON)
    assert [each.candidate.code for each in found.ranking.ranked] == ["W2", "W1"]
    best = found.ranking.best
    assert best is not None
    assert best.candidate.own_grid
    contender = found.contenders[best.candidate.worker_id]
    assert contender.place.how is Whereabouts.HOME_GRID
    assert contender.line is not None
    assert found.off_duty == 1
    assert [worker.code for worker in found.own_off_duty] == ["W3"]
    # Half of the street, which is held to be 4,000 m long, at 50 km/h.
    assert found.ranking.ranked[1].travel_s == pytest.approx(2000 / (50 / 3.6), rel=0.02)


def test_the_last_task_of_the_shift_tells_where_a_worker_is(session, city):
    actor = city.officer(Role.DISPATCHER)
    east = board(session, actor, NOON).to_send[0]
    _task(session, city, "W1", half="east", state="done", finished_at=NOON - dt.timedelta(hours=1))
    _task(session, city, "W2", half="west", state="done", finished_at=NOON - dt.timedelta(hours=9))
    found = proposals(session, actor, city.territory, east.id, moment=NOON)
    first, second = (found.contenders[_worker_id(session, city, code)] for code in ("W1", "W2"))
    assert first.place.how is Whereabouts.AFTER_TASK
    assert second.place.how is Whereabouts.HOME_GRID  # what ended before the shift tells nothing
    _task(session, city, "W2", half="west", state="started")
    found = proposals(session, actor, city.territory, east.id, moment=NOON)
    second = found.contenders[_worker_id(session, city, "W2")]
    assert (second.place.how, second.open_tasks) == (Whereabouts.AT_TASK, 1)
    begins = {each.candidate.code: each.choice.start_s for each in found.ranking.ranked}
    assert begins["W1"] == pytest.approx(0, abs=60)
    assert begins["W2"] > 500  # what is in hand comes first


@pytest.mark.parametrize("state", ["cancelled", "returned"])
def test_a_task_taken_away_or_returned_does_not_tell_where_a_worker_is(session, city, state):
    actor = city.officer(Role.DISPATCHER)
    east = board(session, actor, NOON).to_send[0]
    _task(session, city, "W1", half="east", state=state, finished_at=NOON - dt.timedelta(hours=1))
    found = proposals(session, actor, city.territory, east.id, moment=NOON)
    assert found.contenders[_worker_id(session, city, "W1")].place.how is Whereabouts.HOME_GRID


def test_at_night_nobody_is_proposed(session, city):
    actor = city.officer(Role.DISPATCHER)
    east = board(session, actor, NOON).to_send[0]
    found = proposals(session, actor, city.territory, east.id, moment=at("2026-03-03", 3))
    assert found.ranking.best is None
    assert found.off_duty == 3


def test_only_dispatchers_and_only_their_own_incidents(session, city):
    actor = city.officer(Role.DISPATCHER)
    for role in (Role.GRID_WORKER, Role.PLANNER, Role.SUPERVISOR, Role.AUDITOR):
        with pytest.raises(NotPermitted, match="may not dispatch"):
            board(session, city.officer(role), NOON)
        with pytest.raises(NotPermitted):
            proposals(session, city.officer(role), city.territory, 1, moment=NOON)
    with pytest.raises(NotFound):
        proposals(session, actor, city.territory, 0, moment=NOON)


def test_an_absent_worker_is_not_proposed_and_the_deputy_owns_the_grid(session, city):
    actor = city.officer(Role.DISPATCHER)
    east = board(session, actor, NOON).to_send[0]
    away, deputy = (_worker_id(session, city, code) for code in ("W2", "W1"))
    session.add(
        Absence(
            territory_id=city.territory.id,
            worker_id=away,
            deputy_id=deputy,
            kind="leave",
            from_on=NOON.date(),
            to_on=NOON.date(),
        )
    )
    session.flush()
    found = proposals(session, actor, city.territory, east.id, moment=NOON)
    assert [(each.candidate.code, each.candidate.own_grid) for each in found.ranking.ranked] == [("W1", True)]
    assert [(worker.code, worker.away) for worker in found.own_off_duty] == [("W2", True), ("W3", False)]
    tomorrow = proposals(session, actor, city.territory, east.id, moment=NOON + dt.timedelta(days=1))
    assert {each.candidate.code: each.candidate.own_grid for each in tomorrow.ranking.ranked} == {
        "W2": True,
        "W1": False,
    }


def test_the_ranking_is_that_of_the_standing_plan(session, city):
    actor = city.officer(Role.DISPATCHER)
    east, west = board(session, actor, NOON).to_send
    refresh(session, system_actor(city.territory.id), city.territory, NOON, Stop(rounds=200))
    for row in (east, west):
        told = why(session, actor, row.id)
        found = proposals(session, actor, city.territory, row.id, moment=NOON).ranking
        assert found.best.candidate.code == told.chosen.worker
        assert found.best.choice.cost_s == pytest.approx(told.chosen.cost_s, abs=1.0)
        assert [each.candidate.code for each in found.ranked[1:]] == [each.worker for each in told.others]
        assert found.ranked[1].against.kind == told.others[0].against.kind


def test_a_report_that_is_in_no_plan_is_ranked_by_the_same_costs(session, city):
    actor = city.officer(Role.DISPATCHER)
    report = session.scalars(select(Incident.id).where(Incident.status == "reported")).one()
    without = proposals(session, actor, city.territory, report, moment=NOON).ranking
    refresh(session, system_actor(city.territory.id), city.territory, NOON, Stop(rounds=200))
    found = proposals(session, actor, city.territory, report, moment=NOON + dt.timedelta(seconds=30)).ranking
    assert {each.candidate.code for each in found.ranked} == {each.candidate.code for each in without.ranked}
    assert all(sum(each.choice.terms.values()) == pytest.approx(each.choice.cost_s) for each in found.ranked)


def test_who_lacks_what_it_takes_stands_last_with_the_reason(session, city):
    actor = city.officer(Role.DISPATCHER)
    east = board(session, actor, NOON).to_send[0]
    one = session.get_one(Incident, east.id)
    session.execute(update(IncidentClass).where(IncidentClass.id == one.class_id).values(equipment=["pump"]))
    session.execute(update(Worker).where(Worker.id == _worker_id(session, city, "W1")).values(equipment=["pump"]))
    found = proposals(session, actor, city.territory, east.id, moment=NOON).ranking
    assert [each.candidate.code for each in found.all] == ["W1", "W2"]
    assert found.all[1].against.en == "Has no pump."
