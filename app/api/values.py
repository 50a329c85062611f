"""A value for every cell over HTTP: what the map fills its grids by and counts its circles from."""

from __future__ import annotations

import datetime as dt

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import data_uses
from app.api.tiles import actor_of, cache, day_of
from app.wire import respond
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.db import transaction
from layers.cache import Entry
from layers.values import Question, cells_of, encoded_cells, encoded_values, values_key
from layers.versions import versions

MEDIA_TYPE = "application/octet-stream"
KNOWN = frozenset({"metric", "from", "to", "categories", "status", "on", "by"})
MAX_CATEGORIES = 200


def question_of(query: QueryParams) -> Question:
    """Return the question an address asks; raise `InvalidInput` naming the wrong part."""
    unknown = sorted(set(query) - KNOWN)
    if unknown:
        raise InvalidInput(f"{unknown[0]!r} is not understood.", hint=f"Known are: {', '.join(sorted(KNOWN))}.")
    categories = query.get("categories")
    chosen = None if categories is None else tuple(sorted({name for name in categories.split(",") if name}))
    if chosen is not None and len(chosen) > MAX_CATEGORIES:
        raise InvalidInput(f"There are more than {MAX_CATEGORIES} categories in the list.")
    return Question(
        metric=query.get("metric", "reported"),
        first=_day(query, "from"),
        last=_day(query, "to"),
        categories=chosen,
        status=query.get("status", "all"),
        day=day_of(query),
        by=query.get("by", "cell"),
    )


def address_of(question: Question) -> str:
    """Return the address below which `question_of` understands the same question."""
    parts = {"metric": question.metric, "from": question.first.isoformat(), "to": question.last.isoformat()}
    if question.categories is not None:
        parts["categories"] = ",".join(question.categories)
    if question.status != "all":
        parts["status"] = question.status
    if question.day is not None:
        parts["on"] = question.day.isoformat()
    if question.by != "cell":
        parts["by"] = question.by
    return "/api/values?" + str(QueryParams(parts))


def _day(query: QueryParams, name: str) -> dt.date:
    given = query.get(name)
    if given is None:
        raise InvalidInput(f"The day {name!r} is missing.", hint="Give it as 2026-03-14.")
    try:
        return dt.date.fromisoformat(given)
    except ValueError as error:
        raise InvalidInput(f"{given!r} is not a day.", hint="Give it as 2026-03-14.") from error


async def serve_values(request: Request) -> Response:
    """Serve the answer to a question as one array."""
    actor = actor_of(request)
    question = question_of(request.query_params)
    require(actor, May.SEE_MAP)
    key = values_key(actor, question)
    entry = cache().get(key) if key is not None else None
    if entry is None:
        entry = await run_in_threadpool(_answer, actor, question)
    if data_uses.map_is_due(actor, question):
        await run_in_threadpool(data_uses.note_map, actor, question)
    return respond(request, entry, MEDIA_TYPE)


async def serve_cells(request: Request) -> Response:
    """Serve the centres of the cells."""
    actor = actor_of(request)
    require(actor, May.SEE_MAP)
    return respond(request, await run_in_threadpool(_cells, actor, day_of(request.query_params)), MEDIA_TYPE)


def _answer(actor: Actor, question: Question) -> Entry:
    with transaction(actor) as session:
        return encoded_values(session, actor, question, cache())


def _cells(actor: Actor, day: dt.date | None) -> Entry:
    territory_id = actor.territory_id
    if territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Say which territory you mean.")
    version = versions.of(territory_id, ("grids",))
    key = None if version is None else ("cells", territory_id, version, day)
    entry = cache().get(key) if key is not None else None
    if entry is None:
        with transaction(actor) as session:
            entry = Entry.of(encoded_cells(cells_of(session, territory_id, day)))
        if key is not None:
            cache().put(key, entry)
    return entry


routes = [Route("/api/values", serve_values), Route("/api/cells", serve_cells)]
