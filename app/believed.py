"""Answers that are believed for a few seconds, so that not every request asks the database who it is from."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Believed(Generic[T]):
    """Keeps at most ``size`` answers for ``seconds`` each; that there is none is never believed."""

    def __init__(self, *, seconds: float, size: int) -> None:
        self.seconds, self.size = seconds, size
        self._kept: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def known(self, key: str) -> T | None:
        """Return what is believed of a key; None when nothing is."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def get(self, key: str, ask: Callable[[], T | None]) -> T | None:
        """Return what is believed of a key, else what ``ask`` says now; None when it knows nothing."""
        moment, known = time.monotonic(), self.known(key)
        if known is not None:
            return known
        found = ask()
        with self._lock:
            self._kept.pop(key, None)
            if found is not None:
                if len(self._kept) >= self.size:
                    self._kept.clear()
                self._kept[key] = (moment + self.seconds, found)
        return found

    def forget(self) -> None:
        """Drop everything, after something was ended here."""
        with self._lock:
            self._kept.clear()
