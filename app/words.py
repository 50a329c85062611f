"""The words of stored keys: status, source, task, facility, reason, column; in the language in use."""

from __future__ import annotations

import datetime as dt

from app import i18n
from app.i18n import t
from geodata.osm_facilities import FACILITY_KINDS
from incidents.classes import MAJORS
from incidents.duplicates import LINK_WORDS, UNLINK_REASONS
from incidents.lifecycle import ACT_WORDS, CHOICE_REASONS, REASONS
from incidents.model import DUE_SOON, IncidentRow

WARN_FROM = 80
"""From so many per cent of the time on an incident has the colour of those due soon."""
OWN_DATES = 0
"""Stands among numbers of days for a first and a last day of one's own."""


def status(key: str) -> str:
    """Return the status of an incident."""
    return {
        "reported": t("Reported"),
        "filed": t("Filed"),
        "dispatched": t("Dispatched"),
        "handling": t("In work"),
        "checking": t("Being checked"),
        "closed": t("Closed"),
        "void": t("Void"),
    }.get(key, key)


def source(key: str) -> str:
    """Return where a report came from."""
    return {
        "patrol": t("Worker patrol"),
        "hotline": t("Hotline"),
        "web": t("Web"),
        "app": t("App"),
        "media": t("Media"),
        "superior": t("Superior office"),
        "import": t("Brought in from a file"),
    }.get(key, key)


def place_kind(kind: str, detail: str) -> str:
    """Return what kind of place was found; a facility by its own kind."""
    known = FACILITY_KINDS.get(detail)
    if known is not None:
        return i18n.either(known.label_en, known.label_zh)
    return {"place": t("town or village"), "road": t("street"), "grid": t("unit grid")}.get(kind, "")


def task_kind(key: str) -> str:
    """Return the kind of a task."""
    return {
        "verify": t("Verify on site"),
        "handle": t("Handle"),
        "check": t("Check the result"),
        "visit": t("Visit"),
        "patrol": t("Patrol"),
        "help": t("Come along"),
    }.get(key, key)


def task_state(key: str) -> str:
    """Return the state of a task."""
    return {
        "waiting": t("Waiting"),
        "accepted": t("Accepted"),
        "started": t("Started"),
        "done": t("Done"),
        "returned": t("Returned"),
        "cancelled": t("Cancelled"),
    }.get(key, key)


def category(key: str) -> str:
    """Return the name of a category; an unknown one is its own name."""
    english, chinese = MAJORS.get(key, (key, key))
    return i18n.either(english, chinese)


def period(days: int) -> str:
    """Return the name of a period that ends today; no length means any time."""
    return {
        OWN_DATES: t("Own dates"),
        7: t("Last 7 days"),
        30: t("Last 30 days"),
        90: t("Last 90 days"),
        365: t("Last 12 months"),
    }.get(days, t("Any time"))


def priority(number: int) -> str:
    """Return a priority in words."""
    return {1: t("1, most urgent"), 2: t("2, urgent"), 3: t("3, normal"), 4: t("4, can wait")}.get(number, str(number))


def job_state(key: str) -> str:
    """Return the state of a background job."""
    return {
        "waiting": t("Waiting to begin"),
        "running": t("Running"),
        "done": t("Done"),
        "failed": t("Failed"),
        "cancelled": t("Cancelled"),
    }.get(key, key)


def step(name: str) -> str:
    """Return the name of a step of bringing a city in; a name with a file in it stands as it is."""
    known = {
        "Find the territory": t("Finding the territory"),
        "Estimate people": t("Estimating people"),
        "Communities": t("Storing communities"),
        "Cutting the grid": t("Cutting the grid"),
        "Cutting communities into cells": t("Cutting communities into cells"),
        "Storing the cells": t("Storing the cells"),
        "Write road": t("Storing roads"),
        "Write building": t("Storing buildings"),
        "Write facility": t("Storing facilities"),
        "Write land cover": t("Storing water and green"),
        "Write place name": t("Storing place names"),
        "Cleaning up": t("Cleaning up"),
        "Checking the record": t("Checking the record"),
        "Writing the record": t("Writing the record"),
        "Dumping, and counting what is dumped": t("Dumping, and counting what is dumped"),
        "Reading the file again (MB)": t("Reading the file again (MB)"),
        "Writing the file (MB)": t("Writing the file (MB)"),
        "Restoring (MB)": t("Restoring (MB)"),
        "Comparing rows, checksums and the hashes of the record": t(
            "Comparing rows, checksums and the hashes of the record"
        ),
    }
    if name.startswith("Read "):
        return t("Reading the file")
    return known.get(name, name)


def reason(key: str) -> str:
    """Return why a row waits in quarantine."""
    return {
        "outside": t("Outside every territory"),
        "future": t("Date in the future"),
        "bad_date": t("Date cannot be read"),
        "bad_position": t("Position cannot be read"),
        "swapped": t("Latitude and longitude swapped"),
        "no_position": t("No position"),
        "unknown_class": t("Unknown class"),
        "duplicate": t("Same number twice"),
    }.get(key, key.replace("_", " "))


def load_kind(key: str) -> str:
    """Return what kind of data was brought in."""
    return {
        "osm": t("Map data"),
        "incidents": t("Incidents"),
        "components": t("Components"),
        "demo": t("Demo city"),
        "grid": t("Unit grids"),
        "territory": t("Territory"),
        "responsibility": t("Responsibility grids"),
        "people": t("People, estimated"),
    }.get(key, key)


def load_source(kind: str, name: str) -> str:
    """Return where data came from: the file's name; nothing for what was computed here."""
    return name if kind in {"osm", "incidents", "components", "demo"} else ""


def doer(label: str) -> str:
    """Return who did it; accounts stand as they are, processes in words."""
    return {
        "command line": t("command line"),
        "system": t("the platform itself"),
        "retention": t("the platform itself"),
    }.get(label, label)


def act(key: str) -> str:
    """Return what a record entry did."""
    return {
        "insert": t("Entered"),
        "update": t("Changed"),
        "delete": t("Deleted"),
    }.get(key, key)


def lifecycle_act(key: str) -> str:
    """Return an act on an incident as a button says it."""
    return i18n.either(*ACT_WORDS.get(key, (key, key)))


def reason_of(act_key: str, key: str) -> str:
    """Return the reason of an act."""
    return i18n.either(*REASONS.get(act_key, CHOICE_REASONS).get(key, (key, key)))


def purpose(text: str) -> str:
    """Return the act that a record entry stands under, with its reason; empty for other purposes."""
    act_key, _, why = text.partition(": ")
    if act_key in LINK_WORDS:
        reason = i18n.either(*UNLINK_REASONS[why]) if why in UNLINK_REASONS else ""
        return i18n.either(*LINK_WORDS[act_key]) + (f" ({reason})" if reason else "")
    if act_key not in ACT_WORDS:
        return ""
    return f"{lifecycle_act(act_key)} ({reason_of(act_key, why)})" if why else lifecycle_act(act_key)


def column(key: str) -> str:
    """Return the name of a field in the history of an incident."""
    return {
        "status": t("Status"),
        "priority": t("Priority"),
        "emergency": t("Emergency"),
        "reported_at": t("Reported at"),
        "filed_at": t("Filed at"),
        "dispatched_at": t("Dispatched at"),
        "handled_at": t("Handled at"),
        "closed_at": t("Closed at"),
        "due_at": t("Due"),
        "place": t("Place"),
        "unit_id": t("Unit"),
        "worker_id": t("Grid worker"),
        "grid_id": t("Unit grid"),
        "reworks": t("Reworks"),
        "number": t("Number"),
        "source": t("Source"),
        "state": t("Task"),
        "accepted_at": t("Accepted at"),
        "finished_at": t("Finished at"),
    }.get(key, "")


def due(row: IncidentRow, now: dt.datetime) -> tuple[str, str]:
    """Return what is left for an incident in words, and the tone: late, soon, good, done or empty."""
    if not row.is_open:
        return (status(row.status), "done")
    if row.is_postponed(now):
        return (t("postponed"), "done")
    if row.due_at is None:
        # The clock of a class begins when the incident is filed; before that there is nothing to count.
        return (t("not filed yet") if row.filed_at is None else t("no limit"), "")
    left = i18n.span(row.due_at - now)
    if row.is_late(now):
        return (t("{span} late", span=left), "late")
    used = row.used(now)
    said = t("{span} left · {share} % used", span=left, share=used) if used else t("{span} left", span=left)
    return (said, "soon" if row.due_at - now <= DUE_SOON or used >= WARN_FROM else "good")


def marks(row: IncidentRow) -> str:
    """Return the status of an incident, with what it is marked by: urged, opened again."""
    said = [status(row.status)]
    if row.is_open and row.urged_at is not None:
        said.append(t("urged"))
    if row.is_open and row.reopens:
        said.append(t("reopened"))
    return " · ".join(said)
