"""Health & backup: the administrator's page, its jobs and what they leave."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app import retention
from app.health_parts import BACKUP
from core.identity import Role, system_actor
from geodata import db, jobs
from tests.pages.conftest import shown


def _button(page, label):
    return next(each for each in page.button if each.label == label)


def _jobs(kind):
    with db.transaction(system_actor()) as session:
        return jobs.recent_jobs(session, None, kind)


@pytest.fixture(autouse=True)
def no_jobs(demo_database):
    with db.transaction(system_actor()) as session:
        session.execute(text("DELETE FROM job_run"))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM, Role.ADMINISTRATOR}))
def test_others_have_no_such_page(run, role):
    page = run("today", role)
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        page.switch_page("views/health.py")


def test_the_worst_stands_first_with_its_way_out(run):
    pieces = shown(run("health", Role.ADMINISTRATOR))
    states = [piece for piece in pieces if piece in {"Fault", "Warning", "Unknown", "In order"}]
    assert states == sorted(states, key=["Fault", "Warning", "Unknown", "In order"].index)
    assert "Start the platform with `gridkeeper run`, or `gridkeeper jobs run` by itself." in pieces
    assert pieces[pieces.index("Faults") + 1] == str(states.count("Fault"))


@pytest.mark.parametrize(("label", "kind"), [("Back up now", BACKUP), ("Run the clean-up now", retention.JOB)])
def test_a_button_becomes_a_job_that_can_be_cancelled(run, actors, label, kind):
    page = run("health", Role.ADMINISTRATOR)
    _button(page, label).click().run()
    (job,) = _jobs(kind)
    assert job.state == "waiting"
    again = run("health", Role.ADMINISTRATOR)
    assert "Waiting to begin" in shown(again), "a closed tab changes nothing"
    assert label not in {each.label for each in again.button}
    _button(again, "Cancel").click().run()
    assert _jobs(kind)[0].state == "cancelled"


def test_what_was_forgotten_stands_in_the_table(run):
    retention.clean_up()
    page = run("health", Role.ADMINISTRATOR)
    pieces = shown(page)
    at = pieces.index("Drafts not taken up again")
    assert pieces[at + 1 : at + 3] == ["90 days", "0"]
    assert any(piece.startswith("cleaned up ") for piece in pieces)
    assert "GRIDKEEPER_KEEP_DRAFTS_DAYS=90" in pieces


def test_a_failed_backup_is_told_in_its_own_words(run, actors):
    actor = actors[Role.ADMINISTRATOR]
    with db.transaction(actor) as session:
        job_id = jobs.enqueue(session, actor, BACKUP, {})
    with db.transaction(system_actor()) as session:
        session.execute(
            text(
                "UPDATE job_run SET state = 'failed', finished_at = now(), message = 'The disk is full.' WHERE id = :id"
            ),
            {"id": job_id},
        )
    pieces = shown(run("health", Role.ADMINISTRATOR))
    assert "The last time did not work." in pieces
    assert "The disk is full." in pieces
    assert "No backup yet." in pieces
