"""What the plain pages beside the platform share: language, fields of a form, counted attempts, the answer."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, quote

import jinja2
from starlette.requests import Request
from starlette.responses import Response

from app import i18n
from app.i18n import t

TEMPLATES = Path(__file__).parent.parent / "templates"
LANGUAGE_COOKIE = "gridkeeper_language"
MAX_FORM_BYTES = 8192
ATTEMPTS_PER_MINUTE = 30
CONTENT_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)


class Attempts:
    """Counts attempts by network address, so that guessing many names or codes is slow as well."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._seen: OrderedDict[str, list[float]] = OrderedDict()

    def full(self, address: str, now: float) -> bool:
        """Return whether no more attempt is allowed; counts none."""
        return sum(now - at < 60 for at in self._seen.get(address, ())) >= self._per_minute

    def allow(self, address: str, now: float) -> bool:
        """Return whether one more attempt is allowed, and count it."""
        recent = [at for at in self._seen.pop(address, []) if now - at < 60]
        allowed = len(recent) < self._per_minute
        self._seen[address] = [*recent, now] if allowed else recent
        while len(self._seen) > 10_000:
            self._seen.popitem(last=False)
        return allowed


@lru_cache(maxsize=1)
def pages() -> jinja2.Environment:
    """Return the templates."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    environment.globals.update(t=t, quote=quote)
    return environment


def language(request: Request) -> str:
    """Return the language asked for: by the address, by an earlier choice, by the browser."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in i18n.LOCALES:
            return str(chosen)
    return i18n.best_locale(request.headers.get("accept-language", ""))


def secure(request: Request) -> bool:
    """Return whether a cookie may go over https only."""
    return request.url.scheme == "https"


def answer(request: Request, body: str, *, chosen: str, status_code: int = 200) -> Response:
    """Return a plain page that takes nothing from elsewhere, and remembers the language."""
    response = Response(body, status_code=status_code, media_type="text/html; charset=utf-8")
    response.headers["content-security-policy"] = CONTENT_POLICY
    response.headers["cache-control"] = "no-store"
    response.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=31_536_000, httponly=True, samesite="lax", secure=secure(request)
    )
    return response


async def fields(request: Request) -> dict[str, str] | None:
    """Return the fields of a form, the first of each name; None for what is no form of ours."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return None
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=16)
    except (UnicodeDecodeError, ValueError):
        return None
    first = {name: values[0] for name, values in found.items()}
    if any("\x00" in value for value in first.values()):  # no text in PostgreSQL holds it
        return None
    return first
