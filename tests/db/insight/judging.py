"""What tests of the citizen's word and of appeals share."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import Actor, Role
from geodata import db
from insight import service

Case = tuple[Session, dict[Role, Actor]]
UNREACHED: dict[str, Any] = {"reached": False, "solved": None, "satisfied": None}


def act(case: Case, role: Role, **changes: object) -> Actor:
    session, actors = case
    actor = dataclasses.replace(actors[role], **changes)
    db.as_actor(session, actor)
    return actor


def fold(case: Case) -> None:
    keeper = act(case, Role.SYSTEM)
    service.refresh(case[0], keeper, keeper.territory_id or 0)


def closed_by_a_citizen(case: Case, *, late: bool = False, own: bool = False) -> tuple[int, int]:
    """Return a closed report of a citizen and its unit, closed just now."""
    session, actors = case
    act(case, Role.SYSTEM)
    units = list(actors[Role.HANDLER].unit_ids)
    row = session.execute(
        text(
            "UPDATE incident SET closed_at = now() - interval '2 hours', source = 'hotline', due_at = now() - :after"
            " WHERE id = (SELECT id FROM incident WHERE status = 'closed' AND unit_id IS NOT NULL AND reworks = 0"
            " AND (NOT :own OR unit_id = ANY (:units)) ORDER BY id LIMIT 1) RETURNING id, unit_id"
        ),
        {"after": dt.timedelta(hours=5 if late else 1), "own": own, "units": units},
    ).one()
    session.execute(text("DELETE FROM citizen_word WHERE incident_id = :id"), {"id": row.id})
    return row.id, row.unit_id
