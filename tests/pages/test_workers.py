"""The page of the staff list: each role its own, acts that tell what came of them, nothing half-written."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from app import i18n
from core.identity import Role, system_actor
from geodata import db
from people import absences, staff
from people.worker_files import as_csv
from tests.pages.conftest import shown, words


def today():
    return dt.datetime.now(dt.UTC).date()


@pytest.fixture(scope="module")
def crew(actors):
    """Everybody there, nobody with a task in the way."""
    actor = actors[Role.SUPERVISOR]
    with db.transaction(system_actor(actor.territory_id)) as session:
        session.execute(text("DELETE FROM absence"))
        session.execute(text("UPDATE task SET state = 'done' WHERE worker_id = (SELECT max(id) FROM worker)"))
    with db.transaction(actor) as session:
        return staff.list_staff(session, actor, actor.territory_id, today=today())


def _button(page, label):
    return next(each for each in page.button if each.label == label)


def _box(page, label, kind="selectbox", nth=0):
    return [each for each in page.get(kind) if each.label == label][nth]


def codes(page):
    return list(page.dataframe[0].value.iloc[:, 0])


def test_each_role_sees_its_own_and_names_only_where_they_are_its_own_to_see(run, crew):
    everybody = [row.code for row in crew]
    assert codes(run("workers", Role.SUPERVISOR)) == everybody
    own = codes(run("workers", Role.GRID_MANAGER))
    assert 0 < len(own) < len(everybody)
    auditor = run("workers", Role.AUDITOR, worker=crew[0].code)
    told = words(auditor)
    assert codes(auditor) == everybody
    assert not any(row.name in told for row in crew)
    assert "not for your role" in told
    for label in ("Add a worker", "Change", "End employment"):
        assert label not in [each.label for each in auditor.button]
    assert "No worker fits" not in told
    assert "No workers yet." in words(run("workers", Role.HANDLER))


def test_an_address_opens_a_worker_and_an_unknown_one_is_a_sentence(run, crew):
    page = run("workers", Role.DISPATCHER, worker=crew[0].code.lower())
    assert crew[0].name in words(page)
    assert {"Worker", "Absences", "History"} <= {tab.label for tab in page.tabs}
    assert "The history is not for your role." in shown(page)
    for address in ("W999", "1 OR 1=1", "x" * 99):
        assert "This does not exist, or not in your area." in words(
            run("workers", Role.SUPERVISOR, worker=address)
        ) or ("cannot be a staff number" in words(run("workers", Role.SUPERVISOR, worker=address)))
    foreign = next(row for row in crew if row.code not in codes(run("workers", Role.GRID_MANAGER)))
    told = words(run("workers", Role.GRID_MANAGER, worker=foreign.code))
    assert "This does not exist, or not in your area." in told
    assert foreign.name not in told


def test_filters_and_links_narrow_the_list(run, crew):
    unit = crew[-1].unit_id
    page = run("workers", Role.SUPERVISOR, unit=str(unit))
    assert codes(page) == [row.code for row in crew if row.unit_id == unit]
    page = run("workers", Role.SUPERVISOR, state="left")
    assert "No worker fits the filters." in shown(page)
    page = run("workers", Role.SUPERVISOR)
    _box(page, "Staff number, name or phone", "text_input").set_value(crew[3].name.split()[0]).run()
    assert crew[3].code in codes(page)
    _box(page, "Staff number, name or phone", "text_input").set_value("nobody at all").run()
    assert "No worker fits the filters." in shown(page)


def test_a_worker_is_added_changed_and_named_without_a_grid(run, crew):
    page = run("workers", Role.ADMINISTRATOR)
    name = _box(page, "Full name", "text_input")
    code = _box(page, "Staff number", "text_input").value
    name.set_value("Nora New")
    _button(page, "Add the worker").click().run()
    told = words(page)
    assert f"{code} was added." in told
    assert f"{code} looks after no grid. Choose one under Change." in told
    assert "Nora New" in told
    again = run("workers", Role.ADMINISTRATOR, worker=code)
    _box(again, "Phone", "text_input", nth=1).set_value("nonsense")
    _button(again, "Save").click().run()
    assert "This cannot be a phone number." in words(again)
    _box(again, "Phone", "text_input", nth=1).set_value("01983 777 888")
    _button(again, "Save").click().run()
    assert f"{code} was changed." in words(again)
    assert "01983 777 888" in words(run("workers", Role.DISPATCHER, worker=code))
    assert f"{code} looks after no grid. The supervisor can give one." in words(
        run("workers", Role.DISPATCHER, worker=code)
    )


def test_an_absence_is_entered_refused_when_it_overlaps_and_ended(run, crew):
    who = crew[1].code
    page = run("workers", Role.GRID_MANAGER, worker=who)
    _button(page, "Enter the absence").click().run()
    assert f"{who} is away" in words(page)
    assert "Stands in today" in words(page)
    _button(page, "Enter the absence").click().run()
    assert f"{who} is away already" in words(page)
    chinese = run("workers", Role.SUPERVISOR, "zh", worker=who)
    i18n.use("zh")
    _button(chinese, "登记缺勤").click().run()
    assert f"{who} 在 {today():%Y-%m-%d}" in words(chinese)
    assert "已有缺勤（休假）" in words(chinese)
    i18n.use("en")
    dispatcher = words(run("workers", Role.DISPATCHER, worker=who))
    assert "Why is told to those who manage this worker." in dispatcher
    assert "Leave" not in dispatcher.split("\n")
    page = run("workers", Role.GRID_MANAGER, worker=who)
    _button(page, "Back today").click().run()
    assert f"The absence of {who} was taken back." in words(page)


def test_two_windows_at_once_end_in_a_sentence(run, crew, actors):
    who = crew[2]
    actor = actors[Role.SUPERVISOR]
    with db.transaction(actor) as session:
        absences.add_absence(session, actor, actor.territory_id, who.id, kind="leave", from_on=today(), to_on=today())
    page = run("workers", Role.SUPERVISOR, worker=who.code)
    with db.transaction(actor) as session:
        detail = staff.staff_detail(session, actor, actor.territory_id, who.code, today=today())
        absences.change_absence(
            session,
            actor,
            actor.territory_id,
            detail.absences[0].id,
            to_on=today() + dt.timedelta(days=3),
            deputy_id=None,
            version=1,
        )
    _button(page, "Back today").click().run()
    assert "changed meanwhile" in words(page)


def test_employment_ends_with_no_task_left_and_can_be_taken_up_again(run, crew):
    busy = next((row for row in crew if row.tasks), None)
    if busy is not None:
        page = run("workers", Role.ADMINISTRATOR, worker=busy.code)
        _button(page, "Set the last day").click().run()
        assert "Hand tasks and grid over to somebody first" in words(page)
    free = crew[-1].code
    page = run("workers", Role.ADMINISTRATOR, worker=free)
    last = next(each for each in page.date_input if each.label == "Last day of work")
    last.set_value(today() - dt.timedelta(days=1))
    _button(page, "Set the last day").click().run()
    assert f"{free}: last day" in words(page)
    assert free not in codes(page)
    assert free in codes(run("workers", Role.SUPERVISOR, state="left"))
    history = words(run("workers", Role.AUDITOR, worker=free))
    assert "Employment ended" in history
    page = run("workers", Role.ADMINISTRATOR, worker=free)
    _button(page, "Employ again").click().run()
    assert f"{free} works here again." in words(page)


def test_a_file_is_previewed_and_brought_in(run, crew):
    page = run("workers", Role.SUPERVISOR)
    rows = [["F001", "王小明", "PG", "", "", "zh", "", "", ""], ["F002", "Ann", "NOWHERE", "", "", "", "", "", ""]]
    page.file_uploader[0].set_value(("staff.csv", as_csv(rows, "zh"), "text/csv")).run()
    told = words(page)
    assert "1 new, 0 changed, 0 unchanged, 1 refused." in told
    assert "there is no unit NOWHERE" in told
    _button(page, "Bring 1 worker in").click().run()
    assert "1 added, 0 changed, 0 as they were, 1 refused." in words(page)
    assert "F001" in codes(page)
    page.file_uploader[0].set_value(("staff.csv", b"Nr,Name\n1,Ann\n", "text/csv")).run()
    assert "staff.csv lacks the columns Staff number, Unit; found are: Nr, Name." in words(page)
