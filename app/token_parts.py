"""Tokens by which other systems read: made on My account, listed and ended there and by the administrator."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import account_acts, bearer, i18n, state, widgets
from app.account_acts import Around, do
from app.i18n import t
from app.roles import role_name
from app.widgets import Column
from core.identity import May
from geodata.db import transaction
from people import tokens
from people.token_model import TokenRow
from people.tokens import Issued


def mine(around: Around) -> None:
    """Put the actor's own tokens, and the form that makes one."""
    if not around.actor.may(May.TAKE_DATA):
        return
    widgets.heading(t("Tokens for other systems"))
    _new_one()
    with transaction(around.actor) as session:
        rows = tokens.mine(session, around.actor)
    _table(around, [each for each in rows if each.lives(around.now)])
    _form(around, None)


def of_account(around: Around, user_id: int) -> None:
    """Put the tokens of an account for the administrator, and the form that makes one for it."""
    widgets.heading(t("Tokens for other systems"))
    _new_one()
    with transaction(around.actor) as session:
        rows = tokens.of(session, around.actor, user_id)
    _table(around, [each for each in rows if each.lives(around.now)])
    _form(around, user_id)


def _new_one() -> None:
    """Put the secret of a token that was just made, until it is put away: it is told this once."""
    issued: Issued | None = st.session_state.get(state.NEW_SECRET)
    if issued is None:
        return
    with st.container(key="gk-ticket"):
        widgets.note(t("Copy it to the other system now: it is not kept and cannot be shown again."))
        st.code(issued.secret, language=None)
        if st.button(t("Put it away"), key="gk_token_away"):
            st.session_state.pop(state.NEW_SECRET)
            st.rerun()


def _table(around: Around, rows: Sequence[TokenRow]) -> None:
    if not rows:
        widgets.note(t("None. With a token QGIS, GDAL or another system reads /ogc in your role, and nothing else."))
        return
    zone = around.territory.timezone
    widgets.table(
        [Column(t("System")), Column(t("Role")), Column(t("Last used"), right=True), Column(t("Ends"), right=True)],
        [
            (
                each.name,
                role_name(each.role),
                i18n.clock(each.last_used_at, zone, now=around.now) if each.last_used_at else t("never"),
                i18n.day(each.expires_at.date()),
            )
            for each in rows
        ],
    )
    names = {each.id: each.name for each in rows}
    mark = f"gk_token_end_{account_acts.this_round()}_{i18n.locale()}"
    with st.popover(t("End a token"), key=mark):
        which = st.selectbox(t("System"), list(names), format_func=names.__getitem__, key=f"{mark}_which")
        if st.button(t("End it now"), key=f"{mark}_do"):
            _end(around, which, names[which])


def _end(around: Around, token_id: int, name: str) -> None:
    bearer.forget()
    do(
        around,
        lambda session: tokens.end(session, around.actor, token_id),
        t("The token of {name} opens nothing any more.", name=name),
        purpose="end a token",
    )


def _form(around: Around, user_id: int | None) -> None:
    mark = f"gk_token_{user_id}_{account_acts.this_round()}_{i18n.locale()}"
    with st.popover(t("Make a token"), key=mark):
        name = st.text_input(
            t("Which system reads with it"),
            max_chars=tokens.LONGEST_NAME,
            placeholder=t("e.g. GIS of the water works; no private name"),
            key=f"{mark}_name",
        )
        days = st.number_input(t("Ends after days"), 1, tokens.MOST_DAYS, tokens.USUAL_DAYS, key=f"{mark}_days")
        if st.button(t("Make it"), disabled=not name.strip(), key=f"{mark}_do"):
            do(
                around,
                lambda session: tokens.issue(session, around.actor, name=name, days=int(days), user_id=user_id),
                _keep,
                purpose="make a token",
            )


def _keep(issued: Issued) -> str:
    st.session_state[state.NEW_SECRET] = issued
    return t("The token is made; it ends on {day}.", day=i18n.day(issued.expires_at.date()))
