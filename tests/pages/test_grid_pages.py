"""Grid file and the incident list as of a day, borders with their reasons, and the work on a large draft."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import text

from core.identity import Role, system_actor
from geodata import jobs
from geodata.db import transaction
from grids import background, drafting
from tests.pages.conftest import words

if TYPE_CHECKING:
    from core.identity import Actor
    from tests.pages.conftest import Run


def test_a_grid_says_its_borders_now_and_on_a_day_and_the_list_follows(run: Run) -> None:
    with transaction(system_actor()) as session:
        cell, day, since = session.execute(
            text(
                "SELECT i.grid_id, (max(i.reported_at) - interval '30 days')::date, min(g.started_on)"
                " FROM incident AS i JOIN unit_grid AS g ON g.id = i.grid_id GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
            )
        ).one()
    told = words(run("grid_file", Role.SUPERVISOR, grid=str(cell)))
    assert "Borders" in told
    assert "side of the square" in told
    assert "Street density" in told
    past = run("grid_file", Role.SUPERVISOR, grid=str(cell), on=day.isoformat())
    told = words(past)
    assert "As it stood at the end of" in told
    assert "Reported in 90 days" in told
    bodies = "".join(element.proto.body for element in past.get("html"))
    assert f"/incidents?grid={cell}&amp;on={day}&amp;days=90" in bodies
    early = since.replace(year=since.year - 1)
    assert "was not in force" in words(run("grid_file", Role.SUPERVISOR, grid=str(cell), on=early.isoformat()))
    before = day - dt.timedelta(days=150)  # the last 90 days end on the day, else none of them would be left
    told = words(run("incidents", Role.SUPERVISOR, "zh", grid=str(cell), on=before.isoformat(), days="90"))
    assert "当时" in told
    assert "现在" in told


def test_a_draft_at_work_shows_how_far_it_is_and_can_be_cancelled(run: Run, actors: dict[Role, Actor]) -> None:
    actor = actors[Role.SUPERVISOR]
    with transaction(actor) as session:
        from geodata.territory import list_territories

        place = next(each for each in list_territories(session) if each.id == actor.territory_id)
        change = drafting.start_draft(session, actor, place, "A large one")
        background.ask(session, actor, change.id, background.DRAW, {"kind": "square", "size": 100.0})
    try:
        page = run("draw_balance", Role.SUPERVISOR, change=str(change.id))
        assert "the work goes on" in words(page)
        page.button(key="gk_draw_cancel").click().run()
        told = words(run("draw_balance", Role.SUPERVISOR, change=str(change.id)))
        assert "the work goes on" not in told
        assert "Colour cells by" in told
        with transaction(actor) as session:
            asked = {"kind": "nonsense", "size": 100.0}
            job = background.ask(session, actor, change.id, background.DRAW, asked)
        jobs.run_job(job)
        told = words(run("draw_balance", Role.SUPERVISOR, "zh", change=str(change.id)))
        assert "未能完成；没有作任何更改。" in told
        assert "没有这种划分方法。" in told
        assert "nonsense" not in told
    finally:
        with transaction(actor) as session:
            drafting.withdraw(session, actor, change.id)
