"""The duty list in the database: one owner, replaced in one act, and the same answer where incidents are taken in."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role
from geodata import db
from geodata.tables import Area, ClassOwner, IncidentClass, Unit
from incidents.service import owners
from incidents.store.reporting import owner
from people import duties, units
from people.unit_model import UnitSpec
from tests.halves import Halves

START = dt.date(2020, 1, 1)
TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)


class Place:
    """A city of two communities with three units; the supervisor acts."""

    def __init__(self, session: Session, halves: Halves) -> None:
        self.territory, self.west, self.east = halves
        self.home = self.territory.id
        system = Actor(None, "x", Role.SYSTEM, self.home)
        self.units = {
            code: units.add(session, system, self.home, UnitSpec(code, "department", f"Unit {code}", START))
            for code in ("HW", "PG", "ST")
        }
        self.actor = Actor(None, "supervisor", Role.SUPERVISOR, self.home)
        db.as_actor(session, self.actor)
        self.classes = {row.key: row.id for row in duties.read(session, self.actor, self.home).classes.values()}
        self.gas = self.classes["event-04-03"]
        street = session.get_one(Area, self.west).parent_id
        self.street = street
        self.district = session.get_one(Area, street).parent_id
        self.session = session

    def assign(self, unit: str, area: int | None = None, *, kind: int | None = None, **more) -> int:
        return duties.assign(
            self.session,
            self.actor,
            self.home,
            class_ids=[kind or self.gas],
            area_ids=[area],
            unit_id=self.units[unit],
            **{"valid_from": START} | more,
        )[0]

    def entry(self, duty_id: int):
        listed = duties.read(self.session, self.actor, self.home)
        return next(each for each in listed.entries if each.id == duty_id)


@pytest.fixture
def place(session: Session, small_city: Halves) -> Place:
    return Place(session, small_city)


def test_many_classes_and_areas_in_one_act_and_nothing_when_one_is_taken(place: Place) -> None:
    place.assign("HW", place.west)
    wanted = {
        "class_ids": list(place.classes.values()),
        "area_ids": [place.west, place.east],
        "unit_id": place.units["PG"],
        "valid_from": START,
    }
    with pytest.raises(DataQuality, match="Gas leak in Westend belongs to Unit HW from 2020-01-01 without end"):
        duties.assign(place.session, place.actor, place.home, **wanted)
    assert len(duties.read(place.session, place.actor, place.home).entries) == 1
    wanted["area_ids"] = [place.east]
    assert len(duties.assign(place.session, place.actor, place.home, **wanted)) == len(place.classes)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unit_id": -1}, "no such unit"),
        ({"class_ids": [-1]}, "no such class"),
        ({"area_ids": [-1]}, "no such area"),
        ({"class_ids": []}, "no class or no area"),
        ({"valid_to": dt.date(2019, 1, 1)}, "before the first"),
        ({"valid_from": dt.date(2010, 1, 1)}, "does not exist on 2010-01-01"),
        ({"legal_basis": "x" * 301}, "more than 300"),
    ],
)
def test_bad_input_is_a_sentence(place: Place, more, said) -> None:
    given = {"class_ids": [place.gas], "area_ids": [None], "unit_id": place.units["HW"], "valid_from": START} | more
    with pytest.raises(DataQuality, match=said):
        duties.assign(place.session, place.actor, place.home, **given)


def test_the_database_refuses_two_owners_of_one_class_in_one_area(place: Place) -> None:
    for area in (None, place.west):
        place.assign("HW", area, valid_to=TODAY)
        row = {"class_id": place.gas, "territory_id": place.home, "area_id": area, "unit_id": place.units["PG"]}
        refused = pytest.raises(Conflict, match="just gave one of these classes")
        with refused, duties.in_words(), place.session.begin_nested():
            place.session.add(ClassOwner(**row, valid_from=TODAY))
            place.session.flush()
        with pytest.raises(IntegrityError), place.session.begin_nested():
            place.session.add(ClassOwner(**row, valid_from=TODAY + DAY, valid_to=TODAY))
            place.session.flush()
        place.session.add(ClassOwner(**row, valid_from=TODAY + DAY))
        place.session.flush()


def test_replacing_from_a_day_ends_the_old_and_begins_the_new(place: Place) -> None:
    old = place.assign("HW", legal_basis="By-law 1")
    turn = TODAY + 30 * DAY
    new = duties.replace(
        place.session, place.actor, place.home, old, version=1, unit_id=place.units["PG"], from_day=turn
    )
    assert place.entry(old).valid_to == turn - DAY
    assert (place.entry(new).valid_from, place.entry(new).valid_to) == (turn, None)
    assert place.entry(new).legal_basis == "By-law 1"
    found = duties.check(duties.read(place.session, place.actor, place.home))
    mine = [each for each in found.stretches if each.class_id == place.gas and each.area_id == place.west]
    assert [each.unit_ids for each in mine] == [(place.units["HW"],), (place.units["PG"],)]
    assert not [each for each in found.problems if each.class_id == place.gas]
    with pytest.raises(Conflict, match="supervisor changed valid_to"):
        duties.replace(place.session, place.actor, place.home, old, version=1, unit_id=1, from_day=TODAY)
    with pytest.raises(InvalidInput, match="is outside"):
        duties.replace(place.session, place.actor, place.home, old, version=2, unit_id=place.units["PG"], from_day=turn)
    with pytest.raises(InvalidInput, match="belongs to this unit already"):
        duties.replace(place.session, place.actor, place.home, new, version=1, unit_id=place.units["PG"], from_day=turn)


def test_ending_makes_a_named_gap_and_an_entry_to_come_can_be_taken_back(place: Place) -> None:
    first = place.assign("HW")
    assert duties.end(place.session, place.actor, place.home, first, version=1, last_day=TODAY) == 2
    gap = [each for each in _problems(place) if each.class_id == place.gas]
    assert [(each.kind, each.first, len(each.area_ids)) for each in gap] == [("gap", TODAY + DAY, 2)]
    later = place.assign("PG", valid_from=TODAY + DAY)
    with pytest.raises(Conflict, match="belongs to Unit PG"):
        duties.end(place.session, place.actor, place.home, first, version=2, last_day=None)
    with pytest.raises(InvalidInput, match="before the first"):
        duties.end(place.session, place.actor, place.home, first, version=2, last_day=START - DAY)
    assert duties.end(place.session, place.actor, place.home, later, version=1, last_day=TODAY) is None
    with pytest.raises(NotFound):
        duties.end(place.session, place.actor, place.home, later, version=1, last_day=TODAY)
    told = duties.entry_history(place.session, place.actor, place.home, later)
    assert [entry.action for entry in told] == ["insert", "delete"]


def _problems(place: Place):
    return duties.check(duties.read(place.session, place.actor, place.home)).problems


def test_a_unit_that_ends_leaves_a_gap_that_names_it(place: Place) -> None:
    place.assign("HW")
    db.as_actor(place.session, Actor(None, "x", Role.SYSTEM, place.home))
    place.session.execute(update(Unit).where(Unit.code == "HW").values(valid_to=TODAY + 10 * DAY))
    place.session.expire_all()
    (gap,) = [each for each in _problems(place) if each.class_id == place.gas]
    assert (gap.first, gap.lapsed) == (TODAY + 11 * DAY, (place.units["HW"],))


@pytest.mark.parametrize("seed", range(12))
def test_incidents_are_given_to_whom_the_duty_list_says(place: Place, seed: int) -> None:
    """Random entries of every level, ended units among them: both look-ups and the computation agree."""
    drawn = random.Random(seed)
    db.as_actor(place.session, Actor(None, "x", Role.SYSTEM, place.home))
    place.session.execute(
        update(Unit).where(Unit.id == place.units["ST"]).values(valid_to=TODAY + drawn.choice((-5, 0, 5)) * DAY)
    )
    for kind in place.classes.values():
        for area in (None, place.district, place.street, place.west, place.east):
            if drawn.random() < 0.5:
                begin = TODAY + drawn.choice((-9, -1, 0, 1)) * DAY
                place.session.add(
                    ClassOwner(
                        class_id=kind,
                        territory_id=place.home,
                        area_id=area,
                        unit_id=drawn.choice(list(place.units.values())),
                        valid_from=begin,
                        valid_to=drawn.choice((None, max(begin, TODAY - DAY), max(begin, TODAY))),
                    )
                )
    place.session.flush()
    expected = owners(place.session, place.territory)
    found = {
        (kind, area): named[0].id
        for kind in place.classes.values()
        for area in (place.west, place.east)
        if (named := owner(place.session, place.home, kind, area)) is not None
    }
    assert found == expected
    assert found


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM, Role.ADMINISTRATOR, Role.SUPERVISOR}))
def test_others_assign_nothing(place: Place, role) -> None:
    actor = Actor(None, role.value, role, place.home)
    db.as_actor(place.session, actor)
    given = {"class_ids": [place.gas], "area_ids": [None], "unit_id": place.units["HW"]}
    with pytest.raises(NotPermitted):
        duties.assign(place.session, actor, place.home, **given)
    if role in {Role.PLANNER, Role.GRID_WORKER}:
        with pytest.raises(NotPermitted):
            duties.read(place.session, actor, place.home)
    else:
        assert duties.read(place.session, actor, place.home).classes


def test_a_class_out_of_use_is_not_asked_for(place: Place) -> None:
    before = len(_problems(place))
    db.as_actor(place.session, Actor(None, "x", Role.SYSTEM, place.home))
    place.session.execute(update(IncidentClass).where(IncidentClass.id == place.gas).values(active=False))
    assert place.session.scalar(select(func.count()).select_from(IncidentClass).where(~IncidentClass.active)) == 1
    assert len(_problems(place)) == before - 1
