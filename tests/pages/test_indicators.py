"""The page Indicators: a league with intervals, links to the rows, each role's reach."""

from __future__ import annotations

import dataclasses
import html
import re
from urllib.parse import parse_qsl

from sqlalchemy import text

from core.identity import Role, system_actor
from geodata.db import transaction
from tests.pages.conftest import words


def bodies(page) -> str:
    return "".join(element.proto.body for element in page.get("html"))


def test_a_league_has_intervals_ranks_rework_and_links(run):
    page = run("indicators", Role.SUPERVISOR)
    whole, body = words(page), bodies(page)
    for piece in ("On-time closing rate", "Rework rate", "95 % interval", "reports are not reality", "Expected"):
        assert piece in whole
    assert 'class="gk-interval' in body
    assert "/incidents?unit=" in body
    assert "&amp;days=365" in body
    assert " to " in whole


def test_what_is_expected_is_told_only_where_it_is_shown(run):
    page = run("indicators", Role.SUPERVISOR)
    assert "Expected is the rate" in words(page)
    page.selectbox(key="gk_indicator_subject").set_value("class").run()
    assert "How to read it" in words(page)
    assert "Expected" not in words(page)


def test_fixed_hours_are_told_to_be_no_limit_of_the_stage(run):
    page = run("indicators", Role.SUPERVISOR)
    assert "around the clock" not in words(page)
    for indicator, hours in (("filing_on_time", 4), ("verification_on_time", 24)):
        page.selectbox(key="gk_indicator_key").set_value(indicator).run()
        assert f"The {hours} h are fixed and run around the clock" in words(page)


def test_the_number_of_reports_is_what_the_list_says(run):
    page = run("indicators", Role.SUPERVISOR)
    page.selectbox(key="gk_indicator_subject").set_value("community").run()
    with transaction(system_actor()) as session:
        ((community, count), *_) = session.execute(
            text(
                "SELECT community_id, count(*) FROM incident JOIN territory AS t ON t.id = territory_id"
                " WHERE (reported_at AT TIME ZONE timezone)::date > (now() AT TIME ZONE timezone)::date - 365"
                " GROUP BY 1 ORDER BY 1"
            )
        )
    assert f'/incidents?community={community}&amp;days=365" target="_self">{count:,}</a>' in bodies(page)


def test_a_number_opens_exactly_what_it_counts(run):
    page = run("indicators", Role.SUPERVISOR)
    found = re.search(r'href="/indicators\?([^"]*part=denominator[^"]*)"[^>]*>([\d,]+)</a>', bodies(page))
    assert found is not None
    address, number = dict(parse_qsl(html.unescape(found[1]))), found[2]
    behind = words(run("indicators", Role.SUPERVISOR, **address))
    assert f"{number} incidents" in behind
    assert "the second number: all that are counted" in behind
    whole = words(page)
    for tab in ("Scores", "Appeals", "Calls back", "What citizens say"):
        assert tab in whole


def test_the_sheet_to_print_is_figures_alone(run):
    page = run("indicators", Role.SUPERVISOR, print="1")
    assert "Print with the browser" in words(page)
    assert 'class="gk-interval' not in bodies(page)


def test_posts_are_not_ranked(run):
    page = run("indicators", Role.AUDITOR)
    page.selectbox(key="gk_indicator_subject").set_value("post").run()
    whole = words(page)
    assert "Verifying desk" in whole
    assert "Rank" not in whole.split("\n")


def test_a_planner_is_given_no_link_and_a_manager_his_own(run):
    assert "/incidents?" not in bodies(run("indicators", Role.PLANNER))
    assert "counted in your communities only" in words(run("indicators", Role.GRID_MANAGER))
    assert "counted in your units only" in words(run("indicators", Role.HANDLER))


def test_a_worker_sees_himself_and_nobody_else(run, actors):
    with transaction(system_actor()) as session:
        busy = session.scalar(
            text("SELECT worker_id FROM incident WHERE worker_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
        )
    actors[Role.GRID_WORKER] = dataclasses.replace(actors[Role.GRID_WORKER], worker_id=busy)
    whole = words(run("indicators", Role.GRID_WORKER))
    assert "Your own work" in whole
    assert "nobody is ranked" in whole


def test_a_period_without_incidents_says_so(run):
    page = run("indicators", Role.SUPERVISOR)
    with transaction(system_actor()) as session:
        session.execute(text("UPDATE incident SET reported_at = reported_at - interval '3 years'"))
        session.execute(text("UPDATE fact_fold SET folded_at = folded_at - interval '1 hour'"))
    page.run()
    assert "Nothing to evaluate in this period." in words(page)
