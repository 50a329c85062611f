"""The demo goes in one act, whole, and nothing else goes with it."""

from __future__ import annotations

import dataclasses

import pytest
from shapely import box
from sqlalchemy import Engine, text

from app import clear_demo
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from geodata import record
from geodata.db import transaction
from geodata.tables import Base
from geodata.territory import find_territory, make_territory
from grids.service import make_grid
from people import accounts

SYSTEM = system_actor(label="test")
pytestmark = pytest.mark.usefixtures("demo_database")


def counts(name: str) -> dict[str, int]:
    """Rows by table of one territory."""
    with transaction(SYSTEM) as session:
        home = find_territory(session, name).id
        tables = [table for table in Base.metadata.sorted_tables if "territory_id" in table.c]
        return {
            table.name: session.execute(
                text(f"SELECT count(*) FROM {table.name} WHERE territory_id = :home"), {"home": home}
            ).scalar_one()
            for table in tables
            if table.name != "incident_number"
        }


@pytest.fixture(scope="module")
def own(demo_database: Engine) -> Actor:
    """A city of one's own beside the demo, with its administrator; the demo accounts have a role in it too."""
    with transaction(SYSTEM) as session:
        home = make_territory(session, SYSTEM, "own-town", boundary=box(10.0, 50.0, 10.01, 50.01))
        make_grid(session, SYSTEM, home, kind="square", size_m=200)
        titles = {"title_en": "Administrator", "title_zh": "管理员"}
        user = accounts.ensure_user(
            session,
            login="own",
            role=Role.ADMINISTRATOR,
            territory_id=home.id,
            password="four plain words here",
            **titles,
        )
        accounts.join_territory(session, SYSTEM, home.id, area_ids=[])
    return Actor(user, "own", Role.ADMINISTRATOR, home.id)


def demo_actor(role: Role) -> Actor:
    with transaction(SYSTEM) as session:
        home = find_territory(session, "tiny-town").id
        return next(each for each in accounts.demo_accounts(session, home) if each.role is role).actor()


def test_only_a_demo_territory_can_be_cleared(own):
    with pytest.raises(InvalidInput, match="is no demo territory"):
        clear_demo.clear(own, "own-town", Silent())
    with pytest.raises(NotFound):
        clear_demo.clear(own, "nowhere", Silent())
    with pytest.raises(InvalidInput, match="is no demo territory"):
        clear_demo.foresee(own, "own-town")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.PLANNER, Role.DISPATCHER])
def test_others_may_not_clear_it(own, role):
    with pytest.raises(NotPermitted):
        clear_demo.clear(dataclasses.replace(own, role=role), "tiny-town", Silent())
    with pytest.raises(NotPermitted):
        clear_demo.ask(dataclasses.replace(own, role=role), "tiny-town", "tiny-town")


def test_the_name_must_be_typed(own):
    with pytest.raises(InvalidInput, match="You typed 'tiny'"):
        clear_demo.ask(own, "tiny-town", "tiny")


def test_nobody_is_locked_out_of_another_territory(own):
    with transaction(SYSTEM) as session:
        session.execute(text("UPDATE app_user SET active = false WHERE login = 'own'"))
    before = counts("tiny-town")
    for act in (
        lambda: clear_demo.clear(own, "tiny-town", Silent()),
        lambda: clear_demo.ask(own, "tiny-town", "tiny-town"),
    ):
        with pytest.raises(Conflict, match="Nobody could administer"):
            act()
    assert counts("tiny-town") == before
    with transaction(SYSTEM) as session:
        session.execute(text("UPDATE app_user SET active = true WHERE login = 'own'"))


def test_a_break_half_way_leaves_everything(own):
    class Cut(Silent):
        done = 0

        def advance(self, items: int = 1) -> None:
            self.done += items
            if self.done == 8:
                raise KeyboardInterrupt

    before = counts("tiny-town")
    with pytest.raises(KeyboardInterrupt):
        clear_demo.clear(own, "tiny-town", Cut())
    assert counts("tiny-town") == before
    assert demo_actor(Role.ADMINISTRATOR)


def test_the_demo_goes_whole_and_the_own_city_stays(own):
    foreseen = clear_demo.foresee(own, "tiny-town")
    assert foreseen.is_long
    assert foreseen.content.real_incidents == 0
    assert foreseen.accounts.retired == 8
    with transaction(SYSTEM) as session:
        home = find_territory(session, "tiny-town").id
        supervisor = demo_actor(Role.SUPERVISOR)
        records = session.execute(text("SELECT count(*) FROM record")).scalar_one()
        sealed = session.execute(text("SELECT count(*) FROM person_key WHERE wrapped_key IS NOT NULL")).scalar_one()
    own_before = counts("own-town")
    assert sealed > 100

    told = clear_demo.clear(own, "tiny-town", Silent())

    assert told["rows"] == foreseen.content.total
    assert told["accounts_retired"] == 8
    assert told["keys_destroyed"] == sealed
    with pytest.raises(NotFound), transaction(SYSTEM) as session:
        find_territory(session, "tiny-town")
    assert counts("own-town") == own_before
    with transaction(SYSTEM) as session:
        for table in Base.metadata.sorted_tables:
            if "territory_id" in table.c and table.name not in {"record", "incident_number"}:
                left = session.execute(
                    text(f"SELECT count(*) FROM {table.name} WHERE territory_id = :home"), {"home": home}
                ).scalar_one()
                assert left == 0, table.name
        assert session.execute(text("SELECT count(*) FROM app_user WHERE is_demo AND active")).scalar_one() == 0
        assert session.execute(text("SELECT count(*) FROM person_key WHERE wrapped_key IS NOT NULL")).scalar_one() == 0
        assert session.execute(text("SELECT count(*) FROM record")).scalar_one() > records
        assert record.first_bad(session) is None
        told_to = session.execute(text("SELECT actor_label, purpose FROM record WHERE action = 'clear_demo'")).one()
        assert tuple(told_to) == ("own", "clear the demo")
        assert accounts.accounts_of(session, supervisor.user_id or 0) == []
    with pytest.raises(NotFound):
        clear_demo.clear(own, "tiny-town", Silent())
