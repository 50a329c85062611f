"""Units in the database: a tree under concurrent hands, contact, ending with what is left, history for who may see."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import Unit, Worker
from people import units
from people.unit_model import UnitSpec, arranged
from tests.halves import Halves, make_halves

START = dt.date(2020, 1, 1)
TODAY = dt.datetime.now(dt.UTC).date()


def spec(code: str, parent: str | None = None, **more) -> UnitSpec:
    return UnitSpec(
        code, more.pop("kind", "department"), more.pop("name", f"Unit {code}"), START, parent=parent, **more
    )


@pytest.fixture
def home(small_city: Halves) -> int:
    return small_city[0].id


@pytest.fixture
def boss(session: Session, home: int) -> Actor:
    actor = Actor(None, "administrator", Role.ADMINISTRATOR, home)
    db.as_actor(session, actor)
    return actor


@pytest.fixture
def three(session: Session, home: int, boss: Actor) -> dict[str, int]:
    """A above B above C."""
    return {
        code: units.add(session, boss, home, spec(code, parent))
        for code, parent in (("A", None), ("B", "A"), ("C", "B"))
    }


def test_a_unit_has_contact_calendar_and_a_place_in_the_tree(session, home, boss, three) -> None:
    given = spec(
        "ST01",
        "B",
        kind="street_office",
        name_zh="城东街道",
        contact="Duty desk",
        phone="+44 1983 821000",
        email="duty@office.example",
        address=" 4  High Street ",
        calendar="always",
    )
    made = units.add(session, boss, home, given)
    found = units.detail(session, boss, home, "st01")
    assert found.unit.id == made
    assert (found.unit.spec.address, found.unit.spec.calendar) == ("4 High Street", "always")
    assert found.parent is not None
    assert found.parent.code == "B"
    assert [entry.action for entry in found.history] == ["insert"]
    tree = units.tree(session, boss, home)
    assert [(depth, unit.code) for depth, unit in arranged(tree)] == [(0, "A"), (1, "B"), (2, "C"), (2, "ST01")]
    assert [unit.code for unit in units.may_be_parent(tree, three["B"])] == ["A"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "kingdom"}, "no kind of unit 'kingdom'"),
        ({"name": "  "}, "the name is empty"),
        ({"email": "nobody"}, "no e-mail address"),
        ({"phone": "call me"}, "no phone number"),
        ({"valid_to": dt.date(2019, 1, 1)}, "before the first"),
        ({"name": "x" * 81}, "more than 80 characters"),
    ],
)
def test_bad_fields_are_sentences(session, home, boss, more, said) -> None:
    with pytest.raises(DataQuality, match=said):
        units.add(session, boss, home, spec("X1", **more))


def test_every_broken_rule_is_told_at_once(session, home, boss) -> None:
    with pytest.raises(DataQuality) as refused:
        units.add(session, boss, home, spec("not a code!", kind="x", name="", email="x"))
    assert len(refused.value.violations) == 4


def test_unknown_parent_unknown_calendar_and_taken_code(session, home, boss, three) -> None:
    with pytest.raises(NotFound, match="no unit 'ZZ'"):
        units.add(session, boss, home, spec("X", "ZZ"))
    with pytest.raises(NotFound, match="no calendar 'never'"):
        units.add(session, boss, home, spec("X", calendar="never"))
    with pytest.raises(Conflict, match="The code A is that of Unit A"):
        units.add(session, boss, home, spec("a"))


def test_a_ring_is_named_by_the_service_and_refused_by_the_database(session, home, boss, three) -> None:
    with pytest.raises(InvalidInput, match="would stand above themselves: . → . → . → ."):
        units.change(session, boss, home, three["A"], version=1, parent="C")
    with pytest.raises(DataQuality, match="cannot stand above itself"):
        units.change(session, boss, home, three["A"], version=1, parent="A")
    row = session.get_one(Unit, three["A"])
    for parent in (three["C"], three["A"]):
        with pytest.raises(IntegrityError, match="would stand above itself"), session.begin_nested():
            row.parent_id = parent
            session.flush()


def test_a_parent_of_another_territory_is_refused(session, home, boss, three) -> None:
    other = make_halves(session, "other-city")[0].id
    row = Unit(territory_id=other, parent_id=three["A"], code="X", kind="team", name="X", valid_from=START)
    with pytest.raises(IntegrityError, match="another territory"), session.begin_nested():
        session.add(row)
        session.flush()
    with pytest.raises(NotFound):
        units.tree(session, boss, other)


def test_a_rename_keeps_history_and_a_stale_version_is_told_what_changed(session, home, boss, three) -> None:
    assert units.change(session, boss, home, three["B"], version=1, name="Parks", phone="12345") == 2
    assert units.change(session, boss, home, three["B"], version=2, name="Parks") == 2, (
        "nothing changed, nothing written"
    )
    with pytest.raises(Conflict, match="administrator changed name, phone"):
        units.change(session, boss, home, three["B"], version=1, name="Greenery")
    told = units.detail(session, boss, home, three["B"]).history
    assert told[-1].changes["name"] == ("Unit B", "Parks")
    assert told[-1].actor_label == "administrator"


def test_a_unit_with_anything_left_does_not_end_today_but_may_end_later(session, home, boss, three) -> None:
    session.add(Worker(territory_id=home, unit_id=three["B"], code="W1"))
    session.flush()
    with pytest.raises(Conflict, match="1 worker and 1 unit below it") as refused:
        units.end(session, boss, home, three["B"], version=1, last_day=TODAY)
    assert "in the future" in refused.value.hint
    assert "1 名网格员、1 个下级单位" in refused.value.zh
    later = TODAY + dt.timedelta(days=30)
    assert units.end(session, boss, home, three["B"], version=1, last_day=later) == 2
    assert units.end(session, boss, home, three["B"], version=2, last_day=None) == 3
    assert units.end(session, boss, home, three["C"], version=1, last_day=TODAY) == 2
    assert {unit.code for unit in units.tree(session, boss, home, on=TODAY + dt.timedelta(days=1))} == {"A", "B"}
    assert units.detail(session, boss, home, three["C"]).unit.spec.valid_to == TODAY
    with pytest.raises(DataQuality, match="before the first"):
        units.end(session, boss, home, three["C"], version=2, last_day=dt.date(2019, 1, 1))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM, Role.ADMINISTRATOR}))
def test_others_change_nothing_and_some_read(session, home, boss, three, role) -> None:
    actor = Actor(None, role.value, role, home)
    db.as_actor(session, actor)
    for act in (
        lambda: units.add(session, actor, home, spec("X")),
        lambda: units.change(session, actor, home, three["A"], version=1, name="X"),
        lambda: units.end(session, actor, home, three["A"], version=1, last_day=TODAY),
    ):
        with pytest.raises(NotPermitted):
            act()
    if role in {Role.PLANNER, Role.GRID_WORKER}:
        with pytest.raises(NotPermitted):
            units.tree(session, actor, home)
    else:
        assert len(units.tree(session, actor, home)) == 3
        assert units.detail(session, actor, home, "A").history, "who may see units sees their history"


def test_two_at_once_close_no_ring(database) -> None:
    """One puts A under B while another puts B under A, many times; the database never holds both."""
    with db.transaction(system_actor()) as session:
        home = make_halves(session, "ring-city")[0].id
        boss = system_actor(home)
        ids = {code: units.add(session, boss, home, spec(code)) for code in "AB"}
    refused: list[str] = []

    def put(code: str, above: str, gate: threading.Barrier) -> None:
        gate.wait()
        try:
            with db.transaction(system_actor(home)) as session:
                session.execute(
                    text("UPDATE unit SET parent_id = :up WHERE id = :id"), {"up": ids[above], "id": ids[code]}
                )
        except IntegrityError:
            refused.append(code)

    for _ in range(10):
        with db.transaction(system_actor(home)) as session:
            session.execute(text("UPDATE unit SET parent_id = NULL"))
        gate = threading.Barrier(2)
        threads = [threading.Thread(target=put, args=(*pair, gate)) for pair in (("A", "B"), ("B", "A"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with db.transaction(system_actor(home)) as session:
            assert session.execute(text("SELECT count(*) FROM unit WHERE parent_id IS NOT NULL")).scalar_one() == 1
    assert len(refused) == 10
