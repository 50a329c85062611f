"""What nobody answers and what was given back, on the board and on Today, as the dispatcher finds and puts it away."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text

from app import board_desk
from app.dispatch_jobs import deliver_all
from core.identity import Role, system_actor
from dispatch import execution
from geodata.db import transaction
from geodata.tables import Task
from tests.pages.conftest import words
from tests.pages.test_board_plan import plan  # noqa: F401  (fixture)


@pytest.fixture
def desk(plan, actors) -> tuple[int, int]:  # noqa: F811
    """The plan published whole; one worker does not answer, another gives it back."""
    ids = [row.incident_id for row in plan.rows if row.change == "new"]
    with transaction(actors[Role.DISPATCHER]) as session:
        execution.publish(session, actors[Role.DISPATCHER], plan.id, ids, command_id=f"desk-plan-{plan.id}")
    with transaction(system_actor()) as session:
        session.execute(text("DELETE FROM notice"))
        live = select(Task.incident_id).where(Task.incident_id.in_(ids), Task.state == "waiting")
        waits, back = session.scalars(live.order_by(Task.id).limit(2)).all()
        given = {"waits": waits, "back": back}
        session.execute(
            text("UPDATE task SET escalated_at = now() WHERE incident_id = :waits AND state = 'waiting'"), given
        )
        session.execute(
            text("UPDATE task SET state = 'returned', finished_at = now() WHERE incident_id = :back"
                 " AND state = 'waiting'"), given
        )  # fmt: skip
        session.execute(text("UPDATE incident SET status = 'filed', worker_id = NULL WHERE id = :back"), given)
    deliver_all()
    return waits, back


def line(page) -> str:
    blocks = [json.loads(block.proto.json).get("html", "") for block in page.get("bidi_component")]
    return next((body for body in blocks if 'data-name="desk"' in body), "")


def test_the_board_tells_what_nobody_answers_and_what_came_back(run, desk, actors, monkeypatch):
    waits, back = desk
    page = run("board", Role.DISPATCHER)
    body = line(page)
    assert "1 not answered, 1 given back" in body
    assert f'data-pick="incident:{waits}"' in body
    assert f'data-pick="incident:{back}"' in body
    assert "nobody answered" in words(page)
    assert "Not answered" in words(run("today", Role.DISPATCHER))
    assert "Not answered" in words(run("today", Role.SUPERVISOR))
    last = body.split('data-pick="away:')[1].split('"')[0]
    monkeypatch.setattr(board_desk.guard, "current_actor", lambda: actors[Role.DISPATCHER])
    board_desk._picked(f"away:{last}")
    body = line(run("board", Role.DISPATCHER))
    assert "1 not answered" in body
    assert "given back" not in body
    assert "away:" not in body
    with transaction(system_actor()) as session:
        session.execute(
            text("UPDATE task SET state = 'accepted' WHERE incident_id = :id AND state = 'waiting'"), {"id": waits}
        )
    assert line(run("board", Role.DISPATCHER)) == ""


def test_in_chinese(run, desk):
    page = run("board", Role.DISPATCHER, "zh")
    assert "1 件无人应答，1 件被退回" in line(page)
    assert "收起退回提醒" in line(page)
    assert "无人应答" in words(run("today", Role.DISPATCHER, "zh"))


def test_the_supervisor_sees_the_messages_and_puts_them_away(run, desk):
    page = run("messages", Role.SUPERVISOR)
    told = words(page)
    assert "Nobody answers" in told
    assert "Given back" in told
    next(button for button in page.button if button.key == "gk_messages_away").click().run()
    assert not page.exception
    told = words(page)
    assert "Put away before" in told
    assert "Given back" not in told.split("Put away before")[0]
    assert "Nobody answers" in told.split("Put away before")[0]


def test_what_was_put_away_long_ago_is_found_page_by_page(run, desk):
    with transaction(system_actor()) as session:
        session.execute(
            text(
                "INSERT INTO notice (outbox_id, territory_id, made_at, topic, incident_id, task_id, payload, read_at)"
                " SELECT 900000000 + n, i.territory_id, now(), 'returned', i.id, 0, jsonb_build_object('number',"
                " 'P-' || n), now() FROM generate_series(1, 35) AS n, (SELECT * FROM incident WHERE id = :id) AS i"
            ),
            {"id": desk[1]},
        )
    page = run("messages", Role.SUPERVISOR)
    assert "P-35" in words(page).splitlines()
    assert "P-2" not in words(page).splitlines()
    next(button for button in page.button if button.key == "gk_messages_older").click().run()
    assert "P-2" in words(page).splitlines()
    assert "P-35" not in words(page).splitlines()
    assert next(button for button in page.button if button.key == "gk_messages_older").disabled
    next(button for button in page.button if button.key == "gk_messages_newer").click().run()
    assert "P-35" in words(page).splitlines()
    with transaction(system_actor()) as session:
        session.execute(text("DELETE FROM notice WHERE outbox_id > 900000000"))
