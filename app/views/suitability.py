"""Suitability: where something fits, the best areas of a size, why here and why not; kept as candidates of studies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, suitability_form, suitability_map, suitability_parts, suitability_words, widgets
from app.i18n import t
from app.where import territory_of
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from layers.basemap import surrounded_by_water
from planning import layering, suiting
from planning.cells import Cells
from planning.fitting import Fit, fit, reason
from planning.layer_model import LayerInfo
from planning.posing import metric

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-study.css"
MAP_PX = 560


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_STUDIES)
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        offered = layering.layers(session, actor, territory)
        widgets.title(t("Suitability"), simulated=territory.is_demo)
        left, right = st.columns([1, 1.6], gap="medium")
        with left:
            use = suitability_form.what()
            layers = _layers(offered)
            question = suitability_form.question(
                use, slope=layers["slope"] is not None, zones=layers["zones"] is not None
            )
        with right:
            if isinstance(question, InvalidInput):
                widgets.known_error(question)
                return
            with st.spinner(t("The ground is being read; this takes some seconds the first time.")):
                cells = _ground(session, actor, territory, use, suiting.version_of(session, actor, territory), layers)
            made = fit(cells, question)
            _answer(made)
            _map(session, actor, territory, made)
        suitability_parts.areas(actor, territory, made, _used(layers))


def _layers(offered: tuple[LayerInfo, ...]) -> dict[str, int | None]:
    """Ask which layers count, where there are some."""
    made = {
        "demand": suitability_form.layer(offered, "demand", t("People"), t("as on the map")),
        "zones": suitability_form.layer(offered, "zones", t("Protected zones"), t("none")),
        "slope": suitability_form.layer(offered, "slope", t("Slope"), t("not known")),
    }
    words = t("Bring protected zones, slope or people as a layer")
    widgets.write(f"<p>{widgets.link(words, '/planning-layers').text}</p>")
    return made


def _used(layers: dict[str, int | None]) -> dict[str, int]:
    return {kind: at for kind, at in layers.items() if at is not None}


@st.cache_data(ttl=3600, max_entries=16, show_spinner=False)
def _ground(
    _session: Session, _actor: Actor, _territory: TerritoryInfo, use: str, version: int, layers: dict[str, int | None]
) -> Cells:
    del version  # part of the key: other data, other ground
    return suiting.ground(_session, _actor, _territory, use, **layers)


def _answer(made: Fit) -> None:
    first, second = widgets.html(suitability_words.answer(made)), widgets.html(suitability_words.proof(made))
    widgets.write(f'<div class="gk-answer"><p class="gk-head-answer">{first}</p><p class="gk-proof">{second}</p></div>')
    for key in made.without:
        widgets.note(
            t("“{criterion}” does not count: nothing of it is known here.", criterion=suitability_words.criterion(key))
        )


def _map(session: Session, actor: Actor, territory: TerritoryInfo, made: Fit) -> None:
    shapes = suiting.outlines(made, territory.metric_srid)
    chosen = st.session_state.get(state.SUITABILITY_CELL)
    if chosen is not None:
        at = _cell(made, territory, chosen)
        suitability_parts.clicked(None if at < 0 else reason(made, at))
    clicked = suitability_map.show(
        territory, actor, made, shapes=shapes, chosen=chosen, island=_island(session, territory.id), height=MAP_PX
    )
    if clicked is not None and clicked != chosen:
        st.session_state[state.SUITABILITY_CELL] = clicked
        st.rerun()
    widgets.write(suitability_map.legend(made))
    widgets.note(t("Click a place on the map to read why here, or why not."))
    numbers = range(1, len(made.areas) + 1)
    options = [*numbers] if chosen is None else [0, *numbers]
    if not options:
        return
    asked = st.selectbox(
        t("Why here, or why not"), options, key=f"{state.SUITABILITY_FORM}_why_{chosen}_{i18n.locale()}", width=320,
        format_func=lambda at: t("middle of area {number}", number=str(at)) if at else t("the place that was clicked"),
    )  # fmt: skip
    cell = _cell(made, territory, chosen) if chosen is not None and not asked else _best_of(made, asked)
    if cell < 0:
        widgets.note(t("This place lies outside the territory."))
        return
    suitability_parts.reasons(made, reason(made, cell))


def _cell(made: Fit, territory: TerritoryInfo, chosen: tuple[float, float]) -> int:
    return int(made.cells.at(metric(np.array([chosen]), territory.metric_srid))[0])


def _best_of(made: Fit, number: int) -> int:
    """Return the cell of an area that is nearest to its middle."""
    cells = made.areas[number - 1].cells
    places = made.cells.xy_m[cells]
    return int(cells[np.hypot(*(places - places.mean(axis=0)).T).argmin()])


@st.cache_data(ttl=3600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


show()
