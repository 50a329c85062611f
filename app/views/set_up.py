"""First set-up: the list of eight steps with a tick each, and the step that is open, with its act."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app import (
    guard,
    i18n,
    set_up_access,
    set_up_clear,
    set_up_data,
    set_up_ground,
    set_up_offices,
    set_up_people,
    state,
    widgets,
)
from app import set_up_words as words
from app.i18n import t
from app.set_up_acts import holdings
from app.set_up_model import State, Step, StepKey, done_count, is_ready, next_step, steps_of
from app.set_up_parts import lacks
from app.where import territory_of
from app.widgets import Column, Fact, Html
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.holdings import Holdings
from geodata.territory import TerritoryInfo

Act = Callable[[Actor, TerritoryInfo, Step, Holdings], None]
ACTS: dict[StepKey, Act] = {
    StepKey.TERRITORY: set_up_ground.territory,
    StepKey.COMMUNITIES: set_up_ground.community,
    StepKey.GRIDS: set_up_ground.grids,
    StepKey.UNITS: set_up_offices.show,
    StepKey.PEOPLE: set_up_people.workers,
    StepKey.RULES: set_up_data.rules,
    StepKey.INCIDENTS: set_up_data.incidents,
    StepKey.ACCOUNTS: set_up_access.accounts,
}


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SET_UP)
    with transaction(actor) as session:
        home = territory_of(session, actor)
        held = holdings(session, home)
    steps = steps_of(held)
    widgets.title(t("First set-up"), aside=home.title(i18n.locale()))
    _strip(steps)
    chosen = _chosen(steps)
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        _list(steps, chosen)
    with right:
        told = st.session_state.pop(state.SET_UP_TOLD, "")
        if told:
            widgets.told(told)
        if is_ready(steps):
            _ready()
        _step(actor, home, chosen, held, steps)
    set_up_clear.show(actor, home)


def _strip(steps: Sequence[Step]) -> None:
    done = done_count(steps)
    upcoming = next_step(steps)
    facts = [Fact(t("Done"), t("{done} of {all}", done=done, all=len(steps)))]
    if not is_ready(steps):
        facts.append(
            Fact(t("Next"), words.title(upcoming.key), note=words.state(upcoming.state), href=_address(upcoming.key))
        )
    widgets.facts(facts)


def _chosen(steps: Sequence[Step]) -> Step:
    """Return the step of the address, else the first that is possible and not done."""
    wanted = st.query_params.get("step")
    return next((step for step in steps if step.key.value == wanted), next_step(steps))


def _list(steps: Sequence[Step], chosen: Step) -> None:
    rows = []
    for number, step in enumerate(steps, start=1):
        title = words.title(step.key)
        name = Html(f"<b>{widgets.html(title)}</b>") if step is chosen else widgets.link(title, _address(step.key))
        first = words.lack(step.missing[0]) if step.missing else ""
        note = f'<br><span class="gk-muted gk-small">{widgets.html(first)}</span>' if first else ""
        rows.append(
            (
                Html(f'<span aria-hidden="true">{words.MARKS[step.state]}</span>'),
                number,
                Html(name.text + note),
                widgets.toned(words.state(step.state), words.TONES[step.state]),
            )
        )
    widgets.table([Column(""), Column("", right=True), Column(t("Step")), Column(t("State"), fixed=True)], rows)
    widgets.note(t("The order is advised. You may stop at any time: the list is read from the data."))


def _step(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings, steps: Sequence[Step]) -> None:
    number = [each.key for each in steps].index(step.key) + 1
    widgets.heading(f"{number}  {words.title(step.key)}", aside=words.state(step.state))
    widgets.write(f"<p>{widgets.html(words.purpose(step.key))}</p>")
    if step.state is State.NOT_YET and step.needs is not None:
        widgets.empty(
            t("This is not possible yet."),
            words.lack(step.missing[0]),
            link_label=words.title(step.needs),
            href=_address(step.needs),
        )
        return
    lacks(step)
    ACTS[step.key](actor, home, step, held)


def _ready() -> None:
    widgets.told(
        t("Ready: file the first incident. A dispatcher, supervisor or grid manager does it under New incident."),
        widgets.link(t("New incident"), "/new-incident"),
    )


def _address(key: StepKey) -> str:
    return f"/set-up?step={key.value}"


show()
