"""The report of a study: made by a job, complete in both languages, safe with hostile names, and its data whole."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from importlib import import_module
from pathlib import Path
from urllib.request import OpenerDirector, Request

import pandas as pd
import pyogrio
import pytest
from sqlalchemy import Engine, text

import app.jobs
from app import report_data, report_pdf, report_words, report_work
from app.cli import main
from app.studies import answer_study
from core.clock import now
from core.errors import InvalidInput, NotPermitted, SourceUnavailable
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from geodata import db, jobs
from geodata.territory import find_territory
from people import accounts
from planning import report_trials, reporting, service
from planning.model import Question

HOSTILE = "<script>alert(1)</script> & <b>“bold”</b>"
assert app.jobs  # the kinds of job are registered by importing it


@pytest.fixture(scope="module")
def actors(demo_database: Engine) -> dict[Role, Actor]:
    with db.transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture(scope="module")
def study(actors: dict[Role, Actor]) -> int:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        question = Question("mclp", 2, "library", candidates=60, limit_min=5)
        study_id = service.ask(session, planner, find_territory(session), question, title=HOSTILE, queue=False)
    with db.transaction(planner) as session, pytest.raises(InvalidInput, match="no answer"):
        reporting.ask(session, planner, study_id)
    answer_study(planner, study_id, Silent())
    return study_id


@pytest.fixture(scope="module")
def files(actors: dict[Role, Actor], study: int) -> dict[tuple[str, str], bytes]:
    """The files as a supervisor takes them, after a job has made them; laying out real pages is for a slow test."""
    planner, reader = actors[Role.PLANNER], actors[Role.SUPERVISOR]
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(report_trials, "COUNT", 4)
    monkeypatch.setattr(report_pdf, "pdf", lambda html: f"%PDF {len(html)}".encode())
    with db.transaction(planner) as session:
        job = reporting.ask(session, planner, study)
        assert reporting.ask(session, planner, study) == job, "asked twice, made once"
    jobs.work(jobs.queue_app(), forever=False)
    monkeypatch.undo()
    with db.transaction(reader) as session:
        ended = reporting.job_of(session, reader, study)
        assert (ended.state, ended.message) == ("done", "")
        listed = reporting.files_of(session, reader, study)
        return {
            (each.form, each.language): reporting.read_file(session, reader, study, each.form, each.language)
            for each in listed
        }


def test_a_job_makes_the_report_in_two_languages_and_the_data(files: dict[tuple[str, str], bytes]) -> None:
    assert set(files) == {
        *(("html", each) for each in ("en", "zh")), *(("pdf", each) for each in ("en", "zh")),
        ("gpkg", ""), ("geojson", ""), ("csv", ""),
    }  # fmt: skip
    assert files["pdf", "en"].startswith(b"%PDF")
    assert files["pdf", "zh"].startswith(b"%PDF")
    english, chinese = (files["html", each].decode() for each in ("en", "zh"))
    for said in (
        "No plan whatever", "Who is left out, and where", "How sure we are", "chosen again at this very place",
        "Alternatives looked at", "Everything stays as it is", "By community", "Grids that gain most", "tiny-town.osm",
        "Signed by, place and date", "OpenStreetMap",
    ):  # fmt: skip
        assert said in english
    for said in ("任何方案", "谁被遗漏，在哪里", "把握有多大", "再次选中原地点", "比较过的备选方案", "维持现状"):
        assert said in chinese
    assert "No plan whatever" not in chinese
    assert english.count("<svg") == 7  # large, now, then, two sites, bars, curve


def test_names_are_escaped_and_nothing_is_fetched(files: dict[tuple[str, str], bytes]) -> None:
    page = files["html", "en"].decode()
    assert "<script" not in page
    assert "<b>“bold”" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for needs in ("src=", "@import", "<link", "http-equiv"):
        assert needs not in page
    assert {part.split('"')[0] for part in page.split('href="')[1:]} == {
        f"#{name}" for name in ("sites", "gains", "left", "how-sure", "ways", "norms", "rests", "signed")
    }


@pytest.mark.slow
def test_the_pages_of_the_pdf_are_few_and_of_a4(files: dict[tuple[str, str], bytes]) -> None:
    for language in ("en", "zh"):
        pages = report_pdf.document(files["html", language].decode()).pages
        assert 4 <= len(pages) <= 8
        assert {(round(page.width), round(page.height)) for page in pages} == {(794, 1123)}


def test_the_data_add_up_to_the_study(
    files: dict[tuple[str, str], bytes], study: int, actors: dict[Role, Actor], tmp_path: Path
) -> None:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        facts = service.study_detail(session, planner, study).study.facts
    path = tmp_path / "study.gpkg"
    path.write_bytes(files["gpkg", ""])
    assert {name for name, _ in pyogrio.list_layers(path)} == {
        "sites", "existing", "demand", "allocation", "unserved", "grounds", "communities", "grids", "metadata",
    }  # fmt: skip
    demand = pyogrio.read_dataframe(path, layer="demand")
    assert demand["people"].sum() == pytest.approx(facts["people"])
    assert demand["within_then"].sum() == pytest.approx(facts["within_then"])
    assert demand["within_now"].sum() == pytest.approx(facts["within_now"])
    lines = pyogrio.read_dataframe(path, layer="allocation")
    assert len(lines) == int((demand["site"] >= 0).sum())
    unserved = pyogrio.read_dataframe(path, layer="unserved")
    assert unserved["beyond"].sum() == pytest.approx(facts["people"] - facts["within_then"], abs=0.05 * len(demand))
    whole = json.loads(files["geojson", ""])
    assert {each["properties"]["layer"] for each in whole["features"]} >= {"sites", "allocation", "grounds"}
    assert whole["metadata"]["study"] == study
    with zipfile.ZipFile(io.BytesIO(files["csv", ""])) as archive:
        areas = pd.read_csv(archive.open("communities.csv"), encoding="utf-8-sig", dtype={"code": str})
        assert {"sites.csv", "demand.csv", "unserved.csv", "grids.csv", "metadata.csv"} <= set(archive.namelist())
    assert areas["people"].sum() == pytest.approx(facts["people"])
    assert list(areas)[:5] == ["id", "code", "name", "name_zh", "people"]


def test_a_signature_on_paper_has_its_day() -> None:
    told = report_words.signed_at(now(), dt.UTC)
    assert str(now().year) in told
    assert "today" not in told


def test_no_cell_of_the_tables_is_a_formula() -> None:
    hostile = ["=cmd|' /C calc'!A0", "+1", "-2+3", "@sum(a1)", "\t=1", "High Street"]
    table = pd.DataFrame({"street": hostile, "mean_s": [-1.5] * len(hostile)})
    told = report_data.spreadsheet(table).decode("utf-8-sig")
    back = pd.read_csv(io.StringIO(told))
    assert [each[0] for each in back["street"]] == ["'"] * 5 + ["H"]
    assert back["mean_s"].tolist() == table["mean_s"].tolist(), "numbers stay numbers"


def test_a_pdf_opens_no_address_and_no_file_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []

    def watched(self: OpenerDirector, request: Request | str, *rest: object, **named: object) -> object:
        opened.append(request if isinstance(request, str) else request.full_url)
        raise OSError

    monkeypatch.setattr(OpenerDirector, "open", watched)
    secret = (tmp_path / "secret.svg").as_uri()
    page = f"""<link rel=stylesheet href="{secret}"><link rel=attachment href="{secret}"><img src="http://[::1]/a.png">
        <style>@import url({secret}); p {{ background: url("http://[::1]/b") }}</style><p>x</p>
        <svg xmlns="http://www.w3.org/2000/svg"><image href="{secret}"/><use href="http://[::1]/c.svg#a"/></svg>
        <object data="{secret}"></object><embed src="ftp://[::1]/d">"""
    assert report_pdf.document(page).write_pdf().startswith(b"%PDF")
    assert all("SourceSans" in each for each in opened), opened


def test_no_person_is_named(files: dict[tuple[str, str], bytes]) -> None:
    with db.transaction(system_actor()) as session:
        staff = session.scalars(text("SELECT code FROM worker")).all()
    told = files["html", "en"].decode() + files["geojson", ""].decode()
    assert not [code for code in staff if f">{code}<" in told or f'"{code}"' in told]


def test_who_may_not_see_studies_takes_no_file(
    files: dict[tuple[str, str], bytes], study: int, actors: dict[Role, Actor]
) -> None:
    for role in (Role.DISPATCHER, Role.HANDLER, Role.ADMINISTRATOR):
        with db.transaction(actors[role]) as session:
            assert session.execute(text("SELECT count(*) FROM study_file")).scalar_one() == 0
            with pytest.raises(NotPermitted):
                reporting.read_file(session, actors[role], study, "pdf", "en")
    with db.transaction(actors[Role.AUDITOR]) as session, pytest.raises(NotPermitted):
        reporting.ask(session, actors[Role.AUDITOR], study)


def test_a_machine_without_the_libraries_says_so(
    files: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(name: str) -> object:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0': no such file")
        return import_module(name)

    monkeypatch.setattr(report_pdf, "import_module", broken)
    with pytest.raises(SourceUnavailable, match=r"libpango-1\.0-0 is missing.*apt-get install"):
        report_work.checked(tmp_path / "a.pdf")
    assert report_work.checked(tmp_path / "a.html")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("report", "{study}", "--out", "x.docx"), "unknown ending"),
        (("report", "{study}", "--out", "/nowhere/x.html"), "no folder"),
        (("report", "{study}", "--out", "x.html", "--language", "fr"), "Take en or zh"),
        (("report", "99999", "--out", "{folder}/x.html"), "no study 99999"),
    ],
)
def test_bad_input_ends_with_two_and_a_sentence(
    study: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["study", *(each.format(study=study, folder=tmp_path) for each in arguments)])
    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert says in shown.err
    assert "Traceback" not in shown.err


def test_the_command_writes_a_report(study: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "study.zip"
    with pytest.raises(SystemExit) as ended:
        main(["study", "report", str(study), "--out", str(out), "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == out.stat().st_size
    assert [each.name for each in tmp_path.iterdir()] == ["study.zip"]
