"""Deadlines of 100,000 incidents: one by one, all at once, and by the libraries that others use.

CPU seconds, the best of several runs. Peers are measured in an environment of their own, named by
GRIDKEEPER_CLOCK_PEERS (a Python with businesstimedelta and business-duration), in a process each; without
one, numpy's busday_offset alone is the peer. Where they answer the same question their answers are
compared. Writes docs/figures/bench_clocks.md.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from figures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
REPORT = FIGURES / "bench_clocks.md"
INCIDENTS, PEER_INCIDENTS = 100_000, 2_000
TITLES = {
    "4 working hours": (4, "working_hours"),
    "40 working hours": (40, "working_hours"),
    "20 working days": (20, "working_days"),
    "7 calendar days": (7, "calendar_days"),
    "8 urgent hours": (8, "urgent_hours"),
}
PEER = """
import datetime as dt, json, sys, time, warnings
warnings.simplefilter("ignore")
given = json.load(open(sys.argv[1]))
starts = [dt.datetime.fromisoformat(each) for each in given["starts"]]
holidays = [dt.date.fromisoformat(each) for each in given["holidays"]]
told = {}
def best(work):
    least, result = float("inf"), None
    for _ in range(2):
        began = time.process_time()
        result = work()
        least = min(least, time.process_time() - began)
    return least, result
if sys.argv[2] == "businesstimedelta":
    import businesstimedelta as b
    day = b.WorkDayRule(start_time=dt.time(9), end_time=dt.time(17), working_days=[0, 1, 2, 3, 4])
    free = b.HolidayRule(dict.fromkeys(holidays, "holiday"))
    rules = b.Rules([day, free])
    for hours in (4, 40):
        limit = b.BusinessTimeDelta(rules, hours=hours)
        seconds, found = best(lambda: [each + limit for each in starts])
        told[f"{hours} working hours"] = (seconds, [each.isoformat() for each in found])
else:
    from business_duration import businessDuration
    free = dict.fromkeys(holidays, "holiday")
    ends = [dt.datetime.fromisoformat(each) for each in given["ends"]]
    day = {"starttime": dt.time(9), "endtime": dt.time(17), "holidaylist": free, "unit": "hour"}
    work = lambda: [businessDuration(a, z, **day) for a, z in zip(starts, ends)]
    seconds, found = best(work)
    told["used hours"] = (seconds, [float(each) for each in found])
json.dump(told, sys.stdout)
"""


def best(work: Callable[[], Any], rounds: int = 3) -> tuple[float, Any]:
    """Return the least CPU seconds of several rounds, and the last result."""
    least, result = float("inf"), None
    for _ in range(rounds):
        began = time.process_time()
        result = work()
        least = min(least, time.process_time() - began)
    return least, result


def main() -> None:
    """Measure and write the report."""
    from core.clock import WorkingCalendar
    from incidents.calendars import office_for, working_calendar
    from incidents.deadlines import Limit, countdown, due_at
    from incidents.deadlines_many import due_many, used_many

    gb, cn = (working_calendar(office_for(zone)) for zone in ("Europe/London", "Asia/Shanghai"))
    utc = WorkingCalendar("UTC", gb.hours, gb.holidays)  # the peers know no change of the clocks
    rng = np.random.default_rng(5)
    seconds = np.sort(rng.integers(0, 365 * 86_400, INCIDENTS))
    starts = np.datetime64("2026-01-01T00:00:00", "us") + seconds.astype("timedelta64[s]")
    moments = [each.replace(tzinfo=dt.UTC) for each in starts.tolist()]

    rows = []
    for title, (value, unit) in TITLES.items():
        limit = Limit(value, unit)
        one, single = best(lambda limit=limit: [due_at(limit, cn, each) for each in moments], 2)
        many, found = best(lambda limit=limit: due_many(limit, cn, starts))
        assert [each.replace(tzinfo=dt.UTC) for each in found.tolist()] == single
        rows.append((title, one / INCIDENTS * 1e6, many / INCIDENTS * 1e6))
    clock = countdown(Limit(20, "working_days"), cn, moments[0])
    share, _ = best(lambda: [clock.share(moments[0] + dt.timedelta(days=20)) for _ in range(2000)])

    few = np.arange(0, INCIDENTS, INCIDENTS // PEER_INCIDENTS)
    ends = due_many(Limit(40, "working_hours"), utc, starts)
    peers = []
    python = os.environ.get("GRIDKEEPER_CLOCK_PEERS", "")
    for name in ("businesstimedelta", "business_duration") if python else ():
        told = ask(python, name, starts[few], ends[few], sorted(utc.holidays))
        for title, (spent, answers) in told.items():
            if title == "used hours":
                ours, mine = best(lambda: used_many(Limit(1, "working_hours"), utc, starts, ends))
                same = float(np.mean(np.isclose(np.array(answers), mine[few], atol=1e-3)))
            else:
                limit = Limit(*TITLES[title])
                ours, mine = best(lambda limit=limit: due_many(limit, utc, starts))
                same = float(
                    np.mean(
                        np.array([each[:26].removesuffix("+00:00") for each in answers], "datetime64[us]") == mine[few]
                    )
                )
            peers.append((name, title, spent / len(few) * 1e6, ours / INCIDENTS * 1e6, same))
    calendar = np.busdaycalendar(holidays=[np.datetime64(day, "D") for day in sorted(utc.holidays)])
    spent, days = best(
        lambda: np.busday_offset(starts.astype("datetime64[D]"), 20, roll="backward", busdaycal=calendar)
    )
    ours, mine = best(lambda: due_many(Limit(20, "working_days"), utc, starts))
    same = float(np.mean(days == mine.astype("datetime64[D]")))
    peers.append(("numpy busday_offset", "20 working days", spent / INCIDENTS * 1e6, ours / INCIDENTS * 1e6, same))
    write(rows, share / 2000 * 1e6, peers)


def ask(python: str, name: str, starts: Any, ends: Any, holidays: list[dt.date]) -> dict[str, Any]:
    """Let a peer answer in a process of its own."""
    given = {
        "starts": [each.isoformat() for each in starts.tolist()],
        "ends": [each.isoformat() for each in ends.tolist()],
        "holidays": [day.isoformat() for day in holidays],
    }
    with tempfile.TemporaryDirectory() as folder:
        path, script = Path(folder) / "given.json", Path(folder) / "peer.py"
        path.write_text(json.dumps(given))
        script.write_text(PEER)
        done = subprocess.run([python, str(script), str(path), name], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def write(rows: list[Any], share_us: float, peers: list[Any]) -> None:
    """Write the report."""
    lines = [
        "# Deadlines of 100,000 incidents",
        "",
        (
            f"`tests/bench/bench_clocks.py`, Python {platform.python_version()}, one thread, "
            "CPU time, the best of several runs. The Chinese office of 2026 with its make-up workdays; both ways "
            "give the same deadline for every incident (checked in the run)."
        ),
        "",
        "| Limit | one by one, µs each | all at once, µs each |",
        "|---|---|---|",
        *(f"| {title} | {one:.1f} | {many:.2f} |" for title, one, many in rows),
        "",
        f"The used share of a 20-day limit after 20 days: {share_us:.0f} µs.",
        "",
        (
            "Against others, on an English office in UTC (the peers know neither make-up workdays nor a change of the "
            "clocks); peers on 2,000 of the incidents, numpy on all:"
        ),
        "",
        "| Peer | Question | peer, µs each | ours at once, µs each | ratio | same answers |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {title} | {spent:.2f} | {ours:.2f} | {spent / ours:,.1f} | {same:.1%} |"
            for name, title, spent, ours, same in peers
        ),
        "",
        "numpy counts whole days only: no hours, no office that closes, no make-up workdays, no time zone.",
        "",
    ]
    REPORT.write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
