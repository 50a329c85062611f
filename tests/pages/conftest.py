"""Pages run as somebody: the actor of a demo account, in a language."""

from __future__ import annotations

import dataclasses
import functools
import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app import guard, i18n
from core.identity import Actor, Role, system_actor
from geodata.db import transaction
from people import accounts

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"
Run = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once() -> Iterator[None]:
    """Streamlit reads what every installed package says of itself for each AppTest; it says the same each time."""
    found = functools.cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(scope="module")
def actors(demo_database) -> dict[Role, Actor]:
    """The actor of each demo account of the small demo town, where three incidents are late at any hour."""
    with transaction(system_actor()) as session:
        session.execute(
            text(
                "UPDATE incident SET due_at = now() - interval '1 day', version = version + 1 WHERE id IN"
                " (SELECT id FROM incident WHERE status = 'handling' ORDER BY id LIMIT 3)"
            )
        )
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture(scope="module")
def registered() -> dict[Role, dict[str, Any]]:
    """The pages in the navigation of each role that was met."""
    return {}


@pytest.fixture
def run(actors, registered, monkeypatch) -> Iterator[Run]:
    """Runs a page: ``run("today", Role.DISPATCHER, "zh", incident="5")``."""

    def runner(view: str, role: Role, language: str = "en", **address: str) -> AppTest:
        actor = dataclasses.replace(actors[role], locale=language)
        monkeypatch.setattr(guard, "current_actor", lambda: actor)
        monkeypatch.setattr(guard, "stored_session", lambda: None)
        page = AppTest.from_file(str(MAIN), default_timeout=300)
        for name, value in address.items():
            page.query_params[name] = value
        if view == "today" or role not in registered:
            page.run()
            registered[role] = page._registered_pages
        if view != "today":
            page._registered_pages = registered[role]  # as if Today had been run before, as for the first of a role
            for name, value in address.items():
                page.query_params[name] = value
            page.switch_page(f"views/{view}.py").run()
        assert not page.exception, page.exception
        return page

    yield runner
    i18n.use("en")


def shown(page: AppTest) -> list[str]:
    """Every piece of text on the page, as a reader sees it."""
    pieces: list[str] = []
    for element in page.get("html"):
        body = re.sub(r"<style>.*?</style>", "", element.proto.body, flags=re.DOTALL)
        pieces += [html.unescape(piece) for piece in re.split(r"<[^>]+>", body)]
    for kind in (
        "button",
        "multiselect",
        "selectbox",
        "text_input",
        "toggle",
        "date_input",
        "tab",
        "pills",
        "checkbox",
    ):
        pieces += [element.label for element in page.get(kind) if getattr(element, "label", "")]
    for block in page.get("bidi_component"):
        body = json.loads(block.proto.json or "{}").get("html", "")
        pieces += [html.unescape(piece) for piece in re.split(r"<[^>]+>", body)]
    for frame in page.dataframe:
        pieces += [str(column) for column in frame.value.columns]
        pieces += [str(cell) for row in frame.value.to_numpy() for cell in row]
    return [piece.strip() for piece in pieces if piece and piece.strip()]


def words(page: AppTest) -> str:
    return "\n".join(shown(page))
