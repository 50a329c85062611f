"""Bring in: data of another server or of a named database, fetched and then understood like a file that was sent."""

from __future__ import annotations

import secrets
from pathlib import Path

import streamlit as st

from app import guard, state, widgets
from app.i18n import t
from core.identity import Actor
from core.settings import settings
from geodata import sourcing
from geodata.exchange_fetch import Fetched


def kept() -> tuple[str, str, Path] | None:
    """Return what was fetched last and not brought in yet: its id, what it is called, and where it lies."""
    found: tuple[str, str, Path] | None = st.session_state.get(state.GATE_NEAR)
    return found if found is not None and found[2].is_file() else None


def show(actor: Actor) -> None:
    """Put the field for an address, for those who may let the platform ask there."""
    named = sourcing.databases(actor)
    if not sourcing.may_ask(actor) and not named:
        return
    with st.expander(t("From another server or a database")):
        address = st.text_input(
            t("Address"), max_chars=2000, key=f"{state.GATE_NEAR}_address_{st.session_state.get(state.GATE_ROUND, 0)}",
            placeholder="https://maps.city.gov/ogc/collections/lamps",
        )  # fmt: skip
        widgets.note(t("A collection of OGC API Features, a WFS with typeNames, or a file that the server gives."))
        if named:
            shown = ", ".join(f"{each}/{t('schema.table')}" for each in named)
            widgets.note(t("Or a table of a database: {databases}.", databases=shown))
        if st.button(t("Fetch"), key="gk_gate_fetch", disabled=not address.strip()):
            with guard.page(), st.spinner(t("Fetching from the server")):
                _fetch(actor, address)
                st.rerun()


def _fetch(actor: Actor, address: str) -> None:
    mark = secrets.token_hex(16)
    folder = settings().state_dir / "uploads" / f".{mark}"
    folder.mkdir(parents=True, mode=0o700)
    try:
        found: Fetched = sourcing.near(actor, address, folder)
        path = folder.parent / f"{mark}{''.join(found.path.suffixes)}"
        found.path.rename(path)
    finally:
        for left in folder.glob("*"):
            left.unlink(missing_ok=True)
        folder.rmdir()
    st.session_state[state.GATE_NEAR] = (mark, found.name, path)
