"""What a legend says: classes with their colours, statuses with their shapes, in words for the page to translate."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from layers import congestion_cells
from layers.registry import t
from layers.style import LIGHT, LIMIT_CLASSES, Theme, ramp
from layers.values import METRICS, MIN_CLOSED, MIN_PEOPLE


@dataclass(frozen=True, slots=True)
class LegendItem:
    """One line of a legend.

    Attributes
    ----------
    label
        Figures as they stand, or a message to translate with ``values``.
    shape
        box | empty | hatch | circle | diamond | dot | ring | line | sign
    """

    colour: str
    label: str
    shape: str = "box"
    values: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True)
class Legend:
    """A titled group of lines."""

    title: str
    items: tuple[LegendItem, ...]


def class_labels(edges: tuple[float, ...], *, whole: bool) -> list[str]:
    """Return the range of every class as text: "1", "2–3", "8+"; "0.5–2", "2+"."""
    labels = []
    for position, edge in enumerate(edges):
        following = edges[position + 1] if position + 1 < len(edges) else math.inf
        if whole:
            last = following - 1
            only = math.isinf(following) and len(edges) > 1
            labels.append(
                f"{edge:,.0f}+"
                if math.isinf(following) and only
                else f"{edge:,.0f}"
                if last <= edge or math.isinf(last)
                else f"{edge:,.0f}–{last:,.0f}"
            )
        else:
            labels.append(f"{_figure(edge)}+" if math.isinf(following) else f"{_figure(edge)}–{_figure(following)}")
    return labels


def metric_legend(metric: str, edges: tuple[float, ...]) -> Legend:
    """Return the legend of a choropleth."""
    whole = metric in ("reported", "open", "overdue")
    items = [
        LegendItem(colour, label)
        for colour, label in zip(ramp(len(edges)), class_labels(edges, whole=whole), strict=True)
    ]
    if metric == "median_days":
        items.append(LegendItem("", t("Fewer than {count} closed"), "hatch", (("count", MIN_CLOSED),)))
    else:
        none = t("No speed measured") if metric in congestion_cells.METRICS else t("None")
        items.insert(0, LegendItem("", none, "empty"))
    if metric == "per_1000":
        items.append(LegendItem(LIGHT.too_few, t("Too few people (under {count})"), "box", (("count", MIN_PEOPLE),)))
    return Legend(METRICS[metric], tuple(items))


def incident_legend(theme: Theme = LIGHT) -> Legend:
    """Return the legend of incident points by status: each a colour and a shape."""
    return Legend(
        t("Incidents by status"),
        (
            LegendItem(theme.overdue, t("Late"), "diamond"),
            LegendItem(theme.due_soon, t("Due within 24 h"), "triangle"),
            LegendItem(theme.on_time, t("Open, on time"), "circle"),
            LegendItem(theme.closed, t("Closed"), "ring"),
        ),
    )


def limit_legend() -> Legend:
    """Return the legend of roads by speed limit."""
    bounds = [*(lower for lower, _ in LIMIT_CLASSES), math.inf]
    labels = []
    for lower, upper in itertools.pairwise(bounds):
        labels.append(f"> {lower - 1:.0f}" if math.isinf(upper) else f"≤ {upper - 1:.0f}")
    items = tuple(LegendItem(colour, label, "line") for (_, colour), label in zip(LIMIT_CLASSES, labels, strict=True))
    return Legend(t("Speed limit, km/h (dashed: usual for the class, no sign known)"), items)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
