"""All moments of a playback over HTTP in one answer, and the difference between two periods as a class a cell."""

from __future__ import annotations

import datetime as dt

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.tiles import actor_of, cache
from app.api.values import MEDIA_TYPE, address_of, question_of
from app.map_compare import compared
from app.wire import respond
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.db import transaction
from layers.cache import Entry
from layers.congestion_hours import congestion_hours, hours_key
from layers.frames import frames, frames_key
from layers.values import BY, Question, values_key

STEP, TRAFFIC = "step", "/api/traffic/hours"
EARLIER = ("before", "until", "level")
"""The period that is compared with, and the size of the places that are judged."""


def frames_address(question: Question, step: str) -> str:
    """Return the address below which the moments of a question are served."""
    return f"{address_of(question).replace('/api/values', '/api/frames')}&{STEP}={step}"


async def serve_frames(request: Request) -> Response:
    """Serve every moment of a period; a browser plays them without asking again."""
    actor = actor_of(request)
    require(actor, May.SEE_MAP)
    asked = QueryParams([pair for pair in request.query_params.multi_items() if pair[0] != STEP])
    question, step = question_of(asked), request.query_params.get(STEP, "day")
    key = frames_key(actor, question, step)
    entry = cache().get(key) if key is not None else None
    if entry is None:
        entry = await run_in_threadpool(_frames, actor, question, step)
        if key is not None:
            cache().put(key, entry)
    return respond(request, entry, MEDIA_TYPE)


def _frames(actor: Actor, question: Question, step: str) -> Entry:
    with transaction(actor) as session:
        return Entry.of(frames(session, actor, question, step).encoded())


async def serve_difference(request: Request) -> Response:
    """Serve what came of the comparison of two periods: a verdict for every cell."""
    actor = actor_of(request)
    require(actor, May.SEE_MAP)
    question = question_of(QueryParams([pair for pair in request.query_params.multi_items() if pair[0] not in EARLIER]))
    given = [request.query_params.get(name, "") for name in EARLIER]
    try:
        earlier = (dt.date.fromisoformat(given[0]), dt.date.fromisoformat(given[1]))
    except ValueError as error:
        raise InvalidInput("The days that are compared with are missing.", hint="Give them as 2026-03-14.") from error
    if given[2] not in BY:
        raise InvalidInput(f"There are no places by {given[2]!r}.", hint=f"Known are: {', '.join(BY)}.")
    known = values_key(actor, question)
    key = None if known is None else ("difference", *given, *known)
    entry = cache().get(key) if key is not None else None
    if entry is None:
        entry = await run_in_threadpool(_difference, actor, question, earlier, given[2])
        if key is not None:
            cache().put(key, entry)
    return respond(request, entry, MEDIA_TYPE)


def _difference(actor: Actor, question: Question, earlier: tuple[dt.date, dt.date], level: str) -> Entry:
    with transaction(actor) as session:
        return Entry.of(compared(session, actor, question, earlier, level).values.encoded())


async def serve_traffic(request: Request) -> Response:
    """Serve the congestion of every cell at the 24 hours of the usual day."""
    actor = actor_of(request)
    require(actor, May.SEE_MAP)
    key = hours_key(actor)
    entry = cache().get(key) if key is not None else None
    if entry is None:
        entry = await run_in_threadpool(_traffic, actor)
        if key is not None:
            cache().put(key, entry)
    return respond(request, entry, MEDIA_TYPE)


def _traffic(actor: Actor) -> Entry:
    with transaction(actor) as session:
        return Entry.of(congestion_hours(session, actor).encoded())


routes = [
    Route("/api/frames", serve_frames),
    Route("/api/difference", serve_difference),
    Route(TRAFFIC, serve_traffic),
]
