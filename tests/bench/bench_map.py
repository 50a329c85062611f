"""The city map with all demo cells and 100,000 incidents, against plain folium GeoJSON of the same cells, in one run.

Headless Chromium measures from opening the page to the drawn map, and from choosing another metric
to the painted map; the peer draws no ground and no incidents. Tiles are asked for one after the
other over HTTP. Writes docs/figures/bench_map.md.
"""

from __future__ import annotations

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

from figures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
REPORT = FIGURES / "bench_map.md"
INCIDENTS = 100_000
RUNS = 5
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
GOALS = {"first": 3.0, "filter": 0.5, "tile": 0.050}


def load_demo(folder: Path) -> int:
    """Make the demo city with its incidents in a state folder of its own and open the map on all of it."""
    os.environ["GRIDKEEPER_STATE_DIR"] = str(folder)
    command = [sys.executable, "-m", "app.cli", "load", "demo", "--incidents", str(INCIDENTS), "--json"]
    subprocess.run(command, cwd=ROOT, check=True)
    from sqlalchemy import text

    from core.identity import system_actor
    from geodata import db
    from geodata.territory import find_territory

    db.ensure_database()
    with db.transaction(system_actor()) as session:
        territory = find_territory(session)
        west, south, east, north = territory.bounds
        db.as_actor(session, system_actor(territory.id))
        session.execute(
            text("UPDATE territory SET opens_lon = :lon, opens_lat = :lat, opens_zoom = 11 WHERE id = :id"),
            {"lon": (west + east) / 2, "lat": (south + north) / 2, "id": territory.id},
        )
        cells = session.execute(text("SELECT count(*) FROM unit_grid WHERE ended_on IS NULL")).scalar_one()
        os.environ |= {"BENCH_TERRITORY": str(territory.id), "BENCH_CELLS": str(cells)}
    return territory.id


@contextlib.contextmanager
def served(script: Path | str, folder: Path) -> Iterator[str]:
    """Serve a Streamlit script and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with (folder / f"{port}.log").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    url = f"http://localhost:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/_stcore/health").status_code == 200:
                    break
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def visits(browser: Browser, visit: Callable[[Page], tuple[float, list[float]]]) -> tuple[list[float], list[float]]:
    """Return times to the first map and of filter changes, over fresh visitors; the first one warms the server."""
    first, changes = [], []
    for run in range(RUNS + 1):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(120_000)
        opened, changed = visit(page)
        if run:
            first.append(opened)
            changes += changed
        context.close()
    return first, changes


def our_visit(url: str) -> Callable[[Page], tuple[float, list[float]]]:
    def visit(page: Page) -> tuple[float, list[float]]:
        page.request.post(f"{url}/login", form={"demo": "dispatcher"}, headers={"origin": url})
        began = time.perf_counter()
        page.goto(f"{url}/map")
        frame = page.frame_locator("iframe[title*='st_folium']")
        frame.locator(".leaflet-container[data-painted][data-cells][data-ground]").wait_for()
        opened = time.perf_counter() - began
        changes = []
        for name in ("Open now", "Incidents reported"):
            page.get_by_label("Fill grids by").click()
            option = page.get_by_role("option", name=name)
            option.wait_for()
            before = frame.locator(".leaflet-container").get_attribute("data-painted") or "0"
            began = time.perf_counter()
            option.click()
            frame.locator(f".leaflet-container[data-painted='{int(before) + 1}']").wait_for()
            changes.append(time.perf_counter() - began)
            page.wait_for_timeout(300)
        return opened, changes

    return visit


def peer_visit(url: str) -> Callable[[Page], tuple[float, list[float]]]:
    def visit(page: Page) -> tuple[float, list[float]]:
        began = time.perf_counter()
        page.goto(url)
        frame = page.frame_locator("iframe[title*='st_folium']")
        frame.locator("body[data-ready='reported']").wait_for()
        opened = time.perf_counter() - began
        page.get_by_label("Fill grids by").click()
        option = page.get_by_role("option", name="open")
        option.wait_for()
        began = time.perf_counter()
        option.click()
        frame.last.locator("body[data-ready='open']").wait_for()  # the map before stands beside it for a moment
        return opened, [time.perf_counter() - began]

    return visit


def tile_times(url: str, territory: int) -> tuple[list[float], list[float]]:
    """Return seconds of tiles never asked for before, and of the same tiles asked for again."""
    from layers.registry import layer_entries
    from layers.tiles import tiles_of

    client = httpx.Client(base_url=url, follow_redirects=True)
    client.post("/login", data={"demo": "dispatcher"}, headers={"origin": url})
    town = (-1.33, 50.68, -1.26, 50.72)
    paths = [
        f"/tiles/{territory}/{entry.key}/{tile.z}/{tile.x}/{tile.y}.mvt"
        for entry in layer_entries().values()
        for z in (12, 13, 14, 15)
        if entry.zooms[0] <= z <= entry.zooms[1]
        for tile in tiles_of(town, z)
    ]
    passes = []
    for _ in range(2):
        times = []
        for path in paths:
            began = time.perf_counter()
            client.get(path).raise_for_status()
            times.append(time.perf_counter() - began)
        passes.append(times)
    return passes[0], passes[1]


def values_times(territory: int) -> list[float]:
    """Return CPU seconds to compute a value for every cell from the arrays in memory."""
    import datetime as dt

    from core.identity import Actor, Role
    from geodata import db
    from layers.snapshot import read_cells
    from layers.summary import read_summary
    from layers.values import Question, _counted, _valued

    with db.transaction(Actor(None, "bench", Role.DISPATCHER, territory)) as session:
        cells = read_cells(session, territory)
        summary = read_summary(session, territory, cells)
    last = dt.datetime.now(dt.UTC).date()
    times = []
    for metric in ("reported", "open", "per_1000", "median_days"):
        question = Question(metric, last - dt.timedelta(days=365), last)
        began = time.process_time()
        _valued(cells, *_counted(cells, summary, question), question)
        times.append(time.process_time() - began)
    return times


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def measure(folder: Path) -> dict[str, float]:
    """Return all figures in seconds."""
    from playwright.sync_api import sync_playwright

    territory = load_demo(folder)
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
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        with served("streamlit_app.py", folder) as url:
            new, cached = tile_times(url, territory)
            ours_first, ours_filter = visits(browser, our_visit(url))
        with served(peer_app, folder) as url:
            peer_first, peer_filter = visits(browser, peer_visit(url))
        browser.close()
    return {
        "cells": float(os.environ["BENCH_CELLS"]),
        "tiles": float(len(new)),
        "first": statistics.median(ours_first),
        "filter": statistics.median(ours_filter),
        "peer_first": statistics.median(peer_first),
        "peer_filter": statistics.median(peer_filter),
        "tile_p50": statistics.median(cached),
        "tile_p95": p95(cached),
        "new_tile_p50": statistics.median(new),
        "new_tile_p95": p95(new),
        "new_tile_max": max(new),
        "values_max": max(values_times(territory)),
    }


def report(found: dict[str, float]) -> str:
    """Return the figures as a page."""

    def row(name: str, ours: float, peer: float | None, goal: float | None) -> str:
        told = "" if peer is None else f"{peer:.2f} s"
        ratio = "" if peer is None else f"{peer / ours:.1f} ×"
        met = "" if goal is None else f"{'met' if ours < goal else 'missed'} (< {goal:g} s)"
        return f"| {name} | {ours:.3f} s | {told} | {ratio} | {met} |"

    lines = [
        "# The city map against plain folium GeoJSON",
        "",
        (
            f"{found['cells']:,.0f} cells, {INCIDENTS:,} simulated incidents, all cells in view; median of {RUNS} fresh"
            " visitors in headless Chromium, the server warm. The peer draws the same cells with the same values, but"
            f" neither ground nor incidents. {os.cpu_count()} cores, Python {platform.python_version()},"
            f" load {os.getloadavg()[0]:.1f} at the end. Written by `tests/bench/bench_map.py`."
        ),
        "",
        "| | Gridkeeper | folium GeoJSON | ratio | goal |",
        "|---|---|---|---|---|",
        row("First map usable", found["first"], found["peer_first"], GOALS["first"]),
        row("Filter change", found["filter"], found["peer_filter"], GOALS["filter"]),
        row(f"Cached tile, p95 of {found['tiles']:.0f}", found["tile_p95"], None, GOALS["tile"]),
        row("Cached tile, median", found["tile_p50"], None, None),
        row("New tile, median", found["new_tile_p50"], None, None),
        row("New tile, p95", found["new_tile_p95"], None, None),
        row("New tile, slowest", found["new_tile_max"], None, None),
        row("A value for every cell over a year, slowest metric (CPU)", found["values_max"], None, None),
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
