"""The best choice known and the highest bound known of a question that is minimised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROVEN = 1e-9
"""A smaller gap is rounding: nothing better exists."""


@dataclass
class Best:
    """The best choice known and the highest bound known."""

    cost: float
    sites: NDArray[np.int64]
    bound: float = -np.inf

    @property
    def gap(self) -> float:
        """Return the share of the cost that could still be saved at most."""
        return 0.0 if self.cost <= 0 else max(0.0, 1.0 - max(self.bound, 0.0) / self.cost)

    def is_within(self, gap: float) -> bool:
        """Return whether the choice is proven within ``gap`` of the best."""
        return self.gap <= max(gap, PROVEN)

    def learn_choice(self, cost: float, sites: NDArray[np.int64]) -> None:
        """Keep a choice that is better."""
        if cost < self.cost:
            self.cost, self.sites = cost, sites

    def learn_bound(self, bound: float) -> None:
        """Keep a bound that is higher; none is higher than a cost that was reached."""
        self.bound = min(max(self.bound, bound), self.cost)
