"""The page Record: search, one row, the check and the export as jobs, the heads."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app import jobs as app_jobs
from app import record_jobs
from app.record_keeping import seal_record
from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Role, system_actor
from geodata import db, jobs
from tests.pages.conftest import shown, words

assert app_jobs.MORE_KINDS


def _button(page, label):
    return next(each for each in page.button if each.label == label)


@pytest.fixture(autouse=True)
def sealed(actors):
    with db.transaction(actors[Role.SUPERVISOR], purpose="a test") as session:
        session.execute(text("UPDATE incident SET version = version + 1 WHERE id = (SELECT min(id) FROM incident)"))
    with db.transaction(system_actor()) as session:
        session.execute(text("DELETE FROM job_run"))
    seal_record()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM, Role.AUDITOR, Role.SUPERVISOR}))
def test_others_have_no_such_page(run, role):
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        run("today", role).switch_page("views/record.py")


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPERVISOR])
def test_a_row_opens_with_before_and_after(run, role):
    with db.transaction(system_actor()) as session:
        seq, incident = session.execute(
            text("SELECT seq, subject_id FROM record WHERE purpose = 'a test' ORDER BY seq DESC LIMIT 1")
        ).one()
    page = run("record", role, row=str(seq))
    pieces = shown(page)
    assert {"Before", "After", "version", "a test"} <= set(pieces)
    bodies = "".join(element.proto.body for element in page.get("html"))
    assert f'href="/incidents?incident={incident}"' in bodies
    assert any(piece.startswith("head of ") for piece in pieces)


def test_the_address_sets_the_filters(run):
    with db.transaction(system_actor()) as session:
        number = session.scalar(text("SELECT number FROM incident ORDER BY id LIMIT 1"))
        one = session.scalar(text("SELECT id FROM incident ORDER BY id LIMIT 1"))
    page = run("record", Role.AUDITOR, find=number, action="update")
    assert set(page.dataframe[0].value["Object"]) == {f"Incident {one}"}
    assert set(page.dataframe[0].value["Act"]) == {"Changed"}


@pytest.mark.parametrize("address", [{"find": "no such thing"}, {"grid": "x"}, {"row": "999999999"}, {"row": "abc"}])
def test_what_is_not_there_is_a_sentence(run, address):
    page = run("record", Role.AUDITOR, **address)
    assert "Record" in shown(page)


def test_a_filter_that_fits_nothing_says_so(run):
    assert "No act fits the filters." in shown(run("record", Role.AUDITOR, rows="999999999"))


def test_turning_pages(run):
    with db.transaction(system_actor()) as session:
        session.execute(
            text("SELECT gk_record_event('looked', 'incident', n::text, '{}') FROM generate_series(1, 60) n")
        )
    page = run("record", Role.AUDITOR)
    first = list(page.dataframe[0].value["Row"])
    _button(page, "Older").click().run()
    assert max(page.dataframe[0].value["Row"]) < min(first)
    _button(page, "Newer").click().run()
    assert list(page.dataframe[0].value["Row"]) == first


def test_the_check_is_a_job_and_says_what_it_cannot_prove(run):
    page = run("record", Role.AUDITOR)
    assert "That what was written is true." in shown(page)
    _button(page, "Check now").click().run()
    with db.transaction(system_actor()) as session:
        (job,) = jobs.recent_jobs(session, None, record_jobs.VERIFY)
    jobs.run_job(job.id)
    text_ = words(run("record", Role.SUPERVISOR))
    assert "rows fit their hashes" in text_
    assert "fits" in text_


def test_a_changed_row_is_told_with_its_place(run, actors):
    job_id = record_jobs.begin(actors[Role.AUDITOR], record_jobs.VERIFY)
    with db.transaction(system_actor()) as session:
        session.execute(
            text(
                "UPDATE job_run SET state = 'done', finished_at = now(), result = CAST(:found AS jsonb) WHERE id = :id"
            ),
            {
                "id": job_id,
                "found": '{"ok": false, "records": 3, "first_bad": 3, "reason": "Row 3 is not what was written."}',
            },
        )
    page = run("record", Role.AUDITOR)
    pieces = shown(page)
    assert {"The record was changed.", "Row 3 is not what was written.", "does not fit"} <= set(pieces)
    assert 'href="/record?row=3"' in "".join(element.proto.body for element in page.get("html"))


def test_an_export_is_recorded_twice_and_is_for_those_who_may(actors):
    actor = actors[Role.SUPERVISOR]
    job_id = record_jobs.begin(actor, record_jobs.EXPORT)
    with pytest.raises(NotFound):
        record_jobs.file_for(actor, job_id)
    jobs.run_job(job_id)
    assert record_jobs.file_for(actor, job_id).stat().st_size > 100
    with pytest.raises(NotPermitted):
        record_jobs.file_for(actors[Role.DISPATCHER], job_id)
    with pytest.raises(NotPermitted):
        record_jobs.begin(actors[Role.ADMINISTRATOR], record_jobs.EXPORT)
    with db.transaction(actors[Role.AUDITOR]) as session:
        found = session.execute(
            text(
                "SELECT action, actor_role FROM record WHERE subject_table = 'record' AND subject_id = :id ORDER BY seq"
            ),
            {"id": str(job_id)},
        ).all()
    assert [tuple(each) for each in found] == [("export", "supervisor"), ("download", "supervisor")]


def test_an_export_of_several_territories_is_refused(actors, monkeypatch):
    monkeypatch.setattr(record_jobs, "list_territories", lambda _session: [1, 2])
    with pytest.raises(InvalidInput, match="all territories"):
        record_jobs.begin(actors[Role.SUPERVISOR], record_jobs.EXPORT)


def test_heads_stand_to_be_copied_and_printed(run):
    page = run("record", Role.AUDITOR)
    assert page.code[0].value.startswith("gridkeeper-")
    assert "/record/sheet?day=" in "".join(element.proto.body for element in page.get("html"))
