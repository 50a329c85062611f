"""The nouns of the duty list: an entry, and the names of the classes and areas it speaks of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from people.duty import Duty, Problem, Stretch
from people.unit_model import UnitRecord

BASIS_MOST = 300


@dataclass(frozen=True, slots=True)
class DutyEntry:
    """An entry as stored; ``area_id`` None: the whole territory, ``valid_to`` None: without end."""

    id: int
    version: int
    class_id: int
    area_id: int | None
    unit_id: int
    legal_basis: str
    valid_from: dt.date
    valid_to: dt.date | None

    def stands(self, day: dt.date) -> bool:
        """Return whether the entry is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def meets(self, first: dt.date, last: dt.date | None) -> bool:
        """Return whether the entry shares a day with the days from ``first`` to ``last`` (None: without end)."""
        return (last is None or self.valid_from <= last) and (self.valid_to is None or first <= self.valid_to)


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class of incident in the duty list."""

    id: int
    kind: str
    code: str
    category: str
    category_en: str
    category_zh: str
    name_en: str
    name_zh: str

    @property
    def key(self) -> str:
        """Return kind and code, e.g. event-01-02."""
        return f"{self.kind}-{self.code}"


@dataclass(frozen=True, slots=True)
class AreaName:
    """A district, street or community in the duty list."""

    id: int
    level: str
    parent_id: int | None
    code: str
    name: str
    name_zh: str | None

    @property
    def key(self) -> str:
        """Return how a file names the area: a community by its code, a wider one with its level before it."""
        return self.code if self.level == "community" else f"{self.level}/{self.code}"


@dataclass(frozen=True)
class DutyList:
    """All that is needed to show, check and edit the duty list of a territory."""

    entries: tuple[DutyEntry, ...]
    classes: Mapping[int, ClassName]
    areas: Mapping[int, AreaName]
    units: Mapping[int, UnitRecord]

    def duties(self) -> list[Duty]:
        """Return the entries as the computation takes them."""
        found = []
        for each in self.entries:
            unit = self.units[each.unit_id].spec
            found.append(
                Duty(
                    each.id, each.class_id, each.area_id, each.unit_id, each.valid_from, each.valid_to,
                    unit.valid_from, unit.valid_to,
                )
            )  # fmt: skip
        return found


@dataclass(frozen=True)
class Checked:
    """What the duty list says from a first to a last day."""

    first: dt.date
    last: dt.date
    stretches: Sequence[Stretch]
    problems: Sequence[Problem]
    communities: int
