"""A million rows that leave as files, and features over the OGC API: ``python tests/bench/bench_give.py [ROWS]``.

Each format is written by a process of its own, whose memory is measured; geopandas brings the same rows to the same
formats beside it. Questions to the interface go over a socket, as another system asks them.
"""

from __future__ import annotations

import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.figures import FIGURES, SHORT

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdecimal() else 50_000 if SHORT else 1_000_000
KEY = "set-readings"
ASKED = 40 if SHORT else 200
FILL = """
INSERT INTO data_set_row_{d} (data_set_id, row_key, batch_id, row_number, content_hash, properties, geom, valid_from)
SELECT {d}, 'R' || lpad(n::text, 8, '0'), {b}, n, '\\x00', jsonb_build_object('sensor', 'R' || lpad(n::text, 8, '0'),
    'place', 'Street ' || n % 977 || ' 街道', 'value', round((random() * 100)::numeric, 3), 'count', n % 4001,
    'open', n % 3 = 0, 'seen_at', '2026-03-01T00:00:00Z'::timestamptz + n * interval '1 second', 'note', '=SUM(A1)'),
    ST_SetSRID(ST_MakePoint(-1.30 + random() * 0.02, 50.69 + random() * 0.012), 4326), now()
FROM generate_series(1, {rows}) AS n
"""
FIELDS = [
    {"name": "sensor", "type": "text"}, {"name": "place", "type": "text"}, {"name": "value", "type": "number"},
    {"name": "count", "type": "integer"}, {"name": "open", "type": "boolean"}, {"name": "seen_at", "type": "datetime"},
    {"name": "note", "type": "text"},
]  # fmt: skip
PEER_SQL = """
SELECT properties ->> 'sensor' AS sensor, properties ->> 'place' AS place, (properties ->> 'value')::float8 AS value,
    (properties ->> 'count')::bigint AS count, (properties ->> 'open')::boolean AS open,
    (properties ->> 'seen_at')::timestamptz AS seen_at, properties ->> 'note' AS note, geom
FROM data_set_row WHERE valid_to IS NULL
"""


def prepare(folder: Path) -> None:
    """Load the small town and one data set of so many rows."""
    from sqlalchemy import text

    from core.identity import system_actor
    from geodata import db
    from tests.demo_city import load_tiny_town

    db.ensure_database()
    load_tiny_town(folder, incidents=500)
    with db.transaction(system_actor()) as session:
        home = session.scalar(text("SELECT id FROM territory"))
        number = session.scalar(
            text(
                "INSERT INTO data_set (territory_id, key, title, kind, geometry_type, fields) VALUES"
                " (:t, 'readings', 'Readings', 'places', 'Point', CAST(:f AS jsonb)) RETURNING id"
            ),
            {"t": home, "f": json.dumps(FIELDS)},
        )
        batch = session.scalar(
            text(
                "INSERT INTO data_batch (territory_id, data_set_id, file_name, sha256, status, loaded_label)"
                " VALUES (:t, :d, 'x', 'x', 'loaded', 'x') RETURNING id"
            ),
            {"t": home, "d": number},
        )
        session.execute(text("SELECT gk_data_set_table(:d)"), {"d": number})
        session.execute(text(FILL.format(d=number, b=batch, rows=ROWS)))
        session.execute(text("SELECT gk_data_set_attach(:d)"), {"d": number}).all()


def supervisor() -> object:
    """Return the supervisor of the small town."""
    from core.identity import Role, system_actor
    from geodata import db
    from people import accounts

    with db.transaction(system_actor()) as session:
        return next(a.actor() for a in accounts.demo_accounts(session) if a.role is Role.SUPERVISOR)


def child(way: str, form: str, path: str) -> None:
    """Write one file and say how long it took and by how much the process grew, in MiB."""
    import geopandas as gpd

    from app.api.export import take
    from geodata import db

    actor = supervisor()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    if way == "ours":
        take(actor, KEY, form, Path(path))  # type: ignore[arg-type]
    else:
        with db.transaction(actor) as session:  # type: ignore[arg-type]
            frame = gpd.read_postgis(PEER_SQL, session.connection(), geom_col="geom")
        if form == "csv":
            frame.assign(lon=frame.geom.x, lat=frame.geom.y).drop(columns="geom").to_csv(path, index=False)
        elif form == "parquet":
            frame.to_parquet(path)
        else:
            frame.to_file(path, driver={"gpkg": "GPKG", "geojson": "GeoJSON"}[form])
    told = {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "size": Path(path).stat().st_size / 2**20,
    }
    sys.stdout.write(json.dumps(told) + "\n")


def interface() -> dict[str, list[float]]:
    """Return milliseconds a question, by what was asked."""
    import httpx
    import uvicorn
    from starlette.applications import Starlette

    from app import routes
    from geodata import db
    from people import tokens
    from tests.serving import free_port

    actor = supervisor()
    with db.transaction(actor) as session:  # type: ignore[arg-type]
        secret = tokens.issue(session, actor, name="bench").secret  # type: ignore[arg-type]
    port = free_port()
    app = Starlette(routes=routes.routes, middleware=routes.middleware)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    draw = random.Random(7)
    found: dict[str, list[float]] = {}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}/ogc",
        headers={"authorization": f"Bearer {secret}"},
        timeout=60,
        trust_env=False,
    ) as client:
        for at in range(ASKED):
            west, south = -1.30 + draw.random() * 0.019, 50.69 + draw.random() * 0.011
            box = f"bbox={west},{south},{west + 0.0005},{south + 0.0004}"
            after = f"after=R{draw.randrange(ROWS):08}"
            row = draw.randrange(4000)
            tile = f"{draw.randrange(32534, 32536)}"
            for name, path in (
                ("100 features in a box", f"collections/{KEY}/items?limit=100&{box}"),
                ("the next 100 features", f"collections/{KEY}/items?limit=100&{after}"),
                ("the next 10,000 features", f"collections/{KEY}/items?limit=10000&{after}"),
                ("100 features by a column", f"collections/{KEY}/items?limit=100&count={row}&after=R00000000"),
                ("one feature", f"collections/{KEY}/items/R{draw.randrange(1, ROWS):08}"),
                ("100 incidents in a box", f"collections/incidents/items?limit=100&{box}"),
                (
                    "a tile at zoom 16",
                    f"collections/{KEY}/tiles/WebMercatorQuad/16/{draw.randrange(22112, 22116)}/{tile}",
                ),
            ):
                if "10,000" in name and at % 10:
                    continue
                start = time.perf_counter()
                answer = client.get(path)
                found.setdefault(name, []).append(1000 * (time.perf_counter() - start))
                if answer.status_code not in {200, 204}:
                    sys.stderr.write(f"{path}: {answer.status_code} {answer.text[:200]}\n")
    server.should_exit = True
    thread.join(30)
    return found


def main() -> None:
    """Measure, and write docs/figures/bench_give.md."""
    with tempfile.TemporaryDirectory(prefix="gk-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.environ |= {"GRIDKEEPER_STATE_DIR": str(folder / "state"), "GRIDKEEPER_DURABLE": "false"}
        from geodata import db

        prepare(folder)
        rows = []
        for form in ("csv", "geojson", "parquet", "gpkg"):
            for way in ("ours", "geopandas"):
                path = folder / f"{way}.{form}"
                done = subprocess.run(
                    [sys.executable, "-W", "ignore", __file__, "child", way, form, str(path)],
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
                path.unlink(missing_ok=True)
                if done.returncode:
                    rows.append(f"| {form} | {way} | failed | | | |")
                    sys.stderr.write(done.stderr[-400:])
                    continue
                told = json.loads(done.stdout.splitlines()[-1])
                rate = ROWS / told["seconds"]
                rows.append(
                    f"| {form} | {way} | {told['seconds']:.1f} | {rate:,.0f} | {told['cpu']:.1f} | {told['mib']:,.0f} |"
                    f" {told['size']:,.0f} |"
                )
                sys.stderr.write(rows[-1] + "\n")
        asked = interface()
        db.cluster().down()
    times = [
        f"| {name} | {statistics.median(each):.1f} | {sorted(each)[int(len(each) * 0.95) - 1]:.1f} | {len(each)} |"
        for name, each in asked.items()
    ]
    report = [
        "# Data that leave, and the OGC API",
        "",
        f"{ROWS:,} rows of a data set with seven columns and a point, by `python tests/bench/bench_give.py`.",
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()};",
        "other work ran on the machine. Wall seconds with the database's part; CPU seconds and growth of memory are",
        "of the writing process alone. geopandas reads all rows first and leaves formulas in CSV alive.",
        "",
        "| Format | By | Seconds | Rows a second | CPU s | Memory grew, MiB | File, MiB |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Questions to the interface over a socket, the same rows, one at a time, with token and row-level security:",
        "",
        "| Question | Median ms | p95 ms | Asked |",
        "|---|---|---|---|",
        *times,
        "",
    ]
    (FIGURES / "bench_give.md").write_text("\n".join(report))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:5])
    else:
        main()
