"""Kinds of question, plans by hand and comparing: pages as planners and readers see them, in both languages."""

from __future__ import annotations

import re

import pytest

from app.studies import answer_study
from core.errors import InvalidInput
from core.identity import Role
from core.progress import Silent
from geodata import db
from geodata.territory import find_territory
from planning import service
from planning.model import Question
from planning.terms import Terms
from tests.pages.conftest import shown, words


def answered(actors, question: Question) -> int:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        study_id = service.ask(session, planner, find_territory(session), question, queue=False)
    answer_study(planner, study_id, Silent())
    return study_id


@pytest.fixture(scope="module")
def machine(actors) -> int:
    return answered(actors, Question("mclp", 2, "library", candidates=60, limit_min=3))


@pytest.fixture(scope="module")
def plan(actors, machine) -> int:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        sites = service.study_detail(session, planner, machine).sites
        spots = [(sites[0].lon, sites[0].lat), (sites[0].lon + 0.0004, sites[0].lat)]
        study_id = service.ask_anew(session, planner, machine, by_hand=spots)
    answer_study(planner, study_id, Silent())
    return study_id


@pytest.mark.parametrize("role", [Role.PLANNER, Role.AUDITOR])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_plan_by_hand_is_told_against_the_best(run, machine, plan, role, language):
    text = words(run("compare_studies", role, language, a=str(machine), b=str(plan)))
    if language == "en":
        assert re.search(r"Your plan is [\d.]+ % behind the best found: [\d,]+ people against [\d,]+ people", text)
        assert re.search(r"No plan can be better than [\d,]+ people: at most [\d.]+ % better than this one", text)
        assert "are farther than 3 min. Most live in" in text
        assert "The machine: Library" in text
    else:
        assert re.search(r"您的方案比已找到的最好方案差 [\d.]+%", text)
        assert not re.search("Your plan|The machine|Who gains", text)


def test_two_machines_are_compared_and_readers_may_choose_two(run, actors, machine, plan):
    text = words(run("compare_studies", Role.AUDITOR, a=str(plan), b=str(machine)))
    assert re.search(r"The right one is [\d.]+ % better", text)
    assert "Compare studies" in words(run("compare_studies", Role.AUDITOR))
    assert "Compare studies" in words(run("compare_studies", Role.AUDITOR, a="x", b="999999999"))


def test_places_are_marked_or_struck_out_and_nothing_is_asked_before(run, actors, machine):
    page = run("try_study", Role.PLANNER, study=str(machine))
    text = words(page)
    assert "Click on the map where a site should stand." in text
    assert "2 more places to mark." in text
    ask = next(each for each in page.button if each.label == "Weigh my plan")
    assert ask.disabled
    assert "请在地图上点击" in words(run("try_study", Role.PLANNER, "zh", study=str(machine)))
    assert "No answered study here." in shown(run("try_study", Role.PLANNER, study="x"))
    page.segmented_control(key="gk_try_way_en").set_value("what_if").run()
    assert sum("Not here" in box.label for box in page.checkbox) == 2
    next(box for box in page.checkbox if "Not here" in box.label).check().run()
    next(each for each in page.button if each.label == "Ask again").click().run()
    with db.transaction(actors[Role.PLANNER]) as session:
        children = service.study_detail(session, actors[Role.PLANNER], machine).children
    assert len(children[-1].question.terms.forbidden) == 1
    with pytest.raises(ValueError, match="navigation page"):
        run("try_study", Role.AUDITOR, study=str(machine))


QUICK = (1, 2)
"""Of these the pages are looked at in every run: fewest sites, and room in a site."""
KINDS = [
    (Question("p-center", 2, "library", candidates=40), r"Nobody's way on foot takes more than [\d.]+ min"),
    (Question("lscp", 0, "library", candidates=60, limit_min=15), r"everybody reaches one on foot within 15 min"),
    (
        Question("cpmp", 2, "library", candidates=30, terms=Terms(capacity=1e6, seconds=1)),
        r"on average, and no site is too full",
    ),
    (
        Question("backup", 2, "library", candidates=30, terms=Terms(spacing_m=200, floor=0.01)),
        r"Sites lie at least 200 m apart\..*at least 1 % of the people are in time",
    ),
    (
        Question("p-dispersion", 2, None, candidates=30, terms=Terms(seconds=3)),
        r"The two nearest to each other are [\d.]+ k?m apart",
    ),
    (
        Question("fixed-charge", 0, "library", candidates=30, terms=Terms(site_cost=1e3, hour_cost=10, seconds=3)),
        r"costs? least: [\d,]+, ways included",
    ),
    (
        Question("huff", 2, "library", candidates=30, terms=Terms(seconds=1)),
        r"[\d,]+ people would come to the new sites",
    ),
]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        pytest.param(*each, id=each[0].kind, marks=[pytest.mark.slow] if at not in QUICK else [])
        for at, each in enumerate(KINDS)
    ],
)
def test_each_kind_is_answered_and_said(run, actors, question, says):
    study_id = answered(actors, question)
    text = words(run("study", Role.PLANNER, study=str(study_id)))
    assert re.search(says, text, re.DOTALL), text[:1500]
    assert re.search(r"No plan can be better than|Proven best", text)
    chinese = words(run("study", Role.PLANNER, "zh", study=str(study_id)))
    assert not re.search("Nobody's|everybody|apart|Proven|gk-wrong", chinese)


def test_without_an_answer_it_is_said_who_needs_more_and_what_to_ask(run, actors):
    study_id = answered(actors, Question("lscp", 0, "library", keep_existing=False, candidates=5, limit_min=2))
    text = words(run("study", Role.PLANNER, study=str(study_id)))
    assert re.search(
        r"No choice of places reaches everybody within 2 min: the [\d,]+ people.* need up to [\d.]+ min", text
    )
    assert "Hatched: where they live." in text
    study_id = answered(actors, Question("lscp", 1, "library", keep_existing=False, candidates=60, limit_min=9))
    text = words(run("study", Role.PLANNER, study=str(study_id)))
    assert re.search(r"No 1 places reach|No choice of places reaches|One new site is enough", text)
    study_id = answered(actors, Question("cpmp", 1, None, candidates=20, terms=Terms(capacity=3)))
    assert "people have to be served, and the sites have room for 3." in words(
        run("study", Role.PLANNER, study=str(study_id))
    )


def test_another_number_of_places_is_refused(actors, machine):
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session, pytest.raises(InvalidInput, match="1 places are marked, but 2 sites"):
        service.ask_anew(session, planner, machine, by_hand=[(24.9, 60.2)])
    with db.transaction(planner) as session, pytest.raises(InvalidInput, match="Nothing is different"):
        service.ask_anew(session, planner, machine)
