"""The stages of an incident beside the list, and what a calendar says of where its days end."""

from __future__ import annotations

import re
import uuid

import pytest

from app import rules_calendar
from core.identity import Role
from geodata import db
from incidents import service as incidents
from incidents.calendars import LAST_YEAR
from incidents.work import NewReport
from tests.pages.test_rules import bodies


@pytest.fixture
def burst(actors) -> int:
    supervisor = actors[Role.SUPERVISOR]
    with db.transaction(supervisor) as session:
        place = incidents.list_incidents(session, supervisor, limit=1).rows[0]
        new = NewReport("event-04-02", place.lon, place.lat, place="Oak Avenue")
        return incidents.report(session, supervisor, new, command_id=str(uuid.uuid4())).incident_id


def stages_of(page) -> str:
    found = re.search(r'<ul class="gk-stages">(.*?)</ul>', bodies(page), re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ["Filing", "Dispatching", "Handling", "Step: Place fenced off", "Step: Surface restored"]),
        ("zh", ["立案", "派遣", "处置", "分步：设置围挡", "分步：恢复路面"]),
    ],
)
def test_every_stage_has_its_clock(run, burst: int, language: str, names: list[str]) -> None:
    told = stages_of(run("incidents", Role.SUPERVISOR, language, incident=str(burst)))
    assert re.findall(r"<b>(.*?)</b>", told)[: len(names)] == names
    # Filed at once by who filed it; dispatching and handling go on, both marked as present.
    assert told.count('aria-current="step"') == 2
    assert told.count('class="gk-clock') == 5
    assert ("8 urgent hours" if language == "en" else "8 紧急工作时") in told
    assert "/rules?tab=limits&amp;limit=event-04-02|handle|" in told
    assert "/rules?tab=limits&amp;limit=*|dispatch|" in told


def test_who_may_not_see_the_rules_sees_the_limit_without_a_way_to_it(run, burst: int) -> None:
    told = stages_of(run("incidents", Role.DISPATCHER, incident=str(burst)))
    assert "8 urgent hours" in told
    assert "1.5 working hours" in told


def test_a_calendar_says_which_years_it_knows(run) -> None:
    told = bodies(run("rules", Role.SUPERVISOR, tab="calendars", calendar="office-gb"))
    assert f"2010 to {LAST_YEAR}" in told
    assert "are not known" not in told
    assert "Days known" not in bodies(run("rules", Role.SUPERVISOR, tab="calendars", calendar="always"))


def test_a_calendar_whose_days_end_says_so(run, monkeypatch) -> None:
    monkeypatch.setattr(rules_calendar, "missing_years", lambda _known, _first, last: (last,))
    told = bodies(run("rules", Role.SUPERVISOR, "zh", tab="calendars", calendar="office-gb"))
    assert "年的放假安排尚未录入" in told
