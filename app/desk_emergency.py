"""Danger while it is typed: a banner with the number to call, and what the service said, before anything is filed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from html import escape

import streamlit as st
from sqlalchemy.orm import Session

from app import desk, emergency_words, i18n, widgets
from app.desk import Form
from app.i18n import t
from core.clock import now
from core.identity import Actor
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents.emergencies import Call
from incidents.lifecycle import first_status
from incidents.lifecycle_guards import PUBLIC_SOURCES
from incidents.model import Catalogue
from incidents.service import emergencies
from incidents.work import HandedOver


def calls_of(
    session: Session, actor: Actor, territory: TerritoryInfo, catalogue: Catalogue, form: Form
) -> tuple[Call, ...]:
    """Return whom to call for what stands in the form."""
    kind = catalogue.classes.get(form.class_key)
    return emergencies.whom_to_call(
        session, actor, territory, form.text, form.class_key, emergency_class=kind is not None and kind.emergency
    )


def answers(form: Form, calls: tuple[Call, ...]) -> tuple[HandedOver, ...]:
    """Return what is known of each call when the report is filed; one of which nothing is known waits."""
    called = {service: (at, reference) for service, at, reference in form.called}
    found = []
    for call in calls:
        if call.service in called:
            at, reference = called[call.service]
            found.append(HandedOver(call.service, dt.datetime.fromisoformat(at), reference))
        elif set(call.because) <= set(form.quiet):
            found.append(HandedOver(call.service, None))
    return tuple(found)


def begins_as(actor: Actor, catalogue: Catalogue, form: Form, calls: tuple[Call, ...]) -> str:
    """Return the status that the report will begin with, as far as the form is filled in."""
    kind = catalogue.classes.get(form.class_key)
    alarms = {call.service for call in calls} - {each.service for each in answers(form, calls) if not each.called_at}
    emergency = bool(alarms) or (kind is not None and kind.emergency)
    followed = form.duplicate_of is not None
    return first_status(actor, public=form.source in PUBLIC_SOURCES and not emergency and not followed)


def show(actor: Actor, territory: TerritoryInfo, catalogue: Catalogue, form: Form, calls: tuple[Call, ...]) -> None:
    """Put the banner: a line a service, what to write down, and the one click for a false alarm."""
    if not calls:
        return
    settled = {each.service: each for each in answers(form, calls)}
    with st.container(key="gk-alarm"):
        waiting = [call for call in calls if call.service not in settled]
        if waiting:
            kind = catalogue.classes.get(form.class_key)
            widgets.write(_banner(waiting, "" if kind is None else kind.title(i18n.locale())))
        for call in calls:
            answer = settled.get(call.service)
            with st.container(horizontal=True, vertical_alignment="bottom", key=f"gk-alarm-{call.service}"):
                if answer is None:
                    _ask(actor, form, call)
                else:
                    _told(actor, territory, form, answer)
        if waiting:
            st.button(
                t("No emergency: a false alarm"),
                key=f"gk_alarm_off_{len(form.quiet)}",
                on_click=_dismiss,
                args=(actor, form, tuple(sign for call in waiting for sign in call.because)),
            )


def _banner(waiting: list[Call], name_of_class: str) -> str:
    lines = []
    for call in waiting:
        name, number = escape(emergency_words.service(call.service)), escape(call.number)
        why = escape(emergency_words.because(call.because, name_of_class))
        lines.append(
            f'<p><b>{name}</b><a class="gk-call" href="tel:{number}">{number}</a>'
            f' <span class="gk-muted">{escape(t("because of"))} {why}</span></p>'
        )
    head = escape(t("Danger to life: call now, then go on here."))
    return f'<div class="gk-alarm" role="alert"><b>{head}</b>{"".join(lines)}</div>'


def _ask(actor: Actor, form: Form, call: Call) -> None:
    key = f"gk_alarm_reference_{call.service}_{i18n.locale()}"
    st.text_input(
        t("Their reference, if given"),
        key=key,
        max_chars=emergencies.REFERENCE_MOST,
        autocomplete="off",
        width=180,
    )
    st.button(
        t("{service} called, they took it over", service=emergency_words.service(call.service)),
        key=f"gk_alarm_called_{call.service}",
        on_click=_called,
        args=(actor, form, call.service, key),
    )


def _told(actor: Actor, territory: TerritoryInfo, form: Form, answer: HandedOver) -> None:
    name = emergency_words.service(answer.service)
    if answer.called_at is None:
        said = t("{service}: no emergency. It is written down when you file.", service=name)
    else:
        said = t("{service} called {when}.", service=name, when=i18n.clock(answer.called_at, territory.timezone))
        if answer.reference:
            said = f"{said} {t('Their reference: {reference}.', reference=answer.reference)}"
    widgets.told(said)
    st.button(t("Undo this"), key=f"gk_alarm_back_{answer.service}", on_click=_back, args=(actor, form, answer.service))


def _called(actor: Actor, form: Form, service: str, key: str) -> None:
    """Keep that a service was called; runs before the page is drawn anew."""
    reference = str(st.session_state.get(key) or "").strip()
    at = now().isoformat(timespec="seconds")
    desk.keep(actor, replace(form, called=(*form.called, (service, at, reference))))


def _dismiss(actor: Actor, form: Form, signs: tuple[str, ...]) -> None:
    """Keep that nobody is in danger, and write it into the record at once."""
    with transaction(actor, purpose="dismiss alarm") as session:
        emergencies.dismiss_banner(session, actor, signs)
    desk.keep(actor, replace(form, quiet=tuple(dict.fromkeys((*form.quiet, *signs)))))


def _back(actor: Actor, form: Form, service: str) -> None:
    """Let the banner of a service stand again."""
    called = tuple(each for each in form.called if each[0] != service)
    desk.keep(actor, replace(form, called=called, quiet=() if called == form.called else form.quiet))
