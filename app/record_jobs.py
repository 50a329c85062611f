"""Checking and exporting the record as background work; importing this registers the kinds of job."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.clock import now
from core.errors import GridkeeperError, InvalidInput, NotFound
from core.identity import Actor, May, require, system_actor
from core.progress import Progress
from core.settings import settings
from geodata import jobs, record_proof, sealing
from geodata.db import transaction
from geodata.heads import Head, open_note, read_notes
from geodata.record import note_event
from geodata.territory import list_territories

VERIFY = "verify_record"
EXPORT = "export_record"
FOLDER = "exports"
MEDIA_TYPE = "application/gzip"


def begin(actor: Actor, kind: str) -> int:
    """Queue a check or an export for who may read the record, and return the job's id; an export is recorded.

    Raises
    ------
    NotPermitted
        For other roles.
    InvalidInput
        For an export of a platform with several territories: it would show each the rows of the others.
    """
    require(actor, May.SEE_RECORD)
    with transaction(system_actor(actor.territory_id, label=actor.label)) as session:
        if kind == EXPORT and len(list_territories(session)) > 1:
            raise InvalidInput(
                "An export holds the record of all territories of this platform.",
                hint="Ask who runs the platform for `gridkeeper record export`.",
                zh="导出文件包含本平台所有辖区的操作记录。请联系平台运维人员执行 gridkeeper record export。",
            )
        job_id = jobs.enqueue(session, actor, kind, {})
    if kind == EXPORT:
        with transaction(actor, purpose="export of the record") as session:
            note_event(session, "export", "record", job_id, {})
    return job_id


def latest(actor: Actor, kind: str) -> jobs.Job | None:
    """Return the newest job of a kind; None before the first."""
    require(actor, May.SEE_RECORD)
    with transaction(system_actor(actor.territory_id)) as session:
        return next(iter(jobs.recent_jobs(session, actor.territory_id, kind, limit=1)), None)


def file_for(actor: Actor, job_id: int) -> Path:
    """Return the file of an export of the actor's territory, and record that it was taken.

    Raises
    ------
    NotFound
        When there is none, or no longer.
    """
    require(actor, May.SEE_RECORD)
    with transaction(system_actor(actor.territory_id)) as session:
        mine = [job for job in jobs.recent_jobs(session, actor.territory_id, EXPORT, limit=50) if job.id == job_id]
    name = str(dict(mine[0].result or {}).get("file", "")) if mine else ""
    path = settings().state_dir / FOLDER / name
    if not name or Path(name).name != name or not path.is_file():
        raise NotFound("This export is not there any more.", hint="Make a new one on the page Record.")
    with transaction(actor, purpose="export of the record") as session:
        told = {"bytes": path.stat().st_size, "rows": int((mine[0].result or {}).get("records", 0))}
        note_event(session, "download", "record", job_id, told)
    return path


@jobs.kind(VERIFY)
def _verify(actor: Actor, _arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    require(actor, May.SEE_RECORD)
    begun = time.monotonic()
    published = published_heads()
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
        waiting = sealing.unsealed(session)
        progress.step("Checking the record", (last.tree_size if last else 0) + waiting)
        verdict = record_proof.verify(record_proof.lines(session), [sealing.verifier()], published, progress)
    head = verdict.head
    return {
        "ok": verdict.ok,
        "records": verdict.records,
        "sealed": verdict.sealed,
        "first_bad": verdict.first_bad,
        "reason": verdict.reason,
        "root": base64.b64encode(head.root).decode() if head else "",
        "published_heads": len(published),
        "seconds": round(time.monotonic() - begun, 1),
    }


@jobs.kind(EXPORT)
def _export(actor: Actor, _arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    require(actor, May.SEE_RECORD)
    folder = settings().state_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"record-{now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.jsonl.gz"
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
        progress.step("Writing the record", (last.tree_size if last else 0) + sealing.unsealed(session))
        rows = record_proof.export(session, path, sealing.verifier(), progress)
    path.chmod(0o600)
    for older in folder.glob("record-*.jsonl.gz"):
        if older != path:
            older.unlink(missing_ok=True)
    return {"file": path.name, "records": rows, "bytes": path.stat().st_size}


def published_heads() -> list[Head]:
    """Return the last head of each day in the folder of published heads, of our own key.

    Raises
    ------
    InvalidInput
        When a published file holds a head that is not ours: that itself has to be looked into.
    """
    found: list[Head] = []
    for path in sorted(sealing.heads_folder().glob("heads-*.txt")):
        notes = read_notes(path.read_text())
        if not notes:
            continue
        try:
            found.append(open_note(notes[-1], [sealing.verifier()]))
        except GridkeeperError as error:
            raise InvalidInput(
                f"{path.name}: {error.message}", hint="Compare it with the copy kept elsewhere."
            ) from error
    return found
