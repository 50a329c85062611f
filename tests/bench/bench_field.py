"""Five hundred phones ask for their day: latency and processor time of server and database, quiet and busy.

The pages are served as users get them, on the small demo town with 500 grid workers of eight tasks each. A phone asks
every 20 s with the tag of its last answer; one asyncio client plays all of them. Writes docs/figures/bench_field.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
from figures import FIGURES
from sqlalchemy import text

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from app import cookie  # noqa: E402
from app.api import field as route  # noqa: E402
from core.identity import Actor, Role, system_actor  # noqa: E402
from core.settings import secret_key, settings  # noqa: E402
from geodata import db  # noqa: E402
from people import accounts  # noqa: E402
from tests.demo_city import load_tiny_town  # noqa: E402
from tests.rosters import everybody_on_shift  # noqa: E402
from tests.serving import served  # noqa: E402

REPORT = FIGURES / "bench_field.md"
PHONES = int(os.environ.get("BENCH_PHONES", "500"))
POLL_S, LASTS_S, TASKS = 20.0, float(os.environ.get("BENCH_SECONDS", "40")), 8
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
WORKERS = """
    INSERT INTO worker (territory_id, unit_id, responsibility_grid_id, code)
    SELECT territory_id, unit_id, responsibility_grid_id, 'B' || n FROM worker, generate_series(1, :phones) AS n
    WHERE id = (SELECT min(id) FROM worker) RETURNING id
"""
USERS = """
    WITH made AS (
        INSERT INTO app_user (login, password_hash, title_en, title_zh, worker_id, is_demo)
        SELECT 'bench' || id, '', 'Grid worker', '网格员', id, true FROM worker WHERE code LIKE 'B%' RETURNING id
    )
    INSERT INTO user_role (user_id, territory_id, role, area_ids)
    SELECT made.id, :home, 'grid_worker', :areas FROM made
"""
GIVEN = """
    INSERT INTO task (territory_id, incident_id, kind, state, worker_id, created_at)
    SELECT w.territory_id, i.id, 'check', 'waiting', w.id, now()
    FROM (SELECT *, row_number() OVER () - 1 AS n FROM worker WHERE code LIKE 'B%') AS w
    CROSS JOIN generate_series(0, :tasks - 1) AS k
    JOIN (SELECT id, row_number() OVER () - 1 AS spot, count(*) OVER () AS known FROM incident) AS i
      ON i.spot = (w.n * :tasks + k) * 7 % i.known
"""
CHANGED = "UPDATE incident SET version = version + 1 WHERE id = :id"


@dataclasses.dataclass
class Heard:
    """What came of the questions of a phase."""

    seconds: list[float] = dataclasses.field(default_factory=list)
    same: int = 0
    fresh: int = 0
    failed: int = 0
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


@contextlib.contextmanager
def town() -> Iterator[tuple[Path, list[Actor], list[str]]]:
    """A cluster in a folder of its own, with the workers, their actors and cookies."""
    folder = Path(tempfile.mkdtemp(prefix="gk-bench-"))
    folder.chmod(0o755)
    os.environ |= {"GRIDKEEPER_STATE_DIR": str(folder), "GRIDKEEPER_DEMO": "true"}
    for cached in (settings, secret_key, db.cluster, db.engine):
        cached.cache_clear()
    try:
        db.ensure_database()
        load_tiny_town(folder)
        with db.transaction(system_actor()) as session:
            everybody_on_shift(session)
            one = next(each for each in accounts.demo_accounts(session) if each.role is Role.GRID_WORKER)
            session.execute(text(WORKERS), {"phones": PHONES})
            session.execute(text(USERS), {"home": one.territory_id, "areas": list(one.area_ids)})
            session.execute(text(GIVEN), {"tasks": TASKS})
            rows = session.execute(
                text(
                    "SELECT u.id AS user_id, u.login, u.worker_id, r.id AS role_id FROM app_user AS u"
                    " JOIN user_role AS r ON r.user_id = u.id WHERE u.login LIKE 'bench%' ORDER BY u.id"
                )
            ).all()
            known = [dataclasses.replace(one, **row._mapping) for row in rows]
            cookies = [cookie.sign(accounts.start_session(session, account, locale="en")) for account in known]
        yield folder, [account.actor("en") for account in known], cookies
    finally:
        db.engine().dispose()
        db.cluster().down()
        shutil.rmtree(folder, ignore_errors=True)


def own_cost(actors: Sequence[Actor]) -> tuple[float, float]:
    """Return median processor milliseconds and wall milliseconds of one changed answer, in this process."""
    cpu, wall = [], []
    for actor in actors[:200]:
        began, ticked = time.process_time(), time.perf_counter()
        route._state(actor, "en")
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - ticked)
    return statistics.median(cpu) * 1000, statistics.median(wall) * 1000


def cpu_s(server: int, folder: Path) -> tuple[float, float]:
    """Return processor seconds used so far by the server and by all of its database's processes."""
    postmaster = int(next(folder.glob("**/postmaster.pid")).read_text().split()[0])
    used = {server: 0.0, postmaster: 0.0}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            process, parent = int(stat.parent.name), int(fields[1])
            whose = server if process == server else postmaster if postmaster in {process, parent} else None
            if whose is not None:
                used[whose] += (int(fields[11]) + int(fields[12])) * TICK_S
                if process == postmaster:
                    used[whose] += (int(fields[13]) + int(fields[14])) * TICK_S
    return used[server], used[postmaster]


async def phone(client: httpx.AsyncClient, value: str, heard: Heard, until: float) -> None:
    """Ask for the day every 20 s, beginning at any moment of them."""
    tag = heard.tags.get(value, "")
    await asyncio.sleep(random.random() * POLL_S)
    while time.monotonic() < until:
        headers = {"cookie": f"{cookie.name()}={value}"} | ({"if-none-match": tag} if tag else {})
        began = time.perf_counter()
        answer = await client.get("/api/field/state", headers=headers)
        heard.seconds.append(time.perf_counter() - began)
        heard.same += answer.status_code == 304
        heard.fresh += answer.status_code == 200
        heard.failed += answer.status_code not in {200, 304}
        tag = heard.tags[value] = answer.headers.get("etag", tag)
        await asyncio.sleep(max(0.0, POLL_S - (time.perf_counter() - began)))


async def change(until: float, per_s: float) -> None:
    """Change an incident so many times a second, as a busy town does."""
    number = 0
    while per_s and time.monotonic() < until:
        number += 1
        await asyncio.to_thread(_change, number)
        await asyncio.sleep(1 / per_s)


def _change(number: int) -> None:
    with db.transaction(system_actor()) as session:
        session.execute(text(CHANGED), {"id": number})


async def play(address: str, cookies: Sequence[str], per_s: float, tags: dict[str, str]) -> Heard:
    """Let all phones ask for a while."""
    heard, until = Heard(tags=tags), time.monotonic() + LASTS_S
    limits = httpx.Limits(max_connections=200, keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=30) as client:
        phones = [phone(client, value, heard, until) for value in cookies]
        await asyncio.gather(*phones, change(until, per_s))
    return heard


def main() -> None:
    """Measure and write the page."""
    lines: list[str] = []
    tags: dict[str, str] = {}
    with town() as (folder, actors, cookies):
        alone_cpu, alone_wall = own_cost(actors)
        with served(folder / "server.log") as server:
            for name, per_s in (("first answers", 0.0), ("nothing changes", 0.0), ("2 changes a second", 2.0)):
                before, began = cpu_s(server.process.pid, folder), time.monotonic()
                heard = asyncio.run(play(server.address, cookies, per_s, tags))
                after, took = cpu_s(server.process.pid, folder), time.monotonic() - began
                ranked = sorted(heard.seconds)
                cpu, base = ((later - earlier) for earlier, later in zip(before, after, strict=True))
                lines.append(
                    f"| {name} | {len(ranked) / took:.0f} | {heard.same} | {heard.fresh} | {heard.failed}"
                    f" | {ranked[len(ranked) // 2] * 1000:.1f} | {ranked[int(len(ranked) * 0.99)] * 1000:.0f}"
                    f" | {cpu / len(ranked) * 1000:.2f} | {base / len(ranked) * 1000:.2f}"
                    f" | {100 * (cpu + base) / took / (os.cpu_count() or 1):.0f} % |"
                )
    table = "\n".join(lines)
    REPORT.write_text(
        f"""# {PHONES} phones on the field page

`python tests/bench/bench_field.py`: {PHONES} grid workers with {TASKS} tasks each, each phone asking every
{POLL_S:.0f} s with the tag of its last answer, {LASTS_S:.0f} s a phase; the pages served as users get them, the client
on the same machine (its own time is not counted); CPU is for one question. Python {platform.python_version()},
{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end of the run.

Aim: a changed answer below 3 ms of processor time in the server; {PHONES} phones on two cores.

One changed answer alone, without HTTP (median of 200): {alone_cpu:.2f} ms of processor, {alone_wall:.2f} ms until
it is there.

| Phase | Questions/s | 304 | 200 | Failed | Median, ms | p99, ms | Server CPU, ms | Database CPU, ms | Of the cores |
|---|---|---|---|---|---|---|---|---|---|
{table}

An answer is kept for 30 s and until an incident of the territory changes, so that most questions touch no row of it;
what a 304 costs is mostly the gate, which looks a session up anew every 3 s. With two changes a second no question is
saved, and what is left is the short answer for whom nothing changed. Latencies are those of a machine that other work
keeps busy at the load average above; processor time is what 500 phones take.
"""
    )
    sys.stdout.write(REPORT.read_text())


if __name__ == "__main__":
    main()
