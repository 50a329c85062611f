"""The duplicates of an incident, or the first report it follows; linking and unlinking."""

from __future__ import annotations

import uuid

import streamlit as st
from sqlalchemy.orm import Session

from app import desk_duplicates, i18n, state, widgets, words
from app.i18n import t
from app.widgets import Column
from core.errors import GridkeeperError
from core.identity import Actor, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.duplicates import LINK_WORDS, UNLINK_REASONS, Likeness
from incidents.model import IncidentDetail
from incidents.service import duplicates

LINKERS = (Role.DISPATCHER, Role.SUPERVISOR)


def show(session: Session, actor: Actor, territory: TerritoryInfo, detail: IncidentDetail) -> None:
    """Put the family of an incident; nothing where it has none and nothing near looks the same."""
    row = detail.row
    root, children = duplicates.relatives(session, actor, row.id)
    if detail.side.duplicate_of is not None:
        link = None if root is None else widgets.link(root.number, f"/incidents?incident={root.id}")
        with st.container(horizontal=True, vertical_alignment="center", key="gk-follows"):
            widgets.told(t("A duplicate: it follows the first report and ends with it."), link)
            if actor.role is Role.SUPERVISOR:
                _unlink(actor, detail)
    if children:
        widgets.heading(i18n.tn("{count} report follows this one", "{count} reports follow this one", len(children)))
        widgets.table(
            [
                Column(t("Number"), fixed=True),
                Column(t("Reported at")),
                Column(t("Source")),
                Column(t("Place"), wide=True),
            ],
            [
                (
                    widgets.link(each.number, f"/incidents?incident={each.id}"),
                    i18n.clock(each.reported_at, territory.timezone),
                    words.source(each.source),
                    each.place,
                )
                for each in children
            ],
        )
    if actor.role in LINKERS and detail.side.duplicate_of is None and row.status in duplicates.LINKED_FROM:
        _offer(session, actor, detail)


def _offer(session: Session, actor: Actor, detail: IncidentDetail) -> None:
    """Put what looks the same, each to be linked by a click."""
    row = detail.row
    kind = detail.filed_under.class_key if detail.filed_under is not None else ""
    found = duplicates.look_alikes(
        session,
        actor,
        class_key=kind,
        place=(row.lon, row.lat),
        text=detail.note or "",
        moment=row.reported_at,
        besides=row.id,
    )
    if not found:
        return
    label = i18n.tn("{count} looks the same", "{count} look the same", len(found))
    with st.popover(label, key=f"gk_family_{row.id}"):
        for each in found:
            other = each.incident
            widgets.write(desk_duplicates.line(each))
            st.button(
                t("Link this to {number}", number=other.number),
                key=f"gk_family_link_{row.id}_{other.id}_{row.version}",
                on_click=_link,
                args=(actor, detail, each),
            )


def _unlink(actor: Actor, detail: IncidentDetail) -> None:
    key = f"gk_family_unlink_{detail.row.id}_{detail.row.version}"
    with st.popover(t("It is none"), key=key):
        reason = st.selectbox(
            t("Reason"),
            list(UNLINK_REASONS),
            index=None,
            format_func=lambda name: i18n.either(*UNLINK_REASONS[name]),
            placeholder=t("Choose"),
            key=f"{key}_reason",
        )
        st.button(
            i18n.either(*LINK_WORDS["unlink"]),
            key=f"{key}_go",
            disabled=reason is None,
            on_click=_free,
            args=(actor, detail, reason),
        )


def _link(actor: Actor, detail: IncidentDetail, chosen: Likeness) -> None:
    """Link the incident; runs before the page is drawn anew."""
    row = detail.row
    command = _command("link", row.id, row.version, chosen.incident.id)
    try:
        with transaction(actor) as session:
            duplicates.link(session, actor, row.id, chosen.incident.id, version=row.version, command_id=command)
    except GridkeeperError as error:
        st.session_state[state.ACT_WRONG] = error


def _free(actor: Actor, detail: IncidentDetail, reason: str | None) -> None:
    """Let the incident stand for itself again; runs before the page is drawn anew."""
    row = detail.row
    command = _command("unlink", row.id, row.version, reason or "")
    try:
        with transaction(actor) as session:
            duplicates.unlink(session, actor, row.id, reason=reason or "", version=row.version, command_id=command)
    except GridkeeperError as error:
        st.session_state[state.ACT_WRONG] = error


def _command(*what: object) -> str:
    """Return the id of the command: the same button pressed twice is one."""
    commands = st.session_state.setdefault(state.ACT_COMMANDS, {})
    return str(commands.setdefault(what, str(uuid.uuid4())))
