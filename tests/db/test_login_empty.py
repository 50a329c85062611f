"""The login page before anything was loaded."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.api import login
from app.routes import middleware


def test_before_the_first_territory_the_page_says_what_to_do(database):
    app = Starlette(routes=[*login.routes], middleware=middleware)
    with TestClient(app) as client:
        page = client.get("/login?lang=en").text
    assert "There is no territory yet" in page
    assert "gridkeeper load demo" in page
    assert "Enter as" not in page
