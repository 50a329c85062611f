"""Suitability in words: uses, criteria, constraints, how comparisons fit together, why here and why not."""

from __future__ import annotations

import math

from app import i18n
from app.i18n import t
from planning.fitting import Fit, Reason
from planning.suitability import CONSISTENT, Criterion, Weights

SAATY = (9, 7, 5, 3, 2, 1, -2, -3, -5, -7, -9)
"""How a person compares: 9 the first extremely more important, 1 as important, -9 the second extremely more."""


def use(key: str) -> str:
    """Return what is to be placed."""
    return {
        "clinic": t("a clinic"),
        "school": t("a school"),
        "park": t("a park"),
        "business": t("a business district"),
        "industry": t("an industrial park"),
        "station": t("a railway station"),
    }[key]


def criterion(key: str) -> str:
    """Return what a criterion is called."""
    return {
        "people": t("People within 800 m"),
        "road": t("Way to a road"),
        "main_road": t("Way to a main road"),
        "transit": t("Way to a stop or station"),
        "station": t("Way to a railway station"),
        "same": t("Way to the nearest of its kind"),
        "shops": t("Shops within 500 m"),
        "few_homes": t("People within 300 m"),
        "open": t("Open ground"),
        "slope": t("Slope"),
    }[key]


def direction(each: Criterion) -> str:
    """Return from which value to which a criterion gets better."""
    return t("from {worst} (0) to {best} (full)", worst=value(each.key, each.worst), best=value(each.key, each.best))


def value(key: str, number: float) -> str:
    """Return a value of a criterion with its unit."""
    if math.isnan(number):
        return t("unknown")
    if key in {"people", "few_homes"}:
        return t("{count} people", count=i18n.number(number))
    if key == "shops":
        return i18n.number(number)
    if key == "open":
        return percent(number)
    if key == "slope":
        return t("{number} % slope", number=i18n.number(number, 1))
    return t("{metres} m", metres=i18n.number(number))


def constraint(key: str) -> str:
    """Return what forbids."""
    return {
        "water": t("Water"),
        "road": t("Roads"),
        "green": t("Green and meadow"),
        "wood": t("Wood"),
        "farmland": t("Farmland"),
        "sand": t("Sand"),
        "built": t("Built up"),
        "protected": t("Protected zone"),
        "slope": t("Too steep"),
        "too_small": t("Ground too small"),
    }[key]


def percent(share: float) -> str:
    """Return a share in per cent."""
    return t("{number} %", number=i18n.number(100 * share))


def comparison(step: int, first: str, second: str) -> str:
    """Return what a comparison of two criteria says."""
    words = {
        1: t("as important"),
        2: t("slightly more important"),
        3: t("moderately more important"),
        5: t("strongly more important"),
        7: t("very strongly more important"),
        9: t("extremely more important"),
    }
    if step == 1:
        return t("both are as important")
    return t("{criterion} is {more}", criterion=first if step > 0 else second, more=words[abs(step)])


def consistency(made: Weights, names: list[str]) -> str:
    """Return in words how well comparisons fit together."""
    ratio = i18n.number(made.consistency_ratio, 2)
    if made.consistency_ratio > CONSISTENT and made.worst is not None:
        row, column, fitting = made.worst
        step = min(SAATY, key=lambda each: abs(math.log(fitting) - math.copysign(math.log(abs(each)), each)))
        return t(
            "The comparisons contradict each other (consistency ratio {ratio}, at most 0.10). Look at “{first}” against"
            " “{second}”: from the others it would follow that {fitting}.",
            ratio=ratio, first=names[row], second=names[column], fitting=comparison(step, names[row], names[column]),
        )  # fmt: skip
    if made.consistency_ratio < 0.005:
        return t("The comparisons agree with each other.")
    return t("The comparisons fit together (consistency ratio {ratio}, at most 0.10).", ratio=ratio)


def answer(made: Fit) -> str:
    """Return the answer in a sentence."""
    cells, step = i18n.number(len(made.cells)), i18n.number(made.cells.step_m)
    if not made.allowed:
        return t("Nowhere: each of {cells} cells of {step} m is forbidden by something.", cells=cells, step=step)
    return t(
        "{share} of the ground fits ({allowed} of {cells} cells of {step} m).",
        share=percent(made.allowed / len(made.cells)), allowed=i18n.number(made.allowed), cells=cells, step=step,
    )  # fmt: skip


def proof(made: Fit) -> str:
    """Return how good the best area is, and what none can exceed."""
    if not made.areas:
        return t("There is no contiguous ground of that size; ask for less or loosen a constraint.")
    return t(
        "The best area found scores {score} of 100; none of that size can score more than {bound}.",
        score=i18n.number(100 * made.areas[0].score, 1), bound=i18n.number(100 * made.bound, 1),
    )  # fmt: skip


def why(told: Reason) -> str:
    """Return the heading of the reasons for a cell."""
    if told.forbidden:
        return t("Why not here")
    if math.isnan(told.score):
        return t("Not known: a value is missing here")
    return t(
        "Here: {score} of 100, better than {share} of what is allowed",
        score=i18n.number(100 * told.score, 1), share=percent(told.better_than),
    )  # fmt: skip


def forbids(key: str, there: float, limit: float) -> str:
    """Return why a constraint forbids a cell."""
    if math.isnan(limit):
        return t("{what}: the free ground around is smaller than wanted", what=constraint(key))
    if key == "slope":
        return t(
            "{what}: {there} %, at most {limit} %", what=constraint(key), there=i18n.number(there, 1),
            limit=i18n.number(limit, 1),
        )  # fmt: skip
    return t(
        "{what}: {there} of the cell, at most {limit}", what=constraint(key), there=percent(there), limit=percent(limit)
    )
