"""Looking through the record by the rules of accountability: all of it anew, and what is new since the last time.

A demo city in the state folder (GRIDKEEPER_STATE_DIR) is worked on by its demo accounts in plain SQL until the record
holds the wanted number of acts of persons; use a folder that may be thrown away. Run in short it makes a small town of
its own. CPU seconds of this process and the seconds that passed, medians of three.
Writes docs/figures/bench_reviews.md.
"""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figures import FIGURES, SHORT
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
REPORT = FIGURES / "bench_reviews.md"
ACTS = 6_000 if SHORT else 100_000
RUNS = 3


@contextlib.contextmanager
def city() -> Iterator[None]:
    """The city that is worked on: that of the state folder, in short a small town that goes away."""
    if not SHORT:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="gk-bench-reviews-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"GRIDKEEPER_STATE_DIR": folder, "GRIDKEEPER_DURABLE": "false", "GRIDKEEPER_DEMO": "true"}
        from geodata import db
        from tests.demo_city import load_tiny_town

        try:
            db.ensure_database()
            load_tiny_town(Path(folder))
            yield
        finally:
            db.engine().dispose()
            db.cluster().down()


def grow(wanted: int) -> int:
    """Let the supervisor change priorities until the record has so many acts of persons; return how many it has."""
    from core.identity import Role, system_actor
    from geodata import db, sealing
    from people import accounts

    with db.transaction(system_actor()) as session:
        chief = next(each.actor() for each in accounts.demo_accounts(session) if each.role is Role.SUPERVISOR)
    count = "SELECT count(*) FROM record WHERE actor_user_id IS NOT NULL"
    while True:
        with db.transaction(system_actor()) as session:
            have = int(session.execute(text(count)).scalar_one())
        if have >= wanted:
            break
        with db.transaction(chief, purpose="bench") as session:
            session.execute(text("UPDATE incident SET priority = 1 + (priority % 4), version = version + 1"))
    with db.transaction(system_actor()) as session:
        while sealing.seal(session):
            pass
    return have


def measure(*, anew: bool) -> tuple[float, float, int]:
    """Return the median of CPU seconds, of seconds, and the acts looked at."""
    from app import accountability
    from core.identity import system_actor
    from geodata import db
    from geodata.territory import list_territories

    with db.transaction(system_actor()) as session:
        (territory,) = list_territories(session)
    spent, passed, acts = [], [], 0
    for _ in range(RUNS):
        cpu, began = time.process_time(), time.perf_counter()
        acts = accountability.look(territory, anew=anew).acts
        spent.append(time.process_time() - cpu)
        passed.append(time.perf_counter() - began)
    return statistics.median(spent), statistics.median(passed), acts


def main() -> None:
    """Measure and write the report."""
    with city():
        have = grow(ACTS)
        whole, going_on = measure(anew=True), measure(anew=False)
    rows = [
        f"| {name} | {acts:,} | {cpu:.2f} | {passed:.2f} | {acts / cpu:,.0f} |"
        for name, (cpu, passed, acts) in (("all of it anew", whole), ("nothing new since", going_on))
    ]
    REPORT.write_text(
        "# Looking through the record\n\n"
        f"`tests/bench/bench_reviews.py`, Python {platform.python_version()}, {platform.machine()}, embedded PostgreSQL"
        f" on the same {os.cpu_count()} cores (load average {os.getloadavg()[0]:.0f}: read the CPU column), medians of"
        f" {RUNS}. The record of a demo city with {have:,} acts of persons,"
        " each read for its incident and for its person.\n\n"
        "| Run | rows read | CPU of the client, s | passed, s | rows a CPU second |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n\nThe whole record is read into memory by account, in portions by incident; past some millions of acts of"
        " persons a run anew should be done by periods, which is not built. Going on reads whole days of whom"
        " something is new.\n"
    )
    print(REPORT.read_text())  # noqa: T201


if __name__ == "__main__":
    main()
