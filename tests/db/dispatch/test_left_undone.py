"""Work of absent workers, postponed work, more new work than there is room for, and ways round closed streets."""

from __future__ import annotations

import datetime as dt

import pytest
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select

from core.identity import Actor, Role, system_actor
from dispatch import closures, field, standing_plan
from dispatch.filing import SPARE
from dispatch.plan_model import Stop
from dispatch.situation import read_situation
from dispatch.standing_ask import FRESH
from dispatch.standing_plan import offer_new, shift_search
from dispatch.standing_words import why_left
from geodata.tables import Incident, WorkerPosition
from tests.db.dispatch.test_standing_plan import NOON, _give, _id, _incident, _plan, city  # noqa: F401  (fixture)
from tests.map_city import EAST, MIDDLE, WEST, add_incidents

HOUR = dt.timedelta(hours=1)


def _file(session, city, count):  # noqa: F811
    """File work in the east; return it."""
    rows = [{"reported_at": NOON, "due_at": NOON + 3 * HOUR, "half": "east"} for _ in range(count)]
    add_incidents(session, city, rows)
    new = session.scalars(select(Incident).order_by(Incident.id.desc()).limit(count)).all()
    for each in new:
        each.unit_id = _incident(session, city, "east").unit_id
    session.flush()
    return new


def test_postponed_work_gets_no_offer_and_an_old_plan_makes_none(session, city):  # noqa: F811
    _plan(session, city)
    [later] = _file(session, city, 1)
    later.postponed_at, later.postponed_until = NOON, NOON + FRESH
    session.flush()
    actor = system_actor(city.territory.id)
    assert offer_new(session, actor, city.territory, NOON) == []
    assert offer_new(session, actor, city.territory, NOON + 2 * FRESH) == []
    [offer] = offer_new(session, actor, city.territory, NOON + FRESH)
    assert offer.work.incident_id == later.id


def test_more_new_work_than_room_waits_for_the_next_plan(session, city):  # noqa: F811
    _plan(session, city)
    new = _file(session, city, SPARE + 4)
    actor = system_actor(city.territory.id)
    assert 0 < len(offer_new(session, actor, city.territory, NOON)) <= SPARE
    assert offer_new(session, actor, city.territory, NOON) == []
    made = _plan(session, city)
    assert {each.id for each in new} <= {row.incident_id for row in made.rows}
    assert offer_new(session, actor, city.territory, NOON) == []


@pytest.mark.parametrize("state", ["waiting", "accepted"])
def test_work_of_an_absent_worker_is_for_anybody_and_a_person_looks(session, city, state):  # noqa: F811
    _give(session, city, "east", "W3", state)
    made = _plan(session, city)
    row = made.row(_incident(session, city, "east").id)
    assert (row.worker_code, row.change, row.was_worker_id) == ("W2", "moved", _id(session, city, "W3"))
    assert (row.safe, row.needs.kind) == (False, "off_shift")
    assert (row.needs.en, row.needs.zh) == ("Its worker W3 is off shift.", "其办理人员 W3 未在班。")
    assert (made.summary.need_you, made.terms["change"]) == (1, 0.0)


def test_what_an_absent_worker_has_begun_is_told(session, city):  # noqa: F811
    _give(session, city, "east", "W3", "started")
    made = _plan(session, city)
    assert made.row(_incident(session, city, "east").id) is None
    [left] = made.unserved
    assert (left.incident_id, left.why.kind) == (_incident(session, city, "east").id, "begun_off_shift")
    assert "W3" in left.way_out.en
    assert "W3" in left.way_out.zh
    assert made.summary.need_you == 1


@pytest.mark.parametrize(("kind", "zh"), [("verify", "核实"), ("check", "核查"), ("visit", "回访")])
def test_the_look_of_an_absent_worker_needs_a_person_and_names_the_deputy(session, city, kind, zh):  # noqa: F811
    look = _give(session, city, "east", "W3", "accepted")
    look.kind = kind
    session.flush()
    made = _plan(session, city)
    [left] = made.unserved
    assert (left.incident_id, left.why.kind) == (_incident(session, city, "east").id, "look_off_shift")
    assert (zh in left.why.zh, "W3" in left.why.en) == (True, True)
    assert ("W2" in left.way_out.en, "W2" in left.way_out.zh) == (True, True)  # the east is hers
    assert made.summary.need_you == 1


def test_who_is_named_for_a_look_is_on_shift_then(session, city):  # noqa: F811
    look = _give(session, city, "east", "W2", "waiting")
    look.kind = "verify"
    session.flush()
    situation = read_situation(session, city.territory, NOON + 9 * HOUR)
    [(row, worker, deputy)] = situation.left
    assert (row.kind, worker, deputy) == ("verify", "W2", "W3")
    assert "W3" in why_left(row, worker, deputy)[1].en
    way_out = why_left(row, worker, None)[1]
    assert way_out.en == "Give it to somebody on shift, or keep it until W2 is back."


def test_the_way_on_the_phone_leads_round_what_is_closed(session, city):  # noqa: F811
    worker, here = _id(session, city, "W1"), city.territory.id
    place = from_shape(shapely.Point((WEST + MIDDLE) / 2, 50.69), 4326)
    session.add(WorkerPosition(worker_id=worker, territory_id=here, at=NOON, geom=place, accuracy_m=5))
    session.flush()
    walker = Actor(None, "W1", Role.GRID_WORKER, here, worker_id=worker)
    goal = _incident(session, city, "east").id
    assert field.way_to(session, walker, city.territory, goal, moment=NOON).seconds is not None
    across = shapely.LineString([(MIDDLE, 50.68), (MIDDLE, 50.70)])
    dispatcher = city.officer(Role.DISPATCHER)
    closures.add_closure(session, dispatcher, city.territory, name="x", shape=across, moment=NOON)
    shut = field.way_to(session, walker, city.territory, goal, moment=NOON)
    assert (shut.seconds, shut.line) == (None, ())  # the only street there is


def test_a_click_far_from_every_street_picks_none(session, city):  # noqa: F811
    actor = city.officer(Role.DISPATCHER)
    assert closures.stretch_at(session, actor, (WEST + EAST) / 2, 50.6905) is not None
    assert closures.stretch_at(session, actor, (WEST + EAST) / 2, 50.72) is None


def test_what_a_long_search_found_is_begun_with_and_undoes_nothing(session, city, monkeypatch):  # noqa: F811
    made = _plan(session, city)
    actor = system_actor(city.territory.id)
    assert shift_search(session, actor) is None
    monkeypatch.setattr(standing_plan, "START_TASKS", 1)
    problem, stop = shift_search(session, actor)
    assert (sorted(task.id for task in problem.tasks), stop.seconds) == (sorted(row.number for row in made.rows), 5.05)
    [new] = _file(session, city, 1)  # while it searched
    west, east = (made.row(_incident(session, city, half).id).number for half in ("west", "east"))
    none = Stop(rounds=1)
    worse = _plan(session, city, stop=none, first={"W1": [east], "W2": [west]})
    assert {row.incident_id for row in worse.rows} == {new.id, *(row.incident_id for row in made.rows)}
    assert worse.row(_incident(session, city, "west").id).worker_code == "W1"  # the plan before was the cheaper
