"""Many at once on the demo city: publishers, hands, workers and the clock leave no double and no half act."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, Role, system_actor
from dispatch import execution, notices
from geodata import db
from geodata.tables import AppUser, Incident, Task, Worker
from incidents.service import list_incidents, move, report
from incidents.work import NewReport
from people import accounts
from tests.dispatched import in_line, what_is_broken, write_plan

CLIENTS = 16
SETTINGS = "SELECT coalesce(max(id), 0) FROM incident"


@dataclasses.dataclass
class Rush:
    """Filed incidents, the workers, and an actor of each role; ``since`` is the last incident before them."""

    actors: dict[Role, Actor]
    ids: list[int]
    workers: list[int]
    since: int

    @property
    def home(self) -> int:
        return self.actors[Role.DISPATCHER].territory_id or 0

    def as_worker(self, worker_id: int) -> Actor:
        return dataclasses.replace(self.actors[Role.GRID_WORKER], worker_id=worker_id)


def rush(incidents: int) -> Rush:
    """File incidents of one place, and take eight workers."""
    with db.transaction(system_actor()) as session:
        actors = {account.role: account.actor() for account in accounts.demo_accounts(session)}
        since = int(session.execute(text(SETTINGS)).scalar_one())
        workers = list(session.scalars(select(Worker.id).where(Worker.active).order_by(Worker.id).limit(8)))
        assert session.scalar(select(AppUser.id).limit(1)) is not None
    supervisor = actors[Role.SUPERVISOR]
    with db.transaction(supervisor) as session:
        place = list_incidents(session, supervisor, limit=1).rows[0]
        new = NewReport("event-04-03", place.lon, place.lat)
        ids = [report(session, supervisor, new, command_id=str(uuid.uuid4())).incident_id for _ in range(incidents)]
    return Rush(actors, ids, workers, since)


def planned(made: Rush, chance: random.Random, size: int) -> tuple[int, list[int]]:
    """Write a plan of some incidents as they are now."""
    some = chance.sample(made.ids, min(size, len(made.ids)))
    at = now()
    with db.transaction(system_actor(made.home)) as session:
        free = set(
            session.scalars(
                select(Incident.id).where(Incident.id.in_(some), Incident.status.in_(("filed", "dispatched")))
            )
        )
        chosen = [each for each in some if each in free]
        pairs = [(each, chance.choice(made.workers)) for each in chosen]
        return write_plan(session, made.home, at, in_line(pairs, at + dt.timedelta(minutes=5))), chosen


def plays(made: Rush, rank: int, turns: int) -> Counter[str]:
    """Do one client's acts; what is refused is refused, anything else is a fault."""
    chance, came = random.Random(rank), Counter[str]()
    dispatcher, system = made.actors[Role.DISPATCHER], system_actor(made.home)

    def publish() -> None:
        plan, chosen = planned(made, chance, 12)
        with db.transaction(dispatcher) as session:
            done = execution.publish(session, dispatcher, plan, chosen, command_id=str(uuid.uuid4()))
        came["sent"] += sum(each.what == "sent" for each in done.done)
        came["stale"] += len(done.stale)

    def override() -> None:
        with db.transaction(dispatcher) as session:
            execution.override(
                session, dispatcher, chance.choice(made.ids), chance.choice(made.workers),
                reason="skill", version=None, command_id=str(uuid.uuid4()),
            )  # fmt: skip

    def work() -> None:
        actor = made.as_worker(chance.choice(made.workers))
        acts: dict[str, Callable[..., object]] = {"on_way": execution.on_way, "arrive": execution.arrive}
        act, incident = chance.choice((*acts, "finish", "return")), chance.choice(made.ids)
        with db.transaction(actor) as session:
            if act in acts:
                acts[act](session, actor, incident, command_id=str(uuid.uuid4()))
            else:
                reason = "shift_ends" if act == "return" else ""
                move(session, actor, incident, act, version=None, command_id=str(uuid.uuid4()), reason=reason)

    def clock() -> None:
        crew = dict.fromkeys(made.workers, now() - dt.timedelta(hours=3))
        later = now() + dt.timedelta(minutes=chance.choice((0, 10)))
        with db.transaction(system) as session:
            notices.time_out(session, system, later, next_best=lambda _task: made.workers, on_shift=crew)

    def deliver() -> None:
        with db.transaction(system) as session:
            notices.deliver(session, system)

    for _ in range(turns):
        act = chance.choices((publish, override, work, clock, deliver), (4, 2, 6, 1, 1))[0]
        try:
            act()
            came[act.__name__] += 1
        except GridkeeperError:
            came["refused"] += 1
    return came


def play_together(made: Rush, turns: int) -> Counter[str]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        futures = [pool.submit(plays, made, rank, turns) for rank in range(CLIENTS)]
        return sum((each.result() for each in futures), Counter())


def holds(made: Rush) -> None:
    """Check that nothing is broken, and that every message arrives exactly once."""
    with db.transaction(system_actor()) as session:
        assert what_is_broken(session, made.since) == {}
        while notices.deliver(session, system_actor()):
            pass
        told = session.execute(text("SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM notice)")).one()
        assert told[0] == told[1]
        assert session.execute(text("SELECT count(*) FROM outbox WHERE sent_at IS NULL")).scalar_one() == 0


def test_sixteen_clients_leave_no_double(demo_database) -> None:
    made = rush(20)
    came = play_together(made, 4)
    assert came["sent"] > 0
    holds(made)


@pytest.mark.slow
def test_sixteen_clients_for_long(demo_database) -> None:
    made = rush(400)
    came = play_together(made, 150)
    assert min(came[each] for each in ("publish", "override", "work", "clock", "deliver", "stale")) > 0
    holds(made)


def test_sixteen_publishers_of_one_plan_send_each_once(demo_database) -> None:
    made = rush(12)
    plan, chosen = planned(made, random.Random(1), 12)
    dispatcher = made.actors[Role.DISPATCHER]

    def publish(_rank: int) -> Counter[str]:
        with db.transaction(dispatcher) as session:
            done = execution.publish(session, dispatcher, plan, chosen, command_id=str(uuid.uuid4()))
        return Counter(each.what for each in done.done) + Counter(stale=len(done.stale))

    with ThreadPoolExecutor(CLIENTS) as pool:
        came = sum(pool.map(publish, range(CLIENTS)), Counter())
    assert came["sent"] == 12
    assert sum(came.values()) == 12 * CLIENTS
    with db.transaction(system_actor()) as session:
        tasks = session.scalars(select(Task.incident_id).where(Task.incident_id.in_(chosen))).all()
    assert sorted(tasks) == sorted(chosen)
    holds(made)
