"""What looks the same while a report is taken down: open incidents nearby with the reason, linked by a click."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from html import escape

import streamlit as st
from sqlalchemy.orm import Session

from app import desk, i18n, widgets, words
from app.desk import Form
from app.i18n import t
from core.identity import Actor
from incidents.duplicates import Likeness
from incidents.service import duplicates

WORDS_SHOWN = 4
HERE_M = 5
NOW = dt.timedelta(minutes=2)


def show(session: Session, actor: Actor, form: Form) -> None:
    """Put the incidents that may be the same thing, or the one that the report will follow."""
    if form.duplicate_of is not None:
        with st.container(horizontal=True, vertical_alignment="center", key="gk-twin-chosen"):
            widgets.told(
                t("Will be filed as a duplicate of"),
                widgets.link(form.duplicate_number, f"/incidents?incident={form.duplicate_of}"),
            )
            st.button(t("No, file it on its own"), key="gk_twin_none", on_click=_take, args=(actor, form, None))
        return
    if form.lon is None or form.lat is None or not (form.class_key or form.text.strip()):
        return
    found = duplicates.look_alikes(session, actor, class_key=form.class_key, place=(form.lon, form.lat), text=form.text)
    if not found:
        return
    with st.container(key="gk-twins"):
        widgets.write(f"<b>{escape(t('Is it one of these? They are open and near.'))}</b>")
        for rank, each in enumerate(found):
            with st.container(horizontal=True, vertical_alignment="center"):
                widgets.write(line(each))
                st.button(
                    t("Link to this one"),
                    key=f"gk_twin_{each.incident.id}_{rank}",
                    on_click=_take,
                    args=(actor, form, each),
                )


def reason(each: Likeness) -> str:
    """Return why an incident is offered: "same class, 60 m away, 2 h ago, still open"."""
    matter = {
        "class": t("same class"),
        "category": t("same kind of class"),
        "other": t("another class"),
        "unknown": i18n.either(each.incident.class_en, each.incident.class_zh),
    }[each.matter]
    parts = [
        matter,
        t("at the same place")
        if each.distance_m < HERE_M
        else t("{metres} m away", metres=i18n.number(round(each.distance_m))),
        t("just now") if each.age < NOW else t("{span} ago", span=i18n.span(each.age)),
        t("still open: {status}", status=words.status(each.incident.status)),
    ]
    if each.shared:
        parts.append(t("same words: {words}", words=t(", ").join(each.shared[:WORDS_SHOWN])))
    return t(", ").join(parts)


def line(each: Likeness) -> str:
    """Return an incident that looks the same, with the reason, as HTML."""
    row = each.incident
    number = widgets.link(row.number, f"/incidents?incident={row.id}").text
    name = escape(" · ".join(part for part in (i18n.either(row.class_en, row.class_zh), row.place) if part))
    return f'<p class="gk-twin">{number} {name}<small>{escape(reason(each))}</small></p>'


def _take(actor: Actor, form: Form, chosen: Likeness | None) -> None:
    """Let the report follow an incident, or stand on its own again; runs before the page is drawn anew."""
    if chosen is None:
        desk.keep(actor, replace(form, duplicate_of=None, duplicate_number=""))
        return
    row = chosen.incident
    desk.keep(
        actor,
        replace(
            form,
            duplicate_of=row.id,
            duplicate_number=row.number,
            class_key=form.class_key or row.class_key,
            taken=form.taken + (0 if form.class_key else 1),
        ),
    )
