"""One finding beside the list: its question, the acts behind it, what was said to it, and the decision."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy.orm import Session

from app import accountability_words as told
from app import i18n, record_words, state, widgets, words
from app.i18n import t
from app.widgets import Cell, Column
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from insight import reviews
from insight.reviews import DECIDED, WORDS_MOST, Evidence, ReviewDetail

ROWS_SHOWN = 25


def act(actor: Actor, said: str, do: Callable[[Session], object]) -> None:
    """Do an act in a transaction of its own and draw the page anew with what came of it."""
    try:
        with transaction(actor, purpose="review") as session:
            do(session)
    except GridkeeperError as error:
        st.session_state[state.REVIEW_WRONG] = error
    else:
        st.session_state[state.REVIEW_TOLD] = said
        st.session_state[state.REVIEW_ROUND] = st.session_state.get(state.REVIEW_ROUND, 0) + 1
    st.rerun()


def news() -> None:
    """Put what came of the last act, once."""
    said = st.session_state.pop(state.REVIEW_TOLD, None)
    if said is not None:
        widgets.told(said)
    error = st.session_state.pop(state.REVIEW_WRONG, None)
    if error is not None:
        widgets.known_error(error)


def show(found: ReviewDetail, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the finding."""
    row = found.row
    label, tone = told.state(row.state)
    mark = f'<span class="gk-label">{widgets.html(t("Generated for the demo"))}</span>' if row.simulated else ""
    widgets.write(
        f'<div class="gk-title"><h2>{widgets.html(told.rule(row.rule))}</h2>'
        f'<span class="gk-muted">{widgets.html(t("No. {id}", id=row.id))}</span></div>'
        f"<p>{widgets.toned(label, tone).text} {mark}</p><p>{widgets.html(told.question(row.rule))}</p>"
    )
    page = told.page_of(actor, row)
    about = told.subject(row)
    fields: dict[str, Cell] = {
        t("It is about"): widgets.link(about, page) if page else about,
        t("Persons concerned"): ", ".join(_persons(found)),
        t("When"): i18n.clock(row.at, territory.timezone),
        t("Opened"): i18n.clock(row.opened_at, territory.timezone),
        t("Counted"): told.counted(row.numbers),
        t("Weight"): told.weight(row.severity),
    }
    if row.decided_at is not None:
        fields[t("Decided by")] = f"{words.doer(row.decided_label)}, {i18n.clock(row.decided_at, territory.timezone)}"
    widgets.fields({name: cell for name, cell in fields.items() if cell not in {None, ""}}, beside=True)
    if row.decided_at is not None:
        widgets.heading(t("Reason of the decision"))
        widgets.write(f"<p>{widgets.html(found.reason or t('erased on request'))}</p>")
    _acts(found, actor, territory)
    _explanations(found, actor, territory)
    if actor.may(May.SEE_REVIEWS):
        _decision(found, actor)


def _persons(found: ReviewDetail) -> list[str]:
    labels = {act.user_id: words.doer(act.label) for act in found.evidence if act.user_id is not None}
    return [labels.get(each) or t("Account {id}", id=each) for each in found.row.persons]


def _acts(found: ReviewDetail, actor: Actor, territory: TerritoryInfo) -> None:
    seqs = found.row.seqs
    count = i18n.tn("{count} row of the record", "{count} rows of the record", len(seqs))
    widgets.heading(t("Acts behind it"), aside=count)
    if not found.evidence:
        widgets.note(t("These rows of the record are not for your role; whoever decides sees them."))
        return
    readable = actor.may(May.SEE_RECORD)

    def row(each: Evidence) -> tuple[Cell, ...]:
        number = i18n.number(each.seq)
        return (
            widgets.link(number, f"/record?row={each.seq}") if readable else number,
            i18n.clock(each.at, territory.timezone),
            words.doer(each.label),
            record_words.purpose(each.purpose) or record_words.act(each.action),
            told.object_of(each),
        )

    widgets.table(
        [
            Column(t("Row"), fixed=True, right=True),
            Column(t("When"), fixed=True),
            Column(t("Person"), wide=True),
            Column(t("Act")),
            Column(t("Object"), wide=True),
        ],
        [row(each) for each in found.evidence[:ROWS_SHOWN]],
    )
    if readable:
        every = ",".join(map(str, seqs))
        widgets.write(f"<p>{widgets.link(t('All of them on the page Record'), f'/record?rows={every}').text}</p>")


def _explanations(found: ReviewDetail, actor: Actor, territory: TerritoryInfo) -> None:
    may_explain = found.concerns_me and found.row.is_open
    if found.explanations or may_explain:
        widgets.heading(t("Explanation"))
    for each in found.explanations:
        who = f"{words.doer(each.label)}, {i18n.clock(each.at, territory.timezone)}"
        said = each.text or t("erased on request")
        widgets.write(f'<p>{widgets.html(said)}<br><span class="gk-muted gk-small">{widgets.html(who)}</span></p>')
    if not may_explain:
        return
    widgets.note(
        t("It concerns you. Say how it came; it is read before anything is decided, and nobody is judged by a rule.")
    )
    text = st.text_area(
        t("Your explanation"),
        key=_key("explain", found),
        max_chars=WORDS_MOST,
        height=100,
        label_visibility="collapsed",
    )
    if st.button(t("Send the explanation"), type="primary", key=_key("send", found)):
        act(
            actor,
            t("Your explanation is with the oversight."),
            lambda session: reviews.explain(session, actor, found.row.id, text),
        )


def _decision(found: ReviewDetail, actor: Actor) -> None:
    row = found.row
    if not row.is_open:
        return
    widgets.heading(t("Decision"))
    if found.concerns_me:
        widgets.note(t("It concerns you, so somebody else decides it."))
        return
    if not found.explanations:
        widgets.note(t("Nobody concerned has explained it yet. Ask before you decide."))
    names = {"dismissed": t("Dismiss: there is a good reason"), "confirmed": t("Confirm: it was not right")}
    chosen = st.radio(
        t("Decision"), list(reversed(DECIDED)), format_func=names.__getitem__, index=None, horizontal=True,
        key=_key("decide", found), label_visibility="collapsed",
    )  # fmt: skip
    reason = st.text_area(
        t("Reason"), key=_key("reason", found), max_chars=WORDS_MOST, height=80, placeholder=t("Why you decide so")
    )
    if st.button(t("Decide"), type="primary", key=_key("done", found), disabled=chosen is None):
        act(
            actor,
            t("Decided; the decision stands in the record."),
            lambda session: reviews.decide(session, actor, row.id, str(chosen), reason, version=row.version),
        )


def _key(what: str, found: ReviewDetail) -> str:
    return f"gk_review_{what}_{found.row.id}_{found.row.version}"
