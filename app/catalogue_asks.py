"""Requests for data: what was asked, what was decided and why, until when; deciding on those of others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import streamlit as st
from sqlalchemy.orm import Session

from app import catalogue_words, i18n, widgets, words
from app.catalogue_parts import Around, do, this_round
from app.i18n import t
from app.widgets import Column
from geodata import asking, catalogue
from geodata.asking import Asked

SHOWN = 12


def show(session: Session, around: Around) -> None:
    """Put the requests the actor may see, and the acts on those he may decide."""
    rows = asking.listed(session, around.actor)
    if not rows:
        return
    units, shown = catalogue.units(session, around.actor), shown_of(rows, around.now)
    waiting = sum(each.state == "waiting" for each in rows)
    widgets.heading(
        t("Requests for data"),
        aside=i18n.tn("{count} waits", "{count} wait", waiting) if waiting else "",
        anchor="requests",
    )
    widgets.table(
        [
            Column(t("Data")),
            Column(t("Asked by")),
            Column(t("What for"), wide=True),
            Column(t("State")),
            Column(t("Reason"), wide=True),
        ],
        [
            (
                widgets.link(_title(each), f"/catalogue?entry={each.key}"),
                _asker(each, units),
                t("{purpose} ({days} days)", purpose=each.purpose, days=i18n.number(each.days)),
                widgets.toned(*catalogue_words.state(each, around.now)),
                f"{each.reason} ({words.doer(each.decided_label)})" if each.reason else None,
            )
            for each in shown
        ],
    )
    for each in shown:
        _acts(around, each)


def shown_of(rows: Sequence[Asked], now: dt.datetime) -> list[Asked]:
    """Return the first of them, and every grant that lasts: it has to be within reach of who may end it."""
    return [each for at, each in enumerate(rows) if at < SHOWN or each.lasts(now)]


def _title(one: Asked) -> str:
    return i18n.either(one.title, one.title_zh)


def _asker(one: Asked, units: Mapping[int, tuple[str, str | None]]) -> str:
    """Return who asked, and for which unit."""
    unit = units.get(one.unit_id or 0)
    who = words.doer(one.asked_label)
    return t("{who}, for {unit}", who=who, unit=i18n.either(*unit)) if unit else who


def _acts(around: Around, one: Asked) -> None:
    mark = f"gk_request_{one.id}_{this_round()}_{i18n.locale()}"
    if one.state == "waiting" and one.decidable:
        with st.container(border=True):
            asked = t(
                "{who} asks for {what}: {purpose}",
                who=words.doer(one.asked_label),
                what=_title(one),
                purpose=one.purpose,
            )
            widgets.write(f"<p>{widgets.html(asked)}</p>")
            reason = st.text_input(t("Reason of the decision"), max_chars=asking.LONGEST_WORDS, key=f"{mark}_why")
            days = st.number_input(t("For how many days"), 1, one.days, one.days, key=f"{mark}_days", width=140)
            with st.container(horizontal=True):
                for label, grant in ((t("Grant"), True), (t("Refuse"), False)):
                    if st.button(label, disabled=not reason.strip(), key=f"{mark}_{int(grant)}"):
                        _decide(around, one, reason, int(days), grant=grant)
    elif one.state == "waiting" and one.mine:
        if st.button(t("Take back the request for {what}", what=widgets.plain(_title(one))), key=f"{mark}_back"):
            do(
                around,
                lambda session: asking.withdraw(session, around.actor, one.id),
                t("The request is taken back."),
                purpose="withdraw a request for data",
            )
    elif one.decidable and one.lasts(around.now) and one.grant_id is not None:
        grant_id = one.grant_id
        what, who = widgets.plain(_title(one)), widgets.plain(words.doer(one.asked_label))
        if st.button(t("End the grant of {what} to {who}", what=what, who=who), key=f"{mark}_end"):
            do(
                around,
                lambda session: asking.end(session, around.actor, grant_id),
                t("The grant has ended."),
                purpose="end a grant of data",
            )


def _decide(around: Around, one: Asked, reason: str, days: int, *, grant: bool) -> None:
    do(
        around,
        lambda session: asking.decide(session, around.actor, one.id, grant=grant, reason=reason, days=days),
        t("The request is granted; it ends by itself.") if grant else t("The request is refused."),
        purpose="decide on a request for data",
    )
