"""up, down, status, run, jobs run: the database, the pages and the background work."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from types import FrameType

import typer

from app import tls
from app.cli.common import AsJson, emit, progress
from core.errors import Conflict, SourceUnavailable
from core.identity import system_actor
from core.settings import CHECKOUT, settings
from geodata import db
from geodata.status import read_status
from geodata.territory import list_territories

RESTART_PAUSE_S, RESTART_PAUSE_MOST_S = 2.0, 60.0
STEADY_S = 60.0
"""Whoever lived so long is started again after the shortest pause."""
STOP_WAIT_S = 15.0


def register(app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(run)
    groups["jobs"].command("run")(jobs_run)


def up() -> None:
    """Start the database, making it on first use, and bring its schema up to date."""
    with progress() as shown:
        db.ensure_database(shown)
    print("The database is up.")


def down() -> None:
    """Stop the embedded database."""
    if settings().database_url is not None:
        raise Conflict("The database is a server of its own (GRIDKEEPER_DATABASE_URL).", hint="Stop it there.")
    print("The database is stopped." if db.cluster().down() else "The database was not running.")


def status(*, as_json: AsJson = False) -> None:
    """Say whether the database answers, its versions, and how many rows it holds."""
    result: dict[str, object] = {"database": "stopped", "postgis": None, "revision": None, "counts": {}}
    if settings().database_url is None and not db.cluster().answers():
        emit(result, as_json)
        raise typer.Exit(1)
    with db.transaction(system_actor()) as session:
        found = read_status(session)
    result |= {
        "database": f"PostgreSQL {found.postgresql}",
        "postgis": found.postgis,
        "revision": found.revision,
        "counts": dict(found.counts),
    }
    if not found.up_to_date:
        result["note"] = "The schema is not up to date; run: gridkeeper up"
    emit(result, as_json)


def jobs_run(*, once: bool = typer.Option(False, "--once", help="Stop when the queue is empty.")) -> None:
    """Do background jobs until stopped."""
    from app.jobs import serve

    serve(forever=not once)


def run(
    *,
    demo: bool = typer.Option(True, help="Load the demo territory when there is none."),
    city: str = typer.Option("isle-of-wight", help="Which demo territory."),
) -> None:
    """Start everything: database, demo territory on first use, background work, dispatch and the pages."""
    chosen = settings()
    certificate = tls.to_serve_with()
    _refuse_taken_port(chosen.address, chosen.port)
    began = chosen.database_url is None and not db.cluster().answers()
    with progress() as shown:
        db.ensure_database(shown)
    if demo and chosen.demo and _no_territory():
        from app.cli.load_demo import load_demo_city

        load_demo_city(city=city)
    _serve_until_stopped(certificate)
    if began:
        db.cluster().down()


def _no_territory() -> bool:
    with db.transaction(system_actor()) as session:
        return not list_territories(session)


def _refuse_taken_port(address: str, port: int) -> None:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise Conflict(
                f"Port {port} on {address} cannot be used: {error.strerror}.",
                hint="Set GRIDKEEPER_PORT to another one, or stop what uses it.",
            ) from error


class Restart:
    """When a process that died is started again: soon, and ever later while it dies at once."""

    def __init__(self, started: float) -> None:
        self._started, self._pause_s, self._at = started, RESTART_PAUSE_S, math.inf

    def due(self, clock: float) -> bool:
        """Return whether a process that is dead is to be started now; asked again and again until it is."""
        if self._at == math.inf:
            steady = clock - self._started >= STEADY_S
            self._pause_s = RESTART_PAUSE_S if steady else min(RESTART_PAUSE_MOST_S, 2 * self._pause_s)
            self._at = clock + self._pause_s
        if clock < self._at:
            return False
        self._started, self._at = clock, math.inf
        return True


def _serve_until_stopped(certificate: tls.Certificate | None) -> None:
    chosen = settings()
    commands = {
        "pages": [
            *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
            *("--server.port", str(chosen.port), "--server.address", chosen.address, "--server.headless", "true"),
            *tls.server_options(certificate),
        ],
        "jobs": [sys.executable, "-m", "app.cli", "jobs", "run"],
        "dispatch": [sys.executable, "-m", "app.dispatching"],  # the command's own imports take memory
    }
    environment = {**os.environ, "FORWARDED_ALLOW_IPS": chosen.proxies}  # uvicorn's own name for it
    children = {
        name: subprocess.Popen(command, cwd=CHECKOUT, env=environment)  # noqa: S603
        for name, command in commands.items()
    }
    restarts = {name: Restart(time.monotonic()) for name in ("jobs", "dispatch")}
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    shown = "localhost" if chosen.address in {"127.0.0.1", "0.0.0.0"} else chosen.address  # noqa: S104  # nosec B104
    scheme = "https" if certificate else "http"
    print(f"\n  Gridkeeper runs at {scheme}://{shown}:{chosen.port}  (stop with Ctrl-C)\n", flush=True)
    try:
        while not stopping:
            time.sleep(0.3)
            if children["pages"].poll() is not None:
                raise SourceUnavailable("The pages stopped by themselves.", hint="The lines above say why.")
            for name, again in restarts.items():
                if children[name].poll() is not None and again.due(time.monotonic()):
                    children[name] = subprocess.Popen(commands[name], cwd=CHECKOUT)  # noqa: S603
    finally:
        _end(children)


def _end(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_WAIT_S
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
