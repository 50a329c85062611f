"""Heads of the record for the outside, the daily sheet to print, and the file of an export.

Heads, public keys and the feed are open: they hold no data, and are worth something only where they
lie outside this machine. The sheet and the export are for who may read the record.
"""

from __future__ import annotations

import base64
import datetime as dt
import textwrap
import time
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import i18n, record_jobs
from app.api import forms
from app.api.tiles import actor_of
from app.where import territory_of
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require, system_actor
from geodata import sealing
from geodata.db import transaction
from geodata.sealing import Batch

FEED_ENTRIES = 50
KEPT_S = 10.0
"""So long an answer to strangers is given again without asking the database."""
GROUP = 4
KEEP = {"cache-control": "public, max-age=30"}
_kept: dict[str, tuple[float, str]] = {}


def _fresh(name: str) -> str:
    """Return the text of an open address, made anew after a few seconds."""
    at, body = _kept.get(name, (0.0, ""))
    if not body or time.monotonic() - at > KEPT_S:
        with transaction(system_actor()) as session:
            found = sealing.batches(session, limit=FEED_ENTRIES)
        if name == "heads.xml":
            body = _feed(found)
        elif name == "keys.txt":
            body = _keys()
        else:
            body = found[0].head if found else ""
        _kept[name] = (time.monotonic(), body)
    return body


def _keys() -> str:
    """Return all public keys that were ever published, and the one in use."""
    path, line = sealing.heads_folder() / sealing.KEYS_FILE, sealing.verifier().line()
    known = [each for each in path.read_text().splitlines() if each] if path.exists() else []
    return "\n".join([*known, *([] if line in known else [line])]) + "\n"


def _feed(found: list[Batch]) -> str:
    name = sealing.verifier().name
    newest = found[0].sealed_at if found else dt.datetime.fromtimestamp(0, dt.UTC)
    entries = "".join(
        f"<entry><id>urn:{escape(name)}:{batch.tree_size}</id><title>{batch.tree_size} rows</title>"
        f"<updated>{_stamp(batch.sealed_at)}</updated>"
        f'<content type="text">{escape(batch.head)}</content></entry>\n'
        for batch in found
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<id>urn:{escape(name)}</id><title>Heads of the record {escape(name)}</title>"
        f"<author><name>{escape(name)}</name></author><updated>{_stamp(newest)}</updated>\n{entries}</feed>\n"
    )


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def serve_head(_request: Request) -> Response:
    """Answer with the newest signed head."""
    body = await run_in_threadpool(_fresh, "head.txt")
    if not body:
        return PlainTextResponse("Nothing is sealed yet.\n", status_code=404)
    return PlainTextResponse(body, headers=KEEP)


async def serve_keys(_request: Request) -> Response:
    """Answer with the public keys that heads are checked with."""
    return PlainTextResponse(await run_in_threadpool(_fresh, "keys.txt"), headers=KEEP)


async def serve_feed(_request: Request) -> Response:
    """Answer with the newest heads as an Atom feed."""
    body = await run_in_threadpool(_fresh, "heads.xml")
    return Response(body, media_type="application/atom+xml; charset=utf-8", headers=KEEP)


async def serve_sheet(request: Request) -> Response:
    """Answer with the sheet of a day, to print and keep."""
    actor = actor_of(request)
    require(actor, May.SEE_RECORD)
    try:
        day = dt.date.fromisoformat(request.query_params.get("day", ""))
    except ValueError as error:
        raise InvalidInput("Say the day as 2026-03-01.") from error
    body = await run_in_threadpool(_sheet, actor, day)
    return forms.answer(request, body, chosen=actor.locale)


def _sheet(actor: Actor, day: dt.date) -> str:
    i18n.use(actor.locale)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        begins = dt.datetime.combine(day, dt.time(), territory.zone)
        batch = sealing.last_before(session, dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), territory.zone))
    if batch is None or batch.sealed_at < begins:
        raise NotFound(f"Nothing was sealed on {day.isoformat()}.", hint="Choose a day from the page Record.")
    root = base64.b64encode(batch.root).decode()
    return (
        forms.pages()
        .get_template("record_sheet.html")
        .render(
            language=actor.locale,
            title=territory.title(actor.locale),
            day=i18n.day(day),
            size=i18n.number(batch.tree_size),
            root=textwrap.wrap(root, GROUP),
            root_hex=textwrap.wrap(batch.root.hex(), GROUP),
            sealed_at=batch.sealed_at.astimezone(territory.zone).strftime("%Y-%m-%d %H:%M:%S %Z"),
            head=batch.head,
            key=sealing.verifier().line(),
        )
    )


async def serve_sheet_style(_request: Request) -> Response:
    """Answer with how the sheet looks on paper."""
    return FileResponse(forms.TEMPLATES / "record_sheet.css", media_type="text/css")


async def serve_export(request: Request) -> Response:
    """Answer with the file of an export, and record that it was taken."""
    path = await run_in_threadpool(record_jobs.file_for, actor_of(request), request.path_params["job"])
    headers = {"cache-control": "no-store"}
    return FileResponse(path, filename=path.name, media_type=record_jobs.MEDIA_TYPE, headers=headers)


routes = [
    Route("/record/head.txt", serve_head),
    Route("/record/keys.txt", serve_keys),
    Route("/record/heads.xml", serve_feed),
    Route("/record/sheet", serve_sheet),
    Route("/record/sheet.css", serve_sheet_style),
    Route("/record/export/{job:int}", serve_export),
]
