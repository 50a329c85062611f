"""The first set-up as its page does it: eight steps on an empty territory, broken off anywhere, and its command."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app import set_up_acts, set_up_jobs, set_up_offices, set_up_people
from app.cli import main
from app.set_up_access import Guest, invite
from app.set_up_crew import Person, posts_of
from app.set_up_model import State, Step, StepKey, is_ready, next_step, steps_of
from app.set_up_template import USUAL
from core.clock import now
from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from geodata import jobs, record
from geodata.db import transaction
from geodata.outline import make_blank_territory
from geodata.territory import TerritoryInfo, find_territory
from people import accounts, rostering
from tests import demo_city

SYSTEM = system_actor(label="test")
NAME = "new-town"
assert set_up_jobs


class Cut(Silent):
    """Progress that breaks the work off at a step."""

    def __init__(self, at: str) -> None:
        self._at = at

    def step(self, name: str, total: int | None = None) -> None:
        super().step(name, total)
        if name.startswith(self._at):
            raise KeyboardInterrupt(name)


@pytest.fixture(scope="module")
def head(database: Engine) -> Actor:
    """The first administrator, in a territory that lies nowhere."""
    with transaction(SYSTEM) as session:
        home = make_blank_territory(session, SYSTEM, NAME, title_en="New Town", title_zh="新城")
        user = accounts.ensure_user(
            session, login="head", role=Role.ADMINISTRATOR, territory_id=home.id,
            title_en="Head", title_zh="主任", password="four plain words here",
        )  # fmt: skip
    return Actor(user, "head", Role.ADMINISTRATOR, home.id)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_city.write_osm(tmp_path_factory.mktemp("city") / "new-town.osm")


def home() -> TerritoryInfo:
    with transaction(SYSTEM) as session:
        return find_territory(session, NAME)


def steps(actor: Actor) -> dict[StepKey, Step]:
    with transaction(actor) as session:
        return {each.key: each for each in steps_of(set_up_acts.holdings(session, find_territory(session, NAME)))}


def count(table: str) -> int:
    with transaction(SYSTEM) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_it_begins_with_the_territory(head: Actor) -> None:
    assert next_step(list(steps(head).values())).key is StepKey.TERRITORY
    with pytest.raises(InvalidInput, match="lies nowhere yet"), transaction(set_up_acts.acting(head)) as session:
        set_up_acts.seed_rules(session, head, home())
    with pytest.raises(InvalidInput, match="has no boundary yet"):
        set_up_acts.bring_communities(head, NAME, Path("x.geojson"), "x.geojson")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.PLANNER, Role.DISPATCHER, Role.GRID_MANAGER])
def test_only_an_administrator_sets_up(head: Actor, extract: Path, role: Role) -> None:
    other = dataclasses.replace(head, role=role)
    with pytest.raises(NotPermitted):
        set_up_acts.bring_map(other, NAME, extract, Silent())
    with pytest.raises(NotPermitted):
        set_up_acts.cut_grids(other, NAME, kind="square", size_m=500, town_m=100, progress=Silent())
    with pytest.raises(NotPermitted):
        set_up_acts.bring_incidents(other, NAME, extract, status="closed", progress=Silent())


def test_the_administrator_of_another_territory_sets_up_nothing_here(head: Actor, extract: Path) -> None:
    """The work is done with the rights of the system, so the reach is asked before."""
    stranger = dataclasses.replace(head, territory_id=(head.territory_id or 0) + 1)
    for act in (
        lambda: set_up_acts.bring_map(stranger, NAME, extract, Silent()),
        lambda: set_up_acts.bring_boundary(stranger, NAME, extract),
        lambda: set_up_acts.bring_communities(stranger, NAME, extract, "x"),
        lambda: set_up_acts.cut_grids(stranger, NAME, kind="square", size_m=500, town_m=500, progress=Silent()),
        lambda: set_up_acts.bring_incidents(stranger, NAME, extract, status="closed", progress=Silent()),
    ):
        with pytest.raises(NotPermitted, match="own territory only"):
            act()


def test_a_map_that_breaks_off_leaves_the_territory_blank_and_comes_again_as_a_job(head: Actor, extract: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        set_up_acts.bring_map(head, NAME, extract, Cut("Communities"))
    assert home().is_blank
    with transaction(head) as session:
        job_id = jobs.enqueue(session, head, set_up_acts.MAP, {"name": NAME, "path": str(extract)})
    jobs.work(jobs.queue_app(), forever=False)
    with transaction(head) as session:
        assert jobs.get_job(session, job_id).state == "done"
    found = steps(head)
    assert (found[StepKey.TERRITORY].state, found[StepKey.COMMUNITIES].state) == (State.DONE, State.DONE)
    assert found[StepKey.GRIDS].state is State.TO_DO


def test_a_file_that_is_no_map_fails_with_a_sentence(head: Actor, tmp_path: Path) -> None:
    path = tmp_path / "broken.osm.pbf"
    path.write_bytes(b"not a map")
    with transaction(head) as session:
        job_id = jobs.enqueue(session, head, set_up_acts.MAP, {"name": NAME, "path": str(path)})
    jobs.work(jobs.queue_app(), forever=False)
    with transaction(head) as session:
        job = jobs.get_job(session, job_id)
    assert job.state == "failed"
    assert "broken.osm.pbf" in job.message


def test_grids_are_planned_cut_and_cut_anew(head: Actor) -> None:
    with transaction(head) as session:
        plan = set_up_acts.plan_grids(session, home(), kind="square", size_m=500, town_m=100)
    assert 100 < plan.cells < 300
    assert not plan.is_long
    with pytest.raises(KeyboardInterrupt):
        set_up_acts.cut_grids(head, NAME, kind="square", size_m=500, town_m=100, progress=Cut("Storing the resp"))
    assert count("unit_grid") == 0
    first = set_up_acts.cut_grids(head, NAME, kind="square", size_m=500, town_m=200, progress=Silent())
    again = set_up_acts.cut_grids(head, NAME, kind="square", size_m=500, town_m=100, people_each=600, progress=Silent())
    assert 0 < first["cells"] < again["cells"]
    assert again["responsibility_grids"] >= 2
    assert steps(head)[StepKey.GRIDS].state is State.DONE


def test_units_and_duty_list_come_from_the_table_and_twice_adds_nothing(head: Actor) -> None:
    doer = set_up_acts.acting(head)
    with pytest.raises(Conflict), transaction(doer) as session:
        # A unit in the middle cannot be made: none is.
        bad = (*USUAL[:3], dataclasses.replace(USUAL[3], code="gov"), *USUAL[4:])
        set_up_offices.make(session, doer, home(), bad)
    assert count("unit") == 0
    with transaction(doer) as session:
        assert set_up_offices.make(session, doer, home(), USUAL[:6])[0] == 6
    assert steps(head)[StepKey.UNITS].state is State.PARTLY
    with transaction(doer) as session:
        made, owned = set_up_offices.make(session, doer, home(), USUAL)
        assert (made, owned > 0) == (4, True)
        assert set_up_offices.make(session, doer, home(), USUAL) == (0, 0)
    assert steps(head)[StepKey.UNITS].state is State.DONE
    assert steps(head)[StepKey.RULES].state is State.DONE, "the duty list brings the classes along"


def test_workers_get_numbers_grids_and_shifts_all_or_none(head: Actor) -> None:
    doer, today = set_up_acts.acting(head), now().date()
    with transaction(doer) as session:
        grids = [grid.id for grid in set_up_people._by_need(session, head, home())]
        unit = session.execute(text("SELECT id FROM unit WHERE code = 'ST01'")).scalar_one()
    posts = posts_of([Person(f"Worker {n}", None) for n in range(6)], [], grids)
    given = {"unit_id": unit, "plan": "round", "since": today - dt.timedelta(days=1)}
    broken = (*posts[:4], dataclasses.replace(posts[4], code="W001"))
    with pytest.raises(InvalidInput, match="W001 is taken"), transaction(doer) as session:
        set_up_people.enter(session, doer, home(), broken, **given)
    assert count("worker") == count("worker_pattern") == 0
    with transaction(doer) as session:
        set_up_people.enter(session, doer, home(), posts, **given)
    assert steps(head)[StepKey.PEOPLE].state is State.DONE
    with transaction(doer) as session:
        view = rostering.roster_view(session, doer, home(), today, 7)
        assert len(view.members) == 6
        assert {each.code for each in view.plan.patterns} == {"E", "L", "N"}
        names = session.execute(text("SELECT name_cipher FROM person")).scalars().all()
    assert all(b"Worker" not in bytes(name) for name in names)


def test_old_incidents_come_as_counts_or_are_said_to_be_none(head: Actor, tmp_path: Path) -> None:
    with transaction(set_up_acts.acting(head)) as session:
        set_up_acts.no_old_incidents(session, head, home())
        set_up_acts.no_old_incidents(session, head, home())
    assert steps(head)[StepKey.INCIDENTS].state is State.DONE
    with transaction(SYSTEM) as session:
        assert session.execute(text("SELECT count(*) FROM load WHERE kind = 'incidents'")).scalar_one() == 1
    west, south = demo_city.WEST, demo_city.SOUTH
    rows = [f"{west + 0.001 * n},{south + 0.001 * n},2026-03-0{n},Exposed refuse,secret words" for n in range(1, 6)]
    path = tmp_path / "old.csv"
    path.write_text("lon,lat,time,class,note\n" + "\n".join([*rows, "0,0,2026-03-01,Exposed refuse,far"]) + "\n")
    with transaction(head) as session:
        arguments = {"name": NAME, "path": str(path), "status": "closed"}
        job_id = jobs.enqueue(session, head, set_up_acts.INCIDENTS, arguments)
    jobs.work(jobs.queue_app(), forever=False)
    with transaction(head) as session:
        job = jobs.get_job(session, job_id)
        assert job.state == "done", job.message
        told = dict(job.result or {})
        assert (told["read"], told["loaded"], told["rejected"]) == (6, 5, 1)
        assert "secret" not in json.dumps(told)
        assert session.execute(text("SELECT count(*) FROM incident")).scalar_one() == 0, "he reads no incident"
    assert count("incident") == 5
    with pytest.raises(Conflict, match="has incidents"):
        set_up_acts.cut_grids(head, NAME, kind="square", size_m=500, town_m=300, progress=Silent())


def test_accounts_are_invited_all_or_none_and_the_city_is_ready(head: Actor) -> None:
    guests = [Guest("desk", "Dispatcher", Role.DISPATCHER), Guest("super", "Supervisor", Role.SUPERVISOR)]
    with pytest.raises(Conflict, match="taken"):
        invite(head, home(), [*guests, Guest("head", "Planner", Role.PLANNER)], base="http://x")
    assert count("app_user") == 1
    links = invite(head, home(), [*guests, Guest("grids", "Grid manager", Role.GRID_MANAGER)], base="http://x")
    assert set(links) == {"desk", "super", "grids"}
    assert all(address.startswith("http://x/invitation?code=") for address in links.values())
    assert steps(head)[StepKey.ACCOUNTS].state is State.PARTLY
    from people import access

    for address in links.values():
        with transaction(SYSTEM) as session:
            assert access.redeem(session, address.partition("code=")[2], "four plain words here", locale="en")
    assert is_ready(list(steps(head).values()))
    with transaction(SYSTEM) as session:
        assert record.first_bad(session) is None
        purposes = (
            session.execute(text("SELECT DISTINCT purpose FROM record WHERE actor_label = 'head'")).scalars().all()
        )
    assert {"set up: map", "set up: grids", "set up: old incidents"} <= set(purposes)


def test_the_command_prints_the_same_list(head: Actor, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["set-up", "--json"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["territory"], told["done"], told["of"], told["ready"]) == (NAME, 8, 8, True)
    assert [each["step"] for each in told["steps"]] == [key.value for key in StepKey]
    with pytest.raises(SystemExit):
        main(["set-up"])
    assert "8 of 8" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["clear-demo", NAME, "--yes"], ["clear-demo", "nowhere", "--yes"]])
def test_clearing_what_is_no_demo_is_bad_input(
    head: Actor, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["territory", *arguments])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert home().name == NAME
