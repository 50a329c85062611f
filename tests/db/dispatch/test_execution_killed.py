"""kill -9 of PostgreSQL and of who delivers: what was told done is there, nothing is half, every message arrives."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import GridkeeperError
from core.identity import Role, system_actor
from dispatch import execution, notices
from geodata import db
from tests.conftest import ROOT
from tests.db.dispatch.test_execution_at_once import Rush, holds, planned, rush
from tests.demo_city import load_tiny_town
from tests.dispatched import what_is_broken
from tests.killing import kill_server, killable_cluster

CLIENTS, TOLD_BEFORE_THE_KILL = 16, 40
POSTMAN = """
import sys
from core.identity import system_actor
from dispatch import notices
from geodata import db

actor = system_actor()
with db.transaction(actor) as session:
    ids = notices.claim(session, actor)
if "handed" in sys.argv:
    with db.transaction(actor) as session:
        notices.hand_in(session, actor, ids)
print(len(ids), flush=True)
sys.stdin.readline()
"""


def publish_until(made: Rush, rank: int, told: dict[str, int], over: threading.Event) -> None:
    """Publish plans until the server is gone."""
    chance, dispatcher = random.Random(rank), made.actors[Role.DISPATCHER]
    while not over.is_set():
        command = str(uuid.uuid4())
        try:
            plan, chosen = planned(made, chance, 6)
            with db.transaction(dispatcher) as session:
                done = execution.publish(session, dispatcher, plan, chosen, command_id=command)
            told[command] = sum(each.what == "sent" for each in done.done)
        except GridkeeperError:
            over.wait(0.05)


def counted() -> tuple[int, int]:
    """Return how many messages wait to be settled, and how many of them have arrived."""
    query = (
        "SELECT count(*), count(n.id) FROM outbox AS o LEFT JOIN notice AS n ON n.outbox_id = o.id"
        " WHERE o.sent_at IS NULL"
    )
    with db.transaction(system_actor()) as session:
        waiting, arrived = session.execute(text(query)).one()
    return waiting, arrived


@pytest.mark.slow
def test_what_was_published_is_there_and_nothing_is_half_done(tmp_path: Path) -> None:
    with killable_cluster() as cluster:
        load_tiny_town(tmp_path)
        made = rush(120)
        told: dict[str, int] = {}
        over = threading.Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            for rank in range(CLIENTS):
                pool.submit(publish_until, made, rank, told, over)
            while len(told) < TOLD_BEFORE_THE_KILL:
                over.wait(0.02)
            kill_server(cluster)
            over.set()
        cluster.up()
        with db.transaction(system_actor()) as session:
            query = "SELECT id FROM command WHERE act = 'publish' AND result IS NOT NULL"
            assert set(told) <= set(session.execute(text(query)).scalars())
            assert what_is_broken(session, made.since) == {}
        holds(made)


@pytest.mark.slow
def test_the_server_is_killed_between_commit_and_send(tmp_path: Path) -> None:
    with killable_cluster() as cluster:
        load_tiny_town(tmp_path)
        made = rush(12)
        plan, chosen = planned(made, random.Random(3), 12)
        dispatcher = made.actors[Role.DISPATCHER]
        with db.transaction(dispatcher) as session:
            execution.publish(session, dispatcher, plan, chosen, command_id=str(uuid.uuid4()))
        with db.transaction(system_actor()) as session:
            ids = notices.claim(session, system_actor())
        assert len(ids) == 12
        # The messages are written and not yet committed when the server goes. What is left of it may still commit:
        # all of them arrived or none, and each counts once.
        with contextlib.suppress(GridkeeperError), db.transaction(system_actor()) as session:
            assert notices.hand_in(session, system_actor(), ids) == 12
            kill_server(cluster)
        cluster.up()
        assert counted() in {(12, 0), (12, 12)}
        holds(made)


@pytest.mark.slow
@pytest.mark.parametrize("how_far", ["claimed", "handed"])
def test_who_delivers_is_killed_between_commit_and_send(demo_database, how_far: str) -> None:
    """Claimed and not handed in, or handed in and not settled: both arrive, and count once."""
    made = rush(12)
    plan, chosen = planned(made, random.Random(3), 12)
    dispatcher = made.actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        execution.publish(session, dispatcher, plan, chosen, command_id=str(uuid.uuid4()))
    started = subprocess.Popen(
        [sys.executable, "-c", POSTMAN, how_far], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert int(started.stdout.readline()) == 12
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    assert counted() == (12, 12 if how_far == "handed" else 0)
    with db.transaction(system_actor()) as session:
        assert notices.claim(session, system_actor()) != []
    holds(made)
