"""Beat the machine, or ask what if: places marked on the map become a plan that is weighed, or a new question."""

from __future__ import annotations

import shapely
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, study_map, study_scene, study_words, widgets
from app.i18n import t, tn
from app.where import territory_of
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import service
from planning.kinds import INFO
from planning.service import StudyDetail
from planning.terms import PLACES_AT_MOST, Place

MAP_PX = 600
HAND, WHAT_IF, CLOSE = "hand", "what_if", "close"


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.MAKE_STUDIES)
    given = st.query_params.get("study", "")
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        detail = study_scene.detail_of(session, actor, given)
        if detail is None or detail.study.state == "asked":
            widgets.title(t("Beat the machine"))
            widgets.empty(
                t("No answered study here."), t("Choose one from the list."), link_label=t("Studies"), href="/studies"
            )
            return
        study = detail.study
        widgets.title(t("Beat the machine"), simulated=territory.is_demo, aside=study_words.title(study))
        widgets.write(f'<p class="gk-question">{widgets.html(study_words.sentence(study.question))}</p>')
        left, right = st.columns([1, 1.6], gap="medium")
        with left:
            way = st.segmented_control(
                t("What will you do"),
                [HAND, WHAT_IF, CLOSE],
                default=HAND,
                format_func=_way,
                required=True,
                key=f"gk_try_way_{i18n.locale()}",
            )
            marked = _marked(study.id, streets=way == CLOSE)
            struck = _struck(detail) if way == WHAT_IF else []
            streets = _streets(session, actor, territory, marked) if way == CLOSE else []
            _list(marked, study.id, [name for name, _ in streets] if way == CLOSE else None)
            _ask(actor, detail, str(way), marked, struck)
        with right:
            lines = [line for _, line in streets] if way == CLOSE else None
            _map(session, actor, territory, detail, marked, struck, lines)


def _way(way: str) -> str:
    return {
        HAND: t("Place the sites yourself"),
        WHAT_IF: t("Ask what if"),
        CLOSE: t("Close a street"),
    }[way]


def _marked(study_id: int, *, streets: bool) -> list[Place]:
    """Return the places or streets marked for this study; another study begins anew."""
    kept: tuple[tuple[int, bool], list[Place]] = st.session_state.get(state.STUDY_TRIAL, ((0, False), []))
    if kept[0] != (study_id, streets):
        kept = ((study_id, streets), [])
        st.session_state[state.STUDY_TRIAL] = kept
    return kept[1]


def _struck(detail: StudyDetail) -> list[Place]:
    """Ask which of the machine's sites are struck out."""
    gone = []
    for site in detail.sites:
        label = t("Not here: site {number}, {place}", number=site.number, place=study_words.place(site, {}))
        if st.checkbox(widgets.plain(label), key=f"gk_try_not_{detail.study.id}_{site.number}"):
            gone.append((site.lon, site.lat))
    return gone


def _streets(
    session: Session, actor: Actor, territory: TerritoryInfo, marked: list[Place]
) -> list[tuple[str, shapely.Geometry]]:
    """Return name and line of the street at each marked place."""
    found = [service.street_at(session, actor, territory, place) for place in marked]
    return [(i18n.either(each[0], each[1]) or t("a road without a name"), each[2]) for each in found if each]


def _list(marked: list[Place], study_id: int, streets: list[str] | None) -> None:
    """Put the marked places or streets, each with a way to take it off."""
    if not marked:
        hint = t("Click on the map where a site should stand.")
        widgets.note(hint if streets is None else t("Click on the street that is to be closed."))
        return
    for number, (lon, lat) in enumerate(marked, 1):
        with st.container(horizontal=True, vertical_alignment="center"):
            told = f"{lat:.5f}, {lon:.5f}" if streets is None else widgets.plain(streets[number - 1])
            st.markdown(f"**{number}** {told}")
            if st.button(t("Take off"), key=f"gk_try_off_{study_id}_{number}"):
                marked.pop(number - 1)
                st.rerun()


def _ask(actor: Actor, detail: StudyDetail, way: str, marked: list[Place], struck: list[Place]) -> None:
    """Put what is still to do, and the one button."""
    question = detail.study.question
    wanted = question.p if INFO[question.kind].needs_p else 0
    ready = bool(marked or struck)
    if way == HAND:
        missing = wanted - len(marked)
        if missing > 0 and wanted:
            widgets.note(tn("One more place to mark.", "{count} more places to mark.", missing))
        if missing < 0 and wanted:
            widgets.note(t("The question asks for {count}: take some off.", count=i18n.number(wanted)))
        ready = bool(marked) and (missing == 0 or not wanted)
    elif way == CLOSE:
        widgets.note(t("Nobody can use these stretches; the same question is asked of the streets that are left."))
    else:
        widgets.note(t("The places you mark are compared too; the machine takes them only where they are better."))
    label = t("Weigh my plan") if way == HAND else t("Ask again")
    if st.button(label, type="primary", disabled=not ready, key="gk_try_ask"):
        with guard.page():
            with transaction(actor, purpose="ask a study") as session:
                study_id = service.ask_anew(
                    session,
                    actor,
                    detail.study.id,
                    by_hand=marked if way == HAND else (),
                    also=marked if way == WHAT_IF else (),
                    forbidden=struck,
                    closed=marked if way == CLOSE else (),
                )
            st.session_state.pop(state.STUDY_TRIAL, None)
            st.switch_page("views/compare_studies.py", query_params={"a": str(detail.study.id), "b": str(study_id)})
    if way == HAND:
        widgets.note(
            t("Your plan is counted as the machine's is, then told against the best and against what no plan can beat.")
        )


def _map(  # noqa: PLR0917  (the page, part by part)
    session: Session, actor: Actor, territory: TerritoryInfo, detail: StudyDetail, marked: list[Place],
    struck: list[Place], streets: list[shapely.Geometry] | None,
) -> None:  # fmt: skip
    existing = study_scene.existing(session, actor, territory, detail.study)
    place = study_map.show_trial(
        territory, actor, detail.study, marked if streets is None else [], struck, streets=streets or (),
        grounds=detail.grounds, existing=existing, island=study_scene.island(session, territory.id), height=MAP_PX,
    )  # fmt: skip
    last = st.session_state.get(state.STUDY_TRIAL_CLICK)
    if place is not None and last != (detail.study.id, place):
        st.session_state[state.STUDY_TRIAL_CLICK] = (detail.study.id, place)
        if len(marked) < PLACES_AT_MOST:
            marked.append(place)
        st.rerun()


show()
