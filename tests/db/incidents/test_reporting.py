"""The desk: what a report becomes, what it leaves, and what is refused with the way out."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role
from geodata import db
from geodata.persons import phone_hash, unseal
from geodata.tables import AppUser, Command, Draft, Incident, IncidentPersonal, PersonKey, Record, Unit
from incidents.numbers import check_number
from incidents.service import assign_owners, preview, report
from incidents.work import Done, NewReport
from people.drafts import discard_draft, load_draft, save_draft
from tests.db.incidents.conftest import NOW, City
from tests.halves import EAST, MIDDLE, WEST
from tests.reporters import reporter_of

GAS = NewReport(
    "event-04-03", -1.31, 50.69, "High  Street 4", "Smell at number 4, says Mrs Ames", "Ann Ames", "+44 1983 55512"
)


def take_in(session: Session, actor: Actor, new: NewReport = GAS, command: str | None = None) -> Done:
    db.as_actor(session, actor)
    return report(session, actor, new, command_id=command or str(uuid.uuid4()), moment=NOW)


@pytest.fixture
def unit_id(session: Session, city: City) -> int:
    unit = Unit(territory_id=city.territory.id, code="GS", kind="company", name="Gas", valid_from=dt.date(2020, 1, 1))
    session.add(unit)
    session.flush()
    assign_owners(session, city.actor, city.territory, {"event-04": unit.id}, legal_basis="By-law 7")
    return unit.id


def test_a_supervisors_report_is_filed_with_grid_unit_deadline_number_and_record(
    session: Session, city: City, unit_id: int
) -> None:
    supervisor = city.officer(Role.SUPERVISOR)
    db.as_actor(session, supervisor)
    shown = preview(session, supervisor, GAS.class_key, GAS.lon, GAS.lat, moment=NOW)
    done = take_in(session, supervisor)
    row = session.get_one(Incident, done.incident_id)
    assert (row.status, row.filed_at, row.reported_at) == ("filed", NOW, NOW)
    assert row.due_at == NOW + dt.timedelta(hours=3) == shown.due_at
    assert (row.grid_id, row.community_id, row.unit_id) == (shown.grid_id, city.west_id, unit_id)
    assert shown.unit is not None
    assert (shown.unit.code, shown.legal_basis, shown.whole_territory) == ("GS", "By-law 7", True)
    assert (row.place, row.emergency, row.simulated) == ("High Street 4", True, False)
    assert check_number(row.number) == done.number
    entries = session.scalars(
        select(Record.purpose).where(Record.subject_table == "incident", Record.subject_id == str(row.id))
    ).all()
    assert entries == ["report"]


def test_personal_fields_are_sealed_everywhere(session: Session, city: City) -> None:
    done = take_in(session, city.officer(Role.SUPERVISOR))
    db.as_actor(session, city.actor)
    kept = session.get_one(IncidentPersonal, done.incident_id)
    assert unseal(session, kept.subject_id, kept.note_cipher) == GAS.text
    assert reporter_of(session, done.incident_id)[0] == "Ann Ames"
    assert kept.phone_hash == phone_hash("+44 1983 55512")
    everything = str(session.execute(select(Record.before, Record.after)).all())
    everything += str(session.execute(select(Command.digest, Command.result)).all())
    for secret in ("Ames", "55512", "Smell"):
        assert secret not in everything


def test_what_a_dispatcher_takes_down_waits_for_a_supervisor(session: Session, city: City) -> None:
    for role in (Role.DISPATCHER, Role.GRID_MANAGER):
        done = take_in(session, city.officer(role, area_ids=(city.west_id,)))
        row = session.get_one(Incident, done.incident_id)
        assert (row.status, row.filed_at) == ("reported", None)
        assert row.unit_id is None  # the duty list is empty: no unit, and that is no error
    assert take_in(session, city.officer(Role.GRID_WORKER, area_ids=(city.west_id,))).status == "filed"


@pytest.mark.parametrize("role", [Role.PLANNER, Role.AUDITOR, Role.ADMINISTRATOR, Role.HANDLER])
def test_others_do_not_report(session: Session, city: City, role: Role) -> None:
    with pytest.raises(NotPermitted):
        take_in(session, city.officer(role))


def test_a_command_twice_is_one_incident(session: Session, city: City) -> None:
    supervisor, command = city.officer(Role.SUPERVISOR), str(uuid.uuid4())
    first = take_in(session, supervisor, command=command)
    assert take_in(session, supervisor, command=command) == replace(first, repeated=True)
    assert len(session.scalars(select(Incident.id)).all()) == 1
    with pytest.raises(InvalidInput, match="other contents"):
        take_in(session, supervisor, replace(GAS, phone="999 999"), command=command)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lon": 10.0}, "no unit grid of Small City. Choose a place inside"),
        ({"lon": 50.69, "lat": -1.31}, "swapped"),
        ({"lon": float("nan")}, "no unit grid"),
        ({"class_key": "event-99-99"}, "no class 'event-99-99'"),
        ({"class_key": ""}, "no class"),
        ({"source": "gossip"}, "no source"),
        ({"phone": "call me"}, "phone number cannot be one"),
        ({"text": "x" * 4001}, "more than 4,000"),
        ({"unit_id": 999_999}, "no such unit"),
        ({"place": "High\x00Street"}, "cannot be kept"),
        ({"text": "half a pair: \ud83d"}, "cannot be kept"),
        ({"reported_at": NOW + dt.timedelta(days=1)}, "future"),
    ],
)
def test_bad_input_is_a_sentence(session: Session, city: City, change: dict[str, object], says: str) -> None:
    with pytest.raises((InvalidInput, NotFound)) as told:
        take_in(session, city.officer(Role.SUPERVISOR), replace(GAS, **change))
    assert says in str(told.value)


def test_a_manager_is_told_where_to_turn_for_another_community(session: Session, city: City) -> None:
    manager = city.officer(Role.GRID_MANAGER, area_ids=(city.west_id,))
    with pytest.raises(InvalidInput, match="outside your communities"):
        take_in(session, manager, replace(GAS, lon=(MIDDLE + EAST) / 2))
    assert WEST < GAS.lon < MIDDLE


def test_a_draft_is_sealed_replaced_seen_by_its_writer_only_and_destroyed(session: Session, city: City) -> None:
    users = [AppUser(login=name, password_hash="-", title_en=name, title_zh=name) for name in ("ann", "bob")]
    session.add_all(users)
    session.flush()
    ann, bob = (Actor(user.id, user.login, Role.DISPATCHER, city.territory.id) for user in users)
    db.as_actor(session, ann)
    save_draft(session, ann, "incident", {"text": "Mrs Ames"})
    save_draft(session, ann, "incident", {"text": "Mrs Ames called"})
    found = load_draft(session, ann, "incident")
    assert found is not None
    assert found.content == {"text": "Mrs Ames called"}
    assert load_draft(session, ann, "study") is None
    kept = session.scalars(select(Draft)).one()
    assert b"Ames" not in kept.content_cipher
    subject = kept.subject_id
    db.as_actor(session, bob)
    assert load_draft(session, bob, "incident") is None
    assert session.scalars(select(Draft)).all() == []
    db.as_actor(session, ann)
    discard_draft(session, ann, "incident")
    assert load_draft(session, ann, "incident") is None
    db.as_actor(session, city.actor)
    assert session.get_one(PersonKey, subject).wrapped_key is None
    with pytest.raises(InvalidInput, match="Only a person"):
        save_draft(session, city.actor, "incident", {})
    with pytest.raises(InvalidInput, match="too long"):
        save_draft(session, ann, "incident", {"text": "x" * 30_000})
