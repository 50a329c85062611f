"""A whole territory from one extract: the job behind the page Bring in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from app import jobs as kinds
from core.errors import GridkeeperError, NotPermitted
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from geodata import jobs, record
from geodata.db import transaction
from geodata.tables import UserRole
from people import accounts

assert kinds.serve


@pytest.fixture(scope="module")
def supervisor(database: Engine) -> Actor:
    from shapely import box

    from geodata.territory import make_territory

    with transaction(system_actor()) as session:
        home = make_territory(session, system_actor(), "home", boundary=box(7.4, 43.7, 7.5, 43.8))
        titles = {"title_en": "Supervisor", "title_zh": "监督员"}
        user = accounts.ensure_user(
            session, login="sup", role=Role.SUPERVISOR, territory_id=home.id, is_demo=True, **titles
        )
    return Actor(user, "Supervisor", Role.SUPERVISOR, home.id)


def test_an_extract_becomes_a_city_that_the_asker_may_work_in(supervisor: Actor, shared_data: Path) -> None:
    path = shared_data / "osm" / "monaco_gh.osm.gz"
    arguments = {"path": str(path), "name": "monaco", "title": "Monaco"}
    with transaction(supervisor) as session:
        job_id = jobs.enqueue(session, supervisor, "load_osm", arguments)
    jobs.work(jobs.queue_app(), forever=False)
    with transaction(system_actor()) as session:
        job = jobs.get_job(session, job_id)
        assert job.state == "done", job.message
        result = dict(job.result or {})
        assert result["cells"] > 50
        assert result["roads"] > 100
        joined = session.scalars(select(UserRole.role).where(UserRole.user_id == supervisor.user_id)).all()
        assert list(joined) == ["supervisor", "supervisor"]
        who = session.execute(
            text("SELECT DISTINCT actor_label, actor_user_id FROM record WHERE purpose = 'bring in an extract'")
        ).all()
        assert [tuple(row) for row in who] == [("Supervisor", supervisor.user_id)]
        assert record.first_bad(session) is None


def test_who_may_not_load_data_builds_no_city(supervisor: Actor, tmp_path: Path) -> None:
    from app.bring_in import city_from_extract

    planner = dataclasses.replace(supervisor, role=Role.PLANNER)
    with pytest.raises(NotPermitted):
        city_from_extract(planner, tmp_path / "x.osm", name="x", title="X", progress=Silent())


def test_a_file_that_cannot_be_read_leaves_nothing_behind(supervisor: Actor, tmp_path: Path) -> None:
    from app.bring_in import city_from_extract

    path = tmp_path / "broken.osm.pbf"
    path.write_bytes(b"not a map at all")
    with pytest.raises(GridkeeperError, match=r"broken\.osm\.pbf"):
        city_from_extract(supervisor, path, name="broken", title="Broken", progress=Silent())
    with transaction(system_actor()) as session:
        assert not session.execute(text("SELECT count(*) FROM territory WHERE name = 'broken'")).scalar()


@pytest.mark.parametrize(
    ("town_km2", "country_km2", "sizes_m"),
    [(2, 0, (100, 100)), (100, 280, (100, 500)), (900, 15_000, (500, 2000)), (10_000, 300_000, (2000, 5000))],
)
def test_cells_are_as_fine_as_their_number_allows(
    town_km2: float, country_km2: float, sizes_m: tuple[int, int]
) -> None:
    from app.bring_in import cell_sizes_m

    assert cell_sizes_m(town_km2 * 1e6, country_km2 * 1e6) == sizes_m
