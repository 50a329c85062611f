"""The standing plan at 1,000 open tasks and 200 workers: a re-plan end to end, questions, offers, a closed street.

The demo city in a cluster of its own, filled by `tests.bench.board_at_scale`: most of the work is published and runs,
the rest has just come in. CPU seconds of the process that plans (the search alone is given its half second), and the
wall beside it, which counts the database in; medians. BENCH_STATE names a folder with the demo city, to skip its load.
Writes docs/figures/bench_rolling.md.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

from figures import FIGURES, SHORT, left_out
from sqlalchemy import text
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.clock import now  # noqa: E402
from core.errors import InvalidInput, SourceUnavailable  # noqa: E402
from core.identity import Actor, system_actor  # noqa: E402
from core.settings import secret_key, settings  # noqa: E402
from dispatch import closures, situation, standing_ask, standing_plan  # noqa: E402
from dispatch import plan as engine  # noqa: E402
from dispatch import store_plan as store  # noqa: E402
from dispatch.street_names import street_named  # noqa: E402
from geodata import db  # noqa: E402
from geodata.db import transaction  # noqa: E402
from geodata.territory import TerritoryInfo, list_territories  # noqa: E402
from tests.bench import board_at_scale  # noqa: E402

REPORT = FIGURES / "bench_rolling.md"
TASKS, WORKERS, ROUNDS = (300, 60, 2) if SHORT else (1_000, 200, 5)
SAME_S = 60.0
ONE_MORE = """
    INSERT INTO incident (territory_id, number, source, class_id, category, status, priority, reported_at, filed_at,
                          due_at, due_from, grid_id, community_id, unit_id, simulated, geom)
    SELECT territory_id, :number, 'patrol', class_id, category, 'filed', 3, now(), now(), now() + interval '3 hours',
           now(), grid_id, community_id, unit_id, true, geom
    FROM incident WHERE territory_id = :home AND status = 'closed' ORDER BY id DESC OFFSET 37 * :place LIMIT 1
"""
PARTS = (
    ("the situation read", standing_plan, "read_situation"),
    ("– of it the matrix of travel times", situation, "ways_between"),
    ("arrays of the search", standing_plan, "compile_problem"),
    ("the search", engine, "anneal"),
    ("the plan priced and unserved work explained", engine, "result_of"),
    ("rows judged", standing_plan, "judge"),
    ("against what runs", standing_plan, "summarise"),
    ("move-ups", standing_plan, "propose_moves"),
    ("the problem packed", standing_plan, "pack"),
    ("plan and problem written", store, "write"),
    ("rows written", store, "write_rows"),
    ("read again", standing_plan, "standing_plan"),
)


@dataclass
class Watch:
    """CPU and wall seconds of a step, a pair a round."""

    spent: list[tuple[float, float]] = field(default_factory=list)

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return the act with its time taken."""

        def timed(*arguments: Any, **named: Any) -> Any:
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                return act(*arguments, **named)
            finally:
                self.spent.append((time.process_time() - cpu, time.perf_counter() - wall))

        return timed

    def told(self) -> str:
        """Return both medians in milliseconds, without the first round when there are more."""
        kept = self.spent[1:] or self.spent
        cpu, wall = (1000 * statistics.median(each[k] for each in kept) for k in (0, 1))
        return f"{cpu:,.1f} | {wall:,.1f}"


@contextlib.contextmanager
def city() -> Iterator[TerritoryInfo]:
    """The demo city, busy, which `geodata.db` points at."""
    given, extracts = os.environ.get("BENCH_STATE"), settings().state_dir / "extracts"
    folder = Path(given or tempfile.mkdtemp(prefix="gk-bench-rolling-"))
    folder.chmod(0o755)
    os.environ |= {"GRIDKEEPER_STATE_DIR": str(folder), "GRIDKEEPER_DURABLE": "false", "GRIDKEEPER_DEMO": "true"}
    for cached in (settings, secret_key, db.cluster, db.engine):
        cached.cache_clear()
    try:
        db.ensure_database()
        if not _territories():
            from app.cli.load_demo import load_demo_city

            if extracts.is_dir():  # fetched before
                (folder / "extracts").symlink_to(extracts)
            try:
                load_demo_city(city="isle-of-wight", incidents=10_000 if SHORT else None)
            except SourceUnavailable as error:
                left_out(str(error))
        if not _is_busy():
            board_at_scale.fill(TASKS, WORKERS, 5.0)
        yield _territories()[0]
    finally:
        db.engine().dispose()
        db.cluster().down()
        if not given:
            shutil.rmtree(folder, ignore_errors=True)


def _is_busy() -> bool:
    """Return whether a kept city was filled before."""
    with transaction(system_actor()) as session:
        counted = text("SELECT count(*) FROM incident WHERE status IN ('filed', 'dispatched', 'handling')")
        return int(session.execute(counted).scalar_one()) > TASKS / 2


def _territories() -> list[TerritoryInfo]:
    with transaction(system_actor()) as session:
        return list_territories(session)


def replans(territory: TerritoryInfo, actor: Actor) -> tuple[dict[str, Watch], Watch, Any]:
    """Return the time of each part of a re-plan, and of the whole with its commit; and the last plan."""
    parts = {name: Watch() for name, _, _ in PARTS}
    whole = Watch()
    with contextlib.ExitStack() as stack:
        for name, module, act in PARTS:
            stack.enter_context(mock.patch.object(module, act, parts[name].around(getattr(module, act))))

        def once() -> Any:
            with transaction(actor) as session:
                return standing_plan.refresh(session, actor, territory)

        for _ in range(ROUNDS + 1):
            plan = whole.around(once)()
    return parts, whole, plan


def questions(plan: Any, dispatcher: Actor) -> dict[str, Watch]:
    """Return the time of reading, asking why and comparing."""
    names = ("why, the first time in a process", "why", "another worker compared", "the plan read")
    watches = {name: Watch() for name in names}
    rows = [row for row in plan.rows if row.change in {"new", "moved", "retimed"}][:40]
    standing_ask._kept.clear()
    for k, row in enumerate(rows):
        other = rows[k - 1].worker_id
        with transaction(dispatcher) as session:
            ask = watches[names[0]] if k == 0 else watches[names[1]]
            ask.around(standing_plan.why)(session, dispatcher, row.incident_id)
            watches[names[2]].around(standing_plan.compare)(session, dispatcher, row.incident_id, other)
    for _ in range(ROUNDS):
        with transaction(dispatcher) as session:
            watches[names[3]].around(standing_plan.standing_plan)(session, dispatcher)
    return watches


def offers(territory: TerritoryInfo, actor: Actor) -> dict[str, Watch]:
    """Return the time from a new incident to its offer, the first one of a plan and the next ones."""
    names = ("a plan made ready for new work", "a new incident offered, the first since the plan", "the next ones")
    watches, propose = {name: Watch() for name in names}, Watch()
    with transaction(actor) as session:
        watches[names[0]].around(standing_plan.make_room)(session, actor, territory)
    for k in range(12):
        with transaction(system_actor()) as session:
            session.execute(text(ONE_MORE), {"home": territory.id, "number": f"O-{now():%H%M%S}-{k}", "place": k})

        def offer() -> None:
            with transaction(actor) as session:
                standing_plan.offer_new(session, actor, territory)

        filing = standing_ask.Filing.propose
        with mock.patch.object(standing_ask.Filing, "propose", propose.around(filing)):
            watches[names[min(k + 1, 2)]].around(offer)()
    return {**watches, "– of it the place in the routes": propose}


def is_one(session: Session, territory: TerritoryInfo, name: str) -> bool:
    """Return whether one street alone has a name."""
    try:
        street_named(session, territory, name)
    except InvalidInput:
        return False
    return True


def closing(territory: TerritoryInfo, actor: Actor, dispatcher: Actor) -> tuple[dict[str, Watch], str]:
    """Return the time from closing a street until every arrival is reckoned anew, and what changed."""
    names = ("a street closed (commit)", "roads weighed anew", "the next plan (commit)", "from closing to new arrivals")
    watches = {name: Watch() for name in names}
    with transaction(dispatcher) as session:
        before = standing_plan.standing_plan(session, dispatcher)
        streets = session.scalars(
            text("SELECT name FROM road WHERE road_class IN ('primary', 'secondary') AND name IS NOT NULL"
                 " GROUP BY name ORDER BY sum(length_m) DESC")
        )  # fmt: skip
        street = next(name for name in streets if is_one(session, territory, name))
    told = ""
    for _ in range(3):

        def close() -> list[int]:
            with transaction(dispatcher) as session:
                made = closures.close_street(session, dispatcher, territory, street)
                return [each.id for each in made]

        def plan() -> Any:
            with transaction(actor) as session:
                return standing_plan.refresh(session, actor, territory)

        def all_of_it() -> tuple[list[int], Any]:
            shut = watches[names[0]].around(close)()
            return shut, watches[names[2]].around(plan)()

        weigh = closures.closed
        with mock.patch.object(closures, "closed", watches[names[1]].around(weigh)):
            shut, after = watches[names[3]].around(all_of_it)()
        assert before is not None
        was = {(row.incident_id, row.kind): row.start_at for row in before.rows}
        shifts = [
            abs((row.start_at - was[row.incident_id, row.kind]).total_seconds())
            for row in after.rows
            if (row.incident_id, row.kind) in was
        ]
        moved = sum(each > SAME_S for each in shifts)
        told = f"{street} ({len(shut)} pieces): {moved} of {len(after.rows)} arrivals shift by more than a minute"
        with transaction(dispatcher) as session:
            for one in shut:
                closures.end_closure(session, dispatcher, one, version=1)
        closures.network_of(session, territory, "drive").prepared.pop("closures", None)
    return watches, told


def main() -> int:
    """Measure and write."""
    with city() as territory:
        actor, dispatcher = system_actor(territory.id), board_at_scale.dispatcher()
        parts, whole, plan = replans(territory, actor)
        asked = questions(plan, dispatcher)
        offered = offers(territory, actor)
        closed, told = closing(territory, actor, dispatcher)
        with transaction(actor) as session:
            size = session.execute(
                text("SELECT length(snapshot) FROM plan WHERE snapshot IS NOT NULL ORDER BY id DESC LIMIT 1")
            ).scalar_one()
            streets = session.execute(text("SELECT count(*) FROM road WHERE drivable")).scalar_one()
    lines = [
        "# The standing plan: a re-plan end to end",
        "",
        (
            f"{plan.summary.open_tasks:,} open tasks, {plan.summary.workers:,} workers on shift, {streets:,} stretches"
            f" of road (Isle of Wight); {len(plan.rows):,} stops planned, {len(plan.unserved):,} unserved. Medians of"
            f" {ROUNDS} rounds after one that does not count, in milliseconds: CPU of the process that plans | wall,"
            " which counts the database in."
        ),
        "",
        (
            f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, Python"
            f" {platform.python_version()}, numba {version('numba')}, NumPy {version('numpy')}; load of the machine"
            f" while measuring: {os.getloadavg()[0]:.1f}."
        ),
        "",
        "| A re-plan (search of 0.5 s) | CPU ms | wall ms |",
        "|---|---|---|",
        *(f"| {name} | {watch.told()} |" for name, watch in parts.items() if watch.spent),
        f"| **whole, with its commit** | {whole.told()} |",
        "",
        "| Asked of the plan | CPU ms | wall ms |",
        "|---|---|---|",
        *(f"| {name} | {watch.told()} |" for name, watch in {**asked, **offered}.items()),
        "",
        "| A street is closed | CPU ms | wall ms |",
        "|---|---|---|",
        *(f"| {name} | {watch.told()} |" for name, watch in closed.items()),
        "",
        (
            f"{told}. In the process another second passes before the next plan begins (debounce), and under a re-plan"
            " that has just begun its own time. The kept problem of a plan takes"
            f" {size / 1e6:.1f} MB; the newest two are kept."
        ),
        "",
    ]
    REPORT.write_text("\n".join(lines))
    sys.stdout.write("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
