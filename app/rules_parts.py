"""What the parts of the page of the rules share: what was read, addresses, a change shown in words, acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, widgets
from app.i18n import t, tn
from app.widgets import Cell, Column, Html
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import rule_words
from incidents.calendars import code_for
from incidents.model import FiledUnder
from incidents.rule_checks import violations
from incidents.rule_examples import Example, examples
from incidents.rules import CALENDAR, CLASS, DAY, LIMIT, Change, Edit, Key, Row, Wanted, edits_for, limit_key
from incidents.service import ruling

ROW_HEIGHT_PX = 32
ROWS_SHOWN = 18
CHOSEN_ROW = "background-color: #DDEBEA"
EDITS_SHOWN = 12
WORDS_MOST = 1000
TABS = {CLASS: "classes", LIMIT: "limits", CALENDAR: "calendars", DAY: "calendars"}
NAMES = {CLASS: "class", LIMIT: "limit", CALENDAR: "calendar", DAY: "calendar"}


@dataclass(frozen=True, slots=True)
class Here:
    """Who reads, where, and the rules with the changes that wait."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    rules: Mapping[Key, Row]
    waiting: Sequence[Change]

    @property
    def today(self) -> dt.date:
        """Return the day that changes count from."""
        return now().date()

    @property
    def own_calendar(self) -> str:
        """Return the code of the territory's calendar."""
        return code_for(self.territory.timezone)

    def of(self, table: str) -> dict[str, Row]:
        """Return the rows of a table by key."""
        return {key: row for (name, key), row in self.rules.items() if name == table}

    def waiting_for(self, table: str, key: str) -> list[Change]:
        """Return the waiting changes that are about a row; those of its days count for a calendar."""
        return [
            change
            for change in self.waiting
            if any(
                (edit.table, edit.key) == (table, key)
                or (table == CALENDAR and edit.table == DAY and edit.key.startswith(f"{key}|"))
                for edit in change.edits
            )
        ]


def address(table: str, key: str) -> str:
    """Return the address of a row."""
    code = key.partition("|")[0] if table == DAY else key
    return f"/rules?tab={TABS[table]}&{NAMES[table]}={code}"


def filed_under(kept: FiledUnder | None, name: str) -> dict[str, Cell]:
    """Return the rules an incident keeps: its limit and its class by ``name`` and code, with the version of then."""
    if kept is None:
        return {}
    told: dict[str, Cell] = {}
    if kept.limit is not None:
        limit = say(rule_words.limit_words(kept.limit.value, kept.limit.unit))
        told[t("Limit")] = widgets.link(
            t("{limit}, version {version}", limit=limit, version=kept.limit_version),
            address(LIMIT, limit_key(kept.class_key, "handle")),
        )
    if kept.class_version is not None:
        words = t("{name} ({code}), version {version}", name=name, code=kept.class_key, version=kept.class_version)
        told[t("Class")] = widgets.link(words, address(CLASS, kept.class_key))
    return told


def name_of(change: Change, here: Here) -> str:
    """Return what a change is called: its title, else what it changes."""
    return change.title or i18n.either(*rule_words.headline(change.edits, here.rules))


def say(pair: rule_words.Say) -> str:
    """Return a pair of words in the language in use."""
    return i18n.either(*pair)


def news() -> None:
    """Put what came of the last act, once."""
    told = st.session_state.pop(state.RULES_TOLD, None)
    if told is not None:
        widgets.told(told[0], widgets.link(t("Look at it"), f"/rules?tab=changes&change={told[1]}"))
    error = st.session_state.pop(state.RULES_WRONG, None)
    if error is not None:
        widgets.known_error(error)


def act(actor: Actor, purpose: str, words: str, do: Callable[[Session], Change]) -> None:
    """Do an act in a transaction of its own and draw the page anew with what came of it."""
    try:
        with transaction(actor, purpose=purpose) as session:
            done = do(session)
    except GridkeeperError as error:
        st.session_state[state.RULES_WRONG] = error
    else:
        st.session_state[state.RULES_TOLD] = (words, done.id)
        fresh_table()
    st.rerun()


def fresh_table() -> None:
    """Let the next table begin without a selection."""
    st.session_state[state.RULES_ROUND] = st.session_state.get(state.RULES_ROUND, 0) + 1


def table(
    columns: Mapping[str, Sequence[object]], keys: Sequence[str], chosen: str | None, widths: Sequence[int], what: str
) -> str | None:
    """Put rows that open by a click on any cell, and return the key of the one clicked."""
    wide = dict(zip(columns, widths, strict=True))
    frame = pd.DataFrame({name: cells for name, cells in columns.items() if name != t("Remark") or any(cells)})
    marks = [CHOSEN_ROW if key == chosen else "" for key in keys]
    event = st.dataframe(
        frame.style.apply(lambda _column: marks),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{state.RULES_TABLE}_{what}_{i18n.locale()}_{st.session_state.get(state.RULES_ROUND, 0)}",
        row_height=ROW_HEIGHT_PX,
        height=(min(len(frame), ROWS_SHOWN) + 1) * ROW_HEIGHT_PX + 4,
        column_config={name: st.column_config.TextColumn(name, width=wide[name]) for name in frame.columns},
    )
    places = [row for row, _ in event["selection"]["cells"]]
    return keys[places[0]] if places and places[0] < len(keys) else None


def differences(edits: Sequence[Edit], here: Here) -> None:
    """Put what a change changes: a row per field, before and after."""
    rows: list[tuple[Cell, ...]] = []
    for edit in edits[:EDITS_SHOWN]:
        name: Cell = widgets.link(say(rule_words.subject(edit, here.rules)), address(edit.table, edit.key))
        parts = [part for part in rule_words.differences(edit, here.rules) if part.before != part.after]
        if edit.after is None:
            rows.append((name, t("ends"), None, None))
            continue
        for part in parts:
            rows.append((name, say(part.field), say(part.before), say(part.after)))
            name = Html("")
        if edit.start is not None:
            rows.append((Html(""), t("begins on"), None, i18n.day(edit.start)))
    widgets.table([Column(t("Rule")), Column(t("Field")), Column(t("Before")), Column(t("After"))], rows)
    if len(edits) > EDITS_SHOWN:
        widgets.note(tn("and {count} more row", "and {count} more rows", len(edits) - EDITS_SHOWN))


def worked(edits: Sequence[Edit], here: Here) -> None:
    """Put the same incident before and after a change, filed on a Friday at four."""
    found = examples(edits, here.rules, timezone=here.territory.timezone, own=here.own_calendar, today=here.today)
    if not found:
        return
    widgets.heading(t("Worked example"))
    widgets.table(
        [Column(t("Rule")), Column(t("Filed at")), Column(t("Due so far")), Column(t("Due then"))],
        [
            (
                say(each.about),
                _at(each.filed, each.timezone),
                _at(each.before, each.timezone),
                _due_then(each),
            )
            for each in found[:EDITS_SHOWN]
        ],
    )


def _due_then(example: Example) -> Cell:
    text = _at(example.after, example.timezone)
    if example.before is None or example.after is None:
        return text
    away = i18n.span(example.after - example.before)
    told = t("{span} later", span=away) if example.after > example.before else t("{span} earlier", span=away)
    if example.after == example.before:
        told = t("as before")
    return Html(f'{widgets.html(text)} <span class="gk-muted">{widgets.html(told)}</span>')


def _at(when: dt.datetime | None, zone: str) -> str:
    return "–" if when is None else i18n.long_day(when, zone)


def kept(edits: Sequence[Edit], here: Here) -> None:
    """Say how many open incidents keep the deadline they have; to those who see incidents."""
    if not here.actor.may(May.SEE_INCIDENTS):
        return
    count = ruling.keeps_old_clock(here.session, here.actor, edits)
    if count:
        words = tn(
            "{count} open incident keeps the deadline it has; only what is filed after the approval counts anew.",
            "{count} open incidents keep the deadline they have; only what is filed after the approval counts anew.",
            count,
        )
        widgets.note(words)
    elif count == 0:
        widgets.note(t("No open incident has a deadline by these rules; what stands is never moved."))


def ask(here: Here, wanted: Wanted, key: str, *, start: dt.date | None = None) -> None:
    """Put what the form would change, what is wrong with it, and the button that proposes it."""
    edits = edits_for(here.rules, wanted, start=start)
    if not edits:
        widgets.note(t("Nothing is changed yet."))
        return
    differences(edits, here)
    worked(edits, here)
    kept(edits, here)
    reason = st.text_area(
        t("Why"), key=f"gk_rule_why_{key}", max_chars=WORDS_MOST, height=80, placeholder=t("Read by who decides it")
    )
    found = violations(edits, here.rules, reason=reason, today=here.today)
    for each in found[:EDITS_SHOWN]:
        widgets.alert(say(each))
    if st.button(t("Propose the change"), type="primary", key=f"gk_rule_go_{key}", disabled=bool(found)):
        act(
            here.actor,
            "propose rules",
            t("Proposed. Another supervisor decides it; until then everything stays as it is."),
            lambda session: ruling.propose(session, here.actor, wanted, reason=reason, start=start),
        )


def waits(here: Here, table_: str, key: str) -> None:
    """Say which changes of a row wait for a decision."""
    for change in here.waiting_for(table_, key):
        link = widgets.link(name_of(change, here), f"/rules?tab=changes&change={change.id}")
        widgets.write(f"<p>{widgets.html(t('Waits for a decision:'))} {link.text}</p>")
