"""The register of components: the list, one beside it, adding, and the nearest offered when filing."""

from __future__ import annotations

import pytest

from core.identity import Role
from geodata import db
from incidents import service as incidents
from incidents.components import ComponentFilter
from incidents.service import components as register
from people.drafts import discard_draft, save_draft
from tests.pages.conftest import shown, words

LAMP, PIPE = "component-01-18", "component-01-01"


@pytest.fixture
def lamp(actors):
    return _first(actors[Role.SUPERVISOR], LAMP)


def _first(actor, key):
    with db.transaction(actor) as session:
        kind = next(each for each in register.component_classes(session, actor) if each.key == key)
        wanted = ComponentFilter(class_ids=(kind.id,), states=("in_use",))
        return register.list_components(session, actor, wanted, limit=1)[0]


@pytest.mark.parametrize(("language", "name", "tab"), [("en", "Street lamp", "History"), ("zh", "路灯", "历史")])
def test_one_component_stands_beside_the_list(run, lamp, language, name, tab):
    page = run("components", Role.SUPERVISOR, language, component=lamp.code)
    pieces = shown(page)
    assert {name, tab, lamp.place} <= set(pieces)
    assert lamp.code in words(page)
    assert len(page.dataframe) == 1


def test_the_owner_of_restricted_places_is_not_told_to_a_planner(run, actors):
    pipe = _first(actors[Role.SUPERVISOR], PIPE)
    assert pipe.code in words(run("components", Role.HANDLER, component=pipe.code))
    page = run("components", Role.PLANNER, component=pipe.code)
    assert pipe.code not in words(page)
    assert "This does not exist, or not in your area." in words(page)


@pytest.mark.parametrize("role", [Role.PLANNER, Role.DISPATCHER, Role.AUDITOR])
def test_who_may_not_write_is_offered_no_form(run, lamp, role):
    labels = [each.label for each in run("components", role, component=lamp.code).button]
    assert not {"Save", "Add the component"} & set(labels)


def test_an_address_that_is_none_says_so(run):
    assert "16 digits" in words(run("components", Role.SUPERVISOR, component="12345"))


def test_the_nearest_are_offered_and_the_chosen_one_is_filed(run, actors, lamp):
    actor = actors[Role.SUPERVISOR]
    draft = {
        "class_key": LAMP,
        "lon": lamp.lon + 0.0001,
        "lat": lamp.lat,
        "place": "near",
        "found": "near",
        "source": "patrol",
    }
    with db.transaction(actor) as session:
        save_draft(session, actor, "incident", draft)
    try:
        assert "是哪一个部件？由近及远：" in shown(run("new_incident", Role.SUPERVISOR, "zh"))
        page = run("new_incident", Role.SUPERVISOR)
        offered = [each for each in page.button if lamp.code in each.label]
        assert len(offered) == 1
        offered[0].click().run()
        assert not page.exception
        assert lamp.code in words(page)
        next(each for each in page.button if each.label == "File the incident").click().run()
        with db.transaction(actor) as session:
            row = incidents.list_incidents(session, actor, limit=1).rows[0]
            assert register.component_of_incident(session, actor, row.id) == (lamp.id, lamp.code)
            assert (row.lon, row.lat) == (lamp.lon, lamp.lat)
        assert lamp.code in words(run("incidents", Role.SUPERVISOR, incident=str(row.id)))
    finally:
        with db.transaction(actor) as session:
            discard_draft(session, actor, "incident")


def test_an_event_is_offered_no_component(run, actors, lamp):
    actor = actors[Role.SUPERVISOR]
    with db.transaction(actor) as session:
        save_draft(session, actor, "incident", {"class_key": "event-01-02", "lon": lamp.lon, "lat": lamp.lat})
    try:
        assert "Nearest first" not in words(run("new_incident", Role.SUPERVISOR))
    finally:
        with db.transaction(actor) as session:
            discard_draft(session, actor, "incident")
