"""The queues of the list, one act on several incidents, the keys that go through the rows."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import text

from app import i18n, incident_bulk, incident_table, state
from core.clock import now
from core.identity import Actor, Role, system_actor
from geodata import db
from incidents import service as incidents
from incidents.model import IncidentFilter, IncidentPage
from incidents.service import queues
from incidents.work import NewReport
from tests.pages.conftest import words

KINDS = {"en": ("Postponed", "Urged"), "zh": ("缓办", "已督办")}


def act(actor: Actor, incident_id: int, name: str, **more: object) -> None:
    with db.transaction(actor) as session:
        incidents.move(session, actor, incident_id, name, version=None, command_id=str(uuid.uuid4()), **more)


def number_of(actor: Actor, incident_id: int) -> str:
    with db.transaction(actor) as session:
        return incidents.incident_detail(session, actor, incident_id).row.number


@pytest.fixture
def filed(actors) -> list[int]:
    """Three incidents that wait to be sent out, filed just now."""
    supervisor = actors[Role.SUPERVISOR]
    with db.transaction(supervisor) as session:
        place = incidents.list_incidents(session, supervisor, limit=1).rows[0]
        new = NewReport("event-04-03", place.lon, place.lat, place="Elm Row")
        return [incidents.report(session, supervisor, new, command_id=str(uuid.uuid4())).incident_id for _ in range(3)]


def asked(page, name: str) -> str:
    """What the address holds, however the tester tells it."""
    given = page.query_params[name]
    return given if isinstance(given, str) else given[0]


def numbers(page) -> list[str]:
    frames = list(page.dataframe)
    return [] if not frames else list(frames[0].value.iloc[:, 0])


@pytest.mark.parametrize("language", ["zh"])
def test_a_postponed_incident_has_its_own_queue_and_is_late_nowhere(run, actors, filed, language):
    supervisor = actors[Role.SUPERVISOR]
    act(supervisor, filed[0], "postpone", reason="budget", until=now() + dt.timedelta(days=9))
    act(supervisor, filed[1], "urge", reason="citizen")
    number = number_of(supervisor, filed[0])
    page = run("incidents", Role.SUPERVISOR, language, queue="postponed")
    assert number in numbers(page)
    assert KINDS[language][0].lower() in words(page).lower()
    assert number not in numbers(run("incidents", Role.SUPERVISOR, language, queue="late"))
    assert number not in numbers(run("incidents", Role.SUPERVISOR, language, queue="to-send"))
    urged = run("incidents", Role.DISPATCHER, language, queue="urged")
    assert number_of(supervisor, filed[1]) in numbers(urged)
    assert KINDS[language][1].lower() in words(urged).lower()


@pytest.mark.parametrize("role", [Role.GRID_WORKER, Role.HANDLER])
def test_every_role_finds_its_queues_with_as_many_as_their_rows(run, actors, filed, role):
    actor = actors[role]
    with db.transaction(actor) as session:
        known = queues.list_queues(session, actor)
        counts = queues.count_queues(session, actor, known)
    assert {queue.key for queue in known} >= {"urged", "postponed", "reopened", "asked-time"}
    largest = max(known, key=lambda queue: counts[queue.key])
    page = run("incidents", role, queue=largest.key)
    assert len(numbers(page)) == min(counts[largest.key], incident_table.PAGE_ROWS)


def test_an_empty_queue_says_so(run, actors):
    with db.transaction(system_actor()) as session:
        session.execute(text("UPDATE incident SET urged_at = NULL, version = version + 1 WHERE urged_at IS NOT NULL"))
    text_of = words(run("incidents", Role.SUPERVISOR, queue="urged"))
    assert "Nothing waits in the queue “Urged”." in text_of


def test_a_filter_is_kept_found_again_and_dropped(run, actors):
    page = run("incidents", Role.SUPERVISOR, status="handling", due="late")
    next(each for each in page.text_input if each.key == state.QUEUE_NAME).input("*Late* <b>[x](http://y)").run()
    next(each for each in page.button if each.key == "gk_queue_keep_go").click().run()
    key = asked(page, "queue")
    assert key.isdecimal()
    before = numbers(page)
    again = run("incidents", Role.SUPERVISOR, queue=key)  # another session
    assert numbers(again) == before
    assert again.session_state[state.FILTER_DEADLINE] == "late"
    group = next(each for each in again.get("button_group") if each.key and each.key.startswith("gk_queues_"))
    label = next(option for option in group.options if "Late" in option and "x" in option)
    assert "\\*Late\\* \\<b\\>\\[x\\]\\(http\\:" in label
    assert number_of_rows(label) == len(before)
    with db.transaction(actors[Role.DISPATCHER]) as session:  # nobody else has it
        assert key not in {each.key for each in queues.list_queues(session, actors[Role.DISPATCHER])}
    assert "queue" not in run("incidents", Role.DISPATCHER, queue=key).query_params
    next(each for each in again.button if each.key == "gk_queue_drop").click().run()
    assert "queue" not in again.query_params
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        assert key not in {each.key for each in queues.list_queues(session, actors[Role.SUPERVISOR])}


def number_of_rows(label: str) -> int:
    return int(label.rpartition(" ")[2].replace(",", ""))


def test_the_list_and_today_show_what_used_its_time(run, actors, filed):
    with db.transaction(system_actor()) as session:
        session.execute(
            text("UPDATE incident SET warn_most_at = now() - interval '1 min', version = version + 1 WHERE id = :id"),
            {"id": filed[0]},
        )
    page = run("incidents", Role.SUPERVISOR, due="80")
    assert number_of(actors[Role.SUPERVISOR], filed[0]) in numbers(page)
    assert "left · 80 % used" in words(page)
    today = "".join(each.proto.body for each in run("today", Role.SUPERVISOR).get("html"))
    assert 'href="/incidents?due=80"' in today


def test_keys_go_through_the_rows_and_open_one(run):
    page = run("incidents", Role.SUPERVISOR)
    first, second = numbers(page)[:2]

    def press(key: str) -> None:
        next(each for each in page.button if each.key == key).click().run()

    press("gk_key_next")
    press("gk_key_next")
    assert page.session_state[state.LIST_AT] == 1
    press("gk_key_open")
    assert second in words(page)
    press("gk_key_before")
    with db.transaction(system_actor()) as session:
        found = session.scalar(text("SELECT id FROM incident WHERE number = :number"), {"number": first})
    assert asked(page, "incident") == str(found)
    shortcuts = {each.key: each.proto.shortcut for each in page.button if each.proto.shortcut}
    assert shortcuts["gk_key_next"] == "j"
    assert shortcuts["gk_close_detail"] == "escape"


@pytest.fixture
def ticked(monkeypatch):
    """Lets the page have these incidents ticked; the tester cannot tick rows of a data frame."""

    def tick(*ids: int) -> None:
        def table(page: IncidentPage, *_given: object, several: bool, **_more: object) -> list:
            return [row for row in page.rows if row.id in ids] if several else []

        monkeypatch.setattr(incident_table, "table", table)

    return tick


def test_one_act_on_several_names_what_was_done_and_what_was_not(run, actors, filed, ticked):
    supervisor = actors[Role.SUPERVISOR]
    act(supervisor, filed[2], "void", reason="trial")
    ticked(*filed)
    page = run("incidents", Role.SUPERVISOR)
    next(each for each in page.toggle if each.key == state.LIST_CHOOSE).set_value(True).run()
    choice = next(each for each in page.selectbox if each.key and each.key.startswith(state.BULK_ACT))
    assert "Urge (2 of 3)" in choice.options
    choice.select_index(choice.options.index("Urge (2 of 3)")).run()
    assert "left as it is: " in words(page)
    reason = next(each for each in page.selectbox if each.key and each.key.startswith("gk_bulk_urge"))
    go = next(each for each in page.button if each.key == "gk_bulk_go")
    assert go.disabled
    reason.select("citizen").run()
    # Meanwhile somebody else changes the second of them.
    act(supervisor, filed[1], "urge", reason="late")
    next(each for each in page.button if each.key == "gk_bulk_go").click().run()
    said = words(page)
    assert "Urge: done to 1 of 2." in said
    assert "now: Filed" in said
    assert "was changed meanwhile" in said
    with db.transaction(supervisor) as session:
        done = [incidents.incident_detail(session, supervisor, each) for each in filed]
    assert [each.side.urge_reason for each in done] == ["citizen", "late", ""]
    assert done[0].history[-1].purpose == "urge: citizen"
    next(each for each in page.button if each.key == "gk_bulk_away").click().run()
    assert "Urge: done to" not in words(page)


def test_the_same_batch_twice_does_it_once(actors, filed):
    supervisor, batch = actors[Role.SUPERVISOR], str(uuid.uuid4())
    with db.transaction(supervisor) as session:
        rows = [
            row
            for row in incidents.list_incidents(session, supervisor, IncidentFilter(statuses=["filed"])).rows
            if row.id in filed
        ]
    for _ in range(2):
        assert all(each.done for each in incident_bulk.bulk.apply(supervisor, rows, "urge", {"reason": "late"}, batch))
    with db.transaction(supervisor) as session:
        assert [incidents.incident_detail(session, supervisor, each).side.urges for each in filed] == [1, 1, 1]
    i18n.use("en")
