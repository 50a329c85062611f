"""Folding a generated record and evaluating a year of it; writes docs/figures/bench_evaluation.md.

Run ``python -m tests.bench.bench_evaluation [INCIDENTS]`` (1,000,000 when left out). Needs no network.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures" / "bench_evaluation.md"
LAST = dt.date(2026, 6, 30)
GENERATE = """
    WITH made AS (
        SELECT i, timestamptz '2025-07-01 00:00+00' + i * (interval '1 second' * (31535000.0 / {n})) AS at
        FROM generate_series(1, {n}) AS i
    )
    INSERT INTO load_row (record_seq, row_no, subject_id, before, after, row_hash)
    SELECT {seq}, i, i::text, NULL, jsonb_build_object(
        'id', i, 'territory_id', {home}, 'number', 'X-2026-' || i, 'status', CASE WHEN i %% 20 = 0 THEN 'handling' ELSE
        'closed' END, 'source', 'hotline', 'source_system', '', 'external_ref', NULL, 'class_id', i %% 40 + 1,
        'class_version', 1, 'limit_id', 7, 'category', '01', 'priority', i %% 4 + 1, 'emergency', false,
        'reported_at', at, 'filed_at', at + interval '1 hour', 'dispatched_at', at + interval '2 hours',
        'handled_at', at + (i %% 50) * interval '1 hour', 'closed_at',
        CASE WHEN i %% 20 > 0 THEN at + (i %% 60) * interval '1 hour' END, 'due_at', at + interval '48 hours',
        'place', 'High Street', 'grid_id', i %% 9000 + 1, 'community_id', i %% 100 + 1, 'unit_id', i %% 12 + 1,
        'worker_id', i %% 300 + 1, 'dispatched_by', 3, 'closed_by', 4, 'reworks', (i %% 17 = 0)::int,
        'simulated', true, 'load_id', 1, 'version', 1, 'geom', jsonb_build_object('type', 'Point')
    ), '' FROM made
"""
MOVES = """
    INSERT INTO record (territory_id, action, subject_table, subject_id, before, after)
    SELECT {home}, 'update', 'incident', subject_id, after || '{{"status": "checking"}}', after || '{{"version": 2}}'
    FROM load_row WHERE record_seq = {seq} AND row_no <= {n} / 10
"""


def main(incidents: int) -> None:
    """Generate, measure, write the figures."""
    from core.identity import Role, system_actor
    from geodata import db
    from insight import service
    from insight.model import SUBJECTS
    from tests.halves import make_halves

    db.ensure_database()
    with db.transaction(system_actor()) as session:
        home = make_halves(session, "bench")[0].id
    owner = db.owner_engine()
    with owner.begin() as connection:
        connection.exec_driver_sql("SELECT set_config('gridkeeper.role', 'system', true)")
        seq = connection.exec_driver_sql(
            "INSERT INTO record (territory_id, action, subject_table, after)"
            f" VALUES ({home}, 'bulk_insert', 'incident', '{{}}') RETURNING seq"
        ).scalar_one()
        for statement in (GENERATE, MOVES):
            connection.exec_driver_sql(statement.format(n=incidents, seq=seq, home=home))
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    keeper = system_actor(home)

    def folding() -> Any:
        with db.transaction(keeper) as session:
            backend = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            began = cpu_of(backend)
            done = service.refresh(session, keeper, home, anew=True)
            return done, cpu_of(backend) - began

    lines = []
    (folded, cpu), seconds = timed(folding)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE incident_fact"))
    rate = folded.acts / seconds
    lines.append(f"| fold the whole record: {folded.acts:,} acts | {seconds:.2f} | {rate:,.0f} acts/s of wall time |")
    lines.append(f"| … of it at work in the database | {cpu:.2f} | {folded.acts / cpu:,.0f} acts/s of one core |")
    total = work = 0.0
    chief = type(keeper)(None, "bench", Role.SUPERVISOR, home)
    for subject in SUBJECTS:

        def evaluating(subject: str = subject) -> Any:
            with db.transaction(chief) as session:
                backend = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                began = cpu_of(backend) + time.process_time()
                found = service.evaluate(
                    session, chief, subject, LAST - dt.timedelta(days=364), LAST, moment=dt.datetime.now(dt.UTC)
                )
                return found, cpu_of(backend) + time.process_time() - began

        (scores, cpu), seconds = timed(evaluating)
        total, work = total + seconds, work + cpu
        lines.append(f"| a year by {subject} | {seconds:.2f} | {len(scores):,} scores, {cpu:.2f} s of a core |")
    lines.append(f"| all subjects | {total:.2f} | {work:.2f} s of a core; aim: under 5 s for a million |")
    head = (
        "# Evaluation: folding and counting\n\nWritten by `python -m tests.bench.bench_evaluation`;"
        f" {incidents:,} generated incidents, a tenth of them changed once more; {os.cpu_count()} cores,"
        f" {platform.machine()}; wall time of client and server, one connection, load {os.getloadavg()[0]:.1f}"
        " when it ended.\n\n| What | Seconds | |\n|---|---|---|\n"
    )
    FIGURES.write_text(head + "\n".join(lines) + "\n")
    sys.stdout.write(FIGURES.read_text())
    owner.dispose()


def cpu_of(process: int) -> float:
    """Return the seconds of a core that a process has used (Linux)."""
    used = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what ``work`` gives and how long it took."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gk-bench-evaluation-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"GRIDKEEPER_STATE_DIR": folder, "GRIDKEEPER_DURABLE": "false"}
        try:
            main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
        finally:
            from geodata import db

            db.engine().dispose()
            db.cluster().down()
