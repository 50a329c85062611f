"""The norms of a territory on the page Access: the list with its sources, and the planner's form."""

from __future__ import annotations

import dataclasses

import streamlit as st

from app import access_words, guard, i18n, study_words, widgets
from app.i18n import t
from app.widgets import Column
from core.identity import Actor, May
from geodata.db import transaction
from geodata.osm_facilities import FACILITY_KINDS
from geodata.territory import TerritoryInfo
from planning import accessing
from planning.norms import Norm


def show(actor: Actor, territory: TerritoryInfo, norms: tuple[Norm, ...], *, first: str) -> None:
    """Put all norms, those of the kind that is looked at first, and for a planner the form to change them."""
    ordered = sorted(norms, key=lambda rule: (rule.facility_kind != first, rule.facility_kind))
    widgets.table(
        [
            Column(t("Kind")),
            Column(t("Norm")),
            Column(t("Where it stands"), wide=True),
            Column(t("State"), fixed=True),
        ],
        [
            [
                study_words.facility(rule.facility_kind),
                widgets.two_lines(access_words.norm(rule), access_words.source(rule)),
                access_words.source(rule),
                _state(rule),
            ]
            for rule in ordered
        ],
    )
    widgets.note(
        t(
            "Shipped norms name the standard they stand in, but could not be checked against its text here: look them"
            " up in the text in force before relying on them. Changes are recorded."
        )
    )
    if actor.may(May.MAKE_STUDIES):
        with st.expander(t("Set a norm")):
            _form(actor, territory, ordered, first)


def _state(rule: Norm) -> str:
    if not rule.active:
        return t("not used here")
    return t("shipped") if rule.id is None else t("set here")


def _form(actor: Actor, territory: TerritoryInfo, norms: list[Norm], first: str) -> None:
    """Put the form: choose one to change, or begin a new one."""
    lang = i18n.locale()
    names = {f"{rule.facility_kind}\n{rule.level}": rule for rule in norms}

    def words(key: str) -> str:
        rule = names.get(key)
        return t("A new norm") if rule is None else f"{study_words.facility(rule.facility_kind)}: {_level(rule)}"

    chosen = st.selectbox(t("Which"), ["", *names], format_func=words, key=f"gk_norm_which_{lang}")
    old = names.get(chosen) or Norm(first, "", "", "walk", "", "", radius_m=500.0)
    key = f"gk_norm_{abs(hash(chosen)) % 10**8}_{old.version or 0}_{len(norms)}_{lang}"
    with st.form(key, border=False):
        kinds = sorted(FACILITY_KINDS, key=study_words.facility)
        kind = st.selectbox(
            t("Kind"), kinds, index=kinds.index(old.facility_kind), format_func=study_words.facility,
            disabled=bool(chosen), key=f"{key}_kind",
        )  # fmt: skip
        level = st.text_input(
            t("Which size or circle"), old.level, max_chars=80, disabled=bool(chosen), key=f"{key}_level"
        )
        radius, minutes, count = st.columns(3)
        with radius:
            radius_m = st.number_input(t("Radius, m"), 0.0, 100_000.0, old.radius_m or 0.0, 50.0, key=f"{key}_radius")
        with minutes:
            limit = st.number_input(t("Minutes"), 0.0, 240.0, old.minutes or 0.0, 1.0, key=f"{key}_minutes")
        with count:
            per_1000 = st.number_input(
                t("Places for 1,000 people"), 0.0, 1_000_000.0, old.per_1000 or 0.0, 1.0, key=f"{key}_count"
            )
        source = st.text_input(t("Where it stands"), access_words.source(old), max_chars=300, key=f"{key}_source")
        active = st.checkbox(t("It counts here"), old.active, key=f"{key}_active")
        widgets.note(t("0 means that the norm says nothing of it."))
        kept = st.form_submit_button(t("Keep the norm"))
    if kept:
        made = dataclasses.replace(
            old, facility_kind=kind, level=level, radius_m=radius_m or None, minutes=limit or None,
            per_1000=per_1000 or None, active=active, source=_source(old, source),
            source_zh=_source(old, source, zh=True),
        )  # fmt: skip
        with guard.page():
            with transaction(actor, purpose="set a norm") as session:
                accessing.set_norm(session, actor, territory, made)
            st.rerun()
    if old.id is not None and st.button(t("Take it back"), key=f"{key}_drop"):
        with guard.page():
            with transaction(actor, purpose="drop a norm") as session:
                accessing.drop_norm(session, actor, territory, old.facility_kind, old.level)
            st.rerun()


def _level(rule: Norm) -> str:
    return i18n.either(rule.level, rule.level_zh or None)


def _source(old: Norm, said: str, *, zh: bool = False) -> str:
    """Return the source in a language: what was typed, or what stood there when it was left as it is."""
    if said != access_words.source(old):
        return said
    return old.source_zh if zh else old.source
