"""Photos of incidents over HTTP: which copy is the database's to say; nothing of an address is a path."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.tiles import actor_of
from app.wire import ASK_EACH_TIME
from core.errors import InvalidInput, NotFound
from core.identity import Actor
from geodata.db import transaction
from incidents.evidence import small, with_squares
from incidents.service.evidence import picture

MEDIA_TYPE = "image/jpeg"
MOST_ID = 2**63 - 1
SIZES = ("", "small", "squares")
"""As it is kept, small for a list, or with the named squares over it for blurring more."""
COPIES = ("", "blurred")
HEADERS = {
    "cache-control": ASK_EACH_TIME,
    "vary": "Cookie",
    "content-disposition": "inline",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex",
}


async def serve_photo(request: Request) -> Response:
    """Answer with a photo: unblurred to who handles its incident, blurred to everybody else who sees the incident."""
    actor = actor_of(request)
    wanted, copy = (request.query_params.get(name, "") for name in ("size", "copy"))
    if wanted not in SIZES or copy not in COPIES:
        raise InvalidInput("A photo comes in the sizes small and squares, and as the copy blurred.")
    evidence_id = request.path_params["evidence"]
    if evidence_id > MOST_ID:
        raise NotFound("There is no such evidence, or it lies outside your reach.")
    tag, body = await run_in_threadpool(_photo, actor, evidence_id, wanted, copy == "blurred")
    headers = {**HEADERS, "etag": tag}
    if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)


def _photo(actor: Actor, evidence_id: int, wanted: str, as_others: bool) -> tuple[str, bytes]:
    with transaction(actor) as session:
        found = picture(session, actor, evidence_id, as_others=as_others or wanted == "squares")
    tag = f'"{found.sha256[:32]}{"-" + wanted if wanted else ""}"'
    if wanted == "small":
        return tag, small(found.jpeg)
    return tag, with_squares(found.jpeg) if wanted == "squares" else found.jpeg


routes = [Route("/api/evidence/{evidence:int}.jpg", serve_photo)]
