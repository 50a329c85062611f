"""Classes, limits and calendars: who sees, who proposes, who decides, and what the page says about it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.identity import Role, system_actor
from geodata import db
from incidents.rules import DAY, LIMIT
from incidents.service import ruling
from tests.pages.conftest import shown, words

POSTERS = "event-02-01|handle|"
VENDING = "event-05-01|handle|"


def press(page: AppTest, label: str) -> AppTest:
    (button,) = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception, page.exception
    return page


def labels(page: AppTest) -> set[str]:
    return {each.label for each in page.button}


def bodies(page: AppTest) -> str:
    return "".join(element.proto.body for element in page.get("html"))


@pytest.fixture
def proposed(actors):
    """A maker of proposals: by a role, of a limit."""

    def make(role: Role, key: str, value: float, **more: object) -> int:
        with db.transaction(actors[role]) as session:
            return ruling.propose(session, actors[role], {(LIMIT, key): {"value": value}}, **more).id

    return make


def withdraw(actors, role: Role, change: int) -> None:
    with db.transaction(actors[role]) as session:
        ruling.withdraw(session, actors[role], change)


def test_a_limit_is_proposed_by_one_and_approved_by_another(run, actors):
    page = run("rules", Role.ADMINISTRATOR, tab="limits", limit=POSTERS)
    assert "Propose the change" not in labels(page)
    (value,) = [each for each in page.number_input if each.label == "Limit"]
    value.set_value(4.0).run()
    told = words(page)
    assert "10 working days" in told
    assert "4 working days" in told
    assert "Worked example" in told
    assert "open incident" not in told, "an administrator sees no incident, not even how many"
    press(page, "Propose the change")
    assert "Another supervisor decides it" in words(page)
    with db.transaction(system_actor()) as session:
        (change,) = ruling.list_changes(session, actors[Role.ADMINISTRATOR], states=("proposed",))
    page = run("rules", Role.ADMINISTRATOR, tab="changes", change=str(change.id))
    assert "A supervisor decides changes of the rules." in words(page)
    assert {"Approve", "Reject"}.isdisjoint(labels(page))
    assert "Withdraw" in labels(page)
    page = run("rules", Role.SUPERVISOR, tab="changes", change=str(change.id))
    assert "open incident" in words(page)
    press(page, "Approve")
    assert "Approved; it holds for what is filed from now on." in words(page)
    with db.transaction(system_actor()) as session:
        row = ruling.read_rules(session, actors[Role.AUDITOR])[LIMIT, POSTERS]
    assert (row.fields["value"], row.version) == (4.0, 2)
    page = run("rules", Role.AUDITOR, tab="limits", limit=POSTERS)
    assert "Earlier versions" in words(page)


def test_who_proposed_is_told_why_he_cannot_approve(run, actors, proposed):
    change = proposed(Role.SUPERVISOR, VENDING, 3.0)
    page = run("rules", Role.SUPERVISOR, tab="changes", change=str(change))
    assert "You proposed it, so another supervisor decides it;" in words(page)
    assert {"Approve", "Reject"}.isdisjoint(labels(page))
    assert "这是您提出的，须由另一位监督员批准" in words(
        run("rules", Role.SUPERVISOR, "zh", tab="changes", change=str(change))
    )
    press(run("rules", Role.SUPERVISOR, tab="changes", change=str(change)), "Withdraw")
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        assert ruling.get_change(session, actors[Role.SUPERVISOR], change).state == "withdrawn"


def test_a_rejection_needs_its_reason(run, actors, proposed):
    change = proposed(Role.ADMINISTRATOR, VENDING, 3.0)
    page = run("rules", Role.SUPERVISOR, tab="changes", change=str(change))
    press(page, "Reject")
    assert "Say why it is rejected." in words(page)
    (note,) = [each for each in page.text_input if each.label == "Note"]
    note.set_value("Three days cannot be kept").run()
    press(page, "Reject")
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        assert ruling.get_change(session, actors[Role.SUPERVISOR], change).note == "Three days cannot be kept"


def test_a_stale_proposal_says_what_changed_and_the_way_out(run, actors, proposed):
    old = proposed(Role.ADMINISTRATOR, VENDING, 3.0)
    new = proposed(Role.ADMINISTRATOR, VENDING, 6.0)
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        ruling.approve(session, actors[Role.SUPERVISOR], new)
    page = run("rules", Role.SUPERVISOR, tab="changes", change=str(old))
    assert "limit 10 working days → 6 working days" in words(page)
    (approve,) = [each for each in page.button if each.label == "Approve"]
    assert approve.disabled
    page = run("rules", Role.ADMINISTRATOR, tab="changes", change=str(old))
    press(page, "Propose it on the present rules")
    with db.transaction(actors[Role.ADMINISTRATOR]) as session:
        (again,) = ruling.list_changes(session, actors[Role.ADMINISTRATOR], states=("proposed",))
        assert (again.edits[0].before["value"], again.edits[0].after["value"]) == (6.0, 3.0)
        ruling.withdraw(session, actors[Role.ADMINISTRATOR], again.id)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.DISPATCHER, Role.PLANNER, Role.GRID_MANAGER, Role.HANDLER])
def test_the_others_read_only(run, role):
    for address in (
        {"tab": "classes", "class": "event-04-03"},
        {"tab": "limits", "limit": POSTERS},
        {"tab": "calendars"},
    ):
        page = run("rules", role, **address)
        assert not [each.label for each in page.expander if "Propose" in each.label]
        assert labels(page).isdisjoint({"New class", "Propose the change", "Approve"})


def test_a_class_is_shown_with_its_limits_and_changed_in_words(run):
    page = run("rules", Role.SUPERVISOR, tab="classes", **{"class": "event-04-03"})
    assert "Gas leak" in words(page)
    assert "/rules?tab=limits&amp;limit=event-04-03|handle|" in bodies(page)
    (emergency,) = [each for each in page.toggle if each.label.startswith("Emergency")]
    emergency.set_value(False).run()
    assert "needs a reason" in words(page)
    (go,) = [each for each in page.button if each.label == "Propose the change"]
    assert go.disabled
    page.text_area[0].set_value("The gas works have a line of their own").run()
    (go,) = [each for each in page.button if each.label == "Propose the change"]
    assert not go.disabled


def test_a_new_class_is_refused_when_it_is_about_persons(run):
    page = run("rules", Role.SUPERVISOR, tab="classes", **{"class": "new"})
    for label, text in (("English name", "Petitioners"), ("Chinese name", "上访")):
        (field,) = [each for each in page.text_input if each.label == label]
        field.set_value(text).run()
    assert "no class is about" in words(page)


def test_a_year_shows_its_holidays(run):
    body = bodies(run("rules", Role.AUDITOR, tab="calendars", calendar="office-gb"))
    assert body.count('class="gk-month"') == 12
    assert 'title="holiday: Christmas Day"' in body
    assert "Christmas Day" in "\n".join(shown(run("rules", Role.AUDITOR, tab="calendars", calendar="office-gb")))


def test_days_are_pasted_and_bad_rows_named(run, actors):
    page = run("rules", Role.SUPERVISOR, tab="calendars", calendar="office-gb")
    assert "Nothing is changed yet." in words(page), "the days stand in a table to be edited"
    (way,) = [each for each in page.get("button_group") if each.label == "What to change"]
    way.set_value("list").run()
    assert "From holidays:GB:ENG." in words(page)
    assert "Nothing is changed yet." in words(page), "the seeded days are the published ones"
    (way,) = [each for each in page.get("button_group") if each.label == "What to change"]
    way.set_value("hours").run()
    (monday,) = [each for each in page.text_input if each.label == "Mon"]
    assert monday.value == "09:00-17:00"
    monday.set_value("08:00-12:00, 13:00-18:30").run()
    assert "Mon 08:00–12:00, 13:00–18:30; Tue–Fri 09:00–17:00" in words(page)
    (monday,) = [each for each in page.text_input if each.label == "Mon"]
    monday.set_value("from nine to five").run()
    assert "These hours cannot be read: Mon." in words(page)
    (way,) = [each for each in page.get("button_group") if each.label == "What to change"]
    way.set_value("paste").run()
    (field,) = [each for each in page.text_area if each.label.startswith("Days as CSV")]
    field.set_value("2031-02-31,holiday,x").run()
    assert "row 2" in words(page)
    (field,) = [each for each in page.text_area if each.label.startswith("Days as CSV")]
    field.set_value("2031-03-03,holiday,Fair\n2031-03-08,workday,Fair").run()
    assert "Fair" in words(page)
    press(page, "Propose the change")
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        (change,) = ruling.list_changes(session, actors[Role.SUPERVISOR], states=("proposed",))
        assert {(edit.table, edit.key) for edit in change.edits} == {
            (DAY, "office-gb|2031-03-03"),
            (DAY, "office-gb|2031-03-08"),
        }
        ruling.withdraw(session, actors[Role.SUPERVISOR], change.id)


def test_an_unknown_change_or_row_is_said(run):
    assert "There is no change 4711." in words(run("rules", Role.AUDITOR, tab="changes", change="4711"))
    assert "41 classes" in words(run("rules", Role.AUDITOR, tab="classes", **{"class": "event-77-77"}))


def test_nothing_fits_and_the_way_out(run):
    page = run("rules", Role.AUDITOR, tab="limits")
    (find,) = [each for each in page.text_input if each.label == "Find"]
    find.set_value("zebra").run()
    assert "No limit fits the filters." in words(page)
