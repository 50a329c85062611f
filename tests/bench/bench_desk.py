"""The desk: what looks the same at a million incidents, and a call taken from the first key to the number.

The first part makes a cluster of its own as `bench_queue` does. The second needs a running demo city and Chromium::

    python tests/bench/bench_desk.py --url http://localhost:8501

Without ``--url`` the call-taker is left out, and what was measured of him before stays.
Writes docs/figures/bench_desk.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import sys
import time
from pathlib import Path

from figures import FIGURES, SHORT, told_before
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench")]

import bench_queue  # noqa: E402

from core.clock import now  # noqa: E402
from core.identity import Role, system_actor  # noqa: E402
from geodata.db import transaction  # noqa: E402
from incidents.duplicates import WINDOW, box_degrees  # noqa: E402
from incidents.emergencies import calls, shipped  # noqa: E402
from incidents.service import duplicates  # noqa: E402
from incidents.store import duplicates as store  # noqa: E402
from people import accounts  # noqa: E402

REPORT = FIGURES / "bench_desk.md"
RUNS = 2 if SHORT else 15
SPOTS = 8
KEY_MS = 150
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
CALLS = (
    ("en", "There is a pothole in the road, a cyclist nearly fell", "Coppins", "Ann Ames", "01983 555 123"),
    ("zh", "路灯不亮，晚上很黑", "Coppins", "张三", "13800001111"),
    ("en", "Strong smell of gas from the cellar", "Staplers Road", "Bob Brown", "01983 555 124"),
)
WORDS = {
    "en": (
        "Discard the draft",
        "This class because of",
        "Address or place",
        "Proposed: the duty list",
        "Reporter's name",
    ),
    "zh": ("放弃草稿", "推荐该小类的依据", "地址或地点", "系统推荐", "姓名"),
}


def nearby() -> list[str]:
    """Return the lines of the query and of the whole use case, as three roles."""
    lines = []
    with bench_queue.cluster():
        bench_queue.generate()
        with transaction(system_actor()) as session:
            officers = {account.role: account.actor() for account in accounts.demo_accounts(session)}
            total, still = session.execute(
                text("SELECT count(*), count(*) FILTER (WHERE status NOT IN ('closed', 'void')) FROM incident")
            ).one()
            spots = session.execute(
                text("SELECT ST_X(geom), ST_Y(geom), category FROM incident ORDER BY id LIMIT :n"), {"n": SPOTS}
            ).all()
            asked = dict(
                session.execute(text("SELECT category, max(kind || '-' || code) FROM incident_class GROUP BY 1")).all()
            )
        lines.append(f"{total:,} incidents in a town of 1.3 × 1.3 km, {still:,} open and at most 20 days old.\n\n")
        lines.append("| Role | Open within the box | Query, ms | With score and reasons, ms |\n|---|---|---|---|\n")
        for role in (Role.DISPATCHER, Role.SUPERVISOR, Role.GRID_MANAGER):
            actor, query, whole, found = officers[role], [], [], 0
            with transaction(actor) as session:
                for _ in range(RUNS):
                    for lon, lat, category in spots:
                        begun = time.perf_counter()
                        rows = store.nearby(
                            session, actor.territory_id, (lon, lat), box_degrees(lat), (now() - WINDOW, now())
                        )
                        query.append((time.perf_counter() - begun) * 1000)
                        found = max(found, len(rows))
                        begun = time.perf_counter()
                        duplicates.look_alikes(
                            session, actor, class_key=asked[category], place=(lon, lat), text="broken lamp, dark road"
                        )
                        whole.append((time.perf_counter() - begun) * 1000)
            lines.append(
                f"| {role.value} | {found} (the nearest {store.NEARBY_MOST} are read) | {statistics.median(query):.1f}"
                f" | {statistics.median(whole):.1f} |\n"
            )
    return lines


def phrases() -> float:
    """Return the CPU microseconds of looking for danger in a text of 400 signs."""
    rules, said = shipped("Asia/Shanghai"), "The lamp in front of number 4 is out, 路灯不亮. " * 10
    calls(rules, said)
    begun = time.process_time()
    for _ in range(500):
        calls(rules, said)
    return (time.process_time() - begun) / 500 * 1e6


def call_taker(url: str) -> list[str]:
    """Return the lines of calls typed at `KEY_MS` a key, by keys alone, without the map."""
    from playwright.sync_api import sync_playwright

    lines = ["| Language | Keys typed | Typing alone, s | From the first key to the number, s |\n|---|---|---|---|\n"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for language, said, where, who, phone in CALLS:
            discard, why, address, proposed, name = WORDS[language]
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.set_default_timeout(90_000)
            page.goto(f"{url}/login?lang={language}")
            page.locator("form:has(input[name='demo'][value^='supervisor']) button").first.click()
            page.wait_for_url(f"{url}/")
            page.goto(f"{url}/new-incident")
            page.locator("textarea").first.wait_for()
            page.wait_for_timeout(3000)
            rest = page.get_by_role("button", name=discard)
            if rest.is_enabled():
                rest.click()
                page.wait_for_timeout(3000)
            page.locator("textarea").first.click()
            begun = time.monotonic()
            page.keyboard.type(said, delay=KEY_MS)
            page.locator(".st-key-gk-suggested button").first.wait_for()
            page.keyboard.press("Alt+1")
            page.get_by_text(why).wait_for()
            if page.locator(".gk-alarm").count():
                page.locator("[class*='st-key-gk_alarm_called'] button").first.click()
                page.locator(".gk-alarm").wait_for(state="detached")
            page.get_by_label(address).click()
            page.keyboard.type(where, delay=KEY_MS)
            page.locator(".st-key-gk-places button").filter(has_text=where).first.wait_for()
            page.wait_for_timeout(500)
            page.keyboard.press("Alt+p")
            page.get_by_text(proposed).wait_for()
            page.get_by_label(name).first.click()
            page.keyboard.type(who, delay=KEY_MS)
            page.keyboard.press("Tab")
            page.keyboard.type(phone, delay=KEY_MS)
            page.keyboard.press("Control+Enter")
            page.locator(".gk-told").filter(has=page.locator("a")).first.wait_for()
            took, keys = time.monotonic() - begun, len(said + where + who + phone)
            lines.append(f"| {language} | {keys} | {keys * KEY_MS / 1000:.1f} | {took:.1f} |\n")
            page.context.close()
        browser.close()
    return lines


def main() -> None:
    """Measure and write the report."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--url", default="")
    url = asked.parse_args().url.rstrip("/")
    kept = re.search(r"(\| Language .*?)\n\n", told_before(REPORT.name), re.DOTALL)
    taken = "".join(call_taker(url)) if url else f"{kept[1]}\n" if kept else "Not measured.\n"
    found = "".join(nearby())
    REPORT.write_text(
        f"""# The desk

`python tests/bench/bench_desk.py --url …`; Python {platform.python_version()}, PostgreSQL by Gridkeeper,
{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end of the run: others were at work beside it.

## What looks the same

{found}
As the application's login under row-level security, client and server together, median of {RUNS * SPOTS} runs, warm.
Aim: the query below 50 ms. A town so dense is the worst case: with BENCH_ROWS=20000 a box holds what it does in a
city of usual size.

## Words of danger

A text of 400 signs against all shipped words and look-alikes: {phrases():.0f} µs CPU.

## A call

Typed by a script at {KEY_MS} ms a key, by keys alone and without the map: description, Alt+1 for the class that is
proposed, address, Alt+P for the first place, name, phone, Ctrl+Enter. The third is an emergency: one click more.
Aim: below 60 s.

{taken}
"""
    )


if __name__ == "__main__":
    main()
