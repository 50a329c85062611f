"""OSM extract to PostGIS, against osmnx reading the same objects into memory, in the same run.

Each measurement is a process of its own; the median of several counts. osmnx reads XML only, so the extracts are
converted before the clock starts. Writes docs/figures/bench_osm.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import osmium
from figures import FIGURES, SHORT, left_out

from geodata.osm_roadtags import road_class_of

ROOT = Path(__file__).resolve().parents[2]
REPORT = FIGURES / "bench_osm.md"
SHARED = ROOT.parent / "shared" / "data" / "osm"
ISLAND = (-1.60, 50.57, -1.06, 50.78)
TICKS = os.sysconf("SC_CLK_TCK")


COLUMNS = (
    "extract",
    "rows written",
    "CPU s: reading, sorting out, COPY",
    "CPU s: PostgreSQL",
    "wall s",
    "osmnx: edges, features",
    "CPU s: graph_from_xml",
    "CPU s: features_from_xml",
    "times faster, client",
    "times faster, with PostgreSQL",
)


def convert(source: Path, folder: Path) -> tuple[Path, Path]:
    """Write the same objects as XML and as PBF, and beside the XML one of the roads alone.

    Ways with missing nodes stop osmnx, so both go without; and its graph takes every way for a street, so it is
    given the roads only.
    """
    xml, pbf, roads = folder / "same.osm", folder / "same.osm.pbf", folder / "same.roads.osm"
    present: set[int] = set()
    on_roads: set[int] = set()
    with (
        osmium.SimpleWriter(str(xml), overwrite=True) as plain,
        osmium.SimpleWriter(str(pbf), overwrite=True) as packed,
    ):
        for thing in osmium.FileProcessor(str(source)):
            if thing.is_node():
                present.add(thing.id)
            elif thing.is_way():
                refs = [node.ref for node in thing.nodes]
                if not present.issuperset(refs):
                    continue
                if road_class_of(thing.tags) is not None:
                    on_roads.update(refs)
            plain.add(thing)
            packed.add(thing)
    with osmium.SimpleWriter(str(roads), overwrite=True) as streets:
        for thing in osmium.FileProcessor(str(xml)):
            if (thing.is_node() and thing.id in on_roads) or (thing.is_way() and road_class_of(thing.tags) is not None):
                streets.add(thing)
    return xml, pbf


def ours(path: Path, name: str) -> dict[str, float]:
    """Load into PostGIS; CPU seconds of this process and of its database backend, and wall seconds."""
    import shapely
    from sqlalchemy import text

    from core.identity import system_actor
    from geodata import db
    from geodata.osm import load_osm_as_territory

    box = shapely.box(*ISLAND) if "wight" in name else None
    with db.transaction(system_actor()) as session:
        backend = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        wall, client, server = time.perf_counter(), time.process_time(), cpu_of(backend)
        _, counts = load_osm_as_territory(session, system_actor(), name, path, box=box)
        session.flush()
        result = {
            "client_s": time.process_time() - client,
            "server_s": cpu_of(backend) - server,
            "wall_s": time.perf_counter() - wall,
            "roads": counts.roads,
            "things": counts.facilities + counts.buildings + counts.land_cover,
        }
        session.rollback()
    return result


def theirs(path: Path) -> dict[str, float]:
    """Read graph and features with osmnx; CPU and wall seconds. Nothing is written anywhere."""
    import osmnx

    from geodata.osm_facilities import FACILITY_KEYS
    from geodata.osm_landuse import COVER_KEYS

    tags = dict.fromkeys(("building", "place", "boundary", *COVER_KEYS, *FACILITY_KEYS), True)
    tags["highway"] = ["bus_stop"]
    wall, client = time.perf_counter(), time.process_time()
    graph = osmnx.graph_from_xml(path.with_suffix(".roads.osm"), retain_all=True)
    middle = time.process_time()
    features = osmnx.features_from_xml(path, tags=tags)
    return {
        "graph_s": middle - client,
        "features_s": time.process_time() - middle,
        "wall_s": time.perf_counter() - wall,
        "roads": graph.number_of_edges(),
        "things": len(features),
    }


def cpu_of(process: int) -> float:
    """Return the CPU seconds of another process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run(what: str, path: Path, name: str) -> dict[str, float]:
    """Measure once in a process of its own."""
    command = [sys.executable, __file__, what, str(path), name]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def middle(results: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each number."""
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def main() -> None:
    """Measure all extracts there are and write the table."""
    with tempfile.TemporaryDirectory(prefix="gk-bench-") as state:
        Path(state).chmod(0o755)
        os.environ |= {"GRIDKEEPER_STATE_DIR": state}
        from geodata import db
        from geodata.extracts import fetch_extract

        db.ensure_database()
        try:
            liechtenstein = SHARED / "liechtenstein_valhalla.osm.pbf"
            cities = [] if SHORT else [("helsinki-centre", fetch_extract("helsinki-centre"), 5)]
            if liechtenstein.exists():
                cities.append(("liechtenstein", liechtenstein, 1 if SHORT else 3))
            elif SHORT:
                left_out("../shared/data/osm is absent")
            if "--all" in sys.argv:
                # osmnx takes minutes and several GB for this one.
                cities.append(("isle-of-wight", fetch_extract("isle-of-wight"), 1))
            rows = [row_of(name, source, rounds, Path(state)) for name, source, rounds in cities]
        finally:
            db.cluster().down()
    table = "\n".join(["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS), *rows])
    names = ("osmium", "osmnx", "shapely", "geopandas", "numpy", "pandas", "psycopg")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    machine = f"{os.cpu_count()} × {cpu_name()}; Python {platform.python_version()}, {versions}"
    text = f"""# OSM extract to PostGIS: speed

Median CPU seconds on {machine}.
Made by `make bench` (the Isle of Wight by `python tests/bench/bench_osm.py --all`).

Ours reads the extract, finds the territory, cuts the roads at junctions, estimates people and writes all of it to
PostGIS with its indexes and the record. osmnx reads the same objects from XML into memory (the graph from a file of
the roads alone, as it takes every way for a street) and writes nothing.

{table}
"""
    sys.stdout.write(text)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(text)


def row_of(name: str, source: Path, rounds: int, folder: Path) -> str:
    """Measure one extract and return its row of the table."""
    xml, pbf = convert(source, folder)
    mine = middle([run("ours", pbf, name) for _ in range(rounds)])
    peer = middle([run("theirs", xml, name) for _ in range(rounds)])
    whole = peer["graph_s"] + peer["features_s"]
    cells = (
        name,
        f"{mine['roads']:,.0f} roads, {mine['things']:,.0f} others",
        *(f"{mine[key]:.2f}" for key in ("client_s", "server_s", "wall_s")),
        f"{peer['roads']:,.0f}, {peer['things']:,.0f}",
        *(f"{peer[key]:.2f}" for key in ("graph_s", "features_s")),
        f"{whole / mine['client_s']:.1f}",
        f"{whole / (mine['client_s'] + mine['server_s']):.1f}",
    )
    return "| " + " | ".join(cells) + " |"


def cpu_name() -> str:
    """Return the processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measured = ours(Path(sys.argv[2]), sys.argv[3]) if sys.argv[1] == "ours" else theirs(Path(sys.argv[2]))
        sys.stdout.write(json.dumps(measured) + "\n")
    else:
        main()
