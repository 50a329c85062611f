"""The Wall: what a screen in a hall shows, and the addresses under which it does so without a login."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, wall_gate, widgets
from app.i18n import t
from app.where import territory_of
from app.widgets import Column
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import walls

_WRONG = f"{state.WALL}_wrong"


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    widgets.title(t("Wall"))
    widgets.note(
        t(
            "One screen for a hall: numbers, the map, the day against the usual one, the worst places and emergencies."
            " It goes from scene to scene and refreshes itself."
        )
    )
    st.link_button(t("Open the Wall"), f"/wall?lang={i18n.locale()}", type="primary")
    widgets.note(t("F11 fills the screen. Add &scene=overview, map, day or worst to stay with one scene."))
    if not actor.may(May.OPEN_WALLS):
        return
    with transaction(actor) as session:
        _addresses(session, actor, territory_of(session, actor))


def _addresses(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    widgets.heading(t("Addresses without a login"))
    widgets.note(
        t(
            "For a screen where nobody logs in. Whoever has such an address sees the Wall and nothing else, until it"
            " ends or you withdraw it. It is shown once."
        )
    )
    _told()
    with st.form("gk_wall", clear_on_submit=True), st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input(t("Where the screen hangs"), max_chars=80, width=320)
        spans = {days: i18n.tn("{count} day", "{count} days", days) for days in walls.DAYS}
        days = st.selectbox(t("Open for"), list(spans), index=2, format_func=spans.__getitem__, width=160)
        if st.form_submit_button(t("Make an address")):
            _make(session, actor, title, days or walls.DAYS[0])
    rows = walls.list_walls(session, actor)
    if not rows:
        widgets.empty(t("No address was made yet."), t("Say above where the screen hangs."))
        return
    at = now()
    widgets.table(
        [
            Column(t("Where"), fixed=True),
            Column(t("Made"), right=True),
            Column(t("Ends"), right=True),
            Column(t("State")),
        ],
        [
            (
                row.title,
                i18n.clock(row.made_at, territory.timezone),
                i18n.clock(row.expires_at, territory.timezone),
                t("open") if row.opens(at) else t("withdrawn") if row.revoked_at else t("ended"),
            )
            for row in rows
        ],
    )
    live = {row.id: row.title for row in rows if row.opens(at)}
    if not live:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(t("Withdraw an address"), list(live), format_func=live.__getitem__, index=None, width=320)
        st.button(t("Withdraw"), disabled=chosen is None, key="gk_wall_withdraw", on_click=_withdraw, args=(chosen,))


def _make(session: Session, actor: Actor, title: str, days: int) -> None:
    """Make an address within the page's own transaction; what is wrong with it is said at once."""
    try:
        _, secret = walls.add_wall(session, actor, title, days)
    except GridkeeperError as error:
        widgets.known_error(error)
        return
    base = (st.context.url or "http://localhost").partition("://")
    host = base[2].partition("/")[0]
    widgets.note(t("Open this on the screen; it is not shown again:"))
    st.code(f"{base[0]}://{host}/wall/open?lang={i18n.locale()}#{secret}", language=None)


def _withdraw(pass_id: int | None) -> None:
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            walls.withdraw_wall(session, actor, pass_id or 0)
    except GridkeeperError as error:
        st.session_state[_WRONG] = error
    wall_gate.forget()


def _told() -> None:
    wrong: GridkeeperError | None = st.session_state.pop(_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)


with guard.page():
    show()
