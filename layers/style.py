"""The theme tokens, the colours of maps, and the classification of values into classes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Theme:
    """Every colour of one theme; pages, tiles, maps and print use nothing else."""

    ground: str
    surface: str
    line: str
    text: str
    muted: str
    primary: str
    overdue: str
    due_soon: str
    on_time: str
    closed: str
    land: str
    water: str
    green: str
    wood: str
    sand: str
    farmland: str
    building: str
    building_line: str
    road: str
    casing: str
    path: str
    label: str
    halo: str
    too_few: str

    def tokens(self) -> dict[str, str]:
        """Return the tokens by name, as the map's JavaScript wants them."""
        return asdict(self)


LIGHT = Theme(
    ground="#F7F7F4",
    surface="#FFFFFF",
    line="#DEDFDA",
    text="#1D2529",
    muted="#5F6B73",
    primary="#0B6B70",
    overdue="#B3261E",
    due_soon="#A36100",
    on_time="#2E6E4E",
    closed="#7A858C",
    land="#F3F1EC",
    water="#D5E4EC",
    green="#E0E9D8",
    wood="#D6E2CC",
    sand="#F0EADB",
    farmland="#F1EFE4",
    building="#E4E0D9",
    building_line="#D8D3CA",
    road="#FFFFFF",
    casing="#D2CEC6",
    path="#C3BBAE",
    label="#5C666C",
    halo="#FFFFFF",
    too_few="#C9CCCB",
)
NIGHT = Theme(
    ground="#0E1518",
    surface="#162026",
    line="#2A363D",
    text="#E6ECEE",
    muted="#93A1A8",
    primary="#3DB3B0",
    overdue="#F2837A",
    due_soon="#E8A94B",
    on_time="#7CC9A0",
    closed="#9AA6AC",
    land="#182227",
    water="#10222C",
    green="#1B2A23",
    wood="#1A2E24",
    sand="#26271F",
    farmland="#1C2523",
    building="#222D33",
    building_line="#2A363D",
    road="#33424A",
    casing="#0F171B",
    path="#3A474E",
    label="#A9B6BC",
    halo="#0E1518",
    too_few="#4A555B",
)

YLGNBU: dict[int, tuple[str, ...]] = {
    1: ("#41B6C4",),
    2: ("#A1DAB4", "#2C7FB8"),
    3: ("#C7E9B4", "#41B6C4", "#225EA8"),
    4: ("#FFFFCC", "#A1DAB4", "#41B6C4", "#225EA8"),
    5: ("#FFFFCC", "#A1DAB4", "#41B6C4", "#2C7FB8", "#253494"),
    6: ("#FFFFCC", "#C7E9B4", "#7FCDBB", "#41B6C4", "#2C7FB8", "#253494"),
    7: ("#FFFFCC", "#C7E9B4", "#7FCDBB", "#41B6C4", "#1D91C0", "#225EA8", "#0C2C84"),
}
"""Sequential ramp by number of classes, light to dark (ColorBrewer YlGnBu)."""

CATEGORY_COLOURS = (
    "#0B6B70",
    "#C2600C",
    "#6A4C93",
    "#B0305A",
    "#2F6DB5",
    "#5B7F2B",
    "#8A5A2B",
    "#4B5960",
    "#9B2FAE",
    "#1F7A3D",
    "#9A7B00",
    "#2A2F7A",
)
"""Qualitative colours of incident categories in the order of the catalogue; more than twelve repeat."""

LIMIT_CLASSES: tuple[tuple[float, str], ...] = (
    (0, "#5E4FA2"),
    (31, "#3288BD"),
    (51, "#4DAC6B"),
    (71, "#E08A1E"),
    (91, "#B3261E"),
)
"""Lower bound in km/h and colour; bounds lie between the usual limits, miles per hour included."""


def relative_luminance(colour: str) -> float:
    """Return the relative luminance 0…1 of ``#RRGGBB`` (WCAG 2.1)."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio 1…21 of two colours (WCAG 2.1)."""
    low, high = sorted((relative_luminance(first), relative_luminance(second)))
    return (high + 0.05) / (low + 0.05)


def round_nicely(value: float) -> float:
    """Return ``value`` rounded to two significant digits, so that a legend can be read aloud."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, 1 - math.floor(math.log10(abs(value))))


def class_edges(values: NDArray[np.floating], *, whole: bool, classes: int = 6) -> list[float]:
    """Return the lower edges of at most ``classes`` classes over the positive finite values.

    Edges are quantiles of the distinct values' distribution, rounded for reading; a class never
    stays empty because of ties. Zero is no class: nothing is drawn where nothing happened.

    Parameters
    ----------
    whole
        Values are counts: edges are integers, and few distinct values get a class each.

    Returns
    -------
    list of float
        Increasing; class ``i`` holds ``edges[i] <= value < edges[i + 1]``, the last is open. Empty
        when there is no positive value.
    """
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive):
        return []
    distinct = np.unique(positive)
    if len(distinct) <= classes:
        return sorted({float(value) if whole else round_nicely_down(float(value)) for value in distinct})
    quantiles = np.quantile(positive, np.arange(classes) / classes)
    # Skewed counts put several quantiles on the same small number; the top is then split further.
    edges: list[float] = [float(distinct[0]) if whole else round_nicely_down(float(distinct[0]))]
    for quantile in quantiles[1:]:
        edge = float(round(quantile)) if whole else round_nicely(float(quantile))
        if edge > edges[-1]:
            edges.append(edge)
    top = float(np.quantile(positive, 0.98))
    while len(edges) < classes and top >= edges[-1] * 1.8 and top - edges[-1] >= (2 if whole else 0):
        middle = math.sqrt(edges[-1] * top)
        edge = float(math.ceil(middle)) if whole else round_nicely(middle)
        if edge <= edges[-1]:
            break
        edges.append(edge)
    return edges


def round_nicely_down(value: float) -> float:
    """Return the largest two-digit number not above ``value``, so that the smallest value has a class."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / step + 1e-9) * step:.6g}")


def ramp(classes: int) -> tuple[str, ...]:
    """Return the sequential colours for a number of classes; empty for none."""
    return YLGNBU[classes] if classes else ()
