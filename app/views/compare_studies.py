"""Compare studies: two answers side by side, what differs in words, who gains and who loses."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, study_map, study_scene, study_versus, study_words, study_work, widgets
from app.i18n import t
from app.where import territory_of
from app.widgets import Column, Fact
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from planning import service
from planning.model import Study
from planning.service import StudyDetail

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-study.css"
MAP_PX = 420
MAP_WIDE_PX = 600
ROWS = 12


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_STUDIES)
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        found = [study_scene.detail_of(session, actor, st.query_params.get(name, "")) for name in ("a", "b")]
        widgets.title(t("Compare studies"), simulated=territory.is_demo)
        one, two = found
        if one is None or two is None:
            known = [study for study, _ in service.list_studies(session, actor, territory) if study.state == "answered"]
            _choose(known)
            return
        names = study_scene.community_names(session, territory.id)
        waiting = next((each for each in (one, two) if each.study.state == "asked"), None)
        if waiting is not None:
            _wait(waiting)
            return
        _verdict(one, two, names)
        for column, detail in zip(st.columns(2, gap="medium"), (one, two), strict=True):
            with column:
                _side(session, actor, territory, detail, names, plan=bool(two.study.question.terms.by_hand))
        if one.study.state == two.study.state == "answered":
            _who(one.study, two.study, names)


def _choose(known: list[Study]) -> None:
    """Put two lists to choose from, where two studies are answered."""
    if len(known) < 2:
        widgets.empty(
            t("There are no two answered studies."), t("Ask a question, then ask it differently."),
            link_label=t("Studies"), href="/studies",
        )  # fmt: skip
        return
    titles = {study.id: f"{study.id} · {study_words.title(study)}" for study in known}
    left, right = st.columns(2)
    one = left.selectbox(t("Left"), list(titles), index=1, format_func=titles.__getitem__, key="gk_compare_a")
    two = right.selectbox(t("Right"), list(titles), index=0, format_func=titles.__getitem__, key="gk_compare_b")
    if st.button(t("Compare"), type="primary", key="gk_compare"):
        st.query_params.update({"a": str(one), "b": str(two)})
        st.rerun()


def _wait(detail: StudyDetail) -> None:
    if detail.job is not None and not detail.job.ended:
        study_work.running(detail.study.id, detail.study.question.kind)
        return
    address = f"/study?study={detail.study.id}"
    widgets.empty(
        t("There is no answer yet."), t("Its work was cancelled or failed."), link_label=t("Open the study"),
        href=address,
    )  # fmt: skip


def _verdict(left: StudyDetail, right: StudyDetail, names: dict[int, str]) -> None:
    """Say in words how the second stands against the first."""
    one, two = left.study, right.study
    if two.state != "answered" or one.state != "answered":
        return
    if one.question == two.question:
        lines = study_versus.again(left, right)
    elif two.question.terms.by_hand:
        lines = study_versus.by_hand(two, names)
    elif study_versus.comparable(one, two):
        lines = study_versus.other(one, two)
    else:
        lines = [t("They ask different questions; compare what they mean for people below.")]
    first, *rest = (widgets.html(line) for line in lines)
    more = "".join(f'<p class="gk-proof">{line}</p>' for line in rest)
    widgets.write(f'<div class="gk-answer gk-verdict"><p class="gk-head-answer">{first}</p>{more}</div>')


def _side(
    session: Session, actor: Actor, territory: TerritoryInfo, detail: StudyDetail, names: dict[int, str], *, plan: bool
) -> None:
    study = detail.study
    heading = study_words.title(study)
    if plan and not study.question.terms.by_hand:
        heading = t("The machine: {title}", title=heading)
    widgets.write(f"<h2>{widgets.link(heading, f'/study?study={study.id}').text}</h2>")
    if study.state == "infeasible":
        widgets.empty(*study_words.infeasible(study, names))
    else:
        widgets.write(f"<p><b>{widgets.html(study_words.headline(study))}</b></p>")
        people = max(float(study.facts["people"]), 1e-9)
        widgets.facts(
            [
                Fact(
                    t("Within {minutes} min", minutes=i18n.number(study.question.limit_min, 1)),
                    study_words.per_cent(study.facts["within_then"] / people),
                ),
                Fact(t("Mean way"), study_words.minutes(study.facts["mean_s_then"])),
                Fact(t("People left out"), i18n.number(study_words.left_out(study))),
                Fact(t("Gap to the best"), study_words.gap(study.gap)),
            ]
        )
    existing = study_scene.existing(session, actor, territory, study)
    if detail.grounds:
        study_map.show_study(
            territory, actor, study, detail.sites, detail.grounds, existing=existing, communities=names,
            island=study_scene.island(session, territory.id), height=MAP_PX, width=MAP_WIDE_PX,
        )  # fmt: skip
        widgets.write(study_map.legend(study, detail.sites, detail.grounds))


def _who(one: Study, two: Study, names: dict[int, str]) -> None:
    """Put the communities whose people in time differ most."""
    left = {row["id"]: row for row in one.facts["communities"]}
    rows = [(row["within_then"] - left[row["id"]]["within_then"], left[row["id"]], row)
            for row in two.facts["communities"] if row["id"] in left]  # fmt: skip
    rows.sort(key=lambda each: (-abs(each[0]), each[2]["id"]))
    shown = [each for each in rows if abs(each[0]) >= 1][:ROWS]
    widgets.heading(t("Who gains and who loses"))
    if not shown:
        widgets.note(t("In no community does the number of people in time differ."))
        return
    widgets.table(
        [
            Column(t("Community")),
            Column(t("People"), right=True),
            Column(t("In time, left"), right=True),
            Column(t("In time, right"), right=True),
            Column(t("Difference"), right=True),
        ],
        [
            (
                names.get(row["id"], str(row["id"])),
                i18n.number(row["people"]),
                i18n.number(before["within_then"]),
                i18n.number(row["within_then"]),
                widgets.toned(("+" if more > 0 else "−") + i18n.number(abs(more)), "good" if more > 0 else "late"),
            )
            for more, before, row in shown
        ],
    )


show()
