"""A million rows that leave as files, and features over the OGC API: ``python tests/bench/bench_give.py [ROWS]``.

Each format is written by a process of its own, whose memory and CPU are measured, and the database's CPU beside it;
geopandas and ogr2ogr bring the same rows to the same formats. Questions to the interface go over a socket, as another
system asks them. About eight minutes for a million rows on a quiet machine of two cores.
"""

from __future__ import annotations

import json
import math
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.figures import FIGURES, SHORT

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdecimal() else 50_000 if SHORT else 1_000_000
KEY = "set-readings"
ASKED = 40 if SHORT else 200
EACH_S = 150
"""No writer gets longer; what takes longer is told so."""
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
    """Write one file; say by how much the process grew over what it was with everything imported, in MiB."""
    import geopandas as gpd
    import pyarrow.parquet  # noqa: F401
    import pyogrio  # noqa: F401

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
        "grew": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }
    sys.stdout.write(json.dumps(told) + "\n")


@dataclass(frozen=True)
class Written:
    """One file written: seconds of the wall, of the writer's CPU and of the database's, MiB grown and of the file."""

    seconds: float
    cpu: float
    served: float
    grew: float
    size: float


def server_cpu() -> float:
    """Return the CPU seconds of the database so far: the postmaster, all it has started and all that have ended."""
    from geodata import db

    keeper = int((db.cluster().data / "postmaster.pid").read_text().splitlines()[0])
    ticks = 0
    for folder in Path("/proc").iterdir():
        try:
            parts = (folder / "stat").read_text().rpartition(")")[2].split() if folder.name.isdecimal() else []
        except OSError:
            continue
        if parts and int(folder.name) == keeper:
            ticks += sum(map(int, parts[11:15]))
        elif parts and int(parts[1]) == keeper:
            ticks += int(parts[11]) + int(parts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def ogr_command(form: str, path: Path) -> tuple[list[str], dict[str, str]] | None:
    """Return how ogr2ogr writes the same; None where it cannot."""
    from geodata import db
    from geodata.embedded import APP, PORT

    program = shutil.which("ogr2ogr")
    driver = {"csv": "CSV", "geojson": "GeoJSON", "gpkg": "GPKG", "parquet": "Parquet"}[form]
    known = subprocess.run([program, "--formats"], capture_output=True, text=True, check=True).stdout if program else ""
    if program is None or f" {driver} -" not in known:
        return None
    more = ["-lco", "GEOMETRY=AS_XY"] if form == "csv" else []
    at = f"PG:host={db.cluster().socket_dir} port={PORT} user={APP} dbname=gridkeeper"
    actor = supervisor()
    settings = f"-c gridkeeper.role=supervisor -c gridkeeper.territory={actor.territory_id}"  # type: ignore[attr-defined]
    command = [program, "-q", "-f", driver, str(path), at, "-sql", PEER_SQL, "-nln", "readings", *more]
    return command, {"PGOPTIONS": settings}


def write_one(way: str, form: str, path: Path) -> Written | str:
    """Write one file by one way, or return why not."""
    command, more = [sys.executable, "-W", "ignore", __file__, "child", way, form, str(path)], dict[str, str]()
    if way == "ogr2ogr":
        made = ogr_command(form, path)
        if made is None:
            return "no driver for it here"
        command, more = made
    served, began, spent = server_cpu(), time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=EACH_S, env=os.environ | more
        )
    except subprocess.TimeoutExpired:
        return f"not done after {EACH_S} s"
    if done.returncode:
        sys.stderr.write(done.stderr[-600:])
        return "failed"
    took, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime
    told = {"seconds": took, "cpu": used, "grew": float("nan")}
    if way != "ogr2ogr":
        told = json.loads(done.stdout.splitlines()[-1])
    time.sleep(0.3)  # a connection that is closed is counted when its process is gone
    return Written(told["seconds"], told["cpu"], server_cpu() - served, told["grew"], path.stat().st_size / 2**20)


def files(folder: Path) -> list[str]:
    """Return the lines of the table of files."""
    lines = []
    for form in ("csv", "geojson", "parquet", "gpkg"):
        for way in ("ours", "geopandas", "ogr2ogr"):
            path = folder / f"{way}.{form}"
            made = write_one(way, form, path)
            path.unlink(missing_ok=True)
            if isinstance(made, str):
                lines.append(f"| {form} | {way} | {made} | | | | | |")
            else:
                grew = "" if math.isnan(made.grew) else f"{made.grew:,.0f}"
                lines.append(
                    f"| {form} | {way} | {made.seconds:.1f} | {ROWS / made.seconds:,.0f} | {made.cpu:.1f} |"
                    f" {made.served:.1f} | {grew} | {made.size:,.0f} |"
                )
            sys.stderr.write(lines[-1] + "\n")
    return lines


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


def versions() -> str:
    """Return what is measured against."""
    import geopandas
    import pyogrio

    program = shutil.which("ogr2ogr")
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout if program else ""
    beside = told.partition(",")[0] or "no ogr2ogr"
    return f"geopandas {geopandas.__version__}, pyogrio {pyogrio.__version__}, ogr2ogr of {beside}"


def main() -> None:
    """Measure, and write docs/figures/bench_give.md."""
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="gk-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.environ |= {"GRIDKEEPER_STATE_DIR": str(folder / "state"), "GRIDKEEPER_DURABLE": "false"}
        from geodata import db

        prepare(folder)
        rows = files(folder)
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
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},",
        f"{versions()}; load {busy:.1f} before, {os.getloadavg()[0]:.1f} after. One run each. Wall seconds with the",
        "database's part; CPU seconds of the writing process, and of the database beside it; memory that the writer",
        "grew by over what it was with everything imported. geopandas reads all rows first; it and ogr2ogr leave",
        "formulas in",
        "CSV alive, and neither names, checks nor records who took what.",
        "",
        "| Format | By | Seconds | Rows a second | CPU s | Database CPU s | Memory grew, MiB | File, MiB |",
        "|---|---|---|---|---|---|---|---|",
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
