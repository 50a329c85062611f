"""Folding a generated record and evaluating a year of it; writes docs/figures/bench_evaluation.md.

Run ``python tests/bench/bench_evaluation.py [INCIDENTS]`` (1,000,000 when left out). Needs no network.
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

from figures import FIGURES, SHORT
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
REPORT = FIGURES / "bench_evaluation.md"
LAST = dt.date(2026, 6, 30)
COLUMNS = """
    'id', i, 'territory_id', {home}, 'number', 'X-2026-' || i, 'source', 'hotline', 'source_system', '',
    'class_id', i %% 40 + 1, 'class_version', 1, 'limit_id', 7, 'category', '01', 'priority', i %% 4 + 1,
    'emergency', false, 'reported_at', at, 'place', 'High Street', 'grid_id', i %% 9000 + 1,
    'community_id', i %% 100 + 1, 'unit_id', i %% 12 + 1, 'worker_id', i %% 300 + 1, 'due_at',
    at + interval '48 hours', 'reworks', (i %% 17 = 0)::int, 'simulated', true, 'load_id', 1, 'version', 1
"""
FROM_A_FILE = """
    WITH made AS (
        SELECT i, timestamptz '2025-07-01 00:00+00' + i * (interval '1 second' * (31535000.0 / {n})) AS at
        FROM generate_series(1, {n}) AS i
    )
    INSERT INTO load_row (record_seq, row_no, subject_id, before, after, row_hash)
    SELECT {seq}, i, i::text, NULL, to_jsonb(jsonb_populate_record(NULL::incident, jsonb_build_object({columns},
        'status', CASE WHEN i %% 20 = 0 THEN 'handling' ELSE 'closed' END, 'filed_at', at + interval '1 hour',
        'dispatched_at', at + interval '2 hours', 'handled_at', at + (i %% 50) * interval '1 hour', 'closed_at',
        CASE WHEN i %% 20 > 0 THEN at + (i %% 60) * interval '1 hour' END, 'dispatched_by', 3, 'closed_by', 4
    ))) || '{{"geom": {{"type": "Point", "coordinates": [24.9, 60.2]}}}}', '' FROM made
"""
LIVED = """
    WITH made AS (
        SELECT i, timestamptz '2025-07-01 00:00+00' + (i - {n}) * (interval '1 second' * (31535000.0 / {lives})) AS at
        FROM generate_series({n} + 1, {n} + {lives}) AS i
    ), steps AS (
        SELECT i, step, to_jsonb(jsonb_populate_record(NULL::incident, jsonb_build_object({columns},
            'status', (ARRAY['filed', 'dispatched', 'handling', 'checking', 'handling', 'checking', 'closed'])[step],
            'filed_at', at + interval '1 hour',
            'dispatched_at', CASE WHEN step > 1 THEN at + interval '2 hours' END,
            'handled_at', CASE WHEN step IN (4, 6, 7) THEN at + interval '20 hours' END,
            'closed_at', CASE WHEN step = 7 THEN at + (i %% 60) * interval '1 hour' END, 'version', step
        ))) - 'geom' AS state FROM made, generate_series(1, 7) AS step
    )
    INSERT INTO record (territory_id, action, subject_table, subject_id, before, after)
    SELECT {home}, CASE WHEN step = 1 THEN 'insert' ELSE 'update' END, 'incident', i::text,
           lag(state) OVER (PARTITION BY i ORDER BY step), state
    FROM steps ORDER BY step, i
"""
ACTS_OF_A_LIFE = 7
EVALUATED = 100_000 if SHORT else 1_000_000
"""Facts that are evaluated; as many as are missing are copies of the folded ones."""


def main(incidents: int) -> None:
    """Generate, measure, write the figures."""
    from core.identity import Role, system_actor
    from geodata import db
    from geodata.tables import IncidentFact
    from insight import service
    from insight.model import SUBJECTS
    from tests.halves import make_halves

    db.ensure_database()
    with db.transaction(system_actor()) as session:
        home = make_halves(session, "bench")[0].id
    owner = db.owner_engine()
    lives = incidents // 7
    columns = COLUMNS.format(home=home)
    with owner.begin() as connection:
        connection.exec_driver_sql("SELECT set_config('gridkeeper.role', 'system', true)")
        seq = connection.exec_driver_sql(
            "INSERT INTO record (territory_id, action, subject_table, after)"
            f" VALUES ({home}, 'bulk_insert', 'incident', '{{}}') RETURNING seq"
        ).scalar_one()
        given = {"n": incidents, "seq": seq, "home": home, "lives": lives, "columns": columns}
        connection.exec_driver_sql(FROM_A_FILE.format(**given))
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

    def measure(what: str, acts_before: int = 0) -> None:
        (folded, cpu), seconds = timed(folding)
        acts = folded.acts - acts_before
        lines.append(
            f"| fold {what}: {folded.acts:,} acts, {folded.facts:,} facts | {seconds:.2f}"
            f" | {acts / seconds:,.0f} acts/s of wall time, {acts / cpu:,.0f} of one core ({cpu:.2f} s) |"
        )

    measure("incidents that came in a file, one act each")
    with owner.begin() as connection:
        connection.exec_driver_sql("SELECT set_config('gridkeeper.role', 'system', true)")
        connection.exec_driver_sql(LIVED.format(**given))
        connection.exec_driver_sql(f"UPDATE incident_fact SET territory_id = {home} + 1")
        connection.exec_driver_sql("ALTER TABLE record DISABLE TRIGGER record_append_only")
        connection.exec_driver_sql(f"UPDATE record SET territory_id = {home} + 1 WHERE seq = {seq}")
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    measure(f"incidents lived here, {ACTS_OF_A_LIFE} acts each")
    with owner.begin() as connection:
        connection.exec_driver_sql(f"UPDATE record SET territory_id = {home} WHERE seq = {seq}")
        connection.exec_driver_sql("DELETE FROM incident_fact")
    measure("both together")
    # Evaluation reads facts alone: copies of those that were folded make a million.
    columns = ", ".join(each.name for each in IncidentFact.__table__.columns if each.name != "incident_id")
    facts, room = incidents + lives, max(EVALUATED - incidents - lives, 0)
    with owner.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO incident_fact (incident_id, {columns}) SELECT incident_id + {10**9} * copy::bigint, {columns}"
            f" FROM generate_series(1, {room // facts + 1}) AS copy, incident_fact LIMIT {room}"
        )
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE incident_fact"))
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
    lines.append(f"| the four after each other | {total:.2f} | {work:.2f} s of a core |")

    def at_once() -> Any:
        with db.transaction(chief) as session:
            backend = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            began = cpu_of(backend) + time.process_time()
            service.evaluate_all(session, chief, LAST - dt.timedelta(days=364), LAST, moment=dt.datetime.now(dt.UTC))
            return cpu_of(backend) + time.process_time() - began

    cpu, seconds = timed(at_once)
    lines.append(f"| all subjects at once | {seconds:.2f} | {cpu:.2f} s of a core |")
    head = (
        "# Evaluation: folding and counting\n\nWritten by `python -m tests.bench.bench_evaluation`;"
        f" {facts:,} generated incidents, {incidents:,} from a file and {lives:,} with their whole life in the"
        f" record, evaluated {max(facts, EVALUATED):,}; {os.cpu_count()} cores,"
        f" {platform.machine()}; wall time of client and server, one connection, load {os.getloadavg()[0]:.1f}"
        " when it ended.\n\n| What | Seconds | |\n|---|---|---|\n"
    )
    REPORT.write_text(head + "\n".join(lines) + "\n")
    sys.stdout.write(REPORT.read_text())
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
