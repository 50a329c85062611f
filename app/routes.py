"""The composition root: all routes, the gate and the life of the server, handed to streamlit_app.py."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

from anyio import to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from streamlit import config as streamlit_config

from app import guard, peers, sso, tidy, tls
from app.api import (
    access,
    assets,
    draft_tiles,
    evidence,
    export,
    field,
    frames,
    ground,
    login,
    ogc,
    record,
    search,
    tiles,
    values,
    wall,
    ways_in,
)
from core import log
from core.errors import GridkeeperError
from core.identity import system_actor
from core.settings import settings
from geodata import db
from people import accounts

logger = log.get(__name__)


async def today(request: Request) -> RedirectResponse:
    """Lead the address /today to the page, which as the first of all lives at the root."""
    # A relative address: the Host header is the visitor's word.
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}", status_code=307)


routes = [
    *login.routes,
    *ways_in.routes,
    *record.routes,
    *evidence.routes,
    *tiles.routes,
    *draft_tiles.routes,
    *ground.routes,
    *wall.routes,
    *values.routes,
    *frames.routes,
    *access.routes,
    *ogc.routes,
    *export.routes,
    *search.routes,
    *field.routes,
    *assets.routes,
    Route("/today", today),
]
middleware = [Middleware(guard.Gate)]
exception_handlers = guard.EXCEPTION_HANDLERS


def prepare() -> None:
    """Bring the database up and refuse what may not be served; both ways of starting pass here.

    Raises
    ------
    GridkeeperError
        When the database cannot be reached, or demo accounts live outside demo mode.
    """
    log.configure(settings().log_level)
    streamlit_config.set_option("server.maxUploadSize", settings().upload_max_mib)
    tls.check_server(streamlit_config.get_option("server.sslCertFile"))
    sso.check()
    peers.remember_peers()
    db.ensure_database()
    with db.transaction(system_actor()) as session:
        accounts.refuse_demo_accounts(session)
    warn_of_open_demo()
    tell_first_administrator()


def warn_of_open_demo() -> None:
    """Say in the log when whoever reaches this machine may enter without a password."""
    if settings().demo and not guard.listens_here_only():
        logger.warning(
            "Demo mode is on and the pages are served to the network: whoever reaches them enters in any role"
            " without a password. Set GRIDKEEPER_DEMO=false for real data."
        )


def tell_first_administrator() -> None:
    """Print where the first administrator makes an account, while there is none."""
    address = ways_in.offer_first()
    if address is not None:
        print(  # noqa: T201  (for who started the platform; a code does not belong in a log)
            f"\n  Nobody administers this platform yet. Begin here, on this machine, within two hours:\n  {address}\n",
            flush=True,
        )


@contextlib.asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[Mapping[str, Any]]:
    """Serve between preparing and closing; a refusal to start is a sentence, not a trace."""
    try:
        await to_thread.run_sync(prepare)
    except GridkeeperError as error:
        print(f"gridkeeper: {error}", file=sys.stderr, flush=True)  # noqa: T201  (the log would frame it)
        os._exit(error.exit_code)  # the server would print a trace for any exception here
    async with tiles.lifespan(), tidy.tidying():
        yield {}
