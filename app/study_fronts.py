"""What is given up for what: the fronts of a study, a point of which becomes a study of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, study_words, widgets
from app.i18n import t, tn
from app.widgets import Column
from core.identity import Actor, May
from geodata.db import transaction
from layers.style import LIGHT
from planning import fronting
from planning.model import Study

WIDE, HIGH = 860, 300
LEFT, RIGHT, TOP, BOTTOM = 72, 24, 16, 48
MARGIN = 0.08
LABEL_PX = 64
REFRESH_S = 1.5
Front = Mapping[str, Any]
Point = Mapping[str, Any]


def show(session: Session, actor: Actor, study: Study) -> None:
    """Put the fronts of a study, or the button that asks for them."""
    found = fronting.read(session, actor, study.id)
    job = fronting.job_of(session, actor, study.id)
    if job is not None and not job.ended:
        running(study.id)
        return
    if found is None or found.state != "answered":
        widgets.note(
            t(
                "Which plans are there between the shortest mean way and the fairest one,"
                " and what does one more site bring?"
            )
        )
        if study.question.terms.closable:
            widgets.note(t("Fronts are computed where what is there stays."))
        elif actor.may(May.MAKE_STUDIES) and st.button(t("Compute the fronts"), key="gk_fronts_ask"):
            with guard.page():
                with transaction(actor, purpose="ask for fronts") as fresh:
                    fronting.ask(fresh, actor, study.id)
                st.rerun()
        return
    if not found.fronts:
        widgets.empty(t("There is only one plan."), t("Nothing can be given up for anything here."))
        return
    for number, front in enumerate(found.fronts):
        _front(actor, study, number, front)


@st.fragment(run_every=REFRESH_S)
def running(study_id: int) -> None:
    """Put how far the fronts are; the page runs anew when they are there."""
    with guard.page():
        actor = guard.current_actor()
        with transaction(actor) as session:
            job = fronting.job_of(session, actor, study_id)
        if job is None or job.ended:
            st.rerun()
        done = min(job.done / job.total, 1.0) if job.total else 0.0
        st.progress(done, text=study_words.step(job.step) if job.step else t("Waiting to begin"))


def _front(actor: Actor, study: Study, number: int, front: Front) -> None:
    widgets.heading(_title(front))
    told = _told(study, front)
    source = f"data:image/svg+xml,{quote(svg(front))}"
    widgets.write(f'<img class="gk-curve" alt="{escape(told)}" src="{source}"><p>{escape(told)}</p>')
    points: Sequence[Point] = front["points"]
    widgets.table(
        [
            Column("", fixed=True), Column(t("Sites"), right=True), Column(t("Mean way"), right=True),
            Column(t("Longest way"), right=True), Column(t("In time"), right=True), Column(t("Gini"), right=True),
            Column(t("Cannot be better than"), right=True),
        ],
        [
            (
                str(at), str(len(point["places"])), study_words.minutes(point["mean_s"]),
                study_words.minutes(point["farthest_s"]),
                "–" if point["within"] is None else study_words.per_cent(point["within"] / max(front["people"], 1e-9)),
                i18n.number(point["gini"], 3), _value(front, point["bound"]),
            )
            for at, point in enumerate(points, 1)
        ],
    )  # fmt: skip
    if not actor.may(May.MAKE_STUDIES):
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("Plan"), range(len(points)), format_func=lambda at: t("Plan {number}", number=at + 1),
            key=f"gk_front_{study.id}_{number}", width=180,
        )  # fmt: skip
        if st.button(t("Make this plan a study"), key=f"gk_front_take_{number}"):
            with guard.page():
                with transaction(actor, purpose="ask a study") as session:
                    fresh = fronting.choose(session, actor, study.id, number, int(chosen or 0))
                st.switch_page("views/compare_studies.py", query_params={"a": str(study.id), "b": str(fresh)})


def _title(front: Front) -> str:
    if front["trade"] == "efficiency-equity":
        return t("Short for all, or not too long for anybody")
    return t("What money buys") if front["priced"] else t("What one more site brings")


def _told(study: Study, front: Front) -> str:
    """Return the ends of a front in a sentence."""
    first, last = front["points"][0], front["points"][-1]
    if front["trade"] == "efficiency-equity":
        if len(front["points"]) == 1:
            return t("One plan is best in both: nothing has to be given up.")
        return t(
            "The longest way can be cut from {far} to {near}; then the mean way is {slow} instead of {fast}.",
            far=study_words.minutes(last["x"]), near=study_words.minutes(first["x"]),
            slow=study_words.minutes(first["y"]), fast=study_words.minutes(last["y"]),
        )  # fmt: skip
    people = max(float(front["people"]), 1e-9)
    said = {
        "low": study_words.per_cent(first["y"] / people),
        "high": study_words.per_cent(last["y"] / people),
        "minutes": i18n.number(study.question.limit_min, 1),
    }
    if front["priced"]:
        return t(
            "{low} of the people are within {minutes} min for {less}, {high} for {more}.",
            less=i18n.number(first["x"]), more=i18n.number(last["x"]), **said,
        )  # fmt: skip
    return tn(
        "{low} of the people are within {minutes} min with {less}, {high} with one site.",
        "{low} of the people are within {minutes} min with {less}, {high} with {count} sites.",
        round(last["x"]), less=i18n.number(first["x"]), **said,
    )  # fmt: skip


def _value(front: Front, value: float) -> str:
    if front["trade"] == "efficiency-equity":
        return study_words.minutes(value, 2)
    return study_words.per_cent(value / max(float(front["people"]), 1e-9))


def svg(front: Front) -> str:
    """Return the picture of a front: a numbered dot for each plan, the bound as a dash above or below it."""
    points: Sequence[Point] = front["points"]
    across = [float(point["x"]) for point in points]
    up = [float(value) for point in points for value in (point["y"], point["bound"])]
    low_x, high_x, low_y, high_y = (*_span(across), *_span(up))

    def x(value: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * (value - low_x) / (high_x - low_x)

    def y(value: float) -> float:
        return TOP + (HIGH - TOP - BOTTOM) * (1 - (value - low_y) / (high_y - low_y))

    rows = "".join(
        f'<path d="M{LEFT} {y(value):.1f}H{WIDE - RIGHT}" stroke="{LIGHT.line}"/>'
        f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{escape(_value(front, value))}</text>'
        for value in (low_y + (high_y - low_y) * step / 4 for step in range(5))
    )
    labelled: set[int] = set()
    last = -np.inf
    for at, each in enumerate(points, 1):
        if x(each["x"]) - last >= LABEL_PX:
            labelled.add(at)
            last = x(each["x"])
    line = " ".join(f"{x(each['x']):.1f},{y(each['y']):.1f}" for each in points)
    marks = "".join(
        f'<path d="M{x(each["x"]) - 9:.1f} {y(each["bound"]):.1f}h18" stroke="{LIGHT.muted}" stroke-width="2"/>'
        f'<circle cx="{x(each["x"]):.1f}" cy="{y(each["y"]):.1f}" r="10" fill="{LIGHT.primary}"/>'
        f'<text x="{x(each["x"]):.1f}" y="{y(each["y"]) + 4:.1f}" text-anchor="middle" fill="{LIGHT.surface}"'
        f' font-weight="600">{at}</text>'
        f'<text x="{x(each["x"]):.1f}" y="{HIGH - BOTTOM + 18}" text-anchor="middle">'
        f"{escape(_across(front, each['x'])) if at in labelled else ''}</text>"
        for at, each in enumerate(points, 1)
    )
    name = {"efficiency-equity": t("longest way of anybody")}.get(
        str(front["trade"]), t("cost") if front["priced"] else t("number of sites")
    )
    side = t("mean way") if front["trade"] == "efficiency-equity" else t("people in time")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}"'
        f' font-family="sans-serif" font-size="12" fill="{LIGHT.muted}">{rows}'
        f'<polyline points="{line}" fill="none" stroke="{LIGHT.primary}" stroke-width="2" opacity=".5"/>{marks}'
        f'<text x="{WIDE - RIGHT}" y="{HIGH - 8}" text-anchor="end">{escape(name)}</text>'
        f'<text x="{LEFT + 8}" y="{TOP + 4}">{escape(side)}</text></svg>'
    )


def _across(front: Front, value: float) -> str:
    return study_words.minutes(value) if front["trade"] == "efficiency-equity" else i18n.number(value)


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    spare = max((high - low) * MARGIN, abs(high) * 1e-3, 1e-9)
    return low - spare, high + spare
