"""The list of the first set-up: eight steps, each with a state that follows from what the territory holds (pure)."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from core.identity import Role
from geodata.holdings import Holdings

HANDLES = ("department", "company", "street_office", "team", "partner")
"""Kinds of unit that handle incidents; centres collect, dispatch and verify."""


class State(enum.StrEnum):
    """Where a step stands."""

    DONE = "done"
    PARTLY = "partly"
    TO_DO = "to do"
    NOT_YET = "not possible yet"


class StepKey(enum.StrEnum):
    """The steps in the order that is advised."""

    TERRITORY = "territory"
    COMMUNITIES = "communities"
    GRIDS = "grids"
    UNITS = "units"
    PEOPLE = "people"
    RULES = "rules"
    INCIDENTS = "incidents"
    ACCOUNTS = "accounts"


class Lack(enum.StrEnum):
    """What is missing or weak; the words stand in `app.set_up_words`."""

    BOUNDARY = "boundary"
    ROADS = "roads"
    BUILDINGS = "buildings"
    ONE_COMMUNITY = "one community"
    COMMUNITIES = "communities"
    CELLS = "cells"
    RESPONSIBILITY = "responsibility grids"
    NO_CENTRE = "no centre"
    NO_UNIT = "no unit"
    NO_DUTY = "no duty list"
    OWNERLESS = "classes without owner"
    NO_WORKER = "no worker"
    GRIDLESS = "workers without grid"
    SHIFTLESS = "workers without shift"
    UNWATCHED = "grids without worker"
    NO_CLASSES = "no classes"
    NO_LIMITS = "no limits"
    NO_CALENDAR = "no calendar"
    NO_HOLIDAYS = "no days off ahead"
    NO_INCIDENTS = "no old incidents"
    NO_DISPATCHER = "no dispatcher"
    NO_SUPERVISOR = "no supervisor"
    NO_THIRD = "no third account"
    INVITED = "invitations open"


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing, and how many of it where that is a number."""

    what: Lack
    count: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the set-up.

    Attributes
    ----------
    missing
        What stands between this step and done.
    advice
        What is worth knowing and holds nothing up.
    needs
        The step that has to come first while this one is not possible.
    """

    key: StepKey
    state: State
    missing: tuple[Missing, ...] = ()
    advice: tuple[Missing, ...] = ()
    needs: StepKey | None = None

    @property
    def is_done(self) -> bool:
        """Return whether nothing is missing."""
        return self.state is State.DONE


def steps_of(held: Holdings) -> tuple[Step, ...]:
    """Return the eight steps for what a territory holds; the same holdings always give the same list."""
    return (
        _territory(held),
        _communities(held),
        _grids(held),
        _units(held),
        _people(held),
        _rules(held),
        _incidents(held),
        _accounts(held),
    )


def done_count(steps: Sequence[Step]) -> int:
    """Return how many steps are done."""
    return sum(step.is_done for step in steps)


def is_ready(steps: Sequence[Step]) -> bool:
    """Return whether all is done and the first incident may come."""
    return all(step.is_done for step in steps)


def next_step(steps: Sequence[Step]) -> Step:
    """Return the first step that is possible and not done; the last one when all are done."""
    return next((step for step in steps if step.state in {State.PARTLY, State.TO_DO}), steps[-1])


def _judged(key: StepKey, missing: list[Missing], *, begun: bool, advice: Sequence[Missing] = ()) -> Step:
    state = State.DONE if not missing else State.PARTLY if begun else State.TO_DO
    return Step(key, state, tuple(missing), tuple(advice))


def _after(key: StepKey, needs: StepKey, what: Lack) -> Step:
    return Step(key, State.NOT_YET, (Missing(what),), needs=needs)


def _territory(held: Holdings) -> Step:
    missing = []
    if not held.has_boundary:
        missing.append(Missing(Lack.BOUNDARY))
    elif not held.roads:
        missing.append(Missing(Lack.ROADS))
    advice = [Missing(Lack.BUILDINGS)] if held.has_boundary and held.roads and not held.buildings else []
    return _judged(StepKey.TERRITORY, missing, begun=held.has_boundary, advice=advice)


def _communities(held: Holdings) -> Step:
    if not held.has_boundary:
        return _after(StepKey.COMMUNITIES, StepKey.TERRITORY, Lack.BOUNDARY)
    missing = []
    if not held.communities:
        missing.append(Missing(Lack.COMMUNITIES))
    elif not held.communities_given and not held.cells:
        # Who cuts grids in the one community there is has said that it is enough.
        missing.append(Missing(Lack.ONE_COMMUNITY))
    return _judged(StepKey.COMMUNITIES, missing, begun=held.communities > 0)


def _grids(held: Holdings) -> Step:
    if not held.communities:
        return _after(StepKey.GRIDS, StepKey.COMMUNITIES, Lack.COMMUNITIES)
    missing = []
    if not held.cells:
        missing.append(Missing(Lack.CELLS))
    elif not held.responsibility_grids:
        missing.append(Missing(Lack.RESPONSIBILITY))
    advice = [Missing(Lack.BUILDINGS)] if held.cells_with_people < held.cells else []
    return _judged(StepKey.GRIDS, missing, begun=held.cells > 0, advice=advice)


def _units(held: Holdings) -> Step:
    missing = []
    if not held.units.get("centre"):
        missing.append(Missing(Lack.NO_CENTRE))
    if not any(held.units.get(kind) for kind in HANDLES):
        missing.append(Missing(Lack.NO_UNIT))
    if not held.owned_classes:
        missing.append(Missing(Lack.NO_DUTY))
    elif held.owned_classes < held.classes:
        missing.append(Missing(Lack.OWNERLESS, held.classes - held.owned_classes))
    return _judged(StepKey.UNITS, missing, begun=bool(held.units))


def _people(held: Holdings) -> Step:
    if not held.units:
        return _after(StepKey.PEOPLE, StepKey.UNITS, Lack.NO_UNIT)
    missing = []
    if not held.workers:
        missing.append(Missing(Lack.NO_WORKER))
    if held.workers_without_grid:
        missing.append(Missing(Lack.GRIDLESS, held.workers_without_grid))
    if held.workers_without_shift:
        missing.append(Missing(Lack.SHIFTLESS, held.workers_without_shift))
    advice = [Missing(Lack.UNWATCHED, held.without_worker)] if held.workers and held.without_worker else []
    return _judged(StepKey.PEOPLE, missing, begun=held.workers > 0, advice=advice)


def _rules(held: Holdings) -> Step:
    if not held.has_boundary:
        return _after(StepKey.RULES, StepKey.TERRITORY, Lack.BOUNDARY)
    lacks = ((held.classes, Lack.NO_CLASSES), (held.limits, Lack.NO_LIMITS), (held.has_calendar, Lack.NO_CALENDAR))
    missing = [Missing(lack) for there, lack in lacks if not there]
    advice = [Missing(Lack.NO_HOLIDAYS)] if held.has_calendar and not held.calendar_days_ahead else []
    return _judged(StepKey.RULES, missing, begun=len(missing) < len(lacks), advice=advice)


def _incidents(held: Holdings) -> Step:
    if not held.cells:
        return _after(StepKey.INCIDENTS, StepKey.GRIDS, Lack.CELLS)
    brought = held.no_old_incidents or held.loads.get("incidents", 0) > 0 or held.incidents > 0
    return _judged(StepKey.INCIDENTS, [] if brought else [Missing(Lack.NO_INCIDENTS)], begun=False)


def _accounts(held: Holdings) -> Step:
    by_role = dict(held.accounts)
    missing = []
    if not by_role.get(Role.DISPATCHER):
        missing.append(Missing(Lack.NO_DISPATCHER))
    if not by_role.get(Role.SUPERVISOR):
        missing.append(Missing(Lack.NO_SUPERVISOR))
    others = sum(by_role.values()) - by_role.get(Role.ADMINISTRATOR, 0)
    asked = sum(bool(by_role.get(role)) for role in (Role.DISPATCHER, Role.SUPERVISOR))
    if others <= asked:
        missing.append(Missing(Lack.NO_THIRD))
    if held.invited:
        missing.append(Missing(Lack.INVITED, held.invited))
    return _judged(StepKey.ACCOUNTS, missing, begun=others > 0)
