"""Quarantine: rows that broke a rule, with every reason; mended here, or in a spreadsheet, and brought in again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st
from sqlalchemy.orm import Session

from app import gate_words, guard, i18n, state, uploads, widgets, words
from app.data_gate import place_in
from app.exports import recorded
from app.i18n import t, tn
from app.where import territory_of
from app.widgets import Column
from core.identity import Actor, May, require
from core.settings import settings
from geodata import quarantine
from geodata.db import transaction
from geodata.exchange_run import WGS84
from geodata.quarantine import QuarantinedView, Waiting
from geodata.territory import TerritoryInfo
from layers import overview

SHOWN = 200
FIELDS_AT_MOST = 12
LISTED = 40


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.BRING_DATA)
    asked = str(st.query_params.get("batch", ""))
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        waiting = quarantine.waiting(session, actor, territory.id)
        chosen = next((each for each in waiting if str(each.batch_id) == asked), waiting[0] if waiting else None)
        rows = _rows(session, actor, territory, chosen)
    widgets.title(t("Quarantine"))
    told = st.session_state.pop(state.QUARANTINE_TOLD, None)
    if told:
        widgets.told(told)
    if chosen is None:
        widgets.empty(
            t("Nothing waits."),
            t("Rows of files that break a rule wait here, with every reason and what could stand there instead."),
            link_label=t("Bring in"),
            href="/bring-in",
        )
    else:
        left, right = st.columns([1.6, 1], gap="large")
        with left:
            _files(waiting, chosen)
            picked = _list(rows, chosen)
        with right:
            if picked is not None:
                _mend(actor, territory, picked)
            _all_suggested(actor, territory, rows)
            _sheet(actor, territory, chosen)
    if actor.may(May.LOAD_DATA):
        with transaction(actor) as session:
            _incidents(session, territory)


def _rows(session: Session, actor: Actor, territory: TerritoryInfo, chosen: Waiting | None) -> list[QuarantinedView]:
    if chosen is None:
        return []
    return quarantine.list_rows(session, actor, territory.id, batch_id=chosen.batch_id, limit=SHOWN)


def _files(waiting: list[Waiting], chosen: Waiting) -> None:
    rows = [
        (
            widgets.link(each.file_name, f"/quarantine?batch={each.batch_id}")
            if each.batch_id != chosen.batch_id
            else each.file_name,
            each.data_set,
            i18n.number(each.rows),
        )
        for each in waiting
    ]
    widgets.table([Column(t("File")), Column(t("Data set")), Column(t("Rows that wait"), right=True)], rows)


def _list(rows: list[QuarantinedView], chosen: Waiting) -> QuarantinedView | None:
    widgets.heading(chosen.file_name, aside=tn("{count} row waits", "{count} rows wait", chosen.rows))
    widgets.table(
        [
            Column(t("Row"), right=True),
            Column(t("Column"), wide=True),
            Column(t("What is wrong")),
            Column(t("Could be")),
        ],
        [
            (
                i18n.number(each.row_number),
                one["field"].replace(" + ", "+").replace("+", ", "),
                _what(one, chosen),
                gate_words.could_be(one),
            )
            for each in rows[:LISTED]
            for one in each.violations
        ],
    )
    if len(rows) > LISTED:
        widgets.note(t("The first {count} are shown; save them all as a table below.", count=i18n.number(LISTED)))
    widgets.note(
        t(
            "What is not mended by {day} is forgotten then: such rows may name people and are kept for {days} days.",
            day=i18n.day(chosen.until),
            days=i18n.number(settings().keep_quarantine_days),
        )
    )
    numbers = {each.id: each for each in rows}
    picked = st.selectbox(
        t("Row to mend"),
        list(numbers),
        format_func=lambda at: _label(numbers[at]),
        key=f"gk_quarantine_{chosen.batch_id}",
    )
    return numbers.get(picked)


def _what(one: Mapping[str, str], chosen: Waiting) -> widgets.Html:
    """Return what is wrong with a cell, and the steward's rule it breaks, as a link to the rules."""
    told = widgets.html(_sentence(one))
    if not one.get("by"):
        return widgets.Html(told)
    rule = widgets.link(t("rule {number}", number=one["by"]), f"/catalogue?entry=set-{chosen.key}")
    return widgets.Html(f'{told} <span class="gk-small">{rule.text}</span>')


def _label(row: QuarantinedView) -> str:
    return f"{i18n.number(row.row_number)}: {_sentence(row.violations[0])}" if row.violations else str(row.row_number)


def _sentence(one: object) -> str:
    told = one if isinstance(one, Mapping) else {}
    shown = f" ({told['value']})" if told.get("value") else ""
    return i18n.either(str(told.get("sentence", "")), str(told.get("sentence_zh", ""))) + shown


def _mend(actor: Actor, territory: TerritoryInfo, row: QuarantinedView) -> None:
    widgets.heading(t("Row {row}", row=i18n.number(row.row_number)))
    for one in row.violations:
        widgets.alert(_sentence(one))
    wrong = {
        part for one in row.violations for part in str(one["field"]).replace(", ", "+").replace(" + ", "+").split("+")
    }
    shown = [heading for heading in row.raw if not heading.startswith("_")]
    ordered = sorted(shown, key=lambda heading: heading not in wrong)[:FIELDS_AT_MOST]
    better, meant = quarantine.suggested(row), gate_words.meant(row)
    with st.form(f"gk_mend_{row.id}", border=False):
        mended = {}
        for heading in ordered:
            label = widgets.plain(heading)
            if heading in better:
                label = t("{column} (it was: {cell})", column=label, cell=widgets.plain(row.raw[heading] or "–"))
            value = better.get(heading, row.raw[heading])
            mended[heading] = st.text_input(label, value=value, key=f"gk_mend_{row.id}_{heading}")
            if heading in meant:
                picked = st.selectbox(
                    t("Or one of the places that it could mean"), meant[heading], index=None,
                    placeholder=t("As it is written above"), key=f"gk_meant_{row.id}_{heading}",
                )  # fmt: skip
                mended[heading] = picked or mended[heading]
        if better:
            widgets.note(t("Suggestions stand in the fields already; look whether they are right."))
        if WGS84 in better and st.checkbox(t("Take the shape as it was mended by the platform"), value=True):
            mended[WGS84] = better[WGS84]
        first, second = st.columns(2)
        again = first.form_submit_button(t("Bring it in again"), type="primary")
        gone = second.form_submit_button(t("Leave it out for good"))
    if again:
        with guard.page():
            changed = {heading: cell for heading, cell in mended.items() if cell != row.raw.get(heading)}
            with transaction(actor, purpose="mend a row") as session:
                place = place_in(session, territory)
                done = quarantine.retry(session, actor, territory, {row.id: changed}, place=place)
            number = i18n.number(row.row_number)
            _tell(t("Row {row} is in.", row=number) if done.fixed else t("Row {row} still breaks a rule.", row=number))
    if gone:
        with guard.page():
            with transaction(actor, purpose="drop a row") as session:
                quarantine.drop(session, actor, territory.id, [row.id], versions={row.id: row.version})
            _tell(t("Row {row} is left out.", row=i18n.number(row.row_number)))


def _tell(words_: str) -> None:
    st.session_state[state.QUARANTINE_TOLD] = words_
    st.rerun()


def _all_suggested(actor: Actor, territory: TerritoryInfo, rows: list[QuarantinedView]) -> None:
    """Put the way to take every suggestion at once, of the rows that have one for all that is wrong with them."""
    better = {each.id: quarantine.suggested(each) for each in rows if quarantine.mendable(each)}
    if len(better) < 2:
        return
    widgets.heading(t("Take the suggestions"))
    label = tn("Mend {count} row as suggested", "Mend {count} rows as suggested", len(better))
    if st.button(label, key="gk_quarantine_suggested"):
        with guard.page():
            with transaction(actor, purpose="mend rows as suggested") as session:
                place = place_in(session, territory)
                done = quarantine.retry(session, actor, territory, better, place=place)
            fixed, tried = i18n.number(done.fixed), i18n.number(done.tried)
            _tell(t("{fixed} of {tried} rows are in.", fixed=fixed, tried=tried))


def _sheet(actor: Actor, territory: TerritoryInfo, chosen: Waiting) -> None:
    widgets.heading(t("Mend many in a spreadsheet"))
    widgets.note(t("Save the rows, mend the cells, and bring the same file back: only these rows are read."))
    st.download_button(
        t("Save the rows as a table"), partial(_csv, actor, territory, chosen), f"quarantine-{chosen.batch_id}.csv",
        "text/csv", key="gk_quarantine_save", on_click="ignore",
    )  # fmt: skip
    most = uploads.most_mib(actor, May.BRING_DATA)
    file = st.file_uploader(
        uploads.labelled(t("The mended table"), most), max_upload_size=most, key="gk_quarantine_file"
    )
    if st.button(t("Bring the mended rows in"), disabled=file is None, key="gk_quarantine_bring") and file is not None:
        with guard.page():
            path = uploads.save(file, file.name, (".csv", ".xlsx"), most_mib=most)
            try:
                with uploads.called(path, file.name), transaction(actor, purpose="mend rows") as session:
                    place = place_in(session, territory)
                    done = quarantine.retry_file(session, actor, territory, path, place=place)
            finally:
                path.unlink(missing_ok=True)
            fixed, tried = i18n.number(done.fixed), i18n.number(done.tried)
            _tell(t("{fixed} of {tried} rows are in.", fixed=fixed, tried=tried))


def _csv(actor: Actor, territory: TerritoryInfo, chosen: Waiting) -> str:
    with transaction(actor) as session:
        rows = quarantine.list_rows(session, actor, territory.id, batch_id=chosen.batch_id, limit=quarantine.MOST_ROWS)
        headings = quarantine.headings_of(session, rows)
    return recorded(actor, "quarantined_row", len(rows), lambda: "\ufeff" + quarantine.as_csv(rows, headings))


def _incidents(session: Session, territory: TerritoryInfo) -> None:
    found = overview.quarantine_by_reason(session, territory.id)
    if found:
        widgets.heading(t("Rows of incident files"))
        widgets.table(
            [Column(t("Reason")), Column(t("Rows"), right=True)],
            [(words.reason(each.reason), i18n.number(each.rows)) for each in found],
        )


show()
