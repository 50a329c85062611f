"""The platform's own routes behind its own gate, entered as any role of the small demo town."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from app import cookie, guard, routes
from app.api import forms, login, tiles
from core.identity import Actor, Role, system_actor
from geodata.db import transaction
from people import accounts

OFFICERS = sorted(set(Role) - {Role.SYSTEM})
Enter = Callable[[Role | None], TestClient]


async def _stream(socket: WebSocket) -> None:
    """Stand where Streamlit's socket stands."""
    await socket.accept()
    await socket.send_text(socket.scope["state"]["actor"].role)
    await socket.close()


@pytest.fixture(scope="module")
def actors(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture(scope="module")
def served(actors: dict[Role, Actor]) -> Iterator[TestClient]:
    assert set(actors) == set(OFFICERS)
    app = Starlette(
        routes=[*routes.routes, WebSocketRoute("/_stcore/stream", _stream), Route("/{path:path}", routes.today)],
        middleware=routes.middleware,
        exception_handlers={k: v for k, v in routes.exception_handlers.items() if k is not Exception},
        lifespan=lambda _app: tiles.lifespan(),
    )
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def cookies(actors: dict[Role, Actor]) -> dict[Role, str]:
    """A cookie of a session of each role."""
    with transaction(system_actor()) as session:
        return {
            account.role: cookie.sign(accounts.start_session(session, account, locale="en"))
            for account in accounts.demo_accounts(session)
        }


@pytest.fixture
def enter(served: TestClient, cookies: dict[Role, str], monkeypatch: pytest.MonkeyPatch) -> Enter:
    """A client with the cookie of a role, or with none."""
    guard.forget_sessions()
    monkeypatch.setattr(login, "attempts", forms.Attempts(10_000))

    def by(role: Role | None) -> TestClient:
        served.cookies.clear()
        if role is not None:
            served.cookies.set(cookie.name(), cookies[role])
        return served

    return by
