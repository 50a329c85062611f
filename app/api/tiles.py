"""Vector tiles over HTTP: validated, cached by layer version and the actor's scope, tagged."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.wire import answer_at_once, respond
from core.clock import now, past_day
from core.errors import NotFound, NotPermitted, SourceUnavailable
from core.identity import Actor, require
from core.settings import settings
from geodata.db import conninfo, transaction
from geodata.territory import list_territories
from layers.cache import ByteCache, Entry
from layers.registry import LayerEntry, find_layer
from layers.tiles import TileKey, tile_bytes
from layers.versions import listening, versions

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
POOL_SIZE = 5
WAIT_S = 20.0
_pools: list[AsyncConnectionPool] = []


@lru_cache(maxsize=1)
def cache() -> ByteCache:
    """Return the cache that tiles and values share, bounded by the settings."""
    return ByteCache(settings().tile_cache_mib * 1024 * 1024)


@contextlib.asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Open the pool of tile connections and listen for changed layers while the server runs."""
    answer_at_once()
    pool = AsyncConnectionPool(
        conninfo(), min_size=1, max_size=POOL_SIZE, open=False, timeout=WAIT_S, kwargs={"options": "-c jit=off"}
    )
    await pool.open()
    _pools.append(pool)
    try:
        async with listening(conninfo()):
            yield
    finally:
        _pools.remove(pool)
        await pool.close()


def actor_of(request: Request) -> Actor:
    """Return who asks, as the gate before the routes found out."""
    actor = getattr(request.state, "actor", None)
    if not isinstance(actor, Actor):
        raise NotPermitted("Log in first.")
    return actor


async def serve_tile(request: Request) -> Response:
    """Serve one tile of one layer of the actor's territory."""
    actor = actor_of(request)
    layer = find_layer(request.path_params["layer"])
    require(actor, layer.capability)
    if actor.territory_id != request.path_params["territory"]:
        raise NotPermitted("You work in another territory.", hint="Change it at the top of the page.")
    key = TileKey(*(request.path_params[part] for part in ("z", "x", "y")))
    return respond(request, await _tile(actor, layer, key, day_of(request.query_params)), MEDIA_TYPE)


def day_of(query: QueryParams) -> dt.date | None:
    """Return the day ``?on=`` asks for; None for now. What is known as of today only is shown as it is."""
    given = query.get("on")
    if not given:
        return None
    # Where a day begins first it is fourteen hours earlier than by UTC.
    return past_day(given, (now() + dt.timedelta(hours=14)).date())


async def _tile(actor: Actor, layer: LayerEntry, key: TileKey, day: dt.date | None) -> Entry:
    statement = layer.statement
    if statement is None:
        raise NotFound(f"The layer {layer.key} has no tiles.", hint="The map reckons it from /api/values.")
    if day is not None and layer.statement_on is not None:
        statement = layer.statement_on
    else:
        day = None
    if not layer.zooms[0] <= key.z <= layer.zooms[1]:
        raise NotFound(
            f"The layer {layer.key} has no tiles at zoom {key.z}.",
            hint=f"Its zooms run from {layer.zooms[0]} to {layer.zooms[1]}.",
        )
    version = versions.of(actor.territory_id or 0, layer.depends_on)
    age = None if layer.fresh_s is None else int(now().timestamp() // layer.fresh_s)
    who = (actor.scope_key, actor.user_id if layer.by_account else None)
    cached = None if version is None else (layer.key, key, who, version, day, age)
    entry = cache().get(cached) if cached is not None else None
    if entry is None:
        zone = await run_in_threadpool(_zone, actor)
        async with connection() as opened:
            found = await tile_bytes(opened, actor, statement(key.z), key, zone, day)
            entry = await run_in_threadpool(Entry.of, found)
        if cached is not None:
            cache().put(cached, entry)
    return entry


@contextlib.asynccontextmanager
async def connection() -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Lend a connection for tiles.

    Raises
    ------
    SourceUnavailable
        Where the server is not up, or none became free within `WAIT_S`.
    """
    if not _pools:
        raise SourceUnavailable("The map server is not running.", hint="Start it with `gridkeeper run`.")
    async with contextlib.AsyncExitStack() as lent:
        try:
            opened = await lent.enter_async_context(_pools[-1].connection())
        except PoolTimeout as error:
            raise SourceUnavailable(
                f"All {POOL_SIZE} connections for tiles were taken for {WAIT_S:g} s.",
                hint="It is busy, or the database does not answer; the map asks for the tile again.",
            ) from error
        yield opened


_zones: dict[int, str] = {}


def _zone(actor: Actor) -> str:
    """Return the time zone of the actor's territory; it never changes, so it is read once."""
    territory_id = actor.territory_id or 0
    if territory_id not in _zones:
        with transaction(actor) as session:
            _zones.update({territory.id: territory.timezone for territory in list_territories(session)})
    return _zones[territory_id]


routes = [Route("/tiles/{territory:int}/{layer}/{z:int}/{x:int}/{y:int}.mvt", serve_tile)]
