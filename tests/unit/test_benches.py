"""Running the benches: what is short is known by name, a report of a short run lies aside, time is kept."""

from __future__ import annotations

import importlib.util
import os
import subprocess
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
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(BENCH))  # as a script finds what lies beside it
        spec.loader.exec_module(module)
    return module


def test_what_is_short_is_a_bench(runner: Any) -> None:
    assert set(runner.SHORT) <= set(runner.names())


def test_a_report_of_a_short_run_lies_aside(tmp_path: Path) -> None:
    told = "import sys; sys.path.insert(0, sys.argv[1]); import figures; print(figures.FIGURES)"
    command = [sys.executable, "-c", told, str(BENCH)]
    aside = {**os.environ, "BENCH_FIGURES": str(tmp_path / "aside")}
    assert subprocess.check_output(command, env=aside, text=True).strip() == str(tmp_path / "aside")
    plain = {name: value for name, value in os.environ.items() if name != "BENCH_FIGURES"}
    assert Path(subprocess.check_output(command, env=plain, text=True).strip()).parts[-2:] == ("docs", "figures")


@pytest.mark.parametrize("path", sorted(BENCH.glob("bench_*.py")), ids=lambda path: path.stem)
def test_no_bench_names_the_folder_of_reports_itself(path: Path) -> None:
    assert '"figures"' not in path.read_text()


def test_how_a_bench_ended_is_told(runner: Any) -> None:
    told = [sys.executable, "-c", "import os, sys; sys.exit(int(os.environ['N']))"]
    assert runner.run(told, {"N": "0"}, 60).how == "done"
    assert runner.run(told, {"N": "3"}, 60).how == "failed"
    assert runner.run([sys.executable, "-c", "import time; time.sleep(60)"], {}, 60, still_s=0.2).how == "stood still"


def test_what_cannot_run_here_is_skipped_with_its_reason(runner: Any) -> None:
    told = [
        sys.executable,
        "-c",
        "import sys; sys.path.insert(0, sys.argv[1]); import figures; figures.left_out('no map')",
    ]
    ended = runner.run([*told, str(BENCH)], {}, 60)
    assert ended.how == "skipped: no map"
    assert ended.settled
    assert not ended.badly


def test_a_run_goes_on_where_it_was_ended(runner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "BOOK", tmp_path / "run.json")
    monkeypatch.setattr(runner, "names", lambda: ["grids", "queue", "travel"])
    came = {"grids": "done", "queue": "failed", "travel": "skipped: no map"}
    asked: list[str] = []

    def one(name: str, **_: object) -> Any:
        asked.append(name)
        return runner.Ended(came[name], 1.0, 2.0)

    monkeypatch.setattr(runner, "one", one)
    monkeypatch.setattr(runner.signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["run_all.py"])
    assert runner.main() == 1
    came["queue"] = "done"
    monkeypatch.setattr(sys, "argv", ["run_all.py", "--again"])
    assert runner.main() == 0
    assert asked == ["grids", "queue", "travel", "queue"]
    monkeypatch.setattr(sys, "argv", ["run_all.py", "grids"])
    assert runner.main() == 0
    monkeypatch.setattr(sys, "argv", ["run_all.py", "--again"])
    assert runner.main() == 0
    assert asked[4:] == ["grids"], "what one bench is asked for makes nothing else forgotten"
    (tmp_path / "run.json").write_text('{"short": {"gr')  # cut off while it was written
    assert runner.main() == 0
    assert asked[5:] == ["grids", "queue", "travel"]


def test_what_a_bench_starts_in_a_session_of_its_own_counts_and_ends(runner: Any, tmp_path: Path) -> None:
    begin = """import subprocess, sys
made = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
open(sys.argv[1], "w").write(str(made.pid))
made.wait(60)"""
    ended = runner.run([sys.executable, "-c", begin, str(tmp_path / "pid")], {}, 0.5)
    assert ended.how == "out of time"
    assert ended.cpu_s > 0.5
    process = Path("/proc") / (tmp_path / "pid").read_text() / "stat"
    assert not process.exists() or ") Z " in process.read_text()
