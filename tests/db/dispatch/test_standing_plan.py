"""The standing plan on a small town whose streets, workers and tasks are known."""

from __future__ import annotations

import datetime as dt

import pytest
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select, text, update

from core.errors import NotFound, NotPermitted
from core.identity import Role, system_actor
from dispatch import costs, standing_ask, store_plan
from dispatch.plan_model import Stop
from dispatch.standing_plan import compare, look, make_room, offer_new, refresh, standing_plan, why
from geodata.tables import Incident, Pin, Plan, ResponsibilityGrid, Task, Unit, UnitGrid, Worker, WorkerPosition
from tests.map_city import EAST, MIDDLE, WEST, add_incidents, at, make_map_city
from tests.rosters import give_shift

NOON = at("2026-03-03")  # a Tuesday, GMT
HALVES = {"west": (WEST, MIDDLE), "east": (MIDDLE, EAST)}
STOP = Stop(rounds=200)
ACROSS_S = 2000 / (50 / 3.6)
"""From the middle of one half to that of the other."""


@pytest.fixture
def city(session, small_city):
    """Two responsibility grids with a worker each on the one street, a third worker off duty; two incidents filed."""
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
        mine = UnitGrid.community_id == made.communities[half]
        session.execute(update(UnitGrid).where(mine).values(responsibility_grid_id=grid.id))
        _worker(session, territory, unit_id=unit.id, code=f"W{number}", grid_id=grid.id)
    _worker(session, territory, unit_id=unit.id, code="W3", grid_id=grid.id, begins=18, ends=22)
    hours = {"west": 4, "east": 3}
    rows = [{"reported_at": NOON, "due_at": NOON + dt.timedelta(hours=h), "half": half} for half, h in hours.items()]
    add_incidents(session, made, rows)
    session.execute(update(Incident).where(Incident.territory_id == territory).values(unit_id=unit.id))
    return made


def _worker(session, territory_id, *, unit_id, code, grid_id, begins=8, ends=17):
    worker = Worker(territory_id=territory_id, unit_id=unit_id, code=code, responsibility_grid_id=grid_id)
    session.add(worker)
    session.flush()
    give_shift(session, territory_id, worker.id, begins * 60, ends * 60)
    return worker.id


def _plan(session, city, moment=NOON, **more):
    actor = system_actor(city.territory.id)
    return refresh(session, actor, city.territory, moment, more.pop("stop", STOP), **more)


def _incident(session, city, half):
    return session.scalars(select(Incident).where(Incident.grid_id == city.cells[half]).order_by(Incident.id)).first()


def _id(session, city, code):
    return session.scalars(select(Worker.id).where(Worker.code == code, Worker.territory_id == city.territory.id)).one()


def _give(session, city, half, code, state, **more):
    """Send an incident out to a worker, as it stands in the tables then."""
    incident, worker = _incident(session, city, half), _id(session, city, code)
    task = Task(
        territory_id=city.territory.id,
        incident_id=incident.id,
        kind="handle",
        state=state,
        worker_id=worker,
        unit_id=incident.unit_id,
        created_at=NOON - dt.timedelta(minutes=30),
        accepted_at=None if state == "waiting" else NOON - dt.timedelta(minutes=20),
        **more,
    )
    session.add(task)
    incident.status, incident.worker_id = ("handling" if state == "started" else "dispatched"), worker
    session.flush()
    return task


def test_each_worker_gets_the_work_of_the_own_grid_and_the_plan_is_kept(session, city):
    made = _plan(session, city)
    assert [(row.worker_code, row.change, row.safe) for row in made.rows] == [("W1", "new", True), ("W2", "new", True)]
    first = made.rows[0]
    assert (first.incident_id, first.place_in_route) == (_incident(session, city, "west").id, 1)
    assert (first.end_at - first.start_at, first.late_s) == (dt.timedelta(minutes=20), 0.0)
    assert first.slack_s == pytest.approx(4 * 3600, abs=300)
    assert (first.title("en"), first.title("zh")) == (first.title_en, first.title_zh)
    assert (made.summary.safe, made.summary.need_you, made.summary.open_tasks, made.summary.workers) == (2, 0, 2, 2)
    assert (made.unserved, made.told, made.left_out, made.stale) == ((), (), {}, False)
    read = standing_plan(session, city.officer(Role.DISPATCHER), NOON)
    assert read == made
    assert made.row(first.incident_id) == first
    assert standing_plan(session, city.officer(Role.DISPATCHER), NOON + dt.timedelta(minutes=4)).stale


def test_a_plan_is_stale_when_an_incident_in_it_changed(session, city):
    _plan(session, city)
    session.execute(update(Incident).where(Incident.id == _incident(session, city, "west").id).values(version=9))
    assert standing_plan(session, city.officer(Role.DISPATCHER), NOON).stale


def test_the_same_rounds_and_seed_make_the_same_plan(session, city):
    first, second = (_plan(session, city, anew=True, seed=3) for _ in range(2))
    assert [(row.worker_code, row.start_at) for row in first.rows] == [
        (row.worker_code, row.start_at) for row in second.rows
    ]
    assert first.id != second.id


def test_only_the_newest_plans_are_kept_and_fewer_problems(session, city, monkeypatch):
    monkeypatch.setattr(store_plan, "KEPT", 3)
    for _ in range(4):
        _plan(session, city, stop=Stop(rounds=1))
    kept = session.scalars(select(Plan).where(Plan.territory_id == city.territory.id)).all()
    assert len(kept) == 3
    with_problem = select(Plan.id).where(Plan.territory_id == city.territory.id, Plan.snapshot.is_not(None))
    assert len(session.scalars(with_problem).all()) == 2


def test_why_names_workers_and_tasks_as_they_are_called(session, city):
    made = _plan(session, city)
    row = made.rows[0]
    told = why(session, city.officer(Role.DISPATCHER), row.incident_id)
    assert (told.task, told.chosen.worker) == (row.number, "W1")
    assert [each.worker for each in told.others] == ["W2"]
    assert told.others[0].against is not None
    standing_ask._kept.clear()  # another process reads it from the database
    assert why(session, city.officer(Role.DISPATCHER), row.incident_id) == told
    with pytest.raises(NotFound, match="not in the standing plan"):
        why(session, city.officer(Role.DISPATCHER), 0)


def test_another_choice_costs_the_way_across_and_the_owner(session, city):
    made = _plan(session, city)
    other = _id(session, city, "W2")
    found = compare(session, city.officer(Role.DISPATCHER), made.rows[0].incident_id, other)
    assert (found.chosen_id, found.worker_id, found.cannot) == (_id(session, city, "W1"), other, None)
    assert found.terms["owner"] == pytest.approx(300)
    assert found.more_s == pytest.approx(sum(found.terms.values()))
    assert found.more_s > 300
    same = compare(session, city.officer(Role.DISPATCHER), made.rows[0].incident_id, made.rows[0].worker_id)
    assert same.more_s == 0
    with pytest.raises(NotFound, match="not on shift"):
        compare(session, city.officer(Role.DISPATCHER), made.rows[0].incident_id, _id(session, city, "W3"))


def test_started_work_never_moves_and_its_worker_begins_there(session, city):
    _give(session, city, "east", "W1", "started", arrived_at=NOON - dt.timedelta(minutes=5))
    made = _plan(session, city)
    fixed = next(row for row in made.rows if row.change == "fixed")
    assert (fixed.worker_code, fixed.place_in_route, fixed.travel_s) == ("W1", 1, 0.0)
    assert fixed.end_at == NOON + dt.timedelta(minutes=15)
    assert fixed.safe


def test_what_the_worker_expects_counts(session, city):
    expected = NOON + dt.timedelta(minutes=90)
    _give(session, city, "west", "W1", "started", arrived_at=NOON, expected_done_at=expected)
    made = _plan(session, city)
    assert next(row.end_at for row in made.rows if row.change == "fixed") == expected


def test_work_that_was_given_out_stays_unless_it_costs_more_than_the_change(session, city):
    actor, east = system_actor(city.territory.id), _incident(session, city, "east")
    _give(session, city, "east", "W1", "accepted")
    kept = _plan(session, city).row(east.id)
    assert (kept.worker_code, kept.change) == ("W1", "retimed")
    costs.set_cost_table(session, actor, {"change_s": 0}, version=0)
    moved = _plan(session, city).row(east.id)
    assert (moved.worker_code, moved.change, moved.was_worker_id) == ("W2", "moved", _id(session, city, "W1"))
    assert (moved.safe, moved.needs.kind) == (False, "accepted")
    session.execute(text("UPDATE task SET accepted_at = NULL, state = 'waiting'"))
    moved = _plan(session, city).row(east.id)
    assert (moved.worker_code, moved.change, moved.safe) == ("W2", "moved", True)


def test_a_refusal_bars_a_pin_holds_and_a_person_looks(session, city):
    incident = _incident(session, city, "west")
    pin = Pin(
        territory_id=city.territory.id,
        incident_id=incident.id,
        worker_id=_id(session, city, "W1"),
        kind="bar",
        reason="x",
    )
    session.add(pin)
    session.flush()
    barred = _plan(session, city).row(incident.id)
    assert (barred.worker_code, barred.safe, barred.needs.kind) == ("W2", False, "refused")
    assert "W1" in barred.needs.en
    assert "W1" in barred.needs.zh
    pin.kind, pin.worker_id = "pin", _id(session, city, "W2")
    session.flush()
    pinned = _plan(session, city).row(incident.id)
    assert (pinned.worker_code, pinned.safe) == ("W2", True)


def test_emergencies_and_what_has_no_unit_or_no_time_need_a_person(session, city):
    west, east = _incident(session, city, "west"), _incident(session, city, "east")
    west.emergency = True
    east.unit_id = None
    session.flush()
    made = _plan(session, city)
    assert {row.incident_id: row.needs.kind for row in made.rows} == {west.id: "emergency", east.id: "no_unit"}
    assert (made.summary.safe, made.summary.need_you) == (0, 2)
    west.emergency, east.unit_id, west.due_at = False, west.unit_id, NOON - dt.timedelta(hours=1)
    east.due_at = NOON + dt.timedelta(minutes=8)
    session.flush()
    made = _plan(session, city)
    assert {row.incident_id: row.needs.kind for row in made.rows} == {west.id: "late", east.id: "close_call"}
    assert made.row(west.id).late_s >= 3600


def test_bad_places_and_postponed_work_never_block_the_others(session, city):
    add_incidents(session, city, [{"reported_at": NOON, "half": "west"}, {"reported_at": NOON, "half": "west"}])
    _, sea, waits = session.scalars(
        select(Incident).where(Incident.grid_id == city.cells["west"]).order_by(Incident.id)
    ).all()
    sea.geom = from_shape(shapely.Point(-1.305, 50.75), 4326)
    waits.postponed_at, waits.postponed_until = NOON, NOON + dt.timedelta(days=1)
    lost = _worker(
        session, city.territory.id, unit_id=_incident(session, city, "west").unit_id, code="W4", grid_id=None
    )
    session.flush()
    made = _plan(session, city)
    assert len(made.rows) == 2
    assert [(each.incident_id, each.why.kind) for each in made.unserved] == [(sea.id, "off_network")]
    assert made.unserved[0].way_out is not None
    assert waits.id not in {row.incident_id for row in made.rows}
    assert {code: each.kind for code, each in made.left_out.items()} == {"W4": "no_position"}
    with pytest.raises(NotFound):
        compare(session, city.officer(Role.DISPATCHER), waits.id, lost)
    assert compare(session, city.officer(Role.DISPATCHER), made.rows[0].incident_id, lost).cannot.kind == "no_position"


def test_at_night_everything_waits_with_the_reason(session, city):
    made = _plan(session, city, at("2026-03-03", 3))
    assert made.rows == ()
    assert {each.why.kind for each in made.unserved} == {"nobody"}
    actor = system_actor(city.territory.id)
    seen = look(session, actor, city.territory, NOON)
    assert (seen.crew, seen.crew_before, seen.work_open) == (frozenset({"W1", "W2"}), frozenset(), True)


def test_a_fresh_position_counts_and_an_old_one_does_not(session, city):
    middle = from_shape(shapely.Point(MIDDLE, 50.69), 4326)
    there = WorkerPosition(
        worker_id=_id(session, city, "W2"), territory_id=city.territory.id, at=NOON, geom=middle, accuracy_m=5
    )
    session.add(there)
    session.flush()
    east = _incident(session, city, "east").id
    assert _plan(session, city).row(east).travel_s == pytest.approx(ACROSS_S / 2, rel=0.1)
    there.at = NOON - dt.timedelta(hours=1)
    session.flush()
    assert _plan(session, city).row(east).travel_s == pytest.approx(0, abs=40)


def test_new_work_gets_an_offer_at_once_and_once(session, city):
    made = _plan(session, city)
    add_incidents(session, city, [{"reported_at": NOON, "due_at": NOON + dt.timedelta(hours=3), "half": "east"}])
    new = session.scalars(select(Incident).order_by(Incident.id.desc()).limit(1)).one()
    new.unit_id = _incident(session, city, "east").unit_id
    session.flush()
    actor = system_actor(city.territory.id)
    assert make_room(session, actor, city.territory, NOON)  # as the process does as soon as a plan stands
    offers = offer_new(session, actor, city.territory, NOON)
    assert [(each.work.incident_id, each.change, each.needs) for each in offers] == [(new.id, "new", None)]
    row = standing_plan(session, city.officer(Role.DISPATCHER), NOON).row(new.id)
    assert (row.plan_id, row.worker_code, row.place_in_route in {1, 2}) == (made.id, "W2", True)
    assert row.start_at >= NOON
    assert offer_new(session, actor, city.territory, NOON) == []
    _, loaded = standing_ask._newest(session, city.territory.id)
    for other in range(-3, 0):  # plans of other territories push it out of no memory
        standing_ask.remember(session, other, 1, loaded)
    assert standing_ask._newest(session, city.territory.id) == (made.id, loaded)
    standing_ask._kept.clear()  # the process begins anew
    assert offer_new(session, actor, city.territory, NOON) == []
    assert _plan(session, city).row(new.id).worker_code == "W2"


def test_only_who_dispatches_plans_and_asks(session, city):
    _plan(session, city)
    for role in (Role.GRID_WORKER, Role.PLANNER, Role.SUPERVISOR, Role.AUDITOR, Role.HANDLER):
        actor = city.officer(role)
        for act in (
            lambda actor=actor: standing_plan(session, actor),
            lambda actor=actor: refresh(session, actor, city.territory, NOON, STOP),
            lambda actor=actor: why(session, actor, 1),
            lambda actor=actor: compare(session, actor, 1, 1),
            lambda actor=actor: offer_new(session, actor, city.territory),
            lambda actor=actor: make_room(session, actor, city.territory),
        ):
            with pytest.raises(NotPermitted, match="may not dispatch"):
                act()
