"""Whatever somebody types is kept as it reads, or refused in a sentence; it is never a statement or a pattern."""

from __future__ import annotations

import contextlib
import datetime as dt
import unicodedata
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import GridkeeperError
from core.identity import Actor, Role, system_actor
from core.words import one_line
from geodata import persons, places, record_search
from geodata.db import transaction
from geodata.record_search import RecordFilter
from incidents import service
from incidents.model import IncidentFilter
from incidents.service.queues import keep_queue
from incidents.work import NewReport
from people import drafts, units
from people.unit_model import UnitSpec

TYPED = {
    "sql": "x'; DROP TABLE incident; --",
    "sql in dollars": "$$; DELETE FROM task; $$",
    "a backslash": "\\'; SELECT pg_sleep(9); --",
    "a pattern": "%_%\\_[a-z]*(a+)+$",
    "a template": "{0} {name} {self.__class__} %s %(x)s %n ${x} {{7*7}} #{x}",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markdown": "[a](javascript:alert(1)) ![p](https://evil.example/p.png) :red[x] `x`",
    "a formula": "=cmd|'/C calc'!A0",
    "right to left": "Mill \u202egnp.exe\u2066 Lane",
    "control": "Mill\x1b[2J\x07 Lane",
    "nothing": "Mill\x00 Lane",
    "half a sign": "Mill \ud800 Lane",
    "json": '{"a": "\\u0000"}',
    "very long": "x" * 100_000,
    "many scripts": "Ｍｉｌｌ 米尔 ميل מיל e\u0301 \u0915\u094d\u200d\u0937",
    "lines": "Mill\r\nLane\n\nSet-Cookie: x=1",
}


class Undone(Exception):
    """What was done is taken back."""


@contextlib.contextmanager
def refused_or(actor: Actor) -> Iterator[Session]:
    """A transaction that is taken back; a refusal has to be a sentence of ours, whatever was typed."""
    try:
        with transaction(actor) as session:
            session.execute(text("SET LOCAL statement_timeout = '30s'"))
            yield session
            raise Undone  # noqa: TRY301  (it leaves the transaction)
    except Undone:
        pass
    except GridkeeperError as error:
        if not error.message:
            raise


def reads_as(kept: str | None, typed: str) -> bool:
    """Return whether what is kept is what was typed, or its beginning, without what is not seen."""
    return bool(kept) and one_line(typed).startswith(one_line(kept or "")) and kept == one_line(kept or "")


@pytest.mark.parametrize("name", sorted(TYPED))
def test_a_report_keeps_the_words(actors: dict[Role, Actor], name: str) -> None:
    typed, actor = TYPED[name], actors[Role.DISPATCHER]
    with refused_or(actor) as session:
        lon, lat = session.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM incident LIMIT 1")).one()
        new = NewReport("event-04-03", lon, lat, typed, typed, typed, "")
        done = service.report(session, actor, new, command_id=str(uuid.uuid4()))
        (place,) = session.execute(text("SELECT place FROM incident WHERE id = :id"), {"id": done.incident_id}).one()
        assert reads_as(place, typed)
        recorded = "SELECT string_agg(after::text, '') FROM record WHERE subject_table = 'incident_personal'"
        assert "DROP TABLE" not in (session.scalar(text(recorded)) or "")


@pytest.mark.parametrize("name", sorted(TYPED))
def test_a_search_is_for_these_words_alone(actors: dict[Role, Actor], name: str) -> None:
    typed = TYPED[name]
    for role in (Role.SUPERVISOR, Role.HANDLER):
        with refused_or(actors[role]) as session:
            assert service.list_incidents(session, actors[role], IncidentFilter(text=typed)).rows == ()
            assert service.count_incidents(session, actors[role], IncidentFilter(text=typed)) == 0
            places.find_places(session, actors[role].territory_id or 0, typed[:200])
    auditor = actors[Role.AUDITOR]
    for field in ("actor", "action", "table", "role", "subject_id"):
        with refused_or(auditor) as session:
            assert record_search.search(session, auditor, RecordFilter(**{field: typed})).rows == ()


@pytest.mark.parametrize("name", sorted(TYPED))
def test_names_are_kept_or_refused(actors: dict[Role, Actor], name: str) -> None:
    typed = TYPED[name]
    chief, dispatcher = actors[Role.ADMINISTRATOR], actors[Role.DISPATCHER]
    spec = UnitSpec("Z9", "department", typed, dt.date(2026, 1, 1), contact=typed, address=typed, phone="1")
    with refused_or(chief) as session:
        made = units.add(session, chief, chief.territory_id or 0, spec)
        kept = session.execute(text("SELECT name, address FROM unit WHERE id = :id"), {"id": made}).one()
        assert all(reads_as(each, typed) for each in kept)
    with refused_or(dispatcher) as session:
        keep_queue(session, dispatcher, typed, {"status": "filed"})
        kept = session.scalars(text("SELECT name FROM saved_queue")).all()
        assert all(reads_as(each, typed) for each in kept)
    with refused_or(dispatcher) as session:
        drafts.save_draft(session, dispatcher, "report", {"place": typed})
        found = drafts.load_draft(session, dispatcher, "report")
        assert found is not None
        assert found.content == {"place": typed}


@pytest.mark.parametrize("name", sorted(set(TYPED) - {"half a sign"}))
def test_what_is_sealed_opens_as_it_was(actors: dict[Role, Actor], name: str) -> None:
    del actors
    with refused_or(system_actor()) as session:
        subject = persons.new_subject(session)
        assert persons.unseal(session, subject, persons.seal(session, subject, TYPED[name])) == TYPED[name]


def test_everything_is_still_there(actors: dict[Role, Actor]) -> None:
    del actors
    with transaction(system_actor()) as session:
        for table in ("incident", "task", "unit", "record"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}"))


def test_one_line_keeps_what_is_seen() -> None:
    assert one_line("  High  Street\t4\n") == "High Street 4"
    assert one_line(TYPED["many scripts"]) == TYPED["many scripts"], "joiners belong to their scripts"
    for name in ("right to left", "control", "nothing", "half a sign"):
        made = one_line(TYPED[name])
        assert made.startswith("Mill")
        assert not {unicodedata.category(sign) for sign in made} & {"Cc", "Cs", "Cf"}
