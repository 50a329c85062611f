"""New study: a siting question put together in words, with what is there now on the map."""

from __future__ import annotations

from typing import Any, cast

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, study_form, study_map, study_scene, study_ways, study_where, study_words, widgets
from app.i18n import t
from app.where import territory_of
from core.errors import GridkeeperError, InvalidInput
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.network import Mode
from geodata.osm_facilities import FACILITY_KINDS
from geodata.territory import TerritoryInfo
from planning import layering, service
from planning.kinds import INFO
from planning.model import AT_ONCE_CANDIDATES, CANDIDATES_AT_MOST, SITES_AT_MOST, TITLE_AT_MOST, Question
from planning.terms import Place

MAP_PX = 600
FIRST_KIND = "clinic"
SOMETHING_NEW = ""
KEEP = ("stay", "closable", "out")
WAYS: tuple[Mode, ...] = ("walk", "drive")
CANDIDATES = (100, 250, 500, 1000, AT_ONCE_CANDIDATES, CANDIDATES_AT_MOST)


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.MAKE_STUDIES)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        counts = service.facility_counts(session, actor, territory)
        widgets.title(t("New study"), simulated=territory.is_demo)
        left, right = st.columns([1, 1.6], gap="medium")
        with left:
            question, title, said = _form(session, actor, territory, counts)
            if said.get("waiting") and isinstance(question, GridkeeperError):
                widgets.note(f"{question.message} {question.hint}")
            else:
                _ask(actor, territory, question, title, counts)
        with right:
            _there(session, actor, territory, counts, said)


def _form(
    session: Session, actor: Actor, territory: TerritoryInfo, counts: dict[str, int]
) -> tuple[Question | GridkeeperError, str, dict[str, Any]]:
    """Put the form; return the question, or why it cannot be asked, the title, and all that was said."""
    kept, key = study_form.kept(), study_form.key
    kinds = sorted(FACILITY_KINDS, key=study_words.facility)
    facility = _select(
        "facility", t("What should be built"), [*kinds, SOMETHING_NEW], default=FIRST_KIND,
        words=lambda key: _facility_name(key, counts),
    )  # fmt: skip
    number, minutes = st.columns(2)
    with minutes:
        limit = st.number_input(t("Near is, in minutes"), 1, 120, kept.get("limit", 15), key=key("limit"))
    mode = _segments("mode", t("How people come"), WAYS, default="walk", words=study_words.mode)
    hour = study_form.hour(study_form.hours_measured(session, territory) if mode == "drive" else {}, mode)
    by = st.container()
    kind = study_form.kind()
    with number:
        p = st.number_input(
            t("How many new ones"), 1, SITES_AT_MOST, kept.get("p", 2), key=key("p"), disabled=not INFO[kind].needs_p
        )
    room = study_form.room(kind)
    site_cost, hour_cost = study_form.costs(kind)
    keep = "stay"
    stay: tuple[Place, ...] = ()
    if facility and counts.get(facility):
        keep = _segments("keep", t("Those that are there"), KEEP, default="stay", words=_keep_words)
        if keep == "closable":
            stay = study_where.staying(session, actor, territory, facility)
    with st.expander(t("Where it could stand, and where not")):
        where = study_where.form(session, actor, territory)
    with st.expander(t("Conditions, title, how many places are compared")):
        budget, site_cost = study_form.budget(kind, site_cost)
        spacing, floor = study_form.spacing_and_floor()
        title = st.text_input(
            t("Title (may be left out)"), kept.get("title", ""), max_chars=TITLE_AT_MOST, key=key("title")
        )
        candidates = _select("candidates", t("Places compared at most"), CANDIDATES, default=500, words=i18n.number)
        points = study_form.points(kind)
        people = study_form.people(layering.demand_layers(session, actor, territory))
        further = study_form.further()
    with by:
        ways = study_ways.form(
            session, actor, territory, where, demand=people["demand"], kind=facility, keep=keep, plots=candidates
        )
    said = {
        "facility": facility, "p": p, "limit": limit, "mode": mode, "kind": kind, "keep": keep, "title": title,
        "candidates": candidates, "room": room, "site_cost": site_cost, "hour_cost": hour_cost, "spacing": spacing,
        "floor": (floor or 0) * 100, "floor_share": floor, "further": further, "budget": budget, "stay": stay,
        "points": points, "hour": hour,
    } | where | people | ways  # fmt: skip
    st.session_state[state.STUDY_FORM] = said
    if said["wrong"] is not None:
        return said["wrong"], title, said
    try:
        question = Question(
            kind, p if INFO[kind].needs_p else 0, facility or None, cast("Mode", mode), float(limit), keep != "out",
            candidates, terms=study_form.terms(said),
        )  # fmt: skip
    except InvalidInput as error:
        return error, title, said
    return question, title, said


def _select(name: str, label: str, options: Any, *, default: Any, words: Any) -> Any:
    keys = list(options)
    chosen = study_form.kept().get(name, default)
    index = keys.index(chosen if chosen in keys else default)
    return st.selectbox(label, keys, index=index, format_func=words, key=study_form.key(name))


def _segments(name: str, label: str, options: Any, *, default: Any, words: Any) -> Any:
    return st.segmented_control(
        label,
        list(options),
        default=study_form.kept().get(name, default),
        format_func=words,
        required=True,
        key=study_form.key(name),
    )


def _facility_name(key: str, counts: dict[str, int]) -> str:
    if key == SOMETHING_NEW:
        return t("Something the city does not have yet")
    return t("{facility} ({count} there)", facility=study_words.facility(key), count=i18n.number(counts.get(key, 0)))


def _keep_words(keep: str) -> str:
    return {
        "stay": t("go on serving"),
        "closable": t("may be closed"),
        "out": t("are left out of account"),
    }[keep]


def _ask(
    actor: Actor, territory: TerritoryInfo, question: Question | GridkeeperError, title: str, counts: dict[str, int]
) -> None:
    """Put the question in words and the one button."""
    if isinstance(question, GridkeeperError):
        widgets.known_error(question)
        return
    count = counts.get(question.facility_kind or "", 0)
    words = widgets.html(study_words.sentence(question))
    there = widgets.html(study_words.existing(question, count))
    widgets.write(f'<div class="gk-panel"><p><b>{words}</b></p><p class="gk-muted">{there}</p></div>')
    if st.button(t("Ask"), type="primary", key="gk_ask", shortcut="Ctrl+Enter"):
        with guard.page():
            with transaction(actor, purpose="ask a study") as session:
                study_id = service.ask(session, actor, territory, question, title=title)
            st.session_state.pop(state.STUDY_FORM, None)
            st.session_state.pop(state.STUDY_MARKS, None)
            st.switch_page("views/study.py", query_params={"study": str(study_id)})
    widgets.note(t("It is computed in the background; you may close the page, the answer stands under Studies."))


def _there(
    session: Session, actor: Actor, territory: TerritoryInfo, counts: dict[str, int], said: dict[str, Any]
) -> None:
    """Put the map of what is there now and of the places that were brought or marked."""
    kind = said["facility"] or None
    places = service.existing_facilities(session, actor, territory, kind or SOMETHING_NEW)
    place = study_map.show_existing(
        territory, actor, places, name=study_words.facility(kind), island=study_scene.island(session, territory.id),
        height=MAP_PX, own=study_where.shown(said),
    )  # fmt: skip
    if kind is not None:
        name, count = study_words.facility(kind), counts.get(kind, 0)
        widgets.note(t("{facility}: {count} there now.", facility=name, count=i18n.number(count)))
    study_where.take_click(said["where"], place)


show()
