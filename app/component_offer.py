"""Components near the place of a new incident: offered with distance and identifier, taken over by a click."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from sqlalchemy.orm import Session

from app import component_words, desk, i18n, widgets
from app.desk import Form
from app.i18n import t
from core.identity import Actor
from incidents.components import NearComponent
from incidents.service import components as register


def show(session: Session, actor: Actor, form: Form) -> None:
    """Put the nearest components of the class, or the one that was chosen; nothing for an event."""
    if form.lon is None or form.lat is None or not form.class_key.startswith("component-"):
        return
    if form.component_id is not None:
        row = register.component_detail(session, actor, form.component_id).row
        with st.container(horizontal=True, vertical_alignment="center", key="gk-component"):
            widgets.told(t("About the component"), widgets.link(row.code, f"/components?component={row.code}"))
            st.button(
                t("Another one"), key=f"gk_component_none_{form.placed}", on_click=_take, args=(actor, form, None)
            )
        return
    found = register.nearest_components(session, actor, form.class_key, form.lon, form.lat)
    if not found:
        widgets.note(t("The register has no component of this class within 100 m; file it without."))
        return
    widgets.note(t("Which component is it? Nearest first:"))
    with st.container(key="gk-near-components"):
        for each in found:
            st.button(
                _label(each),
                key=f"gk_component_{each.row.id}_{form.placed}_{i18n.locale()}",
                type="tertiary",
                on_click=_take,
                args=(actor, form, each),
            )


def _label(each: NearComponent) -> str:
    parts = [t("{metres} m", metres=i18n.number(each.metres)), each.row.code, each.row.place]
    if each.row.state != "in_use":
        parts.append(component_words.state(each.row.state))
    return " · ".join(part for part in parts if part)


def _take(actor: Actor, form: Form, chosen: NearComponent | None) -> None:
    """Take a component over with its exact place, or let it go again; runs before the page is drawn anew."""
    if chosen is None:
        desk.keep(actor, replace(form, component_id=None, placed=form.placed + 1))
        return
    place = form.place.strip() or chosen.row.place
    desk.keep(
        actor,
        replace(
            form,
            component_id=chosen.row.id,
            lon=chosen.row.lon,
            lat=chosen.row.lat,
            place=place,
            found=place,
            placed=form.placed + 1,
        ),
    )
