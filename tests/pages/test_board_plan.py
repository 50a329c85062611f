"""The board with a standing plan: publish, read why, override, close a street; as a dispatcher finds it."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from sqlalchemy import select, text

from app import board_head
from core.clock import now
from core.identity import Role, system_actor
from dispatch import standing_plan, traffic
from dispatch.plan_model import Stop
from dispatch.standing_model import StandingPlan
from geodata.db import transaction
from geodata.tables import Incident, Road
from geodata.territory import find_territory
from incidents import service as incidents
from tests.pages.conftest import shown, words
from tests.rosters import everybody_on_shift

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def plan(actors) -> StandingPlan:
    """Six incidents to be sent, one of them an emergency, everybody on shift, and a plan of it."""
    with transaction(system_actor()) as session:
        everybody_on_shift(session)
        for table in ("plan", "pin", "closure"):
            session.execute(text(f"DELETE FROM {table}"))
        ids = list(session.scalars(select(Incident.id).where(Incident.status != "void").order_by(Incident.id).limit(6)))
        given = {"ids": ids, "now": now()}
        session.execute(text("UPDATE task SET state = 'cancelled' WHERE incident_id = ANY(:ids)"), given)
        session.execute(
            text(
                "UPDATE incident SET status = 'filed', worker_id = NULL, closed_at = NULL, closed_by = NULL,"
                " emergency = id = :first, due_at = :now + interval '4 hours', version = version + 1,"
                " unit_id = coalesce(unit_id, (SELECT min(unit_id) FROM incident)) WHERE id = ANY(:ids)"
            ),
            given | {"first": ids[0]},
        )
    return made(actors)


def made(actors) -> StandingPlan:
    actor = actors[Role.DISPATCHER]
    with transaction(actor) as session:
        return standing_plan.refresh(session, actor, find_territory(session), stop=Stop(rounds=300))


def key(page, name: str):
    return next(button for button in page.button if button.key == name)


def one(plan: StandingPlan, *, safe: bool) -> int:
    return next(row.incident_id for row in plan.rows if row.safe is safe and row.change == "new")


def status(incident_id: int) -> tuple[str, int | None]:
    with transaction(system_actor()) as session:
        return session.execute(select(Incident.status, Incident.worker_id).where(Incident.id == incident_id)).one()


def test_the_proposal_is_one_sentence_and_publishing_sends_what_is_safe(run, plan):
    page = run("board", Role.DISPATCHER)
    told = words(page)
    summary = plan.summary
    assert f"{summary.safe} safe, {summary.need_you} need you" in told
    assert "planned " in told
    publish = key(page, "gk_board_publish")
    assert publish.label == f"Publish {summary.safe}"
    publish.click().run()
    assert not page.exception
    assert re.search(r"(is|are) sent out\.", words(page))
    assert status(one(plan, safe=True))[0] == "dispatched"
    assert status(one(plan, safe=False))[0] == "filed"


def test_what_somebody_changed_since_is_left_out_and_named(run, plan, actors):
    page = run("board", Role.DISPATCHER)
    taken = one(plan, safe=True)
    row = plan.row(taken)
    assert row is not None
    other = next(each.worker_id for each in plan.rows if each.worker_id != row.worker_id)
    with transaction(actors[Role.DISPATCHER]) as session:
        incidents.assign_task(
            session, actors[Role.DISPATCHER], taken, other,
            version=row.incident_version, command_id="another-desk-2", reason="knows_place",
        )  # fmt: skip
    key(page, "gk_board_publish").click().run()
    told = words(page)
    assert "left out" in told
    assert row.number in told
    assert status(taken) == ("dispatched", other)


def test_a_row_says_why_and_another_choice_says_what_it_costs(run, plan, actors):
    incident_id = one(plan, safe=False)
    page = run("board", Role.DISPATCHER, incident=str(incident_id))
    told = words(page)
    assert "This needs you" in told
    assert "An emergency: a person decides who goes." in told
    assert "Counts, in minutes" in told
    assert "Not W" in told
    other = next(box for box in page.selectbox if box.label == "Choose another worker")
    other.select_index(0).run()
    assert "Counts in all" in words(page)
    assert key(page, "gk_board_override").disabled
    next(box for box in page.selectbox if box.label == "Why this one").select("knows_place").run()
    key(page, "gk_board_override").click().run()
    assert not page.exception
    number = plan.row(incident_id).number
    assert f"{number} was given to W" in words(page)
    sent = status(incident_id)
    assert sent[0] == "dispatched"
    made(actors)
    page = run("board", Role.DISPATCHER, incident=str(incident_id))
    assert "Held by hand for W" in words(page)
    key(page, "gk_board_unpin").click().run()
    assert "the next plan decides who goes" in words(page)
    assert "Held by hand" not in words(page)


def test_one_row_alone_is_sent_as_proposed(run, plan, monkeypatch):
    monkeypatch.setattr(board_head, "NEWS_FOR", HOUR)  # however long a page takes
    incident_id = one(plan, safe=False)
    page = run("board", Role.DISPATCHER, incident=str(incident_id))
    key(page, "gk_board_send_one").click().run()
    assert "is sent out as proposed" in words(page)
    assert "is sent out as proposed" in words(page.run()), "a page drawn anew for a new plan says it again"
    assert status(incident_id) == ("dispatched", plan.row(incident_id).worker_id)


def test_a_worker_of_the_timelines_has_a_day(run, plan):
    row = plan.rows[0]
    page = run("board", Role.DISPATCHER, worker=str(row.worker_id))
    told = words(page)
    assert "A worker’s day" in told
    assert row.worker_code in told
    assert row.start_at.strftime(":%M") in told
    blocks = [json.loads(block.proto.json) for block in page.get("bidi_component")]
    assert {"mark": f"worker:{row.worker_id}"} in blocks
    assert "There is no such worker" in words(run("board", Role.DISPATCHER, worker="999999"))


def test_a_street_is_closed_where_the_map_was_clicked_and_opened_again(run, plan):
    with transaction(system_actor()) as session:
        lon, lat = session.execute(
            text(
                "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_LineInterpolatePoint(geom, 0.5) AS p FROM road"
                " WHERE drivable AND name IS NOT NULL ORDER BY length_m DESC LIMIT 1) q"
            )
        ).one()
        assert session.scalar(select(Road.id).limit(1))
    page = run("board", Role.DISPATCHER)
    key(page, "gk_board_closing").click().run()
    assert "Click on the map" in words(page)
    page.session_state["gk_board_click"] = (lon, lat)
    page.run()
    key(page, "gk_board_close_street").click().run()
    assert not page.exception
    told = words(page)
    assert "is closed. The next plan goes round it." in told
    opened = next(button for button in page.button if (button.key or "").startswith("gk_board_open_"))
    opened.click().run()
    assert "is open again" in words(page)
    key(page, "gk_board_close_done").click().run()
    assert "Closed now or soon" not in words(page)


def test_the_plan_in_chinese(run, plan):
    page = run("board", Role.DISPATCHER, "zh", incident=str(one(plan, safe=False)))
    told = words(page)
    for expected in ("项可直接发布", "需您决定", "紧急案件：由人决定派谁", "代价（分钟）", "不派 W"):
        assert expected in told
    english = ("Not ", "Counts", "needs you", "planned", "there ", "This needs")
    assert not [piece for piece in shown(page) if piece.startswith(english)]


def test_speeds_that_were_read_stand_under_the_map(run, plan, actors):
    page = run("board", Role.DISPATCHER)
    assert "Speeds of" not in words(page)
    key(page, "gk_board_closing").click().run()
    assert "The plan goes by what each road allows" in words(page)
    actor = actors[Role.DISPATCHER]
    with transaction(actor) as session:
        name = session.scalars(select(Road.name).where(Road.drivable, Road.name.is_not(None)).limit(1)).one()
        lines = f"time,speed_kmh,street\n{now().isoformat()},12,{name}\nx,1,{name}\n"
        done = traffic.read_traffic(session, actor, find_territory(session), lines, "probe.csv")
    assert len(done.faults) == 1
    try:
        page = run("board", Role.DISPATCHER)
        assert re.search(rf"Speeds of .*, {done.stretches} stretch", words(page))
        assert f"{done.stretches} 段道路" in words(run("board", Role.DISPATCHER, "zh"))
    finally:
        with transaction(system_actor()) as session:
            session.execute(text("DELETE FROM traffic_load"))


def test_who_comes_along_is_taken_back_with_a_reason(run, plan, actors):
    incident_id, dispatcher = one(plan, safe=False), actors[Role.DISPATCHER]
    lead = plan.row(incident_id).worker_id
    other = next(each.worker_id for each in plan.rows if each.worker_id != lead)
    for act, worker in (("assign", lead), ("join", other)):
        with transaction(dispatcher) as session:
            incidents.move(
                session, dispatcher, incident_id, act, version=None, command_id=f"along-{act}", worker_id=worker
            )
    page = run("board", Role.DISPATCHER, incident=str(incident_id))
    assert key(page, "gk_board_take_back").disabled
    next(box for box in page.selectbox if "Not needed after all" in box.options).select("not_needed").run()
    key(page, "gk_board_take_back").click().run()
    assert not page.exception
    assert "is told not to come to" in words(page)
    with transaction(system_actor()) as session:
        state = "SELECT state FROM task WHERE incident_id = :id AND joint"
        assert session.execute(text(state), {"id": incident_id}).scalars().all() == ["cancelled"]
    assert "Take back who comes along" not in [each.label for each in page.get("popover")]
