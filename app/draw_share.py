"""Draw & balance: composing a workload, sharing it out, the staffing curve, and what each grid is loaded with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import draw_words, i18n, state, widgets
from app.draw_desk import Desk, act_on
from app.i18n import t, tn
from app.widgets import Column
from core.errors import GridkeeperError
from grids import background, drafting, rebalancing
from grids.balance import AreaLoad
from grids.rebalancing import Measured
from layers.style import LIGHT
from layers.values import categories_of

AREAS_SHOWN = 12
CURVE_POINTS = 8
WIDE, HIGH, LEFT, BOTTOM = 420, 190, 44, 34


@st.cache_data(ttl=900, show_spinner=False, max_entries=6)
def _measured(
    _session: Session, _desk: Desk, change_id: int, key: tuple[int, int], scope: str, categories: tuple[str, ...]
) -> Measured:
    del key, scope
    return rebalancing.measured(_session, _desk.actor, _desk.territory, change_id, categories)


def measured(session: Session, desk: Desk) -> Measured:
    """Return the numbers of the cells, kept until a cell gets another ground."""
    key = drafting.ground_key(session, desk.actor, desk.change.id)
    chosen = tuple(st.session_state.get(f"gk_draw_classes_{i18n.locale()}") or ())
    return _measured(session, desk, desk.change.id, key, desk.actor.scope_key, chosen)


@st.cache_data(ttl=900, show_spinner=False, max_entries=12)
def _areas(_session: Session, _desk: Desk, change_id: int, version: int, scope: str) -> np.ndarray:
    del version, scope
    return rebalancing.areas_of(_session, _desk.actor, change_id)


def areas(session: Session, desk: Desk) -> np.ndarray:
    """Return the responsibility grid of each cell by its id, kept until the draft is changed."""
    return _areas(session, desk, desk.change.id, desk.change.version, desk.actor.scope_key)


def others(session: Session, desk: Desk, chosen: Sequence[int]) -> list[str]:
    """Return the responsibility grids that cells can be given to: not the one that has all of them already."""
    ids, now = measured(session, desk).ids, areas(session, desk)
    theirs = {str(each) for each in now[np.isin(ids, list(chosen))]} if len(ids) == len(now) else set()
    return sorted({str(each) for each in now} - {""} - (theirs if len(theirs) == 1 else set()))


def weights_now() -> dict[str, float]:
    """Return the workload as composed now."""
    locale = i18n.locale()
    every = {
        key: float(st.session_state.get(f"gk_draw_w_{key}_{locale}", rebalancing.DEFAULT.get(key, 0.0)))
        for key in draw_words.measures()
    }
    return {key: weight for key, weight in every.items() if weight > 0}


def share(session: Session, desk: Desk) -> None:
    """Put the tab that shares cells out."""
    least = max(len(desk.change.area_ids), 1)
    _compose(session, desk)
    respect = st.checkbox(t("No responsibility grid crosses a community line"), value=True, key="gk_draw_respect")
    today = st.checkbox(t("Begin with those of today and move few cells"), key="gk_draw_today")
    k, cost = least * 2, 1.0
    if today:
        cost = st.slider(
            t("What a moved cell costs"), 0.0, 10.0, 1.0, 0.5, key=f"gk_draw_cost_{i18n.locale()}",
            help=t("The dearer, the fewer cells change their grid, and the less even the loads."),
        )  # fmt: skip
    else:
        k = st.number_input(t("Responsibility grids"), least, 5_000, least * 2, key=f"gk_draw_k_{desk.change.id}")
    weights = weights_now()
    if st.button(t("Share out"), type="primary", key="gk_draw_share"):
        chosen = tuple(st.session_state.get(f"gk_draw_classes_{i18n.locale()}") or ())

        def go(inner: Session) -> str:
            if background.is_large(inner, desk.actor, desk.territory, desk.change):
                asked = {"k": int(k), "weights": weights, "respect": respect, "from_today": today, "change_cost": cost,
                         "categories": list(chosen)}  # fmt: skip
                background.ask(inner, desk.actor, desk.change.id, background.SHARE, asked)
                return ""
            _, found = rebalancing.balance_draft(
                inner, desk.actor, desk.territory, desk.change.id,
                k=int(k), weights=weights, respect=respect, from_today=today, change_cost=cost, categories=chosen,
            )  # fmt: skip
            told = t(
                "{count} responsibility grids; the heaviest has {ratio} times the mean load.",
                count=i18n.number(len(found.load)),
                ratio=i18n.number(found.max_over_mean, 3),
            )
            moved = tn("{count} cell changed its grid.", "{count} cells changed their grid.", found.changed)
            return f"{told} {moved}" if today else told

        act_on(desk, go)
    if not weights:
        widgets.note(t("Give at least one part of the workload a weight."))
        return
    try:
        _loads(session, desk, weights)
        _curve(session, desk, weights, respect=respect, least=least, most=max(int(k), least + 1))
    except GridkeeperError as error:
        widgets.known_error(error)


def _compose(session: Session, desk: Desk) -> None:
    locale = i18n.locale()
    columns = st.columns(2)
    for at, (key, name) in enumerate(draw_words.measures().items()):
        with columns[at % 2]:
            st.slider(name, 0.0, 1.0, rebalancing.DEFAULT.get(key, 0.0), 0.1, key=f"gk_draw_w_{key}_{locale}")
    known = categories_of(session, desk.territory.id)
    titles = {key: chinese if locale == "zh" else english for key, (english, chinese) in known.items()}
    st.multiselect(
        t("Incidents of which categories"), list(titles), format_func=titles.__getitem__, placeholder=t("All"),
        key=f"gk_draw_classes_{locale}",
    )  # fmt: skip


def _loads(session: Session, desk: Desk, weights: Mapping[str, float]) -> None:
    told = rebalancing.loads_of(measured(session, desk), areas(session, desk), weights)
    if not told:
        return
    names = draw_words.measures()
    widgets.heading(t("Load"), aside=t("the heaviest first"))
    widgets.table(
        [Column(t("Responsibility grid")), Column(t("Cells"), right=True), Column(t("By the mean"), right=True),
         Column(t("Made of"), wide=True)],
        [
            (code, i18n.number(each.cells), i18n.number(each.over_mean, 2), _made_of(each, names))
            for code, each in told[:AREAS_SHOWN]
        ],
    )  # fmt: skip
    if len(told) > AREAS_SHOWN:
        rest = len(told) - AREAS_SHOWN
        lightest = i18n.number(told[-1][1].over_mean, 2)
        widgets.note(
            tn(
                "and {count} lighter one; the lightest has {ratio}.",
                "and {count} lighter ones; the lightest has {ratio}.",
                rest,
                ratio=lightest,
            )
        )


def _made_of(each: AreaLoad, names: Mapping[str, str]) -> str:
    return ", ".join(
        f"{names[name]} {i18n.number(100 * part / each.load) if each.load else 0} %"
        for name, part in each.parts.items()
    )


def preview(session: Session, desk: Desk, chosen: Sequence[int], area: str) -> None:
    """Put the loads of the grids concerned as they are and as they would be with the chosen cells given away."""
    weights = weights_now()
    if not weights or not area:
        return
    found = measured(session, desk)
    now = areas(session, desk)
    mine = np.isin(found.ids, list(chosen))
    then = np.where(mine, area, now)
    before = dict(rebalancing.loads_of(found, now, weights))
    after = dict(rebalancing.loads_of(found, then, weights))
    concerned = [area, *sorted({str(each) for each in now[mine]} - {area, ""})]
    widgets.table(
        [Column(t("Responsibility grid")), Column(t("Cells"), right=True), Column(t("Load now"), right=True),
         Column(t("Load then"), right=True)],
        [
            (
                code,
                i18n.number(after[code].cells if code in after else 0),
                i18n.number(before[code].over_mean, 3) if code in before else "–",
                i18n.number(after[code].over_mean, 3) if code in after else "–",
            )
            for code in concerned
        ],
    )  # fmt: skip
    widgets.note(t("Loads by the mean; what they are made of is said under Share out."))


def _curve(session: Session, desk: Desk, weights: Mapping[str, float], *, respect: bool, least: int, most: int) -> None:
    first = least if respect else 1
    widgets.heading(t("How many would be enough"))
    up_to = st.number_input(
        t("Up to how many"), first + 1, 500, min(max(2 * most, first + 4), 500), key=f"gk_draw_upto_{desk.change.id}"
    )
    if st.button(t("Show the staffing curve"), key="gk_draw_curve"):
        spread = np.linspace(first, int(up_to), CURVE_POINTS)
        numbers = [int(each) for each in np.unique(np.round(spread))]
        with st.spinner(t("Sharing out for each number …")):
            st.session_state[state.DRAW_CURVE] = (
                desk.change.id,
                rebalancing.staffing(
                    session, desk.actor, desk.change.id, measured(session, desk), desk.territory,
                    numbers=numbers, weights=weights, respect=respect,
                ),
            )  # fmt: skip
    kept = st.session_state.get(state.DRAW_CURVE)
    if not kept or kept[0] != desk.change.id:
        return
    points = kept[1]
    whole = points[0]["mean"] * points[0]["k"] or 1.0
    words = t("The heaviest load, in per cent of the whole, by the number of responsibility grids")
    source = f"data:image/svg+xml,{quote(_svg([(each['k'], each['max'] / whole) for each in points]))}"
    widgets.write(f'<p class="gk-muted">{escape(words)}</p><img class="gk-curve" alt="{escape(words)}" src="{source}">')
    widgets.table(
        [Column(t("Responsibility grids"), right=True), Column(t("Share of each"), right=True),
         Column(t("Heaviest by the mean"), right=True), Column(t("Inner borders, km"), right=True)],
        [
            (
                i18n.number(each["k"]),
                f"{i18n.number(100 * each['mean'] / whole, 2)} %",
                i18n.number(each["max_over_mean"], 3),
                i18n.number(each["cut"] / 1e3, 1),
            )
            for each in points
        ],
    )  # fmt: skip


def _svg(points: Sequence[tuple[int, float]]) -> str:
    """Return the curve: number of grids to the right, share of the heaviest upwards."""
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)
    top = max(share for _, share in points) or 1.0

    def x(k: float) -> float:
        return LEFT + (WIDE - LEFT - 14) * (k - first) / (last - first)

    def y(share: float) -> float:
        return 10 + (HIGH - BOTTOM - 10) * (1 - share / top)

    digits = 0 if top > 0.1 else 1
    rows = "".join(
        f'<path d="M{LEFT} {y(top * part):.1f}H{WIDE - 14}" stroke="{LIGHT.line}"/>'
        f'<text x="{LEFT - 6}" y="{y(top * part) + 4:.1f}" text-anchor="end">'
        f"{100 * top * part:.{digits}f} %</text>"
        for part in (0, 0.5, 1)
    )
    ticks = "".join(
        f'<text x="{x(k):.1f}" y="{HIGH - 14}" text-anchor="middle">{k}</text>'
        f'<circle cx="{x(k):.1f}" cy="{y(share):.1f}" r="3.5" fill="{LIGHT.primary}"/>'
        for k, share in points
    )
    line = " ".join(f"{x(k):.1f},{y(share):.1f}" for k, share in points)
    ideal = " ".join(f"{x(k):.1f},{y(1 / k):.1f}" for k, _ in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="12"'
        f' fill="{LIGHT.muted}">{rows}<polyline points="{ideal}" fill="none" stroke="{LIGHT.closed}"'
        f' stroke-dasharray="3 4"/><polyline points="{line}" fill="none" stroke="{LIGHT.primary}" stroke-width="2"/>'
        f"{ticks}</svg>"
    )
