"""Two steps of the set-up: the rules, and incidents of the past."""

from __future__ import annotations

import streamlit as st

from app import guard, i18n, set_up_acts, set_up_parts, widgets, words
from app.i18n import t
from app.set_up_acts import acting
from app.set_up_model import State, Step
from app.uploads import TABLE_ENDINGS
from app.widgets import Column
from core.identity import Actor
from geodata.db import transaction
from geodata.holdings import Holdings
from geodata.jobs import Job
from geodata.territory import TerritoryInfo
from incidents.calendars import code_for


def rules(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put what rules there are, and the act of seeding what is missing."""
    widgets.fields(
        {
            t("Classes of incident"): widgets.link(i18n.number(held.classes), "/rules"),
            t("Limits"): widgets.link(i18n.number(held.limits), "/rules"),
            t("Calendar of the territory"): f"{code_for(home.timezone)} ({home.timezone})"
            if held.has_calendar
            else None,
            t("Days off and make-up workdays ahead"): i18n.number(held.calendar_days_ahead),
        },
        beside=True,
    )
    if step.state is State.DONE:
        widgets.note(t("Changes are proposed by one person and approved by another."))
        widgets.write(f"<p>{widgets.link(t('All about rules'), '/rules').text}</p>")
        return
    widgets.note(t("The shipped classes and limits, and the public holidays of the country. All can be edited."))
    if set_up_parts.act(t("Take the shipped rules"), name="rules"):
        with guard.page():
            with transaction(acting(actor), purpose="set up: rules") as session:
                added = set_up_acts.seed_rules(session, actor, home)
            set_up_parts.go_on(
                t(
                    "{classes} classes, {limits} limits and {calendars} calendars were added.",
                    **{name: i18n.number(count) for name, count in added.items()},
                )
            )


def incidents(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put the act of bringing a file of old incidents in, and that there is none."""
    newest = set_up_parts.newest(actor, set_up_acts.INCIDENTS)
    if set_up_parts.at_work(newest):
        return
    _outcome(newest)
    if held.no_old_incidents:
        widgets.note(t("There are no old incidents: somebody said so here. A file can still be brought in."))
    widgets.note(
        t(
            "A row per report with place (longitude and latitude), time and class. Columns about persons are left out,"
            " free text is kept sealed, rows that cannot be taken wait in quarantine. You see counts only."
        )
    )
    file = set_up_parts.pick(t("CSV, Excel, GeoJSON or GeoPackage"), name="incident_file")
    kinds = {"closed": t("closed"), "filed": t("still open")}
    status = st.radio(
        t("Reports that do not say their state are"),
        list(kinds),
        format_func=kinds.__getitem__,
        horizontal=True,
        key="gk_set_up_status",
    )
    with st.container(horizontal=True):
        pressed = set_up_parts.act(
            t("Bring in old incidents"), name="incidents", disabled=file is None, primary=step.state is not State.DONE
        )
        none = step.state is State.TO_DO and set_up_parts.act(
            t("There are no old incidents"), name="no_incidents", primary=False
        )
    if pressed:
        given = {"name": home.name, "status": status}
        set_up_parts.begin(actor, set_up_acts.INCIDENTS, given, file=file, endings=TABLE_ENDINGS)
    if none:
        with guard.page():
            with transaction(acting(actor), purpose="set up: old incidents") as session:
                set_up_acts.no_old_incidents(session, actor, home)
            set_up_parts.go_on(t("Noted: there are no old incidents."))


def _outcome(job: Job | None) -> None:
    """Put what came of the last file, in counts."""
    if job is None or job.state != "done" or job.result is None:
        return
    found = job.result
    names = {
        "read": t("Rows read"),
        "loaded": t("Brought in"),
        "duplicates": t("There already"),
        "rejected": t("In quarantine"),
    }
    widgets.heading(t("The last file"))
    widgets.fields({label: i18n.number(found.get(name, 0)) for name, label in names.items()}, beside=True)
    reasons = found.get("reasons") or {}
    if reasons:
        widgets.table(
            [Column(t("Reason")), Column(t("Rows"), right=True)],
            [(words.reason(name), i18n.number(count)) for name, count in reasons.items()],
        )
