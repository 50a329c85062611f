"""Access: who reaches what in time, who does not and where, how evenly it is shared, and what a study would change."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, cast

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import (
    access_demand,
    access_map,
    access_parts,
    access_ways,
    guard,
    i18n,
    norm_parts,
    state,
    study_words,
    widgets,
)
from app.api.access import edges_of
from app.i18n import t
from app.where import territory_of
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.network import Mode
from geodata.osm_facilities import FACILITY_KINDS
from geodata.territory import TerritoryInfo
from geodata.territory import communities as areas_of
from layers.basemap import surrounded_by_water
from planning import accessing, layering, service
from planning.access_model import BASKET, AccessQuestion, AccessRow
from planning.layer_model import LayerInfo
from planning.model import Study
from planning.norms import Norm

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-study.css"
MAP_PX = 540
REFRESH_S = 1.0
FIRST_KIND = "clinic"
BASKET_KEY = "basket"
MINUTES = (5, 10, 15, 20, 30, 45, 60)
WAYS: tuple[Mode, ...] = ("walk", "drive")


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_STUDIES)
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Access"), simulated=territory.is_demo)
        norms = accessing.list_norms(session, actor, territory)
        studies = [study for study, _ in service.list_studies(session, actor, territory) if study.state == "answered"]
        with widgets.filter_bar():
            offered = layering.demand_layers(session, actor, territory)
            question = _bar(
                norms, studies, dict(accessing.kinds_there(session, actor, territory)), offered,
                access_ways.asker(session, actor, territory),
            )  # fmt: skip
        if isinstance(question, InvalidInput):
            widgets.known_error(question)
            return
        row = accessing.find(session, actor, territory, question)
    if row is None or not row.fresh:
        with transaction(actor, purpose="ask access") as session:
            row = accessing.ask(session, actor, territory, question)
    with transaction(actor) as session:
        if row.state == "answered":
            _answered(session, actor, territory, row, norms=norms, studies={study.id: study for study in studies})
        else:
            _unanswered(actor, row)


def _bar(
    norms: tuple[Norm, ...],
    studies: list[Study],
    there: dict[str, int],
    offered: tuple[LayerInfo, ...],
    ask_ways: access_ways.Asker,
) -> AccessQuestion | InvalidInput:
    """Put the bar; return the question, or why it cannot be asked. The address says the same."""
    told = _from_address()
    kinds = [BASKET_KEY, *sorted(FACILITY_KINDS, key=study_words.facility)]

    def words(key: str) -> str:
        if key == BASKET_KEY:
            return t("Basket of several kinds")
        return t("{facility} ({count} there)", facility=study_words.facility(key), count=i18n.number(there.get(key, 0)))

    facility = st.selectbox(
        t("Kind of facility"), kinds, format_func=words, key=_key("facility", told["facility"]), width=260
    )
    chosen: tuple[str, ...] = (facility,)
    if facility == BASKET_KEY:
        chosen = tuple(
            st.multiselect(
                t("Kinds in the basket"), kinds[1:], format_func=study_words.facility,
                key=_key("basket", told["basket"]), placeholder=t("Choose kinds"), width=420,
            )
        )  # fmt: skip
    mode = st.segmented_control(
        t("How people come"), WAYS, format_func=study_words.mode, required=True, key=_key("mode", told["mode"])
    )
    limits = sorted({*MINUTES, told["minutes"], *_norm_minutes(norms, facility)})
    minutes = st.selectbox(
        t("Within"), limits, format_func=lambda each: t("{minutes} min", minutes=i18n.number(each)),
        key=_key("minutes", told["minutes"]), width=110,
    )  # fmt: skip
    fitting = {study.id: study for study in studies if study.question.facility_kind in chosen}
    study_id = None
    if fitting:
        study_id = st.selectbox(
            t("Compare with a study"), [0, *fitting], key=_key("study", told["study"] * (told["study"] in fitting)),
            format_func=lambda key: study_words.title(fitting[key]) if key else t("none"), width=220,
        )  # fmt: skip
    demand_id, growth = access_demand.ask(offered)
    matrix_id, hour = ask_ways(chosen, demand_id, cast("Mode", mode))
    try:
        question = AccessQuestion(
            chosen, cast("Mode", mode), float(minutes), study_id or None, None if matrix_id else demand_id, growth,
            matrix_id, hour,
        )  # fmt: skip
    except InvalidInput as error:
        return error
    _say(question)
    return question


def _from_address() -> dict[str, Any]:
    """Return what the address asks, or what a first visit shows: clinics, on foot, 15 minutes."""
    given = st.query_params
    kinds = tuple(dict.fromkeys(kind for kind in given.get("facility", "").split(",") if kind in FACILITY_KINDS))
    minutes = 15
    with contextlib.suppress(ValueError, OverflowError):
        minutes = min(max(round(float(given.get("minutes", ""))), 1), 240)
    return {
        "facility": (kinds[0] if len(kinds) == 1 else BASKET_KEY) if kinds else FIRST_KIND,
        "basket": list(kinds) if len(kinds) > 1 else list(BASKET),
        "mode": given.get("mode") if given.get("mode") in WAYS else WAYS[0],
        "minutes": minutes,
        "study": _whole(given.get("study", "")),
    }


def _say(question: AccessQuestion) -> None:
    """Let the address say the question, so that it can be sent to somebody."""
    said = {"facility": ",".join(question.kinds), "mode": question.mode, "minutes": f"{question.limit_min:g}"}
    if question.study_id is not None:
        said["study"] = str(question.study_id)
    said |= access_demand.address_parts(question)
    community = st.query_params.get("community")
    if community is not None:
        said["community"] = community
    if dict(st.query_params) != said:
        st.query_params.from_dict(said)


def _key(name: str, first: object) -> str:
    """Return a widget's key, begun with what the address says: Streamlit remembers a choice by its words."""
    key = f"{state.ACCESS_FORM}_{name}_{i18n.locale()}"
    if key not in st.session_state:
        st.session_state[key] = first
    return key


def _norm_minutes(norms: tuple[Norm, ...], kind: str) -> set[int]:
    limits = (rule.limit_min for rule in norms if rule.active and rule.facility_kind == kind)
    return {max(1, round(limit)) for limit in limits if limit is not None}


def _whole(given: str) -> int:
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0


def _unanswered(actor: Actor, row: AccessRow) -> None:
    with transaction(actor) as session:
        job = accessing.job_of(session, actor, row)
    if job is not None and not job.ended:
        _running(row.id)
        return
    if job is not None and job.state == "failed":
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))
    else:
        widgets.empty(t("There is no answer yet."), t("The work was cancelled or never began; it can begin again."))
    if st.button(t("Begin again"), type="primary", key="gk_access_again"):
        with guard.page():
            with transaction(actor, purpose="ask access") as session:
                accessing.ask(session, actor, territory_of(session, actor), row.question)
            st.rerun()


@st.fragment(run_every=REFRESH_S)
def _running(answer_id: int) -> None:
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            row = accessing.get(session, actor, answer_id)
            job = accessing.job_of(session, actor, row)
        if job is None or job.ended:
            st.rerun()
        st.progress(0.0, text=t("Ways are being counted; this takes some seconds the first time."))
        widgets.note(t("You may close this page; the work goes on and its answer will stand here."))


def _answered(
    session: Session, actor: Actor, territory: TerritoryInfo, row: AccessRow, *, norms: tuple[Norm, ...],
    studies: dict[int, Study],
) -> None:  # fmt: skip
    names = _names(session, territory.id)
    mine = (
        tuple(rule for rule in norms if rule.facility_kind in row.question.kinds) if len(row.question.kinds) < 2 else ()
    )
    study = studies.get(row.question.study_id or 0)
    title = study_words.title(study) if study else ""
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        access_parts.answer(row, names, mine, title)
        shown = _shown(row)
        access_parts.files(actor, territory, row)
    with right:
        _map(session, actor, territory, row, shown)
    where, groups, even, rules, rests = st.tabs(
        [t("Where"), t("By group"), t("How evenly"), t("Norms"), t("What it rests on")]
    )
    with where:
        community = _whole(st.query_params.get("community", ""))
        if community in names:
            access_parts.grids(session, actor, row, community, names[community])
        else:
            access_parts.communities(row, names)
    with groups:
        access_demand.groups(row)
    with even:
        access_parts.evenness(row)
    with rules:
        norm_parts.show(actor, territory, norms, first=row.question.kinds[0])
    with rests:
        access_parts.rests_on(row, territory.people_note if i18n.locale() == "en" else "")


def _shown(row: AccessRow) -> str:
    """Ask what fills the grids."""
    options = {"now": t("Way now")}
    if row.facts["then"] is not None:
        options["then"] = t("Way then")
    if row.facts["now"]["equity"] is not None and len(row.question.kinds) == 1:
        options["supply"] = t("What is in reach")
    if len(options) < 2:
        return "now"
    key = _key("shown", "now")
    if st.session_state[key] not in options:
        st.session_state[key] = "now"
    chosen = st.segmented_control(
        t("The grids show"), list(options), format_func=options.__getitem__, required=True, key=key
    )
    return str(chosen)


def _map(session: Session, actor: Actor, territory: TerritoryInfo, row: AccessRow, shown: str) -> None:
    there = {kind: accessing.facilities(session, actor, territory, kind) for kind in row.question.kinds}
    sites = np.empty((0, 2))
    if row.question.study_id is not None:
        sites = accessing.sites_of_study(session, actor, territory, row.question.study_id)
    access_map.show(
        territory, actor, row, shown=shown, facilities=access_map.kinds_of(row, there), sites=sites,
        island=_island(session, territory.id), height=MAP_PX, extent=_extent(session, territory),
    )  # fmt: skip
    edges = edges_of(row, accessing.cells_of_answer(session, actor, row.id), shown)
    widgets.write(access_map.legend(row, shown=shown, edges=edges, sites=bool(len(sites))))


def _extent(session: Session, territory: TerritoryInfo) -> tuple[float, float, float, float]:
    """Return west, south, east and north of the community that is looked at, else of the territory."""
    areas = areas_of(session, territory.id)
    chosen = areas[areas["id"] == _whole(st.query_params.get("community", ""))]
    if not len(chosen):
        return territory.bounds
    west, south, east, north = (float(side) for side in chosen.total_bounds)
    return west, south, east, north


def _names(session: Session, territory_id: int) -> dict[int, str]:
    areas = areas_of(session, territory_id)
    rows = zip(areas["id"].tolist(), areas["name"].tolist(), areas["name_zh"].tolist(), strict=True)
    return {int(key): i18n.either(name, name_zh or None) for key, name, name_zh in rows}


@st.cache_data(ttl=3600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


show()
