"""Who looks at a wall: somebody logged in, or a screen with an address of its own that opens nothing else."""

from __future__ import annotations

import threading
import time

from anyio import to_thread
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from app import cookie
from app.api.forms import Attempts
from core.clock import now
from core.identity import Actor, Role, system_actor
from geodata.db import transaction
from people import walls
from people.credentials import token_id
from people.walls_model import WallPassInfo

PAGES = frozenset({"/wall", "/api/wall/state", "/api/wall/map.svg"})
"""All that an address of a wall opens; compared whole."""
OPEN = frozenset({"/wall/open", "/wall/enter", "/wall/wall.js", "/wall/wall.css"})
"""What has to be there before it: the page that takes the secret, and files without anything of the city."""
BELIEVED_S = 3.0
LONGEST = 100
strangers = Attempts(60)
"""Secrets that open nothing, by network address: beyond so many a minute none is looked up."""
_cache: dict[str, tuple[float, WallPassInfo]] = {}
_lock = threading.Lock()


def cookie_name() -> str:
    """Return the name of the cookie that holds a wall's secret."""
    return f"{cookie.name()}_wall"


def put_cookie(response: Response, secret: str, wall: WallPassInfo, *, secure: bool) -> None:
    """Set the cookie until the wall ends: unreadable for scripts, never sent from other sites."""
    age = max(1, round((wall.expires_at - now()).total_seconds()))
    response.set_cookie(cookie_name(), secret, max_age=age, path="/", httponly=True, samesite="strict", secure=secure)


async def lets_in(connection: HTTPConnection) -> bool:
    """Return whether this is a wall's request, and let its routes know which."""
    wall = await look_up(connection)
    if wall is not None:
        connection.scope.setdefault("state", {})["wall"] = wall
    return wall is not None


async def look_up(connection: HTTPConnection) -> WallPassInfo | None:
    """Return the wall that this request may see without a login; None refuses."""
    scope = connection.scope
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or scope["path"] not in PAGES:
        return None
    secret = connection.cookies.get(cookie_name(), "")
    if not 0 < len(secret) <= LONGEST:
        return None
    address, key = connection.client.host if connection.client else "", token_id(secret)
    # A screen that was good before is never kept waiting by guesses from beside it.
    if key not in _cache and strangers.full(address, time.monotonic()):
        return None
    found = await to_thread.run_sync(opened, secret)
    if found is None:
        strangers.allow(address, time.monotonic())
    return found


def opened(secret: str) -> WallPassInfo | None:
    """Return the wall of a secret, believed for a few seconds."""
    key = token_id(secret)
    known = _cache.get(key)
    if known is not None and known[0] > time.monotonic() and known[1].opens(now()):
        return known[1]
    with transaction(system_actor(label="wall")) as session:
        found = walls.open_wall(session, secret)
    with _lock:
        _cache.pop(key, None)
        if found is not None:
            if len(_cache) > 200:
                _cache.clear()
            _cache[key] = (time.monotonic() + BELIEVED_S, found)
    return found


def forget() -> None:
    """Drop what is believed, after a wall was withdrawn here."""
    with _lock:
        _cache.clear()


def viewer(request: Request) -> Actor | None:
    """Return whose eyes a wall is drawn with: those logged in, or an auditor's without a name; None for a stranger.

    The auditor's are those that change nothing; they look inside the wall's own routes alone, never at other pages.
    """
    actor = getattr(request.state, "actor", None)
    if isinstance(actor, Actor):
        return actor
    wall = getattr(request.state, "wall", None)
    if isinstance(wall, WallPassInfo):
        return Actor(None, f"wall {wall.id}", Role.AUDITOR, wall.territory_id)
    return None
