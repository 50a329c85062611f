"""Where something fits: constraints that forbid, weighted criteria that add up, weights by pairwise comparison.

A cell gets a score of 0…1 where nothing forbids it. Weights come from a person's comparisons of the criteria two at a
time (the analytic hierarchy process), and comparisons that contradict each other are refused with the worst of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CONSISTENT = 0.1
"""Largest consistency ratio that counts as consistent (Saaty 1980)."""
SCALE = 9.0
"""Saaty's scale: 1 as important, 9 extremely more important."""
CRITERIA_AT_MOST = 15
_RANDOM_INDEX = (
    0.0, 0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59,
)  # fmt: skip
"""Mean consistency index of random comparisons by number of criteria (Saaty 1980)."""


@dataclass(frozen=True)
class Weights:
    """Weights of criteria, and how well the comparisons fit together.

    Attributes
    ----------
    shares
        Of each criterion; together 1.
    consistency_ratio
        0 when all comparisons agree; above `CONSISTENT` they do not count.
    worst
        The two criteria whose comparison fits worst, and what the others say of it; None when all agree.
    """

    shares: tuple[float, ...]
    consistency_ratio: float
    worst: tuple[int, int, float] | None


@dataclass(frozen=True)
class Criterion:
    """How a value of a cell becomes a score of 0…1.

    Attributes
    ----------
    worst, best
        Values with the score 0 and 1, straight between them; ``best`` may be the smaller one (near is better).
    weight
        Of the criterion among all; above 0.
    """

    key: str
    worst: float
    best: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be a criterion."""
        if not (np.isfinite(self.worst) and np.isfinite(self.best)) or self.worst == self.best:
            raise InvalidInput(
                f"The criterion {self.key!r} runs from {self.worst:g} to {self.best:g}.",
                hint="Say the value that is worst and another that is best.",
            )
        if not (np.isfinite(self.weight) and self.weight > 0):
            raise InvalidInput(f"The criterion {self.key!r} has the weight {self.weight:g}.", hint="Give more than 0.")

    def score(self, values: Floats) -> Floats:
        """Return the score of each value, 0…1; NaN where the value is unknown."""
        return np.asarray(np.clip((values - self.worst) / (self.best - self.worst), 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Suitability:
    """The answer for each cell.

    Attributes
    ----------
    score
        0…1; NaN where something forbids the cell or a value is unknown.
    parts
        What each criterion adds to the score, shape (n_cells, n_criteria).
    forbidden
        Constraint to the cells it forbids; a cell may be forbidden by several.
    unknown
        Cells without a value of some criterion, counted and never scored.
    """

    score: Floats
    parts: Floats
    forbidden: Mapping[str, Bools]
    unknown: Bools


def ahp(comparisons: Floats, *, names: Sequence[str] = ()) -> Weights:
    """Return the weights of criteria compared two at a time (Saaty 1980).

    The weights are the principal eigenvector; the consistency ratio is ``(λ - n)/(n - 1)`` by its mean for random
    comparisons.

    Parameters
    ----------
    comparisons
        Shape (n, n): how much more important the row is than the column, 1/9…9; the mirror holds the reciprocal.

    Raises
    ------
    InvalidInput
        When it is no such table, or the comparisons contradict each other; names the worst one and what would fit.
    """
    made = weigh(comparisons)
    if made.consistency_ratio > CONSISTENT and made.worst is not None:
        row, column, fitting = made.worst
        said = float(np.asarray(comparisons)[row, column])
        first, second = (names[at] if at < len(names) else f"criterion {at + 1}" for at in (row, column))
        raise InvalidInput(
            f"The comparisons contradict each other (consistency ratio {made.consistency_ratio:.2f},"
            f" at most {CONSISTENT:.2f}).",
            hint=f"{first} against {second} is {said:.2g}; from the others it would be about {fitting:.2g}.",
        )
    return made


def weigh(comparisons: Floats) -> Weights:
    """Return the weights as `ahp` does, also of comparisons that contradict each other."""
    table = _checked(comparisons)
    count = len(table)
    values, vectors = np.linalg.eig(table)
    first = int(values.real.argmax())
    shares = np.abs(vectors[:, first].real)
    shares /= shares.sum()
    if count < 3:
        return Weights(tuple(float(share) for share in shares), 0.0, None)
    index = (float(values.real[first]) - count) / (count - 1)
    ratio = max(0.0, index / _RANDOM_INDEX[count])
    fitting = shares[:, None] / shares[None, :]
    off = np.triu(np.abs(np.log(table / fitting)), 1)
    row, column = (int(at) for at in np.unravel_index(int(off.argmax()), off.shape))
    worst = (row, column, float(fitting[row, column])) if off[row, column] > 1e-9 else None
    return Weights(tuple(float(share) for share in shares), ratio, worst)


def suitability(
    values: Mapping[str, Floats], criteria: Sequence[Criterion], constraints: Mapping[str, Bools] | None = None
) -> Suitability:
    """Return how well each cell fits: the weighted mean of its scores, nothing where a constraint forbids it.

    Parameters
    ----------
    values
        Criterion to the value of each cell; NaN where unknown.
    constraints
        Name to the cells it forbids.

    Raises
    ------
    InvalidInput
        When there is no criterion, one is named twice or has no values, or sizes differ.
    """
    keys = [criterion.key for criterion in criteria]
    if not keys or len(set(keys)) < len(keys):
        raise InvalidInput("Criteria are needed, each once.", hint="For example the way to a road, the slope.")
    missing = [key for key in keys if key not in values]
    if missing:
        raise InvalidInput(f"There are no values of {missing[0]!r}.", hint="Bring a layer that holds them.")
    columns = [np.asarray(values[key], dtype=np.float64) for key in keys]
    rules = {name: np.asarray(cells, dtype=np.bool_) for name, cells in (constraints or {}).items()}
    sizes = {column.shape for column in columns} | {cells.shape for cells in rules.values()}
    if len(sizes) != 1 or columns[0].ndim != 1:
        raise InvalidInput("The layers are of different cells.", hint="Bring them onto one grid first.")
    weights = np.array([criterion.weight for criterion in criteria])
    scores = np.column_stack([criterion.score(column) for criterion, column in zip(criteria, columns, strict=True)])
    parts = scores * (weights / weights.sum())
    unknown = np.isnan(scores).any(axis=1)
    shut = np.zeros(len(scores), dtype=np.bool_)
    for cells in rules.values():
        shut |= cells
    score = np.where(shut | unknown, np.nan, parts.sum(axis=1))
    return Suitability(score, parts, rules, unknown & ~shut)


def best_cells(found: Suitability, count: int) -> NDArray[np.int64]:
    """Return the cells with the highest scores, the best first; of equal ones the first."""
    order = np.argsort(-np.nan_to_num(found.score, nan=-1.0), kind="stable")[: max(count, 0)]
    return order[~np.isnan(found.score[order])]


def _checked(comparisons: Floats) -> Floats:
    table = np.asarray(comparisons, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not 1 <= len(table) <= CRITERIA_AT_MOST:
        raise InvalidInput(
            f"The comparisons have shape {table.shape}.",
            hint=f"A square of 1 to {CRITERIA_AT_MOST} criteria is needed.",
        )
    if not ((table >= 1 / SCALE - 1e-9) & (table <= SCALE + 1e-9)).all():
        raise InvalidInput("A comparison lies outside 1/9…9.", hint="9 is extremely more important, 1 as important.")
    if not np.allclose(table * table.T, 1.0, rtol=1e-2):
        raise InvalidInput(
            "A comparison and its mirror do not fit.", hint="If A against B is 3, B against A is one third."
        )
    return table
