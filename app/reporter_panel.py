"""Who reported an incident, shown for a purpose that is chosen first and stands in the record."""

from __future__ import annotations

import streamlit as st

from app import widgets
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from incidents.service.identity import PURPOSES, read_reporter


def purpose_words(key: str) -> str:
    """Return a purpose in words; empty for what is none."""
    return {
        "call back": t("Call back with a question"),
        "tell result": t("Tell the result"),
        "check report": t("Check the report"),
        "appeal": t("Complaint or appeal"),
        "request": t("The reporter asked for it"),
        "oversight": t("Oversight"),
    }.get(key, "")


def show(actor: Actor, incident_id: int) -> None:
    """Put the way to the reporter's identity; nothing for roles that never read it."""
    if not actor.may(May.READ_REPORTER):
        return
    with st.expander(t("Who reported")):
        widgets.note(t("Choose what for. That you read it, and what for, stands in the record for good."))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            purpose = st.selectbox(
                t("Purpose"),
                PURPOSES,
                index=None,
                format_func=purpose_words,
                key=f"gk_reporter_{incident_id}",
                width=260,
            )
            asked = st.button(t("Show"), key=f"gk_reporter_show_{incident_id}", disabled=purpose is None)
        if asked and purpose is not None:
            _tell(actor, incident_id, purpose)


def _tell(actor: Actor, incident_id: int, purpose: str) -> None:
    try:
        with transaction(actor, purpose=purpose) as session:
            found = read_reporter(session, actor, incident_id, purpose)
    except GridkeeperError as error:
        widgets.known_error(error)
        return
    if found.name is None and found.phone is None:
        widgets.note(t("No name and no telephone number is kept of who reported."))
        return
    widgets.fields({t("Full name"): found.name, t("Phone"): found.phone})
