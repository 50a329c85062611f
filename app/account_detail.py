"""One account beside the list: its roles, sessions, history, and what happens when its owner leaves."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import account_acts, account_words, i18n, token_parts, widgets
from app.account_acts import Around, do
from app.i18n import t
from app.roles import role_name
from app.widgets import Cell, Column
from core.identity import May
from people import accounts, acting, handover, reviews, roles
from people.access_model import RoleRow, RoleState, separations
from people.handover import Party, Preview
from people.reviews import Reviewed
from people.roles import MAY_HAVE_AREAS, NEEDS_UNITS, Reach


def show(session: Session, around: Around, one: Reviewed) -> None:
    """Put the account."""
    account = one.account
    label, tone = account_words.state(account, around.now)
    widgets.write(
        f'<div class="gk-title"><h2>{widgets.html(account.login)}</h2></div>'
        f"<p>{widgets.html(account.title(i18n.locale()))} · {widgets.toned(label, tone).text}</p>"
    )
    for each in separations(row.role for row in account.roles_in(RoleState.NOW, around.now)):
        widgets.alert(account_words.separation(each))
    manages = around.actor.may(May.MANAGE_USERS)
    if manages:
        account_acts.acts(around, one)
    names = [t("Roles"), t("Sessions"), t("History"), t("Leaving")] if manages else [t("Roles"), t("History")]
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs[t("Roles")]:
        _fields(session, around, one)
        _roles(around, one)
    with tabs[t("History")]:
        account_words.history(reviews.account_history(session, around.actor, account), around.territory.timezone)
    if manages:
        with tabs[t("Sessions")]:
            _sessions(session, around, one)
            token_parts.of_account(around, one.account.id)
        with tabs[t("Leaving")]:
            _leaves(session, around, one)


def _fields(session: Session, around: Around, one: Reviewed) -> None:
    account, zone = one.account, around.territory.timezone
    reviewed = None
    if account.reviewed_at is not None:
        day = i18n.clock(account.reviewed_at, zone, now=around.now)
        reviewed = t("{day}, by {login}", day=day, login=account.reviewed_by)
    deputies = acting.deputies_of(session, around.actor, account.id)
    fields: dict[str, Cell] = {
        t("Last login"): account_words.seen(account, zone, around.now),
        t("Made"): i18n.clock(account.created_at, zone, now=around.now),
        t("Last review"): reviewed or t("none yet"),
        t("Standing deputy"): t(", ").join(deputies) if deputies else None,
    }
    if account.worker_id is not None:
        number = around.workers.get(account.worker_id, str(account.worker_id))
        fields[t("Grid worker")] = widgets.link(number, f"/workers?worker={number}")
    if one.findings:
        fields[t("To look at")] = t(", ").join(account_words.finding(each) for each in one.findings)
    widgets.fields(fields, beside=True)
    if account.id == around.actor.user_id:
        return
    if st.button(t("Reviewed: all is right"), key=f"gk_review_{account.id}_{account_acts.this_round()}"):
        do(
            around,
            lambda fresh: reviews.review(fresh, around.actor, account.id),
            t("The review of {login} is recorded.", login=account.login),
            purpose="account review",
        )


def _roles(around: Around, one: Reviewed) -> None:
    account = one.account
    lasting = [row for row in account.roles if row.state(around.now) is not RoleState.ENDED]
    ended = [row for row in account.roles if row.state(around.now) is RoleState.ENDED]
    if not account.roles:
        widgets.empty(t("No role."), t("Without a role nobody gets in. Give one above."))
        return
    zone = around.territory.timezone
    widgets.table(
        [Column(t("Role")), Column(t("Reaches")), Column(t("How long"))],
        [
            (
                account_words.role(row),
                account_words.reach(row, around.places),
                widgets.toned(*account_words.lasts(row, around.now, zone)),
            )
            for row in [*lasting, *reversed(ended)]
        ],
    )
    if lasting and around.actor.may(May.MANAGE_USERS):
        with st.popover(t("Change or end a role"), key=f"gk_role_{account.id}_{account_acts.this_round()}"):
            _change(around, account.login, lasting)


def _change(around: Around, login: str, lasting: list[RoleRow]) -> None:
    mark = f"gk_role_change_{login}_{account_acts.this_round()}_{i18n.locale()}"
    row = st.selectbox(t("Role"), lasting, format_func=account_words.role, key=f"{mark}_which")
    areas, units, places = list(row.area_ids), list(row.unit_ids), around.places
    own = row.acting_for is None
    if own and row.role in MAY_HAVE_AREAS:
        known = [each for each in areas if each in places.areas]
        areas = st.multiselect(
            t("Communities"),
            list(places.areas),
            known,
            format_func=places.areas.__getitem__,
            key=f"{mark}_areas_{row.id}",
        )
    if own and row.role in NEEDS_UNITS:
        known = [each for each in units if each in places.units]
        units = st.multiselect(
            t("Units"), list(places.units), known, format_func=places.units.__getitem__, key=f"{mark}_units_{row.id}"
        )
    changed = (tuple(areas), tuple(units)) != (row.area_ids, row.unit_ids)
    if changed and st.button(t("Change what it reaches"), key=f"{mark}_do"):
        reach = Reach(row.role, tuple(areas), tuple(units))
        do(
            around,
            lambda fresh: roles.change_reach(fresh, around.actor, row.id, reach, version=row.version),
            t("The role reaches what you chose, from the next page on."),
            purpose="change the reach of a role",
        )
    if st.button(t("End the role now"), key=f"{mark}_end"):
        do(
            around,
            lambda fresh: roles.end_role(fresh, around.actor, row.id, version=row.version),
            t("The role of {login} has ended: {role}", login=login, role=account_words.role(row)),
            purpose="end a role",
        )


def _sessions(session: Session, around: Around, one: Reviewed) -> None:
    rows = accounts.list_sessions(session, around.actor, around.territory.id)
    mine = [row for row in rows if row.user_id == one.account.id]
    if not mine:
        widgets.empty(t("Not logged in."), t("Sessions stand here from the login to the logout."))
        return
    zone = around.territory.timezone
    widgets.table(
        [Column(t("Role")), Column(t("Since")), Column(t("Last seen"))],
        [
            (
                role_name(row.role),
                i18n.clock(row.created_at, zone, now=around.now),
                i18n.clock(row.last_seen_at, zone, now=around.now),
            )
            for row in mine
        ],
    )

    def end(fresh: Session) -> None:
        for row in mine:
            accounts.revoke(fresh, around.actor, row.id)

    if st.button(t("End these sessions"), key=f"gk_sessions_{one.account.id}_{account_acts.this_round()}"):
        do(around, end, i18n.tn("{count} session ended.", "{count} sessions ended.", len(mine)), purpose="end sessions")


# --- somebody leaves


def _leaves(session: Session, around: Around, one: Reviewed) -> None:
    """Put what would move to whom, and the button that does it in one act."""
    mark = f"gk_leave_{one.account.id}_{account_acts.this_round()}_{i18n.locale()}"
    widgets.note(
        t("All that is held goes to one person; the account, its roles and sessions end. All of it, or nothing.")
    )
    choices = [each.account.login for each in around.rows if each.account.active and each.account.id != one.account.id]
    choices += [number for number in around.workers.values() if number not in choices]
    to = st.selectbox(
        t("Who takes over"), choices, index=None, placeholder=t("Login or staff number"), key=f"{mark}_to"
    )
    take = st.checkbox(t("Act for 90 days in the roles that are missing"), key=f"{mark}_take")
    leave = st.checkbox(t("The responsibility grid may stay without a worker"), key=f"{mark}_grid")
    actor, today = around.actor, around.today
    leaver = handover.party(session, actor, one.account.login)
    receiver = None if to is None else handover.party(session, actor, to)
    seen = handover.preview(session, actor, leaver, receiver, today=today, take_roles=take, leave_grid=leave)
    widgets.fields(_held(seen), beside=True)
    if seen.obstacles:
        said = " ".join(each.zh if i18n.locale() == "zh" else each.en for each in seen.obstacles)
        widgets.wrong(t("It cannot be done like this."), said)
    sure = st.checkbox(t("{login} leaves today", login=one.account.login), key=f"{mark}_sure")

    def act(fresh: Session) -> handover.Done:
        both: list[Party | None] = [
            handover.party(fresh, actor, one.account.login),
            None if to is None else handover.party(fresh, actor, to),
        ]
        if both[0] is None:
            raise AssertionError
        return handover.hand_over(fresh, actor, both[0], both[1], today=today, take_roles=take, leave_grid=leave)

    if st.button(t("Hand over and close"), key=f"{mark}_do", disabled=bool(seen.obstacles) or not sure):
        do(around, act, _done, purpose="handover")


def _held(seen: Preview) -> dict[str, Cell]:
    grid = seen.leaver.worker.grid_name if seen.leaver.worker else ""
    fields: dict[str, Cell] = {
        t("Open tasks"): i18n.number(seen.held.tasks),
        t("Open incidents"): i18n.number(seen.held.incidents),
        t("Absences stood in for"): i18n.number(seen.absences),
        t("Deputy of accounts"): i18n.number(seen.standing),
        t("Drafts, destroyed unread"): i18n.number(seen.held.drafts),
        t("Roles that end"): t(", ").join(role_name(row.role) for row in seen.own) or None,
        t("Acts for others"): t(", ").join(account_words.role(row) for row in seen.acting) or None,
    }
    if grid:
        fields[t("Responsibility grid")] = t("{grid}, taken over", grid=grid) if seen.takes_grid else grid
    return fields


def _done(done: handover.Done) -> str:
    if not done.receiver:
        return t("{leaver} has left; nothing had to be taken over.", leaver=done.leaver)
    return t(
        "{leaver} has left: {tasks} tasks and {incidents} incidents are now with {receiver}.",
        leaver=done.leaver,
        tasks=i18n.number(done.tasks),
        incidents=i18n.number(done.incidents),
        receiver=done.receiver,
    )
