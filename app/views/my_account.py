"""My account: the own roles, who stands in while away, password and sessions."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from sqlalchemy.orm import Session

from app import account_acts, account_words, guard, i18n, token_parts, widgets
from app.account_acts import Around, do
from app.account_words import Places
from app.i18n import t
from app.roles import role_name
from app.where import territory_of
from app.widgets import Column
from core.clock import now
from core.errors import InvalidInput
from core.identity import Actor, system_actor
from geodata.db import transaction
from people import accounts, acting
from people.access_model import ACTING_MOST, RoleState
from people.acting import MyAccount
from people.credentials import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    live = guard.stored_session()
    keep = None if live is None else live.id
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        mine = acting.my_account(session, actor)
    around = Around(actor, territory, now(), (), Places())
    widgets.title(t("My account"), aside=mine.login)
    account_acts.news()
    left, right = st.columns(2, gap="large")
    with left:
        _roles(around, mine)
        _away(around, mine)
    with right:
        _password(around, mine, keep)
        _sessions(around, mine, keep)
        token_parts.mine(around)


def _roles(around: Around, mine: MyAccount) -> None:
    widgets.heading(t("Roles"))
    widgets.table(
        [Column(t("Role")), Column(t("How long"))],
        [
            (
                account_words.role(row),
                widgets.toned(*account_words.lasts(row, around.now, around.territory.timezone)),
            )
            for row in mine.roles
        ],
    )
    widgets.note(t("Roles are given by an administrator."))
    live = guard.stored_session()
    for row in mine.roles if live is not None else ():
        other = live is not None and row.id != live.role_id and row.state(around.now) is RoleState.NOW
        if other and st.button(t("Work as {role}", role=account_words.role(row)), key=f"gk_work_as_{row.id}"):
            with transaction(system_actor(label=around.actor.label)) as session:
                accounts.switch_role(session, guard.current_session(), row.id)
            guard.forget_sessions()
            st.rerun()


def _away(around: Around, mine: MyAccount) -> None:
    widgets.heading(t("Who stands in for me"))
    actor = around.actor
    if mine.acting_for_me:
        widgets.table(
            [Column(t("Deputy")), Column(t("Role")), Column(t("How long"))],
            [
                (
                    login,
                    role_name(row.role),
                    widgets.toned(*account_words.lasts(row, around.now, around.territory.timezone)),
                )
                for login, row in mine.acting_for_me
            ],
        )
        if st.button(t("I am back: end it now"), key=f"gk_back_{account_acts.this_round()}"):
            do(
                around,
                lambda session: acting.come_back(session, actor),
                t("Nobody acts for you any more."),
                purpose="back",
            )
        return
    if not mine.deputies:
        widgets.empty(
            t("No deputy is named for you."),
            t("An administrator names one; then you can hand your roles over for the days you are away."),
        )
        return
    mark = f"gk_away_{account_acts.this_round()}_{i18n.locale()}"
    widgets.note(t("Your deputy: {names}", names=t(", ").join(mine.deputies)))
    first_column, last_column = st.columns(2)
    day = widgets.DATE_FORMATS[i18n.locale()]
    first = first_column.date_input(
        t("First day"), around.today, min_value=around.today, format=day, key=f"{mark}_from"
    )
    last = last_column.date_input(
        t("Last day"),
        around.today + dt.timedelta(days=7),
        min_value=around.today,
        max_value=around.today + ACTING_MOST * 2,
        format=day,
        key=f"{mark}_until",
    )
    reason = st.text_input(
        t("Why"),
        max_chars=account_acts.REASON_MOST,
        key=f"{mark}_why",
        placeholder=t("e.g. leave or course; it stays in the record: no illness, no names"),
    )
    if st.button(t("I am away"), key=f"{mark}_do", disabled=not reason.strip()):
        do(
            around,
            lambda session: acting.go_away(
                session,
                actor,
                from_=account_acts.span(first, around)[0],
                until=account_acts.span(last, around)[1],
                reason=reason,
            ),
            lambda names: t("{names} acts for you in that time.", names=t(", ").join(names)),
            purpose="away",
        )


def _password(around: Around, mine: MyAccount, keep: str | None) -> None:
    widgets.heading(t("Password"))
    if not mine.opens:
        widgets.empty(
            t("This account has no password."),
            t("It is entered by a card of the demo, or signed on by your organisation."),
        )
        return
    mark = f"gk_password_{account_acts.this_round()}_{i18n.locale()}"
    with st.form(mark, border=False):
        old = st.text_input(t("Password in use"), type="password", max_chars=MAX_PASSWORD_LENGTH, key=f"{mark}_old")
        new = st.text_input(
            t("New password, at least {least} characters", least=MIN_PASSWORD_LENGTH),
            type="password",
            max_chars=MAX_PASSWORD_LENGTH,
            key=f"{mark}_new",
        )
        again = st.text_input(
            t("The password again"), type="password", max_chars=MAX_PASSWORD_LENGTH, key=f"{mark}_again"
        )
        sent = st.form_submit_button(t("Change the password"), type="primary")
    if sent:
        do(
            around,
            lambda session: change(session, around.actor, (old, new, again), keep),
            lambda right: (
                t("The password is changed; other sessions have ended.")
                if right
                else t(
                    "The password in use was not right. After five wrong ones the account is locked for some minutes."
                )
            ),
            purpose="change the own password",
        )


def change(session: Session, actor: Actor, given: tuple[str, str, str], keep: str | None) -> bool:
    """Change the password when the new one was typed twice the same; return whether the old one was right."""
    if given[1] != given[2]:
        raise InvalidInput("The two passwords are not the same.", zh="两次输入的密码不一致。")
    return acting.change_password(session, actor, given[0], given[1], keep=keep)


def _sessions(around: Around, mine: MyAccount, keep: str | None) -> None:
    widgets.heading(t("Where I am logged in"))
    zone = around.territory.timezone
    widgets.table(
        [Column(t("Role")), Column(t("Since"), right=True), Column(t("Last seen"), right=True)],
        [
            (
                t("{role} (this one)", role=role_name(row.role)) if row.id == keep else role_name(row.role),
                i18n.clock(row.created_at, zone, now=around.now),
                i18n.clock(row.last_seen_at, zone, now=around.now),
            )
            for row in mine.sessions
        ],
    )
    others = sum(row.id != keep for row in mine.sessions)
    if others and st.button(t("End the other sessions"), key=f"gk_others_{account_acts.this_round()}"):
        actor = around.actor
        do(
            around,
            lambda session: acting.end_my_sessions(session, actor, keep=keep),
            lambda count: i18n.tn("{count} session ended.", "{count} sessions ended.", count),
            purpose="end the own sessions",
        )


show()
