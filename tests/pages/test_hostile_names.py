"""Whatever stands in names, notes and labels is shown as text: never a tag, never a link."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from sqlalchemy import Engine, text

from core.identity import Role, system_actor
from geodata import persons
from geodata.db import transaction
from tests.pages.conftest import Run, words

HOSTILE = """"'><img src=x onerror="alert(1)"><script>alert(1)</script>[a](javascript:alert(1))"""
NAMES = {
    "road": ("name", "name_zh"),
    "facility": ("name", "name_zh"),
    "area": ("name", "name_zh"),
    "place_name": ("name",),
    "territory": ("title_en", "title_zh", "attribution", "people_note"),
    "unit": ("name", "name_zh", "phone"),
    "incident": ("place",),
    "incident_class": ("name_en", "name_zh", "category_en", "category_zh"),
    "responsibility_grid": ("name",),
    "app_user": ("title_en", "title_zh"),
    "load": ("source_name", "actor_label"),
}
PAGES = [
    ("today", Role.GRID_MANAGER),
    ("today", Role.SUPERVISOR),
    ("today", Role.ADMINISTRATOR),
    ("city_map", Role.PLANNER),
    ("incidents", Role.DISPATCHER),
    ("bring_in", Role.SUPERVISOR),
    ("help", Role.AUDITOR),
]


class Tags(HTMLParser):
    """Collects tags and attributes that a name could only have brought in itself."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" or given.get("src") == "x" or any(name.startswith("on") for name in given):
            self.foreign.append(tag)
        if (given.get("href") or "").startswith("javascript"):
            self.foreign.append("href")


@pytest.fixture(scope="module")
def hostile(demo_database: Engine) -> int:
    """The small demo town with such names everywhere, and an incident with such a note."""
    with transaction(system_actor()) as session:
        for table, columns in NAMES.items():
            values = ", ".join(f"{column} = :name" for column in columns)
            session.execute(text(f"UPDATE {table} SET {values}"), {"name": HOSTILE})
        incident, subject = session.execute(
            text("SELECT incident_id, subject_id FROM incident_personal ORDER BY incident_id DESC LIMIT 1")
        ).one()
        session.execute(
            text("UPDATE incident_personal SET note_cipher = :note WHERE incident_id = :id"),
            {"note": persons.seal(session, subject, HOSTILE), "id": incident},
        )
        session.execute(
            text("UPDATE incident SET status = 'filed', closed_at = NULL, due_at = now() - interval '1 hour'"),
        )
    return int(incident)


@pytest.mark.parametrize(("view", "role"), PAGES)
def test_hostile_names_stay_text(hostile: int, run: Run, view: str, role: Role) -> None:
    address = {"incident": str(hostile)} if view == "incidents" else {}
    page = run(view, role, **address)
    tags = Tags()
    for element in page.get("html"):
        tags.feed(element.proto.body)
    assert tags.foreign == []
    if view in {"today", "incidents"}:
        assert "onerror=" in words(page), "the name is on the page, so the test tests something"
    for element in page.markdown:
        assert "javascript:" not in element.value
