"""Whatever stands in names, notes and labels is shown as text: never a tag, never a link, never a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node

from core.identity import Role, system_actor
from geodata import persons
from geodata.db import transaction
from tests.pages.conftest import Run, words

HOSTILE = (
    """"'><img src=x onerror="alert(1)"><script>alert(1)</script>[a](javascript:alert(1))"""
    """![p](https://evil.example/p.png)[b](https://evil.example):red[x]{0}{name}%s%(x)s{{7*7}}${x}\u202etxt.exe\x1b[2J"""
)
NAMES = {
    "road": ("name", "name_zh"),
    "facility": ("name", "name_zh"),
    "area": ("name", "name_zh"),
    "place_name": ("name",),
    "territory": ("title_en", "title_zh", "attribution", "people_note"),
    "unit": ("name", "name_zh", "phone", "address"),
    "incident": ("place", "urge_reason"),
    "incident_class": ("name_en", "name_zh", "category_en", "category_zh"),
    "responsibility_grid": ("name",),
    "app_user": ("title_en", "title_zh"),
    "load": ("source_name", "actor_label"),
    "component": ("place",),
    "shift_pattern": ("name",),
}
PAGES = [
    ("today", Role.GRID_MANAGER),
    ("today", Role.SUPERVISOR),
    ("city_map", Role.PLANNER),
    ("incidents", Role.DISPATCHER),
    ("new_incident", Role.DISPATCHER),
    ("components", Role.GRID_MANAGER),
    ("units", Role.ADMINISTRATOR),
    ("workers", Role.GRID_MANAGER),
    ("roster", Role.GRID_MANAGER),
    ("rules", Role.SUPERVISOR),
    ("accounts", Role.ADMINISTRATOR),
    ("indicators", Role.SUPERVISOR),
    ("record", Role.AUDITOR),
    ("bring_in", Role.SUPERVISOR),
    ("help", Role.AUDITOR),
]
MARKDOWN = {"label", "body", "help", "caption", "captions", "title", "message", "content"}
"""Fields of Streamlit's elements that it reads as Markdown; the options of a radio are, those of a list are not."""
LIVE = re.compile(r"(?<!\\)\]\s*(?<!\\)\(\s*(https?://evil|javascript)")
"""A link or a picture that Markdown would make."""


class Tags(HTMLParser):
    """Collects tags and attributes that a name could only have brought in itself."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" or given.get("src") == "x" or any(name.startswith("on") for name in given):
            self.foreign.append(tag)
        if (given.get("href") or "").startswith(("javascript", "https://evil")):
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
        for person in session.execute(text("SELECT id, subject_id FROM person")).all():
            session.execute(
                text("UPDATE person SET name_cipher = :name WHERE id = :id"),
                {"name": persons.seal(session, person.subject_id, HOSTILE), "id": person.id},
            )
        session.execute(
            text("UPDATE incident SET status = 'filed', closed_at = NULL, due_at = now() - interval '1 hour'"),
        )
    return int(incident)


def elements(block: Block) -> Iterator[Node]:
    for node in block.children.values():
        yield node
        if isinstance(node, Block):
            yield from elements(node)


def markdown_of(page: AppTest) -> Iterator[str]:
    """Every text of a page that is read as Markdown."""
    for node in (*elements(page.main), *elements(page.sidebar)):
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message) and node.type != "html":
            yield from texts(proto)


def texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            parts = list(value) if field.is_repeated else [value]
            for part in parts:
                if isinstance(part, Message):
                    yield from texts(part)
        elif field.name in MARKDOWN or (field.name == "options" and message.DESCRIPTOR.name == "Radio"):
            yield from [value] if isinstance(value, str) else [each for each in value if isinstance(each, str)]


@pytest.mark.parametrize(("view", "role"), PAGES)
def test_hostile_names_stay_text(hostile: int, run: Run, view: str, role: Role) -> None:
    opened = {"incidents": ("incident", hostile), "components": ("component", 1), "units": ("unit", 1)}.get(view)
    page = run(view, role, **({opened[0]: str(opened[1])} if opened else {}))
    tags = Tags()
    for element in page.get("html"):
        if element.proto.unsafe_allow_javascript:  # a page's own script, which holds nobody's words
            assert "evil" not in element.proto.body
            continue
        tags.feed(element.proto.body)
    assert tags.foreign == []
    if view in {"today", "incidents"}:
        assert "onerror=" in words(page), "the name is on the page, so the test tests something"
    live = [each for each in markdown_of(page) if LIVE.search(each)]
    assert live == []
