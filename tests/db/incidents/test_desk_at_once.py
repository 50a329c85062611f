"""Several desks at once: links that would close a circle, an end while somebody links, one write-back for two."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.errors import GridkeeperError
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import Incident
from geodata.territory import list_territories
from incidents.service import duplicates, list_incidents, move, report, upstream
from incidents.work import NewReport
from people import accounts

HEAD = "工单编号,受理时间,诉求内容,事发地址,诉求分类"


@pytest.fixture(scope="module")
def actors(demo_database) -> dict[Role, Actor]:
    with db.transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def file(actor: Actor, count: int) -> list[int]:
    with db.transaction(actor) as session:
        place = list_incidents(session, actor, limit=1).rows[0]
        new = NewReport("component-04-07", place.lon, place.lat, source="patrol")
        return [report(session, actor, new, command_id=str(uuid.uuid4())).incident_id for _ in range(count)]


def links(actor: Actor, child: int, root: int) -> Callable[[], bool]:
    def run() -> bool:
        try:
            with db.transaction(actor) as session:
                duplicates.link(session, actor, child, root, version=None, command_id=str(uuid.uuid4()))
        except GridkeeperError:
            return False
        return True

    return run


def at_once(works: list[Callable[[], bool]]) -> list[bool]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result() for each in [pool.submit(work) for work in works]]


def roots(ids: list[int]) -> dict[int, int | None]:
    with db.transaction(system_actor()) as session:
        return dict(session.execute(select(Incident.id, Incident.duplicate_of).where(Incident.id.in_(ids))).all())


def test_links_in_a_circle_at_once_leave_one_root(actors) -> None:
    for _ in range(3):
        ids = file(actors[Role.SUPERVISOR], 3)
        circle = list(zip(ids, [*ids[1:], ids[0]], strict=True))
        at_once([links(actors[Role.DISPATCHER], child, root) for child, root in circle])
        found = roots(ids)
        alone = [each for each in ids if found[each] is None]
        assert alone, "a circle"
        assert all(root is None or found[root] is None for root in found.values()), "more than one level"


def test_a_root_that_ends_while_somebody_links_takes_everybody_along(actors) -> None:
    supervisor = actors[Role.SUPERVISOR]
    root, *children = file(supervisor, 4)

    def ends() -> bool:
        with db.transaction(supervisor) as session:
            command = str(uuid.uuid4())
            move(session, supervisor, root, "void", version=None, command_id=command, reason="trial")
        return True

    came = at_once([*(links(actors[Role.DISPATCHER], child, root) for child in children), ends])
    with db.transaction(system_actor()) as session:
        rows = session.execute(select(Incident.id, Incident.status).where(Incident.id.in_(children))).all()
    status = dict(rows)
    for child, linked in zip(children, came, strict=False):
        assert status[child] == ("void" if linked else "filed")


def territory_of(actor: Actor):
    with db.transaction(actor) as session:
        return next(each for each in list_territories(session) if each.id == actor.territory_id)


def test_two_who_bring_in_and_write_back_at_once_do_it_once(actors, tmp_path: Path) -> None:
    supervisor, numbers = actors[Role.SUPERVISOR], itertools.count()
    territory = territory_of(supervisor)
    path = tmp_path / "day.csv"
    path.write_text(HEAD + "".join(f"\nAT-{n},2026-01-02 09:00,路灯不亮,Oak Avenue,路灯" for n in range(8)))
    loaded, told = [], []

    def brings() -> bool:
        with db.transaction(supervisor) as session:
            loaded.append(
                upstream.import_upstream(session, supervisor, territory, path, name=str(next(numbers))).loaded
            )
        return True

    def tells() -> bool:
        with db.transaction(supervisor) as session:
            told.append([ref for ref, _ in upstream.write_back(session, supervisor, territory).rows])
        return True

    at_once([brings, brings, brings])
    at_once([tells, tells, tells])
    assert sorted(loaded) == [0, 0, 8]
    assert sorted(map(len, told)) == [0, 0, 8]


@pytest.mark.slow
def test_killed_in_the_middle_an_import_leaves_nothing_and_is_done_again(actors, tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_text(HEAD + "".join(f"\nKI-{n},2026-01-02 09:00,路灯不亮,Oak Avenue,路灯" for n in range(400)))
    command = [sys.executable, "-m", "app.cli", "upstream", "import", str(path)]
    known = text("SELECT count(*) FROM incident WHERE external_ref LIKE 'KI-%'")
    seen = 0
    for _ in range(3):
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert running.stderr is not None
        for line in running.stderr:
            if "Taking reports in" in line:
                break
        time.sleep(0.5)
        running.kill()
        running.wait()
        with db.transaction(system_actor()) as session:
            seen = session.execute(known).scalar_one()
        assert seen in {0, 400}
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    with db.transaction(system_actor()) as session:
        assert session.execute(known).scalar_one() == 400
    with db.transaction(system_actor()) as session:
        assert session.execute(text("SELECT count(*) FROM upstream_item WHERE ref LIKE 'KI-%'")).scalar_one() == 400
    assert actors
