"""Running the benches: what is short is known by name, a report of a short run lies aside, time is kept."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"


@pytest.fixture(scope="module")
def runner() -> Any:
    spec = importlib.util.spec_from_file_location("run_all", BENCH / "run_all.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_all"] = module
    spec.loader.exec_module(module)
    return module


def test_what_is_short_is_a_bench(runner: Any) -> None:
    assert set(runner.SHORT) <= set(runner.names())


def test_a_report_of_a_short_run_lies_aside(runner: Any, tmp_path: Path) -> None:
    figures, kept = tmp_path / "figures", tmp_path / "kept"
    figures.mkdir()
    (figures / "a.md").write_text("long")
    (figures / "same.md").write_text("same")
    with runner.aside(figures, kept):
        (figures / "a.md").write_text("short")
        (figures / "b.svg").write_text("new")
    assert {path.name: path.read_text() for path in figures.iterdir()} == {"a.md": "long", "same.md": "same"}
    assert {path.name: path.read_text() for path in kept.iterdir()} == {"a.md": "short", "b.svg": "new"}


def test_how_a_bench_ended_is_told(runner: Any) -> None:
    assert runner.run([sys.executable, "-c", ""], {}, 60) == "done"
    assert (
        runner.run([sys.executable, "-c", "import os, sys; sys.exit(int(os.environ['N']))"], {"N": "3"}, 60) == "failed"
    )
    assert runner.run([sys.executable, "-c", "import time; time.sleep(60)"], {}, 0.2) == "out of time"
