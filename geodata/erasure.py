"""Erasing a person: the key is destroyed, what could find the person again is emptied, and that it was done is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata import persons
from geodata.erasure_log import Logged
from geodata.tables import PURPOSES, Erasure, Evidence, Incident, IncidentPersonal, Person, PersonKey, Worker

_REFERENCE = re.compile(r"[A-Za-z0-9/._-]{0,40}")
_BY_LOG = "log of erasures"
_EMPTY_PERSON = """
    UPDATE person SET name_cipher = NULL, phone_cipher = NULL, phone_hash = NULL
    WHERE subject_id = ANY ({ids}) AND num_nonnulls(name_cipher, phone_cipher, phone_hash) > 0
"""
_EMPTY_INCIDENT = """
    UPDATE incident_personal SET note_cipher = NULL, reporter_cipher = NULL, phone_cipher = NULL, phone_hash = NULL
    WHERE subject_id = ANY ({ids})
"""
_KNOWN = "SELECT subject_id, at, by_label, purpose, reference, territory_id, by_user_id FROM erasure"
_TOLD = """
    INSERT INTO erasure (subject_id, at, by_label, purpose, reference, territory_id, by_user_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_NO_KEY = """
    INSERT INTO person_key (subject_id, wrapped_key, destroyed_at) VALUES (%s, NULL, %s)
    ON CONFLICT (subject_id) DO UPDATE
    SET wrapped_key = NULL, destroyed_at = coalesce(person_key.destroyed_at, excluded.destroyed_at)
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure that took place; who, and why, never whose name."""

    subject_id: str
    at: dt.datetime
    by_label: str
    purpose: str
    reference: str = ""
    territory_id: int | None = None
    by_user_id: int | None = None


def erase_person(session: Session, actor: Actor, subject_id: str, *, purpose: str, reference: str = "") -> Erased:
    """Erase a person for good, and return what is kept about it.

    Parameters
    ----------
    purpose
        One of `PURPOSES`: a word and no free text, in which a name could stand.
    reference
        Number of the letter or order.

    Raises
    ------
    NotFound
        When there is no such person.
    InvalidInput
        When the purpose is not known or the reference has spaces.
    """
    require(actor, May.KEEP_RUNNING)
    if purpose not in PURPOSES:
        raise InvalidInput(f"There is no purpose {purpose!r}.", hint=f"Known are: {', '.join(PURPOSES)}.")
    if not _REFERENCE.fullmatch(reference):
        raise InvalidInput(
            "The reference is a number of at most 40 letters, digits and / . _ -.", hint="Leave names out of it."
        )
    already = session.get(Erasure, subject_id)
    if already is not None:
        return _as_erased(already)
    persons.erase(session, subject_id, purpose=purpose)
    home = _territory_of(session, subject_id)
    for statement in (_EMPTY_PERSON, _EMPTY_INCIDENT):
        session.execute(text(statement.format(ids="ARRAY[:subject]")), {"subject": subject_id})
    row = Erasure(
        subject_id=subject_id,
        at=now(),
        territory_id=home,
        by_user_id=actor.user_id,
        by_label=actor.label,
        purpose=purpose,
        reference=reference,
    )
    session.add(row)
    session.flush()
    return _as_erased(row)


def _as_erased(row: Erasure) -> Erased:
    return Erased(**{name: getattr(row, name) for name in Erased.__slots__})


def _territory_of(session: Session, subject_id: str) -> int | None:
    for table in (Person, IncidentPersonal, Evidence):
        home = session.scalar(select(table.territory_id).where(table.subject_id == subject_id))
        if home is not None:
            return home
    return None


def subject_of_worker(session: Session, territory_id: int, code: str) -> str:
    """Return the subject of the worker with a staff number; raise `NotFound` when there is none."""
    found = session.scalar(
        select(Person.subject_id)
        .join(Worker, Worker.person_id == Person.id)
        .where(Worker.territory_id == territory_id, Worker.code == code)
    )
    if found is None:
        raise NotFound(f"There is no worker {code} with personal fields.")
    return found


def subject_of_incident(session: Session, territory_id: int, number: str) -> str:
    """Return the subject of what names people in an incident; raise `NotFound` when there is none."""
    found = session.scalar(
        select(IncidentPersonal.subject_id)
        .join(Incident, Incident.id == IncidentPersonal.incident_id)
        .where(Incident.territory_id == territory_id, Incident.number == number)
    )
    if found is None:
        raise NotFound(f"There is no incident {number} with personal fields.")
    return found


def subjects_of_evidence(session: Session, territory_id: int, number: str) -> list[str]:
    """Return the subjects of the unblurred photos and the notes on the place of an incident."""
    return list(
        session.scalars(
            select(Evidence.subject_id)
            .join(Incident, Incident.id == Evidence.incident_id)
            .join(PersonKey, PersonKey.subject_id == Evidence.subject_id)
            .where(Incident.territory_id == territory_id, Incident.number == number)
            .order_by(Evidence.id)
        )
    )


def subjects_of_phone(session: Session, territory_id: int, phone: str) -> list[str]:
    """Return the subjects that gave a telephone number: reporters of incidents, and persons who work here."""
    wanted = persons.phone_hash(phone)
    found: list[str] = []
    for table in (Person, IncidentPersonal):
        found += session.scalars(
            select(table.subject_id).where(table.territory_id == territory_id, table.phone_hash == wanted)
        )
    return found


def erasures_of(connection: psycopg.Connection) -> Mapping[str, Erased]:
    """Return all a database knows to be erased, asked as its owner; nothing where the tables are not there."""
    found: dict[str, Erased] = {}
    if _is_there(connection, "person_key"):
        rows = connection.execute("SELECT subject_id, destroyed_at FROM person_key WHERE wrapped_key IS NULL")
        found |= {subject: Erased(subject, at or now(), "", "") for subject, at in rows}
    if _is_there(connection, "erasure"):
        found |= {row[0]: Erased(*row) for row in connection.execute(_KNOWN)}
    return found


def _is_there(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}"]).fetchone()
    return row is not None and bool(row[0])


def from_log(logged: Iterable[Logged]) -> Mapping[str, Erased]:
    """Return the erasures of the log."""
    return {each.subject_id: Erased(each.subject_id, each.at, _BY_LOG, each.purpose) for each in logged}


def erase_again(connection: psycopg.Connection, erased: Mapping[str, Erased]) -> int:
    """Do erasures again in a database that was restored; return how many were not done in it.

    Keys that are not there yet are refused for ever, so that a keys file brought later opens none of
    these persons.
    """
    subjects = sorted(erased)
    row = connection.execute(
        "SELECT count(*) FROM person_key WHERE subject_id = ANY (%s) AND wrapped_key IS NOT NULL", [subjects]
    ).fetchone()
    open_still = int(row[0]) if row else 0
    told = [erased[subject] for subject in subjects if erased[subject].purpose in PURPOSES]
    with connection.cursor() as cursor:
        cursor.executemany(_NO_KEY, [(subject, erased[subject].at) for subject in subjects])
        for statement in (_EMPTY_PERSON, _EMPTY_INCIDENT):
            cursor.execute(statement.format(ids="%s").encode(), [subjects])
        cursor.executemany(_TOLD, [dataclasses.astuple(each) for each in told])
    return open_still
