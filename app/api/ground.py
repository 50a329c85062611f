"""Tiles of the city's own maps over HTTP: asked for by our server alone, kept in memory, tagged."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.tiles import actor_of
from app.wire import respond
from core.clock import now
from core.errors import GridkeeperError, SourceUnavailable
from core.identity import Actor, May, require
from core.settings import settings
from geodata import basemaps
from geodata.basemap_grid import check_tile, media_type
from geodata.basemaps import BasemapInfo
from geodata.db import transaction
from layers.cache import ByteCache, Entry

KEEP_S = 3600
KNOWN_S = 5.0
PAUSE_S = 8.0
"""After a server did not answer it is not asked again for so long."""
NOTHING = b""
_known: dict[tuple[int, int | None], tuple[float, BasemapInfo]] = {}
_trouble: dict[int, tuple[float, GridkeeperError]] = {}


@lru_cache(maxsize=1)
def cache() -> ByteCache:
    """Return the tiles that are kept, bounded by the settings."""
    return ByteCache(settings().basemap_cache_mib * 1024 * 1024)


def trouble(basemap_id: int) -> GridkeeperError | None:
    """Return why a map did not answer when it was last asked; None when it did."""
    found = _trouble.get(basemap_id)
    return None if found is None else found[1]


async def serve_tile(request: Request) -> Response:
    """Serve one tile of one map; an empty answer where it has none."""
    actor = actor_of(request)
    require(actor, May.SEE_MAP)
    z, x, y = (request.path_params[part] for part in ("z", "x", "y"))
    check_tile(z, x, y)
    entry = await run_in_threadpool(_tile, actor, request.path_params["basemap"], z, x, y)
    keep = f"private, max-age={KEEP_S}"
    plain = entry.plain()
    if not plain:
        return Response(status_code=204, headers={"cache-control": keep})
    return respond(request, entry, media_type(plain), keep=keep)


def _tile(actor: Actor, basemap_id: int, z: int, x: int, y: int) -> Entry:
    basemap = _basemap(actor, basemap_id)
    key = (basemap.id, basemap.made_at, _hour(), z, x, y)
    entry = cache().get(key)
    if entry is not None:
        return entry
    paused = _trouble.get(basemap.id)
    if paused is not None and paused[0] > time.monotonic():
        raise SourceUnavailable(paused[1].message, hint=paused[1].hint, zh=paused[1].zh)
    try:
        found = basemaps.tile_of(basemap, z, x, y, _kept)
    except SourceUnavailable as error:
        _trouble[basemap.id] = (time.monotonic() + PAUSE_S, error)
        raise
    _trouble.pop(basemap.id, None)
    entry = Entry.of(found or NOTHING)
    cache().put(key, entry)
    return entry


def _kept(asked: Hashable, get: Callable[[], bytes | None]) -> bytes | None:
    key = (asked, _hour())
    entry = cache().get(key)
    if entry is None:
        entry = Entry.of(get() or NOTHING)
        cache().put(key, entry)
    return entry.plain() or None


def _hour() -> int:
    """Return the number of the hour: what was drawn anew there is drawn anew here within one."""
    return int(now().timestamp()) // KEEP_S


def _basemap(actor: Actor, basemap_id: int) -> BasemapInfo:
    key = (basemap_id, actor.territory_id)
    known = _known.get(key)
    if known is None or known[0] < time.monotonic():
        with transaction(actor) as session:
            known = (time.monotonic() + KNOWN_S, basemaps.find_basemap(session, actor, basemap_id))
        if len(_known) > 200:
            _known.clear()
        _known[key] = known
    return known[1]


routes = [Route("/tiles/own/{basemap:int}/{z:int}/{x:int}/{y:int}", serve_tile)]
