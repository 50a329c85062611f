"""What else waits on Today: grids without anybody, rules and accounts to look at, steps and checks of the platform."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from sqlalchemy.orm import Session

from app import health, i18n, widgets
from app.health_model import State as Health
from app.i18n import t
from app.set_up_acts import holdings
from app.set_up_model import done_count, is_ready, steps_of
from app.widgets import Fact
from core.identity import Actor, May, Role
from geodata.territory import TerritoryInfo
from incidents.service import ruling
from insight import reviews as accountability
from people import reviews, rostering
from people.cover import State

CHECKS_KEPT_S = 60


def uncovered(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> int | None:
    """Return how many responsibility grids nobody covers at the moment; None for who sees no roster."""
    if not actor.may(May.SEE_PEOPLE):
        return None
    day = moment.astimezone(territory.zone).date()
    view = rostering.roster_view(session, actor, territory, day, 1, at=moment)
    if not view.workers:
        return None
    cover = rostering.cover_view(session, actor, territory, view, moment)
    return sum(each.state is State.UNCOVERED for each in cover.states)


def to_decide(session: Session, actor: Actor) -> list[Fact]:
    """Return what waits for who decides and reviews: changes of rules, accounts to look at."""
    items = []
    if actor.may(May.APPROVE_RULES):
        waiting = len(ruling.list_changes(session, actor, states=("proposed",)))
        items.append(
            Fact(t("Rules to decide"), i18n.number(waiting), "soon" if waiting else "", href="/rules?tab=changes")
        )
    if actor.may(May.REVIEW_USERS):
        look = sum(bool(each.findings) for each in reviews.list_accounts(session, actor))
        items.append(
            Fact(t("Accounts to look at"), i18n.number(look), "soon" if look else "", href="/accounts?show=look")
        )
    if actor.may(May.SEE_REVIEWS):
        waiting = accountability.count_open(session, actor)
        items.append(Fact(t("Open reviews"), i18n.number(waiting), "soon" if waiting else "", href="/accountability"))
    return items


def about_me(session: Session, actor: Actor) -> None:
    """Put that a finding of the rules on the record concerns the actor, and the way to explain it."""
    mine = [each for each in accountability.reviews_on_me(session, actor) if each.is_open]
    if mine:
        said = t("A rule on the record asks about an act of yours. You may explain it.")
        widgets.told(said, widgets.link(t("Look at it"), f"/accountability?review={mine[0].id}"))


def of_the_platform(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> list[Fact]:
    """Return the administrator's strip: set-up, checks, accounts, roster, what waits in quarantine elsewhere."""
    steps = steps_of(holdings(session, territory))
    done = t("{done} of {all}", done=done_count(steps), all=len(steps))
    faults, warnings = _checks(actor)
    wrong = i18n.tn("{count} fault", "{count} faults", faults) if faults else i18n.number(warnings)
    items = [
        Fact(t("Set-up done"), done, "" if is_ready(steps) else "soon", href="/set-up"),
        Fact(
            t("Checks that warn"),
            wrong,
            "late" if faults else "soon" if warnings else "",
            href="/health",
        ),
        *to_decide(session, actor),
    ]
    bare = uncovered(session, actor, territory, moment)
    if bare is not None:
        items.append(Fact(t("Grids uncovered now"), i18n.number(bare), "soon" if bare else "", href="/roster"))
    return items


def _checks(actor: Actor) -> tuple[int, int]:
    """Return how many checks found a fault and how many warn; looked at once a minute, whoever asks."""
    return _looked(actor) if actor.role is Role.ADMINISTRATOR else (0, 0)


@st.cache_data(ttl=CHECKS_KEPT_S, show_spinner=False, max_entries=4)
def _looked(_actor: Actor) -> tuple[int, int]:
    states = [check.state for check in health.look(_actor)]
    return states.count(Health.FAULT), states.count(Health.WARNING)
