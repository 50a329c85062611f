"""The tab of changes: what waits for a decision, and what was decided."""

from __future__ import annotations

import streamlit as st

from app import i18n, rules_parts, state, widgets, words
from app.i18n import t
from app.rules_parts import Here, name_of, say
from app.widgets import Cell, Column
from core.identity import May
from incidents.rules import Change
from incidents.service import ruling

HISTORY_SHOWN = 60


def show(here: Here) -> None:
    """Put the tab."""
    given = st.query_params.get("change", "")
    chosen = int(given) if given.isdecimal() and len(given) < 10 else None
    every = ruling.list_changes(here.session, here.actor)
    one = next((change for change in every if change.id == chosen), None)
    if given and one is None:
        widgets.alert(t("There is no change {id}.", id=given))
    if not every:
        widgets.empty(
            t("No change was proposed yet."),
            t("Open a class, a limit or a calendar and propose a change of it; another supervisor decides it."),
            link_label=t("Limits"),
            href="/rules?tab=limits",
        )
        return
    if one is None and len(here.waiting) == 1:
        one = here.waiting[0]
    if one is not None:
        _one(here, one)
    waiting = [change for change in here.waiting if one is None or change.id != one.id]
    if waiting:
        widgets.heading(t("Waiting for a decision"))
        _table(here, waiting)
    decided = [change for change in every if change.state != "proposed"]
    if decided:
        widgets.heading(t("History"))
        _table(here, decided[:HISTORY_SHOWN])


def state_words(key: str) -> tuple[str, str]:
    """Return the state of a change in words, and its tone."""
    return {
        "proposed": (t("waits"), "soon"),
        "approved": (t("approved"), "good"),
        "rejected": (t("rejected"), "late"),
        "withdrawn": (t("withdrawn"), "done"),
    }.get(key, (key, ""))


def _table(here: Here, changes: list[Change]) -> None:
    zone = here.territory.timezone

    def row(change: Change) -> tuple[Cell, ...]:
        decided = "" if change.decided_at is None else i18n.clock(change.decided_at, zone)
        return (
            str(change.id),
            widgets.link(name_of(change, here), f"/rules?tab=changes&change={change.id}"),
            widgets.toned(*state_words(change.state)),
            words.doer(change.proposed_label),
            i18n.clock(change.proposed_at, zone),
            words.doer(change.decided_label),
            decided,
        )

    widgets.table(
        [
            Column(t("No."), right=True),
            Column(t("Change")),
            Column(t("State"), fixed=True),
            Column(t("Proposed by"), wide=True),
            Column(t("Proposed at"), wide=True),
            Column(t("Decided by"), wide=True),
            Column(t("Decided at")),
        ],
        [row(change) for change in changes],
    )


def _one(here: Here, change: Change) -> None:
    zone = here.territory.timezone
    label, tone = state_words(change.state)
    name, number = widgets.html(name_of(change, here)), widgets.html(t("No. {id}", id=change.id))
    widgets.write(
        f'<div class="gk-title"><h2>{name}</h2><span class="gk-muted">{number}</span>'
        f"{widgets.toned(label, tone).text}</div>"
    )
    fields: dict[str, Cell] = {
        t("Proposed by"): f"{words.doer(change.proposed_label)}, {i18n.clock(change.proposed_at, zone)}",
        t("Why"): change.reason,
    }
    if change.decided_at is not None:
        fields[t("Decided by")] = f"{words.doer(change.decided_label)}, {i18n.clock(change.decided_at, zone)}"
        fields[t("Note")] = change.note
    widgets.fields(fields)
    rules_parts.differences(change.edits, here)
    if change.state == "proposed":
        rules_parts.worked(change.edits, here)
        rules_parts.kept(change.edits, here)
        _decide(here, change)
    elif (
        change.state == "approved"
        and here.actor.may(May.PROPOSE_RULES)
        and st.button(t("Propose to take it back"), key=f"gk_rule_undo_{change.id}")
    ):
        title = t("Take back no. {id}", id=change.id)
        rules_parts.act(
            here.actor,
            "propose rules",
            t("Proposed. Another supervisor decides it; until then everything stays as it is."),
            lambda session: ruling.propose_undo(session, here.actor, change.id, title=title),
        )


def _decide(here: Here, change: Change) -> None:
    stale = ruling.what_moved(here.session, here.actor, change)
    if stale:
        widgets.wrong(
            t("It cannot be approved as it is: the rules changed since it was proposed."),
            "; ".join(say(each) for each in stale),
        )
    mine = change.proposed_by is not None and change.proposed_by == here.actor.user_id
    refused = ruling.refusal(here.actor, change)
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-rule-decide"):
        if refused is None:
            _answer(here, change, stale=bool(stale))
        again = stale and here.actor.may(May.PROPOSE_RULES)
        if again and st.button(t("Propose it on the present rules"), key=f"gk_rule_again_{change.id}"):
            rules_parts.act(
                here.actor,
                "propose rules",
                t("Proposed again on the present rules."),
                lambda session: ruling.propose_again(session, here.actor, change.id),
            )
        if mine and st.button(t("Withdraw"), key=f"gk_rule_withdraw_{change.id}"):
            rules_parts.act(
                here.actor,
                "withdraw rules",
                t("Withdrawn; everything stays as it is."),
                lambda session: ruling.withdraw(session, here.actor, change.id),
            )
    if refused is not None:
        widgets.note(say(refused))


def _answer(here: Here, change: Change, *, stale: bool) -> None:
    note = st.text_input(
        t("Note"),
        key=f"gk_rule_note_{change.id}_{st.session_state.get(state.RULES_ROUND, 0)}",
        max_chars=rules_parts.WORDS_MOST,
        placeholder=t("Needed to reject"),
        width=360,
    )
    if st.button(t("Approve"), type="primary", key=f"gk_rule_approve_{change.id}", disabled=stale):
        rules_parts.act(
            here.actor,
            "approve rules",
            t("Approved; it holds for what is filed from now on."),
            lambda session: ruling.approve(session, here.actor, change.id, note=note),
        )
    if st.button(t("Reject"), key=f"gk_rule_reject_{change.id}"):
        rules_parts.act(
            here.actor,
            "reject rules",
            t("Rejected; everything stays as it is."),
            lambda session: ruling.reject(session, here.actor, change.id, note=note),
        )
