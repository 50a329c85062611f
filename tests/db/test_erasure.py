"""Erasing a person: what is lost, what is kept, and the log outside the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import erasure, erasure_log, persons, record
from geodata.db import transaction
from geodata.tables import Erasure, IncidentPersonal, Person, PersonKey, Territory, Worker
from tests.reporters import reporter_of

SYSTEM = system_actor(label="command line")


@pytest.fixture(autouse=True)
def log() -> Iterator[Path]:
    path = erasure_log.log_path()
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


def _new_subject() -> str:
    with transaction(SYSTEM) as session:
        return persons.new_subject(session)


def test_a_worker_is_erased_by_staff_number_and_every_hash_still_fits(demo_database: Engine, log: Path) -> None:
    with transaction(SYSTEM) as session:
        home = session.scalars(select(Territory.id)).one()
        code = session.scalars(select(Worker.code).order_by(Worker.id).limit(1)).one()
        subject = erasure.subject_of_worker(session, home, code)
        done = erasure.erase_person(session, SYSTEM, subject, purpose="left", reference="HR-2026/17")
        assert log.exists() is False, "nothing is written before the commit"
    assert (done.territory_id, done.purpose) == (home, "left")
    assert erasure_log.read_log()[subject].purpose == "left"
    assert log.stat().st_mode & 0o777 == 0o600
    with transaction(SYSTEM) as session:
        person = session.scalars(select(Person).where(Person.subject_id == subject)).one()
        assert (person.name_cipher, person.phone_cipher, person.phone_hash) == (None, None, None)
        key = session.get(PersonKey, subject)
        assert key is not None
        assert key.wrapped_key is None
        assert key.destroyed_at is not None
        row = session.get(Erasure, subject)
        assert row is not None
        assert row.reference == "HR-2026/17"
        assert erasure.erase_person(session, SYSTEM, subject, purpose="request").purpose == "left", "once is enough"
        assert record.first_bad(session) is None
        told = record.history(session, "erasure", subject)
        assert [(entry.action, entry.actor_label) for entry in told] == [("insert", "command line")]


def test_whoever_gave_a_number_is_found_by_it(demo_database: Engine) -> None:
    with transaction(SYSTEM) as session:
        row = session.scalars(select(IncidentPersonal).where(IncidentPersonal.phone_hash.is_not(None)).limit(1)).one()
        phone = reporter_of(session, row.incident_id)[1] or ""
        found = erasure.subjects_of_phone(session, row.territory_id, phone)
        assert row.subject_id in found
        for subject in found:
            erasure.erase_person(session, SYSTEM, subject, purpose="request")
        assert erasure.subjects_of_phone(session, row.territory_id, phone) == []
        session.refresh(row)
        assert row.note_cipher is None


def test_no_phone_hash_enters_the_record_any_more(demo_database: Engine) -> None:
    with transaction(SYSTEM) as session:
        kept = "SELECT count(*) FROM {} WHERE coalesce(after, before) ? 'phone_hash'"
        for table in ("record", "load_row"):
            assert session.execute(text(kept.format(table))).scalar() == 0


def test_a_rolled_back_erasure_is_not_logged(demo_database: Engine) -> None:
    subject, other = _new_subject(), _new_subject()
    with pytest.raises(RuntimeError), transaction(SYSTEM) as session:
        persons.erase(session, subject)
        raise RuntimeError
    with transaction(SYSTEM) as session:
        with pytest.raises(RuntimeError), session.begin_nested():
            persons.erase(session, subject)
            raise RuntimeError
        with session.begin_nested():
            persons.erase(session, other)
    assert set(erasure_log.read_log()) == {other}


def test_a_commit_that_fails_is_taken_back_in_the_log(demo_database: Engine) -> None:
    subject = _new_subject()
    with pytest.raises(Exception, match="too late"), transaction(SYSTEM) as session:
        session.execute(
            text(
                "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'too late'; END $$"
            )
        )
        session.execute(text("CREATE TEMP TABLE doomed (n int)"))
        session.execute(
            text(
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON doomed DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()"
            )
        )
        persons.erase(session, subject)
        session.execute(text("INSERT INTO doomed VALUES (1)"))
    assert subject not in erasure_log.read_log()
    assert [line.split()[1] for line in erasure_log.log_path().read_text().splitlines()] == ["erased", "withdrawn"]


def test_a_line_that_was_cut_off_is_no_erasure_and_spoils_no_later_one(log: Path) -> None:
    log.write_text("2026-11-21T10:00:00+00:00 erased aaaa request\n2026-11-21T10:00:00+00:00 erased bb")
    erasure_log.write_log([erasure_log.read_log()["aaaa"]], word="erased")
    assert list(erasure_log.read_log()) == ["aaaa"]
    assert log.read_text().endswith("erased bb\n2026-11-21T10:00:00+00:00 erased aaaa request\n")


def test_names_have_no_place_in_an_erasure(demo_database: Engine) -> None:
    subject = _new_subject()
    with transaction(SYSTEM) as session:
        with pytest.raises(InvalidInput, match="no purpose 'Ada asked'"):
            erasure.erase_person(session, SYSTEM, subject, purpose="Ada asked")
        with pytest.raises(InvalidInput, match="reference is a number"):
            erasure.erase_person(session, SYSTEM, subject, purpose="request", reference="Ada Lovelace")
        with pytest.raises(NotFound, match="no such person"):
            erasure.erase_person(session, SYSTEM, "nobody", purpose="request")
        auditor = Actor(None, "Auditor", Role.AUDITOR, 1)
        with pytest.raises(NotPermitted):
            erasure.erase_person(session, auditor, subject, purpose="request")
