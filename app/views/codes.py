"""Codes: what a code means, the registry of schemes, official codes of communities, old and new codes."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import as_of, code_parts, guard, i18n, state, widgets
from app.i18n import t
from app.where import territory_of
from core.errors import GridkeeperError
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from grids import coding


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_MAP)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        aside = t("codes of the unit grids are written by the scheme {scheme}", scheme=territory.code_scheme)
        widgets.title(t("Codes"), simulated=territory.is_demo, aside=aside)
        done = st.session_state.pop(state.CODES_DONE, "")
        if done:
            st.success(done)
        _ask(session, actor, territory)
        schemes, official, links = st.tabs([t("Schemes"), t("Official codes"), t("Old and new codes")])
        with schemes, guard.page():
            code_parts.schemes(session, actor, territory)
        with official, guard.page():
            code_parts.official(session, actor, territory)
        with links, guard.page():
            code_parts.links(session, actor, territory)


def _ask(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Ask for a code and a day, and tell what it means; both stand in the address."""
    with widgets.filter_bar():
        code = st.text_input(
            t("Which grid is"), st.query_params.get("code", ""), key=state.CODES_ASK, placeholder=t("Code"), width=260
        ).strip()
        day = as_of.control(territory, key=f"{state.CODES_ASK}_{i18n.locale()}")
    if not code:
        st.query_params.pop("code", None)
        return
    st.query_params["code"] = code
    try:
        code_parts.meaning(session, actor, coding.meaning(session, actor, territory, code, day))
    except GridkeeperError as unknown:
        widgets.known_error(unknown)


with guard.page():
    show()
