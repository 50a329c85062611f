"""The step of the people: grid workers from a list of names, each with a grid and shifts."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, set_up_parts, widgets
from app.i18n import t, tn
from app.set_up_acts import acting
from app.set_up_crew import PLANS, Post, posts_of, read_people, turn
from app.set_up_model import HANDLES, State, Step
from app.widgets import Column
from core.clock import now
from core.errors import DataQuality
from core.identity import Actor
from geodata.db import transaction
from geodata.holdings import Holdings
from geodata.territory import TerritoryInfo
from grids.service import responsibilities
from people import rostering, staff, units
from people.unit_model import UnitRecord
from people.worker_model import GridRef, WorkerFields
from people.workers import add_worker

SHOWN = 40


def workers(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put how many workers there are, and the list of names that makes more."""
    if held.workers:
        widgets.fields(
            {
                t("Workers"): widgets.link(i18n.number(held.workers), "/workers"),
                t("Responsibility grids without one"): i18n.number(held.without_worker),
            },
            beside=True,
        )
    roster = widgets.link(t("All about the roster"), "/roster").text
    everything = widgets.link(t("All about workers"), "/workers").text
    widgets.write(f"<p>{everything} · {roster}</p>")
    with transaction(actor) as session:
        offices = [each for each in units.tree(session, actor, home.id, on=_today(home)) if each.spec.kind in HANDLES]
        grids = _by_need(session, actor, home)
        codes = [row.code for row in staff.list_staff(session, actor, home.id, today=_today(home))]
    if not offices:
        widgets.empty(t("Workers belong to a unit that handles incidents."), t("Make one first."))
        return
    enough = step.state is State.DONE and not held.without_worker
    with st.expander(t("More workers")) if enough else st.container():
        _new_workers(actor, home, offices, grids, codes, is_first=not held.workers)


def _new_workers(
    actor: Actor,
    home: TerritoryInfo,
    offices: Sequence[UnitRecord],
    grids: Sequence[GridRef],
    codes: Sequence[str],
    *,
    is_first: bool,
) -> None:
    typed = st.text_area(
        t("Names, one a line; after a comma the phone if you have it"),
        key=set_up_parts.key("names"),
        height=150,
        placeholder="Li Wei, 13800000001",
    )
    unit_column, shift_column, since_column = st.columns(3)
    streets = [each.spec.kind == "street_office" for each in offices]
    unit = unit_column.selectbox(
        t("Unit"),
        offices,
        index=streets.index(True) if any(streets) else 0,
        format_func=lambda each: i18n.either(each.spec.name, each.spec.name_zh),
        key="gk_set_up_unit",
    )
    plans = {"round": t("day and night, in turn"), "day": t("by day, Monday to Friday")}
    plan = shift_column.selectbox(t("Shifts"), list(plans), format_func=plans.__getitem__, key="gk_set_up_plan")
    since = since_column.date_input(
        t("Working here since"), _today(home) - dt.timedelta(days=1), max_value=_today(home), key="gk_set_up_since"
    )
    try:
        posts = posts_of(read_people(typed or ""), codes, [grid.id for grid in grids])
    except DataQuality as error:
        set_up_parts.faults(error)
        return
    _preview(posts, grids)
    label = t("Enter these workers")
    if not set_up_parts.act(label, name="workers", disabled=not posts, primary=is_first):
        return
    with guard.page():
        with transaction(acting(actor), purpose="set up: workers") as session:
            enter(session, acting(actor), home, posts, unit_id=unit.id, plan=plan, since=since)
        set_up_parts.go_on(tn("{count} worker was entered.", "{count} workers were entered.", len(posts)))


def _preview(posts: Sequence[Post], grids: Sequence[GridRef]) -> None:
    if not posts:
        widgets.note(
            t("Names are kept sealed. Staff numbers, grids and shifts are proposed here before anything is kept.")
        )
        return
    names = {grid.id: f"{grid.code} {i18n.either(grid.name, grid.name_zh)}" for grid in grids}
    widgets.table(
        [Column(t("Staff number"), fixed=True), Column(t("Full name")), Column(t("Responsibility grid"))],
        [(post.code, post.person.name, names.get(post.grid_id or 0)) for post in posts[:SHOWN]],
    )


def enter(
    session: Session,
    doer: Actor,
    home: TerritoryInfo,
    posts: Sequence[Post],
    *,
    unit_id: int,
    plan: str,
    since: dt.date,
) -> None:
    """Enter workers with their grids, and let them work by the patterns of a plan from a day on."""
    today = _today(home)
    patterns = PLANS[plan]
    known = {each.code: each for each in rostering.roster_view(session, doer, home, since, 1).plan.patterns}
    there = {
        each.code: known.get(each.code)
        or dataclasses.replace(
            each, id=rostering.set_pattern(session, doer, home.id, dataclasses.replace(each, version=0))
        )
        for each in patterns
    }
    for rank, post in enumerate(posts):
        fields = WorkerFields(
            code=post.code,
            unit_id=unit_id,
            name=post.person.name,
            phone=post.person.phone,
            grid_id=post.grid_id,
            language=i18n.locale(),
            employed_from=since,
        )
        kept = add_worker(session, doer, home.id, fields, today=today)
        pattern, anchor = turn(rank, patterns, since)
        change = rostering.pattern_change(
            session, doer, home, kept.id, there[pattern.code].id, from_on=since, anchor_on=anchor
        )
        rostering.carry_out(session, doer, home, change, knowingly=True)


def _by_need(session: Session, actor: Actor, home: TerritoryInfo) -> list[GridRef]:
    """Return the responsibility grids, those without a worker first, then those with most people."""
    known = staff.grid_choices(session, actor, home.id)
    frame, _ = responsibilities(session, home.id)
    people = dict(zip(frame["id"].tolist(), frame["people"].tolist(), strict=True))
    return sorted(known, key=lambda grid: (len(grid.worker_codes), -people.get(grid.id, 0.0), grid.code))


def _today(home: TerritoryInfo) -> dt.date:
    return now().astimezone(home.zone).date()
