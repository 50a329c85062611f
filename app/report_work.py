"""The files of a study made: read in one transaction, computed and written as text in none, kept in another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.orm import Session

from app import i18n, report_data, report_page, report_pdf
from core.errors import InvalidInput, SourceUnavailable
from core.identity import Actor
from core.progress import Progress
from geodata import db
from layers.basemap import surrounded_by_water
from planning import report_trials, reporting
from planning.reporting import Made

FORMS = (".pdf", ".html", ".gpkg", ".geojson", ".zip")
"""Endings of the files a report can be written as; .zip holds CSV tables."""
Files = Mapping[tuple[str, str], bytes]


def make_files(actor: Actor, study_id: int, progress: Progress) -> Files:
    """Make, keep and return all files of a study by form and language.

    Where the machine cannot make a PDF, a note says so in its place.
    """
    made, island = prepared(actor, study_id, progress)
    files: dict[tuple[str, str], bytes] = {}
    progress.step("Writing the report", 2 * len(i18n.LOCALES) + 3)
    for language in i18n.LOCALES:
        html = written(made, language, island=island)
        files["html", language] = html.encode()
        progress.advance()
        try:
            files["pdf", language] = report_pdf.pdf(html)
        except SourceUnavailable as error:
            files["note", language] = (error.zh if language == "zh" else str(error)).encode()
        progress.advance()
    for form, make in (("gpkg", report_data.gpkg), ("geojson", report_data.geojson), ("csv", report_data.csv)):
        files[form, ""] = make(made)
        progress.advance()
    with db.transaction(actor, purpose="report of a study") as session:
        reporting.keep(session, actor, study_id, files)
    return files


def prepared(actor: Actor, study_id: int, progress: Progress, *, tried: bool = True) -> tuple[Made, bool]:
    """Return the report of a study, and whether its territory is an island.

    Parameters
    ----------
    tried
        Whether the question is asked anew with other speeds and people; data files have no need of it.
    """
    progress.step("Reading the city")
    with db.transaction(actor, purpose="report of a study") as session:
        material = reporting.read(session, actor, study_id)
        island = _island(session, material.territory.id)
    return reporting.make(material, progress, trials=report_trials.COUNT if tried else 0), island


def written(made: Made, language: str, *, island: bool) -> str:
    """Return the report as HTML in a language; the language in use stays as it is."""
    before = i18n.locale()
    i18n.use(language)
    try:
        return report_page.page(made, island=island)
    finally:
        i18n.use(before)


def checked(path: Path) -> Path:
    """Return where to write a report, before anything is computed.

    Raises
    ------
    InvalidInput
        When the ending is unknown or the folder is not there.
    SourceUnavailable
        When a PDF is wanted and this machine cannot make one.
    """
    if path.suffix.lower() not in FORMS:
        raise InvalidInput(f"{path.name} has an unknown ending.", hint=f"Take one of: {', '.join(FORMS)}.")
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no folder {path.parent}.", hint="Make it first.")
    if path.suffix.lower() == ".pdf":
        report_pdf.ready()
    return path


def write(actor: Actor, study_id: int, path: Path, language: str, progress: Progress) -> None:
    """Write one file of a study: its report, or its data."""
    form = path.suffix.lower()
    made, island = prepared(actor, study_id, progress, tried=form in {".pdf", ".html"})
    progress.step("Writing the report")
    if form in {".pdf", ".html"}:
        html = written(made, language, island=island)
        content = report_pdf.pdf(html) if form == ".pdf" else html.encode()
    else:
        content = {".gpkg": report_data.gpkg, ".geojson": report_data.geojson, ".zip": report_data.csv}[form](made)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _island(session: Session, territory_id: int) -> bool:
    return surrounded_by_water(session, territory_id)
