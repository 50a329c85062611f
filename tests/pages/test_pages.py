"""Every page, every role, both languages: it stands, it is whole, it shows no more than the role may see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from sqlalchemy import text

from app import guard
from core.errors import NotPermitted
from core.identity import Role, system_actor
from geodata import db, jobs
from incidents import service as incidents
from incidents.model import IncidentFilter
from tests.pages.conftest import shown, words

OFFICERS = sorted(set(Role) - {Role.SYSTEM})
SEE_INCIDENTS = [Role.GRID_MANAGER, Role.GRID_WORKER, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR]
SEE_PEOPLE = [each for each in OFFICERS if each not in {Role.PLANNER, Role.GRID_WORKER}]
LOADERS = [Role.SUPERVISOR, Role.ADMINISTRATOR]
VIEWS = {
    "today": OFFICERS,
    "city_map": OFFICERS,
    "what_if": [Role.DISPATCHER],
    "components": OFFICERS,
    "grid_file": OFFICERS,
    "codes": OFFICERS,
    "traffic": OFFICERS,
    "basemaps": [Role.ADMINISTRATOR],
    "wall": SEE_INCIDENTS,
    "catalogue": OFFICERS,
    "draw_balance": [Role.GRID_MANAGER, Role.PLANNER, Role.SUPERVISOR],
    "incidents": SEE_INCIDENTS,
    "verify": [Role.SUPERVISOR],
    "new_incident": [Role.GRID_MANAGER, Role.GRID_WORKER, Role.DISPATCHER, Role.SUPERVISOR],
    "bring_in": [*LOADERS, Role.HANDLER],
    "quarantine": [*LOADERS, Role.HANDLER],
    "same_place": [*LOADERS, Role.HANDLER],
    "hotline": [Role.SUPERVISOR],
    "messages": [Role.DISPATCHER, Role.SUPERVISOR],
    "emergencies": [Role.AUDITOR, Role.SUPERVISOR],
    "rules": OFFICERS,
    "health": [Role.ADMINISTRATOR],
    "roster": SEE_PEOPLE,
    "workers": SEE_PEOPLE,
    "help": OFFICERS,
    "accounts": [Role.ADMINISTRATOR, Role.AUDITOR],
    "my_account": OFFICERS,
    "units": SEE_PEOPLE,
    "duty_list": SEE_PEOPLE,
    "set_up": [Role.ADMINISTRATOR],
    "indicators": [each for each in OFFICERS if each is not Role.ADMINISTRATOR],
    "record": [Role.AUDITOR, Role.SUPERVISOR],
    "accountability": [Role.AUDITOR, Role.GRID_WORKER],
}
TITLES = {
    "today": ("Today", "今日"),
    "city_map": ("City map", "城市地图"),
    "what_if": ("What if", "情景推演"),
    "components": ("Components", "部件"),
    "grid_file": ("Grid file", "网格档案"),
    "codes": ("Codes", "编码"),
    "traffic": ("Traffic", "交通"),
    "basemaps": ("Basemaps", "底图管理"),
    "wall": ("Wall", "大屏"),
    "catalogue": ("Catalogue", "数据目录"),
    "draw_balance": ("Draw & balance", "划分与均衡"),
    "incidents": ("Incidents", "案件"),
    "verify": ("Verify", "核查"),
    "new_incident": ("New incident", "案件登记"),
    "bring_in": ("Bring in", "数据汇入"),
    "quarantine": ("Quarantine", "隔离区"),
    "same_place": ("Same place?", "同一地点核对"),
    "hotline": ("Hotline 12345", "12345 热线"),
    "messages": ("Messages of the desk", "值班提醒"),
    "emergencies": ("Emergencies", "紧急情况"),
    "rules": ("Classes, limits and calendars", "分类、时限与日历"),
    "workers": ("Workers", "网格员"),
    "health": ("Health & backup", "运行状况与备份"),
    "roster": ("Roster", "排班"),
    "help": ("Help", "帮助"),
    "accounts": ("Accounts", "账号"),
    "my_account": ("My account", "我的账号"),
    "units": ("Units", "单位"),
    "duty_list": ("Duty list", "权责清单"),
    "set_up": ("First set-up", "首次设置"),
    "indicators": ("Indicators", "评价指标"),
    "record": ("Record", "操作留痕"),
    "accountability": ("Accountability", "问责"),
}
CATALOGUES = sorted((Path(__file__).resolve().parents[2] / "app" / "locale" / "zh" / "LC_MESSAGES").glob("*.po"))
EVERYWHERE = [
    *((view, role, "zh") for view, roles in VIEWS.items() for role in roles),
    *((view, roles[0], "en") for view, roles in VIEWS.items()),
]
"""Every role in Chinese, where a text without translation shows; in English, which is the source, one of each page."""


@pytest.fixture(scope="module")
def english_texts() -> set[str]:
    """Texts that have a Chinese form and must not stand on a Chinese page."""
    texts: list[str] = []
    for path in CATALOGUES:
        with path.open("rb") as file:
            texts += [message.id for message in read_po(file, locale="zh") if isinstance(message.id, str)]
    return {text for text in texts if re.search(r"[A-Za-z]{2}", text) and "{" not in text}


@pytest.mark.parametrize(("view", "role", "language"), EVERYWHERE)
def test_page_stands(run, english_texts, view, role, language):
    page = run(view, role, language)
    pieces = shown(page)
    assert TITLES[view][language == "zh"] in pieces
    whole = "\n".join(pieces)
    assert not re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", whole), "an emoji"
    assert "Traceback" not in whole
    assert not page.error
    assert "gk-wrong" not in "".join(
        element.proto.body for element in page.get("html") if "<style>" not in element.proto.body
    )
    if language == "zh":
        assert not english_texts.intersection(pieces), "English left on a Chinese page"
    else:
        interface = [piece for piece in pieces if piece in {title for _, title in TITLES.values()}]
        assert not interface, "Chinese left on an English page"


@pytest.mark.parametrize("role", [Role.PLANNER, Role.ADMINISTRATOR])
def test_planner_and_administrator_see_no_incident(run, role):
    with db.transaction(system_actor()) as session:
        numbers = [number for (number,) in session.execute(text("SELECT number FROM incident")).all()]
    page_text = words(run("today", role))
    assert numbers
    assert not [number for number in numbers if number in page_text]


@pytest.mark.parametrize("role", SEE_INCIDENTS)
def test_incident_pages_say_that_data_are_simulated(run, role):
    for view in ("today", "incidents"):
        assert "Simulated data" in shown(run(view, role))


@pytest.mark.parametrize("role", LOADERS)
def test_the_big_button_is_on_the_first_page_of_those_who_may(run, role):
    page = run("today", role)
    (button,) = [each for each in page.button if each.label == "Use your own .osm.pbf"]
    button.click().run()
    assert "Bring in" in shown(page)


@pytest.mark.parametrize("role", sorted(set(OFFICERS) - set(LOADERS)))
def test_the_big_button_is_not_there_for_others(run, role):
    assert not [each for each in run("today", role).button if "osm.pbf" in each.label]


# --- Today


def test_late_incidents_are_links_to_themselves(run, actors):
    actor = actors[Role.DISPATCHER]
    with db.transaction(actor) as session:
        late = incidents.late_incidents(session, actor, limit=3)
    bodies = "".join(element.proto.body for element in run("today", Role.DISPATCHER).get("html"))
    assert late
    for row in late:
        assert f'href="/incidents?overdue=1&amp;incident={row.id}"' in bodies
        assert row.number in bodies


def test_the_counts_are_those_of_the_service(run, actors):
    actor = actors[Role.GRID_MANAGER]
    with db.transaction(actor) as session:
        counts = incidents.today_counts(session, actor)
    pieces = shown(run("today", Role.GRID_MANAGER))
    assert pieces[pieces.index("Late") + 1] == f"{counts.late:,}"
    assert pieces[pieces.index("Open") + 1] == f"{counts.open:,}"


def test_a_manager_sees_the_own_communities_only(run, actors):
    bodies = words(run("today", Role.GRID_MANAGER))
    assert "Westside" in bodies
    assert "Eastside" not in bodies


def test_the_numbers_of_a_community_lead_to_its_rows(run, actors):
    bodies = "".join(element.proto.body for element in run("today", Role.GRID_MANAGER).get("html"))
    area = actors[Role.GRID_MANAGER].area_ids[0]
    assert f"/incidents?community={area}&amp;status=open" in bodies


# --- Incidents


@pytest.fixture
def one(actors):
    actor = actors[Role.SUPERVISOR]
    with db.transaction(actor) as session:
        return incidents.list_incidents(session, actor, limit=1).rows[0]


def test_an_address_opens_the_incident_beside_the_list(run, one):
    page = run("incidents", Role.SUPERVISOR, incident=str(one.id))
    assert one.number in words(page)
    assert {"Incident", "Tasks", "History"} <= {tab.label for tab in page.tabs}
    assert len(page.dataframe) == 1


@pytest.mark.parametrize("address", ["999999999", "abc", "-1", "1 OR 1=1", "9" * 30])
def test_an_unknown_incident_is_a_sentence(run, address):
    page = run("incidents", Role.SUPERVISOR, incident=address)
    assert len(page.dataframe) == 1


def test_an_incident_elsewhere_is_not_shown_to_a_manager(run, actors):
    actor, everything = actors[Role.GRID_MANAGER], actors[Role.DISPATCHER]
    with db.transaction(everything) as session:
        rows = incidents.list_incidents(session, everything, limit=200).rows
    foreign = next(row for row in rows if row.community_id not in actor.area_ids)
    page = run("incidents", Role.GRID_MANAGER, incident=str(foreign.id))
    assert "This does not exist, or not in your area." in shown(page)
    assert foreign.number not in words(page)


def test_the_auditor_reads_no_note(run, one):
    assert "not for your role" in shown(run("incidents", Role.AUDITOR, incident=str(one.id)))


def test_older_and_newer_turn_pages_without_a_gap(run):
    page = run("incidents", Role.SUPERVISOR)
    first = list(page.dataframe[0].value["Number"])
    _button(page, "Older").click().run()
    second = list(page.dataframe[0].value["Number"])
    assert len(first) == len(second) == 50
    assert not set(first) & set(second)
    _button(page, "Newer").click().run()
    assert list(page.dataframe[0].value["Number"]) == first


def _button(page, label):
    return next(each for each in page.button if each.label == label)


def test_filters_narrow_and_begin_at_the_first_page(run):
    page = run("incidents", Role.SUPERVISOR)
    _button(page, "Older").click().run()
    _box(page, "Deadline").select("late").run()
    frame = page.dataframe[0].value
    assert len(frame)
    assert all(left.endswith("late") for left in frame["Time left"])


def test_a_link_sets_the_filters(run):
    page = run("incidents", Role.SUPERVISOR, overdue="1")
    assert _box(page, "Deadline").value == "late"
    page = run("incidents", Role.SUPERVISOR, days="30", status="open", category="event-01,nonsense", due="soon")
    assert _box(page, "Deadline").value == "soon"
    assert _box(page, "Reported in").value == 30
    chosen = {each.label: each.value for each in page.multiselect}
    assert chosen["Category"] == ["event-01"]
    assert "closed" not in chosen["Status"]
    assert "reported" in chosen["Status"]


@pytest.mark.parametrize(("name", "column"), [("grid", "grid_id"), ("community", "community_id"), ("unit", "unit_id")])
def test_an_address_narrows_the_list_to_a_place_or_unit(run, actors, name, column):
    actor = actors[Role.SUPERVISOR]
    with db.transaction(actor) as session:
        rows = incidents.list_incidents(session, actor, limit=200).rows
        wanted = next(getattr(row, column) for row in rows if getattr(row, column) is not None)
        total = incidents.count_incidents(session, actor, IncidentFilter(**{column: wanted}))
    page = run("incidents", Role.SUPERVISOR, **{name: str(wanted)})
    assert f"{total:,} incident" in words(page)
    assert "Only " in words(page)
    _button(page, "Show all").click().run()
    assert "Only " not in words(page)


def test_a_search_for_a_number_opens_its_incident_and_for_a_place_lists_them(run, one):
    assert one.number in words(run("incidents", Role.SUPERVISOR, find=one.number))
    page = run("incidents", Role.SUPERVISOR, find=one.number)
    assert {"Incident", "Tasks", "History"} <= {tab.label for tab in page.tabs}
    page = run("incidents", Role.SUPERVISOR, find=one.place)
    assert page.text_input[0].value == one.place
    assert not page.tabs


def _box(page, label):
    return next(each for each in page.selectbox if each.label == label)


def test_nothing_found_says_why(run):
    page = run("incidents", Role.SUPERVISOR)
    page.text_input[0].set_value("no such street anywhere").run()
    assert "No incident fits the filters." in shown(page)


# --- errors and the end of a session


def test_an_ended_session_leads_back_to_the_login(run, monkeypatch):
    page = run("today", Role.DISPATCHER)

    def ended():
        raise guard.SessionEnded("over")

    monkeypatch.setattr(guard, "current_actor", ended)
    page.run()
    assert "Your session has ended." in shown(page)
    assert not page.exception


def test_an_unexpected_error_is_shown_as_its_id(run, monkeypatch, caplog):
    def broken(*_args, **_more):
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(incidents, "today_counts", broken)
    text = words(run("today", Role.DISPATCHER))
    assert "Something went wrong on our side." in text
    assert "secret" not in text
    (error_id,) = re.findall(r"this number: (\w+)", text)
    assert error_id in caplog.text


def test_a_fixed_sentence_of_an_error_is_in_the_language_of_the_page(run):
    text = words(run("incidents", Role.SUPERVISOR, "zh", incident="999999999"))
    assert "没有此案件，或不在您的辖区范围内。 请在列表中查找。" in text


def test_a_known_error_is_a_sentence(run, monkeypatch):
    def refused(*_args, **_more):
        raise NotPermitted("As handler you may not.", hint="Ask.")

    monkeypatch.setattr(incidents, "today_counts", refused)
    text = words(run("today", Role.DISPATCHER, "zh"))
    assert "您的角色无权进行此操作。" in text


# --- Bring in


def test_an_extract_becomes_a_job_that_can_be_cancelled(run, actors):
    page = run("bring_in", Role.SUPERVISOR, what="city")
    assert _button(page, "Build the city").disabled
    page.file_uploader[0].set_value(("new-town-latest.osm.pbf", b"not really", "application/octet-stream")).run()
    assert page.text_input[0].value == "New Town"
    _button(page, "Build the city").click().run()
    pieces = shown(page)
    assert "Building your city" in pieces
    assert "Waiting to begin" in pieces
    with db.transaction(system_actor()) as session:
        (job,) = jobs.recent_jobs(session, actors[Role.SUPERVISOR].territory_id, "load_osm")
        path = Path(session.execute(text("SELECT arguments #>> '{arguments,path}' FROM job_run")).scalar_one())
    assert path.read_bytes() == b"not really"
    assert job.state == "waiting"
    assert "Building your city" in shown(run("bring_in", Role.SUPERVISOR, what="city")), "a closed tab changes nothing"
    _button(page, "Cancel").click().run()
    assert "Cancelled; nothing was changed." in shown(run("bring_in", Role.SUPERVISOR, what="city"))


def test_a_file_that_is_no_extract_is_a_sentence(run):
    page = run("bring_in", Role.SUPERVISOR, what="city")
    page.file_uploader[0].set_value(("table.csv", b"a,b", "text/csv")).run()
    _button(page, "Build the city").click().run()
    assert "table.csv is not an OpenStreetMap extract" in words(page)


def test_a_name_that_is_taken_is_a_sentence(run):
    page = run("bring_in", Role.SUPERVISOR, what="city")
    page.file_uploader[0].set_value(("x.osm", b"x", "text/xml")).run()
    page.text_input[0].set_value("Tiny Town").run()
    _button(page, "Build the city").click().run()
    assert "already a territory called tiny-town" in words(page)
