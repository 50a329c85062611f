"""Whose ways the page Access goes by: the streets, or a matrix that leads to the facilities asked for."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from app import matrix_form
from app.i18n import t
from app.transit_form import Riding
from core.errors import InvalidInput
from core.identity import Actor, May
from geodata.territory import TerritoryInfo
from planning import matrices
from planning.layer_model import LayerInfo
from planning.own_matrix import Expected

Asker = Callable[[tuple[str, ...], int | None], int | None]


def asker(session: Session, actor: Actor, territory: TerritoryInfo) -> Asker:
    """Return what asks for a matrix, once the kinds and the people are known."""

    def ask(kinds: tuple[str, ...], demand: int | None) -> int | None:
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
