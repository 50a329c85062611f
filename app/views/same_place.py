"""Same place: rows of two units' files that may be one, side by side with the reasons, and who decided what."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, pair_words, state, widgets
from app.data_gate import known_sets
from app.i18n import t, tn
from app.where import territory_of
from app.widgets import Column, Fact
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata import pairing
from geodata.db import transaction
from geodata.pairing import PairView
from geodata.territory import TerritoryInfo

SHOWN = 40
FIELDS_AT_MOST = 12
DIGITS = 18
"""A longer number is none of a pair."""


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.BRING_DATA)
    which = str(st.query_params.get("state", "open"))
    which = which if which in {"open", *pairing.STATES} else "open"
    asked = str(st.query_params.get("pair", ""))
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        counts = pairing.counts(session, actor, territory)
        pairs = pairing.list_pairs(session, actor, territory, state=which, limit=SHOWN)
        sets = known_sets(session, territory.id)
        chosen = next((each for each in pairs if str(each.id) == asked), None)
        if chosen is None and asked.isdecimal() and len(asked) <= DIGITS:
            chosen = pairing.one_pair(session, actor, territory, int(asked))
    widgets.title(t("Same place?"))
    told = st.session_state.pop(state.PAIR_TOLD, None)
    if told:
        widgets.told(told)
    if any(counts.values()):
        _strip(counts)
    if chosen is None and asked:
        widgets.note(t("This does not exist, or not in your area."))
    chosen = chosen or (pairs[0] if pairs else None)
    if chosen is None:
        _nothing(counts, which)
    else:
        left, right = st.columns([1.2, 1], gap="large")
        with left:
            _list(pairs, chosen, which, counts[which])
        with right:
            _pair(actor, territory, chosen)
    _compare(actor, territory, sets, first=not any(counts.values()))


def _strip(counts: dict[str, int]) -> None:
    widgets.facts(
        [
            Fact(pair_words.state(name), i18n.number(count), href=f"/same-place?state={name}" if count else "")
            for name, count in counts.items()
        ]
    )


def _nothing(counts: dict[str, int], which: str) -> None:
    if which == "open" and not any(counts.values()):
        widgets.empty(
            t("No data sets were compared yet."),
            t("The same clinic often stands in the files of two units. Compare them, and decide pair by pair."),
        )
    else:
        widgets.empty(t("Nothing waits."), t("Every pair that was found is decided."))


def _list(pairs: list[PairView], chosen: PairView, which: str, count: int) -> None:
    widgets.heading(pair_words.state(which), aside=tn("{count} pair", "{count} pairs", count))
    widgets.table(
        [Column(t("Likely"), right=True), Column(t("One")), Column(t("The other")), Column(t("Apart"), right=True)],
        [
            (
                f"{each.score:.0%}",
                each.one.name
                if each.id == chosen.id
                else widgets.link(each.one.name, f"/same-place?state={which}&pair={each.id}"),
                each.other.name,
                pair_words.apart(each.terms),
            )
            for each in pairs
        ],
    )
    if count > len(pairs):
        widgets.note(t("The likeliest {count} are shown.", count=i18n.number(len(pairs))))


def _pair(actor: Actor, territory: TerritoryInfo, pair: PairView) -> None:
    widgets.heading(t("Pair {number}", number=i18n.number(pair.id)), aside=f"{pair.score:.0%}")
    sides = (pair.one, pair.other)
    names = list(dict.fromkeys(name for side in sides for name in side.said))[:FIELDS_AT_MOST]
    rows = [(t("Data set"), *(side.title for side in sides)), (t("Row"), *(side.key for side in sides))]
    rows += [(name, *(str(side.said.get(name) or "") for side in sides)) for name in names]
    widgets.table([Column(""), Column(t("One")), Column(t("The other"))], rows)
    for side in sides:
        if side.gone:
            widgets.alert(t("Row {key} of {title} holds no longer.", key=side.key, title=side.title))
    widgets.note(pair_words.terms(pair.terms))
    if pair.state != "open":
        when = i18n.clock(pair.decided_at, territory.timezone)
        said = pair_words.state(pair.state)
        widgets.note(t("{who} decided on {when}: {what}.", who=pair.decided_label, when=when, what=said))
        if pair.reason:
            widgets.note(pair.reason)
    with st.form(f"gk_pair_{pair.id}", border=False):
        decision = st.radio(
            t("They are"),
            pairing.STATES,
            index=pairing.STATES.index(pair.state) if pair.state in pairing.STATES else None,
            format_func=pair_words.choice,
            key=f"gk_pair_{pair.id}_choice",
            horizontal=True,
        )
        reason = st.text_input(
            t("Reason"), value=pair.reason, max_chars=pairing.LONGEST, key=f"gk_pair_{pair.id}_reason",
            placeholder=t("needed unless they are one place"),
        )  # fmt: skip
        pressed = st.form_submit_button(t("Save the decision"), type="primary")
    if pressed:
        with guard.page():
            if decision is None:
                raise InvalidInput(t("Nothing is chosen."), hint=t("Choose what the two rows are."))
            with transaction(actor, purpose="decide on a pair") as session:
                pairing.decide(session, actor, territory, pair.id, pairing.Answer(decision, reason, pair.version))
            st.session_state[state.PAIR_TOLD] = t("Pair {number} is decided.", number=i18n.number(pair.id))
            st.query_params.pop("pair", None)
            st.rerun()


def _compare(actor: Actor, territory: TerritoryInfo, sets: dict[str, str], *, first: bool) -> None:
    with st.expander(t("Compare two data sets"), expanded=first):
        if len(sets) < 2:
            widgets.note(t("There are not two data sets yet. Bring them in first."))
            return
        one, two, three = st.columns([2, 2, 1], vertical_alignment="bottom")
        keys = list(sets)
        a = one.selectbox(t("One"), keys, format_func=lambda key: sets[key], key="gk_pair_one")
        b = two.selectbox(t("The other"), keys, index=1, format_func=lambda key: sets[key], key="gk_pair_other")
        if three.button(t("Compare them"), key="gk_pair_compare", type="primary" if first else "secondary"):
            with guard.page():
                with transaction(actor, purpose="compare data sets") as session:
                    found = _found(session, actor, territory, a, b)
                st.session_state[state.PAIR_TOLD] = t(
                    "{found} pairs may be one place, {new} of them new.",
                    found=i18n.number(found["found"]),
                    new=i18n.number(found["new"]),
                )
                st.rerun()
        widgets.note(t("Compared are rows within 400 m of each other: by name, distance, address and telephone."))


def _found(session: Session, actor: Actor, territory: TerritoryInfo, one: str, other: str) -> dict[str, int]:
    return pairing.compare(session, actor, territory, one, other)


show()
