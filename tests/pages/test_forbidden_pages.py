"""A page that is not of a role is not served to it, whatever page a message over the websocket names."""

from __future__ import annotations

import dataclasses

import pytest
from streamlit.testing.v1 import AppTest

from app import guard
from core.identity import Actor, Role
from tests.pages.conftest import MAIN, shown
from tests.pages.test_pages import TITLES, VIEWS

BY_LINK = {"accountability"}
"""In nobody's menu but of who decides; whom a review concerns opens it by a link, and sees his own alone."""
OTHERS = {"accounts": Role.ADMINISTRATOR, "record": Role.AUDITOR, "incidents": Role.DISPATCHER}


def test_a_message_that_names_a_forbidden_page_opens_none(
    actors: dict[Role, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(role: Role) -> AppTest:
        monkeypatch.setattr(guard, "current_actor", lambda: dataclasses.replace(actors[role], locale="en"))
        monkeypatch.setattr(guard, "stored_session", lambda: None)
        return AppTest.from_file(str(MAIN), default_timeout=300).run()

    named = {}
    for view, role in OTHERS.items():
        page = opened(role)
        page.switch_page(f"views/{view}.py")
        named[view] = page._page_hash
    page = opened(Role.PLANNER)
    for view, roles in VIEWS.items():
        if Role.PLANNER not in roles and view not in BY_LINK:
            with pytest.raises(ValueError, match="Could not find"):
                page.switch_page(f"views/{view}.py")
    for view, told in named.items():
        page._page_hash = told
        page.run()
        assert TITLES[view][0] not in shown(page)
        assert not page.exception
