"""Vector tiles of the drafts of grids; an address names the version, so that what it answers never changes."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api import tiles
from app.wire import respond
from core.errors import InvalidInput
from core.identity import May, require
from layers.cache import Entry
from layers.drafts import ZOOMS, draft_tile
from layers.tiles import TileKey


async def serve_draft_tile(request: Request) -> Response:
    """Serve one tile of a draft of the actor's territory."""
    actor = tiles.actor_of(request)
    require(actor, May.PROPOSE_GRIDS)
    asked = request.path_params
    key = TileKey(asked["z"], asked["x"], asked["y"])
    if not ZOOMS[0] <= key.z <= ZOOMS[1]:
        raise InvalidInput(
            f"A draft has no tiles at zoom {key.z}.", hint=f"Its zooms run from {ZOOMS[0]} to {ZOOMS[1]}."
        )
    cached = ("draft", asked["change"], asked["version"], key, actor.scope_key)
    entry = tiles.cache().get(cached)
    if entry is None:
        async with tiles.connection() as opened:
            version, found = await draft_tile(opened, actor, asked["change"], key)
        entry = await run_in_threadpool(Entry.of, found)
        if version >= asked["version"]:  # one that is still to come would be kept with the cells of today
            tiles.cache().put(cached, entry)
    return respond(request, entry, tiles.MEDIA_TYPE)


routes = [Route("/tiles/draft/{change:int}/{version:int}/{z:int}/{x:int}/{y:int}.mvt", serve_draft_tile)]
