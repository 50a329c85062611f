"""Many at once: threads that assign the same incidents, and a command sent twice at the same moment."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from core.clock import now
from core.errors import Conflict, GridkeeperError
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import Incident, Task, Worker
from incidents.model import IncidentFilter
from incidents.service import assign_task, list_incidents, move, report
from incidents.work import NewReport
from people import accounts

THREADS = 8
LIVE = ("waiting", "accepted", "started")


@pytest.fixture(scope="module")
def actors(demo_database) -> dict[Role, Actor]:
    with db.transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture
def filed(actors, request) -> list[tuple[int, int]]:
    """Id and version of filed incidents; as many as a test says, else one."""
    supervisor = actors[Role.SUPERVISOR]
    with db.transaction(supervisor) as session:
        place = list_incidents(session, supervisor, limit=1).rows[0]
        new = NewReport("event-04-03", place.lon, place.lat)
        made = [
            report(session, supervisor, new, command_id=str(uuid.uuid4())) for _ in range(getattr(request, "param", 1))
        ]
    return [(done.incident_id, done.version) for done in made]


def in_threads(work: Callable[[int], Counter[str]]) -> Counter[str]:
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)), Counter())


@pytest.mark.slow  # sixteen clients below do more of it
@pytest.mark.parametrize("filed", [200], indirect=True)
def test_eight_threads_assigning_the_same_tasks_leave_no_double(actors, filed) -> None:
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(system_actor()) as session:
        workers = list(session.scalars(select(Worker.id).order_by(Worker.id)))

    def dispatch(rank: int) -> Counter[str]:
        came = Counter[str]()
        order = random.Random(rank).sample(filed, len(filed))
        for incident_id, version in order:
            try:
                with db.transaction(dispatcher) as session:
                    assign_task(
                        session, dispatcher, incident_id, workers[rank % len(workers)],
                        version=version, command_id=str(uuid.uuid4()),
                    )  # fmt: skip
                came["assigned"] += 1
            except Conflict as told:
                came["told" if "status: filed → dispatched" in told.message else told.message] += 1
        return came

    came = in_threads(dispatch)
    assert came == {"assigned": len(filed), "told": len(filed) * (THREADS - 1)}
    ids = [incident_id for incident_id, _ in filed]
    with db.transaction(system_actor()) as session:
        per_incident = session.execute(
            select(Task.incident_id, func.count()).where(Task.incident_id.in_(ids)).group_by(Task.incident_id)
        ).all()
        owners = session.execute(
            select(Incident.worker_id, Task.worker_id)
            .join(Task, Task.incident_id == Incident.id)
            .where(Incident.id.in_(ids), Task.state.in_(LIVE))
        ).all()
    assert [count for _, count in per_incident] == [1] * len(filed)
    assert len(owners) == len(filed)
    assert all(told == does for told, does in owners)


def test_one_command_from_eight_threads_is_applied_once(actors) -> None:
    supervisor = actors[Role.SUPERVISOR]
    with db.transaction(supervisor) as session:
        place = list_incidents(session, supervisor, limit=1).rows[0]
    new = NewReport("event-01-02", place.lon, place.lat, text="One call, eight clicks", source="patrol")
    command = str(uuid.uuid4())

    def send(_rank: int) -> Counter[str]:
        with db.transaction(supervisor) as session:
            done = report(session, supervisor, new, command_id=command)
        return Counter([f"{done.number} {'again' if done.repeated else 'first'}"])

    came = in_threads(send)
    assert sorted(came.values()) == [1, THREADS - 1]
    assert len({told.split()[0] for told in came}) == 1


def test_a_refused_act_leaves_its_command_free(actors, filed) -> None:
    dispatcher, command = actors[Role.DISPATCHER], str(uuid.uuid4())
    incident_id, version = filed[0]
    with pytest.raises(Conflict), db.transaction(dispatcher) as session:
        move(session, dispatcher, incident_id, "dispatch", version=version + 5, command_id=command)
    with db.transaction(dispatcher) as session:
        done = move(session, dispatcher, incident_id, "dispatch", version=version, command_id=command)
    assert (done.status, done.repeated) == ("dispatched", False)
    with db.transaction(dispatcher) as session:
        rows = list_incidents(session, dispatcher, IncidentFilter(text=done.number)).rows
    assert [row.version for row in rows] == [done.version]


CLIENTS, CONTESTED = 16, 12
RUSH = {
    Role.DISPATCHER: (("assign", ""), ("dispatch", ""), ("reassign", ""), ("reopen", "citizen")),
    Role.SUPERVISOR: (("close", ""), ("rework", "not_solved"), ("urge", "late"), ("grant_extension", "")),
    Role.GRID_WORKER: (("start", ""), ("finish", ""), ("return", "wrong_place"), ("ask_extension", "weather")),
}


@pytest.mark.parametrize("filed", [CONTESTED], indirect=True)
def test_sixteen_clients_of_three_roles_at_the_same_incidents_leave_one_history_each(actors, filed) -> None:
    """Every act that was told done is one version, and what stands in the end obeys the law."""
    worker_id = actors[Role.GRID_WORKER].worker_id
    until = now() + dt.timedelta(days=2)

    def client(rank: int) -> Counter[int]:
        came, chance = Counter[int](), random.Random(rank)
        actor = actors[list(RUSH)[rank % len(RUSH)]]
        for _ in range(40):
            incident_id, _ = chance.choice(filed)
            act, reason = chance.choice(RUSH[actor.role])
            given = {"worker_id": worker_id} if act in {"assign", "reassign"} else {}
            try:
                with db.transaction(actor) as session:
                    move(
                        session, actor, incident_id, act, version=None, command_id=str(uuid.uuid4()), reason=reason,
                        until=until if act == "ask_extension" else None, **given,
                    )  # fmt: skip
                came[incident_id] += 1
            except GridkeeperError:
                continue
        return came

    with ThreadPoolExecutor(CLIENTS) as pool:
        done = sum(pool.map(client, range(CLIENTS)), Counter())
    ids = [incident_id for incident_id, _ in filed]
    with db.transaction(system_actor()) as session:
        for row in session.scalars(select(Incident).where(Incident.id.in_(ids))):
            handling = (Task.incident_id == row.id, Task.kind == "handle", Task.state.in_(LIVE))
            live = session.scalars(select(Task).where(*handling)).all()
            assert row.version == 1 + done[row.id]
            assert len(live) == (row.status in {"dispatched", "handling"})
            assert row.closed_by is None or row.closed_by == actors[Role.SUPERVISOR].user_id
    assert sum(done.values()) > CONTESTED
