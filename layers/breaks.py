"""Class breaks of a choropleth as the reader wants them: quantile, Jenks, equal, or numbers of one's own."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from layers.registry import t
from layers.style import YLGNBU, class_edges

SCHEMES = {
    "auto": t("Rounded quantiles"),
    "quantile": t("Quantiles"),
    "jenks": t("Natural breaks (Jenks)"),
    "equal": t("Equal intervals"),
    "manual": t("Own breaks"),
}
LEAST, MOST = 2, 7
JENKS_SAMPLE = 3_000
"""Natural breaks of more values are found on evenly spaced ones: the exact search grows with their square."""

CIVIDIS: dict[int, tuple[str, ...]] = {
    1: ("#7C7B78",),
    2: ("#BCAF6F", "#35456C"),
    3: ("#D9C55C", "#7C7B78", "#1F3864"),
    4: ("#EBD650", "#A59C74", "#666970", "#123570"),
    5: ("#FEE838", "#BCAF6F", "#7C7B78", "#414D6B", "#00224E"),
    6: ("#FEE838", "#CBBA69", "#958F78", "#666970", "#35456C", "#00224E"),
    7: ("#FEE838", "#D2C060", "#A59C74", "#7C7B78", "#575D6D", "#2F4068", "#00224E"),
}
"""Perceptually even for all eyes (Nuñez, Anderton and Renslow, PLOS ONE 13, 2018), light to dark."""
GREYS: dict[int, tuple[str, ...]] = {
    1: ("#969696",),
    2: ("#D0D0D0", "#5C5C5C"),
    3: ("#E0E0E0", "#9A9A9A", "#4A4A4A"),
    4: ("#E8E8E8", "#B4B4B4", "#7C7C7C", "#3C3C3C"),
    5: ("#EEEEEE", "#C6C6C6", "#989898", "#666666", "#2E2E2E"),
    6: ("#F0F0F0", "#D0D0D0", "#ACACAC", "#828282", "#565656", "#262626"),
    7: ("#F2F2F2", "#D8D8D8", "#BABABA", "#989898", "#727272", "#4A4A4A", "#222222"),
}
RAMPS = {"YlGnBu": YLGNBU, "cividis": CIVIDIS, "greys": GREYS}
RAMP_TITLES = {"YlGnBu": t("Yellow to blue"), "cividis": t("Cividis"), "greys": t("Greys, for copying")}
PUOR = ("#5E3C99", "#B2ABD2", "#E4E3DE", "#FDB863", "#B35806")
"""From the strongest fall over a grey middle to the strongest rise (ColorBrewer PuOr); safe for colour-blind eyes."""


def breaks(
    values: NDArray[np.floating], scheme: str, classes: int, *, whole: bool, own: tuple[float, ...] = ()
) -> tuple[float, ...]:
    """Return the lower edges of the classes over the positive finite values, increasing; empty where there are none.

    Parameters
    ----------
    scheme
        One of `SCHEMES`; classification by mapclassify (PySAL) but for the rounded quantiles of our own.
    classes
        At most so many; fewer where values repeat.
    whole
        Values are counts: edges are whole numbers.
    own
        Edges of scheme "manual".

    Raises
    ------
    InvalidInput
        When the scheme is not known, or its own edges are missing.
    """
    if scheme not in SCHEMES or not LEAST <= classes <= MOST:
        raise InvalidInput(f"There is no scheme {scheme!r} of {classes} classes.", hint=f"Known: {', '.join(SCHEMES)}.")
    positive = values[np.isfinite(values) & (values > 0)].astype(np.float64)
    if not len(positive):
        return ()
    if scheme == "auto":
        return tuple(class_edges(values, whole=whole))
    if scheme == "manual":
        if not own:
            raise InvalidInput("Own breaks need numbers.", hint="Write them as 1, 3, 8.")
        lowest = float(positive.min())
        return own if own[0] <= lowest else (math.floor(lowest) if whole else lowest, *own)[:MOST]
    distinct = np.unique(positive)
    if len(distinct) <= classes and scheme != "equal":
        return tuple(float(value) for value in distinct)
    return _edges(_uppers(positive, scheme, min(classes, len(distinct))), distinct, whole=whole)


def _uppers(positive: NDArray[np.float64], scheme: str, classes: int) -> NDArray[np.float64]:
    """Return the upper ends of the classes, each part of its class."""
    if classes < 2:
        return np.array([positive.max()])
    import mapclassify  # takes seconds to import, and few maps ask for it

    if scheme == "jenks":
        ordered = np.sort(positive)
        step = max(1, math.ceil(len(ordered) / JENKS_SAMPLE))
        kept = np.unique(np.append(np.arange(0, len(ordered), step), len(ordered) - 1))
        return np.asarray(mapclassify.FisherJenks(ordered[kept], k=classes).bins, dtype=np.float64)
    kind = mapclassify.Quantiles if scheme == "quantile" else mapclassify.EqualInterval
    return np.asarray(kind(positive, k=classes).bins, dtype=np.float64)


def _edges(uppers: NDArray[np.float64], distinct: NDArray[np.float64], *, whole: bool) -> tuple[float, ...]:
    """Return lower edges that part the values just as the upper ends do, in the fewest digits."""
    edges = [float(distinct[0]) if whole else _plain(0.0, float(distinct[0]))]
    for upper in uppers[:-1]:
        at = int(np.searchsorted(distinct, upper, side="right"))
        if at >= len(distinct):
            break
        edge = float(distinct[at]) if whole else _plain(float(distinct[at - 1]) if at else 0.0, float(distinct[at]))
        if edge > edges[-1]:
            edges.append(edge)
    return tuple(edges)


def _plain(below: float, up_to: float) -> float:
    """Return the number with the fewest digits that is above ``below`` and at most ``up_to``."""
    for digits in range(1, 17):
        step = 10.0 ** (math.floor(math.log10(up_to)) - digits + 1)
        rounded = float(f"{math.floor(up_to / step + 1e-12) * step:.15g}")
        if below < rounded <= up_to:
            return rounded
    return up_to


def own_breaks(words: str) -> tuple[float, ...]:
    """Return the edges somebody wrote, "1, 3, 8"; full-width signs are understood.

    Raises
    ------
    InvalidInput
        When they are no increasing positive numbers, or too many.
    """
    parts = [part for part in re.split(r"[\s,;、]+", unicodedata.normalize("NFKC", words)) if part]
    try:
        edges = tuple(float(part) for part in parts)
    except ValueError as error:
        raise InvalidInput("Breaks are numbers.", hint="Write them as 1, 3, 8.") from error
    rising = all(low < high for low, high in itertools.pairwise(edges))
    if not edges or not all(math.isfinite(edge) and edge > 0 for edge in edges) or not rising:
        raise InvalidInput(
            "Breaks are numbers above zero, each larger than the one before.", hint="Write them as 1, 3, 8."
        )
    if len(edges) > MOST:
        raise InvalidInput("There are too many breaks to tell the colours apart.", hint="Give seven or fewer.")
    return edges


def colours(ramp: str, classes: int) -> tuple[str, ...]:
    """Return the colours of a ramp for a number of classes; empty for none."""
    return RAMPS.get(ramp, YLGNBU)[classes] if classes else ()
