"""Tokens of other systems at the gate: who reads under /ogc with one, believed for a few seconds."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.believed import Believed
from core.identity import Actor, system_actor
from geodata.db import transaction
from people import tokens
from people.credentials import token_id

PATH = "/ogc"
LONGEST_PATH = 2000
BELIEVED_S = 3.0
"""How long an ended token may still be believed."""
CACHE_SIZE = 500
_believed: Believed[Actor] = Believed(seconds=BELIEVED_S, size=CACHE_SIZE)


def is_interface(path: str) -> bool:
    """Return whether an address belongs to the interface for other systems, where alone tokens count."""
    return path == PATH or path.startswith(PATH + "/")


def as_page(connection: HTTPConnection) -> bool:
    """Return whether a page is asked for: by the address, else by what the client would rather have."""
    given = connection.query_params.get("f")
    if given:
        return given == "html"
    accepted = [each.partition(";") for each in connection.headers.get("accept", "").lower().split(",")]
    liked = {kind.strip(): _quality(rest) for kind, _, rest in accepted}
    return liked.get("text/html", 0.0) > max(liked.get("application/json", 0.0), liked.get("application/geo+json", 0.0))


def path_of(connection: HTTPConnection) -> str:
    """Return the path as it was asked: put together anew, a name with a space or a per cent sign is another."""
    raw: bytes | None = connection.scope.get("raw_path")
    return raw.decode("latin-1").partition("?")[0] if raw else quote(connection.scope["path"])


def _quality(parameters: str) -> float:
    for each in parameters.split(";"):
        name, _, value = each.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def secret_of(connection: HTTPConnection) -> str | None:
    """Return the secret a request carries; None when it carries none.

    As a bearer, or as the password of basic authentication, which is all that some programs can send.
    """
    scheme, _, rest = connection.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
    # A proxy before us may ask for a password of its own; that one is no token.
    return password if password.startswith(tokens.PREFIX) else None


def actor_of(secret: str) -> Actor | None:
    """Return who reads with a secret, or None."""
    if not secret.startswith(tokens.PREFIX):
        return None

    def ask() -> Actor | None:
        with transaction(system_actor()) as session:
            return tokens.actor_of(session, secret)

    return _believed.get(token_id(secret), ask)


async def served(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> bool:
    """Serve a request that carries a secret, in its role or by refusing it; return whether it carried one."""
    if scope["type"] != "http" or not is_interface(scope["path"]):
        return False
    secret = secret_of(HTTPConnection(scope))
    if secret is None:
        return False
    actor = await to_thread.run_sync(actor_of, secret)
    if actor is None or len(scope["path"]) > LONGEST_PATH:
        await refusal()(scope, receive, send)
        return True
    scope.setdefault("state", {})["actor"] = actor
    await app(scope, receive, send)
    return True


def forget() -> None:
    """Drop what is believed, after a token was ended here."""
    _believed.forget()


def refusal() -> Response:
    """Return the answer to whoever comes without a secret, or with one that opens nothing."""
    return PlainTextResponse(
        "Log in first, or send a token that has not ended.",
        status_code=401,
        headers={"cache-control": "no-store", "www-authenticate": 'Bearer realm="gridkeeper"'},
    )
