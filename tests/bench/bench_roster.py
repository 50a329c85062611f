"""The roster of 500 workers over a quarter of a year: working it out, the page, the table in a browser.

CPU seconds, the best of several runs; peers are the plainest loop a worker and day, and pandas. What they say
is compared. Writes docs/figures/bench_roster.md.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from figures import FIGURES
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
REPORT = FIGURES / "bench_roster.md"
WORKERS, DAYS = 500, 91
FIRST = dt.date(2026, 3, 2)
ZONE = ZoneInfo("Europe/London")


def best(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Return the least CPU seconds of several rounds, and the last result."""
    least, result = float("inf"), None
    for _ in range(rounds):
        began = time.process_time()
        result = work()
        least = min(least, time.process_time() - began)
    return least, result


def plan_of(workers: int) -> Any:
    """Return four patterns, an assignment a worker, changed days and absences."""
    from app.demo.rosters import PATTERNS, anchor_of, pattern_of
    from people.roster import Assignment, Away, DayException, Pattern, Plan

    patterns = tuple(
        Pattern(at, each.code, each.name, each.name_zh, each.cycle_days, each.steps)
        for at, each in enumerate(PATTERNS, 1)
    )
    id_of = {each.code: each.id for each in patterns}
    assignments = tuple(
        Assignment(at, at, id_of[pattern_of(at).code], anchor_of(at), dt.date(2020, 1, 6))
        for at in range(1, workers + 1)
    )
    rng = np.random.default_rng(1)
    days = {
        (int(w), int(d)) for w, d in zip(rng.integers(1, workers + 1, 3000), rng.integers(0, DAYS, 3000), strict=True)
    }
    changed = tuple(
        DayException(
            w, FIRST + dt.timedelta(days=d), *((480, 960) if (w + d) % 2 else (None, None)), 30 if (w + d) % 2 else 0
        )
        for w, d in sorted(days)
    )
    away = tuple(
        Away(w, w % workers + 1, FIRST + dt.timedelta(days=w % 80), FIRST + dt.timedelta(days=w % 80 + 6))
        for w in range(1, workers + 1, 3)
    )
    return Plan(patterns, assignments, changed, away)


def ours(plan: Any) -> tuple[Any, ...]:
    """Return roster, shifts and violations."""
    from people.roster import expand, shifts_of
    from people.roster_rules import Rules, violations

    roster = expand(plan, range(1, WORKERS + 1), FIRST, DAYS)
    shifts = shifts_of(roster, ZONE)
    return roster, shifts, violations(roster, shifts, Rules(), first=FIRST, last=FIRST + dt.timedelta(days=DAYS - 1))


def naive(plan: Any) -> list[tuple[int, int, int, int]]:
    """Return worker, day, begin and end of each shift, asked worker by worker and day by day with look-up tables."""
    steps = {each.id: {step.day: step for step in each.steps} for each in plan.patterns}
    cycles = {each.id: each.cycle_days for each in plan.patterns}
    given = {each.worker_id: each for each in plan.assignments}
    changed = {(each.worker_id, each.day): each for each in plan.exceptions}
    away = {each.worker_id: each for each in plan.away}
    found = []
    for worker in range(1, WORKERS + 1):
        for at in range(DAYS):
            day = FIRST + dt.timedelta(days=at)
            gone = away.get(worker)
            if gone is not None and gone.from_on <= day <= gone.to_on:
                continue
            special = changed.get((worker, day))
            each = given[worker]
            step = special or steps[each.pattern_id].get((day - each.anchor_on).days % cycles[each.pattern_id])
            if step is None or step.start_min is None:
                continue
            midnight = dt.datetime.combine(day, dt.time())
            start, end = (
                int((midnight + dt.timedelta(minutes=value)).replace(tzinfo=ZONE).timestamp())
                for value in (step.start_min, step.end_min)
            )
            found.append((worker - 1, at, start, end))
    return found


def with_pandas(plan: Any) -> pd.DataFrame:
    """Return the same by merges of frames."""
    days = pd.DataFrame({"at": range(DAYS), "day": pd.date_range(FIRST, periods=DAYS)})
    given = pd.DataFrame(
        [(e.worker_id, e.pattern_id, pd.Timestamp(e.anchor_on)) for e in plan.assignments], columns=["w", "p", "anchor"]
    )
    steps = pd.DataFrame(
        [(p.id, p.cycle_days, s.day, s.start_min, s.end_min) for p in plan.patterns for s in p.steps],
        columns=["p", "cycle", "step", "start", "end"],
    )
    cells = given.merge(days, how="cross").merge(steps[["p", "cycle"]].drop_duplicates(), on="p")
    cells["step"] = (cells["day"] - cells["anchor"]).dt.days % cells["cycle"]
    cells = cells.merge(steps.drop(columns="cycle"), on=["p", "step"], how="left")
    changed = pd.DataFrame(
        [(e.worker_id, pd.Timestamp(e.day), e.start_min, e.end_min, True) for e in plan.exceptions],
        columns=["w", "day", "start2", "end2", "special"],
    )
    cells = cells.merge(changed, on=["w", "day"], how="left")
    special = cells["special"].eq(True)
    cells.loc[special, ["start", "end"]] = cells.loc[special, ["start2", "end2"]].astype(float).to_numpy()
    away = pd.DataFrame(
        [(e.worker_id, pd.Timestamp(e.from_on), pd.Timestamp(e.to_on)) for e in plan.away], columns=["w", "low", "high"]
    )
    cells = cells.merge(away, on="w", how="left")
    cells = cells[~((cells["day"] >= cells["low"]) & (cells["day"] <= cells["high"])) & cells["start"].notna()]
    for name in ("start", "end"):
        local = cells["day"] + pd.to_timedelta(cells[name], unit="min")
        cells[name] = local.dt.tz_localize("Europe/London", ambiguous=True, nonexistent="shift_forward").dt.tz_convert(
            "UTC"
        )
    return cells.sort_values(["w", "at"])


def compare(plan: Any, shifts: Any) -> None:
    """Fail unless all three say the same, where no shift is pushed back by the one before."""
    loops, frame = naive(plan), with_pandas(plan)
    mine = list(zip(shifts.worker.tolist(), shifts.day.tolist(), shifts.end_s.tolist(), strict=True))
    assert mine == [(worker, day, end) for worker, day, _, end in loops]
    ends = (
        frame["end"].astype("int64") // 10**9
        if frame["end"].dt.unit == "ns"
        else frame["end"].map(lambda v: int(v.timestamp()))
    )
    assert [end for *_, end in mine] == ends.tolist()


def page_times(url: Any) -> dict[str, float]:
    """Return wall and CPU of the server for the whole page of the table, and the size of the table."""
    from streamlit.testing.v1 import AppTest

    from app import guard
    from core.identity import Role, system_actor
    from geodata.db import transaction
    from people import accounts

    del url
    with transaction(system_actor()) as session:
        actor = {account.role: account.actor() for account in accounts.demo_accounts(session)}[Role.SUPERVISOR]
    guard.current_actor = lambda: actor
    guard.stored_session = lambda: None
    page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120)
    page.run()
    page.switch_page("views/roster.py").run()
    page.query_params["show"] = "table"
    page.run()
    length = next(box for box in page.selectbox if box.label == "Length")
    found = {"wall": float("inf"), "cpu": float("inf"), "kb": 0.0}
    for _ in range(4):
        length.set_value(7).run()
        wall, cpu = time.perf_counter(), time.process_time()
        next(box for box in page.selectbox if box.label == "Length").set_value(DAYS).run()
        found["wall"] = min(found["wall"], time.perf_counter() - wall)
        found["cpu"] = min(found["cpu"], time.process_time() - cpu)
        assert not page.exception, page.exception
        length = next(box for box in page.selectbox if box.label == "Length")
    table = max((element.proto.body for element in page.get("html")), key=len)
    assert table.count("<tr>") == WORKERS + 1
    return found | {"kb": len(table.encode()) / 1024, "html": table}


def drawn_s(table: str) -> float:
    """Return wall seconds until Chromium has laid the table out; nan without a browser."""
    from playwright.sync_api import sync_playwright

    from layers.style import LIGHT

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        return float("nan")
    style = (ROOT / "app" / "roster.css").read_text()
    tokens = ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in LIGHT.tokens().items())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_content(f"<style>:root{{{tokens}}}{style}</style><div id=here></div>")
        script = """body => { const began = performance.now(); here.innerHTML = body; here.firstChild.scrollTop = 50;
            here.getBoundingClientRect(); const laid = performance.now() - began; here.innerHTML = ''; return laid; }"""
        least = min(float(page.evaluate(script, table)) for _ in range(4))
        browser.close()
    return least / 1000


def fill(url: str, plan: Any) -> None:
    """Write 500 workers with this plan into the small demo town, in place of its own."""
    from core.identity import system_actor
    from geodata import db
    from geodata.bulk import copy_rows, reserve_ids

    engine = create_engine(url)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        home, unit, grid = session.execute(
            text("SELECT territory_id, unit_id, responsibility_grid_id FROM worker ORDER BY id LIMIT 1")
        ).one()
        for table in ("absence", "roster_exception", "worker_pattern"):
            session.execute(text(f"DELETE FROM {table}"))
        session.execute(text("UPDATE worker SET active = false"))
        ids = dict(zip(range(1, WORKERS + 1), reserve_ids(session, "worker", WORKERS).tolist(), strict=True))
        copy_rows(session, "worker", {
            "id": list(ids.values()), "territory_id": [home] * WORKERS, "unit_id": [unit] * WORKERS,
            "responsibility_grid_id": [grid] * WORKERS, "code": [f"X{at:04d}" for at in ids],
        })  # fmt: skip
        pattern = dict(session.execute(text("SELECT code, id FROM shift_pattern")).all())
        code_of = {each.id: each.code for each in plan.patterns}
        copy_rows(session, "worker_pattern", {
            "territory_id": [home] * WORKERS, "worker_id": [ids[e.worker_id] for e in plan.assignments],
            "pattern_id": [pattern[code_of[e.pattern_id]] for e in plan.assignments],
            "anchor_on": [e.anchor_on for e in plan.assignments],
            "valid_from": [e.valid_from for e in plan.assignments],
        })  # fmt: skip
        copy_rows(session, "roster_exception", {
            "territory_id": [home] * len(plan.exceptions), "worker_id": [ids[e.worker_id] for e in plan.exceptions],
            "day": [e.day + dt.timedelta(days=SHIFT) for e in plan.exceptions],
            "start_min": [e.start_min for e in plan.exceptions], "end_min": [e.end_min for e in plan.exceptions],
            "break_min": [e.break_min for e in plan.exceptions], "reason": ["change"] * len(plan.exceptions),
        })  # fmt: skip
        copy_rows(session, "absence", {
            "territory_id": [home] * len(plan.away), "worker_id": [ids[e.worker_id] for e in plan.away],
            "deputy_id": [ids[e.deputy_id] for e in plan.away], "kind": ["leave"] * len(plan.away),
            "from_on": [e.from_on + dt.timedelta(days=SHIFT) for e in plan.away],
            "to_on": [e.to_on + dt.timedelta(days=SHIFT) for e in plan.away],
        })  # fmt: skip
        session.commit()
    engine.dispose()


SHIFT = (dt.datetime.now(tz=dt.UTC).date() - FIRST).days // 7 * 7
"""The plan's weeks are brought to those the page opens with."""


def served(plan: Any) -> dict[str, float]:
    """Return the times of the page on a database of its own."""
    folder = Path(tempfile.mkdtemp(prefix="gk-bench-"))
    folder.chmod(0o755)
    os.environ |= {"GRIDKEEPER_STATE_DIR": str(folder), "GRIDKEEPER_DURABLE": "false", "GRIDKEEPER_DEMO": "true"}
    from core.settings import settings
    from geodata import db
    from geodata.embedded import APP, OWNER, Cluster
    from geodata.migrations import upgrade
    from tests.demo_city import load_tiny_town

    cluster = Cluster(folder, durable=False)
    cluster.up(database="gk_bench")
    try:
        owner = create_engine(cluster.url(OWNER, "gk_bench"))
        upgrade(owner)
        owner.dispose()
        url = cluster.url(APP, "gk_bench")
        os.environ |= {"GRIDKEEPER_DATABASE_URL": url, "GRIDKEEPER_OWNER_DATABASE_URL": cluster.url(OWNER, "gk_bench")}
        settings.cache_clear()
        load_tiny_town(folder)
        fill(url, plan)
        found = page_times(url)
        db.engine().dispose()
    finally:
        cluster.down()
        shutil.rmtree(folder, ignore_errors=True)
    return found


def main() -> None:
    """Measure and write the report."""
    plan = plan_of(WORKERS)
    ours_s, (_, shifts, broken) = best(lambda: ours(plan), 7)
    naive_s, _ = best(lambda: naive(plan), 3)
    pandas_s, _ = best(lambda: with_pandas(plan), 3)
    compare(plan, shifts)
    page = served(plan)
    laid_s = drawn_s(str(page["html"]))
    REPORT.write_text(
        "# Roster: speed\n\n"
        f"Python {platform.python_version()}, numpy {np.__version__}, pandas {pd.__version__}."
        " Made by `make bench`.\n\n"
        f"{WORKERS} workers × {DAYS} days, {len(plan.exceptions):,} changed days, {len(plan.away)} absences:"
        f" {len(shifts):,} shifts, {len(broken):,} broken rules. CPU time, the best of several runs.\n\n"
        "| who works when | CPU |\n|---|---|\n"
        f"| ours, with moments in UTC, hours and rest checked | {ours_s * 1000:.0f} ms |\n"
        f"| pandas merges, shifts only | {pandas_s * 1000:.0f} ms |\n"
        f"| a loop a worker and day, shifts only | {naive_s * 1000:.0f} ms |\n\n"
        "All three were compared shift by shift.\n\n"
        "| the page of the table | |\n|---|---|\n"
        f"| server, whole run with the database (wall) | {page['wall'] * 1000:.0f} ms |\n"
        f"| of it CPU of the server | {page['cpu'] * 1000:.0f} ms |\n"
        f"| size of the table | {page['kb']:.0f} KB |\n"
        f"| laid out in Chromium (wall) | {laid_s * 1000:.0f} ms |\n"
    )
    print(REPORT.read_text())  # noqa: T201


if __name__ == "__main__":
    main()
