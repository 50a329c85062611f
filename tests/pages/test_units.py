"""The pages of units and of the duty list: who reads, who acts, what is refused and how it is said."""

from __future__ import annotations

import datetime as dt

import pytest

from app import i18n
from core.identity import Role, system_actor
from geodata import db
from people import duties, units
from tests.pages.conftest import shown, words

READERS = [
    Role.GRID_MANAGER, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR,
]  # fmt: skip
TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture
def home(actors) -> int:
    return actors[Role.SUPERVISOR].territory_id or 0


def unit(home: int, code: str):
    with db.transaction(system_actor()) as session:
        return units.find(units.tree(session, system_actor(), home), code)


def button(page, label):
    return next(each for each in page.button if each.label == label)


def field(page, kind, label, key=""):
    return next(each for each in page.get(kind) if each.label == label and key in (each.key or ""))


@pytest.mark.parametrize("role", READERS)
def test_the_tree_and_one_unit_stand_for_who_works_with_people(run, role) -> None:
    page = run("units", role)
    tree = page.dataframe[0].value
    assert tree["Code"].tolist()[:2] == ["GOV", "CC"]
    assert any(name.startswith("\u2003") for name in tree["Unit name"])
    page = run("units", role, unit="pg")
    told = words(page)
    for piece in ("Parks and Greenery", "Duty desk", "pg@tiny-town.example", "City Governance Office", "Tree Team"):
        assert piece in told
    acts = {each.label for each in page.button} & {"Add the unit", "Save", "Set the last day"}
    assert len(acts) == (3 if role is Role.ADMINISTRATOR else 0)


def test_the_chinese_page_shows_chinese_names(run) -> None:
    told = words(run("units", Role.SUPERVISOR, "zh", unit="PG"))
    assert "园林绿化局" in told
    assert "值班室" in told


def test_an_unknown_unit_is_a_sentence(run) -> None:
    page = run("units", Role.SUPERVISOR, unit="NOWHERE")
    assert "There is no unit NOWHERE here. Choose one from the list." in words(page)
    assert len(page.dataframe) == 1


def test_a_number_leads_to_its_rows(run, home) -> None:
    page = run("units", Role.SUPERVISOR, unit="ST01")
    bodies = "".join(each.proto.body for each in page.get("html"))
    assert 'href="/duty-list?unit=ST01"' in bodies
    assert f"/incidents?unit={unit(home, 'ST01').id}&amp;status=open" in bodies


def test_a_unit_is_added_renamed_and_ended_from_the_page(run, home) -> None:
    page = run("units", Role.ADMINISTRATOR)
    field(page, "text_input", "Code").set_value("TX1")
    field(page, "text_input", "Unit name").set_value("Night Team")
    field(page, "selectbox", "Kind").select("team")
    field(page, "selectbox", "Unit above").select("HW")
    button(page, "Add the unit").click().run()
    assert "Night Team: added." in words(page)
    assert unit(home, "TX1").spec.parent == "HW"

    page = run("units", Role.ADMINISTRATOR, unit="TX1")
    field(page, "text_input", "Unit name", f"_{unit(home, 'TX1').id}_1_").set_value("Day and Night Team")
    button(page, "Save").click().run()
    assert "Day and Night Team: changed." in words(page)
    assert "Unit name: Night Team to Day and Night Team" in words(page)

    button(page, "Set the last day").click().run()
    assert unit(home, "TX1").spec.valid_to == TODAY
    button(page, "Let it go on").click().run()
    assert unit(home, "TX1").spec.valid_to is None


def test_bad_fields_and_a_unit_with_work_left_are_refused_in_words(run, home) -> None:
    page = run("units", Role.ADMINISTRATOR, unit="PG")
    field(page, "text_input", "E-mail", f"_{unit(home, 'PG').id}_1_").set_value("nobody")
    button(page, "Save").click().run()
    assert "'nobody' is no e-mail address" in words(page)
    assert unit(home, "PG").version == 1
    page = run("units", Role.ADMINISTRATOR, "zh", unit="PG")
    i18n.use("zh")  # AppTest words the choices of a list in this thread
    button(page, "设定截止日").click().run()
    assert "园林绿化局还不能撤销：尚有" in words(page)
    assert "条权责清单条目" in words(page)


def test_units_come_in_from_a_file_on_the_page(run, home) -> None:
    page = run("units", Role.ADMINISTRATOR)
    page.file_uploader[0].set_value(("u.csv", "编码,类型,名称\nFV1,合作单位,Harbour Wardens\n".encode(), "text/csv"))
    page.run()
    button(page, "Bring it in").click().run()
    assert "u.csv: 1 added, 0 changed, 0 as they were." in words(page)
    assert unit(home, "FV1").spec.kind == "partner"
    assert not run("units", Role.SUPERVISOR).file_uploader


def test_filters_and_a_day_before_everything_leave_a_way_out(run) -> None:
    page = run("units", Role.SUPERVISOR)
    field(page, "text_input", "Name or code").set_value("tree team").run()
    assert page.dataframe[0].value["Code"].tolist() == ["PG-T"]
    page.get("date_input")[0].set_value(dt.date(1990, 1, 1)).run()
    assert "No unit fits the filters." in words(page)


# --- the duty list


def the_list(home: int):
    with db.transaction(system_actor()) as session:
        return duties.read(session, system_actor(), home)


def entries_of(home: int, key: str):
    listed = the_list(home)
    return [each for each in listed.entries if listed.classes[each.class_id].key == key]


@pytest.mark.parametrize("role", READERS)
def test_the_duty_list_stands_for_who_works_with_people(run, role) -> None:
    page = run("duty_list", role)
    told = words(page)
    assert "Gas leak" in told
    assert "Gas Company" in told
    assert "WM" in told, "the matrix"
    acts = {each.label for each in page.button}
    assert ("Assign" in acts) == (role in {Role.SUPERVISOR, Role.ADMINISTRATOR})


def test_a_gap_is_shown_first_and_mended_from_its_link(run, home) -> None:
    (entry,) = entries_of(home, "component-01-17")
    with db.transaction(system_actor()) as session:
        duties.end(session, system_actor(), home, entry.id, version=1, last_day=TODAY)
    page = run("duty_list", Role.SUPERVISOR)
    told = shown(page)
    assert "Without owner" in told
    assert "Pole" in told
    assert told[told.index("Gaps within a year") + 1] == "2"
    tomorrow = (TODAY + dt.timedelta(days=1)).isoformat()
    page = run("duty_list", Role.SUPERVISOR, assign="component-01-17", **{"from": tomorrow})
    field(page, "selectbox", "Unit", "assign").select(next(iter(
        key for key, each in the_list(home).units.items() if each.code == "EL"
    )))  # fmt: skip
    button(page, "Assign").click().run()
    assert "Assigned." in words(page)
    assert len(entries_of(home, "component-01-17")) == 2
    assert shown(page)[shown(page).index("Gaps within a year") + 1] == "0"


def test_a_unit_that_will_end_leaves_a_gap_that_leads_to_its_entry(run, home) -> None:
    (entry,) = entries_of(home, "event-04-02")
    owner = unit(home, "WA")
    with db.transaction(system_actor()) as session:
        last = TODAY + dt.timedelta(days=40)
        units.end(session, system_actor(), home, owner.id, version=owner.version, last_day=last)
    page = run("duty_list", Role.SUPERVISOR)
    begin = (TODAY + dt.timedelta(days=41)).isoformat()
    bodies = "".join(each.proto.body for each in page.get("html"))
    assert "Water Company does not exist then" in bodies
    assert f"/duty-list?duty={entry.id}&amp;from={begin}" in bodies
    page = run("duty_list", Role.SUPERVISOR, duty=str(entry.id), **{"from": begin})
    assert field(page, "date_input", "From").value.isoformat() == begin
    with db.transaction(system_actor()) as session:
        units.end(session, system_actor(), home, owner.id, version=owner.version + 1, last_day=None)


def test_assigning_what_is_taken_is_refused_with_every_reason(run, home) -> None:
    page = run("duty_list", Role.SUPERVISOR, assign="event-04-03,event-04-02")
    field(page, "selectbox", "Unit", "assign").select(entries_of(home, "event-04-03")[0].unit_id)
    button(page, "Assign").click().run()
    told = words(page)
    assert "Gas leak in the whole territory belongs to Gas Company" in told
    assert "Burst water main in the whole territory belongs to Water Company" in told
    assert len(entries_of(home, "event-04-03")) == 1


def test_an_entry_is_replaced_from_a_day(run, home) -> None:
    (entry,) = entries_of(home, "component-04-07")
    other = next(key for key, each in the_list(home).units.items() if each.code == "HW")
    page = run("duty_list", Role.SUPERVISOR, duty=str(entry.id))
    field(page, "selectbox", "Unit", "new_unit").select(other)
    button(page, "Replace").click().run()
    assert "Replaced from" in words(page)
    old, new = entries_of(home, "component-04-07")
    assert (old.valid_to, new.valid_from, new.unit_id) == (TODAY - dt.timedelta(days=1), TODAY, other)
    assert "no end" in words(page), "the history of the old entry says what its last day was"


def test_a_file_comes_back_and_a_wrong_one_is_told_row_by_row(run, home) -> None:
    page = run("duty_list", Role.SUPERVISOR)
    before = the_list(home).entries
    page.file_uploader[0].set_value(
        ("x.csv", b"class,unit,area\nevent-99-99,GS,\nevent-04-03,NO,Nowhere\n", "text/csv")
    )
    page.run()
    button(page, "Bring it in").click().run()
    told = words(page)
    for piece in ("row 2: there is no class", "row 3: there is no unit 'NO'", "row 3: there is no area 'Nowhere'"):
        assert piece in told
    page = run("duty_list", Role.SUPERVISOR, "zh")
    page.file_uploader[0].set_value(("x.csv", b"a,b\n1,2\n", "text/csv"))
    i18n.use("zh")
    page.run()
    button(page, "导入").click().run()
    assert "表头中缺少" in words(page)
    assert the_list(home).entries == before
