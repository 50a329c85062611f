"""Large drafts are drawn and shared out in the background; the form of streets of their cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.errors import Conflict
from core.identity import Actor, Role
from core.progress import Cancelled, Progress
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from grids import background, drafting, forming
from tests.demo_city import TINY_TOWN


@pytest.fixture
def town(demo_database: Engine) -> Iterator[tuple[Session, TerritoryInfo, Actor]]:
    """A session of a supervisor on the demo city; everything is rolled back."""
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            db.as_actor(session, Actor(None, "x", Role.SYSTEM, None))
            place = find_territory(session, TINY_TOWN.name)
            user = session.execute(text("SELECT user_id FROM user_role WHERE role = 'supervisor' LIMIT 1")).scalar_one()
            actor = Actor(user, "supervisor", Role.SUPERVISOR, place.id)
            db.as_actor(session, actor)
            yield session, place, actor
        outer.rollback()


class Stopping:
    """Progress that stops when a step begins."""

    def __init__(self, at: str) -> None:
        self.at = at

    def step(self, name: str, total: int | None = None) -> None:
        del total
        if name == self.at:
            raise Cancelled("stopped")

    def advance(self, items: int = 1) -> None:
        del items


def test_a_draft_is_drawn_and_shared_out_by_a_job(town: tuple[Session, TerritoryInfo, Actor]) -> None:
    session, place, actor = town
    change = drafting.start_draft(session, actor, place, "Large")
    assert not background.is_large(session, actor, place, change)
    assert background.is_large(session, actor, place, change, 10.0)
    asked = {"kind": "square", "size": 80.0}
    background.ask(session, actor, change.id, background.DRAW, asked)
    job = background.job_of(session, actor, drafting.get_change(session, actor, change.id))
    assert job is not None
    assert job.state == "waiting"
    with pytest.raises(Conflict, match="background"):
        background.ask(session, actor, change.id, background.DRAW, asked)
    before = len(drafting.draft_cells(session, actor, change.id))
    stop: Progress = Stopping("Keeping the cells")
    arguments = {"change_id": change.id, "work": background.DRAW, **asked}
    with pytest.raises(Cancelled), session.begin_nested():
        background.work(session, actor, place, arguments, stop)
    assert len(drafting.draft_cells(session, actor, change.id)) == before
    background.cancel(session, actor, drafting.get_change(session, actor, change.id))
    background.check_idle(session, actor, change.id)
    done = background.work(session, actor, place, arguments, Stopping(""))
    assert done["cells"] == len(drafting.draft_cells(session, actor, change.id)) != before
    share = {"k": 8, "weights": {"cells": 1.0}, "respect": False, "from_today": False, "change_cost": 1.0}
    found = background.work(
        session,
        actor,
        place,
        {"change_id": change.id, "work": background.SHARE, **share, "categories": []},
        Stopping(""),
    )
    assert found["areas"] == 8
    assert found["max_over_mean"] < 1.1


def test_cells_tell_the_form_of_their_streets(town: tuple[Session, TerritoryInfo, Actor]) -> None:
    session, place, actor = town
    change = drafting.start_draft(session, actor, place, "Form")
    community = change.area_ids[0]
    form = forming.form_of_draft(session, actor, place, change.id, community)
    assert form["density_km_km2"].max() > 0
    assert np.nanmin(form["circuity"]) >= 1 - 1e-9
    assert np.nanmax(form["entropy"]) <= np.log(36) + 1e-9
    cells = drafting.draft_cells(session, actor, change.id, community)
    one = cells[cells["id"] == form["id"].iloc[int(form["street_m"].argmax())]].iloc[0]
    alone = forming.form_of_cell(session, actor, place, int(one["unit_grid_id"]))
    assert alone["street_m"] == pytest.approx(form["street_m"].max())
