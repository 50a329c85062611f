"""How long work tells where it stands and hears that it should stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from core.errors import GridkeeperError


class Cancelled(GridkeeperError):
    """The work was stopped on request; nothing half-done is kept."""


class Progress(Protocol):
    """A listener to long work."""

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a named step of ``total`` items (None: unknown)."""

    def advance(self, items: int = 1) -> None:
        """Say that ``items`` more are done; raises `Cancelled` when the work should stop."""


class Silent:
    """Progress that nobody watches."""

    def step(self, name: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, items: int = 1) -> None:
        """Do nothing."""


class Lines:
    """Progress as plain lines: a line per step, and a line every ``every_s`` seconds with the rate."""

    def __init__(self, write: Callable[[str], object] = print, every_s: float = 2.0) -> None:
        self._write = write
        self._every_s = every_s
        self._name, self._done = "", 0
        self._total: int | None = None
        self._began = self._said = time.monotonic()

    def step(self, name: str, total: int | None = None) -> None:
        """Print the name of the step that begins."""
        self._name, self._total, self._done = name, total, 0
        self._began = self._said = time.monotonic()
        self._write(f"  {name}" + (f" ({total:,})" if total else ""))

    def advance(self, items: int = 1) -> None:
        """Count, and now and then print how far and how fast."""
        self._done += items
        now = time.monotonic()
        if now - self._said < self._every_s:
            return
        self._said = now
        rate = self._done / max(now - self._began, 1e-9)
        of = f" of {self._total:,}" if self._total else ""
        self._write(f"    {self._name}: {self._done:,}{of}, {rate:,.0f} a second")
