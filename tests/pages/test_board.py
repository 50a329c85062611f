"""The board without a plan: each incident with its own ranking, in both languages, and two who act at once."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from sqlalchemy import select, text

from app.board_entries import Which
from core.clock import now
from core.identity import Role, system_actor
from dispatch import service as dispatch
from geodata.db import transaction
from geodata.tables import Incident, Worker
from geodata.territory import find_territory
from incidents import service as incidents
from tests.pages.conftest import shown, words
from tests.rosters import everybody_on_shift, nobody_on_shift

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def waiting(actors) -> list[int]:
    """Two filed incidents, the first due in half an hour, and every worker on shift around the clock."""
    with transaction(system_actor()) as session:
        everybody_on_shift(session)
        session.execute(text("DELETE FROM plan"))
        ids = list(
            session.scalars(
                select(Incident.id).where(Incident.status.in_(("handling", "filed"))).order_by(Incident.id).limit(2)
            )
        )
        session.execute(text("UPDATE task SET state = 'cancelled' WHERE incident_id = ANY(:ids)"), {"ids": ids})
        session.execute(
            text("UPDATE incident SET status = 'filed', emergency = true, worker_id = NULL WHERE id = ANY(:ids)"),
            {"ids": ids},
        )
        for place, incident_id in enumerate(ids):
            session.execute(
                text("UPDATE incident SET due_at = :due, version = version + 1 WHERE id = :id"),
                {"due": now() + HOUR * (place + 0.5), "id": incident_id},
            )
    return ids


def row(incident_id: int) -> Incident:
    with transaction(system_actor()) as session:
        found = session.get(Incident, incident_id)
        assert found is not None
        session.expunge(found)
        return found


def send(page):
    return next(button for button in page.button if button.key == "gk_board_assign")


def rows_of(page) -> list[int]:
    blocks = [json.loads(block.proto.json).get("html", "") for block in page.get("bidi_component")]
    queue = next(body for body in blocks if "gk-q-row" in body)
    return [int(found) for found in re.findall(r'data-pick="incident:(\d+)"', queue)]


def test_the_most_urgent_is_chosen_with_its_reasons(run, waiting):
    page = run("board", Role.DISPATCHER)
    told = words(page)
    assert rows_of(page)[:2] == waiting
    assert "No plan stands yet." in told
    assert "30 min left" in told
    assert "Proposed" in told
    assert "Not W" in told
    assert "comes from the phone, on shift only" in told
    assert send(page).label.startswith("Send W")
    assert len(page.radio[0].options) >= 2


def test_the_proposed_worker_is_sent_and_the_next_incident_comes_up(run, waiting):
    page = run("board", Role.DISPATCHER)
    first = row(waiting[0])
    send(page).click().run()
    assert not page.exception
    told = words(page)
    assert f"{first.number} was given to W" in told
    after = row(waiting[0])
    assert after.status == "dispatched"
    assert after.worker_id is not None
    assert row(waiting[1]).number in told


def test_another_choice_says_what_was_proposed_and_is_held(run, waiting):
    page = run("board", Role.DISPATCHER, incident=str(waiting[0]))
    chosen = page.radio[0].options.index(page.radio[0].options[2])
    page.radio[0].set_value(worker_of(page.radio[0].options[chosen])).run()
    assert "Your choice" in words(page)
    assert "Proposed is W" in words(page)
    assert send(page).disabled, "a choice of one's own has a reason"
    page.selectbox[0].select("workload").run()
    before, unit = row(waiting[0]).unit_id, next(box for box in page.selectbox if box.label == "Unit")
    unit.select_index(0 if unit.index else 1).run()
    send(page).click().run()
    assert row(waiting[0]).unit_id != before
    code = page_worker(waiting[0])
    assert f"was given to {code}" in words(page)
    with transaction(system_actor()) as session:
        held = session.execute(
            text("SELECT kind, reason FROM pin WHERE incident_id = :id AND ended_at IS NULL"), {"id": waiting[0]}
        ).all()
        session.execute(text("DELETE FROM pin"))
    assert [tuple(pin) for pin in held] == [("pin", "workload")]


def worker_of(option: str) -> int:
    code = option.split(". ")[1].split(" ", maxsplit=1)[0]
    with transaction(system_actor()) as session:
        return session.scalars(select(Worker.id).where(Worker.code == code)).one()


def page_worker(incident_id: int) -> str:
    with transaction(system_actor()) as session:
        return session.scalars(
            select(Worker.code).join(Incident, Incident.worker_id == Worker.id).where(Incident.id == incident_id)
        ).one()


def test_what_another_dispatcher_did_meanwhile_is_said_and_stands(run, waiting, actors):
    page = run("board", Role.DISPATCHER, incident=str(waiting[0]))
    actor = actors[Role.DISPATCHER]
    with transaction(actor) as session:
        proposal = dispatch.proposals(session, actor, find_territory(session), waiting[0])
        other = proposal.ranking.ranked[-1].candidate
        incidents.assign_task(
            session, actor, waiting[0], other.worker_id, version=proposal.incident.version, command_id="other-desk-1"
        )
    send(page).click().run()
    told = words(page)
    assert "was changed meanwhile" in told
    assert "Nobody was sent by you." in told
    assert "Somebody else was faster" not in told, "it was this very person, at another screen"
    assert other.code in told
    assert row(waiting[0]).worker_id == other.worker_id


def test_an_incident_that_left_the_board_says_where_it_is(run, waiting):
    with transaction(system_actor()) as session:
        closed = session.scalars(select(Incident.id).where(Incident.status == "closed").limit(1)).one()
    told = words(run("board", Role.DISPATCHER, incident=str(closed)))
    assert "does not wait here any more" in told
    assert "There is no such incident." in words(run("board", Role.DISPATCHER, incident="999999999"))


def test_a_search_finds_what_the_filter_hides(run, waiting):
    page = run("board", Role.DISPATCHER)
    page.segmented_control(key="gk_board_queue_en").set_value(Which.RUNNING).run()
    assert waiting[0] not in rows_of(page)
    page.text_input(key="gk_board_find").input(row(waiting[0]).number).run()
    assert rows_of(page) == [waiting[0]]
    page.text_input(key="gk_board_find").input("nothing has this name").run()
    assert "Nothing waits here." in words(page)


def test_at_an_hour_without_shifts_nobody_is_proposed(run, waiting):
    with transaction(system_actor()) as session:
        nobody_on_shift(session)
    page = run("board", Role.DISPATCHER, incident=str(waiting[0]))
    assert "Nobody is on shift at this hour." in words(page)
    assert all(button.key != "gk_board_assign" for button in page.button)


def test_without_a_unit_one_is_chosen_before_anybody_is_sent(run, waiting):
    with transaction(system_actor()) as session:
        session.execute(text("UPDATE incident SET unit_id = NULL WHERE id = :id"), {"id": waiting[0]})
    page = run("board", Role.DISPATCHER, incident=str(waiting[0]))
    assert "The duty list names no unit" in words(page)
    assert send(page).disabled
    unit = next(box for box in page.selectbox if box.label == "Unit")
    unit.select_index(0).run()
    assert not send(page).disabled
    send(page).click().run()
    after = row(waiting[0])
    assert after.status == "dispatched"
    assert after.unit_id is not None


def test_what_a_unit_returned_goes_to_another(run, waiting):
    before = row(waiting[0]).unit_id
    page = run("board", Role.DISPATCHER, incident=str(waiting[0]))
    unit = next(box for box in page.selectbox if box.label == "Unit")
    assert unit.value == before
    unit.select_index(0 if unit.index else 1).run()
    send(page).click().run()
    after = row(waiting[0])
    assert after.status == "dispatched"
    assert after.unit_id != before


def test_nobody_with_a_known_place_is_not_nobody_on_shift(run, waiting):
    with transaction(system_actor()) as session:
        grids = session.execute(text("SELECT id, responsibility_grid_id FROM worker")).all()
        session.execute(text("UPDATE worker SET responsibility_grid_id = NULL"))
        session.execute(text("UPDATE task SET state = 'cancelled' WHERE worker_id IS NOT NULL"))
    told = words(run("board", Role.DISPATCHER, incident=str(waiting[0])))
    with transaction(system_actor()) as session:
        for worker_id, grid_id in grids:
            session.execute(
                text("UPDATE worker SET responsibility_grid_id = :grid WHERE id = :id"),
                {"grid": grid_id, "id": worker_id},
            )
    assert "no place of anybody on duty is known" in told
    assert "Nobody is on shift" not in told


def test_the_same_board_in_chinese(run, waiting):
    page = run("board", Role.DISPATCHER, "zh", incident=str(waiting[0]))
    told = words(page)
    for expected in ("派遣台", "建议派遣", "不派", "不追踪人员位置", "剩余 30 分钟"):
        assert expected in told
    assert send(page).label.startswith("派遣 W")
    assert not [piece for piece in shown(page) if piece.startswith(("Not ", "The way", "Nobody"))]


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.PLANNER, Role.GRID_MANAGER, Role.AUDITOR, Role.HANDLER])
def test_other_roles_have_no_board(run, role):
    with pytest.raises(ValueError, match=r"board"):
        run("board", role)


def test_a_day_of_the_past_leads_to_the_list_of_that_day(run):
    board = shown(run("board", Role.DISPATCHER, on="2026-01-05"))
    assert any("The Board is about now" in piece for piece in board)
    assert any("Incidents as of" in piece for piece in board)
    listed = run("incidents", Role.DISPATCHER, on="2026-01-05", moved="filed")
    assert any("counts from now and does not narrow" in piece for piece in shown(listed))
