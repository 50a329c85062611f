"""The gate before everything that is served, the seam that tells who acts, and the table of errors."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config as streamlit_config

from app import bearer, cookie, sso, uploads, wall_gate
from app.believed import Believed
from core import log
from core.errors import (
    Conflict,
    DataQuality,
    GridkeeperError,
    InvalidInput,
    NotFound,
    NotPermitted,
    SourceUnavailable,
)
from core.identity import Actor, May, system_actor
from geodata.db import transaction
from people import accounts
from people.credentials import token_id
from people.model import LiveSession

logger = log.get(__name__)

OPEN_PATHS = frozenset(
    {
        "/login",
        "/logout",
        "/first",
        "/invitation",
        "/login/picture.svg",
        "/login/style.css",
        "/login/sans.woff2",
        "/login/icon.svg",
        "/record/head.txt",
        "/record/heads.xml",
        "/record/keys.txt",
        "/_stcore/health",
        *wall_gate.OPEN,
    },
)
"""All that is served without a session; compared whole, never by prefix."""
NOT_PAGES = ("/_stcore", "/api", "/assets", "/component", "/media", "/static", "/tiles", "/values", "/vendor")
"""Addresses of programs: refused with 401 instead of being led to the login page; /ogc as it is asked for."""
UPLOADS = "/_stcore/upload_file/"
LONGEST_PATH = 2000
LONGEST_SIZE = 12
"""Digits of a size that are read at all."""
BUSY = frozenset({"40001", "40P01", "55P03", "57014"})
"""States of the database with which the same act may succeed a moment later: in each other's way, took too long."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSED_WEBSOCKET = 4401
SESSION_CACHE_S = 3.0
"""How long a revoked session may still be believed."""
SESSION_CACHE_SIZE = 2000

STATUS: dict[type[GridkeeperError], int] = {
    DataQuality: 422,
    InvalidInput: 400,
    NotPermitted: 403,
    NotFound: 404,
    Conflict: 409,
    SourceUnavailable: 503,
}
"""The one table from an error to its HTTP status; looked up along the class's ancestors."""

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'self'; form-action 'self'; base-uri 'self'; object-src 'none'",
}


class SessionEnded(NotPermitted):
    """Nobody is logged in, or no longer."""


_believed: Believed[LiveSession] = Believed(seconds=SESSION_CACHE_S, size=SESSION_CACHE_SIZE)


def live_session(cookie_value: object) -> LiveSession | None:
    """Return the valid session of a cookie's value, believed for a few seconds; None refuses."""
    token = cookie.token_of(cookie_value)
    if token is None:
        return None

    def ask() -> LiveSession | None:
        with transaction(system_actor()) as session:
            return accounts.session_actor(session, token)

    return _believed.get(token_id(token), ask)


def forget_sessions() -> None:
    """Drop what is believed about sessions, after one was changed or revoked here."""
    _believed.forget()


def current_session() -> LiveSession:
    """Return the login of the page that runs; raise `SessionEnded` when there is none."""
    live = stored_session()
    if live is None:
        raise SessionEnded("Your session has ended.", hint="Log in again.")
    return live


def stored_session() -> LiveSession | None:
    """Return the login of the page that runs, or None."""
    import streamlit as st

    return live_session(st.context.cookies.get(cookie.name()))


def current_title() -> str:
    """Return the function of the user in the session's language; empty when nobody is logged in."""
    live = stored_session()
    return live.title(live.actor.locale) if live else ""


def current_actor() -> Actor:
    """Return who acts on this page; the one seam, which tests replace."""
    return current_session().actor


class Gate:
    """ASGI middleware: nothing but `OPEN_PATHS` without a live session, no writing from other sites.

    The actor stands in ``scope["state"]["actor"]`` for the routes behind. The session of a websocket is
    looked up again with every message, so that a revoked one cannot act through an open page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through or refuse one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _with_security_headers(send)
        if not same_origin(scope):
            await _refuse(scope, receive, send, PlainTextResponse("This came from another site.", status_code=403))
            return
        connection = HTTPConnection(scope)
        if await bearer.served(self.app, scope, receive, send):
            return
        value = connection.cookies.get(cookie.name())
        live = await _look_up(value)
        signed_on = await sso.respond(
            connection,
            live,
            is_open=scope["path"] in OPEN_PATHS,
            wanted=local_path(_wanted(connection)) if _is_page(connection) else None,
        )
        if signed_on is not None:
            await _refuse(scope, receive, send, signed_on)
            return
        if live is not None:
            scope.setdefault("state", {})["actor"] = live.actor
            scope["state"]["session"] = live
            refusal = _not_for(live.actor, scope)
            if refusal is not None:
                await _refuse(scope, receive, send, refusal)
                return
        elif not await wall_gate.lets_in(connection) and (
            scope["type"] == "websocket" or scope["path"] not in OPEN_PATHS
        ):
            await _refuse(scope, receive, send, _refusal(connection))
            return
        if scope["type"] == "websocket":
            receive = _watched(receive, value)
        await self.app(scope, receive, send)


async def _look_up(value: str | None) -> LiveSession | None:
    token = cookie.token_of(value)
    if token is None:
        return None
    known = _believed.known(token_id(token))
    if known is not None:
        return known
    return await to_thread.run_sync(live_session, value)


def _watched(receive: Receive, value: str | None) -> Receive:
    """Return a ``receive`` that takes the words out of messages once the session has ended.

    Each becomes a wish to draw the page anew, without any widget's state: no callback runs and no part
    of a page is refreshed, the page finds nobody logged in and says so. Closing the socket instead would
    leave the old page standing under Streamlit's "connection error".
    """

    async def watched() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and await _look_up(value) is None:
            return {"type": "websocket.receive", "bytes": _draw_anew()}
        return message

    return watched


@lru_cache(maxsize=1)
def _draw_anew() -> bytes:
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ClientState_pb2 import ClientState

    return bytes(BackMsg(rerun_script=ClientState()).SerializeToString())


def same_origin(scope: Scope) -> bool:
    """Return whether a websocket or an unsafe method comes from our own pages, or from no page at all.

    Browsers send Origin with both; programs without pages may send none, and have no cookie to abuse.
    """
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return True
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2] == headers.get("host")
    return headers.get("sec-fetch-site", "none") in {"same-origin", "none"}


def listens_here_only() -> bool:
    """Return whether the pages are served to this machine alone."""
    return is_this_machine(str(streamlit_config.get_option("server.address") or ""))


def own_host(host: str | None) -> bool:
    """Return whether a Host header names us by address or as localhost, or may name us as it likes.

    A page elsewhere can let its own name lead to 127.0.0.1, and then is of one origin with us in the
    eyes of the browser. It has none of our cookies, but the demo's cards ask for none.
    """
    given = (host or "").lower()
    name = given[1:].partition("]")[0] if given.startswith("[") else given.partition(":")[0]
    return not listens_here_only() or is_this_machine(name) or _is_address(name)


def is_this_machine(name: str) -> bool:
    """Return whether an address to listen on, or a host's name, is this machine's own."""
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_page(connection: HTTPConnection) -> bool:
    """Return whether a person asks, who may be led to the login; of the interface, one who asks for a page of it."""
    scope = connection.scope
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return False
    path = scope["path"]
    if bearer.is_interface(path):
        return bearer.as_page(connection)
    return not any(path == start or path.startswith(start + "/") for start in NOT_PAGES)


def _refusal(connection: HTTPConnection) -> Response:
    if not _is_page(connection):
        if bearer.is_interface(connection.scope["path"]):
            return bearer.refusal()
        return PlainTextResponse("Log in first.", status_code=401, headers={"cache-control": "no-store"})
    wanted = _wanted(connection)
    target = "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='/')}"
    return RedirectResponse(target, status_code=303, headers={"cache-control": "no-store"})


def _not_for(actor: Actor, scope: Scope) -> Response | None:
    """Return why somebody who is logged in is refused before any route: a file he may not load, a senseless address.

    Streamlit keeps what is uploaded in memory for any session, whether or not its page asks for a file.
    """
    if len(scope["path"]) > LONGEST_PATH:
        return PlainTextResponse("This address is too long.", status_code=414)
    sends = scope["type"] == "http" and scope["method"] not in SAFE_METHODS and scope["path"].startswith(UPLOADS)
    if not sends or actor.may(May.LOAD_DATA):
        return None
    most = uploads.longest_bytes(actor)
    if not most:
        return PlainTextResponse("As your role you may not load data.", status_code=403)
    size = Headers(scope=scope).get("content-length", "0" if scope["method"] == "DELETE" else "")
    if not size.isdecimal() or len(size) > LONGEST_SIZE or int(size) > most:
        return PlainTextResponse("What your role may send is smaller than this.", status_code=413)
    return None


def _wanted(connection: HTTPConnection) -> str:
    query = connection.scope.get("query_string", b"").decode("latin-1")
    return bearer.path_of(connection) + (f"?{query}" if query else "")


async def _refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": REFUSED_WEBSOCKET, "reason": "not logged in"})
        return
    await response(scope, receive, send)


def _with_security_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sender


def local_path(wanted: str | None) -> str:
    """Return an address inside this platform to go to after the login; "/" for anything else."""
    if not wanted or not wanted.startswith("/") or len(wanted) > 1000:
        return "/"
    if wanted.startswith(("//", "/\\")) or any(ord(character) < 33 or character == "\\" for character in wanted):
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc or unquote(parts.path) in OPEN_PATHS else wanted


def status_of(error: GridkeeperError) -> int:
    """Return the HTTP status of an error."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


async def answer_error(request: Request, error: GridkeeperError) -> Response:  # noqa: ARG001  (Starlette's shape)
    """Answer a route's known error as JSON with message and hint."""
    body = {"error": error.message, "hint": error.hint}
    if isinstance(error, DataQuality):
        return JSONResponse({**body, "violations": list(error.violations)}, status_code=status_of(error))
    return JSONResponse(body, status_code=status_of(error))


async def answer_unknown(request: Request, error: Exception) -> Response:  # noqa: ARG001  (Starlette's shape)
    """Answer a route's unexpected error with the id it was logged under."""
    return JSONResponse({"error": "Something went wrong.", "id": log.unknown_error(logger, error)}, status_code=500)


EXCEPTION_HANDLERS = {GridkeeperError: answer_error, Exception: answer_unknown}


@contextlib.contextmanager
def known_errors_only() -> Iterator[None]:
    """Do one act of several; an unexpected error becomes one in words, so that it holds back no other for ever."""
    try:
        yield
    except GridkeeperError:
        raise
    except Exception as error:
        one = log.unknown_error(logger, error)
        if getattr(getattr(error, "orig", None), "sqlstate", None) in BUSY:
            raise SourceUnavailable(
                "The platform is busy.", hint="It is sent again.", zh="系统繁忙，稍后自动重发。"
            ) from error
        raise NotPermitted(
            "Something went wrong, and it was not taken.",
            hint=f"Try again; if that does not help, tell the desk: error {one}.",
            zh=f"出现错误，该操作未被接受。请重试；如仍失败，请告知指挥中心：错误 {one}。",
        ) from error


@contextlib.contextmanager
def page() -> Iterator[None]:
    """Run a page or a part of it; an error becomes a sentence, a way out and, if unexpected, an id."""
    from app import widgets

    try:
        yield
    except SessionEnded:
        widgets.session_ended()
    except GridkeeperError as error:
        widgets.known_error(error)
    except Exception as error:  # noqa: BLE001  (one of the two guards; Streamlit's control flow is no Exception)
        widgets.unknown_error(log.unknown_error(logger, error))
