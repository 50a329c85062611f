"""Lists as files on a page: out as CSV and Excel, and for those who may the way back in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from app import i18n, state, uploads, widgets
from app.exports import recorded
from app.i18n import t
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.files import read_table, unpacked_bytes
from geodata.territory import TerritoryInfo
from people.importing import Imported
from people.table_out import XLSX_TYPE, as_csv, as_xlsx

ENDINGS = ("csv", "xlsx", "tsv", "txt")
Table = Mapping[str, Sequence[str]]
TakeIn = Callable[..., Imported]


def out(actor: Actor, table: Table, stem: str, *, sheet: str) -> None:
    """Put the list as files; they are made when one is asked for, and the taking is recorded."""
    take = partial(recorded, actor, sheet.replace(" ", "_"), len(next(iter(table.values()), ())))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            t("Save as CSV"), partial(take, partial(as_csv, table)), f"{stem}.csv", "text/csv", key=f"gk_{sheet}_csv"
        )
        made = partial(take, partial(as_xlsx, table, sheet=sheet))
        st.download_button(t("Save as Excel"), made, f"{stem}.xlsx", XLSX_TYPE, key=f"gk_{sheet}_xlsx")


def back_in(actor: Actor, territory: TerritoryInfo, take_in: TakeIn, label: str, *, kind: str) -> None:
    """Put the way back in; what came of it stands on top of the page (`app.unit_parts.news`)."""
    widgets.note(
        t("Change the file and bring it back: what it does not name stays, the same file twice changes nothing.")
    )
    key = f"gk_{kind}_upload_{st.session_state.get(state.UNIT_ROUND, 0)}"
    most = uploads.most_mib(actor, May.MANAGE_UNITS)
    file = st.file_uploader(uploads.labelled(label, most), type=list(ENDINGS), max_upload_size=most, key=key)
    if file is not None and st.button(t("Bring it in"), key=f"{key}_go"):
        _bring_in(actor, territory, take_in, name=file.name, content=file.getvalue(), kind=kind)


def _bring_in(actor: Actor, territory: TerritoryInfo, take_in: TakeIn, *, name: str, content: bytes, kind: str) -> None:
    try:
        with uploads.taken(content, name, tuple(f".{each}" for each in ENDINGS)) as path:
            table = read_table(path, most_bytes=unpacked_bytes(uploads.most_mib(actor, May.MANAGE_UNITS)))
            columns = {heading: cells.tolist() for heading, cells in table.columns.items()}
        with transaction(actor, purpose=f"import {kind}") as session:
            done = take_in(session, actor, territory.id, columns, file=name)
    except GridkeeperError as error:
        st.session_state[state.UNIT_WRONG] = error
    else:
        st.session_state[state.UNIT_TOLD] = t(
            "{file}: {added} added, {changed} changed, {unchanged} as they were.",
            file=name,
            added=i18n.number(done.added),
            changed=i18n.number(done.changed),
            unchanged=i18n.number(done.unchanged),
        )
        st.session_state[state.UNIT_ROUND] = st.session_state.get(state.UNIT_ROUND, 0) + 1
    st.rerun()
