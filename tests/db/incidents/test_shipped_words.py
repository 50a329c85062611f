"""One person alone mutes no shipped word of danger: not in the service, and not in SQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import NotPermitted
from geodata import db
from incidents.emergencies import calls, mutes, plain, shipped
from incidents.service import emergencies
from tests.db.incidents.desk import Desk

ADD = "INSERT INTO emergency_rule (territory_id, kind, phrase, service, active) VALUES (:home, :kind, :phrase, :s, :on)"
MUTING = [
    ("word", "burning", "fire", False),
    ("word", " ＢＵＲＮＩＮＧ ", "fire", False),
    ("word", "smell\u2028of \x01 gas", "fire", False),
    ("word", "burning", "police", True),
    ("word", "着火", "fire", False),
    ("class", "event-04-01", "fire", False),
    ("class", "event-04-01", "police", True),
    ("lookalike", "fire", "", True),
    ("lookalike", "Fires", "", True),
    ("lookalike", "carbon", "", True),
    ("lookalike", "火", "", True),
    ("lookalike", "fire fire", "", True),
]


def test_the_database_holds_the_words_that_are_shipped(session: Session) -> None:
    for kind, held in (("word", shipped().words), ("class", shipped().classes)):
        found = session.scalar(text("SELECT gk_shipped_alarms(:kind)"), {"kind": kind})
        assert found == [phrase for phrase, _ in held]
    for said in ("  Can’t  Breathe", "ＦＩＲＥ", "着火"):
        assert session.scalar(text("SELECT gk_plain(:said)"), {"said": said}) == plain(said)


@pytest.mark.parametrize(("kind", "phrase", "service", "active"), MUTING)
def test_nobody_mutes_a_shipped_word_alone(
    session: Session, desk: Desk, kind: str, phrase: str, service: str, *, active: bool
) -> None:
    db.as_actor(session, desk.supervisor)
    values = {"home": desk.city.territory.id, "kind": kind, "phrase": phrase, "s": service, "on": active}
    with pytest.raises(IntegrityError, match="One person alone"), session.begin_nested():
        session.execute(text(ADD), values)
    with pytest.raises(NotPermitted, match="one person alone") as told:
        emergencies.set_rule(session, desk.supervisor, kind, phrase, service, active=active)
    assert "一人不得停用" in (told.value.zh or "")
    db.as_actor(session, desk.city.actor)
    session.execute(text(ADD), values)  # who runs the installation may


def test_a_word_of_ones_own_does_not_become_a_shipped_one(session: Session, desk: Desk) -> None:
    db.as_actor(session, desk.supervisor)
    emergencies.set_rule(session, desk.supervisor, "word", "gasometer hisst", "fire")
    for change in ("phrase = 'burning'", "phrase = 'burning', active = false", "phrase = 'fire', kind = 'lookalike'"):
        with pytest.raises(IntegrityError, match="One person alone"), session.begin_nested():
            session.execute(text(f"UPDATE emergency_rule SET {change}"))
    emergencies.set_rule(session, desk.supervisor, "word", "gasometer hisst", "fire", active=False)
    emergencies.set_rule(session, desk.supervisor, "word", "burning", "fire")  # in force as it is
    emergencies.set_rule(session, desk.supervisor, "lookalike", "burning bush")
    emergencies.set_rule(session, desk.supervisor, "lookalike", "fire hydrant", active=False)
    assert session.scalar(text("SELECT count(*) FROM emergency_rule")) == 3
    rules = emergencies.rules_of(session, desk.city.territory)
    assert calls(rules, "it is burning")
    assert not calls(rules, "a burning bush")
    assert calls(rules, "fire hydrant")


def test_what_was_switched_off_is_switched_on_by_one(session: Session, desk: Desk) -> None:
    db.as_actor(session, desk.city.actor)
    emergencies.set_rule(session, desk.city.actor, "word", "burning", "fire", active=False)
    assert not calls(emergencies.rules_of(session, desk.city.territory), "burning")
    db.as_actor(session, desk.supervisor)
    emergencies.set_rule(session, desk.supervisor, "word", "burning", "fire")
    assert calls(emergencies.rules_of(session, desk.city.territory), "burning")


def test_shipped_look_alikes_hold_more_than_a_word_of_danger() -> None:
    assert [phrase for phrase in shipped().lookalikes if mutes(phrase)] == []
