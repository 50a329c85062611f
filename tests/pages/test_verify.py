"""Verify: one case at a time, photos beside each other, keys, and nothing that the actor may not decide."""

from __future__ import annotations

import dataclasses
import re
import uuid

import pytest
from sqlalchemy import text

from core.identity import Role, system_actor
from geodata import db
from incidents import service as incidents
from incidents.service import evidence
from incidents.work import NewReport
from tests.pages.conftest import shown, words
from tests.photos import as_bytes, prepared, street


@pytest.fixture(scope="module", autouse=True)
def _handled(actors) -> None:
    """Six incidents that were handled, with photos, in a town where hardly one is being checked."""
    home = actors[Role.SUPERVISOR].territory_id
    with db.transaction(system_actor(home)) as session:
        ids = session.scalars(
            text("SELECT id FROM incident WHERE status IN ('dispatched', 'handling') ORDER BY id LIMIT 6")
        ).all()
        for incident in ids:
            session.execute(
                text(
                    "UPDATE task SET state = 'done', finished_at = now(), version = version + 1"
                    " WHERE incident_id = :id AND kind = 'handle'"
                ),
                {"id": incident},
            )
            session.execute(
                text(
                    "UPDATE incident SET status = 'checking', handled_at = now(), version = version + 1,"
                    " due_at = now() - interval '2 days' WHERE id = :id"
                ),
                {"id": incident},
            )
            for kind, seed in (("before", 0), ("after", 1)):
                evidence.add_photo(session, system_actor(home), incident, kind, prepared(seed))


def bodies(page) -> str:
    return "".join(element.proto.body for element in page.get("html"))


def button(page, key: str):
    return next(each for each in page.button if each.key and each.key.startswith(f"gk_verify_{key}_"))


def at(page) -> int:
    """Return the case of the address."""
    given = page.query_params["incident"]
    return int(given if isinstance(given, str) else given[0])


def queue(actor) -> list[int]:
    with db.transaction(actor) as session:
        return [each.incident_id for each in evidence.waiting_to_verify(session, actor) if not each.own]


def test_photos_stand_beside_each_other_blurred_with_place_and_clock(run, actors):
    supervisor = actors[Role.SUPERVISOR]
    first = queue(supervisor)[0]
    page = run("verify", Role.SUPERVISOR)
    assert at(page) == first
    with db.transaction(supervisor) as session:
        infos = evidence.evidence_of(session, supervisor, first)
        row = incidents.incident_detail(session, supervisor, first).row
    assert {info.kind for info in infos} == {"before", "after"}
    assert not any(info.original for info in infos)
    for info in infos:
        assert f'src="/api/evidence/{info.id}.jpg?v=1' in bodies(page)
    pieces = shown(page)
    assert f"Incident 1 of {len(queue(supervisor))}" in pieces
    assert row.number in pieces
    assert {"Handled by", "Due", "Note", "Reworks"} <= set(pieces)


def test_each_key_is_one_of_a_keyboard(run):
    page = run("verify", Role.SUPERVISOR)
    keys = {each.key.split("_")[2]: each.proto.shortcut for each in page.button if each.key.startswith("gk_verify_")}
    assert keys == {"close": "a", "rework": "b", "n": "n", "p": "p"}
    button(page, "rework").click().run()
    keys = [each.proto.shortcut for each in page.button if each.key.startswith("gk_verify_")]
    assert keys[0] == "1"
    assert keys[-1] == "escape"
    button(page, "stay").click().run()
    assert button(page, "close")


def test_next_goes_on_and_closing_brings_the_next_one_up(run, actors):
    supervisor = actors[Role.SUPERVISOR]
    waiting = queue(supervisor)
    page = run("verify", Role.SUPERVISOR)
    button(page, "n").click().run()
    assert at(page) == waiting[1]
    button(page, "close").click().run()
    assert "is closed." in words(page)
    assert queue(supervisor) == [waiting[0], *waiting[2:]]
    assert at(page) == waiting[2]
    assert f"Incident 2 of {len(waiting) - 1}" in shown(page)


def test_sending_back_takes_a_reason(run, actors):
    supervisor = actors[Role.SUPERVISOR]
    waiting = queue(supervisor)
    page = run("verify", Role.SUPERVISOR)
    button(page, "rework").click().run()
    reason = next(each for each in page.button if each.proto.shortcut == "1")
    reason.click().run()
    assert "is sent back." in words(page)
    with db.transaction(supervisor) as session:
        row = incidents.incident_detail(session, supervisor, waiting[0]).row
    assert (row.status, row.reworks > 0) == ("handling", True)


def test_a_check_counts_in_its_own_round_and_one_that_is_out_is_said(run, actors):
    first = queue(actors[Role.SUPERVISOR])[0]
    add = (
        "INSERT INTO task (territory_id, incident_id, kind, state, outcome, worker_id, created_at, finished_at)"
        " SELECT territory_id, id, 'check', :state, :outcome, :worker, handled_at,"
        " handled_at + CAST(:later AS float8) * interval '1 h' FROM incident WHERE id = :id"
    )
    known = {"id": first, "worker": actors[Role.GRID_WORKER].worker_id}
    for given, says in (
        ({"state": "done", "outcome": "not_solved", "later": -1}, None),
        ({"state": "waiting", "outcome": "", "later": None}, "not back yet"),
        ({"state": "done", "outcome": "solved", "later": 1}, "Solved, not back yet"),
    ):
        with db.transaction(system_actor(actors[Role.SUPERVISOR].territory_id)) as session:
            session.execute(text(add), known | given)
        pieces = shown(run("verify", Role.SUPERVISOR, incident=str(first)))
        assert ("Checked on site" in pieces) == (says is not None)
        assert says is None or says in pieces
    assert "尚未返回" in words(run("verify", Role.SUPERVISOR, "zh", incident=str(first)))


def test_what_changed_meanwhile_is_a_sentence(run, actors):
    page = run("verify", Role.SUPERVISOR)
    with db.transaction(system_actor()) as session:
        incident = at(page)
        session.execute(text("UPDATE incident SET version = version + 1 WHERE id = :id"), {"id": incident})
    button(page, "close").click().run()
    assert "Somebody else changed this meanwhile." in words(page)


def test_what_the_actor_dispatched_is_not_his_and_says_why(run, actors):
    supervisor = actors[Role.SUPERVISOR]
    mine = queue(supervisor)[0]
    with db.transaction(system_actor()) as session:
        session.execute(
            text("UPDATE task SET assigned_by = :me WHERE incident_id = :id AND kind = 'handle'"),
            {"me": supervisor.user_id, "id": mine},
        )
    assert mine not in queue(supervisor)
    page = run("verify", Role.SUPERVISOR)
    assert "1 more waits that you dispatched or handled" in words(page)
    assert at(page) != mine
    page = run("verify", Role.SUPERVISOR, incident=str(mine))
    assert "You dispatched this incident, so another supervisor closes it." in words(page)
    assert not [each for each in page.button if each.key and each.key.startswith("gk_verify_")]


@pytest.mark.parametrize("address", ["abc", "-1", "9" * 30, "999999999"])
def test_an_address_of_nothing_shows_the_queue(run, address):
    assert button(run("verify", Role.SUPERVISOR, incident=address), "close")


def test_a_typed_place_is_shown_as_it_is(run, actors):
    supervisor = actors[Role.SUPERVISOR]
    first = queue(supervisor)[0]
    with db.transaction(system_actor()) as session:
        session.execute(
            text("UPDATE incident SET place = '<img src=x onerror=alert(1)>' WHERE id = :id"), {"id": first}
        )
    assert "<img src=x" not in bodies(run("verify", Role.SUPERVISOR, incident=str(first)))


# --- Evidence beside the list


@pytest.fixture
def given(actors) -> int:
    """A heap of debris, of which photos are demanded, given to the worker."""
    dispatcher, supervisor, worker = (actors[role] for role in (Role.DISPATCHER, Role.SUPERVISOR, Role.GRID_WORKER))
    with db.transaction(supervisor) as session:
        place = incidents.list_incidents(session, supervisor, limit=1).rows[0]
        new = NewReport("event-01-03", place.lon, place.lat, place="Oak Avenue", source="patrol")
        made = incidents.report(session, supervisor, new, command_id=str(uuid.uuid4())).incident_id
    with db.transaction(dispatcher) as session:
        incidents.move(
            session, dispatcher, made, "assign", version=None, command_id=str(uuid.uuid4()), worker_id=worker.worker_id
        )
    return made


def test_what_lacks_is_said_and_finish_is_not_offered(run, given):
    page = run("incidents", Role.GRID_WORKER, incident=str(given))
    assert "Before it is finished, this class needs: photo before, photo after." in words(page)
    assert not [each for each in page.button if each.key and each.key.startswith("gk_act_finish")]
    assert "该类案件完成处置前须附：处置前照片、处置后照片。" in words(
        run("incidents", Role.GRID_WORKER, "zh", incident=str(given))
    )


def test_a_worker_adds_a_photo_and_may_then_finish(run, actors, given):
    worker = actors[Role.GRID_WORKER]
    page = run("incidents", Role.GRID_WORKER, incident=str(given))
    page.file_uploader[0].set_value(("IMG_1.PNG", as_bytes(street(5), "PNG"), "image/png")).run()
    assert "faces and plates found." in words(page)
    next(each for each in page.button if each.label == "Keep this photo").click().run()
    assert "The photo is kept." in words(page)
    with db.transaction(worker) as session:
        (info,) = evidence.evidence_of(session, worker, given)
        assert (info.kind, info.original) == ("before", True)
        evidence.add_photo(session, worker, given, "after", prepared(6))
    page = run("incidents", Role.GRID_WORKER, incident=str(given))
    assert [each for each in page.button if each.key and each.key.startswith("gk_act_finish")]
    assert "You handle this incident and see the photos unblurred" in words(page)
    assert "Faces and plates are blurred" in words(run("incidents", Role.SUPERVISOR, incident=str(given)))


def test_what_is_no_photo_is_a_sentence(run, given):
    page = run("incidents", Role.GRID_WORKER, incident=str(given))
    page.file_uploader[0].set_value(("x.jpg", b"<html>", "image/jpeg")).run()
    assert "This is no photo that can be read" in words(page)
    assert not [each for each in page.button if each.label == "Keep this photo"]


def test_the_auditor_adds_nothing(run, given):
    page = run("incidents", Role.AUDITOR, incident=str(given))
    assert not page.file_uploader
    assert re.search("No evidence yet", words(page))


def test_more_is_blurred_by_naming_squares(run, actors, given):
    worker = dataclasses.replace(actors[Role.GRID_WORKER])
    with db.transaction(worker) as session:
        evidence.add_photo(session, worker, given, "before", prepared(7))
    page = run("incidents", Role.SUPERVISOR, incident=str(given))
    field = next(each for each in page.text_input if each.label == "Blur these squares")
    field.set_value("Z9").run()
    next(each for each in page.button if each.label == "Blur for good").click().run()
    assert "'Z9' is no square of the picture." in words(page)
    field = next(each for each in page.text_input if each.label == "Blur these squares")
    field.set_value("A1-B2").run()
    next(each for each in page.button if each.label == "Blur for good").click().run()
    assert "More of the photo is blurred now." in words(page)
