"""Who is sent to look at a place: a worker of its grid, on duty before off duty, never one who handled it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Words = tuple[str, str]
WHY_NOBODY: Mapping[str, Words] = {
    "no_grid": ("The unit grid belongs to no responsibility grid.", "该单元网格未划入任何责任网格。"),
    "nobody": ("No worker has this grid.", "该网格没有网格员。"),
    "handled": (
        "Everybody who has this grid handled the incident, and who handled does not check.",
        "负责该网格的人员均处置过本案，处置人不得核查。",
    ),
    "away": ("Everybody who has this grid is away today.", "负责该网格的人员今日均不在岗。"),
}
"""Why nobody could be found, in both languages."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker who has the grid, as of a moment; ``own`` is false for who stands in for another."""

    worker_id: int
    code: str
    on_duty: bool
    away: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Who looks at the place, or why nobody can: a key of `WHY_NOBODY`, empty when somebody was found."""

    worker_id: int | None
    why: str = ""


def choose(candidates: Iterable[Candidate], handled: Collection[int]) -> Found:
    """Return who is sent: on duty before off duty, of the own grid before standing in, by staff number."""
    known = list(candidates)
    if not known:
        return Found(None, "nobody")
    free = [each for each in known if each.worker_id not in handled]
    if not free:
        return Found(None, "handled")
    here = [each for each in free if not each.away]
    if not here:
        return Found(None, "away")
    return Found(min(here, key=lambda each: (not each.on_duty, not each.own, each.code)).worker_id)
