"""One entry of the catalogue beside the list: what it is, its columns, where it came from, who used it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import catalogue_words, i18n, state, widgets, words
from app.api.export import address_of
from app.i18n import t
from app.widgets import Cell, Column, Html
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata import asking, catalogue
from geodata.catalogue import Said
from geodata.catalogue_model import RHYTHMS, SENSITIVITIES, Entry, Use
from geodata.db import transaction
from geodata.giving import FORMATS, PLACED
from geodata.territory import TerritoryInfo

FORMAT_NAMES = {"gpkg": "GeoPackage", "parquet": "GeoParquet", "csv": "CSV", "geojson": "GeoJSON"}
USUAL_DAYS = 90


@dataclass(frozen=True, slots=True)
class Around:
    """What the parts of the page need: who reads, where, when."""

    actor: Actor
    territory: TerritoryInfo
    now: dt.datetime


def this_round() -> int:
    """Return a number in the keys of forms: another one lets them begin anew."""
    drawn: int = st.session_state.get(state.CATALOGUE_ROUND, 0)
    return drawn


def do(around: Around, act: Callable[[Session], Any], told: str, *, purpose: str) -> None:
    """Do an act in a transaction of its own, keep what came of it for the top of the page, and draw it anew."""
    try:
        with transaction(around.actor, purpose=purpose) as session:
            act(session)
    except GridkeeperError as error:
        st.session_state[state.CATALOGUE_WRONG] = error
    else:
        st.session_state[state.CATALOGUE_TOLD] = told
        st.session_state[state.CATALOGUE_ROUND] = this_round() + 1
    st.rerun()


def news() -> None:
    """Put what came of the last act."""
    told = st.session_state.pop(state.CATALOGUE_TOLD, None)
    if told:
        widgets.told(told)
    wrong = st.session_state.pop(state.CATALOGUE_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)


def show(session: Session, around: Around, one: Entry) -> None:
    """Put the entry."""
    locale = i18n.locale()
    widgets.write(f'<div class="gk-title"><h2>{widgets.html(one.offer.title(locale))}</h2></div>')
    about = one.offer.about(locale)
    if about:
        widgets.write(f"<p>{widgets.html(about)}</p>")
    narrowed = around.actor.area_ids or around.actor.unit_ids
    if narrowed and one.offer.data_set_id is None and one.offer.sensitivity == "restricted":
        widgets.note(
            t(
                "You see the rows of your own units and communities. Others' rows a supervisor gives as a data set of"
                " its own, which is asked for here and ends by itself."
            )
        )
    if not one.readable:
        mine = [each for each in asking.listed(session, around.actor) if each.mine and each.key == one.key]
        if any(each.state == "waiting" for each in mine):
            widgets.note(t("These data are restricted. Your request waits for their steward; it stands below."))
        else:
            _ask(around, one)
    elif around.actor.may(May.TAKE_DATA):
        _take(one)
    used = catalogue.uses(session, around.actor, one.key)
    gate = one.offer.data_set_id is not None and one.readable
    names = [t("About"), t("Columns"), *([t("Rules"), t("Quality")] if gate else []), t("Where from")]
    names += [t("Use")] if used or catalogue.oversees_uses(around.actor) else []
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs[t("About")]:
        widgets.fields(_fields(around, one), beside=True)
        if one.quality:
            _quality(one.quality)
        if around.actor.may(May.KEEP_CATALOGUE) or (one.steward_id or -1) == around.actor.user_id:
            with st.popover(t("Change what is said"), key=f"gk_catalogue_say_{one.key}_{this_round()}"):
                _say(session, around, one)
    with tabs[t("Columns")]:
        _columns(one)
    if gate:
        from app import gate_quality, gate_rules  # they use this module's acts

        with tabs[t("Rules")]:
            gate_rules.show(session, around, one)
        with tabs[t("Quality")]:
            gate_quality.show(session, around, one)
    with tabs[t("Where from")]:
        _lineage(around, one)
    if t("Use") in tabs:
        with tabs[t("Use")]:
            _uses(around, used)


def _fields(around: Around, one: Entry) -> dict[str, Cell]:
    zone = around.territory.timezone
    told: dict[str, Cell] = {
        t("Owner unit"): catalogue_words.owner(one),
        t("Steward"): i18n.either(one.steward, one.steward_zh) or t("the supervisors"),
        t("Sensitivity"): catalogue_words.sensitivity(one.offer.sensitivity),
        t("Licence and what it derives from"): one.licence or t("not said"),
        t("Newer state"): catalogue_words.rhythm(one.rhythm),
        t("Brought up to date"): _moment(around, one.updated_at),
    }
    if one.readable:
        told[t("Rows you may see")] = i18n.number(one.rows)
    told[t("Shapes")] = catalogue_words.geometry(one.offer.geometry)
    if one.offer.geometry:
        told[t("Coordinates")] = "WGS 84 (EPSG:4326)"
    if one.bounds is not None:
        west, south, east, north = (f"{each:.4f}" for each in one.bounds)
        told[t("Lies within")] = f"{west}, {south} – {east}, {north}"
    if any(one.period):
        days = [i18n.clock(each, zone, now=around.now) if each else "" for each in one.period]
        told[t("Tells of")] = " – ".join(days)
    if one.readable:
        address = f"/ogc/collections/{one.key}"
        told[t("Address for other systems")] = Html(f'<a href="{address}" target="_blank"><code>{address}</code></a>')
    return told


def _moment(around: Around, at: dt.datetime | None) -> str:
    return t("not known") if at is None else i18n.clock(at, around.territory.timezone, now=around.now)


def _quality(scores: Mapping[str, Any]) -> None:
    told = {catalogue_words.score(name): f"{i18n.number(float(value) * 100, 1)} %" for name, value in scores.items()
            if isinstance(value, int | float)}  # fmt: skip
    if told:
        widgets.heading(t("Quality of the newest load"))
        widgets.fields(dict(told), beside=True)


def _take(one: Entry) -> None:
    """Put the links that give the data as files: each taking is recorded."""
    forms = [form for form in FORMAT_NAMES if form in FORMATS and (one.offer.geometry or form not in PLACED)]
    links = " · ".join(
        f'<a href="{address_of(one.key, form)}" target="_self">{FORMAT_NAMES[form]}</a>' for form in forms
    )
    extra = ""
    if one.offer.geometry and one.offer.column("unit_grid") is None and one.offer.column("grid") is None:
        href = address_of(one.key, "csv", with_grid=True)
        extra = f' · <a href="{href}" target="_self">{widgets.html(t("CSV with the unit grid of each row"))}</a>'
    widgets.write(f'<p class="gk-take"><b>{widgets.html(t("Take along as"))}</b> {links}{extra}</p>')


def _columns(one: Entry) -> None:
    widgets.table(
        [Column(t("Column")), Column(t("Meaning")), Column(t("Values"))],
        [(each.name, each.title(i18n.locale()), catalogue_words.kind(each)) for each in one.offer.fields],
    )
    widgets.note(t("Columns that name a person never leave the platform and are not listed."))


def _lineage(around: Around, one: Entry) -> None:
    if not one.lineage:
        widgets.empty(
            t("Nothing was brought in for this."), t("Files that are loaded stand here with what came of them.")
        )
        return
    widgets.table(
        [Column(t("When"), fixed=True), Column(t("File")), Column(t("By")), Column(t("Rows"), right=True)],
        [
            (
                _moment(around, each.get("at")),
                widgets.two_lines(str(each.get("file", "")), str(each.get("mapping") or "")),
                words.doer(str(each.get("by", ""))),
                _rows(each),
            )
            for each in one.lineage
        ],
    )


def _rows(load: Mapping[str, Any]) -> str:
    if "read" not in load:
        return ""
    told = t("{read} read, {loaded} new, {changed} changed, {rejected} refused", **{
        name: i18n.number(load.get(name, 0)) for name in ("read", "loaded", "changed", "rejected")
    })  # fmt: skip
    return str(told)


def _uses(around: Around, used: list[Use]) -> None:
    if not used:
        widgets.empty(t("Nobody has read this yet."), t("Readings by page, file and interface stand here."))
        return
    widgets.table(
        [Column(t("Last")), Column(t("By")), Column(t("How")), Column(t("Joined with")), Column(t("Rows"), right=True)],
        [
            (
                _moment(around, each.last_at),
                words.doer(each.label),
                catalogue_words.way(each.way),
                t(", ").join(each.joined) or None,
                i18n.number(each.rows),
            )
            for each in used
        ],
    )


def _ask(around: Around, one: Entry) -> None:
    """Put the form that asks the steward for what may not be read yet."""
    with st.container(border=True):
        widgets.write(
            f"<p>{widgets.html(t('These data are restricted. Their steward decides who else may read them.'))}</p>"
        )
        mark = f"gk_catalogue_ask_{one.key}_{this_round()}_{i18n.locale()}"
        purpose = st.text_input(t("What for"), max_chars=asking.LONGEST_WORDS, key=f"{mark}_purpose")
        days = st.number_input(t("For how many days"), 1, asking.MOST_DAYS, USUAL_DAYS, key=f"{mark}_days")
        if st.button(t("Ask for the data"), type="primary", disabled=not purpose.strip(), key=f"{mark}_do"):
            do(
                around,
                lambda session: asking.ask(session, around.actor, one.key, purpose=purpose, days=int(days)),
                t("The steward has been asked; the answer stands below."),
                purpose="ask for data",
            )


def _say(session: Session, around: Around, one: Entry) -> None:
    """Put the form of what a steward says of an entry."""
    mark = f"gk_catalogue_{one.key}_{this_round()}_{i18n.locale()}"
    offer = one.offer
    title_en = st.text_input(t("Title, English"), offer.title_en, max_chars=200, key=f"{mark}_en")
    title_zh = st.text_input(t("Title, Chinese"), offer.title_zh, max_chars=200, key=f"{mark}_zh")
    about_en = st.text_area(t("What it holds, English"), offer.about_en, max_chars=2000, key=f"{mark}_about_en")
    about_zh = st.text_area(t("What it holds, Chinese"), offer.about_zh, max_chars=2000, key=f"{mark}_about_zh")
    licence = st.text_input(t("Licence and what it derives from"), one.licence, max_chars=500, key=f"{mark}_licence")
    rhythm = st.selectbox(
        t("Newer state"),
        RHYTHMS,
        RHYTHMS.index(one.rhythm),
        format_func=catalogue_words.rhythm,
        key=f"{mark}_rhythm",
    )
    mine = st.checkbox(
        t("I am the steward and decide on requests"),
        one.steward_id is not None and one.steward_id == around.actor.user_id,
        key=f"{mark}_steward",
    )
    sensitivity, unit = offer.sensitivity, one.owner_unit_id
    if offer.data_set_id is not None and around.actor.may(May.KEEP_CATALOGUE):
        sensitivity = st.selectbox(
            t("Sensitivity"),
            SENSITIVITIES,
            SENSITIVITIES.index(offer.sensitivity),
            format_func=catalogue_words.sensitivity,
            key=f"{mark}_sensitivity",
        )
        units = catalogue.units(session, around.actor)
        choices = list(units)
        unit = st.selectbox(
            t("Owner unit"),
            choices,
            choices.index(unit) if unit in units else None,
            format_func=lambda each: i18n.either(*units[each]),
            key=f"{mark}_owner",
        )
    steward = around.actor.user_id if mine else (None if one.steward_id == around.actor.user_id else one.steward_id)
    given = Said(title_en, title_zh, about_en, about_zh, licence, rhythm, steward, sensitivity, unit)
    if st.button(t("Keep it"), key=f"{mark}_do"):
        do(
            around,
            lambda fresh: catalogue.say(fresh, around.actor, one.key, given, version=one.version),
            t("The entry is changed."),
            purpose="catalogue entry",
        )
