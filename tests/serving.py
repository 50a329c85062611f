"""The platform started by a command in a process of its own, as users start it, and stopped afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import ROOT

STREAMLIT = ("streamlit", "run", "streamlit_app.py")
START_WITHIN_S = 240
STOP_WITHIN_S = 60
"""Longer than the command itself waits for its children (15 s): killed, it would leave them behind."""
ANSWER_WITHIN_S = 90
"""A machine that is busy with other things must not fail a test of what is true."""
PORTS = range(15_000, 32_000)
"""Below those that the kernel lends to clients, of whom one could take the port before the server does."""


@dataclass(frozen=True)
class Server:
    """A started command: its address, its process, and where it writes."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path
    trusted: ssl.SSLContext | bool = True

    def answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            asked = httpx.get(f"{self.address}/_stcore/health", verify=self.trusted, timeout=ANSWER_WITHIN_S)
            return asked.status_code == 200
        return False


def free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def served(
    log: Path, module: Sequence[str] = STREAMLIT, *, certificate: Path | None = None, **environment: str
) -> Iterator[Server]:
    """The server of ``python -m module…`` on a free port, once it answers or has ended by itself.

    With a ``certificate`` it is asked by https, and trusted because of that certificate.
    """
    port = str(free_port())
    options = ("--server.port", port) if module[0] == "streamlit" else ()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module, *options],
            cwd=ROOT,
            env={**os.environ, "GRIDKEEPER_PORT": port, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    trusted = True if certificate is None else ssl.create_default_context(cafile=str(certificate))
    scheme = "http" if certificate is None else "https"
    server = Server(f"{scheme}://localhost:{port}", process, log, trusted)
    try:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and process.poll() is None and not server.answers():
            time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
