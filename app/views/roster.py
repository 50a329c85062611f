"""Roster: who is on duty, who covers which grid, the table of weeks and months, broken rules, changes, files."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import streamlit as st
from sqlalchemy.orm import Session

from app import (
    guard,
    i18n,
    roster_edit,
    roster_file,
    roster_now,
    roster_rules_page,
    roster_table,
    roster_words,
    state,
    widgets,
)
from app.exports import recorded
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from people import rostering
from people.rostering import RosterView

SPANS = (7, 14, 28, 91)


@dataclass(frozen=True, slots=True)
class Here:
    """What every part of the page needs."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    moment: dt.datetime

    @property
    def today(self) -> dt.date:
        """Return the local day."""
        return self.moment.astimezone(self.territory.zone).date()


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    with transaction(actor) as session:
        here = Here(session, actor, territory_of(session, actor), now())
        widgets.title(
            t("Roster"),
            simulated=here.territory.is_demo,
            aside=i18n.long_day(here.moment, here.territory.timezone),
        )
        st.html(roster_table.style())
        part = _part(actor)
        roster_edit.news()
        if part == "now":
            roster_now.show(session, actor, here.territory, here.moment)
        elif part == "table":
            _table(here)
        elif part == "worker":
            roster_edit.show(session, actor, here.territory, here.today)
        elif part == "rules":
            roster_rules_page.show(session, actor, here.territory, here.today)
        elif part == "file":
            roster_file.show(session, actor, here.territory, here.today)


def _part(actor: Actor) -> str:
    """Put the parts of the page to choose from and return the chosen one, which the address keeps."""
    names = {"now": t("On duty"), "table": t("Table"), "worker": t("One worker"), "rules": t("Rules")}
    if actor.may(May.MANAGE_WORKERS):
        names["file"] = t("From a file")
    asked = st.query_params.get("show", "now")
    key = f"{state.ROSTER_SHOW}_{i18n.locale()}"
    if asked in names and st.session_state.get(f"{key}_asked") != asked:
        st.session_state[key] = asked
        st.session_state[f"{key}_asked"] = asked
    if st.session_state.get(key) not in names:
        st.session_state[key] = "now"
    chosen = st.segmented_control(
        t("Part of the roster"), list(names), format_func=names.__getitem__, key=key, label_visibility="collapsed",
        required=True,
    ) or "now"  # fmt: skip
    if chosen != asked:
        st.query_params["show"] = chosen
        st.session_state[f"{key}_asked"] = chosen
    return chosen


def _table(here: Here) -> None:
    """Put the table of weeks or months, with the file of what it shows."""
    language = i18n.locale()
    with widgets.filter_bar():
        first = st.date_input(
            t("First day"), _asked_day() or here.today - dt.timedelta(days=here.today.weekday()),
            format=widgets.DATE_FORMATS[language], key=f"{state.ROSTER_DAY}_{language}", width=150,
        )  # fmt: skip
        days = st.selectbox(
            t("Length"), SPANS, index=1, format_func=_span, key=f"{state.ROSTER_DAYS}_{language}", width=150
        )
        view = rostering.roster_view(here.session, here.actor, here.territory, first, days)
        units = {each.unit_id: i18n.either(each.unit_name, each.unit_name_zh) for each in view.workers.values()}
        unit = st.selectbox(
            t("Works for"), [None, *sorted(units, key=units.__getitem__)], key=f"{state.ROSTER_UNIT}_{language}",
            format_func=lambda key: t("All units") if key is None else units[key], width=240,
        )  # fmt: skip
        wanted = st.text_input(t("Number or name"), key=f"{state.ROSTER_FIND}_{language}", width=160)
    rows = [row for row in view.rows() if _fits(view, row, unit, wanted)]
    if not rows:
        widgets.empty(
            t("No worker fits.") if view.workers else t("No workers yet."),
            t("Take a filter away.") if view.workers else t("Workers stand here once they are entered."),
            link_label=t("Roster"),
            href="/roster?show=table",
        )
        return
    hours = roster_table.hours_in(view.roster, rows, view.lead, days, view.plan.patterns)
    heads = {
        row: roster_table.worker_link(view.members[row].code, view.workers[view.members[row].id].name or "")
        for row in rows
    }
    st.html(roster_table.legend(hours))
    st.html(roster_table.table(view, rows, hours, heads, today=here.today))
    with st.container(horizontal=True, vertical_alignment="center"):
        counted = i18n.tn("{count} worker", "{count} workers", len(rows))
        broken = len(view.violations)
        rules = t("no rule broken") if not broken else i18n.tn("{count} rule broken", "{count} rules broken", broken)
        widgets.write(f"<p>{counted} · {widgets.link(rules, '/roster?show=rules', 'late' if broken else '').text}</p>")
        st.download_button(
            t("Save as CSV"),
            lambda: recorded(here.actor, "roster", len(rows), lambda: roster_file.export(view, rows)),
            file_name=f"roster-{first}-{days}.csv",
            mime="text/csv",
            on_click="ignore",
        )


def _fits(view: RosterView, row: int, unit: int | None, wanted: str) -> bool:
    who = view.workers[view.members[row].id]
    text = roster_words.worker(who, who.code).casefold()
    return (unit is None or who.unit_id == unit) and wanted.strip().casefold() in text


def _span(days: int) -> str:
    return (
        i18n.tn("{count} day", "{count} days", days)
        if days < 14
        else i18n.tn("{count} week", "{count} weeks", days // 7)
    )


def _asked_day() -> dt.date | None:
    try:
        return dt.date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        return None


with guard.page():
    show()
