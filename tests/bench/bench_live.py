"""How soon a change is seen: committed by another connection, painted on the City map and on the Wall in Chromium.

The synthetic city of bench_map.py, one open map and one open Wall. Each change makes one incident late or not late;
a sign in the page notes the moment at which the map had its new values painted. Writes docs/figures/bench_live.md.
BENCH_STATE names a folder that holds the city already.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench_map import ACCOUNT, FLAGS, READY, ROOT, find_or_load, served, used, visitor
from figures import FIGURES, SHORT

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPORT = FIGURES / "bench_live.md"
CHANGES = 4 if SHORT else 12
STILL_S = 10.0
GOAL_S = 2.0
NOTE = """
(where) => {
  const seen = document.querySelector(where);
  window.gkSeen = [];
  new MutationObserver(() => window.gkSeen.push([Date.now(), seen.dataset.live || "", Number(seen.dataset.painted)]))
    .observe(seen, { attributes: true, attributeFilter: ["data-live", "data-painted"] });
  return [seen.dataset.live || "", Number(seen.dataset.painted)];
}
"""
AFTER = """
([began, live, painted]) => {
  const found = window.gkSeen.find((one) => one[0] >= began && one[2] > painted && (!live || one[1] !== live));
  return found ? found[0] : 0;
}
"""
CHANGE = (
    "UPDATE incident SET due_at = CASE WHEN due_at < now() THEN now() + interval '9 days' ELSE now() - interval '1 day'"
    " END WHERE id = (SELECT id FROM incident WHERE territory_id = %s AND status = 'handling' ORDER BY id LIMIT 1)"
)


class Seen:
    """A page in which a change appears."""

    def __init__(self, frame: Any, where: str) -> None:
        self._frame, self._where = frame, where

    def before(self) -> list[Any]:
        """Begin to note; return what the page shows now."""
        return list(self._frame.evaluate(NOTE, self._where))

    def after(self, began_ms: float, before: list[Any]) -> float:
        """Return the seconds from a moment to the page that shows more than before."""
        asked = [began_ms, *before]
        self._frame.wait_for_function(f"asked => ({AFTER.strip()})(asked)", arg=asked, polling=20)
        return (float(self._frame.evaluate(AFTER, asked)) - began_ms) / 1000


def open_map(page: Page, url: str) -> Seen:
    """Open the City map and wait until it stands."""
    page.request.post(f"{url}/login", form={"demo": ACCOUNT}, headers={"origin": url})
    page.goto(f"{url}/map")
    page.frame_locator("iframe[title*='st_folium']").locator(READY + "[data-live]").wait_for()
    page.wait_for_timeout(3000)
    return Seen(next(each for each in page.frames if "folium" in each.url), ".leaflet-container")


def open_wall(page: Page, url: str) -> Seen:
    """Open the Wall and wait until it stands."""
    page.request.post(f"{url}/login", form={"demo": ACCOUNT}, headers={"origin": url})
    page.goto(f"{url}/wall?scene=overview")
    page.locator("body[data-painted]").wait_for()
    page.wait_for_timeout(3000)
    return Seen(page.main_frame, "body")


def measure(folder: Path) -> dict[str, Any]:
    """Return the seconds of every change on both, and the CPU of the server while nothing happens and in a change."""
    import psycopg
    from playwright.sync_api import sync_playwright

    territory = find_or_load(folder)
    from geodata import db
    from geodata.embedded import ADMIN

    found: dict[str, Any] = {"map": [], "wall": [], "load": os.getloadavg()[0]}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        sync_playwright() as playwright,
        served("streamlit_app.py", folder) as (url, pid),
        psycopg.connect(db.cluster().conninfo(ADMIN), autocommit=True) as connection,
    ):
        connection.execute("SELECT set_config('gridkeeper.role', 'system', false)")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        for name, opened in (("map", open_map), ("wall", open_wall)):
            with visitor(browser) as page:
                seen = opened(page, url)
                cpu = used(pid)[0]
                page.wait_for_timeout(STILL_S * 1000)
                found[f"{name}_still"] = (used(pid)[0] - cpu) / STILL_S
                cpu = used(pid)[0]
                for at in range(CHANGES):
                    before = seen.before()
                    page.wait_for_timeout(137 * at)  # not in step with what looks each second
                    connection.execute(CHANGE, [territory])
                    found[name].append(seen.after(time.time() * 1000, before))
                    page.wait_for_timeout(2500)
                found[f"{name}_change"] = (used(pid)[0] - cpu) / CHANGES
        browser.close()
    return found


def report(found: dict[str, Any]) -> str:
    """Return the figures as a page."""

    def row(title: str, name: str) -> str:
        most, middle = max(found[name]), statistics.median(found[name])
        met = "met" if most <= GOAL_S else "missed"
        return (
            f"| {title} | {middle:.2f} s | {most:.2f} s, {met} (≤ {GOAL_S:g} s) | {found[f'{name}_change']:.2f} s"
            f" | {100 * found[f'{name}_still']:.1f} % |"
        )

    return "\n".join([
        "# What changes, and when it is seen",
        "",
        (
            f"{CHANGES} changes of one incident, committed by another connection, in the city of a million incidents of"
            " [bench_map](bench_map.md); wall-clock time from the commit to the painted page in headless Chromium."
            f" PostgreSQL and browser on the same {os.cpu_count()} cores, load {found['load']:.1f} at the beginning,"
            f" Python {platform.python_version()}. Written by `tests/bench/bench_live.py`."
        ),
        "",
        "| | Median | Largest | CPU of the server from one change to the next, all of it | CPU while nothing happens |",
        "|---|---|---|---|---|",
        row("City map: summary brought up to date, page drawn anew, values painted", "map"),
        row("Wall: state reckoned anew, numbers drawn", "wall"),
        "",
        (
            "The server looks at the record every 0.2 s; the page asks the server each second, in memory, and is drawn"
            " anew where something changed, at most every 1.5 s. Its map stays: place, choice and scroll."
        ),
        "",
    ])  # fmt: skip


def main() -> None:
    """Measure and write the page."""
    folder = Path(tempfile.mkdtemp(prefix="gk-bench-"))
    folder.chmod(0o755)
    try:
        page = report(measure(folder))
    finally:
        subprocess.run([sys.executable, "-m", "app.cli", "down"], cwd=ROOT, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    REPORT.write_text(page)
    sys.stdout.write(page)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
