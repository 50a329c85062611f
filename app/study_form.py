"""What the answer of a new study keeps to: the fields below the question."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, study_kind_words, suitability_form
from app.i18n import t
from core import clock
from geodata.territory import TerritoryInfo
from geodata.usual_speeds import hours_known
from layers.snapshot import Kept
from layers.versions import versions
from planning import matrices
from planning.kinds import INFO, Kind
from planning.layer_model import AHEAD_AT_MOST, GROWTH_AT_MOST, LayerInfo
from planning.model import AT_ONCE_POINTS, CANDIDATES_AT_MOST, DEMAND_POINTS
from planning.terms import POINTS_AT_MOST, Terms

ROOM = 5000
SITE_COST = 1_000_000
HOUR_COST = 10
MOST = 1_000_000_000
MEASURED_FRESH_S = 600
_measured: Kept[dict[int, int]] = Kept(limit=8)


def kept() -> dict[str, Any]:
    """Return what the form said last, also in another language."""
    said: dict[str, Any] = st.session_state.get(state.STUDY_FORM, {})
    return said


def key(name: str) -> str:
    """Return a widget's key: Streamlit remembers a choice by its words, so each language has its own."""
    return f"{state.STUDY_FORM}_{name}_{i18n.locale()}"


def kind() -> Kind:
    """Ask what is best."""
    further = bool(st.session_state.get(key("further"), kept().get("further", False)))
    options: tuple[Kind, ...] = (
        (*study_kind_words.PLAIN, *study_kind_words.FURTHER) if further else study_kind_words.PLAIN
    )
    last = kept().get("kind", "mclp")
    return st.radio(
        t("What is best"),
        options,
        index=options.index(last if last in options else "mclp"),
        format_func=study_kind_words.kind,
        key=key(f"kind{len(options)}"),
    )


def further() -> bool:
    """Ask whether the rarer questions are shown."""
    return st.checkbox(t("Show further questions"), kept().get("further", False), key=key("further"))


def room(chosen: Kind) -> float | None:
    """Ask how many people a site has room for, where it counts."""
    if not INFO[chosen].needs_capacity:
        return None
    return float(
        st.number_input(t("People a site has room for"), 1, MOST, int(kept().get("room") or ROOM), key=key("room"))
    )


def costs(chosen: Kind) -> tuple[float | None, float | None]:
    """Ask what a site and an hour on the way cost, where it counts."""
    if not INFO[chosen].needs_cost:
        return None, None
    left, right = st.columns(2)
    site = left.number_input(
        t("Cost of a site"), 1, MOST, int(kept().get("site_cost") or SITE_COST), key=key("site_cost")
    )
    hour = right.number_input(
        t("Cost of an hour on the way, all visits of a person"), 1, MOST, int(kept().get("hour_cost") or HOUR_COST),
        key=key("hour_cost"),
    )  # fmt: skip
    return float(site), float(hour)


def budget(chosen: Kind, site_cost: float | None) -> tuple[float | None, float | None]:
    """Ask for a budget and, where it is not asked already, what a site costs; None where money does not count."""
    limited = st.checkbox(t("There is a budget"), kept().get("budget") is not None, key=key("budgeted"))
    if not limited:
        return None, site_cost
    left, right = st.columns(2)
    if not INFO[chosen].needs_cost:
        site_cost = float(
            left.number_input(
                t("Cost of a site"), 1, MOST, int(kept().get("site_cost") or SITE_COST), key=key("budget_cost")
            )
        )
    most = right.number_input(
        t("Budget"), 1, MOST * 10, int(kept().get("budget") or 2 * (site_cost or SITE_COST)), key=key("budget")
    )
    return float(most), site_cost


def spacing_and_floor() -> tuple[float | None, float | None]:
    """Ask how far apart sites lie and what share of every community is in time; None where it does not count."""
    spacing = st.number_input(
        t("Metres between sites, at least (0: any)"), 0, 100_000, int(kept().get("spacing") or 0), 100,
        key=key("spacing"),
    )  # fmt: skip
    floor = st.number_input(
        t("Per cent of every community in time, at least (0: any)"), 0, 100, int(kept().get("floor") or 0), 5,
        key=key("floor"),
    )  # fmt: skip
    return float(spacing) or None, floor / 100 or None


def people(offered: Sequence[LayerInfo]) -> dict[str, Any]:
    """Ask whose demand counts, where layers of people are there, and how many more people there will be."""
    found = {each.id: suitability_form.layer_name(each) for each in offered}
    last = kept().get("demand") or 0
    chosen = 0
    if found:
        chosen = st.selectbox(
            t("Whose access"), [0, *found], index=[0, *found].index(last) if last in found else 0, key=key("demand"),
            format_func=lambda at: found[at] if at else t("People of the map"),
        )  # fmt: skip
    left, right = st.columns(2)
    growth = left.number_input(
        t("More people a year, in per cent"), -GROWTH_AT_MOST, GROWTH_AT_MOST, float(kept().get("growth") or 0.0), 0.5,
        key=key("growth"),
    )  # fmt: skip
    years = right.number_input(
        t("For so many years"), 0, AHEAD_AT_MOST, int(kept().get("years") or 0), key=key("years")
    )
    return {
        "demand": chosen or None, "demand_name": found.get(chosen), "growth": float(growth) or None,
        "years": int(years) or None,
    }  # fmt: skip


def hours_measured(session: Session, territory: TerritoryInfo) -> Mapping[int, int]:
    """Return on how many stretches speeds were measured on weekdays, by hour; counted again when speeds came in."""
    version = versions.of(territory.id, ("roads", "traffic"))
    version = None if version is None else (*version, int(clock.now().timestamp() // MEASURED_FRESH_S))
    return _measured.get(territory.id, version, lambda: hours_known(session, territory.id, territory.timezone))


def hour(measured: Mapping[int, int], mode: str) -> int | None:
    """Ask at which hour's measured speeds cars drive, where any were measured; None: as the roads allow."""
    if mode != "drive" or not measured:
        return None
    last = kept().get("hour")
    options = [None, *measured]
    return st.selectbox(
        t("How fast cars go"), options, index=options.index(last) if last in measured else 0,
        format_func=lambda at: hour_words(measured, at), key=key("hour"),
    )  # fmt: skip


def hour_words(measured: Mapping[int, int], at: int | None) -> str:
    """Return an hour and on how many stretches speeds were measured then; None: what the roads allow."""
    if at is None:
        return t("as fast as the roads allow")
    return t("measured on weekdays at {hour}:00, {count} stretches", hour=at, count=i18n.number(measured[at]))


def points(chosen: Kind) -> int | None:
    """Ask at how many points the people are gathered for the choice; None: the usual number."""
    if INFO[chosen].needs_capacity:
        return None
    options = (DEMAND_POINTS, AT_ONCE_POINTS, *((POINTS_AT_MOST,) if chosen == "p-median" else ()))
    last = kept().get("points") or DEMAND_POINTS
    made = st.selectbox(
        t("People are gathered at so many points at most"), options, format_func=i18n.number,
        index=options.index(last) if last in options else 0, key=key(f"points{len(options)}"),
        help=t("Figures always count every building. More points make the choice and its proof finer and take longer:"
               " {most} points and {places} places take some minutes, only where shortest ways for all are asked for.",
               most=i18n.number(POINTS_AT_MOST), places=i18n.number(CANDIDATES_AT_MOST)),
    )  # fmt: skip
    return None if made == DEMAND_POINTS else int(made)


def terms(said: dict[str, Any]) -> Terms:
    """Return the terms that the form says."""
    made = Terms(
        closable=said.get("keep") == "closable",
        spacing_m=said.get("spacing"),
        floor=None if said.get("floor_share") is None else float(said["floor_share"]),
        capacity=said.get("room"),
        site_cost=said.get("site_cost"),
        hour_cost=said.get("hour_cost"),
        budget=said.get("budget"),
        source="buildings" if said.get("where") == "buildings" else "free",
        sifted=bool(said.get("places")),
        least_m2=said.get("least_m2") or None,
        places=said.get("places") or (),
        zones=said.get("zones") or (),
        stay=said.get("stay") or (),
        demand=said.get("demand"),
        demand_name=said.get("demand_name"),
        growth=said.get("growth"),
        years=said.get("years"),
        points=None if said.get("own_matrix") else said.get("points"),
        hour=None if said.get("own_matrix") else said.get("hour"),
    )
    found: LayerInfo | None = said.get("own_matrix")
    if found is None:
        return made
    return matrices.named(dataclasses.replace(made, sifted=False, least_m2=None, demand=None, demand_name=None), found)
