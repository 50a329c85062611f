"""Parts of page Traffic: the city's day, the worst stretches, feeds, planned works and data sets of sensors."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, widgets
from app.i18n import t
from app.widgets import Column
from core.errors import GridkeeperError
from core.identity import Actor, May
from dispatch import feeds
from dispatch.feeds_model import FIELDS, FORMS, ROWS, NewFeed
from dispatch.past_model import FEWEST_DAYS, CityTraffic, Curves, Usual
from geodata.basemaps import DATUMS
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from layers.style import LIGHT

WORST = 15
WIDE, HIGH, LEFT, FOOT = 720, 190, 44, 24
_TOLD = f"{state.TRAFFIC}_told"


def day_curve(values: Sequence[float | None], label: str, base: float, unit: str) -> str:
    """Return a curve of 24 hours as a picture, with the line of ``base`` and its own scale."""
    known = [value for value in values if value is not None]
    low, top = min([base, *known]), max([base, *known]) * 1.05
    farthest = max(known, key=lambda value: abs(value - base), default=base)

    def y(value: float) -> float:
        return HIGH - FOOT - (HIGH - FOOT - 12) * (value - low) / max(top - low, 1e-9)

    def x(hour: float) -> float:
        return LEFT + (WIDE - LEFT - 8) * hour / 23

    points = " ".join(f"{x(hour):.1f},{y(value):.1f}" for hour, value in enumerate(values) if value is not None)
    ticks = "".join(
        f'<text x="{x(hour):.0f}" y="{HIGH - 6}" text-anchor="{"end" if hour == 23 else "middle"}">{hour}:00</text>'
        for hour in (0, 6, 12, 18, 23)
    )
    sides = "".join(
        f'<text x="{LEFT - 6}" y="{y(value) + 4:.0f}" text-anchor="end">{value:.2f}</text>'
        for value in {base, farthest}
    )
    style = f"font:12px sans-serif;fill:{LIGHT.muted}"
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" style="{style}">'
        f'<line x1="{LEFT}" x2="{WIDE - 8}" y1="{y(base):.1f}" y2="{y(base):.1f}" stroke="{LIGHT.line}"/>'
        f'<polyline points="{points}" fill="none" stroke="{LIGHT.primary}" stroke-width="2.5"/>{ticks}{sides}'
        f'<text x="{LEFT}" y="12">{escape(unit)}</text></svg>'
    )
    return f'<img style="width:100%" alt="{escape(label)}" src="data:image/svg+xml,{quote(drawn)}">'


def city_day(found: CityTraffic) -> None:
    """Put the congestion index of the city by hour."""
    widgets.heading(t("The usual day of the city"))
    label = t("Congestion index by hour: travel time over that on free roads")
    widgets.write(day_curve(found.index, label, 1.0, t("travel time over that on free roads")))
    widgets.note(
        t(
            "Over {count} stretches with speeds, {km} km, each driven once. 1.3 means: a way of 20 minutes takes 26.",
            count=i18n.number(found.roads),
            km=i18n.number(found.km),
        )
    )
    widgets.note(t("Source: {sources}", sources=i18n.either("; ", "；").join(found.sources)))


def worst(roads: Sequence[Usual]) -> None:
    """Put the stretches with the slowest rush, and how reliable they are."""
    widgets.heading(t("Worst stretches"))
    rows = [each for each in roads if each.rush > 1.05][:WORST]
    if not rows:
        widgets.empty(t("No stretch is usually slow."), t("Each is driven as fast in its rush as when free."))
        return
    widgets.table(
        [
            Column(t("Road"), fixed=True),
            Column(t("Rush at"), right=True),
            Column(t("km/h then"), right=True),
            Column(t("Free"), right=True, wide=True),
            Column(t("Time × free"), right=True),
            Column(t("Buffer index"), right=True, wide=True),
            Column(t("Planning time index"), right=True, wide=True),
        ],
        [
            (
                widgets.link(
                    i18n.either(each.name or t("without a name"), each.name_zh or each.name or t("without a name")),
                    f"/map?place={each.lon:.5f},{each.lat:.5f}&layers=congestion",
                ),
                f"{each.rush_hour}:00",
                i18n.number(each.hours[each.rush_hour]),
                i18n.number(each.free_kmh),
                i18n.number(each.rush, 2),
                i18n.number(each.buffer, 2),
                i18n.number(each.planning, 2),
            )
            for each in rows
        ],
    )
    widgets.note(
        t(
            "Buffer index: what to add to the mean to be late once in twenty days. Planning time index: that time over"
            " the free one. Both of the road's own rush, from {days} days on. After FHWA-HOP-06-070 (2006).",
            days=FEWEST_DAYS,
        )
    )


def data_sets(found: Sequence[Curves]) -> None:
    """Put the data sets of foreign sensors; their curves are shown, never taken for measurements here."""
    for each in found:
        widgets.heading(t("Data set {name}", name=each.data_set))
        label = t("Usual day of the sensors of {name}: speed over that when free", name=each.data_set)
        widgets.write(day_curve(each.ratios, label, 1.0, t("speed over that when free")))
        widgets.note(
            t(
                "{sensors} sensors of another city, {days} days, {readings} readings. Their streets are not here.",
                sensors=i18n.number(each.sensors),
                days=i18n.number(each.days),
                readings=i18n.number(each.readings),
            )
        )


def feed_desk(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the feeds with how each answered, and the form for another; for who sets the platform up."""
    if not actor.may(May.SET_UP):
        return
    widgets.heading(t("Feeds"), anchor="feeds")
    told = st.session_state.pop(_TOLD, None)
    if isinstance(told, GridkeeperError):
        widgets.known_error(told)
    known = feeds.list_feeds(session, actor, territory.id)
    if known:
        widgets.table(
            [
                Column(t("Name"), fixed=True),
                Column(t("Every")),
                Column(t("Last answer"), right=True),
                Column(t("How it stands")),
            ],
            [
                (
                    each.name,
                    t("{count} s", count=each.every_s),
                    i18n.clock(each.asked_at, territory.timezone) if each.asked_at else "–",
                    _stands(each.active, i18n.either(each.wrong_en, each.wrong_zh), each.readings, each.refused),
                )
                for each in known
            ],
        )
        names = {each.id: each.name for each in known}
        resting = {each.id for each in known if not each.active}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            key = f"{state.TRAFFIC}_feed_{i18n.locale()}"
            chosen = st.selectbox(t("One of them"), list(names), format_func=names.__getitem__, width=260, key=key)
            words = t("Ask it again") if chosen in resting else t("Let it rest")
            st.button(words, key=f"{state.TRAFFIC}_rest", on_click=_switch, args=(chosen, chosen in resting))
            st.button(t("Remove"), key=f"{state.TRAFFIC}_remove", on_click=_remove, args=(chosen,))
    else:
        widgets.empty(t("No feed is asked."), t("Name one below: its address, and what its fields are called."))
    with st.expander(t("Add a feed"), expanded=not known):
        _form(actor, territory)


def _stands(active: bool, wrong: str, readings: int, refused: int) -> str:
    if not active:
        return t("rests")
    return wrong or t("{readings} readings, {refused} refused", readings=readings, refused=refused)


def _form(actor: Actor, territory: TerritoryInfo) -> None:
    with st.form(f"{state.TRAFFIC}_form", border=False):
        name = st.text_input(t("Name"), max_chars=80)
        address = st.text_input(t("Address"), max_chars=500, placeholder="http://traffic.city.gov/cars.json")
        secret = st.text_input(t("Key, as a piece of the query"), max_chars=200, placeholder="key=…", type="password")
        left, middle, right = st.columns(3)
        form = left.selectbox(t("Form"), FORMS)
        every = middle.number_input(t("Ask every (seconds)"), 60, 3600, 300, 60)
        datum = right.selectbox(t("Datum"), DATUMS)
        widgets.note(t("What the feed calls our fields; dots lead into objects of JSON, e.g. geometry.coordinates.0."))
        columns = st.columns(4)
        names = {"time": t("Time"), "kmh": t("Speed, km/h"), "lon": t("Longitude"), "lat": t("Latitude")}
        names |= {"street": t("Street"), "heading": t("Direction, degrees"), ROWS: t("List of readings (JSON)")}
        fields = {
            ours: columns[k % 4].text_input(names[ours], max_chars=120, key=f"{state.TRAFFIC}_{ours}").strip()
            for k, ours in enumerate((*FIELDS, ROWS))
        }
        if st.form_submit_button(t("Add"), type="primary"):
            new = NewFeed(name, address.strip(), form, fields, int(every), secret.strip(), datum)
            try:
                with transaction(actor) as session:
                    feeds.add_feed(session, actor, territory.id, new)
            except GridkeeperError as error:
                widgets.known_error(error)
                return
            st.rerun()


def _switch(feed_id: int | None, active: bool) -> None:
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            feeds.switch_feed(session, actor, feed_id or 0, active=active)
    except GridkeeperError as error:
        st.session_state[_TOLD] = error


def _remove(feed_id: int | None) -> None:
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            feeds.remove_feed(session, actor, feed_id or 0)
    except GridkeeperError as error:
        st.session_state[_TOLD] = error
