"""Grid workers of a first city from a list of names: read, given a grid and shifts that cover day and night (pure)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.errors import DataQuality
from people.roster import Pattern, Step
from people.worker_model import next_code

_APART = re.compile(r"[\t,;，；、]")
MOST = 200
_FREE_AFTER = 5


@dataclass(frozen=True, slots=True)
class Person:
    """A line of the list: a name, and a phone where one was given."""

    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """A worker as proposed: staff number, person, and the responsibility grid (None when there are more people)."""

    code: str
    person: Person
    grid_id: int | None


def _weekdays(code: str, name: str, name_zh: str, hours: tuple[int, int], *, break_min: int) -> Pattern:
    steps = tuple(Step(day, hours[0] * 60, hours[1] * 60, break_min) for day in range(_FREE_AFTER))
    return Pattern(0, code, name, name_zh, 7, steps)


DAY = (_weekdays("D", "Day, 5 days", "日班（五天）", (8, 17), break_min=60),)
ROUND = (
    _weekdays("E", "Early, 5 days", "早班（五天）", (6, 14), break_min=30),
    _weekdays("L", "Late, 5 days", "晚班（五天）", (14, 22), break_min=30),
    _weekdays("N", "Night, 5 days", "夜班（五天）", (22, 30), break_min=30),
)
PLANS: dict[str, tuple[Pattern, ...]] = {"day": DAY, "round": ROUND}
"""What a first city may begin with; the roster page changes it."""


def read_people(text: str) -> tuple[Person, ...]:
    """Return the people of a list, one a line: a name, and after a tab or comma a phone.

    Raises
    ------
    DataQuality
        Naming every line that cannot be read, a phone that stands twice, and too many lines.
    """
    found: list[Person] = []
    faults: list[str] = []
    phones: dict[str, int] = {}
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    for number, line in lines:
        name, *rest = (part.strip() for part in _APART.split(line, maxsplit=1))
        phone = rest[0] if rest and rest[0] else None
        if not name:
            faults.append(f"line {number} has no name")
        if phone is not None and phone in phones:
            faults.append(f"line {number} has the phone of line {phones[phone]}")
        if phone is not None:
            phones.setdefault(phone, number)
        found.append(Person(name, phone))
    if len(found) > MOST:
        faults.append(f"{len(found)} lines are too many at once; the page Workers takes a file")
    if faults:
        raise DataQuality("The list of names has faults.", faults, hint="Mend them in the list.")
    return tuple(found)


def posts_of(people: Sequence[Person], codes: Collection[str], grids: Sequence[int]) -> tuple[Post, ...]:
    """Return the people with fresh staff numbers, each bound to a grid.

    Parameters
    ----------
    codes
        Staff numbers that are taken.
    grids
        Responsibility grids in the order in which they need somebody; when there are more people, they begin anew.
    """
    taken, found = set(codes), []
    for rank, person in enumerate(people):
        code = next_code(taken)
        taken.add(code)
        found.append(Post(code, person, grids[rank % len(grids)] if grids else None))
    return tuple(found)


def turn(rank: int, plan: Sequence[Pattern], since: dt.date) -> tuple[Pattern, dt.date]:
    """Return pattern and first day of the cycle of the worker of this rank.

    Patterns go round; each round is free on other days, so that two rounds leave no day without somebody.
    """
    pattern = plan[rank % len(plan)]
    monday = since - dt.timedelta(days=since.weekday())
    offset = (rank // len(plan)) * 3 % 7
    return pattern, monday + dt.timedelta(days=offset - 7 if offset else 0)
