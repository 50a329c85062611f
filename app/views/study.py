"""Study: the answer in words with its proof, the sites on the map, who gains, what it rests on, its history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import (
    access_parts,
    guard,
    i18n,
    study_curve,
    study_decide,
    study_fronts,
    study_kind_words,
    study_map,
    study_parts,
    study_places,
    study_report,
    study_scene,
    study_trail,
    study_words,
    study_work,
    widgets,
    words,
)
from app.i18n import t
from app.where import territory_of
from app.widgets import Fact
from core.errors import NotFound
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import deciding, service
from planning.model import Study
from planning.service import StudyDetail

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-study.css"
MAP_PX = 600


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_STUDIES)
    st.html(STYLE)
    given = st.query_params.get("study", "")
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        if not (given.isdecimal() and len(given) < 10):
            _none_chosen()
            return
        try:
            detail = service.study_detail(session, actor, int(given))
        except NotFound:
            _none_chosen()
            return
        study = detail.study
        widgets.title(study_words.title(study), simulated=territory.is_demo, aside=_aside(detail, territory))
        widgets.write(f'<p class="gk-question">{widgets.html(_question(study))}</p>')
        if study.state == "asked":
            _unanswered(actor, detail)
        elif study.state == "infeasible":
            _no_answer(session, actor, territory, detail)
        else:
            _answered(session, actor, territory, detail)
            return
        study_parts.history(detail.history, territory)


def _none_chosen() -> None:
    widgets.title(t("Study"))
    widgets.empty(t("No such study here."), t("Choose one from the list."), link_label=t("Studies"), href="/studies")


def _aside(detail: StudyDetail, territory: TerritoryInfo) -> str:
    study = detail.study
    asked = t(
        "asked by {who}, {when}",
        who=words.doer(study.asked_label),
        when=i18n.clock(study.created_at, territory.timezone),
    )
    return f"{study_words.state(study, detail.job)[0]} · {asked}"


def _question(study: Study) -> str:
    there = int(study.facts.get("existing", 0))
    if study.state != "answered" or study.question.terms.closable:
        return study_words.sentence(study.question)
    if not study.question.keep_existing:
        there = 1
    space = "" if i18n.locale() == "zh" else " "
    return study_words.sentence(study.question) + space + study_words.existing(study.question, there)


def _no_answer(session: Session, actor: Actor, territory: TerritoryInfo, detail: StudyDetail) -> None:
    """Say what binds, and draw those because of whom there is no answer."""
    study, names = detail.study, study_scene.community_names(session, territory.id)
    widgets.empty(*study_words.infeasible(study, names), link_label=t("New study"), href="/new-study")
    if detail.grounds:
        study_map.show_study(
            territory, actor, study, detail.sites, detail.grounds, existing=np.empty((0, 2)), communities=names,
            island=study_scene.island(session, territory.id), height=MAP_PX // 2,
        )  # fmt: skip
        widgets.note(t("Hatched: where they live."))


def _unanswered(actor: Actor, detail: StudyDetail) -> None:
    job = detail.job
    if job is not None and not job.ended:
        study_work.running(detail.study.id, detail.study.question.kind)
        return
    if job is not None and job.state == "failed":
        widgets.wrong(t("This did not work; nothing was changed."), i18n.either(job.message, job.zh))
    else:
        widgets.empty(t("There is no answer yet."), t("The work was cancelled or never began; it can begin again."))
    if actor.may(May.MAKE_STUDIES) and st.button(t("Begin again"), type="primary", key="gk_study_again"):
        with guard.page():
            with transaction(actor, purpose="ask a study") as session:
                service.ask_again(session, actor, detail.study.id)
            st.rerun()


def _answered(session: Session, actor: Actor, territory: TerritoryInfo, detail: StudyDetail) -> None:
    study = detail.study
    names = study_scene.community_names(session, territory.id)
    existing = study_scene.existing(session, actor, territory, study)
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        _answer(study)
        study_parts.go_on(actor, detail)
        study_parts.sites(detail.sites, names)
    with right:
        study_map.show_study(
            territory, actor, study, detail.sites, detail.grounds, existing=existing, communities=names,
            island=study_scene.island(session, territory.id), height=MAP_PX,
        )  # fmt: skip
        widgets.write(study_map.legend(study, detail.sites, detail.grounds))
    decisions = deciding.of_study(session, actor, study.id)
    gains, reach, fronts, places, rests, decision, history = st.tabs(
        [
            *(t("Who gains"), t("How far it is"), t("What is given up"), t("Where it could stand")),
            t("What it rests on"),
            *(t("Decision on sites"), t("History")),
        ],
        key=f"gk_study_tabs_{i18n.locale()}",
        on_change="rerun",
    )
    with gains:
        study_parts.gains(study, names)
        access_parts.of_study(study)
    with reach:
        study_curve.curve(study)
    with rests:
        study_parts.rests_on(study, territory)
        study_trail.of_answer(study)
    with fronts:
        study_fronts.show(session, actor, study)
    with places:
        study_places.show(
            actor, territory, study, island=study_scene.island(session, territory.id), drawn=bool(places.open)
        )
    with decision:
        study_decide.show(actor, study, decisions, territory)
        study_decide.run_again(actor, study)
    with history:
        study_parts.history(detail.history, territory)
    study_report.show(actor, territory, study)


def _answer(study: Study) -> None:
    facts = study.facts
    people = max(float(facts["people"]), 1e-9)
    lines = [each for each in (study_words.before(study), study_kind_words.longer(study)) if each]
    now = "".join(f'<p class="gk-muted">{widgets.html(line)}</p>' for line in lines)
    widgets.write(
        f'<div class="gk-answer"><p class="gk-head-answer">{widgets.html(study_words.headline(study))}</p>'
        f'{now}<p class="gk-proof">{widgets.html(study_words.proof(study))}</p></div>'
    )
    limit = i18n.number(study.question.limit_min, 1)
    there = bool(facts["existing"])
    widgets.facts(
        [
            Fact(
                t("Within {minutes} min", minutes=limit),
                study_words.per_cent(facts["within_then"] / people),
                note=_now(study_words.per_cent(facts["within_now"] / people)) if there else "",
            ),
            Fact(
                t("Mean way"),
                study_words.minutes(facts["mean_s_then"]),
                note=_now(study_words.minutes(facts["mean_s_now"])) if there else "",
            ),
            Fact(t("People left out"), i18n.number(study_words.left_out(study)), note=_unreachable(study)),
            Fact(t("Gap to the best"), study_words.gap(study.gap)),
        ]
    )


def _now(value: str) -> str:
    return t("now {value}", value=value)


def _unreachable(study: Study) -> str:
    count = float(study.facts["unreachable"])
    return t("{count} without any way", count=i18n.number(count)) if count else ""


show()
