"""rules list, show, propose, approve, reject, withdraw, export, check: the rules and their changes by two persons."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from core.errors import DataQuality, InvalidInput, NotFound
from core.identity import Actor, system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from incidents import rule_files, rule_words
from incidents.rules import CALENDAR, CLASS, DAY, LIMIT, Change, Edit, Fields, Key, Row
from incidents.service import ruling
from people import accounts

As = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Act in the name of this account, within its role.")]
Which = Annotated[int, typer.Argument(metavar="CHANGE", help="Number of the change.")]
TABLES = {"classes": CLASS, "limits": LIMIT, "calendars": CALENDAR}
STATES = ("proposed", "approved", "rejected", "withdrawn")


@dataclass(frozen=True, slots=True)
class Here:
    """Where a command works, and who acts."""

    session: Session
    actor: Actor
    territory: TerritoryInfo


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    group = groups["rules"]
    group.command("list")(list_)
    group.command("show")(show)
    group.command("propose")(propose)
    group.command("approve")(approve)
    group.command("reject")(reject)
    group.command("withdraw")(withdraw)
    group.command("export")(export)
    group.command("check")(check)


def list_(
    what: Annotated[str, typer.Argument(help="changes, classes, limits or calendars.")] = "changes",
    *,
    state: Annotated[str | None, typer.Option(help="Of changes: " + ", ".join(STATES))] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List changes, or the rules of a kind with their versions."""
    if what not in {"changes", *TABLES}:
        raise InvalidInput(f"There is no list of {what!r}.", hint="Lists: changes, classes, limits, calendars.")
    if state is not None and state not in STATES:
        raise InvalidInput(f"There is no state {state!r}.", hint=f"States: {', '.join(STATES)}.")
    with _acting(territory) as here:
        rules = ruling.read_rules(here.session, here.actor)
        if what == "changes":
            found = ruling.list_changes(here.session, here.actor, states=() if state is None else (state,))
            rows = {str(change.id): _short(change, rules) for change in found}
        else:
            rows = {key: _row(table, key, row, rules) for (table, key), row in rules.items() if table == TABLES[what]}
    if as_json:
        emit({what: rows}, as_json)
        return
    emit({key: _line(row) for key, row in rows.items()} or {what: "none"}, as_json)


def show(change: Which, *, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Show a change: what it changes, who proposed and decided it, and what stands in its way."""
    with _acting(territory) as here:
        told = _told(here, ruling.get_change(here.session, here.actor, change))
    _emit(told, as_json)


def propose(
    file: Annotated[Path, typer.Argument(help="JSON as 'rules export' writes it, or CSV; only what shall change.")],
    *,
    as_: As,
    title: Annotated[str, typer.Option(help="What the change is called; empty: what it changes.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for who decides it.")] = "",
    start: Annotated[str | None, typer.Option("--from", help="First day of changed limits, 2027-01-01.")] = None,
    calendar: Annotated[str, typer.Option(help="Code of the calendar, for a CSV of days.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Propose a change of the rules; another person approves it."""
    wanted = _wanted(file, calendar)
    with _acting(territory, as_) as here:
        made = ruling.propose(here.session, here.actor, wanted, title=title, reason=reason, start=_day(start))
        told = _told(here, made)
    _emit(told, as_json)


def approve(
    change: Which,
    *,
    as_: As,
    note: Annotated[str, typer.Option(help="Kept with the decision.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Approve what somebody else proposed, and write it."""
    with _acting(territory, as_) as here:
        told = _told(here, ruling.approve(here.session, here.actor, change, note=note))
    _emit(told, as_json)


def reject(
    change: Which,
    *,
    as_: As,
    note: Annotated[str, typer.Option(help="Why; its proposer reads it.")],
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Reject what somebody else proposed."""
    with _acting(territory, as_) as here:
        told = _told(here, ruling.reject(here.session, here.actor, change, note=note))
    _emit(told, as_json)


def withdraw(change: Which, *, as_: As, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Take one's own proposal back."""
    with _acting(territory, as_) as here:
        told = _told(here, ruling.withdraw(here.session, here.actor, change))
    _emit(told, as_json)


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to write; standard output when left out.")] = None,
    *,
    calendar: Annotated[str, typer.Option(help="Only the days of this calendar, as CSV.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Write all rules as one JSON document that 'rules propose' reads."""
    with _acting(territory) as here:
        rules = ruling.read_rules(here.session, here.actor)
    if calendar and (CALENDAR, calendar) not in rules:
        raise NotFound(f"There is no calendar {calendar!r}.", hint=f"Known: {', '.join(_calendars(rules))}.")
    text = rule_files.days_as_csv(rules, calendar) if calendar else _json(rule_files.document(rules))
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.", hint="Choose another place.") from error
    emit({"file": str(file), "rules": len(rules)}, as_json)


def check(
    file: Annotated[Path | None, typer.Argument(help="A change to check; the rules as they stand without.")] = None,
    *,
    reason: Annotated[str, typer.Option(help="As it would be given with the proposal.")] = "",
    start: Annotated[str | None, typer.Option("--from", help="First day of changed limits.")] = None,
    calendar: Annotated[str, typer.Option(help="Code of the calendar, for a CSV of days.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say what a change would do and everything that is wrong with it; nothing is kept. Exit code 2 when it is."""
    with _acting(territory) as here:
        rules = ruling.read_rules(here.session, here.actor)
        if file is None:
            edits: tuple[Edit, ...] = ()
            found = ruling.check_present(here.session, here.actor)
        else:
            wanted = _wanted(file, calendar)
            edits, found = ruling.check(here.session, here.actor, wanted, reason=reason, start=_day(start))
            found = found if edits else ()  # what is so already needs no proposal, and is no fault
    changes = [rule_words.sentence(edit, rules)[0] for edit in edits]
    faults = [english for english, _ in found]
    if as_json:
        emit({"ok": not found, "changes": changes, "violations": faults}, as_json)
    else:
        print(
            "\n".join([*changes, *(f"wrong: {fault}" for fault in faults)]) or "nothing would change, nothing is wrong"
        )
    if found:
        raise typer.Exit(DataQuality.exit_code)


@contextlib.contextmanager
def _acting(territory: str | None, login: str | None = None) -> Iterator[Here]:
    """Open a transaction in the territory, as the command line or in the name of an account."""
    actor = system_actor(label="command line")
    db.ensure_database()
    with db.transaction(actor, purpose="rules") as session:
        chosen = find_territory(session, territory)
        actor = system_actor(chosen.id, label="command line")
        if login is not None:
            account = accounts.find_account(session, login, chosen.id)
            actor = replace(account.actor(), label=f"{account.login} (command line)")
        db.as_actor(session, actor, purpose="rules")
        yield Here(session, actor, chosen)


def _wanted(file: Path, calendar: str) -> dict[Key, Fields | None]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8 text.", hint="Save it as UTF-8.") from error
    return rule_files.wanted_from(text, file.name, calendar=calendar)


def _day(given: str | None) -> dt.date | None:
    if given is None:
        return None
    try:
        return dt.date.fromisoformat(given)
    except ValueError as error:
        raise InvalidInput(f"{given!r} is no day.", hint="Write it as 2027-01-01.") from error


def _told(here: Here, change: Change) -> dict[str, Any]:
    rules = ruling.read_rules(here.session, here.actor)
    waits = change.state == "proposed"
    return _short(change, rules) | {
        "reason": change.reason,
        "note": change.note,
        "changes": [rule_words.sentence(edit, rules)[0] for edit in change.edits],
        "moved": [english for english, _ in ruling.what_moved(here.session, here.actor, change)] if waits else [],
        "edits": [edit.as_json() for edit in change.edits],
    }


def _emit(told: Mapping[str, Any], as_json: bool) -> None:
    """Print a change; the stored form of its edits is for scripts only."""
    if as_json:
        emit(told, as_json)
        return
    emit({name: value for name, value in told.items() if name not in {"changes", "edits"}}, as_json)
    print("\n".join(told["changes"]))


def _short(change: Change, rules: Mapping[Key, Row]) -> dict[str, Any]:
    return {
        "id": change.id,
        "title": change.title or rule_words.headline(change.edits, rules)[0],
        "state": change.state,
        "proposed_by": change.proposed_label,
        "proposed_at": change.proposed_at.isoformat(),
        "decided_by": change.decided_label or None,
        "decided_at": None if change.decided_at is None else change.decided_at.isoformat(),
    }


def _row(table: str, key: str, row: Row, rules: Mapping[Key, Row]) -> dict[str, Any]:
    told = {"title": rule_words.subject_of(table, key, row.fields, rules)[0], "version": row.version, **row.fields}
    if table == CALENDAR:
        told["days"] = sum(name == DAY and each.startswith(f"{key}|") for name, each in rules)
    return told


def _line(row: Mapping[str, Any]) -> str:
    if "state" in row:
        decided = f", decided by {row['decided_by']}" if row["decided_by"] else ""
        return f"{row['state']}: {row['title']} (proposed by {row['proposed_by']}{decided})"
    if "value" in row:
        return f"{row['title']}: {rule_words.limit_words(row['value'], row['unit'])[0]} (version {row['version']})"
    if "hours" in row:
        return (
            f"{row['title']}: {rule_words.hours_words(row['hours'])[0]}, {row['days']} days (version {row['version']})"
        )
    retired = "" if row["active"] else ", retired"
    return f"{row['name_en']}, priority {row['priority']} (version {row['version']}{retired})"


def _calendars(rules: Mapping[Key, Row]) -> list[str]:
    return [key for table, key in rules if table == CALENDAR]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
