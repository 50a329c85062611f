"""Where something fits in a city: what is to be placed as it opens, the question, the answer, the reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from planning.areas import Area, best_areas, mean_bound, too_small
from planning.cells import Cells
from planning.suitability import Criterion, Suitability, suitability

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

AREA_AT_MOST_HA = 20_000.0
COUNT_AT_MOST = 20
POINT_APART_M = 800.0
"""Single places lie at least so far apart."""
SHARES = ("water", "road", "green", "wood", "farmland", "sand", "built", "protected")
"""Constraints on the share of a cell that something covers."""
SLOPE, SMALL = "slope", "too_small"
CONSTRAINTS = (*SHARES, SLOPE, SMALL)


@dataclass(frozen=True)
class Use:
    """What is to be placed, as its question opens.

    Attributes
    ----------
    facility_kind
        Whose like that are there count for the criterion ``same``; None where nothing is alike.
    area_ha
        Ground it takes.
    criteria
        Key to (worst, best, weight).
    limits
        Constraint to the largest share of a cell that may be covered; of the slope per cent.
    """

    key: str
    facility_kind: str | None
    area_ha: float
    criteria: Mapping[str, tuple[float, float, float]]
    limits: Mapping[str, float]


_KEPT_FREE = {"water": 0.05, "road": 0.35, "green": 0.3, "wood": 0.3, "protected": 0.0, "slope": 10.0}
USES: dict[str, Use] = {
    use.key: use
    for use in (
        Use(
            "clinic", "clinic", 0.5,
            {"people": (0, 6000, 4), "same": (300, 2000, 3), "transit": (600, 50, 2), "road": (200, 20, 1)},
            _KEPT_FREE | {"built": 0.4},
        ),
        Use(
            "school", "school", 2.0,
            {"people": (0, 6000, 4), "same": (300, 1500, 3), "main_road": (20, 250, 1), "open": (0.5, 1, 2)},
            _KEPT_FREE | {"built": 0.4},
        ),
        Use(
            "park", "park", 3.0,
            {"people": (0, 6000, 4), "same": (200, 1200, 4), "open": (0.6, 1, 2)},
            {"water": 0.3, "road": 0.2, "built": 0.2, "protected": 0.0},
        ),
        Use(
            "business", None, 20.0,
            {"shops": (0, 40, 4), "transit": (800, 50, 3), "people": (0, 8000, 3), "main_road": (1500, 50, 2)},
            _KEPT_FREE | {"built": 0.6, "farmland": 0.3},
        ),
        Use(
            "industry", None, 60.0,
            {"main_road": (4000, 100, 4), "few_homes": (800, 0, 4), "open": (0.5, 1, 2), "road": (1500, 50, 1)},
            _KEPT_FREE | {"built": 0.2, "slope": 5.0},
        ),
        Use(
            "station", "railway_station", 4.0,
            {"people": (0, 8000, 5), "main_road": (1500, 50, 2), "same": (800, 5000, 3), "transit": (800, 50, 1)},
            _KEPT_FREE | {"built": 0.4, "slope": 3.0},
        ),
    )
}  # fmt: skip
CRITERIA = ("people", "road", "main_road", "transit", "station", "same", "shops", "few_homes", "open", "slope")


@dataclass(frozen=True)
class FitQuestion:
    """Where something fits.

    Attributes
    ----------
    use
        Key of `USES`.
    criteria
        With their weights.
    limits
        Constraint to its limit, see `Use`; what is left out forbids nothing.
    count
        Areas wanted.
    """

    use: str
    area_ha: float
    criteria: tuple[Criterion, ...]
    limits: Mapping[str, float] = field(default_factory=dict)
    count: int = 5

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if self.use not in USES:
            raise InvalidInput(f"There is no use {self.use!r}.", hint=f"Take one of: {', '.join(USES)}.")
        if not (math.isfinite(self.area_ha) and 0 < self.area_ha <= AREA_AT_MOST_HA):
            raise InvalidInput(
                f"{self.area_ha:g} ha is no useful size.", hint=f"More than 0, at most {AREA_AT_MOST_HA:,.0f}."
            )
        if not 1 <= self.count <= COUNT_AT_MOST:
            raise InvalidInput(f"{self.count} areas are not searched for.", hint=f"1 to {COUNT_AT_MOST}.")
        for key, limit in self.limits.items():
            if key not in CONSTRAINTS:
                raise InvalidInput(f"There is no constraint {key!r}.", hint=f"Known are: {', '.join(CONSTRAINTS)}.")
            most = 1.0 if key in SHARES else 1000.0
            if not (math.isfinite(limit) and 0 <= limit <= most):
                raise InvalidInput(f"{limit:g} is no limit of {key}.", hint=f"0 to {most:g}.")
        unknown = [each.key for each in self.criteria if each.key not in CRITERIA]
        if unknown:
            raise InvalidInput(f"There is no criterion {unknown[0]!r}.", hint=f"Known are: {', '.join(CRITERIA)}.")


@dataclass(frozen=True, eq=False)
class Fit:
    """The answer.

    Attributes
    ----------
    found
        Scores, what each criterion adds, and what forbids, by cell.
    criteria
        Those that count; ``without`` are asked for but known nowhere (no such facility, no raster).
    size
        Cells of an area.
    areas
        The best found, the best first.
    bound
        Mean score that no area of the size can exceed; NaN when there is no room for one.
    """

    question: FitQuestion
    cells: Cells
    found: Suitability
    criteria: tuple[Criterion, ...]
    without: tuple[str, ...]
    size: int
    areas: tuple[Area, ...]
    bound: float

    @property
    def allowed(self) -> int:
        """Return how many cells nothing forbids."""
        return int((~np.isnan(self.found.score)).sum())


def opening(use: str) -> FitQuestion:
    """Return the question of a use as it opens."""
    if use not in USES:
        raise InvalidInput(f"There is no use {use!r}.", hint=f"Take one of: {', '.join(USES)}.")
    made = USES[use]
    criteria = tuple(Criterion(key, *numbers) for key, numbers in made.criteria.items())
    return FitQuestion(use, made.area_ha, criteria, dict(made.limits))


def fit(cells: Cells, question: FitQuestion) -> Fit:
    """Return where it fits, and the best areas of the size.

    Raises
    ------
    InvalidInput
        When no criterion is known anywhere.
    """
    known = tuple(
        each for each in question.criteria if np.isfinite(cells.value.get(each.key, np.full(1, np.nan))).any()
    )
    without = tuple(each.key for each in question.criteria if each not in known)
    if not known:
        raise InvalidInput(
            "No criterion is known here, so nothing can be compared.", hint="Choose people or the way to a road."
        )
    size = max(1, round(question.area_ha * 10_000 / cells.step_m**2))
    rules: dict[str, Bools] = {
        key: cells.share[key] > limit for key, limit in question.limits.items() if key in SHARES and key in cells.share
    }
    if SLOPE in question.limits and SLOPE in cells.value:
        rules[SLOPE] = np.nan_to_num(cells.value[SLOPE]) > question.limits[SLOPE]
    values = {each.key: cells.value[each.key] for each in known}
    first = suitability(values, known, rules)
    plane = np.full(cells.shape, np.nan)
    if size > 1:
        plane[cells.row, cells.column] = first.score
        small = too_small(~np.isnan(plane), size)[cells.row, cells.column]
        first = suitability(values, known, rules | {SMALL: small})
    plane[cells.row, cells.column] = first.score
    apart = POINT_APART_M / cells.step_m if size == 1 else 0.0
    areas = _numbered(cells, best_areas(plane, size, question.count, apart=apart))
    return Fit(question, cells, first, known, without, size, areas, mean_bound(first.score, size))


def _numbered(cells: Cells, areas: list[Area]) -> tuple[Area, ...]:
    """Return areas with the numbers of cells in place of those of the lattice."""
    index = cells.index().ravel()
    return tuple(Area(index[area.cells], area.score) for area in areas)


@dataclass(frozen=True)
class Reason:
    """Why a cell has the score it has.

    Attributes
    ----------
    forbidden
        Constraint to what is there (a share or per cent) and the limit; (nan, nan) where the ground is too small.
    parts
        Criterion to its value, score 0…1 and share of the weight.
    better_than
        Share of the allowed cells that score less.
    area
        Number of the area the cell belongs to, from 1; 0 for none.
    """

    cell: int
    score: float
    forbidden: Mapping[str, tuple[float, float]]
    parts: Mapping[str, tuple[float, float, float]]
    better_than: float
    area: int


def reason(made: Fit, cell: int) -> Reason:
    """Return why here, or why not."""
    cells, found = made.cells, made.found
    shut: dict[str, tuple[float, float]] = {}
    for key, where in found.forbidden.items():
        if where[cell]:
            there = cells.share.get(key, cells.value.get(key))
            is_small = there is None
            told = math.nan if there is None else float(there[cell])
            shut[key] = (told, math.nan if is_small else made.question.limits[key])
    total = sum(each.weight for each in made.criteria)
    parts = {}
    for each in made.criteria:
        value = float(cells.value[each.key][cell])
        parts[each.key] = (value, float(each.score(np.array([value]))[0]), each.weight / total)
    score = float(found.score[cell])
    known = found.score[~np.isnan(found.score)]
    number = next((at for at, area in enumerate(made.areas, 1) if cell in area.cells), 0)
    better = float((known < score).mean()) if len(known) and not math.isnan(score) else math.nan
    return Reason(cell, score, shut, parts, better, number)


def told(made: Fit, *, lonlat: Floats) -> dict[str, Any]:
    """Return the answer as plain numbers; ``lonlat`` are the middles of the areas."""
    question = made.question
    return {
        "use": question.use,
        "area_ha": question.area_ha,
        "cell_m": made.cells.step_m,
        "cells": len(made.cells),
        "allowed": made.allowed,
        "unknown": int(made.found.unknown.sum()),
        "criteria": {each.key: [each.worst, each.best, each.weight] for each in made.criteria},
        "without": list(made.without),
        "limits": dict(question.limits),
        "forbidden": {key: int(where.sum()) for key, where in made.found.forbidden.items()},
        "bound": None if math.isnan(made.bound) else round(made.bound, 4),
        "areas": [
            {"number": at, "score": round(area.score, 4), "cells": len(area.cells),
             "hectares": round(len(area.cells) * made.cells.step_m**2 / 10_000, 2),
             "lon": round(float(lon), 6), "lat": round(float(lat), 6)}
            for at, (area, (lon, lat)) in enumerate(zip(made.areas, lonlat, strict=True), 1)
        ],
    }  # fmt: skip
