"""Verify: what was handled, before beside after, one case at a time and one key a case."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import streamlit as st
from sqlalchemy.orm import Session

from app import evidence_parts, guard, state, verify_parts, widgets
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.identity import Actor, May, require
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.service import evidence


@dataclass(frozen=True, slots=True)
class Here:
    """What every part of the page needs."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    moment: dt.datetime


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.VERIFY)
    with transaction(actor) as session:
        here = Here(session, actor, territory_of(session, actor), now())
        waiting = evidence.waiting_to_verify(session, actor)
        mine = [each.incident_id for each in waiting if not each.own]
        others = {each.incident_id: each.own for each in waiting if each.own}
        chosen = verify_parts.chosen(mine, others)
        place = mine.index(chosen) if chosen in mine else None
        widgets.title(
            t("Verify"), simulated=here.territory.is_demo, aside=verify_parts.position(place, len(mine), len(waiting))
        )
        evidence_parts.style()
        verify_parts.news()
        if chosen is None:
            widgets.empty(
                t("Nothing waits for you."),
                t("What was handled stands here until somebody closes it or sends it back."),
                link_label=t("Incidents being checked"),
                href="/incidents?status=checking",
            )
            verify_parts.others(others)
            return
        _case(here, chosen, mine, others.get(chosen, ""))
        verify_parts.others(others)


def _case(here: Here, incident_id: int, mine: list[int], own: str) -> None:
    with guard.page():
        detail = incidents.incident_detail(here.session, here.actor, incident_id)
        infos = evidence.evidence_of(here.session, here.actor, incident_id)
        place = mine.index(incident_id) if incident_id in mine else None
        st.session_state[state.VERIFY_AT] = place or 0
        verify_parts.head(detail, here.moment)
        if own:
            verify_parts.why_not(own)
        else:
            verify_parts.acts(here.actor, detail, mine, place or 0)
        verify_parts.pair(infos, here.territory)
        verify_parts.facts(detail, infos, here.territory, here.moment)
        if place is not None and place + 1 < len(mine):
            verify_parts.ahead(evidence.evidence_of(here.session, here.actor, mine[place + 1]))


show()
