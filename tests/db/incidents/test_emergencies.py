"""Emergencies: handed over when filed, waiting until somebody writes it down, never silently queued."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role
from geodata import db
from geodata.tables import HandOver, Incident, Record, Task
from incidents.service import emergencies, report
from incidents.work import HandedOver, NewReport
from tests.db.incidents.conftest import NOW, City
from tests.db.incidents.desk import Desk, fresh

POINT = (-1.31, 50.69)
SMOKE = NewReport("event-01-02", *POINT, text="A rubbish heap is burning and a boy is bleeding")
GAS = NewReport("event-04-03", *POINT)


def file(desk: Desk, new: NewReport, actor: Actor | None = None, **more: object) -> int:
    actor = actor or desk.dispatcher
    db.as_actor(desk.session, actor)
    given = {name: getattr(new, name) for name in NewReport.__dataclass_fields__} | more
    return report(desk.session, actor, NewReport(**given), command_id=fresh(), moment=NOW).incident_id


def held(desk: Desk, incident_id: int) -> dict[str, HandOver]:
    db.as_actor(desk.session, desk.city.actor)
    rows = desk.session.scalars(
        select(HandOver).where(HandOver.incident_id == incident_id).execution_options(populate_existing=True)
    )
    return {row.service: row for row in rows}


def waiting(desk: Desk, actor: Actor) -> list[tuple[int, str]]:
    db.as_actor(desk.session, actor)
    return [(each.incident_id, each.service) for each in emergencies.waiting(desk.session, actor)]


def test_words_raise_whatever_the_class_and_wait_on_both_desks(session: Session, desk: Desk) -> None:
    made = file(desk, SMOKE)
    assert {name: (row.state, row.phone, row.because) for name, row in held(desk, made).items()} == {
        "fire": ("waiting", "999", "burning"),
        "ambulance": ("waiting", "999", "bleeding"),
    }
    row = session.get_one(Incident, made)
    assert row.emergency
    assert session.scalars(select(Task).where(Task.incident_id == made)).all() == []  # nobody looks on site first
    for actor in (desk.dispatcher, desk.supervisor):
        assert set(waiting(desk, actor)) == {(made, "fire"), (made, "ambulance")}


def test_a_class_of_danger_raises_without_a_word(session: Session, desk: Desk) -> None:
    made = file(desk, GAS)
    row = held(desk, made)["fire"]
    assert (row.because, row.raised_by, row.raised_label) == ("class:event-04-03", desk.dispatcher.user_id, "dora")


def test_what_the_caller_was_told_at_the_desk_is_written_at_once(session: Session, desk: Desk) -> None:
    made = file(desk, GAS, handed_over=(HandedOver("fire", NOW, "F-2207"),))
    row = held(desk, made)["fire"]
    assert (row.state, row.reference, row.called_at, row.channel) == ("acknowledged", "F-2207", NOW, "phone")
    assert (row.settled_by, row.settled_label) == (desk.dispatcher.user_id, "dora")
    assert waiting(desk, desk.supervisor) == []


def test_a_false_alarm_is_a_click_and_stays_on_record(session: Session, desk: Desk) -> None:
    db.as_actor(session, desk.dispatcher)
    emergencies.dismiss_banner(session, desk.dispatcher, ("burning", "bleeding"))
    answers = (HandedOver("fire", None), HandedOver("ambulance", None))
    made = file(desk, SMOKE, handed_over=answers)
    assert {row.state for row in held(desk, made).values()} == {"dismissed"}
    assert not session.get_one(Incident, made).emergency
    assert waiting(desk, desk.supervisor) == []
    db.as_actor(session, desk.supervisor)
    event = session.scalars(select(Record).where(Record.action == "dismissed_alarm")).one()
    assert (event.actor_user_id, event.after) == (desk.dispatcher.user_id, {"because": ["burning", "bleeding"]})


def test_who_hands_over_writes_it_once(session: Session, desk: Desk) -> None:
    made = file(desk, GAS)
    row = held(desk, made)["fire"]
    db.as_actor(session, desk.supervisor)
    said = HandedOver("fire", NOW, "  F 1 ", "radio")
    emergencies.settle(session, desk.supervisor, row.id, said, moment=NOW)
    with pytest.raises(Conflict, match="settled already by sam"):
        emergencies.settle(session, desk.supervisor, row.id, said, moment=NOW)
    kept = held(desk, made)["fire"]
    assert (kept.state, kept.reference, kept.channel, kept.settled_by) == (
        "acknowledged", "F 1", "radio", desk.supervisor.user_id,
    )  # fmt: skip
    db.as_actor(session, desk.supervisor)
    for change in ("state = 'waiting', settled_at = NULL", "reference = 'other'", "service = 'police'"):
        with pytest.raises(IntegrityError, match="written down once"), session.begin_nested():
            session.execute(text(f"UPDATE hand_over SET {change} WHERE id = :id"), {"id": row.id})


def test_nobody_writes_a_hand_over_in_anothers_name_or_for_others(session: Session, desk: Desk, city: City) -> None:
    made = file(desk, GAS)
    row = held(desk, made)["fire"]
    manager = city.officer(Role.GRID_MANAGER, area_ids=(city.west_id,))
    db.as_actor(session, manager)
    assert emergencies.of_incident(session, manager, made)
    with pytest.raises(NotFound):  # locked for changing, it is not even found
        emergencies.settle(session, manager, row.id, HandedOver("fire", NOW), moment=NOW)
    db.as_actor(session, desk.handler)
    with pytest.raises(NotPermitted):
        emergencies.settle(session, desk.handler, row.id, HandedOver("fire", NOW), moment=NOW)
    db.as_actor(session, desk.supervisor)
    forged = "UPDATE hand_over SET state = 'acknowledged', called_at = now(), settled_by = :other WHERE id = :id"
    session.execute(text(forged), {"other": desk.extra_id, "id": row.id})
    assert held(desk, made)["fire"].settled_by == desk.supervisor.user_id
    away = city.officer(Role.GRID_MANAGER, area_ids=(city.east_id,))
    db.as_actor(session, away)
    assert emergencies.of_incident(session, away, made) == []
    assert session.execute(text("DELETE FROM hand_over")).rowcount == 0
    with pytest.raises(ProgrammingError), session.begin_nested():
        add = "INSERT INTO hand_over (territory_id, incident_id, service, phone) VALUES (:t, :i, 'police', '1')"
        session.execute(text(add), {"t": city.territory.id, "i": made})


def test_an_emergency_that_came_another_way_waits_too(session: Session, desk: Desk, add_incident) -> None:
    made = add_incident()
    assert (made, "") in waiting(desk, desk.supervisor)
    db.as_actor(session, desk.supervisor)
    emergencies.add_by_hand(session, desk.supervisor, made, "police", HandedOver("police", NOW, "P1"), moment=NOW)
    assert waiting(desk, desk.supervisor) == []
    with pytest.raises(Conflict):
        emergencies.add_by_hand(session, desk.supervisor, made, "police")


def test_what_is_closed_still_waits_until_it_is_written_down(session: Session, desk: Desk) -> None:
    made = file(desk, GAS, desk.supervisor)
    desk.act(desk.supervisor, made, "void", reason="not_found")
    assert waiting(desk, desk.supervisor) == [(made, "fire")]


def test_a_duplicate_is_handed_over_to_whom_the_first_report_was_not(session: Session, desk: Desk) -> None:
    first = file(desk, GAS, desk.supervisor)
    child = file(desk, SMOKE, duplicate_of=first)
    assert {name: row.state for name, row in held(desk, child).items()} == {"ambulance": "waiting"}
    assert session.get_one(Incident, child).emergency
    assert set(waiting(desk, desk.supervisor)) == {(first, "fire"), (child, "ambulance")}
    same = file(desk, GAS, duplicate_of=first)
    assert held(desk, same) == {}
    assert session.get_one(Incident, same).emergency


def test_a_false_alarm_of_the_first_report_says_nothing_of_the_next_one(session: Session, desk: Desk) -> None:
    first = file(desk, SMOKE, handed_over=(HandedOver("fire", None), HandedOver("ambulance", None)))
    child = file(desk, SMOKE, duplicate_of=first)
    assert {name: row.state for name, row in held(desk, child).items()} == {"fire": "waiting", "ambulance": "waiting"}
    assert session.get_one(Incident, child).emergency


def test_a_territory_adds_words_switches_them_off_and_has_its_own_numbers(session: Session, desk: Desk) -> None:
    sam = desk.supervisor
    db.as_actor(session, sam)
    emergencies.set_rule(session, sam, "word", "Gasometer hisst", "fire")
    db.as_actor(session, desk.city.actor)  # what is shipped is not switched off by one person
    emergencies.set_rule(session, desk.city.actor, "word", "burning", "fire", active=False)
    db.as_actor(session, sam)
    emergencies.set_rule(session, sam, "number", "0800 111 999", "fire")
    emergencies.set_rule(session, sam, "lookalike", "bleeding heart")
    ask = {"class_key": "", "emergency_class": False}

    def whom(said: str) -> list[tuple[str, str]]:
        found = emergencies.whom_to_call(session, sam, desk.city.territory, said, **ask)
        return [(each.service, each.number) for each in found]

    assert whom("The GASOMETER hisst") == [("fire", "0800 111 999")]
    assert whom("a burning question") == whom("bleeding heart in the flower bed") == []
    emergencies.set_rule(session, sam, "number", "112", "fire")
    assert whom("fire") == [("fire", "112")]
    with pytest.raises(InvalidInput):
        emergencies.set_rule(session, sam, "word", "x" * 61, "fire")
    with pytest.raises(InvalidInput):
        emergencies.set_rule(session, sam, "word", "x", "navy")
    db.as_actor(session, desk.dispatcher)
    with pytest.raises(NotPermitted):
        emergencies.set_rule(session, desk.dispatcher, "word", "x", "fire")


@pytest.mark.parametrize(
    "wrong",
    [
        HandedOver("fire", NOW, "x" * 61),
        HandedOver("fire", NOW, "a\x00"),
        HandedOver("fire", NOW, "", "pigeon"),
        HandedOver("fire", NOW + dt.timedelta(hours=1)),
    ],
)
def test_what_cannot_have_been_is_refused(desk: Desk, wrong: HandedOver) -> None:
    with pytest.raises(InvalidInput):
        file(desk, GAS, handed_over=(wrong,))
