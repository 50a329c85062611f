"""kill -9 of PostgreSQL in the middle of a load: what was committed stays, the load leaves nothing, and runs again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.demo.load import load_demo
from core.clock import now
from core.errors import SourceUnavailable
from core.identity import system_actor
from core.progress import Silent
from geodata import db, record
from geodata.embedded import Cluster
from geodata.territory import make_territory
from tests.demo_city import TINY_TOWN, write_osm
from tests.killing import kill_server, killable_cluster


class Killer(Silent):
    """Kills the server when a named step begins."""

    def __init__(self, cluster: Cluster, step: str) -> None:
        self._cluster, self._step = cluster, step
        self.killed = False

    def step(self, name: str, total: int | None = None) -> None:  # noqa: ARG002  (the words of `Progress`)
        if name.startswith(self._step):
            kill_server(self._cluster)
            self.killed = True


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with killable_cluster() as made:
        yield made


@pytest.mark.slow
def test_a_load_that_is_cut_off_leaves_what_was_there_and_nothing_else(own_cluster: Cluster, tmp_path: Path) -> None:
    from shapely import box

    path, moment = write_osm(tmp_path / "tiny-town.osm"), now()
    with db.transaction(system_actor()) as session:
        make_territory(session, system_actor(), "before", boundary=box(7.4, 43.7, 7.5, 43.8))
    killer = Killer(own_cluster, "Writing incidents")
    with (
        pytest.raises(SourceUnavailable, match="nothing of this act was kept"),
        db.transaction(system_actor()) as session,
    ):
        load_demo(session, system_actor(), TINY_TOWN, path, until=moment, progress=killer)
    assert killer.killed
    own_cluster.up()
    with db.transaction(system_actor()) as session:
        assert session.execute(text("SELECT name FROM territory")).scalars().all() == ["before"]
        for table in ("incident", "building", "unit_grid", "load_row", "person_key"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
        assert record.first_bad(session) is None
    with db.transaction(system_actor()) as session:
        again = load_demo(session, system_actor(), TINY_TOWN, path, until=moment, progress=Silent())
    with db.transaction(system_actor()) as session:
        assert session.execute(text("SELECT count(*) FROM incident")).scalar() == again.incidents
