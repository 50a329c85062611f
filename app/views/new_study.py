"""New study: a siting question put together in words, with what is there now on the map."""

from __future__ import annotations

from typing import Any, cast

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, study_map, study_words, widgets
from app.i18n import t
from app.where import territory_of
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.network import Mode
from geodata.osm_facilities import FACILITY_KINDS
from geodata.territory import TerritoryInfo
from layers.basemap import surrounded_by_water
from planning import service
from planning.model import CANDIDATES_AT_MOST, SITES_AT_MOST, TITLE_AT_MOST, Question
from planning.siting import Kind

MAP_PX = 600
FIRST_KIND = "clinic"
SOMETHING_NEW = ""
KINDS: tuple[Kind, ...] = ("mclp", "p-median")
WAYS: tuple[Mode, ...] = ("walk", "drive")
CANDIDATES = (100, 250, 500, 1000, CANDIDATES_AT_MOST)


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
            question, title = _form(counts)
            _ask(actor, territory, question, title, counts)
        with right:
            _there(session, actor, territory, question, counts)


def _form(counts: dict[str, int]) -> tuple[Question | InvalidInput, str]:
    """Put the form; return the question, or why it cannot be asked, and the title."""
    kept = _kept()
    kinds = sorted(FACILITY_KINDS, key=study_words.facility)
    facility = _select(
        "facility", t("What should be built"), [*kinds, SOMETHING_NEW], default=FIRST_KIND,
        words=lambda key: _facility_name(key, counts),
    )  # fmt: skip
    number, minutes = st.columns(2)
    with number:
        p = st.number_input(t("How many new ones"), 1, SITES_AT_MOST, kept.get("p", 2), key=_key("p"))
    with minutes:
        limit = st.number_input(t("Near is, in minutes"), 1, 120, kept.get("limit", 15), key=_key("limit"))
    mode = _segments("mode", t("How people come"), WAYS, default="walk", words=study_words.mode)
    kind = st.radio(
        t("What is best"), KINDS, index=KINDS.index(kept.get("kind", "mclp")), format_func=study_words.kind,
        key=_key("kind"),
    )  # fmt: skip
    keep = True
    if facility and counts.get(facility):
        keep = _segments("keep", t("Those that are there"), (True, False), default=True, words=_keep_words)
    with st.expander(t("Title and how many places are compared")):
        title = st.text_input(
            t("Title (may be left out)"), kept.get("title", ""), max_chars=TITLE_AT_MOST, key=_key("title")
        )
        candidates = _select("candidates", t("Places compared at most"), CANDIDATES, default=500, words=i18n.number)
    st.session_state[state.STUDY_FORM] = {
        "facility": facility, "p": p, "limit": limit, "mode": mode, "kind": kind, "keep": keep, "title": title,
        "candidates": candidates,
    }  # fmt: skip
    try:
        asked = Question(kind, p, facility or None, cast("Mode", mode), float(limit), bool(keep), candidates)
    except InvalidInput as error:
        return error, title
    return asked, title


def _kept() -> dict[str, Any]:
    """Return what the form said last, also in another language."""
    kept: dict[str, Any] = st.session_state.get(state.STUDY_FORM, {})
    return kept


def _key(name: str) -> str:
    """Return a widget's key: Streamlit remembers a choice by its words, so each language has its own."""
    return f"{state.STUDY_FORM}_{name}_{i18n.locale()}"


def _select(name: str, label: str, options: Any, *, default: Any, words: Any) -> Any:
    keys = list(options)
    chosen = _kept().get(name, default)
    index = keys.index(chosen if chosen in keys else default)
    return st.selectbox(label, keys, index=index, format_func=words, key=_key(name))


def _segments(name: str, label: str, options: Any, *, default: Any, words: Any) -> Any:
    return st.segmented_control(
        label, list(options), default=_kept().get(name, default), format_func=words, required=True, key=_key(name)
    )


def _facility_name(key: str, counts: dict[str, int]) -> str:
    if key == SOMETHING_NEW:
        return t("Something the city does not have yet")
    return t("{facility} ({count} there)", facility=study_words.facility(key), count=i18n.number(counts.get(key, 0)))


def _keep_words(keep: bool) -> str:
    return t("go on serving") if keep else t("are left out of account")


def _ask(
    actor: Actor, territory: TerritoryInfo, question: Question | InvalidInput, title: str, counts: dict[str, int]
) -> None:
    """Put the question in words and the one button."""
    if isinstance(question, InvalidInput):
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
            st.switch_page("views/study.py", query_params={"study": str(study_id)})
    widgets.note(t("It is computed in the background; you may close the page, the answer stands under Studies."))


def _there(
    session: Session, actor: Actor, territory: TerritoryInfo, question: Question | InvalidInput, counts: dict[str, int]
) -> None:
    """Put the map of what is there now."""
    kind = None if isinstance(question, InvalidInput) else question.facility_kind
    places = service.existing_facilities(session, actor, territory, kind or SOMETHING_NEW)
    study_map.show_existing(
        territory, actor, places, name=study_words.facility(kind), island=_island(session, territory.id), height=MAP_PX
    )
    if kind is not None:
        name, count = study_words.facility(kind), counts.get(kind, 0)
        widgets.note(t("{facility}: {count} there now.", facility=name, count=i18n.number(count)))


@st.cache_data(ttl=3600, show_spinner=False)
def _island(_session: Session, territory_id: int) -> bool:
    return surrounded_by_water(_session, territory_id)


show()
