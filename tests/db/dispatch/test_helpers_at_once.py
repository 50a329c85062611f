"""Those who come along, many at once: the clock beside itself, beside answers, plans and hands leaves no half act."""

from __future__ import annotations

import datetime as dt
import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from core.clock import now
from core.errors import GridkeeperError
from core.identity import Role, system_actor
from dispatch import execution, execution_store, field, notices
from dispatch.field_model import PhoneAct
from geodata import db
from geodata.tables import Task
from incidents.service import move
from incidents.store import acts
from tests.db.dispatch.test_execution_at_once import Rush, holds, rush
from tests.dispatched import Stop, write_plan

HOUR = dt.timedelta(hours=1)
LIVE = ("waiting", "accepted", "started")
CLIENTS = 12


@pytest.fixture(scope="module")
def made(demo_database) -> Iterator[Rush]:
    """Incidents whose class takes two."""
    change = text(
        "UPDATE incident_class SET workers = :takes WHERE id IN (SELECT class_id FROM incident WHERE id = ANY (:ids))"
    )
    filed = rush(16)
    with db.transaction(system_actor()) as session:
        session.execute(change, {"takes": 2, "ids": filed.ids})
    yield filed
    with db.transaction(system_actor()) as session:
        session.execute(change, {"takes": 1, "ids": filed.ids})


def pairs_out(made: Rush, chosen: list[int], chance: random.Random) -> None:
    """Publish a plan that sends two to each incident, as they are now."""
    at = now()
    with db.transaction(system_actor(made.home)) as session:
        stops = []
        for number, one in enumerate(chosen):
            lead, along = chance.sample(made.workers, 2)
            start = at + dt.timedelta(minutes=5 + 30 * number)
            stops += [Stop(one, lead, start, start + HOUR / 4), Stop(one, along, start, start + HOUR / 4, along=True)]
        plan = write_plan(session, made.home, at, stops)
    dispatcher = made.actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        execution.publish(session, dispatcher, plan, chosen, command_id=str(uuid.uuid4()))


def parts(made: Rush) -> list[tuple[int, int, int, str]]:
    """Return task, incident, worker and state of every part."""
    with db.transaction(system_actor(made.home)) as session:
        query = select(Task.id, Task.incident_id, Task.worker_id, Task.state).where(
            Task.joint, Task.incident_id.in_(made.ids)
        )
        return [(each[0], each[1], each[2] or 0, each[3]) for each in session.execute(query)]


def at_once(acts: list[Callable[[], object]]) -> Counter[str]:
    """Let all begin at the same moment; what is refused in words is refused, anything else is a fault."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        gate.wait()
        try:
            act()
        except GridkeeperError:
            return "refused"
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, acts))


def clock(made: Rush) -> Callable[[], object]:
    """Return the clock of answers, an hour ahead: what it would do to each is found before all begin."""
    system, at = system_actor(made.home), now() + 3 * HOUR
    crew = dict.fromkeys(made.workers, now() - HOUR)
    with db.transaction(system) as session:
        found = notices.overdue(session, system, at, next_best=lambda _task: made.workers, on_shift=crew)

    def settle() -> None:
        for each in found:
            with db.transaction(system) as session:
                notices.settle_overdue(session, system, each, at)

    return settle


def says(made: Rush, incident: int, worker: int, act: str) -> Callable[[], object]:
    """Return what a phone says."""
    actor = made.as_worker(worker)

    def say() -> None:
        with db.transaction(actor) as session:
            field.apply(session, actor, PhoneAct(str(uuid.uuid4()), act, incident, None, now()))

    return say


def test_the_clock_beside_itself_replaces_each_once(made) -> None:
    pairs_out(made, made.ids[:4], random.Random(1))
    before = {task for task, *_ in parts(made)}
    assert len(before) == 4
    at_once([clock(made) for _ in range(6)])
    rows = parts(made)
    assert [state for task, _, _, state in rows if task in before] == ["cancelled"] * 4
    assert sorted(incident for task, incident, _, _ in rows if task not in before) == sorted(made.ids[:4])
    with db.transaction(system_actor(made.home)) as session:
        bars = "SELECT count(*) FROM pin WHERE kind = 'bar' AND reason = 'no_answer' AND incident_id = ANY (:ids)"
        # Who leads did not answer either.
        assert session.execute(text(bars), {"ids": made.ids[:4]}).scalar_one() == 8
    holds(made)


@pytest.mark.parametrize("act", ["accept_part", "on_way", "return_part"])
def test_an_answer_beside_the_clock_counts_or_comes_too_late_in_words(made, act) -> None:
    pairs_out(made, free(made)[:2], random.Random(act))
    waiting = [row for row in parts(made) if row[3] == "waiting"]
    at_once([*(clock(made) for _ in range(2)), *(says(made, one, who, act) for _, one, who, _ in waiting)])
    holds(made)


def alone(made: Rush, one: int, lead: int) -> Callable[[], execution.Published]:
    """Return the publishing of a plan, a minute from now, that sends only who leads; it waits for nobody."""
    at = now() + dt.timedelta(minutes=1)
    with db.transaction(system_actor(made.home)) as session:
        plan = write_plan(session, made.home, at, [Stop(one, lead, at + 9 * HOUR, at + 10 * HOUR)])
    dispatcher = made.actors[Role.DISPATCHER]

    def publish() -> execution.Published:
        with db.transaction(dispatcher) as session:
            session.execute(text("SET LOCAL lock_timeout = '3s'"))
            return execution.publish(session, dispatcher, plan, [one], command_id=str(uuid.uuid4()), moment=at)

    return publish


@pytest.mark.parametrize("who", ["along", "lead"])
def test_a_plan_that_is_published_while_somebody_answers_waits_for_nobody(made, monkeypatch, who) -> None:
    one = free(made)[0]
    pairs_out(made, [one], random.Random(who))
    with db.transaction(system_actor(made.home)) as session:
        query = select(Task.joint, Task.worker_id).where(Task.incident_id == one, Task.state == "waiting")
        workers = {joint: worker or 0 for joint, worker in session.execute(query)}
    module, name = (execution_store, "own_task") if who == "along" else (acts, "tasks_of")
    asked, came, publish = getattr(module, name), [], alone(made, one, workers[False])

    def meanwhile(*given: object) -> object:
        known = asked(*given)
        if not came:
            came.append(publish())
        return known

    monkeypatch.setattr(module, name, meanwhile)
    says(made, one, workers[who == "along"], "accept_part" if who == "along" else "accept")()
    monkeypatch.undo()
    assert [each.what for each in came[0].done] == ["retimed"]
    assert newest(made, one) == ("accepted" if who == "along" else "waiting")
    assert [each.what for each in alone(made, one, workers[False])().done] == ["retimed"]
    assert newest(made, one) == "cancelled"
    holds(made)


def newest(made: Rush, one: int) -> str:
    """Return the state of the newest part of an incident."""
    return max(row for row in parts(made) if row[1] == one)[3]


def free(made: Rush) -> list[int]:
    """Return the incidents that nobody was called to come along to."""
    taken = {incident for _, incident, _, state in parts(made) if state in LIVE}
    return [one for one in made.ids if one not in taken]


def plays(made: Rush, rank: int, turns: int) -> Counter[str]:
    """Do one client's acts on those who come along."""
    chance, came = random.Random(rank), Counter[str]()
    dispatcher = made.actors[Role.DISPATCHER]

    def hand(act: str) -> None:
        reason = "not_needed" if act == "take_back" else ""
        with db.transaction(dispatcher) as session:
            move(
                session, dispatcher, chance.choice(made.ids), act,
                version=None, command_id=str(uuid.uuid4()), reason=reason, worker_id=chance.choice(made.workers),
            )  # fmt: skip

    def phone() -> None:
        live = [row for row in parts(made) if row[3] in LIVE] or [(0, made.ids[0], made.workers[0], "")]
        _, incident, worker, _ = chance.choice(live)
        says(made, incident, worker, chance.choice(("accept_part", "on_way", "arrive", "finish_part")))()

    def look() -> None:
        clock(made)()

    def lead() -> None:
        says(
            made, chance.choice(made.ids), chance.choice(made.workers), chance.choice(("on_way", "arrive", "finish"))
        )()

    acts: dict[str, Callable[[], object]] = {
        "publish": lambda: pairs_out(made, chance.sample(made.ids, 4), chance),
        "join": lambda: hand("join"),
        "take_back": lambda: hand("take_back"),
        "clock": look,
        "phone": phone,
        "lead": lead,
    }
    for name in chance.choices(list(acts), (4, 2, 2, 2, 6, 2), k=turns):
        try:
            acts[name]()
            came[name] += 1
        except GridkeeperError:
            came["refused"] += 1
    return came


def play_together(made: Rush, turns: int) -> Counter[str]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(lambda rank: plays(made, rank, turns), range(CLIENTS)), Counter())


def test_all_of_them_at_once_leave_no_half_act(made) -> None:
    assert play_together(made, 4)["publish"] > 0
    holds(made)


@pytest.mark.slow
def test_all_of_them_for_long(demo_database, made) -> None:
    for _ in range(3):
        more = rush(20)
        came = play_together(more, 30)
        assert min(came[each] for each in ("publish", "join", "clock", "phone")) > 0
        holds(more)
