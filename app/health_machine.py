"""What this machine says of itself: disk, clock and front-end files; facts only."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.api.assets import FILES, font_file
from core.settings import CHECKOUT, Settings, settings
from geodata import db

CLOCK_FILE = "clock.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
WEAK_SECRET_CHARACTERS = 8
"""A secret made of fewer different characters was typed, not drawn."""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """Free and whole bytes where the state folder lies, and where the database does; None where we cannot see it."""

    state_free: int
    state_whole: int
    database_free: int | None
    database_whole: int | None


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What else tells the time.

    Attributes
    ----------
    files_off_s
        How far a file's time is ahead of ours.
    synchronized
        Whether the machine's clock follows a time server; None when nobody says.
    jump_s
        By how much the clock was set since it was last noted; None when it was not noted since the start.
    """

    files_off_s: float | None
    synchronized: bool | None
    jump_s: float | None


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """Front-end files: how many there should be, which are missing, and which libraries are of another version."""

    files: int
    missing: Sequence[str]
    versions: dict[str, str]
    differing: Sequence[str]
    font: bool


def disk_facts() -> DiskFacts:
    """Return how much room there is."""
    state = shutil.disk_usage(_existing(settings().state_dir))
    database = None
    if settings().database_url is None:
        database = shutil.disk_usage(_existing(db.cluster().folder))
    return DiskFacts(state.free, state.total, database and database.free, database and database.total)


def _existing(path: Path) -> Path:
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def clock_facts() -> ClockFacts:
    """Return what the files, the time service and the last note say of the clock."""
    return ClockFacts(_files_off_s(), _synchronized(), _jump_s())


def _files_off_s() -> float | None:
    """Return how far the time of a file just made is ahead of the clock; None where no file can be made."""
    with contextlib.suppress(OSError), tempfile.NamedTemporaryFile(dir=settings().state_dir) as file:
        return os.fstat(file.fileno()).st_mtime - time.time()
    return None


def _synchronized() -> bool | None:
    tool = shutil.which("timedatectl")
    if tool is None:
        return None
    try:
        # A tool of the system, without any of our input.
        command = [tool, "show", "--property=NTPSynchronized", "--value"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def _boot() -> tuple[str, float] | None:
    """Return which start of the machine this is, and how far its clock is ahead of the time since then."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    try:
        return BOOT_ID.read_text().strip(), time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    except OSError:
        return None


def note_clock() -> None:
    """Keep how the clock stands to the time since the machine's start, so that a later jump is seen."""
    boot = _boot()
    if boot is not None:
        path = settings().state_dir / CLOCK_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"boot": boot[0], "ahead_s": boot[1]}))


def _jump_s() -> float | None:
    boot = _boot()
    try:
        kept = json.loads((settings().state_dir / CLOCK_FILE).read_text())
        return boot[1] - float(kept["ahead_s"]) if boot is not None and kept["boot"] == boot[0] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def asset_facts(checkout: Path = CHECKOUT) -> AssetFacts:
    """Return whether the front-end files are there, in the versions of the lock file."""
    missing = sorted(name for name, path in FILES.items() if not path.is_file())
    wanted, found = _locked(checkout), {}
    for name in wanted:
        with contextlib.suppress(OSError, ValueError, KeyError):
            found[name] = str(json.loads((checkout / "node_modules" / name / "package.json").read_text())["version"])
    differing = sorted(name for name, version in wanted.items() if found.get(name) != version)
    return AssetFacts(len(FILES), missing, found, differing, font_file() is not None)


def _locked(checkout: Path) -> dict[str, str]:
    """Return the libraries that are served, with the version of the lock file; empty when it cannot be read."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        packages = json.loads((checkout / "package-lock.json").read_text())["packages"]
        return {name: str(packages[f"node_modules/{name}"]["version"]) for name in packages[""]["dependencies"]}
    return {}


def secret_file_open(chosen: Settings) -> bool:
    """Return whether others on this machine may read the file with the master secret."""
    with contextlib.suppress(OSError):
        return bool(stat.S_IMODE((chosen.state_dir / "secret").stat().st_mode) & 0o077)
    return False


def secret_is_weak(chosen: Settings) -> bool:
    """Return whether the given master secret looks typed: a file of our own making never does."""
    return chosen.secret is not None and len(set(chosen.secret.get_secret_value())) < WEAK_SECRET_CHARACTERS
