"""A roster from a file: every fault named, what it would change, then one act; and the file of what is shown."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, roster_edit, roster_words, state, uploads, widgets
from app.i18n import t
from app.widgets import Column, Fact
from core.errors import GridkeeperError
from core.identity import Actor, May
from geodata.files import read_table, unpacked_bytes
from geodata.territory import TerritoryInfo
from people import rostering
from people.roster_files import Reading, to_csv
from people.rostering import RosterView

ENDINGS = (".csv", ".xlsx")
SHOWN = 40


def export(view: RosterView, rows: Sequence[int]) -> str:
    """Return the rows in view as such a file, by staff number and without names."""
    return to_csv(view.roster, {row: view.members[row].code for row in rows}, view.lead,
                  (view.last - view.first).days + 1, view.plan.patterns)  # fmt: skip


def show(session: Session, actor: Actor, territory: TerritoryInfo, today: dt.date) -> None:
    """Put the part of the page."""
    left, right = st.columns([1, 1.4], gap="medium")
    with left:
        widgets.heading(t("From a file"))
        widgets.write(
            "<p>"
            + widgets.html(t("A CSV or Excel file with a heading and a row a worker and day:"))
            + "</p><pre>worker,day,start,end,break,pattern\n"
            f"W012,{today},08:00,16:00,30,\nW012,{today + dt.timedelta(days=1)},free,,,\n"
            f"W013,{today},21:00,06:00+1,30,\nW014,{today},,,,D</pre>"
        )
        widgets.note(
            t("+1 marks an end on the next day. A pattern holds from the day on. Chinese headings are read too.")
        )
        most = uploads.most_mib(actor, May.MANAGE_WORKERS)
        given = st.file_uploader(
            uploads.labelled(t("Roster file"), most), type=[ending[1:] for ending in ENDINGS], max_upload_size=most,
            key=state.ROSTER_FILE,
        )  # fmt: skip
    with right:
        if given is None:
            widgets.empty(t("No file chosen yet."), t("What it would change is shown here before anything is written."))
            return
        try:
            with uploads.taken(given.getvalue(), given.name, ENDINGS) as path:
                reading = rostering.read_file(
                    session, actor, territory, read_table(path, most_bytes=unpacked_bytes(most))
                )
        except GridkeeperError as error:
            widgets.known_error(error)
            return
        _preview(session, actor, territory, reading)


def _preview(session: Session, actor: Actor, territory: TerritoryInfo, reading: Reading) -> None:
    change = reading.change
    widgets.facts(
        [
            Fact(t("Rows"), i18n.number(reading.rows + len({each.row for each in reading.problems}))),
            Fact(t("Days changed"), i18n.number(len(change.days))),
            Fact(t("Patterns given"), i18n.number(len(change.given))),
            Fact(t("Already so"), i18n.number(reading.unchanged)),
            Fact(
                t("Rows at fault"),
                i18n.number(len({each.row for each in reading.problems})),
                "late" if reading.problems else "",
            ),
        ]
    )
    if reading.problems:
        widgets.alert(t("The file cannot be taken in as it is; nothing was written."))
        kinds = Counter(each.row for each in reading.problems)
        widgets.table(
            [Column(t("What is wrong"))], [(roster_words.problem(each),) for each in reading.problems[:SHOWN]]
        )
        if len(reading.problems) > SHOWN:
            widgets.note(t("and {count} more", count=i18n.number(sum(kinds.values()) - SHOWN)))
        return
    if not change:
        widgets.told(t("Everything in the file is so already."))
        return
    codes = rostering.codes_of(session, actor, territory)
    rows = [
        (codes.get(each.worker_id, ""), i18n.day(each.day), roster_words.hours(each.start_min, each.end_min))
        for each in change.days[:SHOWN]
    ]
    if rows:
        widgets.table([Column(t("Worker"), fixed=True), Column(t("Day")), Column(t("Becomes"))], rows)
    if len(change.days) > SHOWN:
        widgets.note(t("and {count} more", count=i18n.number(len(change.days) - SHOWN)))
    st.button(
        t("Take the file in"), type="primary", key="gk_roster_take",
        on_click=roster_edit.act, args=(actor, territory, lambda _session: change, codes),
    )  # fmt: skip
