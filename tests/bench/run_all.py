"""All benches in turn, each within its time: short sizes into the state folder, or the long ones into docs/figures.

python tests/bench/run_all.py [--long] [--minutes 60] [NAME ...]      NAME as in bench_NAME.py

Short runs, as `make bench` does them, leave docs/figures as it is: what they say lands in .state/bench. `--long`
(`make bench ARGS=--long`) takes every size a report names and writes the reports; it needs hours.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = HERE.parents[1] / "docs" / "figures"
STATE = Path(os.environ.get("GRIDKEEPER_STATE_DIR") or HERE.parents[1] / ".state")
SHORT_S, LONG_S = 240.0, 6 * 3600.0
"""The most a script may take."""
MADE = (".md", ".svg")


@dataclass(frozen=True)
class Short:
    """What makes a script short.

    Attributes
    ----------
    goes_on
        Ended in time, it goes on next time where it stood.
    needs
        What has to be brought for it; without, it is left out.
    """

    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    goes_on: bool = False
    needs: str = ""


SHORT: Mapping[str, Short] = {
    "dispatch": Short(["--seconds", "1", "5", "--seeds", "1", "--peers", "pyvrp", "vroom"], goes_on=True),
    "routing": Short(["--seconds", "5", "--files", "6"], goes_on=True),
    "simulate": Short(["--seeds", "1", "2", "--peaks", "0", "0.5"]),
    "siting": Short(["medians", "streets"]),
    "desk": Short(environment={"BENCH_ROWS": "200000", "BENCH_RUNS": "3"}),
    "evaluation": Short(["100000"]),
    "record": Short(environment={"BENCH_ROWS": "300000"}),
    "queue": Short(environment={"BENCH_ROWS": "200000", "BENCH_RUNS": "3"}),
    "execution": Short(environment={"BENCH_SECONDS": "4", "BENCH_INCIDENTS": "50000"}),
    "field": Short(environment={"BENCH_PHONES": "200", "BENCH_SECONDS": "40"}),
    "reviews": Short(needs="a demo city that may be thrown away, by GRIDKEEPER_STATE_DIR"),
}
"""By name; a script that is not here is short as it is."""


def names() -> list[str]:
    """Return the names of all benches."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


@contextlib.contextmanager
def aside(figures: Path, kept: Path) -> Iterator[None]:
    """Put reports that are made meanwhile into ``kept``, and leave ``figures`` as it was."""
    before = {path: path.read_bytes() for path in figures.iterdir() if path.suffix in MADE}
    try:
        yield
    finally:
        kept.mkdir(parents=True, exist_ok=True)
        for path in [each for each in figures.iterdir() if each.suffix in MADE]:
            now = path.read_bytes()
            if now == before.get(path):
                continue
            (kept / path.name).write_bytes(now)
            if path in before:
                path.write_bytes(before[path])
            else:
                path.unlink()


def run(command: Sequence[str], environment: Mapping[str, str], limit_s: float) -> str:
    """Return how a command ended: "done", "failed" or "out of time", which ends all it had started."""
    work = subprocess.Popen(command, env=os.environ | dict(environment), start_new_session=True)
    try:
        return "failed" if work.wait(limit_s) else "done"
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(work.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            work.wait(20)
        return "out of time"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(work.pid, signal.SIGKILL)
        work.wait()


def one(name: str, *, long: bool, limit_s: float) -> str:
    """Run a bench; return how it ended."""
    short = Short() if long else SHORT.get(name, Short())
    command = [sys.executable, str(HERE / f"bench_{name}.py"), *short.arguments]
    if long:
        return run(command, {}, limit_s)
    if short.needs:
        return f"left out: needs {short.needs}"
    with aside(FIGURES, STATE / "bench"):
        ended = run(command, short.environment, limit_s)
    return "goes on next time" if short.goes_on and ended == "out of time" else ended


def main() -> int:
    """Run what is asked for; return 1 when something failed or ran out of time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--minutes", type=float, default=60.0, help="of all short runs together")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(names()))
    if unknown:
        parser.error(f"there is no bench {unknown[0]}; there are {', '.join(names())}")
    ends = time.monotonic() + (1e9 if asked.long else 60 * asked.minutes)
    told: list[tuple[str, float, str]] = []
    for name in asked.names or names():
        began = time.monotonic()
        limit_s = min(LONG_S if asked.long else SHORT_S, ends - began)
        ended = one(name, long=asked.long, limit_s=limit_s) if limit_s > 1 else "not begun: no time left"
        told.append((name, time.monotonic() - began, ended))
        print(f"== {name}: {ended}, {told[-1][1]:.0f} s", flush=True)  # noqa: T201
    print("\n".join(f"{name:12} {seconds:6.0f} s  {ended}" for name, seconds, ended in told))  # noqa: T201
    return int(any(ended in {"failed", "out of time"} for _, _, ended in told))


if __name__ == "__main__":
    sys.exit(main())
