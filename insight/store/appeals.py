"""SQL of appeals."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from insight.appeals import EFFECTS, KEY_OF
from insight.model import AppealInfo

_READ = """
    SELECT a.id, a.incident_id, i.number, a.unit_id, u.name, coalesce(u.name_zh, u.name), a.effect, a.ground,
           a.evidence, a.state, a.asked_by, a.asked_label, a.asked_at, a.decided_by, a.decided_label, a.decided_at,
           a.answer, a.signature
    FROM appeal AS a JOIN incident AS i ON i.id = a.incident_id JOIN unit AS u ON u.id = a.unit_id
    WHERE a.territory_id = :territory
"""


def appeals(
    session: Session, territory_id: int, *, states: tuple[str, ...], incident_id: int | None
) -> list[AppealInfo]:
    """Return appeals, waiting ones first, then the newest; of one incident when it is named."""
    rows = session.execute(
        text(
            f"{_READ} AND (:any OR a.state = ANY (:states)) AND (:every OR a.incident_id = :incident)"
            " ORDER BY a.state <> 'waiting', a.id DESC LIMIT 500"
        ),
        {
            "territory": territory_id,
            "states": list(states),
            "any": not states,
            "incident": incident_id or 0,
            "every": incident_id is None,
        },
    )
    return [_info(row) for row in rows]


def appeal(session: Session, territory_id: int, appeal_id: int, *, lock: bool = False) -> AppealInfo | None:
    """Return an appeal, locked until the transaction ends where asked for; None when it is out of reach."""
    query = f"{_READ} AND a.id = :id" + (" FOR UPDATE OF a" if lock else "")
    row = session.execute(text(query), {"territory": territory_id, "id": appeal_id}).one_or_none()
    return None if row is None else _info(row)


def _info(row: Any) -> AppealInfo:
    values = list(row)
    values[6] = KEY_OF[values[6]]
    return AppealInfo(*values)


def incident(
    session: Session, territory_id: int, incident_id: int
) -> tuple[str, int | None, dt.datetime | None] | None:
    """Return number, unit, and when an incident was counted: its close, or its deadline where it is open."""
    row = session.execute(
        text(
            "SELECT number, unit_id, greatest(coalesce(closed_at, due_at),"
            " (SELECT max(told_at) FROM citizen_word AS w WHERE w.incident_id = i.id))"
            " FROM incident AS i WHERE id = :id AND territory_id = :territory"
        ),
        {"id": incident_id, "territory": territory_id},
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def add(session: Session, territory_id: int, given: dict[str, Any]) -> int:
    """Insert an appeal and return its id; the database says who asks and when."""
    return int(
        session.execute(
            text(
                "INSERT INTO appeal (territory_id, incident_id, unit_id, effect, ground, evidence, asked_at)"
                " VALUES (:territory, :incident, :unit, :effect, :ground, :evidence, now()) RETURNING id"
            ),
            given | {"territory": territory_id, "effect": EFFECTS[given["effect"]]},
        ).scalar_one()
    )


def decide(session: Session, appeal_id: int, *, state: str, answer: str, at: dt.datetime, signature: str) -> None:
    """Write a decision with its signature; the database says who decides."""
    session.execute(
        text(
            "UPDATE appeal SET state = :state, answer = :answer, decided_at = :at, signature = :signature"
            " WHERE id = :id"
        ),
        {"state": state, "answer": answer, "at": at, "signature": signature, "id": appeal_id},
    )


def is_party(session: Session, appeal_id: int) -> bool:
    """Return whether who acts is a party: had a hand in the incident, asked, or speaks for the unit."""
    return bool(session.execute(text("SELECT gk_appeal_party(:id)"), {"id": appeal_id}).scalar_one())
