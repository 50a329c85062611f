"""The parts of the page Health & backup: what was looked at, backups, and what is kept how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, retention, widgets, words
from app.health_model import Check, State, size
from app.i18n import t, tn
from app.widgets import Cell, Column, Fact
from core.identity import Actor, May, require, system_actor
from core.settings import settings
from geodata import jobs
from geodata.backup import TakenBackup
from geodata.db import transaction
from geodata.jobs import Job

BACKUP = "backup"
REFRESH_S = 1.5
YEAR_DAYS = 365
TECHNICAL = frozenset({"commands", "codes", "queue", "runs"})
"""Classes that only who asks for the reasons is shown."""
TONES = {State.FAULT: "late", State.WARNING: "soon", State.UNKNOWN: "done", State.OK: "good"}


def state_word(state: State) -> str:
    """Return a state as a word."""
    return {
        State.FAULT: t("Fault"),
        State.WARNING: t("Warning"),
        State.UNKNOWN: t("Unknown"),
        State.OK: t("In order"),
    }[state]


def strip(
    checks: Sequence[Check], sizes: dict[str, int | None], last: TakenBackup | None, sessions: int | None
) -> None:
    """Put the facts on top."""
    faults = sum(check.state is State.FAULT for check in checks)
    warnings = sum(check.state is State.WARNING for check in checks)
    base, free = sizes.get("database"), sizes.get("free")
    widgets.facts(
        [
            Fact(t("Faults"), i18n.number(faults), "late" if faults else "", href="#checks"),
            Fact(t("Warnings"), i18n.number(warnings), "soon" if warnings else "", href="#checks"),
            Fact(t("Last backup"), t("none") if last is None else i18n.distance(last.at), href="#backups"),
            Fact(t("Database"), "–" if base is None else size(base), href="#checks"),
            Fact(t("Free on disk"), "–" if free is None else size(free), href="#checks"),
            Fact(t("Open sessions"), i18n.number(sessions), href="/accounts"),
        ]
    )


def table_of_checks(checks: Sequence[Check]) -> None:
    """Put every check, worst first, with its way out."""
    widgets.heading(t("Checks"), anchor="checks")
    widgets.table(
        [Column(t("State"), fixed=True), Column(t("What"), fixed=True), Column(t("How it stands"))],
        [(widgets.toned(state_word(each.state), TONES[each.state]), each.title, _sentence(each)) for each in checks],
    )


def _sentence(check: Check) -> Cell:
    way = f'<br><span class="gk-muted gk-small">{widgets.html(check.way_out)}</span>' if check.way_out else ""
    return widgets.Html(widgets.html(check.sentence) + way)


def act(
    actor: Actor, latest: Job | None, *, kind: str, label: str, told: Callable[[Job], str], primary: bool = False
) -> None:
    """Put the button that starts a job, or how far it is, and what came of the last one."""
    if latest is not None and not latest.ended:
        _running(latest.id)
        return
    if st.button(label, type="primary" if primary else "secondary", key=f"gk_{kind}"):
        with guard.page():
            with transaction(actor, purpose=label) as session:
                jobs.enqueue(session, actor, kind, {})
            st.rerun()
    if latest is None:
        return
    if latest.state == "failed":
        widgets.wrong(t("The last time did not work."), latest.message)
    elif latest.state == "done":
        widgets.note(told(latest))


@st.fragment(run_every=REFRESH_S)
def _running(job_id: int) -> None:
    with guard.page():
        actor = guard.current_actor()
        require(actor, May.KEEP_RUNNING)
        keeper = system_actor(label=actor.label)  # whoever keeps the platform running sees work begun elsewhere too
        with transaction(keeper) as session:
            job = jobs.get_job(session, job_id)
        if job.ended:
            st.rerun()
        step = words.step(job.step) if job.step else words.job_state(job.state)
        if job.total:
            counted = f"{step}: {i18n.number(job.done)} / {i18n.number(job.total)}"
            st.progress(min(job.done / job.total, 1.0), text=counted)
        else:
            widgets.write(f"<p>{widgets.html(step)}</p>")
        widgets.note(t("You may close this page; the work goes on and its result will stand here."))
        if st.button(t("Cancel"), key=f"gk_cancel_{job_id}"):
            with transaction(keeper) as session:
                jobs.request_cancel(session, job_id)


def backups(actor: Actor, latest: Job | None, taken: Sequence[TakenBackup], timezone: str) -> None:
    """Put the backups with the button that takes one."""
    widgets.heading(t("Backups"), anchor="backups")
    act(actor, latest, kind=BACKUP, label=t("Back up now"), told=_backed_up, primary=True)
    if not taken:
        widgets.empty(
            t("No backup yet."),
            t("Each is one file, restored at once into a scratch database and compared before it counts."),
        )
        return
    widgets.table(
        [
            Column(t("When"), fixed=True),
            Column(t("Size"), right=True),
            Column(t("Verified")),
            Column(t("Keys of persons")),
        ],
        [
            (
                i18n.clock(each.at, timezone),
                size(each.bytes),
                widgets.toned(t("restored and equal"), "good") if each.verified else widgets.toned(t("no"), "late"),
                t("saved apart") if each.keys_saved else widgets.toned(t("not saved"), "soon"),
            )
            for each in taken
        ],
    )
    folder = settings().backup_dir or settings().state_dir / "backups"
    widgets.note(
        t(
            "The newest is {file}; those taken here and at night lie in {folder}.",
            file=taken[0].file_name,
            folder=folder,
        )
    )


def _backed_up(job: Job) -> str:
    found = dict(job.result or {})
    seconds = found.get("seconds")
    return t("Done in {seconds} s.", seconds=i18n.number(seconds if isinstance(seconds, (int, float)) else None, 1))


def kept(session: Session, actor: Actor, latest: Job | None, timezone: str) -> None:
    """Put what is kept how long, with the button that cleans up."""
    rules = retention.rules(session, actor)
    last = max((rule.last.at for rule in rules if rule.last), default=None)
    cleaned = "" if last is None else t("cleaned up {when}", when=i18n.clock(last, timezone))
    widgets.heading(t("What is kept how long"), anchor="retention", aside=cleaned)
    widgets.table(
        [Column(t("Data")), Column(t("Kept"), right=True), Column(t("Deleted last time"), right=True)],
        [
            (
                rule.name,
                _span(rule.keep_days),
                i18n.number(rule.last.deleted) if rule.last else None,
            )
            for rule in rules
            if rule.key not in TECHNICAL
        ],
    )
    act(actor, latest, kind=retention.JOB, label=t("Run the clean-up now"), told=_cleaned)
    with st.expander(t("Why so long, and how to change it")):
        widgets.table(
            [Column(t("Data")), Column(t("Legal ground")), Column(t("Setting"), wide=True)],
            [(rule.name, rule.ground, f"{rule.setting}={rule.keep_days}") for rule in rules],
            bare=True,
        )
        widgets.note(t("Each setting has bounds. Incidents and the record are kept for ever."))


def _span(days: int) -> str:
    """Return a time of keeping in years where it is whole years, else in days."""
    if days >= YEAR_DAYS and days % YEAR_DAYS == 0:
        return tn("{count} year", "{count} years", days // YEAR_DAYS)
    return tn("{count} day", "{count} days", days)


def _cleaned(job: Job) -> str:
    rows = sum(count for count in dict(job.result or {}).values() if isinstance(count, int))
    return tn("Done; {count} row was forgotten.", "Done; {count} rows were forgotten.", rows)
