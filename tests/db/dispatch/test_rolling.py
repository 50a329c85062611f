"""Closures, the cost table, the dispatch process and its commands, on the small demo city."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
import shapely
from sqlalchemy import Engine, text

from app import dispatching
from app.cli import main
from app.dispatching import CHANNELS, DEBOUNCE_S, HEARTBEAT_S, Dispatching, Turn, begins
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from dispatch import closures, costs
from dispatch.plan_model import Stop, Weights
from dispatch.standing_plan import refresh, standing_plan
from geodata import db
from geodata.listening import DISPATCH_LOCK, is_held, listening
from geodata.roads import network_of
from geodata.territory import TerritoryInfo, list_territories
from tests.rosters import everybody_on_shift

STOP = Stop(rounds=100)
NOON = now().replace(hour=12, minute=0, second=0, microsecond=0)
"""Of today, whenever the test runs: in the last hour of a shift there is room for little."""


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("app.dispatching.now", "dispatch.standing_plan.clock_now", "dispatch.standing_ask.clock_now"):
        monkeypatch.setattr(place, lambda: NOON)


@pytest.fixture(scope="module")
def town(demo_database: Engine) -> TerritoryInfo:
    """The town with everybody on shift and twenty incidents filed."""
    del demo_database
    with db.transaction(system_actor()) as session:
        everybody_on_shift(session, NOON)
        territory = list_territories(session)[0]
    _file(20)
    return territory


def _file(count: int) -> list[int]:
    """Let closed incidents be filed and wait to be sent out; return their ids."""
    with db.transaction(system_actor()) as session:
        return list(
            session.scalars(
                text(
                    "UPDATE incident SET status = 'filed', closed_at = NULL, handled_at = NULL, dispatched_at = NULL,"
                    " closed_by = NULL, dispatched_by = NULL, worker_id = NULL, filed_at = now(),"
                    " due_at = CAST(:noon AS timestamptz) + interval '6 hours' WHERE id IN"
                    " (SELECT i.id FROM incident AS i WHERE i.status = 'closed' AND i.duplicate_of IS NULL"
                    " AND NOT EXISTS (SELECT FROM task AS t WHERE t.incident_id = i.id"
                    " AND t.state IN ('waiting', 'accepted', 'started'))"
                    " ORDER BY i.id DESC LIMIT :count) RETURNING id"
                ),
                {"count": count, "noon": NOON},
            )
        )


def _dispatcher(town: TerritoryInfo) -> Actor:
    return Actor(None, "dispatcher", Role.DISPATCHER, town.id)


def test_a_closed_street_changes_the_ways_as_a_plain_search_says(town):
    actor, at = _dispatcher(town), now()
    with db.transaction(actor) as session:
        made = closures.close_street(session, actor, town, "high street", reason="works", moment=at)
        network = closures.network_now(session, town, "drive", at)
        whole = network_of(session, town, "drive")
        assert closures.network_now(session, town, "walk", at) is network_of(session, town, "walk")
        assert closures.network_now(session, town, "drive", at) is network
        assert closures.network_now(session, town, "drive", at - dt.timedelta(hours=1)) is whole
    assert [(each.name, each.reason, each.stretches, each.version) for each in made] == [
        ("High Street", "works", 12, 1)
    ]
    shut = set(closures.stretches_shut(whole, [made[0].shape]).tolist())
    plain = nx.DiGraph()
    for k, (tail, head) in enumerate(whole.ends.tolist()):
        if k not in shut:
            plain.add_edge(tail, head, weight=whole.forward_s[k])
            plain.add_edge(head, tail, weight=whole.backward_s[k])
    lines = [shapely.get_coordinates(line)[[0, -1]] for line in whole.lines]
    corners = {
        node: place
        for pair, places in zip(whole.ends, lines, strict=True)
        for node, place in zip(pair, places, strict=True)
    }
    some = sorted(set(plain.nodes))[::17]
    points = shapely.transform(shapely.points([corners[node] for node in some]), _degrees(town))
    found = network.travel_s(shapely.get_coordinates(points), shapely.get_coordinates(points))
    for row, node in enumerate(some):
        there = nx.single_source_dijkstra_path_length(plain, node)
        expected = [there.get(other, np.inf) for other in some]
        assert found[row] == pytest.approx(expected, abs=1.0)
    with db.transaction(actor) as session:
        assert [each.id for each in closures.list_closures(session, actor)] == [made[0].id]
        closures.end_closure(session, actor, made[0].id, version=1)
        assert closures.list_closures(session, actor) == []
        assert closures.network_now(session, town, "drive", now()) is whole
        with pytest.raises(Conflict, match="opened or changed"):
            closures.end_closure(session, actor, made[0].id, version=1)
        with pytest.raises(NotFound):
            closures.end_closure(session, actor, 0, version=1)


def _degrees(town: TerritoryInfo):
    from pyproj import Transformer

    turned = Transformer.from_crs(town.metric_srid, 4326, always_xy=True)
    return lambda xy: np.column_stack(turned.transform(xy[:, 0], xy[:, 1]))


def test_closing_is_recorded_announced_and_for_dispatchers(town):
    actor = _dispatcher(town)
    with listening(CHANNELS, DISPATCH_LOCK, "dispatch") as ears:
        with pytest.raises(Conflict, match="Another dispatch process"), listening(CHANNELS, DISPATCH_LOCK, "dispatch"):
            pass
        with db.transaction(actor) as session:
            assert is_held(session, DISPATCH_LOCK)
            one = closures.stretch_at(session, actor, -1.2915, 50.6945)
            assert one is not None
            made = closures.add_closure(session, actor, town, name=f" {one.name} ", shape=one.line)
            assert (made.name, made.to_at, made.stretches) == (one.name, None, 1)
        assert ("gridkeeper_dispatch", f"{town.id}:closures") in ears.hear(5.0)
        with db.transaction(actor) as session:
            closures.end_closure(session, actor, made.id, version=1)
        assert ("gridkeeper_dispatch", f"{town.id}:closures") in ears.hear(5.0)
    with db.transaction(system_actor(town.id)) as session:
        acts = session.execute(
            text("SELECT action FROM record WHERE subject_table = 'closure' AND subject_id = :id ORDER BY seq"),
            {"id": str(made.id)},
        ).all()
        assert [each.action for each in acts] == ["insert", "update"]
        for role in (Role.SUPERVISOR, Role.GRID_WORKER, Role.PLANNER):
            with pytest.raises(NotPermitted):
                closures.add_closure(session, Actor(None, "x", role, town.id), town, name="x", shape=one.line)
        for wrong in (
            {"name": " ", "shape": one.line},
            {"name": "x", "shape": one.line, "to_at": now() - dt.timedelta(hours=1)},
            {"name": "x", "shape": shapely.LineString([(0, 0), (0, 1)])},
        ):
            with pytest.raises(InvalidInput) as refused:
                closures.add_closure(session, actor, town, **wrong)
            assert refused.value.hint
            assert refused.value.zh


def test_costs_are_set_by_version_and_the_plan_reckons_with_them(town):
    actor = _dispatcher(town)
    with db.transaction(actor) as session:
        table = costs.cost_table(session, actor)
        assert (table, table.version) == (costs.Costs(), 0)
        set_ = costs.set_cost_table(session, actor, {"owner_s": 900, "unserved_s": [0, 0, 0], "lateness": 0}, version=0)
        assert (set_.weights.owner_s, set_.weights.unserved_s, set_.version) == (900.0, (0.0, 0.0, 0.0), 1)
        with pytest.raises(Conflict):
            costs.set_cost_table(session, actor, {"owner_s": 1}, version=0)
        more = costs.set_cost_table(session, actor, {"owner_by_class": {"3": 60}}, version=1)
        assert (more.weights.owner_s, more.owner_by_class, costs.cost_table(session, actor)) == (900.0, {3: 60.0}, more)
        for wrong in ({"x": 1}, {"owner_s": -1}, {"owner_s": "1"}, {"response": [1, 2]}, {"owner_by_class": {"y": 1}}):
            with pytest.raises(InvalidInput) as refused:
                costs.set_cost_table(session, actor, wrong, version=2)
            assert refused.value.hint
        plan = refresh(session, system_actor(town.id), town, stop=STOP)
        assert not [row for row in plan.rows if row.change == "new"]  # leaving work out costs less than any way
        session.rollback()
    assert Weights().owner_s == 300.0


def test_the_process_offers_at_once_then_plans_anew(town, monkeypatch):
    clock = SimpleNamespace(s=1000.0, monotonic=lambda: clock.s)  # a slow machine must not make the second pass
    monkeypatch.setattr(dispatching, "time", clock)
    work = Dispatching()
    assert work.work() == 1
    actor = _dispatcher(town)
    with db.transaction(actor) as session:
        first = standing_plan(session, actor)
    assert first is not None
    assert {row.change for row in first.rows} >= {"new"}
    assert work.wait_s(clock.s) == HEARTBEAT_S
    [new] = _file(1)
    work.heard(f"{town.id}:incidents", clock.s)
    assert work.wait_s(clock.s) == DEBOUNCE_S
    assert work.work() == 0  # an offer only; the plan comes when the second is over
    with db.transaction(actor) as session:
        offered = standing_plan(session, actor)
    assert offered is not None
    assert (offered.id, offered.row(new) is not None) == (first.id, True)
    clock.s += DEBOUNCE_S
    assert work.work() == 1
    with db.transaction(actor) as session:
        after = standing_plan(session, actor)
    assert after is not None
    assert after.id > first.id
    assert after.row(new) is not None


def test_when_the_plan_is_made():
    territory = TerritoryInfo(7, "x", "X", "X", 32630, "local", "UTC", (0, 0, 1, 1), (0, 0, 9))
    work = Dispatching()
    work.turns[7] = Turn(territory, due=160.0, rested=100.0)
    work.heard("7:plan", 100.0)
    work.heard("8:tasks", 100.0)
    work.heard("rubbish", 100.0)
    assert work.turns[7].due == 160.0
    work.heard("7:tasks", 110.0)
    work.heard("7:tasks", 110.5)
    assert (work.turns[7].due, work.turns[7].offers) == (111.0, False)
    work.turns[7].rested, work.turns[7].due = 115.0, 160.0
    work.heard("7:incidents", 112.0)
    assert (work.turns[7].due, work.turns[7].offers) == (115.0, True)
    assert begins(frozenset(), frozenset({"a"}))
    assert not begins(frozenset({"a", "b", "c"}), frozenset({"a", "b", "c", "d"}))
    assert not begins(frozenset({"a"}), frozenset())


def test_the_process_begins_again_when_the_database_went_away(town, monkeypatch):
    began = []

    def ends(_work, _ears):
        began.append(1)
        if len(began) == 1:
            raise dispatching.SourceUnavailable("away")
        raise SystemExit(0)

    monkeypatch.setattr(dispatching, "_keep", ends)
    monkeypatch.setattr(dispatching, "RETRY_S", 0.0)
    monkeypatch.setattr(dispatching.os, "nice", lambda _: 0)
    monkeypatch.setattr(dispatching.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit):
        dispatching.serve()
    assert len(began) == 2


def _run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["dispatch", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_commands_plan_show_why_close_open_and_set(town, capsys):
    code, out, _ = _run(capsys, "plan", "--rounds", "50", "--json")
    plan = json.loads(out)
    assert (code, plan["summary"]["workers"]) == (0, 12)
    assert len(plan["rows"]) + len(plan["unserved"]) >= 20
    row = next(each for each in plan["rows"] if each["change"] == "new")
    code, out, _ = _run(capsys, "show")
    assert code == 0
    assert row["incident"] in out
    code, out, _ = _run(capsys, "why", row["incident"].lower(), "--json")
    told = json.loads(out)
    assert (code, told["chosen"]["worker"], len(told["others"]) > 0) == (0, row["worker"], True)
    assert _run(capsys, "why", "nothing")[0] != 0
    code, out, _ = _run(capsys, "close-street", "Mill Lane", "--hours", "2", "--json")
    [closed] = json.loads(out)["closed"]
    assert (code, closed["name"], closed["stretches"]) == (0, "Mill Lane", 12)
    assert _run(capsys, "close-street", "No Such Street")[0] != 0
    code, _, err = _run(capsys, "close-street", "x", "--shape", "LINE(")
    assert (code, "cannot be read" in err) == (2, True)
    assert str(closed["id"]) in _run(capsys, "closures")[1]
    assert _run(capsys, "open-street", str(closed["id"]))[0] == 0
    assert _run(capsys, "open-street", str(closed["id"]))[0] != 0
    assert json.loads(_run(capsys, "costs", "--set", "owner_s=400", "--json")[1])["owner_s"] == 400
    code, _, err = _run(capsys, "costs", "--set", "owner=1")
    assert (code, "no term 'owner'" in err) == (2, True)
    assert _run(capsys, "costs", "--set", "owner_s=much")[0] == 2
