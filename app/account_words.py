"""Accounts in words: state, roles with their reach and end, why to look at one, what happened to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from app import i18n, widgets, words
from app.i18n import t
from app.roles import role_name
from app.widgets import Column
from core.identity import Role
from geodata.record import RecordEntry
from people.access_model import AccountRow, Finding, RoleRow, RoleState, Separation

HISTORY_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Places:
    """Names of communities and units by id, to say a reach in words."""

    areas: Mapping[int, str] = field(default_factory=dict)
    units: Mapping[int, str] = field(default_factory=dict)


def state(account: AccountRow, now: dt.datetime) -> tuple[str, str]:
    """Return the state of an account and its tone."""
    if not account.active:
        return t("Closed"), "done"
    if account.locked(now):
        return t("Locked after failed attempts"), "late"
    if account.is_demo:
        return t("Demo, entered by its card"), ""
    if not account.opens:
        return t("Invited, has no password yet"), "soon"
    return t("Open"), ""


def finding(name: Finding) -> str:
    """Return why an account should be looked at."""
    return {
        Finding.NEVER_IN: t("invited, never logged in"),
        Finding.IDLE: t("not logged in for 90 days"),
        Finding.OLD_ROLE: t("role older than a year"),
        Finding.ACTING_ENDS: t("acting ends within 7 days"),
        Finding.ACTING_ENDED: t("acting ended in the last 7 days"),
        Finding.TWO_DUTIES: t("duties that should be apart"),
        Finding.NO_ROLE: t("has no role"),
    }[name]


def separation(name: Separation) -> str:
    """Return which duties of one person should be apart, as a sentence."""
    return {
        Separation.SENDS_AND_CLOSES: t(
            "Dispatches incidents and closes them; the database refuses to close an own dispatch."
        ),
        Separation.ADMINISTERS_AND_READS: t("Keeps the accounts and reads incidents."),
        Separation.AUDITS_OWN_ACTS: t("Audits own acts in another role."),
    }[name]


def role(row: RoleRow) -> str:
    """Return a role, with whose it is when somebody acts for another."""
    name = role_name(row.role)
    return name if row.acting_for is None else t("{role} (for {login})", role=name, login=row.acting_login)


def reach(row: RoleRow, places: Places) -> str:
    """Return the communities or units a role reaches; the whole territory when it says none."""
    names = [places.areas.get(each, str(each)) for each in row.area_ids]
    names += [places.units.get(each, str(each)) for each in row.unit_ids]
    if names:
        return t(", ").join(names)
    return t("what he is sent to") if row.role is Role.GRID_WORKER else t("Whole territory")


def lasts(row: RoleRow, now: dt.datetime, timezone: str) -> tuple[str, str]:
    """Return how long a role lasts or lasted, and its tone."""
    if row.valid_until is None:
        return t("since {day}", day=i18n.clock(row.valid_from, timezone, now=now)), ""
    found, end = row.state(now), last(row.valid_until, timezone, now)
    if found is RoleState.ENDED:
        return t("ended {day}", day=end), "done"
    if found is RoleState.COMING:
        return t("{start} to {end}", start=i18n.clock(row.valid_from, timezone, now=now), end=end), "soon"
    return t("until {day}", day=end), "soon"


def last(end: dt.datetime, timezone: str, now: dt.datetime) -> str:
    """Return the last day of what ends at a midnight, else the moment it ends."""
    midnight = end.astimezone(ZoneInfo(timezone)).time() == dt.time()
    return i18n.last_day(end, timezone) if midnight else i18n.clock(end, timezone, now=now)


def seen(account: AccountRow, timezone: str, now: dt.datetime) -> str:
    """Return when somebody last logged in."""
    return t("never") if account.last_login is None else i18n.clock(account.last_login, timezone, now=now)


def history(entries: Sequence[RecordEntry], timezone: str) -> None:
    """Put what happened to an account, newest first."""
    if not entries:
        widgets.empty(t("No entry in the record."), t("Every later act will stand here."))
        return
    widgets.table(
        [Column(t("When"), fixed=True), Column(t("By")), Column(t("What"))],
        [
            (i18n.clock(entry.at, timezone), words.doer(entry.actor_label), _entry(entry))
            for entry in entries[:HISTORY_SHOWN]
        ],
    )
    if len(entries) > HISTORY_SHOWN:
        widgets.note(t("The newest {count} of {total} entries.", count=HISTORY_SHOWN, total=i18n.number(len(entries))))
    widgets.note(t("The record cannot be changed."))


def _entry(entry: RecordEntry) -> str:
    done = {
        "login": t("Logged in"),
        "act for another": t("Began to act for another"),
        "hand over": t("Handed everything over"),
    }
    purposes = {
        "password by invitation": t("Password set by invitation"),
        "change the own password": t("Own password changed"),
        "login": t("Attempt to log in"),
    }
    if entry.action in done:
        return done[entry.action]
    if entry.table == "user_role":
        return _of_role(entry)
    active = entry.changes.get("active")
    told = words.act(entry.action)
    if entry.action == "insert":
        told = t("Account made")
    elif active is not None:
        told = t("Account opened") if active[1] else t("Account closed")
    elif entry.purpose in purposes:
        told = purposes[entry.purpose]
    elif "locked_until" in entry.changes or "failed_logins" in entry.changes:
        told = t("Lock released")
    return told


def _of_role(entry: RecordEntry) -> str:
    if entry.action == "insert":
        after = {name: new for name, (_, new) in entry.changes.items()}
        name = role_name(Role(str(after.get("role", Role.SYSTEM.value))))
        if after.get("acting_for") is not None:
            return t("Acts as {role}: {reason}", role=name, reason=str(after.get("reason", "")))
        return t("Role given: {role}", role=name)
    if "valid_until" in entry.changes:
        return t("Role ended")
    return t("Reach of a role changed")
