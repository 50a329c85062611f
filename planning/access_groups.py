"""Access by group of people: who of the young, the old … reaches it, and how evenly it is shared between groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from planning import access, equity
from planning.access_model import AccessCity

Floats = NDArray[np.float64]


def by_group(city: AccessCity, times: Floats, limit_s: float, supply: Floats) -> dict[str, Any] | None:
    """Return what each group reaches and Theil's T between and within groups; None where there are no groups.

    Parameters
    ----------
    times
        Seconds of each place to the nearest.
    supply
        What is in reach of each place; empty where it is not counted.
    """
    if not city.group_names:
        return None
    rows: list[dict[str, Any]] = []
    for at, name in enumerate(city.group_names):
        people = city.groups[:, at]
        mine = people > 0
        if not mine.any():
            rows.append({"name": name, "people": 0.0})
            continue
        counted = access.served(times[mine], people[mine], limit_s)
        median = access.percentiles(times[mine], people[mine], (0.5,))[0]
        rows.append(
            {
                "name": name,
                "people": counted.people,
                "within": counted.within,
                "beyond": counted.beyond,
                "unreached": counted.unreached,
                "median_s": float(median) if np.isfinite(median) else None,
                "supply": float(np.average(supply[mine], weights=people[mine])) if len(supply) else None,
            }
        )
    return {"rows": rows, "theil": _theil(city, supply)}


def _theil(city: AccessCity, supply: Floats) -> dict[str, float] | None:
    """Return Theil's T of what is in reach, every person of a group for himself."""
    if not len(supply):
        return None
    group = np.repeat(np.arange(len(city.group_names)), len(supply))
    people, values = city.groups.T.ravel(), np.tile(supply, len(city.group_names))
    mine = people > 0
    if not mine.any() or not (values[mine] > 0).any():
        return None
    parts = equity.theil(values[mine], people[mine], group[mine])
    return {"total": parts.total, "between": parts.between, "within": parts.within}
