"""Fill a territory with 1,000 open incidents and 200 workers, and take the board's pictures of it.

Changes the database it is pointed at, so point it at one of its own::

    GRIDKEEPER_STATE_DIR=/tmp/scale gridkeeper load demo
    GRIDKEEPER_STATE_DIR=/tmp/scale python tests/bench/board_at_scale.py --fill
    GRIDKEEPER_STATE_DIR=/tmp/scale gridkeeper run --port 8635 &
    python tests/bench/board_at_scale.py --url http://localhost:8635 --out /tmp/pictures
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Actor, Role, system_actor
from dispatch import execution, standing_plan
from dispatch.plan_model import Stop
from geodata.db import transaction
from geodata.territory import TerritoryInfo, find_territory
from incidents.numbers import make_number, prefix_of
from people import accounts

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
SHIFT_H, ON_SHIFT_FOR_H = 9, 2
FIRST = 60_000
"""Of the sequence of numbers; the demo's year stays below."""
FRESH = 0.09
"""Part of the incidents that is filed after the plan was published: what is new on the board."""
UNITS = (
    "SELECT id FROM unit WHERE territory_id = :home AND kind NOT IN ('centre') AND valid_to IS NULL ORDER BY id LIMIT 1"
)


def workers(session: Session, territory: TerritoryInfo, count: int) -> None:
    """Have so many workers, each with a responsibility grid, all on shift since two hours ago."""
    session.execute(
        text(
            "INSERT INTO worker (territory_id, unit_id, responsibility_grid_id, code, skills, equipment)"
            " SELECT w.territory_id, w.unit_id, g.id, 'W' || lpad((1000 + n)::text, 4, '0'), w.skills, w.equipment"
            " FROM generate_series(1, :more) n"
            " JOIN LATERAL (SELECT *, row_number() OVER (ORDER BY id) AS at, count(*) OVER () AS many FROM worker"
            "   WHERE territory_id = :home AND active) w ON w.at = 1 + n % w.many"
            " JOIN LATERAL (SELECT id, row_number() OVER (ORDER BY id) AS at, count(*) OVER () AS many"
            "   FROM responsibility_grid WHERE territory_id = :home) g ON g.at = 1 + n % g.many"
        ),
        {"home": territory.id, "more": max(0, count - _count(session, territory))},
    )
    local = now().astimezone(territory.zone)
    start = max(0, local.hour - ON_SHIFT_FOR_H) * 60
    steps = json.dumps([{"day": 0, "start_min": start, "end_min": start + SHIFT_H * 60, "break_min": 30}])
    session.execute(text("UPDATE shift_pattern SET cycle_days = 1, steps = CAST(:steps AS jsonb)"), {"steps": steps})
    session.execute(text("DELETE FROM roster_exception"))
    session.execute(text("DELETE FROM absence"))
    session.execute(
        text(
            "INSERT INTO worker_pattern (territory_id, worker_id, pattern_id, anchor_on, valid_from)"
            " SELECT :home, w.id, (SELECT min(id) FROM shift_pattern WHERE territory_id = :home), '2020-01-06',"
            " '2020-01-06' FROM worker w WHERE w.territory_id = :home"
            " AND NOT EXISTS (SELECT FROM worker_pattern p WHERE p.worker_id = w.id)"
        ),
        {"home": territory.id},
    )


def _count(session: Session, territory: TerritoryInfo) -> int:
    found = session.scalar(
        text("SELECT count(*) FROM worker WHERE territory_id = :home AND active"), {"home": territory.id}
    )
    return int(found or 0)


def incidents(session: Session, territory: TerritoryInfo, count: int, *, first: int, tight: float) -> None:
    """File so many incidents where there were some before, due within the shift; ``tight`` of them soon."""
    at = now()
    prefix = prefix_of(territory.name)
    numbers = [make_number(prefix, at.year, first + k) for k in range(max(0, count))]
    session.execute(
        text(
            "INSERT INTO incident (territory_id, number, source, class_id, category, status, priority, emergency,"
            " reported_at, filed_at, due_at, due_from, place, grid_id, community_id, unit_id, simulated, geom)"
            " SELECT territory_id, said.number, 'patrol', class_id, category, 'filed', 1 + (id % 4), id % 173 = 0,"
            " :now - interval '1 min' * (id % 50), :now, :now + interval '1 min' *"
            " CASE WHEN (id * 7919 % 1000) < :tight THEN 18 + id % 50 ELSE 90 + id * 31 % 330 END, :now, place,"
            " grid_id, community_id, coalesce(unit_id, (" + UNITS + ")), true, geom"
            " FROM unnest(CAST(:numbers AS text[])) WITH ORDINALITY AS said (number, at)"
            " JOIN (SELECT *, row_number() OVER (ORDER BY md5(id::text || :seed)) AS at FROM incident"
            "   WHERE territory_id = :home AND status = 'closed') AS before USING (at)"
        ),
        {"home": territory.id, "now": at, "numbers": numbers, "seed": str(first), "tight": 1000 * tight},
    )


def begin(session: Session, territory: TerritoryInfo) -> None:
    """Have every second worker on site at his first stop, and most of the second stops accepted."""
    for change, where in (
        ("state = 'started', accepted_at = :now, arrived_at = :now", "place_in_route = 1 AND worker_id % 2 = 0"),
        ("state = 'accepted', accepted_at = :now", "place_in_route = 2 AND worker_id % 3 < 2"),
    ):
        session.execute(
            text(f"UPDATE task SET {change} WHERE territory_id = :home AND state = 'waiting' AND {where}"),
            {"home": territory.id, "now": now()},
        )
    session.execute(
        text(
            "UPDATE incident i SET status = 'handling', version = i.version + 1 FROM task t WHERE t.incident_id = i.id"
            " AND t.state = 'started' AND i.status = 'dispatched' AND i.territory_id = :home"
        ),
        {"home": territory.id},
    )


def dispatcher() -> Actor:
    """Return the dispatcher of the demo."""
    with transaction(system_actor()) as session:
        found = {account.role: account for account in accounts.demo_accounts(session)}
    return found[Role.DISPATCHER].actor()


def fill(tasks: int, crew: int, seconds: float) -> None:
    """Make the town busy: a published plan that runs, and what came in since."""
    actor = dispatcher()
    with transaction(system_actor()) as session:
        territory = find_territory(session)
        workers(session, territory, crew)
        already = session.scalar(
            text("SELECT count(*) FROM incident WHERE territory_id = :home AND status IN ('filed', 'dispatched')"),
            {"home": territory.id},
        )
        incidents(session, territory, round(tasks * (1 - FRESH)) - int(already or 0), first=FIRST, tight=0.05)
    with transaction(actor) as session:
        plan = standing_plan.refresh(session, actor, territory, stop=Stop(seconds=seconds))
        wanted = [row.incident_id for row in plan.rows if row.change in {"new", "moved", "retimed"}]
    with transaction(actor) as session:
        came = execution.publish(session, actor, plan.id, wanted, command_id=str(uuid.uuid4()))
    with transaction(system_actor()) as session:
        begin(session, territory)
        incidents(session, territory, round(tasks * FRESH), first=FIRST + tasks, tight=0.15)
    with transaction(actor) as session:
        plan = standing_plan.refresh(session, actor, territory, stop=Stop(seconds=seconds))
    sys.stdout.write(f"published {len(came.done)}, stale {len(came.stale)}; {plan.summary}\n")


def pictures(url: str, out: Path) -> None:
    """Take the board in both languages and at three sizes."""
    from tests.bench import pictures as taken

    sys.argv = ["pictures", "--url", url, "--out", str(out), "--only", "board"]
    if taken.main():
        raise SystemExit(1)


def main() -> int:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fill", action="store_true", help="fill the database of GRIDKEEPER_STATE_DIR")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0, help="of search for each plan")
    parser.add_argument("--url", help="take pictures of the board that is served here")
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    asked = parser.parse_args()
    if asked.fill:
        fill(asked.tasks, asked.workers, asked.seconds)
    if asked.url:
        pictures(asked.url, asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
