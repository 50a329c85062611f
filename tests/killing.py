"""A private cluster with durable writes, and how its server is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine

from geodata.embedded import DATABASE, OWNER, Cluster
from geodata.migrations import upgrade
from tests.conftest import _as_application_database


@contextlib.contextmanager
def killable_cluster() -> Iterator[Cluster]:
    """Give a running, migrated cluster of its own; `geodata.db` points at it."""
    folder = Path(tempfile.mkdtemp(prefix="gk-killed-"))
    folder.chmod(0o755)
    made = Cluster(folder)
    made.up()
    owner = create_engine(made.url(OWNER))
    upgrade(owner)
    owner.dispose()
    with contextlib.contextmanager(_as_application_database)(made, DATABASE):
        yield made
    made.down()
    shutil.rmtree(folder, ignore_errors=True)


def kill_server(cluster: Cluster) -> None:
    """Kill the server as the power cut would: no time to write anything."""
    os.kill(int((cluster.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
