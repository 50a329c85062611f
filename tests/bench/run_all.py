"""All benches in turn, each within its CPU time: short sizes into .state/bench, or the long ones into docs/figures.

python tests/bench/run_all.py [--long] [--again] [--minutes 40] [NAME ...]      NAME as in bench_NAME.py

Short runs, as `make bench` does them, take about a quarter of an hour of a machine with two cores, write into
.state/bench and leave docs/figures alone. `--long` (`make bench ARGS=--long`) takes every size a report names and
writes the reports there; it needs hours. `--again` goes on where the last run was ended: what was done or skipped stays
so. What a script may take is CPU time, so that a machine that is busy with other things fails nothing. A bench that
lacks what it measures on is skipped and says what it lacks; only what failed, stood still or ran on and on ends the
run badly.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from figures import LEFT_OUT

HERE = Path(__file__).resolve().parent
STATE = Path(os.environ.get("GRIDKEEPER_STATE_DIR") or HERE.parents[1] / ".state")
BOOK = STATE / "bench" / "run.json"
SHORT_S, LONG_S = 240.0, 6 * 3600.0
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
    "routing": Short(["--seconds", "5", "--files", "3"], goes_on=True),
    "simulate": Short(["--seeds", "1", "--peaks", "0", "0.5"]),
    "siting": Short(["medians"]),
    "desk": Short(environment={"BENCH_ROWS": "50000"}),
    "evaluation": Short(["30000"]),
    "record": Short(environment={"BENCH_ROWS": "100000"}),
    "queue": Short(environment={"BENCH_ROWS": "100000", "BENCH_RUNS": "3"}),
    "execution": Short(environment={"BENCH_SECONDS": "3", "BENCH_INCIDENTS": "30000"}),
    "field": Short(environment={"BENCH_PHONES": "100", "BENCH_SECONDS": "21"}),
    "draw": Short(needs="a running server with a draft: GRIDKEEPER_BENCH_URL and the number of the change"),
}
"""By name; the other scripts choose their sizes by BENCH_SHORT or are short as they are."""


def names() -> list[str]:
    """Return the names of all benches."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the processor time of all that it started."""

    how: str
    cpu_s: float
    wall_s: float = 0.0

    @property
    def badly(self) -> bool:
        """Whether the bench is to blame."""
        return self.how in {"failed", "out of time", "stood still"}

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.how == "done" or self.how.startswith("skipped")


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
    """Run a command: "done", "failed", "skipped", or what ended it and all that it had started.

    That is "out of time" after ``limit_s`` CPU seconds, whatever else the machine does meanwhile, and "stood still"
    after ``still_s`` seconds in which it used next to none.
    """
    mark = f"BENCH_RUN={os.getpid()}-{time.monotonic_ns()}"
    name, _, value = mark.partition("=")
    says = Path(tempfile.gettempdir()) / f"{value}.says"
    given = os.environ | dict(environment) | {name: value, "BENCH_SAYS": str(says)}
    work = subprocess.Popen(command, env=given, start_new_session=True)
    cost = Cost(mark)
    began = moved_at = time.monotonic()
    spent, moved = 0.0, 0.0
    how = ""
    try:
        while not how:
            with contextlib.suppress(subprocess.TimeoutExpired):
                how = {0: "done", LEFT_OUT: "skipped"}.get(work.wait(LOOK_S), "failed")
            spent = max(spent, cost.so_far())
            if spent > moved + 0.5:
                moved, moved_at = spent, time.monotonic()
            if not how and spent > limit_s:
                how = "out of time"
            elif not how and time.monotonic() - moved_at > still_s:
                how = "stood still"
        why = f"skipped: {says.read_text()}" if says.exists() else how
        return Ended(why if how == "skipped" else how, spent, time.monotonic() - began)
    finally:
        says.unlink(missing_ok=True)
        if how not in {"done", "failed", "skipped"}:
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
        return Ended(f"skipped: needs {short.needs}", 0.0)
    ended = run(command, {**short.environment, "BENCH_SHORT": "1", "BENCH_FIGURES": str(STATE / "bench")}, limit_s)
    if short.goes_on and ended.how == "out of time":
        return Ended("goes on next time", ended.cpu_s, ended.wall_s)
    return ended


def _book() -> dict[str, dict[str, list[Any]]]:
    """Return what was kept of the last runs; of a file that was cut off nothing."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(BOOK.read_text()))
    return {}


def told_last(*, long: bool) -> dict[str, Ended]:
    """Return how the benches ended in the last run of this kind."""
    return {name: Ended(*each) for name, each in _book().get("long" if long else "short", {}).items()}


def keep(told: Mapping[str, Ended], *, long: bool, beside: bool = False) -> None:
    """Keep how the benches ended, for a run that goes on; ``beside``: what is known of others stays."""
    kept, kind = _book(), "long" if long else "short"
    ended = {name: [each.how, each.cpu_s, each.wall_s] for name, each in told.items()}
    kept[kind] = kept.get(kind, {}) | ended if beside else ended
    BOOK.parent.mkdir(parents=True, exist_ok=True)
    BOOK.write_text(json.dumps(kept, indent=1))


def table(told: Mapping[str, Ended]) -> str:
    """Return a line for each bench: name, how it ended, seconds that passed, CPU seconds."""
    wide = max(len(name) for name in told)
    lines = [f"{name:{wide}}  {each.wall_s:6.0f} s  {each.cpu_s:6.0f} CPU s  {each.how}" for name, each in told.items()]
    wall, cpu = sum(each.wall_s for each in told.values()), sum(each.cpu_s for each in told.values())
    return "\n".join([*lines, f"{'together':{wide}}  {wall:6.0f} s  {cpu:6.0f} CPU s"])


def main() -> int:
    """Run what is asked for; return 1 when something failed, stood still or ran on and on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--again", action="store_true", help="go on where the last run was ended")
    parser.add_argument("--minutes", type=float, default=40.0, help="of CPU time for all short runs together")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(names()))
    if unknown:
        parser.error(f"there is no bench {unknown[0]}; there are {', '.join(names())}")
    for sign in (signal.SIGINT, signal.SIGTERM):  # asked to stop, it ends what it started
        signal.signal(sign, lambda number, _frame: sys.exit(128 + number))
    left_s = 1e9 if asked.long else 60 * asked.minutes
    told = told_last(long=asked.long) if asked.again else {}
    told = {name: told[name] for name in asked.names or names() if name in told and told[name].settled}
    for name in asked.names or names():
        if name in told:
            continue
        limit_s = min(LONG_S if asked.long else SHORT_S, left_s)
        ended = one(name, long=asked.long, limit_s=limit_s) if limit_s > 1 else Ended("not begun: no time left", 0.0)
        left_s -= ended.cpu_s
        told[name] = ended
        keep(told, long=asked.long, beside=bool(asked.names))
        print(f"== {name}: {ended.how}, {ended.wall_s:.0f} s, {ended.cpu_s:.0f} CPU s", flush=True)  # noqa: T201
    print(table(dict(sorted(told.items()))))  # noqa: T201
    return int(any(each.badly for each in told.values()))


if __name__ == "__main__":
    sys.exit(main())
