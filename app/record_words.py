"""The words of the record: tables, acts, fields and values, and where an object has its page."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from app import i18n, reporter_panel, words
from app.i18n import t
from app.roles import role_name
from core.identity import Actor, May, Role
from geodata.record_search import RecordRow
from insight.accountability import GENERATED

LONGEST_VALUE = 160


def table(key: str) -> str:
    """Return what the rows of a table are; a table without a word is its own name."""
    return {
        "absence": t("Absence"),
        "access_review": t("Review of an account"),
        "app_user": t("Account"),
        "area": t("Community or area"),
        "backup": t("Backup"),
        "calendar": t("Calendar"),
        "calendar_day": t("Day of a calendar"),
        "class_owner": t("Duty"),
        "erasure": t("Erasure"),
        "facility": t("Facility"),
        "grid_change": t("Change of grids"),
        "grid_note": t("Note on a grid"),
        "incident": t("Incident"),
        "incident_class": t("Class"),
        "incident_personal": t("Reporter and note"),
        "access_answer": t("Access"),
        "study_file": t("Report of a study"),
        "named_layer": t("Layer of planning"),
        "norm": t("Norm"),
        "invitation": t("Invitation"),
        "person": t("Person"),
        "record": t("The record itself"),
        "responsibility_grid": t("Responsibility grid"),
        "roster_exception": t("Changed day"),
        "roster_rule": t("Rule of the roster"),
        "rule_change": t("Change of the rules"),
        "shift_pattern": t("Shift pattern"),
        "standing_deputy": t("Standing deputy"),
        "review": t("Review of a finding"),
        "review_explanation": t("Explanation of a review"),
        "review_threshold": t("Threshold of a rule"),
        "study": t("Study"),
        "study_decision": t("Decision on sites"),
        "task": t("Task"),
        "territory": t("Territory"),
        "time_limit": t("Time limit"),
        "unit": t("Unit"),
        "unit_grid": t("Unit grid"),
        "user_role": t("Role of an account"),
        "worker": t("Worker"),
        "worker_pattern": t("Worker's pattern"),
    }.get(key, key)


def act(key: str) -> str:
    """Return what was done."""
    return {
        "bulk_insert": t("Many entered"),
        "bulk_update": t("Many changed"),
        "bulk_delete": t("Many deleted"),
        "login": t("Logged in"),
        "export": t("Export"),
        "download": t("Download"),
        "act for another": t("Took up another's role"),
        "hand over": t("Handed over"),
        "erase": t("Erased a person"),
        "clean up": t("Cleaned up"),
        "read reporter": t("Read who reported"),
    }.get(key) or words.act(key)


def role(key: str) -> str:
    """Return the role somebody acted in."""
    return role_name(Role(key)) if key in set(Role) else key


def purpose(text: str) -> str:
    """Return the purpose of an act; one that is no known act stands as it was given."""
    if text == GENERATED:
        return t("simulated")
    return words.purpose(text) or reporter_panel.purpose_words(text) or text


def subject(row: RecordRow) -> str:
    """Return what a row is about: "Incident 4711"."""
    return f"{table(row.table)} {row.subject_id}" if row.subject_id else table(row.table)


def field(key: str) -> str:
    """Return the name of a column; one without a word is its own name."""
    return words.column(key) or key


def value(column: str, held: Any, timezone: str) -> str:
    """Return a value as a reader sees it, cut where it is long."""
    if held is None:
        return "–"
    if isinstance(held, bool):
        return t("yes") if held else t("no")
    if column == "status":
        return words.status(str(held))
    if column == "role":
        return role(str(held))
    if column.endswith("_at") and isinstance(held, str):
        try:
            return i18n.clock(dt.datetime.fromisoformat(held), timezone)
        except ValueError:
            pass
    told = held if isinstance(held, str) else json.dumps(held, ensure_ascii=False)
    return told if len(told) <= LONGEST_VALUE else f"{told[:LONGEST_VALUE]} …"


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[tuple[str, Any, Any]]:
    """Return column, before and after of every column that differs."""
    old, new = before or {}, after or {}
    names = [*new, *(name for name in old if name not in new)]
    return [(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def page_of(actor: Actor, row: RecordRow, held: Mapping[str, Any]) -> str:
    """Return the address of the object's page; empty where it has none, or the actor may not see it.

    Parameters
    ----------
    held
        The object as it was after the act, or before it was deleted.
    """
    one = row.subject_id or ""
    if not one or row.action.startswith("bulk_"):
        return ""
    incident = one if row.table == "incident" else str(held.get("incident_id") or "")
    code, login = str(held.get("code") or ""), str(held.get("login") or "")
    known = {
        "unit": f"/units?unit={one}" if actor.may(May.SEE_PEOPLE) else "",
        "worker": f"/workers?worker={code}" if code and actor.may(May.SEE_PEOPLE) else "",
        "unit_grid": f"/grid-file?grid={one}",
        "grid_change": f"/draw-balance?change={one}" if actor.may(May.PROPOSE_GRIDS) else "",
        "study": f"/study?study={one}" if actor.may(May.SEE_STUDIES) else "",
        "study_decision": f"/decision?decision={one}" if actor.may(May.SEE_STUDIES) else "",
        "named_layer": "/planning-layers" if actor.may(May.SEE_STUDIES) else "",
        "norm": f"/access?facility={held.get('facility_kind')}" if actor.may(May.SEE_STUDIES) else "",
        "app_user": f"/accounts?user={login}" if login and actor.may(May.REVIEW_USERS) else "",
    }
    if row.table in {"incident", "task"} and incident.isdecimal() and actor.may(May.SEE_INCIDENTS):
        return f"/incidents?incident={incident}"
    return known.get(row.table, "")
