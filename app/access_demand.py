"""Whose access is counted: the people of the map or of a layer, how many more there will be; results by group."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import access_curve, i18n, state, study_words, suitability_form, widgets
from app.i18n import t
from app.widgets import Column
from core.errors import InvalidInput
from planning.access_model import AccessQuestion, AccessRow
from planning.layer_model import AHEAD_AT_MOST, GROWTH_AT_MOST, Growth, LayerInfo


def ask(offered: Sequence[LayerInfo]) -> tuple[int | None, Growth]:
    """Ask which people count and how many more there will be; the address gives what is shown first."""
    found = {each.id: each for each in offered}
    first, growth = told()
    labels = {0: t("People of the map")} | {at: suitability_form.layer_name(each) for at, each in found.items()}
    lang = i18n.locale()
    with st.popover(t("People: {whose}", whose=labels.get(first, labels[0]))):
        chosen = st.selectbox(
            t("Whose access"), list(labels), index=list(labels).index(first) if first in labels else 0,
            format_func=labels.__getitem__, key=f"{state.ACCESS_FORM}_demand_{lang}",
        )  # fmt: skip
        per_cent = st.number_input(
            t("More people a year, in per cent"), -GROWTH_AT_MOST, GROWTH_AT_MOST, growth.per_cent, 0.5,
            key=f"{state.ACCESS_FORM}_growth_{lang}",
        )  # fmt: skip
        years = st.number_input(
            t("For so many years"), 0, AHEAD_AT_MOST, growth.years, key=f"{state.ACCESS_FORM}_years_{lang}"
        )
        widgets.note(t("An assumption: everywhere alike, and in every group."))
        words = t("Bring protected zones, slope or people as a layer")
        widgets.write(f"<p>{widgets.link(words, '/planning-layers').text}</p>")
    return chosen or None, Growth(float(per_cent), int(years))


def told() -> tuple[int, Growth]:
    """Return the layer (0 for none) and the growth that the address says."""
    given = st.query_params.get("demand", "")
    layer = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
    per_cent, _, years = st.query_params.get("growth", "").partition("x")
    with contextlib.suppress(ValueError, InvalidInput):
        return layer, Growth(float(per_cent), int(years))
    return layer, Growth()


def address_parts(question: AccessQuestion) -> dict[str, str]:
    """Return what of the question the address says of people."""
    said = {} if question.demand_id is None else {"demand": str(question.demand_id)}
    if question.matrix_id is not None:
        said["matrix"] = str(question.matrix_id)
    if question.hour is not None:
        said["hour"] = str(question.hour)
    if question.growth.factor != 1.0:
        said["growth"] = f"{question.growth.per_cent:g}x{question.growth.years}"
    return said


def words(row: AccessRow) -> list[str]:
    """Return whose access was counted, a line each; nothing for the people of the map as they are."""
    demand: Mapping[str, Any] = row.facts.get("demand") or {}
    lines = []
    if "name" in demand:
        name = demand["name"] if demand["year"] is None else t(
            "{name}, {year}", name=demand["name"], year=str(demand["year"])
        )  # fmt: skip
        lines.append(
            t("People: {people} of the layer “{name}”, version {number}.", name=name, number=str(demand["revision"]),
              people=i18n.number(row.facts["now"]["people"]))
        )  # fmt: skip
    if "growth" in demand:
        per_cent, years = demand["growth"]
        lines.append(
            t("Assumed: {per_cent} % more people a year for {years} years, everywhere alike ({people} people then).",
              per_cent=i18n.number(per_cent, 1), years=str(years), people=i18n.number(row.facts["now"]["people"]))
        )  # fmt: skip
    return lines


def groups(row: AccessRow) -> None:
    """Put the results by group, the one with the smallest share in time first, and how evenly groups share."""
    found: Mapping[str, Any] = row.facts.get("groups") or {}
    if not found:
        widgets.empty(
            t("The people have no groups."),
            t("Bring a layer of people with columns of groups, e.g. by age, and choose it above."),
            link_label=t("Layers of planning"), href="/planning-layers",
        )  # fmt: skip
        return
    rows = [each for each in found["rows"] if each["people"] > 0]
    rows.sort(key=lambda each: each["within"] / each["people"])
    supplied = any(each["supply"] is not None for each in rows)
    columns = [
        Column(t("Group")),
        Column(t("People"), right=True),
        Column(t("In time"), right=True),
        Column(t("Not in time"), right=True),
        Column(t("Half of them within"), right=True, wide=True),
    ]
    columns += [Column(t("For 10,000 people"), right=True)] if supplied else []
    widgets.table(
        columns,
        [
            [
                each["name"],
                i18n.number(each["people"]),
                study_words.per_cent(each["within"] / each["people"]),
                i18n.number(each["people"] - each["within"]),
                study_words.minutes(each["median_s"], 0),
                *([access_curve.number(each["supply"], 1)] if supplied else []),
            ]
            for each in rows
        ],
    )
    parts = found["theil"]
    if parts and parts["total"] > 0:
        widgets.note(
            t("Of all unevenness (Theil {total}) {share} lies between groups, the rest within them.",
              total=access_curve.number(parts["total"], 3),
              share=study_words.per_cent(parts["between"] / parts["total"]))
        )  # fmt: skip
