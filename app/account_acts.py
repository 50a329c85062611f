"""What may be done with accounts: invite, new password, roles, acting for another, close, hand over, review."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from sqlalchemy.orm import Session

from app import account_words, guard, i18n, state, widgets
from app.account_words import Places
from app.api import ways_in
from app.i18n import t
from app.roles import CARD_ORDER, role_name
from core.errors import Conflict, DataQuality, GridkeeperError, InvalidInput
from core.identity import Actor, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import access, acting, roles
from people.access import Ticket
from people.access_model import ACTING_MOST, AccountRow, RoleState
from people.reviews import Reviewed
from people.roles import MAY_HAVE_AREAS, NEEDS_UNITS, Reach

TITLE_MOST = 80
REASON_MOST = 200


@dataclass(frozen=True, slots=True)
class Around:
    """What the parts of the page need: who reads, where, when, and all accounts."""

    actor: Actor
    territory: TerritoryInfo
    now: dt.datetime
    rows: Sequence[Reviewed]
    places: Places
    workers: Mapping[int, str] = field(default_factory=dict)

    @property
    def today(self) -> dt.date:
        """Return the local day."""
        return self.now.astimezone(self.territory.zone).date()

    def label(self, user_id: int) -> str:
        """Return an account as login and function."""
        found = next((each.account for each in self.rows if each.account.id == user_id), None)
        return str(user_id) if found is None else f"{found.login} · {found.title(i18n.locale())}"

    def open_ids(self, *, besides: int | None = None) -> list[int]:
        """Return the accounts that are open, all but one."""
        return [each.account.id for each in self.rows if each.account.active and each.account.id != besides]


def do(around: Around, act: Callable[[Session], Any], told: str | Callable[[Any], str], *, purpose: str) -> None:
    """Do an act in a transaction of its own, keep what came of it for the top of the page, and draw it anew."""
    try:
        with transaction(around.actor, purpose=purpose) as session:
            kept = act(session)
    except GridkeeperError as error:
        st.session_state[state.ACCOUNT_WRONG] = error
        if isinstance(error, Conflict):
            next_round()
    else:
        st.session_state[state.ACCOUNT_TOLD] = told if isinstance(told, str) else told(kept)
        next_round()
        guard.forget_sessions()
    st.rerun()


def news() -> None:
    """Put what came of the last act, and the address of an invitation until it is put away."""
    told = st.session_state.pop(state.ACCOUNT_TOLD, None)
    if told:
        widgets.told(told)
    wrong = st.session_state.pop(state.ACCOUNT_WRONG, None)
    if isinstance(wrong, DataQuality):
        zh = getattr(wrong, "zh", "")
        widgets.wrong(t("The data break rules."), zh if zh and i18n.locale() == "zh" else str(wrong))
    elif wrong is not None:
        widgets.known_error(wrong)
    ticket: Ticket | None = st.session_state.get(state.ACCOUNT_TICKET)
    if ticket is not None:
        with st.container(key="gk-ticket"):
            widgets.heading(t("Address for {login}", login=ticket.login))
            widgets.note(t("Copy it to its person now: it is good once, is not kept and cannot be shown again."))
            st.code(ways_in.link("/invitation", ticket.code, base=_base()), language=None)
            if st.button(t("Put it away"), key="gk_ticket_away"):
                st.session_state.pop(state.ACCOUNT_TICKET)
                st.rerun()


def _base() -> str:
    """Return how this page was reached, so that the address leads to the same place."""
    parts = urlsplit(str(st.context.url or ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def this_round() -> int:
    """Return a number that is part of the keys of forms and list: another one lets them begin anew."""
    drawn: int = st.session_state.get(state.ACCOUNT_ROUND, 0)
    return drawn


def next_round() -> None:
    """Let every form and the list begin anew."""
    st.session_state[state.ACCOUNT_ROUND] = this_round() + 1


def _keep(ticket: Ticket) -> str:
    st.session_state[state.ACCOUNT_TICKET] = ticket
    return t("{login} can set a password now.", login=ticket.login)


# --- a new account


def invite_form(around: Around) -> None:
    """Put the form that makes an account and the address for its owner."""
    mark = f"gk_invite_{this_round()}_{i18n.locale()}"
    login = st.text_input(t("Name to log in with"), max_chars=64, key=f"{mark}_login")
    title = st.text_input(
        t("Function shown beside acts"),
        max_chars=TITLE_MOST,
        placeholder=t("e.g. Head of supervision; no private name"),
        key=f"{mark}_title",
    )
    chosen = _reach(around, mark, Role.GRID_MANAGER)
    worker = None
    if chosen.role is Role.GRID_WORKER:
        worker = st.selectbox(
            t("Grid worker"),
            list(around.workers),
            format_func=around.workers.__getitem__,
            index=None,
            key=f"{mark}_worker",
        )
    if st.button(t("Invite"), type="primary", key=f"{mark}_do", disabled=not (login.strip() and title.strip())):
        do(
            around,
            lambda session: roles.invite_new(
                session,
                around.actor,
                login=login,
                title_en=title,
                title_zh=title,
                first=chosen,
                worker_id=worker,
                locale=i18n.locale(),
            )[1],
            _keep,
            purpose="invite",
        )


def _reach(around: Around, mark: str, first: Role) -> Reach:
    """Ask for a role and, where it takes some, its communities or units."""
    order: list[Role] = list(CARD_ORDER)
    role = st.selectbox(t("Role"), order, index=order.index(first), format_func=role_name, key=f"{mark}_role")
    areas: list[int] = []
    units: list[int] = []
    if role in MAY_HAVE_AREAS:
        names = around.places.areas
        areas = st.multiselect(t("Communities"), list(names), format_func=names.__getitem__, key=f"{mark}_areas")
    if role in NEEDS_UNITS:
        names = around.places.units
        units = st.multiselect(t("Units"), list(names), format_func=names.__getitem__, key=f"{mark}_units")
    return Reach(role, tuple(areas), tuple(units))


# --- one account


def acts(around: Around, one: Reviewed) -> None:
    """Put what the administrator may do with an account."""
    account, actor = one.account, around.actor
    mark = f"gk_account_{account.id}_{this_round()}_{i18n.locale()}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-acts"):
        if account.active and not account.is_demo:
            label = t("New password") if account.opens else t("New invitation")
            if st.button(label, key=f"{mark}_reset"):
                do(around, lambda session: access.invite(session, actor, account.id), _keep, purpose="invite")
        if account.locked(around.now) and st.button(t("Release the lock"), key=f"{mark}_release"):
            do(
                around,
                lambda session: roles.release_lock(session, actor, account.id, version=account.version),
                t("{login} may try again at once.", login=account.login),
                purpose="release the lock",
            )
        if account.active:
            with st.popover(t("Add a role"), key=f"{mark}_add"):
                _add_role(around, account, f"{mark}_new")
            with st.popover(t("Deputy"), key=f"{mark}_deputy"):
                _deputy(around, account, f"{mark}_deputy")
        if account.active and account.id != actor.user_id:
            with st.popover(t("Close the account"), key=f"{mark}_close"):
                widgets.note(t("Sessions end at once. Open work stays where it is: to move it, hand over."))
                if st.button(t("Close the account"), key=f"{mark}_close_do"):
                    do(
                        around,
                        lambda session: roles.close_account(session, actor, account.id, version=account.version),
                        t("{login} is closed.", login=account.login),
                        purpose="close the account",
                    )
        if not account.active and st.button(t("Open the account"), key=f"{mark}_open"):
            do(
                around,
                lambda session: roles.open_account(session, actor, account.id, version=account.version),
                t("{login} is open again.", login=account.login),
                purpose="open the account",
            )


def _add_role(around: Around, account: AccountRow, mark: str) -> None:
    chosen = _reach(around, mark, Role.PLANNER)
    if st.button(t("Give the role"), key=f"{mark}_do"):
        do(
            around,
            lambda session: roles.grant(session, around.actor, account.id, chosen),
            t("{login} has the role: {role}", login=account.login, role=role_name(chosen.role)),
            purpose="give a role",
        )


def _deputy(around: Around, account: AccountRow, mark: str) -> None:
    """Let somebody act for this account for a time, or name who does whenever its owner is away."""
    others = around.open_ids(besides=account.id)
    own = [row for row in account.roles_in(RoleState.NOW, around.now) if row.acting_for is None]
    if not others or not own:
        widgets.note(t("Nobody else has an open account here, or this account has no role to lend."))
        return
    who = st.selectbox(
        t("Who acts for {login}", login=account.login), others, format_func=around.label, key=f"{mark}_who"
    )
    row = st.selectbox(t("In the role"), own, format_func=account_words.role, key=f"{mark}_role")
    left, right = st.columns(2)
    day = widgets.DATE_FORMATS[i18n.locale()]
    first = left.date_input(t("First day"), around.today, min_value=around.today, format=day, key=f"{mark}_from")
    last = right.date_input(
        t("Last day"),
        around.today + dt.timedelta(days=14),
        min_value=around.today,
        max_value=around.today + ACTING_MOST * 2,
        format=day,
        key=f"{mark}_until",
    )
    reason = st.text_input(
        t("Why"),
        max_chars=REASON_MOST,
        key=f"{mark}_why",
        placeholder=t("e.g. leave or course; it stays in the record: no illness, no names"),
    )
    widgets.note(t("90 days at most; it ends by itself, and the head of every page says so."))
    if st.button(t("Let this person act"), key=f"{mark}_do", disabled=not reason.strip()):
        do(
            around,
            lambda session: acting.act_for(
                session,
                around.actor,
                who,
                row.id,
                from_=span(first, around)[0],
                until=span(last, around)[1],
                reason=reason,
            )[1],
            lambda warned: " ".join(
                [t("It is done, and ends by itself."), *(account_words.separation(each) for each in warned)]
            ),
            purpose="acting role",
        )
    if st.button(t("Name as standing deputy"), key=f"{mark}_standing"):
        do(
            around,
            lambda session: acting.set_deputies(session, around.actor, account.id, [who]),
            t("Whenever {login} is away and says so, the deputy acts.", login=account.login),
            purpose="standing deputy",
        )


def span(given: object, around: Around) -> tuple[dt.datetime, dt.datetime]:
    """Return the beginning and the end of a local day; today begins now."""
    if not isinstance(given, dt.date):
        raise InvalidInput("Choose a day.", zh="请选择日期。")
    start = dt.datetime.combine(given, dt.time(), around.territory.zone)
    end = dt.datetime.combine(given + dt.timedelta(days=1), dt.time(), around.territory.zone)
    return max(start, around.now), end
