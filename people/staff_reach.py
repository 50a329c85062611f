"""How far somebody reaches in the staff list, and who sees names there."""

from __future__ import annotations

from core.errors import NotPermitted
from core.identity import Actor, May, Role
from people.worker_model import GridRef


def sees_names(actor: Actor) -> bool:
    """Return whether the actor sees names and phones: who manages workers, and who sends them out."""
    return actor.may(May.MANAGE_WORKERS) or actor.role is Role.DISPATCHER


def reach_of(actor: Actor) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Return the communities and the units that narrow what the actor sees; None where they narrow nothing."""
    areas = actor.area_ids if actor.role is Role.GRID_MANAGER else None
    return areas, actor.unit_ids if actor.role is Role.HANDLER else None


def reaches(actor: Actor, unit_id: int, grid: GridRef | None) -> bool:
    """Return whether the actor manages a worker of this unit and grid; the database asks the same."""
    if actor.role is Role.GRID_MANAGER:
        return grid is not None and bool(set(grid.community_ids) & set(actor.area_ids))
    return actor.role is not Role.HANDLER or unit_id in actor.unit_ids


def check_reach(actor: Actor, unit_id: int, grid: GridRef | None) -> None:
    """Raise `NotPermitted` in words when the actor does not manage a worker of this unit and grid."""
    if reaches(actor, unit_id, grid):
        return
    if actor.role is Role.GRID_MANAGER:
        raise NotPermitted(
            "A grid manager keeps the workers of the own communities only.",
            hint="Choose one of your grids, or ask the supervisor.",
        )
    raise NotPermitted("A handler keeps the workers of the own unit only.", hint="Ask the supervisor.")
