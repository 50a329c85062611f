"""Decision: the sites of a study as they were proposed and signed, what they rest on, and how to check it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, study_decide, study_map, study_parts, study_scene, study_words, widgets
from app.i18n import t
from app.where import territory_of
from core.errors import NotFound
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import deciding, service
from planning.deciding import DecisionDetail
from planning.service import StudyDetail

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-study.css"
MAP_PX = 460


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_STUDIES)
    st.html(STYLE)
    given = st.query_params.get("decision", "")
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        detail = _detail(session, actor, given)
        if detail is None:
            widgets.title(t("Decision on sites"))
            widgets.empty(
                t("No such decision here."), t("Choose one from the list."), link_label=t("Studies"), href="/studies"
            )
            return
        study = detail.study
        widgets.title(
            t("Decision: {title}", title=study_words.title(study)), simulated=territory.is_demo,
            aside=study_decide.state(detail.decision),
        )  # fmt: skip
        question = widgets.html(study_words.sentence(study.question))
        widgets.write(f'<p class="gk-question">{question}</p>')
        whole = service.study_detail(session, actor, study.id)
        _page(session, actor, territory, detail, whole)


def _detail(session: Session, actor: Actor, given: str) -> DecisionDetail | None:
    if not (given.isdecimal() and len(given) < 10):
        return None
    try:
        return deciding.detail(session, actor, int(given))
    except NotFound:
        return None


def _page(session: Session, actor: Actor, territory: TerritoryInfo, detail: DecisionDetail, whole: StudyDetail) -> None:
    study, names = whole.study, study_scene.community_names(session, territory.id)
    existing = study_scene.existing(session, actor, territory, study)
    left, right = st.columns([1, 1.3], gap="medium")
    with left:
        study_decide.banner(detail, territory)
        study_decide.acts(actor, detail.decision)
        widgets.write(
            f"<p><b>{widgets.html(study_words.headline(study))}</b></p>"
            f'<p class="gk-proof">{widgets.html(study_words.proof(study))}</p>'
        )
        study_parts.sites(whole.sites, names)
        widgets.write(f"<p>{widgets.link(t('Open the study'), f'/study?study={study.id}').text}</p>")
    with right:
        study_map.show_study(
            territory, actor, study, whole.sites, whole.grounds, existing=existing, communities=names,
            island=study_scene.island(session, territory.id), height=MAP_PX,
        )  # fmt: skip
        widgets.write(study_map.legend(study, whole.sites, whole.grounds))
    study_decide.aside(detail, study)
    widgets.heading(t("What it rests on"))
    study_parts.rests_on(study, territory)
    study_decide.proof(actor, detail, territory)
    study_decide.run_again(actor, study)


show()
