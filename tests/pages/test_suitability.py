"""The pages Suitability and Layers of planning: answer, contradicting comparisons, kept candidates, both languages."""

from __future__ import annotations

from core.identity import Role
from geodata import db
from geodata.territory import find_territory
from planning import layering
from tests.pages.conftest import words


def test_the_answer_comes_with_its_bound_and_areas_are_kept_as_candidates(run, actors) -> None:
    page = run("suitability", Role.PLANNER, use="park")
    text = words(page)
    assert "of the ground fits" in text
    assert "none of that size can score more than" in text
    assert "Click a place on the map to read why here, or why not." in text
    page.button(key="gk_suitability_keep").click().run()
    assert "candidates are kept as “a park”, version 1" in words(page)
    with db.transaction(actors[Role.PLANNER]) as session:
        territory = find_territory(session)
        kept = layering.find(session, actors[Role.PLANNER], territory, "candidates", "a park")
        places, names = layering.candidates_of(session, actors[Role.PLANNER], kept.id)
    assert len(places) == len(names) == kept.facts["places"] > 0
    assert kept.facts["suitability"]["use"] == "park"
    for place, says in (
        (tuple(float(each) for each in places[0]), "scores"),
        ((0.0, 0.0), "This place lies outside the territory."),
    ):
        page.session_state["gk_suitability_cell"] = place
        page.run()
        assert says in words(page)
    text = words(run("planning_layers", Role.PLANNER))
    assert "Candidates: a park" in text
    assert "Bring a layer" in text


def test_comparisons_that_contradict_are_told_and_no_map_is_shown(run) -> None:
    page = run("suitability", Role.PLANNER, use="park")
    how = next(each for each in page.get("button_group") if each.label == "How much each counts")
    how.set_value("compare").run()
    text = words(page)
    assert "The comparisons agree with each other" in text
    first, second, third = page.select_slider
    first.set_value(9)
    second.set_value(-9)
    third.set_value(9)
    page.run()
    text = words(page)
    assert "The comparisons contradict each other" in text
    assert "of the ground fits" not in text


def test_who_only_reads_sees_the_answer_in_chinese_and_keeps_nothing(run) -> None:
    page = run("suitability", Role.AUDITOR, "zh", use="park")
    text = words(page)
    assert "适宜性" in text
    assert "最佳地块" in text
    assert not [each for each in page.button if each.key == "gk_suitability_keep"]
    assert "图层由规划人员导入" in words(run("planning_layers", Role.SUPERVISOR, "zh"))
