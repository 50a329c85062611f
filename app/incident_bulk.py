"""One act on several incidents: what it would do to each, one reason for all, and what came of each."""

from __future__ import annotations

import uuid
from typing import Any

import streamlit as st

from app import bulk, i18n, incident_acts, state, widgets, words
from app.bulk import Outcome
from app.i18n import t
from app.incident_table import Here
from app.widgets import Cell, Column
from core.identity import Actor
from incidents.model import IncidentRow
from incidents.service import many
from incidents.service.many import Many


def results() -> None:
    """Put what came of the last act on several, until it is put away."""
    told: tuple[str, list[Outcome]] | None = st.session_state.get(state.BULK_DONE)
    if told is None:
        return
    act, outcomes = told
    done = sum(each.done for each in outcomes)
    with st.container(key="gk-bulk-done"):
        widgets.told(
            t(
                "{act}: done to {done} of {all}.",
                act=words.lifecycle_act(act),
                done=i18n.number(done),
                all=i18n.number(len(outcomes)),
            )
        )
        widgets.table(
            [Column(t("Number"), fixed=True), Column(t("What")), Column(t("What came of it"))],
            [(_link(each.row), each.row.title(i18n.locale()), _came(each)) for each in outcomes],
        )
        st.button(t("Put away"), key="gk_bulk_away", on_click=_put_away)


def _came(each: Outcome) -> Cell:
    if each.done:
        return widgets.toned(t("now: {status}", status=words.status(each.status)), "good")
    return widgets.toned(i18n.either(each.en, each.zh), "late")


def show(here: Here, rows: list[IncidentRow]) -> None:
    """Put the acts that are open on the ticked rows, what the chosen one would do, and the button that does it."""
    if not rows:
        widgets.note(t("Tick the rows that are to be moved together, or the box in the head for all of this page."))
        return
    chosen = many.look_at(here.session, here.actor, [row.id for row in rows], here.moment)
    open_to = many.acts_for(here.actor, chosen)
    open_to = {act: count for act, count in open_to.items() if act not in incident_acts.WITH_PART}
    with st.container(key="gk-bulk"):
        widgets.heading(i18n.tn("{count} row ticked", "{count} rows ticked", len(chosen.rows)))
        if not open_to:
            widgets.empty(
                t("No act is open to you on any of them."), t("Tick others, or open one to read who acts next.")
            )
            return
        act = st.selectbox(
            t("Act"),
            list(open_to),
            index=None,
            format_func=lambda each: _named(each, open_to[each], len(chosen.rows)),
            placeholder=t("Choose"),
            key=f"{state.BULK_ACT}_{i18n.locale()}",
            width=320,
        )
        if act is not None:
            _prepare(here, chosen, act)


def _named(act: str, count: int, of: int) -> str:
    name = words.lifecycle_act(act)
    return name if count == of else t("{act} ({count} of {of})", act=name, count=count, of=of)


def _prepare(here: Here, chosen: Many, act: str) -> None:
    refused = many.refusals(here.actor, chosen, act)
    fitting = [row for row in chosen.rows if row.id not in refused]
    units = {row.unit_id for row in fitting}
    key = f"gk_bulk_{act}_{i18n.locale()}"
    given = incident_acts.ask(
        here.session,
        here.actor,
        here.territory,
        act,
        key,
        unit_id=units.pop() if len(units) == 1 else None,
    )
    widgets.table(
        [Column(t("Number"), fixed=True), Column(t("What")), Column(t("Status")), Column(t("Would be done"))],
        [
            (_link(row), row.title(i18n.locale()), words.marks(row), _planned(act, refused.get(row.id)))
            for row in chosen.rows
        ],
    )
    st.session_state.setdefault(state.BULK_BATCH, str(uuid.uuid4()))
    st.button(
        i18n.tn("Do it to {count} incident", "Do it to {count} incidents", len(fitting)),
        type="primary",
        key="gk_bulk_go",
        disabled=given is None,
        on_click=_do,
        args=(here.actor, fitting, act, given or {}, key),
    )


def _planned(act: str, refusal: Any) -> Cell:
    if refusal is None:
        return words.lifecycle_act(act)
    return widgets.toned(t("left as it is: {why}", why=i18n.either(refusal.en, refusal.zh)), "late")


def _link(row: IncidentRow) -> Cell:
    return widgets.link(row.number, f"/incidents?incident={row.id}")


def _do(actor: Actor, rows: list[IncidentRow], act: str, given: dict[str, Any], key: str) -> None:
    """Do it; runs before the page is drawn anew. The same button pressed twice is one batch."""
    outcomes = bulk.apply(actor, rows, act, incident_acts.latest(given, key), st.session_state[state.BULK_BATCH])
    st.session_state[state.BULK_DONE] = (act, outcomes)
    st.session_state.pop(state.BULK_BATCH, None)
    st.session_state[state.LIST_ROUND] = st.session_state.get(state.LIST_ROUND, 0) + 1


def _put_away() -> None:
    st.session_state.pop(state.BULK_DONE, None)
