"""From an act in plain SQL to an open review, an explanation and a decision; asked of the database too."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db, sealing
from geodata.tables import Record, Review
from insight import review_run, reviews
from insight.accountability import RULES
from tests.db.incidents.conftest import City, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import Desk
from tests.db.insight.planted import PLANTED, Hand, backdated, many_voids

NO_RIGHT = "42501"
LATER = dt.timedelta(days=8)


@pytest.fixture
def hand(desk: Desk, add_incident: Callable[..., int]) -> Hand:  # noqa: F811
    return Hand(desk, add_incident)


def look(hand: Hand, *, anew: bool = False, later: dt.timedelta = LATER) -> review_run.Looked:
    keeper = system_actor(hand.desk.city.territory.id)
    db.as_actor(hand.session, keeper)
    return review_run.run(hand.session, keeper, hand.desk.city.territory, anew=anew, moment=now() + later)


def auditor(hand: Hand) -> Actor:
    return Actor(hand.desk.extra_id, "pia", Role.AUDITOR, hand.desk.city.territory.id)


def found(session: Session, actor: Actor) -> list[reviews.ReviewRow]:
    db.as_actor(session, actor)
    return reviews.list_reviews(session, actor)


@contextlib.contextmanager
def undone(session: Session) -> Iterator[None]:
    """Undo what happens inside."""
    inside = session.begin_nested()
    yield
    inside.rollback()
    session.expunge_all()


def refused(session: Session, actor: Actor, statement: str, **values: object) -> None:
    db.as_actor(session, actor)
    with pytest.raises(ProgrammingError) as caught, session.begin_nested():
        session.execute(text(statement), values)
    assert caught.value.orig.sqlstate == NO_RIGHT


def test_an_act_in_plain_sql_opens_a_review(hand: Hand) -> None:
    for plant in PLANTED:
        with undone(hand.session):
            who = plant(hand)
            look(hand)
            every = found(hand.session, auditor(hand))
            held = [each for each in every if each.rule == plant.__name__]
            assert len(held) == 1, (plant.__name__, [each.rule for each in every])
            assert who.user_id in held[0].persons
            assert held[0].state == "open"
            told = reviews.detail(hand.session, auditor(hand), held[0].id)
            assert bool(held[0].number) == (held[0].subject_table == "incident"), "an incident is told by its number"
            assert told.row == held[0]
            assert all(bool(act.number) == (act.table == "incident") for act in told.evidence)
            assert [act.seq for act in told.evidence] == list(held[0].seqs)
            # Again, and over the whole record anew: the same findings, no second review.
            assert look(hand).opened == ()
            everything = look(hand, anew=True)
            assert everything.opened == ()
            assert everything.findings == len(every)


def test_every_rule_is_planted() -> None:
    assert {plant.__name__ for plant in PLANTED} == {rule.key for rule in RULES}


def test_a_quiet_day_opens_nothing(hand: Hand) -> None:
    hand.do(hand.desk.supervisor, "UPDATE incident SET priority = 3 WHERE id = :id", id=hand.ready())
    assert look(hand).opened == ()


def test_in_portions_sealed_in_between_it_comes_to_the_same(hand: Hand) -> None:
    for plant in (backdated, many_voids):
        plant(hand)
        db.as_actor(hand.session, system_actor())
        sealing.seal(hand.session)
        look(hand)
    portions = {(each.rule, each.seqs) for each in found(hand.session, auditor(hand))}
    db.as_actor(hand.session, system_actor())
    hand.session.execute(text("DELETE FROM review"))
    look(hand, anew=True)
    assert {(each.rule, each.seqs) for each in found(hand.session, auditor(hand))} == portions != set()


# --- what the person concerned and the oversight may do


@pytest.fixture
def finding(hand: Hand) -> reviews.ReviewRow:
    backdated(hand)
    look(hand, later=dt.timedelta(0))
    return next(each for each in found(hand.session, auditor(hand)) if each.rule == "backdated")


def test_who_it_concerns_sees_it_explains_and_does_not_decide(hand: Hand, finding: reviews.ReviewRow) -> None:
    session, sam = hand.session, replace(hand.desk.supervisor, role=Role.HANDLER)
    db.as_actor(session, sam)
    assert [each.id for each in reviews.reviews_on_me(session, sam)] == [finding.id]
    with pytest.raises(NotPermitted):
        reviews.list_reviews(session, sam)
    reviews.explain(session, sam, finding.id, "The paper form came in late from the depot.")
    told = reviews.detail(session, sam, finding.id)
    assert told.concerns_me
    assert (told.row.state, told.explanations[0].text, told.explanations[0].label) == (
        "explained", "The paper form came in late from the depot.", "sam",
    )  # fmt: skip
    sam = hand.desk.supervisor
    db.as_actor(session, sam)
    with pytest.raises(NotPermitted, match="himself"):
        reviews.decide(session, sam, finding.id, "dismissed", "It was only me, after all.", version=told.row.version)
    decision = "UPDATE review SET state = 'dismissed', reason_cipher = 'x', text_key = 'x' WHERE id = :id"
    refused(session, sam, decision, id=finding.id)
    # Nor by another account of the same person.
    hand.same_person(hand.desk.supervisor, auditor(hand))
    refused(session, auditor(hand), decision, id=finding.id)
    with pytest.raises(NotPermitted, match="himself"):
        reviews.decide(
            session, auditor(hand), finding.id, "dismissed", "It was only me, after all.", version=told.row.version
        )


def test_a_decision_is_made_once_with_a_reason_and_recorded(hand: Hand, finding: reviews.ReviewRow) -> None:
    session, pia = hand.session, auditor(hand)
    db.as_actor(session, pia)
    with pytest.raises(InvalidInput, match="characters"):
        reviews.decide(session, pia, finding.id, "confirmed", "no", version=finding.version)
    with pytest.raises(Conflict):
        reviews.decide(session, pia, finding.id, "confirmed", "Five hours are too many.", version=finding.version + 1)
    reviews.decide(session, pia, finding.id, "confirmed", "Five hours are too many.", version=finding.version)
    told = reviews.detail(session, pia, finding.id)
    assert (told.row.state, told.row.decided_label, told.reason) == ("confirmed", "pia", "Five hours are too many.")
    with pytest.raises(Conflict):
        reviews.decide(session, pia, finding.id, "dismissed", "Looked at once more.", version=told.row.version)
    refused(session, pia, "UPDATE review SET state = 'open' WHERE id = :id", id=finding.id)
    with pytest.raises(Conflict):
        sam = hand.desk.supervisor
        db.as_actor(session, sam)
        reviews.explain(session, sam, finding.id, "The paper form came in late.")
    db.as_actor(session, system_actor())
    row = session.execute(
        select(Record.actor_label, Record.after)
        .where(Record.subject_table == "review", Record.subject_id == str(finding.id))
        .order_by(Record.seq.desc())
        .limit(1)
    ).one()
    assert (row.actor_label, row.after["state"]) == ("pia", "confirmed")
    assert "Five hours" not in str(row.after)
    # After years the words go, and the finding with its decision stays.
    keeper = system_actor()
    assert reviews.forget_texts(session, keeper, now() - dt.timedelta(days=1)) == 0
    assert reviews.forget_texts(session, keeper, now() + dt.timedelta(days=1)) == 1
    db.as_actor(session, pia)
    told = reviews.detail(session, pia, finding.id)
    assert (told.row.state, told.reason) == ("confirmed", None)


def test_others_neither_see_nor_touch_it(hand: Hand, finding: reviews.ReviewRow) -> None:
    session = hand.session
    said = (
        "INSERT INTO review_explanation (territory_id, review_id, text_key, text_cipher) VALUES (:home, :id, 'x', 'x')"
    )
    opened = (
        "INSERT INTO review (territory_id, rule, key, severity, subject_table, subject_id, persons, seqs, numbers, at)"
        " VALUES (:home, 'backdated', 'x', 1, 'incident', '1', '{1}', '{1}', '{}', now())"
    )
    for role in set(Role) - {Role.SYSTEM, Role.SUPERVISOR, Role.AUDITOR}:
        other = Actor(hand.desk.extra_id, "pia", role, hand.desk.city.territory.id)
        db.as_actor(session, other)
        assert session.scalar(select(func.count()).select_from(Review)) == 0
        with pytest.raises(NotFound):
            reviews.detail(session, other, finding.id)
        assert session.execute(text("UPDATE review SET version = 9")).rowcount == 0
        refused(session, other, said, home=other.territory_id, id=finding.id)
        refused(session, other, opened, home=other.territory_id)
    away = replace(auditor(hand), territory_id=(hand.desk.city.territory.id or 0) + 1)
    assert found(session, away) == []
    assert session.scalar(text("SELECT count(*) FROM review_threshold")) == 0


def test_what_is_said_takes_nobodys_key(hand: Hand, finding: reviews.ReviewRow) -> None:
    """Retention destroys the key of what was said: it must not be that of a person."""
    home = hand.desk.city.territory.id
    person = "INSERT INTO person (territory_id, subject_id) VALUES (:home, 'somebody')"
    hand.do(system_actor(home), person, home=home)
    said = (
        "INSERT INTO review_explanation (territory_id, review_id, text_key, text_cipher)"
        " VALUES (:home, :id, 'somebody', 'x')"
    )
    refused(hand.session, hand.desk.supervisor, said, home=home, id=finding.id)
    decision = "UPDATE review SET state = 'confirmed', reason_cipher = 'x', text_key = 'somebody' WHERE id = :id"
    refused(hand.session, auditor(hand), decision, id=finding.id)


def test_not_even_the_system_decides_or_rewrites(hand: Hand, finding: reviews.ReviewRow) -> None:
    keeper = system_actor(hand.desk.city.territory.id)
    decision = "UPDATE review SET state = 'confirmed', reason_cipher = 'x', text_key = 'x' WHERE id = :id"
    refused(hand.session, keeper, decision, id=finding.id)
    refused(hand.session, keeper, "UPDATE review SET persons = '{}' WHERE id = :id", id=finding.id)


# --- thresholds


def test_a_threshold_takes_two_persons_and_holds_from_then_on(hand: Hand) -> None:
    session, sam, pia = hand.session, hand.desk.supervisor, auditor(hand)
    db.as_actor(session, sam)
    wanted = {"count": None, "minutes": 600, "active": True, "reason": "Paper forms of the depot come once a day."}
    number = reviews.propose(session, sam, "backdated", **wanted)
    with pytest.raises(Conflict):
        reviews.propose(session, sam, "backdated", **wanted)
    with pytest.raises(NotPermitted):
        reviews.decide_threshold(session, sam, number, "approved", version=1)
    approve = "UPDATE review_threshold SET state = 'approved' WHERE id = :id"
    refused(session, sam, approve, id=number)
    hand.same_person(sam, pia)
    refused(session, pia, approve, id=number)
    hand.do(system_actor(), "UPDATE app_user SET person_id = NULL")
    backdated(hand)
    db.as_actor(session, pia)
    reviews.decide_threshold(session, pia, number, "approved", version=1)
    held = {rule.key: each for rule, each in reviews.thresholds(session, pia, now())}
    assert held["backdated"].minutes == 600
    look(hand)
    # The transaction decides at its own beginning, and the act came after it: it is judged by the new threshold.
    assert not [each for each in found(session, pia) if each.rule == "backdated"]


def test_a_threshold_that_the_rule_does_not_have_is_refused(hand: Hand) -> None:
    sam = hand.desk.supervisor
    db.as_actor(hand.session, sam)
    wrong = (("nothing", 1, 1), ("backdated", 3, 60), ("self_close", 1, None), ("many_voids", 0, 60))
    for rule, count, minutes in wrong:
        with pytest.raises(InvalidInput):
            reviews.propose(
                hand.session, sam, rule, count=count, minutes=minutes, active=True, reason="It has to be tried."
            )


# --- who reported


def test_a_reporter_is_read_with_a_purpose_by_few_and_the_columns_are_closed(hand: Hand) -> None:
    session, incident = hand.session, hand.ready()
    for role in (Role.GRID_MANAGER, Role.GRID_WORKER, Role.HANDLER, Role.PLANNER, Role.ADMINISTRATOR):
        other = Actor(hand.desk.extra_id, "pia", role, hand.desk.city.territory.id, (hand.desk.city.east_id,))
        refused(session, other, "SELECT * FROM gk_reporter(:id, 'call back')", id=incident)
    for purpose in ("''", "NULL", "'curiosity'"):
        refused(session, hand.desk.supervisor, f"SELECT * FROM gk_reporter(:id, {purpose})", id=incident)
    away = replace(hand.desk.supervisor, territory_id=(hand.desk.supervisor.territory_id or 0) + 1)
    refused(session, away, "SELECT * FROM gk_reporter(:id, 'call back')", id=incident)
    for role in Role:
        actor = replace(hand.desk.supervisor, role=role)
        for column in ("reporter_cipher", "phone_cipher", "*"):
            refused(session, actor, f"SELECT {column} FROM incident_personal")
        session.execute(text("SELECT note_cipher FROM incident_personal"))
