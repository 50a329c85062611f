"""The private cluster: made once, found again, alive after kill -9, reachable for nobody else."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.errors import SourceUnavailable
from geodata.embedded import ADMIN, APP, Cluster, find_binaries


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gk-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_cluster(home: Path) -> Iterator[Cluster]:
    made = Cluster(home)
    made.up()
    yield made
    made.down()


def _server_pid(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def test_no_committed_row_is_lost_when_the_server_is_killed_during_a_load(own_cluster: Cluster) -> None:
    with psycopg.connect(own_cluster.conninfo(ADMIN), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n bigint PRIMARY KEY)")
        connection.execute(f"GRANT INSERT, SELECT ON kept TO {APP}")
    acknowledged: list[int] = []
    begun = threading.Event()

    def load() -> None:
        try:
            with psycopg.connect(own_cluster.conninfo(APP)) as connection:
                for batch in range(10_000):
                    with connection.cursor().copy("COPY kept FROM STDIN") as copy:
                        for n in range(100):
                            copy.write_row([batch * 100 + n])
                    connection.commit()
                    acknowledged.append(batch)
                    begun.set()
        except psycopg.OperationalError:
            pass

    loader = threading.Thread(target=load)
    loader.start()
    assert begun.wait(90)
    time.sleep(0.3)
    os.kill(_server_pid(own_cluster), signal.SIGKILL)
    loader.join(90)
    assert not loader.is_alive()
    own_cluster.up()
    with psycopg.connect(own_cluster.conninfo(APP)) as connection:
        kept = {row[0] for row in connection.execute("SELECT DISTINCT n / 100 FROM kept")}
        whole = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert set(acknowledged) <= kept
    assert whole == (len(kept) * 100,), "half a batch was kept"


def test_a_second_start_finds_what_is_there(own_cluster: Cluster, home: Path) -> None:
    pid = _server_pid(own_cluster)
    again = Cluster(home)
    again.up()
    assert _server_pid(again) == pid
    assert own_cluster.down()
    assert not own_cluster.answers()
    assert not own_cluster.down()


def test_the_socket_is_for_the_owner_alone_and_there_is_no_port(own_cluster: Cluster) -> None:
    entry = own_cluster.socket_dir.lstat()
    assert stat.S_ISDIR(entry.st_mode)
    assert stat.S_IMODE(entry.st_mode) == 0o700
    with psycopg.connect(own_cluster.conninfo(ADMIN)) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_a_socket_folder_that_is_a_link_is_refused(home: Path) -> None:
    cluster = Cluster(home)
    folder = cluster.socket_dir
    folder.symlink_to(home)
    try:
        with pytest.raises(SourceUnavailable, match="belongs to somebody else"):
            cluster.up()
    finally:
        folder.unlink()


def test_an_installation_without_postgis_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "initdb").touch()
    (home / "postgres").touch()
    monkeypatch.setattr("geodata.embedded.glob.glob", lambda _pattern: [])
    monkeypatch.setattr("geodata.embedded.shutil.which", lambda _name: None)
    with pytest.raises(SourceUnavailable, match=f"without PostGIS in {home}.*apt-get install postgresql-postgis"):
        find_binaries(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root falls back to another folder")
def test_root_under_a_closed_folder_uses_another_one(home: Path) -> None:
    home.chmod(0o700)
    cluster = Cluster(home / "checkout" / ".state")
    assert cluster.folder.parts[:4] == ("/", "var", "lib", "gridkeeper")
    home.chmod(0o755)
    assert Cluster(home / "checkout" / ".state").folder == home / "checkout" / ".state" / "pg"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_an_ordinary_user_runs_a_cluster_too(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()  # a fresh interpreter may be unreadable for others; this one is loaded already
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            cluster = Cluster(home)
            cluster.up()
            works = cluster.status().postgis is not None and cluster.down()
            os._exit(0 if works else 1)
        except BaseException:  # noqa: BLE001  (the child must never return into the test run)
            traceback.print_exc()
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert (home / "pg" / "data").stat().st_uid == nobody.pw_uid
