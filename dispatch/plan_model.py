"""Nouns of the plan: tasks, workers, what things cost, and the plan that comes out.

All moments are seconds after the moment the plan is made for; all costs are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Id = int | str
Seconds = NDArray[np.float32]
Rows = NDArray[np.int64]
PRIORITIES = 3
TERMS = ("travel", "response", "lateness", "margin", "owner", "change", "fairness", "overtime", "unserved")
"""Names of the parts of a cost, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The cost table: what each thing costs, in seconds; three numbers stand for priority 0 (highest), 1 and 2.

    Attributes
    ----------
    travel
        A second on the way.
    response
        A second until the task is begun, whatever its deadline.
    lateness
        A second after the deadline.
    late_step_s
        A task begun late counts as so much later than it is: one breach is worse than a little more of another.
    owner_s
        Sending somebody whose grid it is not, where a worker has the grid; a task may bring its own figure.
    change_s
        Giving a task that one worker accepted to another.
    sent_s
        Giving a task to another than who was sent to it and has not answered.
    margin_s
        A task is aimed at so long before its deadline, because work takes longer than usual now and then: begun
        after that, it costs as if it were late. A task may bring its own aim.
    fairness
        A second of load of a worker who is busy the whole shift; with an empty day it is nothing.
    overtime
        A second after the end of the shift.
    unserved_s
        Leaving a task out; comes on top of the lateness until all shifts end. A task may bring its own figure.
    """

    travel: float = 1.0
    response: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lateness: tuple[float, float, float] = (50.0, 20.0, 8.0)
    late_step_s: float = 600.0
    owner_s: float = 300.0
    change_s: float = 600.0
    sent_s: float = 200.0
    margin_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fairness: float = 0.0
    overtime: float = 2.0
    unserved_s: tuple[float, float, float] = (40_000.0, 15_000.0, 6_000.0)

    def __post_init__(self) -> None:
        """Refuse what is no weight."""
        for name in self.__slots__:
            value = getattr(self, name)
            parts = value if isinstance(value, tuple) else (value,)
            wanted = PRIORITIES if isinstance(value, tuple) else 1
            if len(parts) != wanted or not all(0 <= part < math.inf for part in parts):
                raise InvalidInput(f"The weight {name} must be zero or more, and finite.")


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do at a place.

    Attributes
    ----------
    due_s
        After this it is late, which costs; infinite without a deadline.
    aim_s
        It costs from here on, also before it is late; never after ``due_s``, and without a deadline there is none.
        None takes it from the cost table.
    latest_s
        It cannot be begun after this at all (a gate that closes); infinite as a rule.
    skills, equipment
        All of them are needed.
    size
        What it takes of a worker's capacity.
    prize_s
        Cost of leaving it out; None takes it from the cost table.
    grid
        Code of the responsibility grid it lies in.
    owner_s
        Cost of sending somebody else than the grid's own; None takes it from the cost table.
    workers
        How many have to come.
    pinned
        The only ones who may do it; empty: anyone.
    accepted_by
        Who has accepted it; giving it to another costs.
    sent_to
        Who was sent to it and has not answered; giving it to another costs less.
    """

    id: Id
    service_s: float
    priority: int = 2
    earliest_s: float = 0.0
    due_s: float = math.inf
    latest_s: float = math.inf
    skills: frozenset[str] = frozenset()
    equipment: frozenset[str] = frozenset()
    size: float = 0.0
    prize_s: float | None = None
    grid: str | None = None
    owner_s: float | None = None
    workers: int = 1
    pinned: frozenset[Id] = frozenset()
    excluded: frozenset[Id] = frozenset()
    accepted_by: Id | None = None
    sent_to: Id | None = None
    aim_s: float | None = None

    def had_by(self) -> Id | None:
        """Return who has it, whether accepted or only sent; None when nobody."""
        return self.sent_to if self.accepted_by is None else self.accepted_by

    def aimed_s(self, weights: Weights) -> float:
        """Return the moment after which beginning it costs as lateness does."""
        if self.aim_s is None or math.isinf(self.due_s):
            return self.due_s - weights.margin_s[self.priority]
        return min(self.due_s, self.aim_s)


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of so many seconds that begins within a window, or as soon as the task in hand is done."""

    earliest_s: float
    latest_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Commitment:
    """A task that is being done and never moves; ``left_s`` on site, None on the way there."""

    task: Id
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who can be sent.

    Attributes
    ----------
    start_s, end_s
        When work can begin and when the shift ends.
    overtime_s
        How much longer than the shift the worker may be planned for.
    grids
        Codes of the responsibility grids that are the worker's own.
    commitments
        What is being done now, in order.
    """

    id: Id
    start_s: float = 0.0
    end_s: float = math.inf
    overtime_s: float = 0.0
    breaks: tuple[Break, ...] = ()
    skills: frozenset[str] = frozenset()
    equipment: frozenset[str] = frozenset()
    capacity: float = math.inf
    grids: frozenset[str] = frozenset()
    commitments: tuple[Commitment, ...] = ()


@dataclass(frozen=True, eq=False)
class Problem:
    """Who could do what, and how long the ways are.

    Attributes
    ----------
    travel_s
        Seconds from place to place, shape (places, places); inf where there is no way, nan where the place
        is not known.
    worker_at, task_at
        Row of each worker's and each task's place; None: workers first, then tasks.
    worker_to
        Row of where each worker has to end, -1 for anywhere; None: anywhere.
    """

    tasks: Sequence[Task]
    workers: Sequence[Worker]
    travel_s: Seconds
    weights: Weights = field(default_factory=Weights)
    worker_at: Rows | None = None
    task_at: Rows | None = None
    worker_to: Rows | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together in size."""
        places, shape = len(self.workers) + len(self.tasks), self.travel_s.shape
        if len(shape) != 2 or shape[0] != shape[1]:
            raise InvalidInput(f"The matrix of travel times must be square; it has the shape {shape}.")
        if self.worker_at is None and shape[0] != places:
            raise InvalidInput(
                f"The matrix of travel times has {shape[0]} rows; "
                f"{len(self.workers)} workers and {len(self.tasks)} tasks need {places}.",
                hint="Give workers first, then tasks, in the order of their files.",
            )

    def rows(self) -> tuple[Rows, Rows, Rows]:
        """Return the rows of workers, of tasks, and of where workers end (-1 anywhere)."""
        count = len(self.workers)
        at = np.arange(count) if self.worker_at is None else self.worker_at
        to = np.full(count, -1) if self.worker_to is None else self.worker_to
        task = np.arange(len(self.tasks)) + count if self.task_at is None else self.task_at
        return at.astype(np.int64), task.astype(np.int64), to.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Stop:
    """When to be content: seconds of CPU time, or rounds, whichever comes first.

    Only ``rounds`` give the same answer for the same seed everywhere.
    """

    seconds: float = 5.0
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not so, in both languages; ``kind`` and ``figures`` are for programs."""

    kind: str
    en: str
    zh: str
    figures: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A task nobody is sent to, what binds, and what would free it."""

    task: Id
    why: Reason
    way_out: Reason | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop of a route; ``late_s`` is zero when in time."""

    task: Id
    worker: Id
    travel_s: float
    start_s: float
    end_s: float
    late_s: float


@dataclass(frozen=True)
class Result:
    """A plan.

    Attributes
    ----------
    routes
        Worker to tasks in order; a task for several workers stands in several routes.
    unserved
        Also tasks whose figures cannot be used, each with what is wrong.
    left_out
        Workers who cannot be planned for, each with the reason.
    cost_s, terms
        The whole cost, and its parts by the names in `TERMS`.
    violations
        Tasks begun late; nothing else can be violated.
    changed
        Tasks given to another than who had accepted them or was sent to them.
    rounds, cpu_s
        What it took.
    """

    routes: Mapping[Id, tuple[Id, ...]]
    visits: tuple[Visit, ...]
    unserved: tuple[Unserved, ...]
    left_out: Mapping[Id, Reason]
    cost_s: float
    terms: Mapping[str, float]
    travel_s: float
    lateness_s: float
    violations: int
    changed: int
    rounds: int = 0
    cpu_s: float = 0.0
