"""Layers of planning: what was brought and kept, by name and version, and the form that brings another."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, layer_form, state, suitability_form, widgets
from app.i18n import t, tn
from app.where import territory_of
from app.widgets import Column
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import layering
from planning.layer_model import LayerInfo


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_STUDIES)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Layers of planning"), simulated=territory.is_demo)
        widgets.note(
            t("People by year and group, candidates, protected zones and slope: for studies, access and suitability.")
        )
        told = st.session_state.pop(state.LAYERS_TOLD, None)
        if told:
            widgets.told(told)
        left, right = st.columns([1.6, 1], gap="large")
        with left:
            _list(session, actor, territory)
        with right:
            if actor.may(May.MAKE_STUDIES):
                widgets.heading(t("Bring a layer"))
                layer_form.show(actor, territory)
            else:
                widgets.note(t("A planner brings layers."))


def _list(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    offered = layering.layers(session, actor, territory)
    if not offered:
        widgets.empty(
            t("There is no layer yet."), t("Without one, people, roads and land are those of the map that was loaded.")
        )
        return
    widgets.table(
        [
            Column(t("Layer")),
            Column(t("What it holds")),
            Column(t("People"), right=True),
            Column(t("Brought"), wide=True),
        ],
        [[_name(each), _holds(each), _people(each), _brought(each)] for each in offered],
    )
    for each in offered:
        findings = [str(line) for line in each.facts.get("findings", [])]
        if findings:
            with st.expander(t("{name}: what was found in the file", name=suitability_form.layer_name(each))):
                for line in findings:
                    widgets.note(line)
    if actor.may(May.MAKE_STUDIES):
        _retire(actor, offered)


def _name(each: LayerInfo) -> str:
    return f"{layer_form.kind(each.kind)}: {suitability_form.layer_name(each)}"


def _holds(each: LayerInfo) -> str:
    if each.kind == "slope":
        return t("{count} cells", count=i18n.number(each.facts.get("cells", 0)))
    if each.kind == "matrix":
        columns = int(each.facts["candidates"]) + int(each.facts["there"])
        return t("{rows} rows, {columns} columns", rows=i18n.number(each.facts["places"]), columns=i18n.number(columns))
    places = tn("{count} place", "{count} places", int(each.facts.get("places", 0)))
    return t("{places}, groups: {groups}", places=places, groups=", ".join(each.groups)) if each.groups else places


def _people(each: LayerInfo) -> str:
    return i18n.number(float(each.facts.get("people", 0))) if each.kind == "demand" else ""


def _brought(each: LayerInfo) -> str:
    return t("{day} by {who}", day=each.made_at.date().isoformat(), who=each.made_label)


def _retire(actor: Actor, offered: tuple[LayerInfo, ...]) -> None:
    with st.expander(t("Offer a layer no longer")):
        names = {each.id: each for each in offered}
        chosen = st.selectbox(t("Layer"), list(names), format_func=lambda at: _name(names[at]), key="gk_layer_retire")
        widgets.note(t("What rests on it stays as it is; the record keeps who took it away."))
        if st.button(t("Take it away"), key="gk_layer_retire_now"):
            with guard.page():
                with transaction(actor, purpose="retire a layer") as session:
                    gone = layering.retire(session, actor, chosen)
                st.session_state[state.LAYERS_TOLD] = t("“{name}” is offered no longer.", name=gone.name)
                st.rerun()


show()
