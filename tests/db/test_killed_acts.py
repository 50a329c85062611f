"""kill -9 of PostgreSQL under sixteen clients: what was told done is there, every act is whole or not at all."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import GridkeeperError
from core.identity import Actor, Role, system_actor
from geodata import db, record
from incidents.service import list_incidents, move, report
from incidents.work import Done, NewReport
from people import accounts
from tests.demo_city import load_tiny_town
from tests.killing import kill_server, killable_cluster

CLIENTS, TOLD_BEFORE_THE_KILL = 16, 150


def file_and_send(actors: dict[Role, Actor], new: NewReport, told: dict[str, Done], over: threading.Event) -> None:
    """File incidents and send them to their unit until the server is gone."""
    supervisor, dispatcher = actors[Role.SUPERVISOR], actors[Role.DISPATCHER]
    while not over.is_set():
        filing, sending = str(uuid.uuid4()), str(uuid.uuid4())
        try:
            with db.transaction(supervisor) as session:
                done = report(session, supervisor, new, command_id=filing)
            told[filing] = done
            with db.transaction(dispatcher) as session:
                sent = move(session, dispatcher, done.incident_id, "dispatch", version=done.version, command_id=sending)
            told[sending] = sent
        except GridkeeperError:
            over.wait(0.05)


@pytest.mark.slow
def test_what_was_told_done_is_there_and_nothing_is_half_done(tmp_path: Path) -> None:
    with killable_cluster() as cluster:
        load_tiny_town(tmp_path)
        with db.transaction(system_actor()) as session:
            actors = {account.role: account.actor() for account in accounts.demo_accounts(session)}
            before = session.execute(text("SELECT count(*) FROM incident")).scalar_one()
        supervisor = actors[Role.SUPERVISOR]
        with db.transaction(supervisor) as session:
            place = list_incidents(session, supervisor, limit=1).rows[0]
        new = NewReport("event-04-03", place.lon, place.lat, text="Burst main")
        told: dict[str, Done] = {}
        over = threading.Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            for _ in range(CLIENTS):
                pool.submit(file_and_send, actors, new, told, over)
            while len(told) < TOLD_BEFORE_THE_KILL:
                over.wait(0.02)
            kill_server(cluster)
            over.set()
        cluster.up()
        with db.transaction(system_actor()) as session:
            applied = session.execute(text("SELECT id FROM command WHERE result IS NOT NULL"))
            answered = set(applied.scalars())
            assert session.execute(text("SELECT count(*) FROM command WHERE result IS NULL")).scalar_one() == 0
            assert set(told) <= answered
            incidents = session.execute(text("SELECT count(*) FROM incident")).scalar_one()
            filed = session.execute(text("SELECT count(*) FROM command WHERE act = 'report'")).scalar_one()
            assert incidents == before + filed
            half = session.execute(
                text(
                    "SELECT count(*) FROM incident AS i WHERE i.id > :before AND (i.status = 'dispatched')"
                    " <> EXISTS (SELECT FROM task AS t WHERE t.incident_id = i.id AND t.kind = 'handle'"
                    " AND t.state IN ('waiting', 'accepted', 'started'))"
                ),
                {"before": min(done.incident_id for done in told.values()) - 1},
            ).scalar_one()
            assert half == 0
            assert record.first_bad(session) is None
        command, first = next((key, done) for key, done in told.items() if done.status == "filed")
        with db.transaction(supervisor) as session:
            again = report(session, supervisor, new, command_id=command)
        assert (again.number, again.repeated) == (first.number, True)
