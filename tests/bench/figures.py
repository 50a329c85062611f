"""Where the benches write: docs/figures, or the folder that BENCH_FIGURES names, as short runs do."""

from __future__ import annotations

import os
from pathlib import Path

LONG = Path(__file__).resolve().parents[2] / "docs" / "figures"
FIGURES = Path(os.environ.get("BENCH_FIGURES") or LONG)
FIGURES.mkdir(parents=True, exist_ok=True)


def told_before(name: str) -> str:
    """Return what a report said last: the one where this run writes, else the one in docs/figures, else nothing."""
    for folder in (FIGURES, LONG):
        if (folder / name).exists():
            return (folder / name).read_text()
    return ""
