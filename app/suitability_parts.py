"""Parts of the page Suitability: the reasons for a place, the best areas, keeping them as candidates."""

from __future__ import annotations

import math
from collections.abc import Mapping

import streamlit as st

from app import guard, i18n, state, suitability_words, widgets
from app.i18n import t
from app.widgets import Column
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import suiting
from planning.fitting import Fit, Reason


def clicked(told: Reason | None) -> None:
    """Put in one panel why the place that was clicked fits, or what forbids it; the parts stand below the map."""
    if told is None:
        widgets.note(t("This place lies outside the territory."))
        return
    lines = [suitability_words.forbids(key, there, limit) for key, (there, limit) in told.forbidden.items()]
    if not lines:
        lines = [
            t("{criterion}: {value}, scores {score} of 100, weight {weight}",
              criterion=suitability_words.criterion(key), value=suitability_words.value(key, value),
              score=t("unknown") if math.isnan(score) else i18n.number(100 * score),
              weight=suitability_words.percent(weight))
            for key, (value, score, weight) in told.parts.items()
        ]  # fmt: skip
    items = "".join(f"<li>{widgets.html(line)}</li>" for line in lines)
    head = widgets.html(suitability_words.why(told))
    widgets.write(f'<div class="gk-panel gk-text"><p><b>{head}</b></p><ul>{items}</ul></div>')


def reasons(made: Fit, told: Reason) -> None:
    """Put why here, or why not."""
    widgets.heading(suitability_words.why(told))
    if told.area:
        widgets.note(t("It belongs to area {number}.", number=str(told.area)))
    if told.forbidden:
        lines = "".join(
            f"<li>{widgets.html(suitability_words.forbids(key, there, limit))}</li>"
            for key, (there, limit) in told.forbidden.items()
        )
        widgets.write(f'<div class="gk-panel gk-text"><ul>{lines}</ul></div>')
    ends = {each.key: each for each in made.criteria}
    widgets.table(
        [
            Column(t("What counts")),
            Column(t("Here"), right=True),
            Column(t("Score"), right=True),
            Column(t("Weight"), right=True),
        ],
        [
            [
                widgets.two_lines(suitability_words.criterion(key), suitability_words.direction(ends[key])),
                suitability_words.value(key, value),
                t("unknown") if math.isnan(score) else i18n.number(100 * score),
                suitability_words.percent(weight),
            ]
            for key, (value, score, weight) in told.parts.items()
        ],
    )


def areas(actor: Actor, territory: TerritoryInfo, made: Fit, layers: Mapping[str, int]) -> None:
    """Put the best areas, what forbids how much, and for a planner the button that keeps them."""
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        widgets.heading(t("The best areas"))
        places = suiting.middles(made, territory.metric_srid)
        if made.areas:
            hectares = made.cells.step_m**2 / 10_000
            widgets.table(
                [
                    Column(t("Area"), right=True),
                    Column(t("Score, of 100"), right=True),
                    Column(t("Hectares"), right=True),
                    Column(t("Middle")),
                ],
                [
                    [
                        str(number),
                        i18n.number(100 * area.score, 1),
                        i18n.number(len(area.cells) * hectares, 1),
                        f"{lat:.4f}, {lon:.4f}",
                    ]
                    for number, (area, (lon, lat)) in enumerate(zip(made.areas, places.tolist(), strict=True), 1)
                ],
            )
            widgets.note(t("Areas grow from many good cells; a better one may exist, but none above the bound."))
            if actor.may(May.MAKE_STUDIES):
                _keep(actor, territory, made, layers)
        else:
            widgets.empty(t("There is no area to show."), suitability_words.proof(made))
    with right:
        widgets.heading(t("What forbids how much"))
        total = len(made.cells)
        widgets.table(
            [Column(t("Constraint")), Column(t("Share of the ground"), right=True)],
            [
                [suitability_words.constraint(key), suitability_words.percent(where.mean() if total else 0.0)]
                for key, where in made.found.forbidden.items()
            ],
        )
        widgets.note(
            t("Distances are straight lines from the middle of a cell; cover and people are those of the map or layer.")
        )


def _keep(actor: Actor, territory: TerritoryInfo, made: Fit, layers: Mapping[str, int]) -> None:
    told = st.session_state.pop(state.SUITABILITY_TOLD, None)
    if told:
        widgets.told(told, widgets.link(t("Layers of planning"), "/planning-layers"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            t("Name of the candidates"), suitability_words.use(made.question.use), max_chars=60, width=280,
            key=f"{state.SUITABILITY_FORM}_name_{made.question.use}_{i18n.locale()}",
        )  # fmt: skip
        if st.button(t("Keep as candidates"), type="primary", key="gk_suitability_keep"):
            with guard.page():
                with transaction(actor, purpose="keep candidates") as session:
                    kept = suiting.keep(session, actor, territory, made, name=name, layers=dict(layers))
                st.session_state[state.SUITABILITY_TOLD] = t(
                    "{count} candidates are kept as “{name}”, version {number}.", count=i18n.number(len(made.areas)),
                    name=kept.name, number=str(kept.revision),
                )  # fmt: skip
                st.rerun()
