"""Works on page Traffic: planned by name from and to a time, told once a street, opened again, refused in words."""

from __future__ import annotations

import datetime as dt

from core.identity import Role
from dispatch import closures
from geodata.db import transaction
from tests.pages.conftest import shown


def _planned(actors) -> list[tuple[str, str, int | None]]:
    with transaction(actors[Role.DISPATCHER]) as session:
        found = closures.list_closures(session, actors[Role.DISPATCHER])
        return sorted({(each.name, each.reason, each.speed_kmh) for each in found})


def test_a_dispatcher_plans_works_and_opens_the_street_again(run, actors) -> None:
    page = run("traffic", Role.DISPATCHER)
    by_label = {each.label: each for each in page.text_input}
    by_label["Street, by its whole name"].set_value("high street")
    by_label["Reason"].set_value("<script>pipes</script>")
    day = page.date_input[0].value + dt.timedelta(days=3)
    for each in page.date_input:
        each.set_value(day)
    page.radio[0].set_value("slowed")
    next(each for each in page.button if each.label == "Plan these works").click()
    page.run()
    assert not page.exception
    assert _planned(actors) == [("High Street", "<script>pipes</script>", 30)]
    told = " ".join(shown(page))
    assert "at most 30 km/h" in told
    assert told.count("High Street") == 2, "once in the sentence of what was done, once in the table"
    next(each for each in page.button if each.label == "Open again").click()
    page.run()
    assert _planned(actors) == []


def test_what_cannot_be_planned_is_said(run, actors) -> None:
    for language, told in (("en", "There is no street"), ("zh", "没有名为")):
        page = run("traffic", Role.DISPATCHER, language)
        page.text_input[0].set_value("no such street")
        for each in page.date_input:
            each.set_value(each.value + dt.timedelta(days=2))
        next(each for each in page.button if each.label in {"Plan these works", "登记施工"}).click()
        page.run()
        assert any(told in each for each in shown(page)), shown(page)
    assert _planned(actors) == []


def test_others_see_works_and_no_form(run) -> None:
    page = run("traffic", Role.GRID_MANAGER)
    assert not any(each.label == "Plan these works" for each in page.button)
