"""study report: the report of a study for the council, or its data, as a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.cli.common import AsJson, emit, progress
from app.i18n import LOCALES
from core.errors import InvalidInput
from core.identity import system_actor
from geodata import db

Number = Annotated[int, typer.Argument(help="Number of the study, as the list and its address say.")]
Out = Annotated[Path, typer.Option("--out", help="File to write: .pdf or .html, or data as .gpkg, .geojson, .zip.")]
Language = Annotated[str, typer.Option("--language", help=f"Of the report: {' or '.join(LOCALES)}.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the command of this file."""
    groups["study"].command("report")(report)


def report(number: Number, *, out: Out, language: Language = "en", as_json: AsJson = False) -> None:
    """Write the report of an answered study, or its data."""
    write_report(number, out, language)
    emit({"study": number, "file": str(out), "bytes": out.stat().st_size}, as_json)


def write_report(study_id: int, out: Path, language: str) -> None:
    """Write the report of a study into a file.

    Raises
    ------
    InvalidInput
        When there is no such language, or the file cannot be written.
    """
    from app import report_work

    target = checked_report(out, language)
    with progress() as shown:
        db.ensure_database(shown)
        report_work.write(system_actor(label="command line"), study_id, target, language, shown)


def checked_report(out: Path, language: str) -> Path:
    """Return where to write a report, before anything is computed.

    Raises
    ------
    InvalidInput
        When there is no such language, or the file cannot be written.
    """
    from app import report_work

    if language not in LOCALES:
        raise InvalidInput(f"There is no report in {language!r}.", hint=f"Take {' or '.join(LOCALES)}.")
    return report_work.checked(out)
