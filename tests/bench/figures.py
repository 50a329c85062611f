"""Where the benches write, whether they run in short, and how one says that it cannot run here.

Reports go to docs/figures, or to the folder that BENCH_FIGURES names, as short runs do; BENCH_SHORT asks for small
sizes. A bench that lacks what it measures on ends by `left_out`, which `run_all.py` tells as skipped, not as failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
LONG = HERE.parents[1] / "docs" / "figures"
FIGURES = Path(os.environ.get("BENCH_FIGURES") or LONG)
FIGURES.mkdir(parents=True, exist_ok=True)
SHORT = bool(os.environ.get("BENCH_SHORT"))
LEFT_OUT = 77
"""What a bench ends with that cannot run here."""
MADE_WITHIN_S = 180.0
"""So long a short run waits for an environment of peers to be made."""


def told_before(name: str) -> str:
    """Return what a report said last: the one where this run writes, else the one in docs/figures, else nothing."""
    for folder in (FIGURES, LONG):
        if (folder / name).exists():
            return (folder / name).read_text()
    return ""


def left_out(why: str) -> NoReturn:
    """End the bench because something is missing that it needs."""
    sys.stderr.write(f"left out: {why}\n")
    if says := os.environ.get("BENCH_SAYS"):
        Path(says).write_text(why)
    sys.exit(LEFT_OUT)


def peers_python(name: str, state: Path) -> Path:
    """Return the interpreter of the peers' environment; made where it is missing or of another lock."""
    lock, folder = HERE / f"peers_{name}.lock", state / "bench-peers" / name
    python, stamp = folder / "bin" / "python", folder / "lock"
    if not (stamp.is_file() and stamp.read_text() == lock.read_text()):
        install = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock)]
        try:
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run(install, check=True, timeout=MADE_WITHIN_S if SHORT else None)
        except (OSError, subprocess.SubprocessError) as error:
            left_out(f"the peers of {lock.name} cannot be installed ({type(error).__name__})")
        stamp.write_text(lock.read_text())
    return python
