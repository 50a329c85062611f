"""Who watches a search: hears the best found and the bound, and may say that it is enough."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from core.progress import Progress


@runtime_checkable
class Watcher(Protocol):
    """A listener that wants to know how good the best found is."""

    def tell(self, found: float, bound: float) -> None:
        """Hear the best found and what no choice can beat, in the unit of the question."""

    def enough(self) -> bool:
        """Return whether the search should end with the best found."""


class Turned:
    """A watcher of a search that counts what is left of a total: people not reached, of all people."""

    def __init__(self, progress: Progress, total: float) -> None:
        self._progress, self._total = progress, total

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a named step."""
        self._progress.step(name, total)

    def advance(self, items: int = 1) -> None:
        """Count."""
        self._progress.advance(items)

    def tell(self, found: float, bound: float) -> None:
        """Hear what is left, and say what that is of the total."""
        tell(self._progress, self._total - found, self._total - bound)

    def enough(self) -> bool:
        """Return whether the search should end."""
        return enough(self._progress)


def tell(progress: Progress, found: float, bound: float) -> None:
    """Say the best found and the bound to whoever listens."""
    if isinstance(progress, Watcher):
        progress.tell(float(found), float(bound))


def enough(progress: Progress) -> bool:
    """Return whether somebody asked to stop and keep the best found."""
    return isinstance(progress, Watcher) and progress.enough()
