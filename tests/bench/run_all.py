"""All benches in turn, each within its CPU time: short sizes into .state/bench, or the long ones into docs/figures.

python tests/bench/run_all.py [--long] [--minutes 60] [NAME ...]      NAME as in bench_NAME.py

Short runs, as `make bench` does them, write into .state/bench and leave docs/figures alone. `--long`
(`make bench ARGS=--long`) takes every size a report names and writes the reports there; it needs hours. What a script
may take is CPU time, so that a machine that is busy with other things fails nothing.
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
STATE = Path(os.environ.get("GRIDKEEPER_STATE_DIR") or HERE.parents[1] / ".state")
SHORT_S, LONG_S = 300.0, 6 * 3600.0
"""The most CPU time a script may take, with the servers and peers that it starts."""
STILL_S, LOOK_S = 300.0, 1.0


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


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the processor time of all that it started."""

    how: str
    cpu_s: float


def _processes() -> Iterator[tuple[int, int, float]]:
    """Yield every process, its parent and its CPU seconds, with those of its children that ended."""
    tick = os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                told = (entry / "stat").read_text().rpartition(")")[2].split()
                yield int(entry.name), int(told[1]), sum(map(int, told[11:15])) / tick


def _marked(process: int, mark: bytes) -> bool:
    with contextlib.suppress(OSError):
        return mark in Path(f"/proc/{process}/environ").read_bytes()
    return False


class Cost:
    """The CPU seconds of all processes that carry a mark in their environment, and of what these started.

    A database server that a bench starts leaves its process group, but not its mark.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode()
        self._ours: dict[int, bool] = {}
        self._spent: dict[int, float] = {}
        self._parent: dict[int, int] = {}

    def so_far(self) -> float:
        """Return the seconds until now; those of what began and ended unseen are in its parent's."""
        alive = {process: (parent, spent) for process, parent, spent in _processes()}
        for process, (parent, _) in sorted(alive.items()):
            if process not in self._ours:
                self._ours[process] = self._ours.get(parent, False) or _marked(process, self._mark)
        ended = self._spent.keys() - alive.keys()
        for process in ended:  # a parent that waited for it counts it from now on
            parent = self._parent.get(process, 0)
            if parent in alive and self._ours.get(parent):
                del self._spent[process]
        self._parent = {process: parent for process, (parent, _) in alive.items()}
        self._spent |= {process: spent for process, (_, spent) in alive.items() if self._ours[process]}
        return sum(self._spent.values())

    def end(self) -> None:
        """End all of them that still run: asked first, then made to."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + 20
            self.so_far()
            for process in (alive := self._alive()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, sign)
            while alive and time.monotonic() < deadline:
                time.sleep(0.1)
                alive = self._alive()

    def _alive(self) -> list[int]:
        now = [process for process, _, _ in _processes() if self._ours.get(process)]
        return [process for process in now if _marked(process, self._mark)]


def run(command: Sequence[str], environment: Mapping[str, str], limit_s: float, still_s: float = STILL_S) -> Ended:
    """Run a command: "done", "failed", or what ended it and all that it had started.

    That is "out of time" after ``limit_s`` CPU seconds, whatever else the machine does meanwhile, and "stood still"
    after ``still_s`` seconds in which it used next to none.
    """
    mark = f"BENCH_RUN={os.getpid()}-{time.monotonic_ns()}"
    name, _, value = mark.partition("=")
    work = subprocess.Popen(command, env=os.environ | dict(environment) | {name: value}, start_new_session=True)
    cost = Cost(mark)
    spent, moved_at, moved = 0.0, time.monotonic(), 0.0
    how = ""
    try:
        while not how:
            with contextlib.suppress(subprocess.TimeoutExpired):
                how = "failed" if work.wait(LOOK_S) else "done"
            spent = max(spent, cost.so_far())
            if spent > moved + 0.5:
                moved, moved_at = spent, time.monotonic()
            if not how and spent > limit_s:
                how = "out of time"
            elif not how and time.monotonic() - moved_at > still_s:
                how = "stood still"
        return Ended(how, spent)
    finally:
        if how not in {"done", "failed"}:
            work.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                work.wait(20)
            work.kill()
        work.wait()
        cost.end()


def one(name: str, *, long: bool, limit_s: float) -> Ended:
    """Run a bench; return how it ended."""
    short = Short() if long else SHORT.get(name, Short())
    command = [sys.executable, str(HERE / f"bench_{name}.py"), *short.arguments]
    if long:
        return run(command, {}, limit_s)
    if short.needs:
        return Ended(f"left out: needs {short.needs}", 0.0)
    ended = run(command, {**short.environment, "BENCH_FIGURES": str(STATE / "bench")}, limit_s)
    return Ended("goes on next time", ended.cpu_s) if short.goes_on and ended.how == "out of time" else ended


def main() -> int:
    """Run what is asked for; return 1 when something failed or ran out of time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--minutes", type=float, default=60.0, help="of CPU time for all short runs together")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(names()))
    if unknown:
        parser.error(f"there is no bench {unknown[0]}; there are {', '.join(names())}")
    for sign in (signal.SIGINT, signal.SIGTERM):  # asked to stop, it ends what it started
        signal.signal(sign, lambda number, _frame: sys.exit(128 + number))
    left_s = 1e9 if asked.long else 60 * asked.minutes
    told: list[tuple[str, Ended]] = []
    for name in asked.names or names():
        limit_s = min(LONG_S if asked.long else SHORT_S, left_s)
        ended = one(name, long=asked.long, limit_s=limit_s) if limit_s > 1 else Ended("not begun: no time left", 0.0)
        left_s -= ended.cpu_s
        told.append((name, ended))
        print(f"== {name}: {ended.how}, {ended.cpu_s:.0f} CPU s", flush=True)  # noqa: T201
    print("\n".join(f"{name:12} {ended.cpu_s:6.0f} CPU s  {ended.how}" for name, ended in told))  # noqa: T201
    return int(any(ended.how in {"failed", "out of time", "stood still"} for _, ended in told))


if __name__ == "__main__":
    sys.exit(main())
