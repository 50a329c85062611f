"""The session cookie: a signed random id and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.responses import Response

from core.settings import secret_key, settings


@lru_cache(maxsize=1)
def _serializer() -> URLSafeSerializer:
    signer = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(secret_key(), salt="gridkeeper session", signer_kwargs=signer)


@lru_cache(maxsize=1)
def name() -> str:
    """Return the cookie's name, of this installation's own: browsers do not tell ports apart."""
    return "gridkeeper_" + hashlib.sha256(b"cookie name" + secret_key()).hexdigest()[:8]


def sign(token: str) -> str:
    """Return the cookie's value for a session token."""
    return str(_serializer().dumps(token))


def token_of(value: object) -> str | None:
    """Return the token of a cookie's value; None for anything we did not sign."""
    if not isinstance(value, str) or len(value) > 512:
        return None
    try:
        token = _serializer().loads(value)
    except BadSignature:
        return None
    if not isinstance(token, str):
        return None
    # base64 reads several texts as the same bytes (unused bits, signs it skips); only the one we wrote is ours
    return token if hmac.compare_digest(sign(token).encode(), value.encode()) else None


def put(response: Response, token: str, *, secure: bool) -> None:
    """Set the cookie: unreadable for scripts, not sent from other sites' forms, over https only when there is https.

    Lax and not Strict, so that a link to an incident in a mail opens for somebody who is logged in;
    every unsafe method checks its Origin besides.
    """
    age = round(settings().session_hours * 3600)
    response.set_cookie(name(), sign(token), max_age=age, path="/", httponly=True, samesite="lax", secure=secure)


def drop(response: Response, *, secure: bool) -> None:
    """Remove the cookie."""
    response.delete_cookie(name(), path="/", httponly=True, samesite="lax", secure=secure)
