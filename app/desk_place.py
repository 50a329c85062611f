"""The place of a new incident by what the caller says: suggestions while it is typed, one taken by a click or a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st
from sqlalchemy.orm import Session

from app import desk, i18n, widgets, words
from app.desk import Form
from app.i18n import t
from core.identity import Actor
from geodata.places import Place, find_places
from geodata.territory import TerritoryInfo


def show(session: Session, actor: Actor, territory: TerritoryInfo, form: Form, key: Callable[[str], str]) -> Form:
    """Put the field and what it may mean; ``key`` makes the keys of this round's fields."""
    widgets.heading(t("Where it is"))
    place = st.text_input(
        t("Address or place"),
        form.place,
        max_chars=200,
        key=f"{key('place')}_{form.placed}",
        live=True,
        placeholder=t("Street, facility, town or grid code"),
    )
    form = replace(form, place=place)
    if not place.strip() or place.strip() == form.found:
        return form
    found = find_places(session, territory.id, place)
    if not found:
        widgets.note(
            t(
                "Nothing in {territory} is called “{name}”. Try the street without its number, a facility or the town,"
                " or click the place on the map.",
                territory=territory.title(i18n.locale()),
                name=place.strip(),
            )
        )
        return form
    widgets.note(t("Not found as written. Did you mean:") if found[0].guessed else t("Choose the place:"))
    with st.container(key="gk-places"):
        for rank, each in enumerate(found):
            st.button(
                _place_name(each),
                key=f"{key('found')}_{rank}",
                type="tertiary",
                shortcut="Alt+P" if rank == 0 else None,
                on_click=_take_place,
                args=(actor, form, each),
            )
    return form


def _place_name(place: Place) -> str:
    name = i18n.either(place.name, place.name_zh)
    community = i18n.either(place.community, place.community_zh)
    kind = words.place_kind(place.kind, place.detail)
    where = t("{place}, {community}", place=name, community=community) if community else name
    return f"{where} · {kind}" if kind else where


def _take_place(actor: Actor, form: Form, place: Place) -> None:
    """Take a found place over, with its point."""
    name = form.place.strip() if place.kind == "road" and not place.guessed and _has_number(form.place) else place.name
    desk.keep(
        actor,
        replace(form, place=name, found=name, lon=place.lon, lat=place.lat, component_id=None, placed=form.placed + 1),
    )


def _has_number(text: str) -> bool:
    return any(sign.isdigit() for sign in text)
