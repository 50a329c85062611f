"""A million rows of CSV into PostGIS, checked, placed, indexed and recorded, against geopandas and ogr2ogr.

    .venv/bin/python tests/bench/bench_gate.py [rows] [--ours]
    .venv/bin/python tests/bench/bench_gate.py --files [--only PART]

The peers are brought to the same end state: a table with the properties, a point, the unit grid of each row, and the
same three indexes. They check nothing, keep no versions and record nothing. With ``--files`` every file of
``../shared/data`` is brought in, each into a territory of its own around it, and the table is written beside the other
figures.
"""

from __future__ import annotations

import argparse
import functools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

say = functools.partial(print, flush=True)
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.figures import FIGURES, SHORT  # noqa: E402

WEST, SOUTH, EAST, NORTH = -1.32, 50.66, -1.26, 50.70
KEY = "CREATE UNIQUE INDEX ON {0} (id); CREATE INDEX ON {0} USING gist (geometry); CREATE INDEX ON {0} (unit_grid_id);"


def write_csv(path: Path, rows: int) -> None:
    import numpy as np
    import pandas as pd

    draw = np.random.default_rng(58)
    pd.DataFrame({
        "id": [f"L{n:08d}" for n in range(rows)],
        "kind": draw.choice(["lamp", "manhole", "bench", "bin"], rows),
        "power": draw.integers(10, 400, rows),
        "height": draw.uniform(2, 12, rows).round(2),
        "built": pd.Timestamp("2001-01-01") + pd.to_timedelta(draw.integers(0, 9000, rows), unit="D"),
        "place": [f"Street {n % 5000}, near number {n % 97}" for n in range(rows)],
        "lon": draw.uniform(WEST, EAST, rows).round(6),
        "lat": draw.uniform(SOUTH, NORTH, rows).round(6),
    }).to_csv(path, index=False, date_format="%Y-%m-%d")  # fmt: skip


def ours(path: Path) -> tuple[float, object]:
    from app.data_gate import place_in
    from core.identity import system_actor
    from geodata import db
    from geodata.exchange_load import Intake, load_file
    from geodata.territory import find_territory

    with db.transaction(system_actor()) as session:
        territory = find_territory(session, "bench")
        actor = system_actor(territory.id)
        db.as_actor(session, actor)
        place_in(session, territory)(*(__import__("numpy").array([each]) for each in (WEST, SOUTH)))  # grids are read
        begun = time.perf_counter()
        done = load_file(session, actor, territory, path, Intake("lamps", place_in(session, territory)))
        session.commit()
    return time.perf_counter() - begun, done


def geopandas_(path: Path) -> float:
    import geopandas as gpd
    import pandas as pd
    from sqlalchemy import create_engine, text

    from geodata import db

    engine = create_engine(db.url(owner=True))
    begun = time.perf_counter()
    frame = pd.read_csv(path)
    shapes = gpd.points_from_xy(frame.pop("lon"), frame.pop("lat"), crs=4326)
    gpd.GeoDataFrame(frame, geometry=shapes).to_postgis("peer_geopandas", engine, if_exists="replace", index=False)
    _finish(engine, "peer_geopandas", text)
    return time.perf_counter() - begun


def ogr2ogr(path: Path) -> float | None:
    from sqlalchemy import create_engine, text

    from geodata import db
    from geodata.embedded import OWNER

    if shutil.which("ogr2ogr") is None:
        return None
    engine = create_engine(db.url(owner=True))
    begun = time.perf_counter()
    subprocess.run(
        ["ogr2ogr", "-f", "PostgreSQL", f"PG:{db.cluster().conninfo(OWNER)}", str(path), "-nln", "peer_ogr2ogr",
         "-overwrite", "-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat", "-oo", "AUTODETECT_TYPE=YES",
         "-a_srs", "EPSG:4326", "-lco", "GEOMETRY_NAME=geometry", "-lco", "SPATIAL_INDEX=NONE",
         "--config", "PG_USE_COPY", "YES"],
        check=True, env={**os.environ, "OGR_TRUNCATE": "NO"},
    )  # fmt: skip
    _finish(engine, "peer_ogr2ogr", text)
    return time.perf_counter() - begun


def _finish(engine, table: str, text) -> None:
    """Bring a peer's table to the same end state: the unit grid of each row, and the indexes."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        connection.execute(text(f"ALTER TABLE {table} ADD unit_grid_id integer"))
        connection.execute(text(
            f"UPDATE {table} AS t SET unit_grid_id = g.id FROM unit_grid AS g"
            " WHERE g.ended_on IS NULL AND ST_Covers(g.geom, t.geometry)"
        ))  # fmt: skip
        for statement in KEY.format(table).split(";")[:-1]:
            connection.execute(text(statement))


def make_territory_around(name: str, box: tuple[float, float, float, float], size_m: float) -> None:
    import shapely

    from core.identity import system_actor
    from geodata import db
    from geodata.territory import make_territory
    from grids.service import make_grid

    with db.transaction(system_actor()) as session:
        territory = make_territory(session, system_actor(), name, boundary=shapely.box(*box))
        actor = system_actor(territory.id)
        db.as_actor(session, actor)
        make_grid(session, actor, territory, kind="square", size_m=size_m)


def files(folder: Path, only: str) -> None:
    """Bring every file in, each into a territory around it; print a row of a table for each and keep the table."""
    import numpy as np
    import shapely

    from app.data_gate import place_in
    from core.errors import GridkeeperError
    from core.identity import system_actor
    from geodata import db
    from geodata.exchange import Chunk
    from geodata.exchange_load import Intake, load_file, slug
    from geodata.exchange_open import opened
    from geodata.exchange_place import in_wgs84, shapes_of
    from geodata.exchange_understand import Overrides, Told, understood
    from geodata.territory import find_territory

    lines = ["| file | rows in | loaded | duplicates | quarantined | placed | seconds | |",
             "|---|--:|--:|--:|--:|--:|--:|---|"]  # fmt: skip
    say("\n".join(lines))
    found = sorted(
        each
        for part in ("osm", "osm/streets", "demand", "demand/urban_centres", "incidents", "traffic")
        for each in (folder / part).iterdir()
        if each.is_file() and only in each.name
    )
    for number, path in enumerate(found):
        name = f"t{number}"
        try:
            box = (-1.0, 50.0, 1.0, 51.0)
            with db.transaction(system_actor()) as session, opened(path) as source:
                first: Chunk = next(iter(source.chunks()))
                any_place = find_territory(session, "bench")
                told = Told(path.name, over=Overrides(inside=False))
                spec = understood(session, any_place, source, told).spec
                if spec.places:
                    shapes = [in_wgs84(shapes_of(spec, each), spec, path.name) for each in (first, *source.chunks())]
                    bounds = np.vstack([shapely.bounds(each) for each in shapes])
                    bounds = bounds[np.isfinite(bounds).all(axis=1) & (np.abs(bounds) <= 180).all(axis=1)]
                    low, high = np.percentile(bounds[:, :2], 0.1, axis=0), np.percentile(bounds[:, 2:], 99.9, axis=0)
                    box = (*(low - 0.01), *(high + 0.01))
            span = max(box[2] - box[0], box[3] - box[1])
            make_territory_around(name, box, max(500.0, span * 111_000 / 60))
            with db.transaction(system_actor()) as session:
                territory = find_territory(session, name)
                actor = system_actor(territory.id)
                db.as_actor(session, actor)
                place = place_in(session, territory)
                done = load_file(session, actor, territory, path, Intake(slug(path.stem), place))
            shown = path.relative_to(folder)
            lines.append(
                f"| {shown} | {done.read:,} | {done.loaded:,} | {done.duplicates:,} | {done.rejected:,}"
                f" | {done.placed:,} | {done.seconds:.1f} | {done.form}{', ' + done.crs[:20] if done.crs else ''} |",
            )
        except (GridkeeperError, StopIteration) as error:
            lines.append(f"| {path.relative_to(folder)} | | | | | | | refused: {str(error)[:160]} |")
        say(lines[-1])
    if not only:
        FIGURES.mkdir(parents=True, exist_ok=True)
        head = (
            "# Every shared file through the gate into PostGIS\n\nBy `tests/bench/bench_gate.py --files`; each into a"
        )
        head += " territory around it, with grids; seconds are wall time of the load.\n\n"
        (FIGURES / "gate_files.md").write_text(head + "\n".join(lines) + "\n")


def compare(path: Path, rows: int, *, alone: bool) -> None:
    """Bring a file in by each program, one after the other; print the figures and keep them as a table."""
    write_csv(path, rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(f"{rows:,} rows, {path.stat().st_size >> 20} MB; {before >> 10} MB held before")
    begun = time.process_time()
    seconds, done = ours(path)
    cpu, held = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(f"gate {seconds:.1f} s ({cpu:.1f} s CPU of ours), {rows / seconds:,.0f} rows/s, most memory {held >> 10} MB:"
        f" {done.loaded:,} loaded, {done.rejected:,} rejected, {done.placed:,} placed")  # fmt: skip
    if alone:
        return
    peers = {}
    for name, bring in (("pandas.read_csv + to_postgis", geopandas_), ("ogr2ogr", ogr2ogr)):
        peers[name] = bring(path)
        say(f"{name} {peers[name]:.1f} s" if peers[name] is not None else f"{name} is not installed")
    lines = ["| program | seconds | the gate is |", "|---|--:|--:|", f"| gate | {seconds:.1f} | |"]
    lines += [f"| {name} | {each:.1f} | {each / seconds:.2f} times as fast |" for name, each in peers.items() if each]
    FIGURES.mkdir(parents=True, exist_ok=True)
    head = f"# {rows:,} rows of CSV into PostGIS\n\nBy `tests/bench/bench_gate.py`; all brought to the same end state"
    head += " (properties, point, unit grid, unique key, GiST, index of the grid), wall seconds of one run.\n\n"
    (FIGURES / "bench_gate.md").write_text(head + "\n".join(lines) + "\n")


def main() -> None:
    """Measure, in a state folder of its own that goes away."""
    asked = argparse.ArgumentParser()
    asked.add_argument("rows", type=int, nargs="?", default=50_000 if SHORT else 1_000_000)
    asked.add_argument("--files", action="store_true")
    asked.add_argument("--ours", action="store_true", help="Without the peers; says the most memory that was held.")
    asked.add_argument("--only", default="", help="Of the files those whose name holds this.")
    given = asked.parse_args()
    if os.environ.get("BENCH_SHORT"):
        given.rows = min(given.rows, 50_000)
    folder = Path(tempfile.mkdtemp(prefix="gk-bench-gate-"))
    folder.chmod(0o755)
    os.environ["GRIDKEEPER_STATE_DIR"] = str(folder)
    from geodata import db

    try:
        db.ensure_database()
        make_territory_around("bench", (WEST - 0.001, SOUTH - 0.001, EAST + 0.001, NORTH + 0.001), 100)
        if given.files:
            files(ROOT.parent / "shared" / "data", given.only)
            return
        compare(folder / "lamps.csv", given.rows, alone=given.ours)
    finally:
        db.engine().dispose()
        db.cluster().down()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
