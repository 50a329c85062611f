"""A dispatcher's own hand on the board: it wins over an old plan and over begun work, and nothing moves under it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.clock import now
from core.identity import Role, system_actor
from dispatch import standing_plan
from geodata.db import transaction
from geodata.territory import find_territory
from incidents import service as incidents
from tests.pages.conftest import words
from tests.pages.test_board_plan import key, made, one, plan, status

__all__ = ["plan"]


def choose(page, label: str, value: object) -> None:
    next(box for box in page.selectbox if box.label == label).select(value).run()


def pins() -> list[tuple[int, int, str]]:
    with transaction(system_actor()) as session:
        found = session.execute(text("SELECT incident_id, worker_id, reason FROM pin WHERE ended_at IS NULL")).all()
    return [tuple(row) for row in found]


def sql(statement: str, **given: object) -> None:
    with transaction(system_actor()) as session:
        session.execute(text(statement), given)


def other_than(plan, worker_id: int) -> int:
    return next(row.worker_id for row in plan.rows if row.worker_id != worker_id)


@pytest.mark.usefixtures("actors")
def test_an_override_stands_against_what_is_seen_not_against_an_old_plan(run, plan):
    row = plan.row(one(plan, safe=True))
    sql("UPDATE incident SET place = 'Mill Lane 4', version = version + 1 WHERE id = :id", id=row.incident_id)
    page = run("board", Role.DISPATCHER, incident=str(row.incident_id))
    worker_id = other_than(plan, row.worker_id)
    choose(page, "Choose another worker", worker_id)
    choose(page, "Why this one", "knows_place")
    key(page, "gk_board_override").click().run()
    assert not page.exception
    assert status(row.incident_id) == ("dispatched", worker_id)
    assert pins() == [(row.incident_id, worker_id, "knows_place")]


def test_work_that_has_begun_can_be_taken_over_with_a_warning(run, plan, actors):
    row = plan.row(one(plan, safe=True))
    actor = actors[Role.DISPATCHER]
    with transaction(actor) as session:
        incidents.assign_task(
            session, actor, row.incident_id, row.worker_id, version=row.incident_version, command_id="broken-van-1"
        )
    sql(
        "UPDATE task SET state = 'started', accepted_at = :now, on_way_at = :now, arrived_at = :now,"
        " version = version + 1 WHERE incident_id = :id AND state = 'waiting'",
        id=row.incident_id,
        now=now(),
    )
    sql("UPDATE incident SET status = 'handling', version = version + 1 WHERE id = :id", id=row.incident_id)
    newer = made(actors)
    assert newer.row(row.incident_id).change == "fixed"
    page = run("board", Role.DISPATCHER, incident=str(row.incident_id))
    assert "Sending another takes it from W" in words(page)
    worker_id = other_than(plan, row.worker_id)
    choose(page, "Choose another worker", worker_id)
    choose(page, "Why this one", "knows_place")
    key(page, "gk_board_override").click().run()
    assert not page.exception
    assert status(row.incident_id) == ("dispatched", worker_id)


def test_after_publishing_nothing_is_left_to_publish(run, plan):
    page = run("board", Role.DISPATCHER)
    key(page, "gk_board_publish").click().run()
    publish = key(page, "gk_board_publish")
    assert publish.label == "Publish 0"
    assert publish.disabled
    assert "0 safe" in words(page)
    again = run("board", Role.DISPATCHER)  # another dispatcher sees the same
    assert key(again, "gk_board_publish").disabled


def test_what_is_put_into_the_same_plan_later_is_published_too(run, plan, actors):
    page = run("board", Role.DISPATCHER)
    key(page, "gk_board_publish").click().run()
    ids = {row.incident_id for row in plan.rows} | {each.incident_id for each in plan.unserved}
    with transaction(system_actor()) as session:
        later = session.execute(
            text(
                "UPDATE incident SET status = 'filed', worker_id = NULL, closed_at = NULL, closed_by = NULL,"
                " emergency = false, due_at = now() + interval '4 hours', version = version + 1, unit_id = coalesce("
                "unit_id, (SELECT min(unit_id) FROM incident)) WHERE id = (SELECT max(id) FROM incident"
                " WHERE status = 'closed' AND id <> ALL (:ids)) RETURNING id"
            ),
            {"ids": list(ids)},
        ).scalar_one()
    with transaction(actors[Role.DISPATCHER]) as session:
        (put_in,) = standing_plan.offer_new(session, actors[Role.DISPATCHER], find_territory(session))
    assert put_in.work.incident_id == later
    page.run()
    assert key(page, "gk_board_publish").label == "Publish 1"
    key(page, "gk_board_publish").click().run()
    assert not page.exception
    assert "1 is sent out." in words(page)
    assert status(later)[0] == "dispatched"


def test_a_new_emergency_and_a_refresh_move_nothing_under_the_hand(run, plan, actors):
    page = run("board", Role.DISPATCHER)
    chosen = page.query_params["incident"]
    row = plan.row(one(plan, safe=True))
    number = plan.row(int(chosen[0])).number
    page.text_input(key="gk_board_find").input("lane").run()
    sql(
        "UPDATE incident SET emergency = true, due_at = now() + interval '1 minute', version = version + 1"
        " WHERE id = :id",
        id=row.incident_id,
    )
    made(actors)
    page.run()
    assert page.query_params["incident"] == chosen
    assert page.text_input(key="gk_board_find").value == "lane"
    page.text_input(key="gk_board_find").input("").run()
    assert number in words(page)
    assert page.query_params["incident"] == chosen


def test_a_worker_off_shift_leaves_work_that_needs_somebody(run, plan, actors):
    row = plan.row(one(plan, safe=True))
    actor = actors[Role.DISPATCHER]
    with transaction(actor) as session:
        incidents.assign_task(
            session, actor, row.incident_id, row.worker_id, version=row.incident_version, command_id="worker-away-1"
        )
    sql("DELETE FROM plan_row WHERE incident_id = :id", id=row.incident_id)
    sql("UPDATE incident SET due_at = now() + interval '20 minutes' WHERE id = :id", id=row.incident_id)
    sql("UPDATE worker_pattern SET valid_to = current_date - 2 WHERE worker_id = :id", id=row.worker_id)
    try:
        page = run("board", Role.DISPATCHER, incident=str(row.incident_id))
        told = words(page)
    finally:
        sql("UPDATE worker_pattern SET valid_to = NULL WHERE worker_id = :id", id=row.worker_id)
    assert "its worker is off shift" in told
    assert "has it and is off shift" in told
    assert "will be late in the next hour" in told
