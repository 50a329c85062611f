"""kill -9 of PostgreSQL at random points of a load into a data set: the file is in whole, or not at all."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.errors import SourceUnavailable
from core.identity import system_actor
from core.progress import Silent
from geodata import db
from geodata.exchange_load import Intake, load_file
from geodata.territory import TerritoryInfo, make_territory
from tests.killing import kill_server, killable_cluster

ROWS = 60_000


class Killer(Silent):
    """Kills the server at the n-th word of the load."""

    def __init__(self, cluster, at: int) -> None:
        self._cluster, self._left = cluster, at

    def step(self, name: str, total: int | None = None) -> None:  # noqa: ARG002  (the words of `Progress`)
        self.advance()

    def advance(self, items: int = 1) -> None:  # noqa: ARG002
        self._left -= 1
        if not self._left:
            kill_server(self._cluster)


def write(path: Path, power: int) -> Path:
    rows = "".join(f"L{n},{power},{7.4 + n % 300 / 3000},{43.75}{'x' * 60}\n".replace("x", "0") for n in range(ROWS))
    path.write_text("id,power,lon,lat\n" + rows)
    return path


def bring(territory: TerritoryInfo, path: Path, progress=None):
    actor = system_actor(territory.id)
    with db.transaction(actor) as session:
        nowhere = np.zeros
        intake = Intake("lamps", lambda lon, _lat: nowhere(len(lon), dtype=np.int64))
        return load_file(session, actor, territory, path, intake, progress=progress)


def state(territory: TerritoryInfo) -> tuple[int, int, int]:
    with db.transaction(system_actor(territory.id)) as session:
        batches, open_rows = session.execute(
            text("SELECT (SELECT count(*) FROM data_batch), (SELECT count(*) FROM data_set_row WHERE valid_to IS NULL)")
        ).one()
        left = session.execute(
            text("SELECT count(*) FROM pg_class WHERE relname ~ '^data_set_row_[0-9]+$'")
        ).scalar_one()
    return batches, open_rows, left


@pytest.mark.slow
def test_a_file_is_in_whole_or_not_at_all(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.csv", 60), write(tmp_path / "b.csv", 80)
    chance = random.Random(58)
    with killable_cluster() as cluster:
        with db.transaction(system_actor()) as session:
            territory = make_territory(session, system_actor(), "here", boundary=shapely.box(7.3, 43.7, 7.6, 43.8))
        for path, before in ((first, (0, 0, 0)), (second, (1, ROWS, 1))):
            for _ in range(2):
                with pytest.raises((SourceUnavailable, OperationalError)):
                    bring(territory, path, Killer(cluster, chance.randint(2, 3)))
                cluster.up()
                assert state(territory) == before
            done = bring(territory, path)
            assert done.loaded + done.changed == ROWS
        assert state(territory) == (2, ROWS, 1)
