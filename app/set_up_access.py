"""The last step of the set-up: a dispatcher, a supervisor and one more, each invited by an address of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st

from app import guard, i18n, set_up_parts, state, widgets
from app.api import ways_in
from app.i18n import t, tn
from app.roles import role_name
from app.set_up_model import HANDLES, Step
from app.widgets import Column
from core.identity import Actor, Role
from geodata.db import transaction
from geodata.holdings import Holdings
from geodata.territory import TerritoryInfo, communities
from people import duties, roles, units
from people.unit_model import UnitRecord

OTHERS = (Role.GRID_MANAGER, Role.HANDLER, Role.PLANNER, Role.AUDITOR, Role.DISPATCHER, Role.SUPERVISOR)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who is to be invited: login, function in words, role, and the unit of a handler."""

    login: str
    title: str
    role: Role
    unit_id: int | None = None


def accounts(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put the accounts there are by role, the addresses of those just invited, and the form for who is missing."""
    if held.accounts:
        counts = {role_name(Role(role)): i18n.number(number) for role, number in held.accounts.items()}
        widgets.fields(counts, beside=True)
    if not step.missing:
        widgets.write(f"<p>{widgets.link(t('All about accounts'), '/accounts').text}</p>")
    if home.is_demo:
        widgets.note(t("Accounts of the demo do not count: anybody may enter by their cards."))
    _links()
    wanted = [role for role in (Role.DISPATCHER, Role.SUPERVISOR) if not held.accounts.get(role)]
    others = sum(held.accounts.values()) - held.accounts.get(Role.ADMINISTRATOR, 0)
    asks_third = others < 3 - len(wanted)
    if not wanted and not asks_third:
        return
    with transaction(actor) as session:
        offices = [each for each in units.tree(session, actor, home.id, on=duties.today()) if each.spec.kind in HANDLES]
    widgets.heading(t("Invite by an address"))
    widgets.note(
        t("One account a person. Each sets a password under an address that is shown once and good for three days.")
    )
    guests = [_known(role) for role in wanted]
    if asks_third:
        guests.append(_third(offices))
    complete = all(guest.login and (guest.role is not Role.HANDLER or guest.unit_id) for guest in guests)
    if not complete:
        widgets.note(t("Every person needs a name to log in with, a handler a unit as well."))
    if set_up_parts.act(t("Invite them"), name="invite", disabled=not complete):
        with guard.page():
            links = invite(actor, home, guests, base=_base())
            st.session_state[state.SET_UP_LINKS] = {**st.session_state.get(state.SET_UP_LINKS, {}), **links}
            set_up_parts.go_on(tn("{count} person is invited.", "{count} people are invited.", len(links)))


def invite(actor: Actor, home: TerritoryInfo, guests: Sequence[Guest], *, base: str) -> Mapping[str, str]:
    """Make the accounts, all or none, and return login to the address under which each sets the password."""
    with transaction(actor, purpose="set up: accounts") as session:
        areas = tuple(int(area) for area in communities(session, home.id)["id"])
        return {
            ticket.login: ways_in.link("/invitation", ticket.code, base=base)
            for guest in guests
            for _, ticket in [
                roles.invite_new(
                    session,
                    actor,
                    login=guest.login,
                    title_en=guest.title,
                    title_zh=guest.title,
                    first=roles.Reach(
                        guest.role,
                        areas if guest.role is Role.GRID_MANAGER else (),
                        (guest.unit_id,) if guest.role is Role.HANDLER and guest.unit_id else (),
                    ),
                    locale=i18n.locale(),
                )
            ]
        }


def _known(role: Role) -> Guest:
    login, title = _ask(role.value, role_name(role))
    return Guest(login, title or role_name(role), role)


def _third(offices: Sequence[UnitRecord]) -> Guest:
    role = st.selectbox(t("One more"), OTHERS, format_func=role_name, key="gk_set_up_third")
    unit = None
    if role is Role.HANDLER:
        unit = st.selectbox(
            t("Unit"),
            offices,
            format_func=lambda each: i18n.either(each.spec.name, each.spec.name_zh),
            key="gk_set_up_third_unit",
        )
    login, title = _ask("third", role_name(role))
    return Guest(login, title or role_name(role), role, None if unit is None else unit.id)


def _ask(name: str, role: str) -> tuple[str, str]:
    """Ask for login and function of one person."""
    login_column, title_column = st.columns([1, 1.6])
    login = login_column.text_input(
        t("{role}: name to log in with", role=role), max_chars=64, key=set_up_parts.key(f"login_{name}")
    )
    title = title_column.text_input(
        t("{role}: function shown beside acts", role=role),
        max_chars=80,
        placeholder=role,
        key=set_up_parts.key(f"title_{name}"),
    )
    return login.strip(), title.strip()


def _links() -> None:
    """Put the addresses of those who were invited from this page, until it is left."""
    links: Mapping[str, str] = st.session_state.get(state.SET_UP_LINKS, {})
    if not links:
        return
    widgets.heading(t("Addresses to hand on"))
    widgets.note(t("Copy each to its person now: they are not kept and cannot be shown again."))
    widgets.table(
        [Column(t("Name to log in with"), fixed=True), Column(t("Address"))],
        [(login, widgets.Html(f"<code>{widgets.html(address)}</code>")) for login, address in links.items()],
    )


def _base() -> str:
    """Return how this page was reached, so that the addresses lead to the same place."""
    parts = urlsplit(str(st.context.url or ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
