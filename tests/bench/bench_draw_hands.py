"""Cells of a large draft given away by hand, the whole draft drawn and shared out: what the server takes for it.

    python tests/bench/bench_draw_hands.py                 # 45,771 cells of the Isle of Wight, about six minutes
    BENCH_SHORT=1 python tests/bench/bench_draw_hands.py   # the centre of Helsinki, some thousand cells

The demo city in a cluster of its own (BENCH_STATE: one that is there), a draft of squares by the demo's supervisor,
under row-level security. Wall time of client and database together, medians. What is asked after an act is what the
page asks anew; the browser is measured by bench_draw.py. Writes docs/figures/bench_draw_hands.md.
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
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from figures import FIGURES, SHORT
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.demo.cities import find_city
from app.demo.load import is_loaded, load_demo
from core.clock import now
from core.errors import InvalidInput
from core.identity import Actor, Role, system_actor
from core.progress import Silent
from core.settings import secret_key, settings
from geodata import db
from geodata.crs import project
from geodata.db import transaction
from geodata.extracts import fetch_extract
from geodata.territory import TerritoryInfo, list_territories
from grids import drafting, publishing, rebalancing
from grids.ground import ground_of
from layers.drafts import statement
from people import accounts

CITY, SIZE_M, AREAS, ROUNDS = ("helsinki-centre", 20.0, 30, 5) if SHORT else ("isle-of-wight", 96.0, 120, 9)
REPORT = FIGURES / "bench_draw_hands.md"


@contextlib.contextmanager
def city() -> Iterator[tuple[Actor, TerritoryInfo]]:
    """Yield the supervisor and the territory of the demo city, in a database of its own."""
    kept = os.environ.get("BENCH_STATE")
    folder = Path(kept or tempfile.mkdtemp(prefix="gk-bench-hands-"))
    folder.chmod(0o755)
    os.environ |= {"GRIDKEEPER_STATE_DIR": str(folder), "GRIDKEEPER_DURABLE": "false"}
    for each in (settings, secret_key, db.cluster, db.engine):
        each.cache_clear()
    chosen, system = find_city(CITY), system_actor()
    try:
        db.ensure_database()
        path = fetch_extract(chosen.name, Silent())
        with transaction(system, purpose="load demo") as session:
            if not is_loaded(session, chosen):
                load_demo(session, system, chosen, path, until=now(), progress=Silent())
        with transaction(system) as session:
            (home,) = (each for each in list_territories(session) if each.name == chosen.name)
            known = accounts.demo_accounts(session)
        (who,) = (each.actor() for each in known if each.role is Role.SUPERVISOR and each.territory_id == home.id)
        yield who, home
    finally:
        db.engine().dispose()
        if not kept:
            db.cluster().down()
            shutil.rmtree(folder, ignore_errors=True)


def timed(actor: Actor, work: Callable[[Session], Any]) -> tuple[float, Any]:
    """Return the seconds of a transaction, and its answer."""
    began = time.perf_counter()
    with transaction(actor, purpose="draw grids") as session:
        answer = work(session)
    return time.perf_counter() - began, answer


def drawn(actor: Actor, home: TerritoryInfo, spent: dict[str, list[float]]) -> tuple[int, Any]:
    """Draw and share out a draft of the whole city; return its number and its cells."""
    change = timed(actor, lambda session: drafting.start_draft(session, actor, home, "Measured"))[1]
    cut = timed(actor, lambda session: drafting.draw(session, actor, home, change.id, kind="square", size=SIZE_M))
    spent["draw all cells, number, code and keep them"].append(cut[0])
    shared = timed(actor, lambda session: rebalancing.balance_draft(session, actor, home, change.id, k=AREAS))
    spent[f"share them out among {AREAS} responsibility grids"].append(shared[0])
    return change.id, timed(actor, lambda session: drafting.draft_cells(session, actor, change.id))[1]


def borders(home: TerritoryInfo, cells: Any) -> list[tuple[list[int], str]]:
    """Return cells on the edge of their responsibility grid, each with the grid beside it, spread over the city."""
    pairs = ground_of(project(cells.geometry.to_numpy(), home.metric_srid)).pairs
    area, ids, community = (cells[name].to_numpy() for name in ("area", "id", "community_id"))
    left, right = pairs[:, 0], pairs[:, 1]
    edge = np.flatnonzero((area[left] != area[right]) & (community[left] == community[right]))
    return [([int(ids[left[each]])], str(area[right[each]])) for each in edge[:: max(1, len(edge) // 60)]]


def given(actor: Actor, home: TerritoryInfo, change: int, cells: Any, spent: dict[str, list[float]]) -> None:
    """Give cells away one after the other, and ask each time what the page asks anew."""
    found = timed(actor, lambda session: rebalancing.measured(session, actor, home, change))
    spent["measure incidents, people and streets of all cells (once a ground)"].append(found[0])
    done = 0
    for chosen, area in borders(home, cells):
        if done == ROUNDS:
            break
        try:
            act = timed(actor, lambda session, c=chosen, a=area: drafting.move_cells(session, actor, change, c, a))[0]
        except InvalidInput:  # it would tear the grid that loses the cell
            continue
        done += 1
        spent["give a cell to the grid beside it"].append(act)
        compare = timed(actor, lambda session: publishing.compare(session, actor, home, change))[0]
        spent["then: what the draft changes against today"].append(compare)
        asked, areas = timed(actor, lambda session: rebalancing.areas_of(session, actor, change))
        spent["then: whose each cell is"].append(asked)
        began = time.perf_counter()
        rebalancing.loads_of(found[1], areas, rebalancing.DEFAULT)
        spent["then: the loads of all responsibility grids"].append(time.perf_counter() - began)
        spent["then: the tile of the map with the most cells"].append(timed(actor, lambda s: tile(s, home, change))[0])
        key = timed(actor, lambda session: drafting.ground_key(session, actor, change))[0]
        extent = timed(actor, lambda session: drafting.extent_of(session, actor, change))[0]
        spent["then: ground and extent"].append(key + extent)


def tile(session: Session, home: TerritoryInfo, change: int) -> None:
    """Ask the tile of zoom 10 over the middle of the city."""
    longitude, latitude = home.opens[:2]
    x = int((longitude + 180) / 360 * 2**10)
    y = int((1 - np.arcsinh(np.tan(np.radians(latitude))) / np.pi) / 2 * 2**10)
    asked = {"territory": home.id, "change": change, "z": 10, "x": x, "y": y}
    raw = session.connection().connection.cursor()
    raw.execute(statement(10), asked)
    raw.fetchone()


def main() -> None:
    """Measure and write the report."""
    spent: dict[str, list[float]] = defaultdict(list)
    with city() as (actor, home):
        change, cells = drawn(actor, home, spent)
        given(actor, home, change, cells, spent)
        timed(actor, lambda session: drafting.withdraw(session, actor, change))
    rows = "".join(f"| {name} | {statistics.median(each):.2f} | {max(each):.2f} |\n" for name, each in spent.items())
    after = sum(statistics.median(each) for name, each in spent.items() if name.startswith("then"))
    REPORT.write_text(
        f"""# A large draft by hand: what the server takes

`python tests/bench/bench_draw_hands.py`: {len(cells):,} squares of {SIZE_M:g} m ({CITY}), drafted by a supervisor under
row-level security; seconds of client and database together, median and most of {ROUNDS}. Python
{platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end.

| what | median, s | most, s |
|---|---|---|
{rows}
After an act the page asks all lines that begin with “then”: {after:.2f} s together.
"""
    )
    sys.stdout.write(REPORT.read_text())


if __name__ == "__main__":
    main()
