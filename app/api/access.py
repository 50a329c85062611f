"""Access by unit grid over HTTP: what the map of the page Access fills its grids by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.tiles import actor_of
from app.api.values import MEDIA_TYPE
from app.wire import respond
from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.db import transaction
from layers.cache import Entry
from layers.snapshot import Cells
from layers.style import class_edges
from layers.values import CellValues, cells_of
from planning import accessing
from planning.access_model import AccessRow, CellAccess

SHOWN = ("now", "then", "supply")
LEAST_MIN = 0.05
"""Whoever lives next door has a way too."""
STEPS = (1 / 3, 2 / 3, 1.0, 2.0, 4.0)
"""Edges of the classes of ways, in limits: the middle one is the limit itself."""


def address_of(answer_id: int, shown: str) -> str:
    """Return the address below which the route serves an answer."""
    return f"/api/access?answer={answer_id}&show={shown}"


def way_edges(limit_min: float) -> tuple[float, ...]:
    """Return the lower edges of the classes of ways, in minutes."""
    return (LEAST_MIN, *(round(limit_min * step, 1) for step in STEPS))


async def serve_access(request: Request) -> Response:
    """Serve an answer as one array: minutes to the nearest, or supply for 10,000 people, of each grid."""
    actor = actor_of(request)
    require(actor, May.SEE_STUDIES)
    query = request.query_params
    given, shown = query.get("answer", ""), query.get("show", "now")
    if not (given.isascii() and given.isdecimal() and len(given) < 10) or shown not in SHOWN:
        raise InvalidInput("This address names no answer.", hint=f"answer is a number, show one of {', '.join(SHOWN)}.")
    return respond(request, await run_in_threadpool(_entry, actor, int(given), shown), MEDIA_TYPE)


def _entry(actor: Actor, answer_id: int, shown: str) -> Entry:
    with transaction(actor) as session:
        row = accessing.get(session, actor, answer_id)
        found = accessing.cells_of_answer(session, actor, answer_id)
        cells = cells_of(session, row.territory_id)
    values = _values(cells, found, shown)
    edges = edges_of(row, found, shown)
    return Entry.of(CellValues(cells.first_id, values, edges, int(found.people.sum()), limited=False).encoded())


def edges_of(row: AccessRow, found: CellAccess, shown: str) -> tuple[float, ...]:
    """Return the lower edges of the classes the grids are filled by."""
    return tuple(class_edges(found.supply, whole=False)) if shown == "supply" else way_edges(row.question.limit_min)


def _values(cells: Cells, found: CellAccess, shown: str) -> NDArray[np.float32]:
    """Return a value by cell: 0 where nobody lives, NaN where no way leads."""
    source = {"now": found.now_s, "then": found.then_s, "supply": found.supply}[shown]
    values = np.zeros(len(cells), dtype=np.float32)
    values[~cells.live] = np.nan
    if not len(source):
        return values
    at = found.grid_id - cells.first_id
    known = (at >= 0) & (at < len(cells))
    told = source[known] if shown == "supply" else np.maximum(source[known] / 60, LEAST_MIN)
    values[at[known]] = np.where(np.isfinite(told), told, np.nan)
    return values


routes = [Route("/api/access", serve_access)]
