"""The form of the page Suitability: what is placed, what forbids, what counts and how much, which layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations

import numpy as np
import streamlit as st

from app import i18n, state, suitability_words, widgets
from app.i18n import t
from core.errors import InvalidInput
from planning.fitting import CONSTRAINTS, CRITERIA, SHARES, SLOPE, SMALL, USES, FitQuestion, opening
from planning.layer_model import LayerInfo
from planning.suitability import CRITERIA_AT_MOST, Criterion, weigh

HOW = ("say", "compare")
COMPARED_AT_MOST = 6
"""More criteria would be fifteen comparisons and more."""
FURTHER: dict[str, tuple[float, float, float]] = {
    "people": (0, 6000, 2), "road": (500, 20, 2), "main_road": (2000, 50, 2), "transit": (800, 50, 2),
    "station": (3000, 300, 2), "same": (300, 2000, 2), "shops": (0, 40, 2), "few_homes": (800, 0, 2),
    "open": (0.5, 1, 2), "slope": (15, 0, 2),
}  # fmt: skip
"""How a criterion opens where the use says nothing of it."""
LIMITS = {
    "water": 0.05, "road": 0.35, "green": 0.3, "wood": 0.3, "farmland": 0.3, "sand": 0.3, "built": 0.4,
    "protected": 0.0, "slope": 10.0,
}  # fmt: skip


def key(name: str) -> str:
    """Return a widget's key; each language has its own, because Streamlit remembers a choice by its words."""
    return f"{state.SUITABILITY_FORM}_{name}_{i18n.locale()}"


def what() -> str:
    """Ask what is to be placed; the address says the same."""
    told = st.query_params.get("use", "")
    first = list(USES).index(told) if told in USES else 0
    chosen = st.selectbox(
        t("What is to be placed"), list(USES), index=first, format_func=suitability_words.use, key=key("use"), width=240
    )
    if st.query_params.get("use") != chosen:
        st.query_params["use"] = chosen
    return str(chosen)


def layer(offered: Sequence[LayerInfo], kind: str, label: str, none: str) -> int | None:
    """Ask for a layer of a kind; nothing is asked where none is there."""
    found = {each.id: each for each in offered if each.kind == kind}
    if not found:
        return None
    chosen = st.selectbox(
        label, [0, *found], format_func=lambda at: layer_name(found[at]) if at else none, key=key(kind)
    )
    return int(chosen) or None


def layer_name(info: LayerInfo) -> str:
    """Return a layer as a person calls it: name, year, version."""
    name = info.name if info.year is None else t("{name}, {year}", name=info.name, year=str(info.year))
    return name if info.revision == 1 else t("{name} (version {number})", name=name, number=str(info.revision))


def question(use: str, *, slope: bool, zones: bool) -> FitQuestion | InvalidInput:
    """Put the form of a use; return the question, or why it cannot be asked."""
    opened = opening(use)
    size, count = st.columns(2)
    area = size.number_input(t("Ground, in hectares"), 0.1, 20_000.0, opened.area_ha, 0.5, key=key(f"area_{use}"))
    wanted = count.number_input(t("Best areas shown"), 1, 20, opened.count, key=key(f"count_{use}"))
    shut = [
        each for each in CONSTRAINTS if each != SMALL and (slope or each != SLOPE) and (zones or each != "protected")
    ]
    chosen = st.multiselect(
        t("What forbids"), shut, [each for each in shut if each in opened.limits], key=key(f"shut_{use}"),
        format_func=suitability_words.constraint, placeholder=t("nothing"),
    )  # fmt: skip
    kinds = [
        each for each in CRITERIA
        if (slope or each != SLOPE) and (each != "same" or USES[use].facility_kind is not None)
    ]  # fmt: skip
    first = [each.key for each in opened.criteria] + ([SLOPE] if slope else [])
    picked = st.multiselect(
        t("What counts"), kinds, first, key=key(f"criteria_{use}_{slope}"), max_selections=CRITERIA_AT_MOST,
        format_func=suitability_words.criterion, placeholder=t("Choose at least one"),
    )  # fmt: skip
    if not picked:
        return InvalidInput(t("Nothing counts, so nothing can be compared."), hint=t("Choose at least one criterion."))
    known = {each.key: each for each in opened.criteria}
    numbers = {each: _numbers(known.get(each), each) for each in picked}
    shares = _shares(use, picked, numbers)
    if isinstance(shares, InvalidInput):
        return shares
    with st.expander(t("Limits and values")):
        limits = {each: _limit(use, each, opened.limits.get(each, LIMITS[each])) for each in chosen}
        ends = {each: _ends(use, each, numbers[each]) for each in picked}
    try:
        criteria = tuple(Criterion(each, *ends[each], shares[each]) for each in picked)
        return FitQuestion(use, float(area), criteria, limits, int(wanted))
    except InvalidInput as error:
        return error


def _numbers(known: Criterion | None, each: str) -> tuple[float, float, float]:
    return FURTHER[each] if known is None else (known.worst, known.best, known.weight)


def _shares(
    use: str, picked: Sequence[str], numbers: dict[str, tuple[float, float, float]]
) -> dict[str, float] | InvalidInput:
    """Ask how much each criterion counts; comparisons that contradict each other do not count."""
    how = HOW[0]
    if 2 < len(picked) <= COMPARED_AT_MOST:
        words = {"say": t("Say the weights"), "compare": t("Compare two at a time")}
        how = st.segmented_control(
            t("How much each counts"), HOW, default=HOW[0], format_func=words.__getitem__, required=True, key=key("how")
        )
    names = {each: suitability_words.criterion(each) for each in picked}
    if how == "say":
        told = {
            each: st.slider(names[each], 1, 9, int(numbers[each][2]), key=key(f"weight_{use}_{each}"))
            for each in picked
        }
        total = sum(told.values())
        return {each: weight / total for each, weight in told.items()}
    table = np.eye(len(picked))
    for (row, first), (column, second) in combinations(enumerate(picked), 2):
        step = st.select_slider(
            t("{first} or {second}", first=names[first], second=names[second]), suitability_words.SAATY, 1,
            key=key(f"pair_{use}_{first}_{second}"),
            format_func=partial(suitability_words.comparison, first=names[first], second=names[second]),
        )  # fmt: skip
        table[row, column] = step if step > 0 else -1 / step
        table[column, row] = 1 / table[row, column]
    made = weigh(table)
    said = suitability_words.consistency(made, [names[each] for each in picked])
    if made.consistency_ratio > 0.1:
        return InvalidInput(said, hint=t("Change one of them; until then no map is shown."))
    parts = "; ".join(
        f"{names[each]} {suitability_words.percent(share)}" for each, share in zip(picked, made.shares, strict=True)
    )
    widgets.note(f"{said} {parts}.")
    return dict(zip(picked, made.shares, strict=True))


def _limit(use: str, each: str, opened: float) -> float:
    name = suitability_words.constraint(each)
    if each not in SHARES:
        return float(
            st.number_input(
                t("{what}: above per cent", what=name), 0.0, 100.0, opened, 1.0, key=key(f"max_{use}_{each}")
            )
        )
    asked = st.number_input(
        t("{what}: above per cent of a cell", what=name), 0, 100, round(100 * opened), 5, key=key(f"max_{use}_{each}")
    )
    return asked / 100


def _ends(use: str, each: str, opened: tuple[float, float, float]) -> tuple[float, float]:
    name, scale = suitability_words.criterion(each), 100 if each == "open" else 1
    left, right = st.columns(2)
    worst = left.number_input(
        t("{what}: worst", what=name), 0.0, 1e6, float(opened[0] * scale), key=key(f"worst_{use}_{each}")
    )
    best = right.number_input(
        t("{what}: best", what=name), 0.0, 1e6, float(opened[1] * scale), key=key(f"best_{use}_{each}")
    )
    return worst / scale, best / scale
