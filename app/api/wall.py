"""The Wall: one page without controls for a screen in a hall, which refreshes itself, and how such a screen gets in."""

from __future__ import annotations

import asyncio
import json
import time
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import i18n, wall_gate
from app.api import forms
from app.i18n import t
from app.wall_state import wall_state
from app.where import territory_of
from app.wire import respond
from core.errors import NotPermitted
from core.identity import Actor, May, require
from core.settings import CHECKOUT
from geodata.db import transaction
from layers.cache import Entry
from layers.portrait import portrait
from layers.style import NIGHT
from layers.versions import TASKS, versions

ASSETS = CHECKOUT / "app" / "assets"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
WAIT_S, LOOK_S, AGED_S = 20.0, 0.2, 30
"""A screen asks again at once; it is answered when something changes, and after a while all the same."""
PICTURE_S = 600
KEPT_MOST = 100
attempts = forms.Attempts(30)
_states: dict[tuple[str, str, object], Entry] = {}
_pictures: dict[tuple[int, str], tuple[float, Entry]] = {}


def viewer(request: Request) -> Actor:
    """Return whose eyes the wall is drawn with; raise `NotPermitted` for who sees no incidents."""
    actor = wall_gate.viewer(request)
    if actor is None:
        raise NotPermitted("Log in first.")
    require(actor, May.SEE_INCIDENTS)
    return actor


async def show(request: Request) -> Response:
    """Answer with the page; its numbers come by `serve_state`."""
    viewer(request)
    language = forms.language(request)
    return await run_in_threadpool(_page, request, "wall.html", language)


def _page(request: Request, template: str, language: str) -> Response:
    i18n.use(language)
    words = json.dumps(_words(), ensure_ascii=True).replace("<", "\\u003c").replace("&", "\\u0026")
    body = forms.pages().get_template(template).render(language=language, words=words)
    response = forms.answer(request, body, chosen=language)
    response.headers["content-security-policy"] = POLICY
    return response


def _words() -> dict[str, str]:
    return {
        "stages": t("By stage"),
        "day": t("Today by the hour"),
        "usual": t("usual on this weekday"),
        "today": t("today"),
        "grids": t("Most late by grid"),
        "units": t("Most late by unit"),
        "emergencies": t("Emergencies"),
        "none": t("No emergency is open."),
        "calm": t("Nothing is late."),
        "map": t("Open incidents"),
        "late": t("Late"),
        "soon": t("Due in 2 h"),
        "open": t("Open, on time"),
        "emergency": t("Emergency"),
        "lost": t("No connection: as of {clock}"),
        "ended": t("This wall has ended. Ask whoever runs the hall for a new address."),
        "wrong": t("This address opens no wall (any more)."),
        "map_of": t("Map data © OpenStreetMap contributors, ODbL"),
    }


async def serve_state(request: Request) -> Response:
    """Answer with what the wall shows; with ``?seen=`` wait until it is something else, or a while."""
    actor = viewer(request)
    language = forms.language(request)
    seen = request.query_params.get("seen", "")[:40]
    end = time.monotonic() + WAIT_S
    asked: object = None
    while True:
        version = _version(actor)
        if version != asked or version is None:
            asked = version
            entry = await run_in_threadpool(_state, actor, language, version)
            if entry.etag.strip('"') != seen:
                await _still_open(request)
                return respond(request, entry, "application/json")
        if time.monotonic() >= end or version is None or await request.is_disconnected():
            return Response(status_code=204, headers={"cache-control": "no-store"})
        await asyncio.sleep(LOOK_S)


async def _still_open(request: Request) -> None:
    """Raise `NotPermitted` for a wall that was withdrawn or ended while its screen waited."""
    if getattr(request.state, "actor", None) is None and await wall_gate.look_up(request) is None:
        raise NotPermitted("This wall has ended.", zh="该大屏地址已停用。")


def _version(actor: Actor) -> tuple[object, ...] | None:
    """Return what is another whenever something changed, and every half minute, for the times left."""
    found = versions.of(actor.territory_id or 0, ("incidents", "grids", TASKS))
    return None if found is None else (*found, int(time.time()) // AGED_S)


def _state(actor: Actor, language: str, version: tuple[object, ...] | None) -> Entry:
    key = (actor.scope_key, language, version)
    entry = _states.get(key) if version is not None else None
    if entry is None:
        i18n.use(language)
        with transaction(actor) as session:
            told = wall_state(session, actor, territory_of(session, actor))
        stamp = told.pop("now_ms")
        entry = Entry.of(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
        told |= {"now_ms": stamp, "tag": entry.etag.strip('"')}
        entry = Entry(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(), entry.etag)
        if len(_states) >= KEPT_MOST:
            _states.clear()
        _states[key] = entry
    return entry


async def serve_map(request: Request) -> Response:
    """Answer with the picture below the incidents, drawn once in ten minutes."""
    actor = viewer(request)
    entry = await run_in_threadpool(_map, actor, forms.language(request))
    return respond(request, entry, "image/svg+xml", keep=f"private, max-age={PICTURE_S}")


def _map(actor: Actor, language: str) -> Entry:
    key = (actor.territory_id or 0, language)
    kept = _pictures.get(key)
    if kept is None or kept[0] < time.monotonic():
        with transaction(actor) as session:
            drawn = portrait(session, key[0], chinese=language == "zh", theme=NIGHT)
        kept = (time.monotonic() + PICTURE_S, Entry.of((drawn or "<svg xmlns='http://www.w3.org/2000/svg'/>").encode()))
        _pictures[key] = kept
    return kept[1]


async def ask_secret(request: Request) -> Response:
    """Answer with the page that hands in the secret behind the # of its address, which no log has seen."""
    return await run_in_threadpool(_page, request, "wall_open.html", forms.language(request))


async def enter(request: Request) -> Response:
    """Take the secret of a wall and set its cookie."""
    address = request.client.host if request.client else ""
    if not attempts.allow(address, time.monotonic()):
        return PlainTextResponse("Too many attempts from here. Wait a minute.", status_code=429)
    fields = await forms.fields(request)
    secret = (fields or {}).get("secret", "")[: wall_gate.LONGEST]
    wall = await run_in_threadpool(wall_gate.opened, secret) if secret else None
    if wall is None:
        return JSONResponse({"error": "This address opens no wall."}, status_code=404)
    response = JSONResponse({"title": wall.title})
    wall_gate.put_cookie(response, secret, wall, secure=forms.secure(request))
    return response


@lru_cache(maxsize=4)
def _file(name: str, _modified_ns: int) -> Entry:
    body = (ASSETS / name).read_text()
    if name.endswith(".css"):
        tokens = "".join(f"--{key.replace('_', '-')}:{value};" for key, value in NIGHT.tokens().items())
        body = f":root{{{tokens}}}\n{body}"
    return Entry.of(body.encode())


async def serve_script(request: Request) -> Response:
    """Answer with the script of the page."""
    return _served(request, "gridkeeper-wall.js", "text/javascript")


async def serve_style(request: Request) -> Response:
    """Answer with the style of the page, in the colours of the night."""
    return _served(request, "gridkeeper-wall.css", "text/css")


def _served(request: Request, name: str, kind: str) -> Response:
    return respond(request, _file(name, (ASSETS / name).stat().st_mtime_ns), kind)


routes = [
    Route("/wall", show),
    Route("/wall/open", ask_secret),
    Route("/wall/enter", enter, methods=["POST"]),
    Route("/wall/wall.js", serve_script),
    Route("/wall/wall.css", serve_style),
    Route("/api/wall/state", serve_state),
    Route("/api/wall/map.svg", serve_map),
]
