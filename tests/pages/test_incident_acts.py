"""The acts on one incident: only what is allowed is a button, one of them primary; refusals stand in words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest

from app import guard, i18n
from core.clock import now
from core.identity import Actor, Role
from geodata import db
from incidents import service as incidents
from incidents.work import NewReport
from tests.pages.conftest import shown, words


@pytest.fixture
def filed(actors) -> int:
    supervisor = actors[Role.SUPERVISOR]
    with db.transaction(supervisor) as session:
        place = incidents.list_incidents(session, supervisor, limit=1).rows[0]
        new = NewReport("event-04-03", place.lon, place.lat, place="Oak Avenue")
        return incidents.report(session, supervisor, new, command_id=str(uuid.uuid4())).incident_id


def act(actor: Actor, incident_id: int, name: str, **more: object) -> None:
    with db.transaction(actor) as session:
        incidents.move(session, actor, incident_id, name, version=None, command_id=str(uuid.uuid4()), **more)


@pytest.fixture
def given(actors, filed) -> int:
    act(actors[Role.DISPATCHER], filed, "assign", worker_id=actors[Role.GRID_WORKER].worker_id)
    return filed


@pytest.fixture
def handled(actors, given) -> int:
    act(actors[Role.GRID_WORKER], given, "finish")
    return given


def acts_of(page) -> dict[str, str]:
    """Key of the act of each button to whether it is primary."""
    found = {}
    for each in page.button:
        if each.key and each.key.startswith("gk_act_"):
            found[each.key.split("_")[2]] = each.proto.type
    return found


def opened(run, role: Role, incident_id: int, language: str = "en"):
    return run("incidents", role, language, incident=str(incident_id))


def press(page, name: str) -> None:
    next(each for each in page.button if each.key and each.key.startswith(f"gk_act_{name}_")).click().run()


@pytest.mark.parametrize(
    ("role", "says"),
    [
        (Role.SUPERVISOR, "Next: a dispatcher sends it out."),
        (Role.AUDITOR, "Next: a dispatcher sends it out."),
    ],
)
def test_who_cannot_go_on_reads_who_does(run, filed, role, says):
    page = opened(run, role, filed)
    assert says in shown(page)
    assert "primary" not in acts_of(page).values()


def test_the_worker_starts_and_finishes(run, given):
    page = opened(run, Role.GRID_WORKER, given)
    assert acts_of(page)["start"] == "primary"
    assert list(acts_of(page).values()).count("primary") == 1
    press(page, "start")
    assert "Start: done. The incident is now: In work." in shown(page)
    press(page, "finish")
    assert "Next: a supervisor closes it or sends it back." in shown(page)
    assert acts_of(page) == {}


@pytest.mark.parametrize(("language", "says"), [("en", "who dispatches never closes"), ("zh", "派遣与结案必须分离")])
def test_a_dispatcher_reads_why_he_does_not_close(run, handled, language, says):
    page = opened(run, Role.DISPATCHER, handled, language)
    assert says in words(page)
    assert "close" not in acts_of(page)


def test_who_dispatched_and_acts_as_supervisor_reads_it_too(run, actors, handled, monkeypatch):
    page = opened(run, Role.SUPERVISOR, handled)
    assert acts_of(page)["close"] == "primary"
    both = dataclasses.replace(actors[Role.DISPATCHER], role=Role.SUPERVISOR)
    monkeypatch.setattr(guard, "current_actor", lambda: both)
    page.run()
    assert "You dispatched this incident, so you may not close it. Another supervisor closes it." in shown(page)
    assert "close" not in acts_of(page)


def test_a_supervisor_closes_and_the_history_names_every_act(run, handled):
    page = opened(run, Role.SUPERVISOR, handled)
    press(page, "close")
    text = words(page)
    assert "Close the incident: done. The incident is now: Closed." in text
    assert "Assign · task" in text
    assert "Close the incident: Status: Being checked to Closed" in text


def test_the_second_of_two_is_told_what_changed(run, actors, handled):
    page = opened(run, Role.SUPERVISOR, handled, "zh")
    act(actors[Role.SUPERVISOR], handled, "close")
    i18n.use("zh")  # the tester writes the chosen options out in its own thread
    press(page, "close")
    text = words(page)
    assert "已被他人更改：supervisor@tiny-town" in text
    assert "核查中 → 已结案" in text


def test_a_reason_is_asked_for(run, actors, handled):
    page = opened(run, Role.SUPERVISOR, handled)
    go = next(each for each in page.button if each.key and each.key.endswith("_go") and "_rework_" in each.key)
    assert go.disabled
    choice = next(each for each in page.selectbox if each.key and "_rework_" in each.key)
    choice.select("not_solved").run()
    next(each for each in page.button if each.key and each.key.endswith("_go") and "_rework_" in each.key).click().run()
    assert "The incident is now: In work." in words(page)
    assert "Reworks" in shown(page)


def test_a_dispatcher_chooses_a_worker_from_the_incident(run, actors, filed):
    page = opened(run, Role.DISPATCHER, filed)
    assert acts_of(page)["assign"]
    worker = next(
        each for each in page.selectbox if each.key and "_assign_" in each.key and each.label == "Grid worker"
    )
    worker.select(actors[Role.GRID_WORKER].worker_id).run()
    next(each for each in page.button if each.key and each.key.endswith("_go") and "_assign_" in each.key).click().run()
    assert "The incident is now: Dispatched." in words(page)


def test_today_shows_the_worker_his_tasks_and_the_supervisor_what_waits(run, actors, given):
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        number = incidents.incident_detail(session, actors[Role.SUPERVISOR], given).row.number
    page = run("today", Role.GRID_WORKER)
    assert "My tasks" in shown(page)
    assert number in shown(page)
    act(actors[Role.GRID_WORKER], given, "finish")
    assert number not in shown(run("today", Role.GRID_WORKER))
    waits = shown(run("today", Role.SUPERVISOR))
    assert "Waiting to be closed" in waits
    assert number in waits


def test_more_time_is_asked_for_and_waits_on_the_supervisors_today(run, actors, given):
    page = opened(run, Role.GRID_WORKER, given)
    assert "ask_extension" in "".join(key for key in (each.key or "" for each in page.button))
    act(actors[Role.GRID_WORKER], given, "ask_extension", reason="weather", until=now() + dt.timedelta(days=40))
    today = words(run("today", Role.SUPERVISOR))
    assert "More time is asked for" in today
    page = opened(run, Role.SUPERVISOR, given, "zh")
    assert "申请延期至" in words(page)
    act(actors[Role.SUPERVISOR], given, "grant_extension")
    assert "More time was granted, until" in words(opened(run, Role.GRID_WORKER, given))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_supervisor_urges_from_the_incident(run, given, language):
    page = opened(run, Role.SUPERVISOR, given, language)
    i18n.use(language)  # the tester writes the chosen options out in its own thread
    next(each for each in page.selectbox if each.key and "_urge_" in each.key).select("citizen").run()
    i18n.use(language)
    next(each for each in page.button if each.key and each.key.endswith("_go") and "_urge_" in each.key).click().run()
    assert ("The citizen asks again." if language == "en" else "市民催办。") in words(page)


def test_demo_worker_has_an_account(actors):
    assert actors[Role.GRID_WORKER].worker_id is not None
    assert actors[Role.GRID_WORKER].area_ids
