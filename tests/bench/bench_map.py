"""The city map with a million incidents, against plain folium GeoJSON of the same cells, in one run.

A synthetic city (big_city.py) in a throw-away cluster; headless Chromium measures from opening the page to the drawn
map, filter changes, pans and zooms; tiles go over HTTP one after the other; twenty light clients come at once. Beside
the wall clock stands what the server used of the CPU. Writes docs/figures/bench_map.md. BENCH_STATE names a state
folder that holds the city already; without it the city is made, which takes seven minutes more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

from desk_users import p95, together
from figures import FIGURES, SHORT
from map_costs import costs

ROOT = Path(__file__).resolve().parents[2]
REPORT = FIGURES / "bench_map.md"
RUNS = int(os.environ.get("BENCH_RUNS", "1" if SHORT else "3"))
SIDE, INCIDENTS = (64, 30_000) if SHORT else (316, 1_000_000)
USERS = 20
ACCOUNT = "dispatcher@tiny-town"
PEER_MOST_S = 180
QUIET_LOAD = 2.5
"""Up to here a machine with two cores has not been busy with other things."""
READY = ".leaflet-container[data-painted][data-cells][data-ground]"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
STREAMLIT = ("/_stcore", "/static", "/component", "/~/", "/media")


@contextlib.contextmanager
def served(script: Path | str, folder: Path) -> Iterator[tuple[str, int]]:
    """Serve a Streamlit script and yield its address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with (folder / f"{port}.log").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    url = f"http://localhost:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/_stcore/health").status_code == 200:
                    break
            time.sleep(0.2)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(20)


def used(pid: int) -> tuple[float, float]:
    """Return CPU seconds and the highest resident MiB of a process."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) / 1024


def settled(page: Page, act: str) -> float:
    """Return the seconds until the map has drawn all tiles after a statement in its frame."""
    frame = next(each for each in page.frames if "st_folium" in each.url or "streamlit_folium" in each.url)
    return float(
        frame.evaluate(
            "async (act) => { const map = GridkeeperMap.leaflet(); const began = performance.now(); eval(act);"
            " await new Promise((done) => {"
            " const look = () => GridkeeperMap.busy() ? requestAnimationFrame(look) : done();"
            " setTimeout(look, 30); }); return performance.now() - began; }",
            act,
        )
        / 1000
    )


def our_visit(page: Page, url: str, pid: int, found: dict[str, list[Any]]) -> None:
    """Open the map as a fresh visitor and use it; every figure is added to ``found``."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.request.post(f"{url}/login", form={"demo": ACCOUNT}, headers={"origin": url})
    cpu, began = used(pid)[0], time.perf_counter()
    page.goto(f"{url}/map")
    frame = page.frame_locator("iframe[title*='st_folium']")
    frame.locator(READY).wait_for()
    found["first"].append(time.perf_counter() - began)
    found["first_cpu"].append(used(pid)[0] - cpu)
    inside = next(each for each in page.frames if "st_folium" in each.url or "streamlit_folium" in each.url)
    found["browser"].append(inside.evaluate("(GridkeeperMap.timing.painted - GridkeeperMap.timing.attached) / 1000"))
    paths = [urlsplit(one).path for one in asked]
    ours = [one for one in paths if not one.startswith((*STREAMLIT, "/tiles")) and "/_stcore" not in one]
    found["requests"].append(len(ours))
    found["asked"].append(sorted(ours))
    found["first_tiles"].append(sum(path.startswith("/tiles") for path in paths))
    found["outside"].append(sum(urlsplit(one).hostname not in {"localhost", None} for one in asked if "://" in one))
    for name, metric in (("Open now", "open"), ("Incidents reported", "reported")):
        page.wait_for_timeout(500)
        page.get_by_label("Fill grids by").click()
        option = page.get_by_role("option", name=name)
        option.wait_for()
        asked.clear()
        cpu, began = used(pid)[0], time.perf_counter()
        option.click()
        inside.wait_for_function(
            "metric => GridkeeperMap.state.pushed.values.includes(`metric=${metric}&`)"
            " && GridkeeperMap.timing.painted > GridkeeperMap.timing.pushed",
            arg=metric,
        )
        found["filter"].append(time.perf_counter() - began)
        found["filter_cpu"].append(used(pid)[0] - cpu)
        found["filter_tiles"].append(sum(urlsplit(one).path.startswith("/tiles") for one in asked))
    for name, act in (
        ("zoom", "map.setZoom(13, {animate: false})"),
        ("pan", "map.panBy([600, 0], {animate: false})"),
        ("near", "map.setZoom(16, {animate: false})"),
        ("pan", "map.panBy([500, 100], {animate: false})"),
    ):
        found[name].append(settled(page, act))
    more = "{...GridkeeperMap.state.pushed.visible, traffic: true, heat: true}"
    turn_on = f"GridkeeperMap.update({{...GridkeeperMap.state.pushed, visible: {more}}})"
    settled(page, f"map.setZoom(13, {{animate: false}}); {turn_on}")
    for act in ("map.panBy([600, 0], {animate: false})", "map.panBy([-600, 300], {animate: false})"):
        found["heavy"].append(settled(page, act))


def peer_visit(page: Page, url: str) -> float:
    """Return seconds to the first map of the peer; infinite when it is not ready in time."""
    from playwright.sync_api import TimeoutError as TooSlow

    began = time.perf_counter()
    try:
        page.goto(url, timeout=PEER_MOST_S * 1000)
        page.locator("body[data-ready='reported']").wait_for(timeout=PEER_MOST_S * 1000)
    except TooSlow:
        return float("inf")
    return time.perf_counter() - began


def tile_paths(territory: int, box: tuple[float, float, float, float], *, each: int = 9) -> list[str]:
    """Return the addresses of tiles of all layers in a box, so many of each zoom."""
    from core.identity import ALLOWED, Role
    from layers.registry import layer_entries
    from layers.tiles import tiles_of

    return [
        f"/tiles/{territory}/{entry.key}/{tile.z}/{tile.x}/{tile.y}.mvt"
        for entry in layer_entries().values()
        for z in (12, 13, 14, 15)
        if entry.statement is not None and Role.DISPATCHER in ALLOWED[entry.capability]
        if entry.zooms[0] <= z <= entry.zooms[1]
        for tile in tiles_of(box, z)[:each]
    ]


def tile_times(url: str, paths: list[str]) -> tuple[list[float], list[float]]:
    """Return seconds of tiles never asked for before, and of the same tiles asked for again."""
    client = httpx.Client(base_url=url, timeout=60)
    client.post("/login", data={"demo": ACCOUNT}, headers={"origin": url})
    passes = []
    for _ in range(2):
        times = []
        for path in paths:
            began = time.perf_counter()
            client.get(path).raise_for_status()
            times.append(time.perf_counter() - began)
        passes.append(times)
    return passes[0], passes[1]


def desk(territory: int) -> list[str]:
    """Return the addresses that a first map of the whole city asks for."""
    import datetime as dt

    from big_city import NORTH, STEP_LAT, STEP_LON, WEST

    from layers.tiles import tiles_of

    last = dt.datetime.now(dt.UTC).date()
    span = f"metric=reported&from={last - dt.timedelta(days=89)}&to={last}&status=open"
    box = (WEST, NORTH - SIDE * STEP_LAT, WEST + SIDE * STEP_LON, NORTH)
    tiles = [
        f"/tiles/{territory}/{layer}/{key.z}/{key.x}/{key.y}.mvt"
        for layer in ("basemap", "responsibility")
        for key in tiles_of(box, 10)
    ]
    return [f"/api/values?{span}&by=responsibility", f"/api/values?{span}", "/api/cells", *tiles]


def measure(folder: Path) -> dict[str, Any]:
    """Return all figures; lists are of single runs."""
    import big_city
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {name: [] for name in NAMES}
    territory = find_or_load(folder)
    found["load"] = [os.getloadavg()[0]]
    found["costs"] = costs(territory)
    peer_app = folder / "peer_app.py"
    peer_app.write_text(
        textwrap.dedent(f"""
            import sys
            sys.path.insert(0, {str(ROOT)!r})
            import streamlit as st
            from app.api.assets import routes
            app = st.App({str(ROOT / "tests" / "bench" / "peer_folium_map.py")!r}, routes=routes)
        """)
    )
    middle = SIDE // 2 - 8
    lon, lat = big_city.WEST + big_city.STEP_LON * middle, big_city.NORTH - big_city.STEP_LAT * middle
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        with served("streamlit_app.py", folder) as (url, pid):
            for run in range(RUNS + 1):
                once: dict[str, Any] = {name: [] for name in NAMES}
                with visitor(browser) as page:
                    our_visit(page, url, pid, once)
                sys.stderr.write(f"visit {run}: {once}\n"[:400] + "\n")
                if run:  # the first one warms the server
                    for name, values in once.items():
                        found[name] += values
            found["new"], found["cached"] = tile_times(url, tile_paths(territory, (lon, lat, lon + 0.12, lat + 0.09)))
            cpu = used(pid)[0]
            with ThreadPoolExecutor(1) as apart:  # Playwright's own loop runs in this thread
                found["users"] = apart.submit(asyncio.run, together(url, ACCOUNT, desk(territory), USERS)).result()
            found["users_cpu"] = [used(pid)[0] - cpu]
            found["memory"] = [used(pid)[1]]
        found["load"].append(os.getloadavg()[0])
        with served(peer_app, folder) as (url, pid), visitor(browser) as page:
            found["peer_first"] = [peer_visit(page, url)]
            found["peer_cpu"] = [used(pid)[0]]
        browser.close()
    return found


NAMES = (
    *("first", "first_cpu", "browser", "requests", "first_tiles", "outside", "filter", "filter_cpu", "filter_tiles"),
    *("zoom", "near", "pan", "heavy", "asked"),
)


@contextlib.contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """Yield a page of a fresh visitor."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(180_000)
    yield page
    context.close()


def find_or_load(folder: Path) -> int:
    """Return the territory of the city, made in a state folder of its own unless one is named that holds it."""
    import big_city

    ready = os.environ.get("BENCH_STATE")
    os.environ["GRIDKEEPER_STATE_DIR"] = ready or str(folder / "state")
    from core.identity import system_actor
    from geodata import db
    from geodata.territory import list_territories

    db.ensure_database()
    territory = 0
    if ready:
        with db.transaction(system_actor()) as session:
            territory = next(each.id for each in list_territories(session) if each.name == big_city.NAME)
    territory = territory or big_city.load(folder, side=SIDE, incidents=INCIDENTS)
    os.environ["BENCH_TERRITORY"] = str(territory)
    return territory


def report(found: dict[str, Any]) -> str:
    """Return the figures as a page."""

    def row(name: str, value: float, goal: float | None, unit: str = " s", digits: int = 2) -> str:
        met = "" if goal is None else f"{'met' if value <= goal else 'missed'} (≤ {goal:g}{unit})"
        return f"| {name} | {value:.{digits}f}{unit} | {met} |"

    def middle(name: str) -> float:
        return statistics.median(found[name])

    peer = found["peer_first"][0]
    told = f"not ready within {PEER_MOST_S} s" if peer == float("inf") else f"{peer:.1f} s"
    busy = max(found["load"])
    quiet = f"Load {found['load'][0]:.1f} at the beginning and {found['load'][1]:.1f} at the end of our part" + (
        ": two cores to ourselves." if busy <= QUIET_LOAD else ": **not a quiet machine**, CPU says more than wall."
    )
    lines = [
        "# The city map with a million incidents",
        "",
        (
            f"A synthetic city: {SIDE**2:,} unit grids in 1,600 responsibility grids, {INCIDENTS:,} incidents of a"
            f" year, {SIDE**2 // 2:,} stretches of road, {SIDE**2 * 2:,} buildings (`tests/bench/big_city.py`)."
            f" Median of {RUNS} fresh visitors,"
            f" headless Chromium without a graphics card, the server warm. {quiet} Python"
            f" {platform.python_version()}, {os.cpu_count()} cores. Written by `tests/bench/bench_map.py`"
            ' (`make bench ARGS="--long map"`; `BENCH_STATE` names a folder that holds the city already).'
        ),
        "",
        "| | Measured | Goal |",
        "|---|---|---|",
        row("First map usable, wall", middle("first"), 3.0),
        row("… CPU of the server", middle("first_cpu"), None),
        row("… inside the map, from its script to the painted values, wall", middle("browser"), None),
        row("Requests of ours beside tiles and Streamlit's own", middle("requests"), 12, "", 0),
        row("Tiles of the first map", middle("first_tiles"), None, "", 0),
        row("Requests that leave the host", max(found["outside"]), 0, "", 0),
        row("Filter change, wall", middle("filter"), 0.5),
        row("… CPU of the server, page and values", middle("filter_cpu"), None),
        row("… tiles fetched", max(found["filter_tiles"]), 0, "", 0),
        row("Zoom to the district, settled, wall", middle("zoom"), 1.0),
        row("Zoom to the street, settled, wall", middle("near"), 1.0),
        row("Pan, settled, wall", middle("pan"), 1.0),
        row("Pan with roads and the heat surface on, settled, wall", middle("heavy"), 1.0),
        row(f"Cached tile, p95 of {len(found['cached'])}", p95(found["cached"]) * 1000, 20, " ms", 1),
        row("Cached tile, median", statistics.median(found["cached"]) * 1000, None, " ms", 1),
        row("New tile, p95", p95(found["new"]) * 1000, 150, " ms", 1),
        row("New tile, median", statistics.median(found["new"]) * 1000, None, " ms", 1),
        row(f"{USERS} desk users at once (light clients), p95 of the first map", p95(found["users"]), 6.0),
        row("… median", statistics.median(found["users"]), None),
        row("… CPU of the server, all of them", found["users_cpu"][0], None),
        row("Highest memory of the server", found["memory"][0] / 1024, 1.5, " GiB"),
        "",
        "Requests of ours: " + ", ".join(f"`{path}`" for path in found["asked"][-1]) + ".",
        "",
        "## What the values cost",
        "",
        "One process, CPU time; the same calls as the page and `/api/values` make.",
        "",
        "| | CPU |",
        "|---|---|",
        *(f"| {name} | {seconds:.3f} s |" for name, seconds in found["costs"].items()),
        "",
        "## Against plain folium",
        "",
        (
            f"Plain folium GeoJSON of the same {SIDE**2:,} cells, in the same run: first map {told},"
            f" {found['peer_cpu'][0]:.0f} s CPU of its server. Ours: {middle('first'):.1f} s,"
            f" {middle('first_cpu'):.2f} s."
        ),
        "",
        "## Pictures",
        "",
        (
            "[The city](map-million-city-en.jpg): responsibility grids filled, counts as circles."
            " [A district](map-million-district-en.jpg): unit grids from three pixels on."
            " [Streets](map-million-street-en.jpg): single incidents, facilities, borders."
        ),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure in a throw-away state folder and write the page."""
    folder = Path(tempfile.mkdtemp(prefix="gk-bench-"))
    folder.chmod(0o755)
    try:
        page = report(measure(folder))
    finally:
        subprocess.run([sys.executable, "-m", "app.cli", "down"], cwd=ROOT, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(page)
    sys.stdout.write(page)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
