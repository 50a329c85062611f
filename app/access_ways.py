"""Whose ways the page Access goes by: streets, at the speeds of an hour or not, or a matrix that leads there."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from app import matrix_form, state, study_form
from app.i18n import locale, t
from app.transit_form import Riding
from core.errors import InvalidInput
from core.identity import Actor, May
from geodata.network import Mode
from geodata.territory import TerritoryInfo
from planning import matrices
from planning.layer_model import LayerInfo
from planning.own_matrix import Expected

Asker = Callable[[tuple[str, ...], int | None, Mode], tuple[int | None, int | None]]


def asker(session: Session, actor: Actor, territory: TerritoryInfo) -> Asker:
    """Return what asks for a matrix, else for the hour whose speeds count, once kinds, people and mode are known."""

    def ask(kinds: tuple[str, ...], demand: int | None, mode: Mode) -> tuple[int | None, int | None]:
        matrix = ask_matrix(kinds, demand)
        return matrix, None if matrix or mode != "drive" else _hour(session, territory)

    def ask_matrix(kinds: tuple[str, ...], demand: int | None) -> int | None:
        if len(kinds) != 1:
            return None
        found_any = any(_leads(each, kinds[0]) for each in matrices.offered(session, actor, territory))
        if not found_any and not actor.may(May.MAKE_STUDIES):
            return None
        first, key = _told(), f"access_{kinds[0]}"
        by_matrix = matrix_form.by_matrix(key, first)
        with st.popover(t("Ways: by a matrix") if by_matrix else t("Ways: on the streets")):
            found = matrix_form.ask(
                session, actor, territory, lambda: _places(session, actor, territory, kinds[0], demand),
                riding=lambda: Riding(demand, kinds[0]), fits=lambda each: _leads(each, kinds[0]), first=first, key=key,
            )  # fmt: skip
        return None if found is None else found.id

    return ask


def _hour(session: Session, territory: TerritoryInfo) -> int | None:
    """Ask at which hour's measured speeds cars drive, where any were measured; None: as the roads allow."""
    measured = study_form.hours_measured(session, territory)
    if not measured:
        return None
    key, given = f"{state.ACCESS_FORM}_hour_{locale()}", st.query_params.get("hour", "")
    if st.session_state.get(key) not in measured:
        told = int(given) if given.isascii() and given.isdecimal() and len(given) < 3 else None
        st.session_state[key] = told if key not in st.session_state and told in measured else None
    return st.selectbox(
        t("How fast cars go"), [None, *measured], key=key, width=320,
        format_func=lambda at: study_form.hour_words(measured, at),
    )  # fmt: skip


def _told() -> int:
    """Return the matrix that the address says; 0 for none."""
    given = st.query_params.get("matrix", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0


def _leads(each: LayerInfo, kind: str) -> bool:
    return bool(each.facts["facility_kind"] == kind)


def _places(
    session: Session, actor: Actor, territory: TerritoryInfo, kind: str, demand: int | None
) -> Expected | InvalidInput:
    made = matrices.expected(session, actor, territory, demand_id=demand, candidates=(), kind=kind)
    if not len(made.there):
        return InvalidInput(t("None of this kind is there."), hint=t("Choose another kind of facility."))
    return made
