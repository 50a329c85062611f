"""Data sets as files over HTTP: written beside, whole or not at all, then sent; each taking stands in the record."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from app.api.busy import Busy
from app.api.tiles import actor_of
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from core.settings import settings
from geodata import catalogue, catalogue_dcat, giving
from geodata.db import transaction
from geodata.record import note_event
from geodata.territory import list_territories

WRITERS = Busy("writers of exports", at_work=2, inside=10, each=2)
OLD_S = 3600.0
"""A file that nobody fetched is deleted by the next export after so long."""


def address_of(key: str, form: str, *, with_grid: bool = False) -> str:
    """Return where the route gives a data set."""
    return f"/api/export/{key}.{form}{'?grid=1' if with_grid else ''}"


def folder() -> Path:
    """Return the folder of files on their way out."""
    made = settings().state_dir / "exports"
    made.mkdir(parents=True, exist_ok=True, mode=0o700)
    return made


def take(actor: Actor, key: str, form: str, path: Path, *, with_grid: bool = False) -> giving.Given:
    """Write a data set into a file as the actor may see it, note the use, and record the taking."""
    require(actor, May.TAKE_DATA)
    with transaction(actor, purpose=f"export {key}") as session:
        source = catalogue.source_of(session, actor, key)
        told = giving.write(session, source, actor.territory_id or 0, form, path, with_grid=with_grid)
        joined = sorted({*source.beside, *(["unit-grids"] if with_grid else [])})
        catalogue.note_use(session, actor, key, "export", rows=told.rows, joined=joined)
        detail = {"rows": told.rows, "format": form, "bytes": told.bytes}
        note_event(session, "export", "data_set", key, detail)
    return told


async def serve_export(request: Request) -> Response:
    """Answer with a data set as a file."""
    actor = actor_of(request)
    require(actor, May.TAKE_DATA)
    key, form = request.path_params["key"], request.path_params["form"]
    if form not in giving.FORMATS:
        raise NotFound(f"There is no format {form[:20]!r}.", hint=f"Known are: {', '.join(giving.FORMATS)}.")
    given = request.query_params.get("grid", "")
    if given not in {"", "1"}:
        raise InvalidInput("grid is 1 or left away.", hint="1 adds the unit grid of each row.")
    _forget_old()
    path = folder() / f"{secrets.token_hex(12)}.{form}"
    with WRITERS.enter(actor.user_id):
        await WRITERS.work(lambda: take(actor, key, form, path, with_grid=given == "1"))
    media_type, ending = giving.FORMATS[form]
    return FileResponse(
        path,
        media_type=media_type,
        filename=f"{key}.{ending}",
        headers={"cache-control": "private, no-store", "x-robots-tag": "noindex"},
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


async def serve_catalogue(request: Request) -> Response:
    """Answer with the catalogue as DCAT-AP in JSON-LD, as far as the actor may see it."""
    actor = actor_of(request)
    require(actor, May.SEE_CATALOGUE)
    base = f"{request.url.scheme}://{request.url.netloc}"
    with WRITERS.enter(actor.user_id):
        body = await WRITERS.work(_catalogue, actor, base)
    headers = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
    return Response(body, media_type="application/ld+json", headers=headers)


def _catalogue(actor: Actor, base: str) -> str:
    with transaction(actor) as session:
        known = catalogue.entries_measured(session, actor)
        home = next((each for each in list_territories(session) if each.id == actor.territory_id), None)
    publisher = home.title_en if home else "Gridkeeper"
    return catalogue_dcat.as_text(catalogue_dcat.document(known, base=base, publisher=publisher, at=now()))


def _forget_old() -> None:
    for path in folder().glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > OLD_S:
                path.unlink()


routes = [
    Route("/api/export/{key}.{form}", serve_export),
    Route("/api/catalogue.jsonld", serve_catalogue),
]
