"""record seal, head, export, verify, prove: the record for who does not take our word."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.common import AsJson, emit, progress
from app.record_keeping import seal_record
from core.errors import InvalidInput, NotFound
from core.identity import system_actor
from geodata import record_proof, sealing
from geodata.db import transaction
from geodata.heads import Head, Verifier, open_note, read_keys, read_notes
from geodata.merkle import consistency_proof, inclusion_proof

TAMPERED_EXIT = 1
PROOF_ROWS_MOST = 5_000_000
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="File of public keys, got elsewhere; this platform's own without.")
]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    record = groups["record"]
    record.command("seal")(seal)
    record.command("head")(head)
    record.command("export")(export)
    record.command("verify")(verify)
    record.command("prove")(prove)


def seal(as_json: AsJson = False) -> None:
    """Put all rows that wait under the Merkle tree; the jobs process does it every minute."""
    count = seal_record()
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
    emit({"batches": count, "records": last.tree_size if last else 0, "head": last.head if last else None}, as_json)


def head(
    key: Annotated[bool, typer.Option("--key", help="Print the public key instead.")] = False, as_json: AsJson = False
) -> None:
    """Print the newest signed head: keep it elsewhere, and the record up to it can be checked for ever."""
    line = sealing.verifier().line()
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
    if as_json:
        emit(_told(last.head if last else None) | {"key": line}, as_json)
    elif key:
        print(line)
    elif last is None:
        raise NotFound("Nothing is sealed yet.", hint="Run `gridkeeper record seal`.")
    else:
        print(last.head, end="")


def export(
    file: Annotated[Path, typer.Argument(help="File to write; packed when it ends in .gz.")], as_json: AsJson = False
) -> None:
    """Write the record to a file that anybody can check; personal fields stand in it as ciphertext only."""
    with progress() as bars, transaction(system_actor()) as session:
        bars.step("Writing the record")
        rows = record_proof.export(session, file, sealing.verifier(), bars)
    emit({"file": str(file), "records": rows, "bytes": file.stat().st_size}, as_json)


def verify(
    file: Annotated[Path | None, typer.Argument(help="An exported record.")] = None,
    database: Annotated[bool, typer.Option("--database", help="Check the database itself.")] = False,
    heads: Annotated[
        list[Path] | None, typer.Option("--head", help="File of heads that were kept elsewhere; may be repeated.")
    ] = None,
    key: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Check every row, every load, every batch and its head; ends with code 1 when something does not fit."""
    if (file is None) is not database:
        raise InvalidInput("Say what to check: a FILE, or --database.")
    keys = read_keys(key) if key else [sealing.verifier()]
    published = _published(heads or [], keys)
    with progress() as bars:
        bars.step("Checking the record")
        if file is not None:
            verdict = record_proof.verify(record_proof.read(file), keys, published, bars)
        else:
            with transaction(system_actor()) as session:
                verdict = record_proof.verify(record_proof.lines(session), keys, published, bars)
    answer: dict[str, Any] = {
        "ok": verdict.ok,
        "records": verdict.records,
        "sealed": verdict.sealed,
        "head": _short(verdict.head),
        "first_bad": verdict.first_bad,
        "reason": verdict.reason,
        "published_heads": len(published),
    }
    emit(answer, as_json)
    if not verdict.ok:
        raise typer.Exit(TAMPERED_EXIT)


def prove(
    seq: Annotated[int | None, typer.Argument(help="Sequence number of a row.")] = None,
    since: Annotated[int | None, typer.Option("--since", help="Size of an older head.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the proof that a row is under the newest head, or that the newest head goes on from an older one."""
    if (seq is None) is (since is None):
        raise InvalidInput("Say what to prove: a row by its number, or --since SIZE.")
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
        if last is None:
            raise NotFound("Nothing is sealed yet.", hint="Run `gridkeeper record seal`.")
        if last.tree_size > PROOF_ROWS_MOST:
            raise InvalidInput(
                f"Proofs are made for up to {PROOF_ROWS_MOST:,} rows; this record has {last.tree_size:,}.",
                hint="Check an export with `gridkeeper record verify FILE`.",
            )
        leaves = list(sealing.leaves(session, last.tree_size))
        index = sealing.leaf_index(session, seq) if seq is not None else None
    if seq is not None and index is None:
        raise NotFound(f"Row {seq} is not sealed, or there is none.", hint="Run `gridkeeper record seal`.")
    try:
        path = inclusion_proof(leaves, index) if index is not None else consistency_proof(leaves, since or 0)
    except ValueError as error:
        raise InvalidInput(f"There is no head over {since} rows before one over {last.tree_size}.") from error
    answer: dict[str, Any] = {"size": last.tree_size, "root": base64.b64encode(last.root).decode()}
    answer |= {"index": index, "leaf": leaves[index].hex()} if index is not None else {"since": since}
    emit(answer | {"path": [each.hex() for each in path], "head": last.head}, as_json)


def _published(files: list[Path], keys: list[Verifier]) -> list[Head]:
    found = []
    for path in files:
        if not path.exists():
            raise NotFound(f"There is no file {path}.")
        notes = read_notes(path.read_text())
        if not notes:
            raise InvalidInput(f"{path} holds no head.", hint="Give a file that was published, such as head.txt.")
        found += [open_note(note, keys) for note in notes]
    return found


def _told(note: str | None) -> dict[str, Any]:
    if note is None:
        return {"size": 0, "root": None, "at": None, "head": None}
    opened = open_note(note, [sealing.verifier()])
    return {"size": opened.size, "root": base64.b64encode(opened.root).decode(), "at": opened.at, "head": note}


def _short(head_: Head | None) -> dict[str, Any] | None:
    if head_ is None:
        return None
    at: dt.datetime = head_.at
    return {"size": head_.size, "root": base64.b64encode(head_.root).decode(), "at": at}
