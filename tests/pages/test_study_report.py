"""The report on the page of a study: made by a planner, taken by whoever may see studies."""

from __future__ import annotations

import pytest
from sqlalchemy import text

import app.jobs
from app.studies import answer_study
from core.identity import Role, system_actor
from core.progress import Silent
from geodata import db
from geodata.territory import find_territory
from planning import deciding, reporting, service
from planning.model import Question
from tests.pages.conftest import words

assert app.jobs


@pytest.fixture(scope="module")
def study(actors) -> str:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        question = Question("p-median", 1, "library", candidates=20, limit_min=6)
        study_id = service.ask(session, planner, find_territory(session), question, queue=False)
    answer_study(planner, study_id, Silent())
    return str(study_id)


def labels(page) -> list[str]:
    return [each.proto.label for each in page.get("download_button")]


def test_a_report_is_asked_for_and_its_files_are_offered(run, actors, study):
    page = run("study", Role.PLANNER, study=study)
    button = next(each for each in page.button if each.label == "Make the report")
    button.click().run()
    assert "报告完成后会显示在这里" in words(run("study", Role.AUDITOR, "zh", study=study))
    planner = actors[Role.PLANNER]
    with db.transaction(system_actor()) as session:
        session.execute(text("UPDATE job_run SET state = 'done' WHERE kind = 'study_report'"))
    made = {("pdf", "en"): b"%PDF-x", ("html", "en"): b"x", ("note", "zh"): "没有程序库。".encode(), ("csv", ""): b"x"}
    with db.transaction(planner) as session:
        reporting.keep(session, planner, int(study), made)
    page = run("study", Role.AUDITOR, study=study)
    assert labels(page) == ["PDF, English (0.1 MB)", "HTML, English (0.1 MB)", "CSV (0.1 MB)"]
    assert "Make it anew" not in words(page)
    assert "made anew, it says so" not in words(page)
    with db.transaction(planner) as session:
        deciding.propose(session, planner, int(study), reason="near the bus", program="Gridkeeper")
    assert "made anew, it says so" in words(run("study", Role.AUDITOR, study=study))
    chinese = words(run("study", Role.PLANNER, "zh", study=study))
    assert "没有程序库。" in chinese
    assert "重新生成" in chinese
