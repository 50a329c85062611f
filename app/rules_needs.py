"""What a class of incident needs, on the page of classes: in words, and the fields of the form that proposes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import i18n, worker_words
from app.i18n import t, tn
from app.widgets import Cell
from incidents.needs import LABELS_MOST, MINUTES_MOST, NOTHING, WORKERS_MOST, known_labels
from incidents.rules import Fields
from people.worker_model import clean_labels


def told(fields: Fields) -> dict[str, Cell]:
    """Return what a class needs, as rows of its card."""
    return {
        t("Skills needed"): worker_words.skills(tuple(fields["skills"])) or t("none"),
        t("Equipment needed"): worker_words.skills(tuple(fields["equipment"])) or t("none"),
        t("Workers needed"): i18n.number(fields["workers"]),
        t("Time on site"): (
            tn("{count} min", "{count} min", round(fields["service_min"]))
            if fields["service_min"]
            else t("as usual for its kind")
        ),
    }


def in_short(fields: Fields) -> str:
    """Return the needs in one line; empty when anybody can go."""
    parts = [worker_words.skills((*fields["skills"], *fields["equipment"]))]
    if fields["workers"] > 1:
        parts.append(tn("{count} worker", "{count} workers", fields["workers"]))
    return " · ".join(filter(None, parts))


def asked(fields: Fields, at: str) -> dict[str, Any]:
    """Put the fields of the form and return what was chosen."""
    given = {**NOTHING.fields(), **fields}
    skills, equipment = known_labels()
    left, right = st.columns(2)
    with left:
        wanted = _labels(t("Skills needed"), skills, given["skills"], f"gk_rule_skills_{at}")
        workers = st.number_input(
            t("Workers needed"), 1, WORKERS_MOST, value=int(given["workers"]), key=f"gk_rule_workers_{at}"
        )
    with right:
        tools = _labels(t("Equipment needed"), equipment, given["equipment"], f"gk_rule_equipment_{at}")
        minutes = st.number_input(
            t("Minutes on site, 0 for as usual"),
            0.0,
            MINUTES_MOST,
            value=float(given["service_min"]),
            step=5.0,
            format="%g",
            key=f"gk_rule_minutes_{at}",
        )
    return {
        "skills": list(clean_labels(wanted)),
        "equipment": list(clean_labels(tools)),
        "workers": int(workers),
        "service_min": float(minutes),
    }


def _labels(label: str, known: Sequence[str], kept: Sequence[str], key: str) -> list[str]:
    return st.multiselect(
        label,
        [*known, *(each for each in kept if each not in known)],
        list(kept),
        format_func=worker_words.skill,
        accept_new_options=True,
        max_selections=LABELS_MOST,
        placeholder=t("none"),
        key=key,
    )
