"""Clearing the demo from the page of the first set-up: what would go is told first, the name is typed, then it goes."""

from __future__ import annotations

import streamlit as st

from app import clear_demo, guard, i18n, set_up_parts, state, widgets
from app.i18n import t, tn
from core.identity import Actor
from core.progress import Silent
from geodata.db import transaction
from geodata.territory import TerritoryInfo, list_territories


def show(actor: Actor, home: TerritoryInfo) -> None:
    """Put the part; nothing where there is no demo territory and never was one."""
    with transaction(actor) as session:
        demos = [each for each in list_territories(session) if each.is_demo]
    job = clear_demo.latest(actor)
    if not demos and job is None:
        return
    widgets.heading(t("The demo"), anchor="demo")
    if set_up_parts.at_work(job, name="clear"):
        return
    if job is not None and job.state == "done" and job.result is not None:
        widgets.told(
            t(
                "The demo {name} was cleared: {rows} rows, {keys} keys destroyed, {accounts} demo accounts closed.",
                name=job.result.get("territory", ""),
                rows=i18n.number(job.result.get("rows", 0)),
                keys=i18n.number(job.result.get("keys_destroyed", 0)),
                accounts=i18n.number(job.result.get("accounts_retired", 0)),
            )
        )
    for demo in demos:
        if st.session_state.get(state.SET_UP_CLEAR) == demo.name:
            _confirm(actor, home, demo)
            continue
        widgets.note(t("{title} is a demo with simulated incidents.", title=demo.title(i18n.locale())))
        if st.button(t("Clear the demo {title} …", title=demo.title(i18n.locale())), key=f"gk_clear_{demo.name}"):
            st.session_state[state.SET_UP_CLEAR] = demo.name
            st.rerun()


def _confirm(actor: Actor, home: TerritoryInfo, demo: TerritoryInfo) -> None:
    with guard.page():
        foreseen = clear_demo.foresee(actor, demo.name)
        rows = foreseen.content.rows
        lines = [
            tn("{count} incident", "{count} incidents", rows.get("incident", 0)),
            tn("{count} unit grid", "{count} unit grids", rows.get("unit_grid", 0)),
            tn("{count} grid worker", "{count} grid workers", rows.get("worker", 0)),
            tn("{count} study", "{count} studies", rows.get("study", 0)),
            tn("{count} row in all", "{count} rows in all", foreseen.content.total),
            tn("{count} demo account is closed", "{count} demo accounts are closed", foreseen.accounts.retired),
        ]
        warned = []
        if foreseen.content.real_incidents:
            warned.append(
                tn(
                    "{count} incident was filed by people and goes too.",
                    "{count} incidents were filed by people and go too.",
                    foreseen.content.real_incidents,
                )
            )
        if foreseen.accounts.homeless:
            warned.append(
                tn(
                    "{count} other account has no role elsewhere and can no longer log in.",
                    "{count} other accounts have no role elsewhere and can no longer log in.",
                    foreseen.accounts.homeless,
                )
            )
        if demo.id == home.id:
            warned.append(t("You work in this territory yourself: you will be logged out."))
        if not foreseen.accounts.administrators_left and not foreseen.accounts.territories_left:
            warned.append(
                t("Nobody can log in afterwards. Start the platform again without the demo: it tells the way in.")
            )
        items = "".join(f"<li>{widgets.html(line)}</li>" for line in lines)
        told = "".join(f'<p class="gk-late">{widgets.html(line)}</p>' for line in warned)
        widgets.write(
            f'<div class="gk-panel"><p>{widgets.html(t("This goes for good:"))}</p><ul>{items}</ul>{told}</div>'
        )
        widgets.note(
            t(
                "The record of what was done stays, as it can never be deleted; names and notes in it become unreadable"
                " for ever. Other territories are not touched."
            )
        )
        if foreseen.locks_out:
            widgets.alert(
                t(
                    "Not yet: nobody could administer the other territories, as all administrators are demo accounts."
                    " Invite an administrator of your own there first."
                )
            )
            return
        typed = st.text_input(t("To confirm, type {name}", name=demo.name), key=f"gk_clear_typed_{demo.name}")
        with st.container(horizontal=True):
            asked = st.button(t("Clear it for good"), key="gk_clear_now", disabled=typed.strip() != demo.name)
            if st.button(t("Keep it"), key="gk_clear_not"):
                st.session_state.pop(state.SET_UP_CLEAR, None)
                st.rerun()
        if not asked:
            return
        if foreseen.is_long:
            clear_demo.ask(actor, demo.name, typed)
        else:
            clear_demo.clear(actor, demo.name, Silent())
            guard.forget_sessions()
        st.session_state.pop(state.SET_UP_CLEAR, None)
        st.rerun()
