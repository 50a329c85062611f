"""Whose ways a new study goes by: the streets, or a matrix of the planner's own about his places."""

from __future__ import annotations

from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import matrix_form, study_form, widgets
from app.i18n import t
from app.study_where import FREE
from app.transit_form import Riding
from core.errors import InvalidInput
from core.identity import Actor
from geodata.territory import TerritoryInfo
from planning import matrices
from planning.layer_model import LayerInfo
from planning.own_matrix import Expected
from planning.terms import OwnPlace


def form(
    session: Session, actor: Actor, territory: TerritoryInfo, where: dict[str, Any], *, demand: int | None, kind: str,
    keep: str, plots: int,
) -> dict[str, Any]:  # fmt: skip
    """Ask for a matrix; return what it changes of what the form said: the places compared and what is wrong."""
    asked = kind if kind and keep != "out" else None

    def places() -> Expected | InvalidInput:
        if not where["places"]:
            return InvalidInput(
                t("A matrix is about places of your own."),
                hint=t("Say under “Where it could stand” from which file, layer or points."),
            )
        return matrices.expected(
            session, actor, territory, demand_id=demand, candidates=where["places"], kind=asked
        )  # fmt: skip

    def riding() -> Riding | InvalidInput:
        if not where["places"] and where["where"] != FREE:
            return InvalidInput(
                t("A matrix is about places of your own."),
                hint=t("Say under “Where it could stand” from which file, layer or points."),
            )
        own = tuple((each.lon, each.lat) for each in where["places"])
        return Riding(demand, asked, own, 0 if own else plots)

    def fits(each: LayerInfo) -> bool:
        there = each.facts["facility_kind"]
        return each.facts["candidates"] > 0 and (asked is None or there in {None, asked})

    first = study_form.kept().get("own_matrix")
    found = matrix_form.ask(
        session,
        actor,
        territory,
        places,
        riding=riding,
        fits=fits,
        first=first.id if first else matrix_form.STREETS,
        key="study",
    )
    if found is None and matrix_form.bringing("study") and where["wrong"] is None:
        hint = t("Bring it or let it be computed, or choose the streets of the map.")
        return {"own_matrix": None, "wrong": InvalidInput(t("The ways are not here yet."), hint=hint), "waiting": True}
    if found is None:
        return {"own_matrix": None}
    own = _places(session, actor, found.id)
    widgets.note(t("People and places compared are those of the matrix."))
    return {"own_matrix": found, "places": own, "wrong": None}


@st.cache_data(ttl=3600, max_entries=8, show_spinner=False)
def _places(_session: Session, _actor: Actor, layer_id: int) -> tuple[OwnPlace, ...]:
    return matrices.places_of(matrices.read(_session, _actor, layer_id))
