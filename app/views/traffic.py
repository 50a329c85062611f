"""Traffic: the city's usual day, the worst stretches and how reliable they are, planned works, feeds."""

from __future__ import annotations

import streamlit as st

from app import guard, i18n, traffic_parts, traffic_works, widgets
from app.i18n import t
from app.where import territory_of
from app.widgets import Fact
from core.clock import now
from core.identity import May
from dispatch import past, traffic
from dispatch.past_model import city_traffic
from geodata.db import transaction


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        roads = past.usual(session, actor, territory.id)
        foreign = any("not measured here" in each.source for each in roads)
        widgets.title(t("Traffic"), simulated=foreign)
        fresh = traffic.traffic_now(session, actor, territory)
        if roads:
            found = city_traffic(roads)
            hour = now().astimezone(territory.zone).hour
            top = max(range(24), key=lambda each: found.index[each] or 0.0)
            widgets.facts(
                [
                    Fact(t("Congestion index now"), i18n.number(found.index[hour], 2), note=t("usual at this hour")),
                    Fact(t("Worst hour"), f"{top}:00", note=i18n.number(found.index[top], 2)),
                    Fact(t("Stretches with speeds"), i18n.number(found.roads), href="/map?layers=congestion"),
                    Fact(t("Measured of late"), i18n.number(fresh.stretches if fresh else 0)),
                ]
            )
            left, right = st.columns([1.4, 1], gap="large")
            with left:
                traffic_parts.worst(roads)
            with right:
                traffic_parts.city_day(found)
                traffic_works.works(session, actor, territory)
                traffic_parts.data_sets(past.curves(session, actor, territory.id))
        else:
            may = actor.may(May.SET_UP)
            widgets.empty(
                t("No speed was measured here yet."),
                t("Speeds come by feeds below, or as files on the Board.")
                if may
                else t("Speeds come by feeds that an administrator names, or as files on the Board."),
            )
            traffic_works.works(session, actor, territory)
            traffic_parts.data_sets(past.curves(session, actor, territory.id))
        traffic_parts.feed_desk(session, actor, territory)


with guard.page():
    show()
