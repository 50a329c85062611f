"""backup, restore, erase: the whole city in one verified file, and persons who are to be forgotten."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.cli.common import AsJson, TerritoryName, emit, progress
from core.errors import Conflict, InvalidInput
from core.identity import system_actor
from core.settings import settings
from geodata import db, erasure
from geodata.backup import take_backup
from geodata.restore import look, restore
from geodata.tables import PURPOSES
from geodata.territory import find_territory

KeysFile = Annotated[Path | None, typer.Option("--keys", help="File of the keys of persons; keep it apart.")]
WORD = "replace"


def register(app: typer.Typer, _groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    app.command("backup")(backup)
    app.command("restore")(restore_file)
    app.command("erase")(erase)


def backup(
    file: Annotated[Path, typer.Argument(help="Where the backup goes; must not be there yet.")],
    *,
    keys: KeysFile = None,
    as_json: AsJson = False,
) -> None:
    """Back up the whole city into one file, and restore it once into a scratch database to prove it."""
    actor = system_actor(label="command line")
    with progress() as shown:
        taken = take_backup(file, actor, keys=keys, progress=shown)
    told: dict[str, object] = {
        "file": str(file),
        "bytes": taken.bytes,
        "sha256": taken.sha256,
        "verified": taken.verified,
        "rows": sum(taken.counts.values()),
        "last_seq": taken.last_seq,
        "keys": None if keys is None else str(keys),
        "seconds": taken.seconds,
    }
    if not as_json:
        told |= {f"note {number}": note for number, note in enumerate(_notes(keys), start=1)}
    emit(told, as_json)


def _notes(keys: Path | None) -> list[str]:
    secret = "GRIDKEEPER_SECRET" if settings().secret is not None else str(settings().state_dir / "secret")
    notes = [f"The master secret ({secret}) is in neither file. Without it no name, phone or note opens again."]
    if keys is None:
        notes.append(
            "The keys of persons are not in the backup: without --keys FILE their names are lost with this city."
        )
    return notes


def restore_file(
    file: Annotated[Path, typer.Argument(help="A backup that `gridkeeper backup` made.")],
    *,
    keys: KeysFile = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the city that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    without_keys: Annotated[bool, typer.Option("--without-keys", help="Names of persons stay unreadable.")] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup; the present city is untouched until the restored one is proved equal."""
    actor = system_actor(label="command line")
    with progress() as shown:
        looked = look(file, keys=keys, progress=shown)
    if not looked.empty and replace and not yes:
        _ask(looked.present, str(looked.sealed.manifest["made_at"]))
    with progress() as shown:
        done = restore(looked, actor, replace=replace, without_keys=without_keys, progress=shown)
    emit(dataclasses.asdict(done), as_json)


def _ask(present: Mapping[str, int], made_at: str) -> None:
    has = ", ".join(f"{count:,} rows in {table}" for table, count in present.items())
    print(f"The city that is there ({has}) goes; the one of {made_at} takes its place.", file=sys.stderr)
    if typer.prompt(f"Type '{WORD}' to go on", err=True, default="", show_default=False).strip() != WORD:
        raise Conflict("Nothing was touched.", hint=f"Type '{WORD}', or give --yes.")


def erase(
    subject: Annotated[str | None, typer.Argument(help="Subject of the person (a UUID).")] = None,
    *,
    purpose: Annotated[str, typer.Option(help="One of: " + ", ".join(PURPOSES))],
    worker: Annotated[str | None, typer.Option(help="Staff number of a grid worker instead.")] = None,
    incident: Annotated[
        str | None, typer.Option(help="Number of an incident instead: reporter, phone, note, unblurred photos.")
    ] = None,
    phone_stdin: Annotated[
        bool, typer.Option("--phone-stdin", help="Whoever gave the number read from input.")
    ] = False,
    reference: Annotated[str, typer.Option(help="Number of the letter or order; never a name.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person for good: name, phone and free text open never again, restored backups included."""
    if sum(map(bool, (subject, worker, incident, phone_stdin))) != 1:
        raise InvalidInput("Say who, in one way.", hint="Give a subject, --worker, --incident or --phone-stdin.")
    actor = system_actor(label="command line")
    with db.transaction(actor, purpose=f"erase: {purpose}") as session:
        if subject:
            subjects = [subject]
        else:
            home = find_territory(session, territory).id
            if worker:
                subjects = [erasure.subject_of_worker(session, home, worker)]
            elif incident:
                subjects = [erasure.subject_of_incident(session, home, incident)]
                subjects += erasure.subjects_of_evidence(session, home, incident)
            else:
                subjects = erasure.subjects_of_phone(session, home, sys.stdin.readline().strip())
        for each in subjects:
            erasure.erase_person(session, actor, each, purpose=purpose, reference=reference)
    emit({"erased": len(subjects), "subjects": subjects}, as_json)
