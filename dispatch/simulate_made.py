"""A made day: a town with neighbourhoods, incidents that come through eight hours, and workers in a shift.

Nothing in it is of a real place. The same numbers and the same seed make the same day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from dispatch.plan_model import Worker
from dispatch.simulate_days import MOST_WORKERS, Call, Places, spread

MOST_CALLS = 20_000
DAY_S, SHIFT_S = 8 * 3600.0, 9 * 3600.0
MIDDLE, SIDE_DEG = np.array([0.0, 45.0]), np.array([0.19, 0.135])
"""The town lies at 45 degrees north and is about 15 km wide and deep."""
NEIGHBOURHOODS, NEAR_DEG, ANYWHERE = 18, 0.009, 0.3
"""Incidents gather about so many places, within about a kilometre; the others lie anywhere."""
RUSH = (0.2, 0.7)
"""Where in the day its two rush hours are; each is about an hour wide."""
RUSH_WIDE_S = 1500.0
NOTE = (
    "The day is made: no incident, worker or place in it is real.",
    "此日为生成数据：其中案件、人员与地点均非真实。",
)
SHAPE = 4.0
"""How evenly long work of a kind is: the shape of a gamma distribution."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: how common it is, the skill it needs, its mean minutes, and the shares of the priorities."""

    share: float
    skill: str
    minutes: float
    priorities: tuple[float, float, float]


KINDS = (
    Kind(0.45, "", 12.0, (0.03, 0.22, 0.75)),
    Kind(0.20, "traffic", 18.0, (0.15, 0.45, 0.40)),
    Kind(0.15, "lamps", 25.0, (0.05, 0.25, 0.70)),
    Kind(0.12, "trees", 30.0, (0.15, 0.25, 0.60)),
    Kind(0.08, "water", 35.0, (0.40, 0.40, 0.20)),
)
DUE_S = (1800.0, 5400.0, 14_400.0)
"""Deadlines by priority, after an incident is known."""
HOLDS = 0.5
"""Share of the workers who have a skill; of each at least one has it."""


@dataclass(frozen=True, eq=False)
class Made:
    """A made day for `dispatch.simulate_days.stage_of`."""

    calls: Sequence[Call]
    places: Places
    people: Sequence[Worker]
    homes: Places


def read_size(given: str) -> tuple[int, int]:
    """Return workers and incidents of a text such as "60x800".

    Raises
    ------
    InvalidInput
        When it is no such text, or more than can be played.
    """
    found = re.fullmatch(r"\s*(\d{1,6})\s*[xX×*]\s*(\d{1,6})\s*", given)
    if found is None:
        raise InvalidInput(
            f"{given!r} is no size of a day.",
            hint="Give workers and incidents, as 60x800.",
            zh="格式应为“人数x案件数”。",
        )
    workers, calls = int(found[1]), int(found[2])
    if not 1 <= workers <= MOST_WORKERS or not 1 <= calls <= MOST_CALLS:
        raise InvalidInput(
            f"A day of {workers} workers and {calls} incidents cannot be made.",
            hint=f"Give 1 to {MOST_WORKERS:,} workers and 1 to {MOST_CALLS:,} incidents.",
        )
    return workers, calls


def made_day(workers: int, calls: int, peak: float = 0.0, seed: int = 1) -> Made:
    """Return a day.

    Parameters
    ----------
    peak
        Share of the incidents that come in the two rush hours; the others come evenly.
    """
    if not 0 <= peak <= 1:
        raise InvalidInput("The share of incidents in the rush hours must lie between 0 and 1.", hint="0.5 is half.")
    chance = np.random.default_rng([seed, workers, calls])
    places = _places(chance, calls)
    rush = chance.random(calls) < peak
    hour = chance.choice(RUSH, calls) * DAY_S + chance.normal(0.0, RUSH_WIDE_S, calls)
    arrival = np.sort(np.where(rush, hour, chance.uniform(0.0, DAY_S, calls)).clip(0.0, DAY_S))
    share = np.array([each.share for each in KINDS])
    kind = chance.choice(len(KINDS), calls, p=share / share.sum())
    made = []
    for k in range(calls):
        one = KINDS[kind[k]]
        mean_s, at = 60.0 * one.minutes, float(round(arrival[k], 1))
        priority = int(chance.choice(3, p=one.priorities))
        service = float(round(chance.gamma(SHAPE, mean_s / SHAPE), 1))
        skills = frozenset([one.skill] if one.skill else [])
        made.append(Call(f"I{k + 1}", at, service, mean_s, priority, at + DUE_S[priority], skills))
    people = [Worker(f"W{w + 1}", end_s=SHIFT_S, skills=each) for w, each in enumerate(_skills(chance, workers))]
    return Made(made, places, people, spread(places, workers, chance))


def _places(chance: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return longitudes and latitudes: about neighbourhoods of different size, and some anywhere."""
    middles = MIDDLE + (chance.random((NEIGHBOURHOODS, 2)) - 0.5) * SIDE_DEG
    about = middles[chance.choice(NEIGHBOURHOODS, count, p=chance.dirichlet(np.full(NEIGHBOURHOODS, 2.0)))]
    about = about + chance.normal(0.0, NEAR_DEG, (count, 2)) * (SIDE_DEG / SIDE_DEG[1])
    anywhere = MIDDLE + (chance.random((count, 2)) - 0.5) * SIDE_DEG
    half = SIDE_DEG / 2
    places = np.where(chance.random(count)[:, None] < ANYWHERE, anywhere, about)
    return np.asarray(places.clip(MIDDLE - half, MIDDLE + half))


def _skills(chance: np.random.Generator, count: int) -> list[frozenset[str]]:
    names = [each.skill for each in KINDS if each.skill]
    has = chance.random((count, len(names))) < HOLDS
    for k in range(len(names)):
        has[k % count, k] |= not has[:, k].any()
    return [frozenset(name for name, ok in zip(names, row, strict=True) if ok) for row in has]
