"""Sign-on by a header that a proxy in front sets: off by default, believed from named addresses only."""

from __future__ import annotations

import time
from functools import lru_cache

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from app import cookie, i18n, peers
from core import log
from core.errors import InvalidInput
from core.identity import system_actor
from core.settings import settings
from geodata.db import transaction
from people import accounts
from people.model import LiveSession

logger = log.get(__name__)

LONGEST_NAME = 64
TOLD_AGAIN_AFTER_S = 60.0
NEVER = frozenset({"host", "cookie", "origin", "referer", "user-agent", "accept-language", "content-length"})
_told: dict[str, float] = {}


def check() -> None:
    """Return when sign-on by header is off or set up completely.

    Raises
    ------
    InvalidInput
        When a header is named without the proxies that may set it, or either cannot be used.
    """
    header = settings().sso_header
    if header is None:
        return
    hint = "Name the proxies in GRIDKEEPER_SSO_PROXIES, e.g. 10.0.0.5 or 10.0.0.0/28, or unset GRIDKEEPER_SSO_HEADER."
    if header.lower() in NEVER:
        raise InvalidInput(f"Browsers set {header} themselves; it cannot name who signs on.", hint=hint)
    try:
        allowed = peers.networks(settings().sso_proxies)
    except ValueError as error:
        raise InvalidInput(f"GRIDKEEPER_SSO_PROXIES cannot be used: {error}.", hint=hint) from error
    if not allowed:
        raise InvalidInput("Sign-on by header needs the addresses of the proxies that set it.", hint=hint)


@lru_cache(maxsize=4)
def _allowed(text: str) -> peers.Networks:
    return peers.networks(text)


async def respond(
    connection: HTTPConnection, live: LiveSession | None, *, is_open: bool, wanted: str | None
) -> Response | None:
    """Return what to answer because of the header, None when the request goes its usual way.

    Parameters
    ----------
    live
        The session of the cookie; it ends when the header names somebody else.
    is_open
        Whether this is served without a session; then nobody is let in or refused.
    wanted
        The page to lead to who is let in, an address of ours; None where nobody can be, as with programs.
    """
    header = settings().sso_header
    given = [] if header is None else Headers(scope=connection.scope).getlist(header)
    if header is None or not given:
        return None
    peer = peers.peer(connection.scope)
    name = given[0].strip().lower()
    if not peers.is_among(peer, _allowed(settings().sso_proxies)):
        _tell(
            f"{peer or 'an unknown address'} sent the header {header} and is none of GRIDKEEPER_SSO_PROXIES; refused."
        )
        return PlainTextResponse("This header is not believed from here.", status_code=403)
    if len(given) > 1 or not name or len(name) > LONGEST_NAME:
        _tell(f"{peer} sent the header {header} {len(given)} times, or without a name that can be used; refused.")
        return PlainTextResponse("The proxy did not name one account.", status_code=403)
    if not is_open and wanted is not None and (live is None or live.login != name):
        return await _let_in(connection, name, peer, wanted)
    if not is_open and live is not None and live.login != name:  # a page of somebody else, still open in this browser
        return PlainTextResponse("Log in first.", status_code=401, headers={"cache-control": "no-store"})
    return None


async def _let_in(connection: HTTPConnection, name: str, peer: str, wanted: str) -> Response:
    language = i18n.best_locale(connection.headers.get("accept-language", ""))
    old = cookie.token_of(connection.cookies.get(cookie.name()))
    token = await to_thread.run_sync(_enter, name, language, old)
    if token is None:
        _tell(f"{peer} named {name!r}, who has no account here that is open; refused.")
        return PlainTextResponse(
            f"{name} has no account here. Ask your administrator.\n{name} 在本平台没有账号，请联系系统管理员。\n",
            status_code=403,
            headers={"cache-control": "no-store"},
        )
    response = RedirectResponse(wanted, status_code=303, headers={"cache-control": "no-store"})
    cookie.put(response, token, secure=connection.url.scheme == "https")
    return response


def _enter(name: str, language: str, old: str | None) -> str | None:
    with transaction(system_actor(label=name), purpose="sign-on by header") as session:
        outcome = accounts.enter_by_header(session, name, locale=language)
        if outcome.token is not None and old is not None:
            accounts.log_out(session, old)
    return outcome.token


def _tell(words: str) -> None:
    """Write a warning, the same one at most once in a minute."""
    now = time.monotonic()
    if _told.get(words, 0.0) > now:
        return
    if len(_told) > 1000:
        _told.clear()
    _told[words] = now + TOLD_AGAIN_AFTER_S
    logger.warning(words)
