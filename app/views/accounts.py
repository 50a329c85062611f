"""Accounts: who may enter in which role, who acts for whom, what a review has to look at."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import account_acts, account_detail, account_words, guard, i18n, state, widgets
from app.account_acts import Around
from app.account_words import Places
from app.i18n import t
from app.roles import CARD_ORDER, role_name
from app.where import territory_of
from app.widgets import Fact
from core.clock import now
from core.identity import Actor, May, Role, require
from geodata.db import transaction
from geodata.territory import communities
from people import accounts, reviews, service
from people.access_model import RoleState
from people.reviews import Reviewed

ROW_HEIGHT_PX = 32
ROWS_SHOWN = 18
SHOWS = ("", "look", "acting", "invited", "live", "closed")
CHOSEN_ROW = "background-color: #DDEBEA"


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.REVIEW_USERS)
    with transaction(actor) as session:
        around = _around(session, actor)
        widgets.title(t("Accounts"), simulated=around.territory.is_demo)
        account_acts.news()
        live = _live(session, around)
        _facts(around, live)
        wanted, role, text = _bar(live)
        if actor.may(May.MANAGE_USERS):
            with st.popover(t("Invite somebody"), type="primary", key=f"gk_account_add_{i18n.locale()}"):
                account_acts.invite_form(around)
        chosen = _chosen(around)
        shown = [each for each in around.rows if _fits(each, around, wanted, role, text) and _is_in(each, wanted, live)]
        if chosen is None:
            _list(around, shown, None)
            return
        with st.container(key="gk-beside"):
            left, right = st.columns([1, 1.15], gap="medium")
        with left:
            picked = _list(around, shown, chosen)
        with right, st.container(key="gk-detail"):
            if st.button(t("Close"), key="gk_close_detail"):
                st.query_params.pop("user", None)
                account_acts.next_round()
                st.rerun()
            with guard.page():
                account_detail.show(session, around, picked or chosen)


def _around(session: Session, actor: Actor) -> Around:
    territory = territory_of(session, actor)
    moment = now()
    areas = communities(session, territory.id)
    names = zip(areas["id"], areas["name"], areas["name_zh"], strict=True)
    units = service.list_units(session, actor, territory.id)
    places = Places(
        {int(each): i18n.either(name, name_zh) for each, name, name_zh in names},
        {each.id: each.title(i18n.locale()) for each in units},
    )
    workers = {each.id: each.code for each in service.list_workers(session, actor, territory.id)}
    return Around(actor, territory, moment, reviews.list_accounts(session, actor, at=moment), places, workers)


def _chosen(around: Around) -> Reviewed | None:
    """Return the account of the address; an unknown one is said."""
    given = st.query_params.get("user", "").strip().lower()[:64]
    found = next((each for each in around.rows if each.account.login == given), None)
    if given and found is None:
        widgets.alert(t("There is no account {login} here. Choose one from the list.", login=given))
    return found


def _live(session: Session, around: Around) -> set[int] | None:
    """Return the accounts that are logged in; None for who is not told."""
    if not around.actor.may(May.MANAGE_USERS):
        return None
    sessions = accounts.list_sessions(session, around.actor, around.territory.id, at=around.now)
    return {row.user_id for row in sessions}


def _is_in(row: Reviewed, wanted: str, live: set[int] | None) -> bool:
    return wanted != "live" or row.account.id in (live or set())


def _facts(around: Around, live: set[int] | None) -> None:
    rows = [each.account for each in around.rows]
    look = sum(bool(each.findings) for each in around.rows)
    acts = sum(_acts_for(each, around) for each in around.rows)
    facts = [
        Fact(t("Open accounts"), i18n.number(sum(each.active for each in rows)), href="/accounts"),
        Fact(t("To look at"), i18n.number(look), "soon" if look else "", href="/accounts?show=look"),
        Fact(t("Acting for others"), i18n.number(acts), href="/accounts?show=acting"),
        Fact(
            t("Invited, not in yet"),
            i18n.number(sum(_invited(each) for each in around.rows)),
            href="/accounts?show=invited",
        ),
    ]
    if live is not None:
        facts.append(Fact(t("Logged in now"), i18n.number(len(live)), href="/accounts?show=live"))
    widgets.facts(facts)


def _acts_for(row: Reviewed, around: Around) -> bool:
    return any(
        each.acting_for is not None and each.state(around.now) is not RoleState.ENDED for each in row.account.roles
    )


def _invited(row: Reviewed) -> bool:
    return row.account.active and not row.account.opens and not row.account.is_demo


def _bar(live: set[int] | None) -> tuple[str, Role | None, str]:
    shows = [name for name in SHOWS if name != "live" or live is not None]
    asked = st.query_params.pop("show", None)
    if asked in shows:
        st.session_state[state.ACCOUNT_SHOW] = asked
    names = {
        "": t("All open"),
        "look": t("To look at"),
        "acting": t("Acting for others"),
        "invited": t("Invited, not in yet"),
        "live": t("Logged in now"),
        "closed": t("Closed"),
    }
    with widgets.filter_bar():
        shown = st.selectbox(t("Show"), shows, format_func=names.__getitem__, key=state.ACCOUNT_SHOW, width=200)
        role = st.selectbox(
            t("Role"),
            [None, *CARD_ORDER],
            format_func=lambda each: t("All") if each is None else role_name(each),
            key=state.ACCOUNT_ROLE,
            width=200,
        )
        text = st.text_input(t("Login or function"), max_chars=60, key=state.ACCOUNT_TEXT, width=200)
    return shown, role, text.strip().casefold()


def _fits(row: Reviewed, around: Around, wanted: str, role: Role | None, text: str) -> bool:
    account = row.account
    fits = {
        "": account.active,
        "look": bool(row.findings),
        "acting": _acts_for(row, around),
        "invited": _invited(row),
        "live": True,
        "closed": not account.active,
    }[wanted]
    held = {each.role for each in account.roles_in(RoleState.NOW, around.now)}
    told = f"{account.login} {account.title_en} {account.title_zh}".casefold()
    return fits and (role is None or role in held) and text in told


def _list(around: Around, shown: Sequence[Reviewed], chosen: Reviewed | None) -> Reviewed | None:
    """Put the accounts; a click on any cell opens one. Return the one clicked."""
    widgets.note(i18n.tn("{count} account", "{count} accounts", len(shown)))
    if not shown:
        widgets.empty(
            t("No account fits the filters."),
            t("Take a filter away."),
            link_label=t("All accounts"),
            href="/accounts?show=",
        )
        return None
    zone, moment = around.territory.timezone, around.now
    held = [each.account.roles_in(RoleState.NOW, moment) for each in shown]
    columns = {
        t("Login"): [each.account.login for each in shown],
        t("Function"): [each.account.title(i18n.locale()) for each in shown],
        t("Roles"): [t(", ").join(account_words.role(row) for row in rows) for rows in held],
        t("State"): [account_words.state(each.account, moment)[0] for each in shown],
        t("Last login"): [account_words.seen(each.account, zone, moment) for each in shown],
        t("To look at"): [t(", ").join(account_words.finding(name) for name in each.findings) for each in shown],
    }
    widths = dict(zip(columns, (160, 220, 220, 170, 120, 240), strict=True))
    frame = pd.DataFrame(columns)
    if not frame[t("To look at")].any():
        frame = frame.drop(columns=t("To look at"))
    if chosen is not None:
        frame = frame[[t("Login"), t("Roles"), t("Last login")]]
    marks = [CHOSEN_ROW if chosen is not None and each.account.id == chosen.account.id else "" for each in shown]
    event = st.dataframe(
        frame.style.apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.ACCOUNT_TABLE}_{account_acts.this_round()}",
        row_height=ROW_HEIGHT_PX,
        height=(min(len(frame), ROWS_SHOWN) + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.TextColumn(name, width=widths[name]) for name in frame.columns},
    )
    places = [row for row, _ in event["selection"]["cells"]]
    picked = shown[places[0]] if places and places[0] < len(shown) else None
    if picked is not None and (chosen is None or picked.account.id != chosen.account.id):
        st.query_params["user"] = picked.account.login
        if chosen is None:
            st.rerun()
    return picked


show()
