"""SQL of another system's reports: what it told us, what we told it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session, aliased

from geodata.tables import Incident, Unit, UpstreamAnswer, UpstreamItem
from incidents.upstream import Answer, Known, Ours


def lock(session: Session, territory_id: int) -> None:
    """Wait until nobody else brings in or writes back; held until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gridkeeper upstream'), :id)"), {"id": territory_id})


def here(session: Session, territory_id: int, system: str, refs: Sequence[str]) -> dict[str, int]:
    """Return reference to incident of those that are here."""
    rows = session.execute(
        select(Incident.external_ref, Incident.id).where(
            Incident.territory_id == territory_id, Incident.source_system == system, Incident.external_ref.in_(refs)
        )
    )
    return {ref: incident_id for ref, incident_id in rows if ref is not None}


def keep_items(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what the other system told, one row a reference; the newer word counts."""
    if not rows:
        return
    statement = insert(UpstreamItem)
    changed = ("incident_id", "state", "reported_at", "due_at", "reason", "file_name", "seen_at")
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["territory_id", "system", "ref"],
            set_={name: getattr(statement.excluded, name) for name in changed},
        ),
        list(rows),
    )


def items(session: Session, territory_id: int, system: str) -> list[tuple[Known, bool, dt.datetime]]:
    """Return all that the other system told of, whether it is here, and when it was told last."""
    rows = session.execute(
        select(
            UpstreamItem.ref, UpstreamItem.state, UpstreamItem.reported_at, UpstreamItem.due_at, UpstreamItem.reason,
            UpstreamItem.incident_id.is_not(None), UpstreamItem.seen_at,
        )
        .where(UpstreamItem.territory_id == territory_id, UpstreamItem.system == system)
        .order_by(UpstreamItem.reported_at, UpstreamItem.ref)
    )  # fmt: skip
    return [(Known(*row[:5]), row[5], row[6]) for row in rows]


def ours(session: Session, territory_id: int, system: str) -> list[Ours]:
    """Return the incidents of the other system, with the status that it was told last."""
    last = _last(territory_id, system)
    rows = session.execute(
        select(
            Incident.external_ref, Incident.id, Incident.number, Incident.status, Incident.reported_at,
            func.coalesce(last.c.content["status"].astext, ""),
        )
        .outerjoin(last, last.c.incident_id == Incident.id)
        .where(
            Incident.territory_id == territory_id,
            Incident.source_system == system,
            Incident.external_ref.is_not(None),
        )
        .order_by(Incident.reported_at, Incident.id)
    )  # fmt: skip
    return [Ours(*row) for row in rows]


def untold(session: Session, territory_id: int, system: str, zone: ZoneInfo) -> list[tuple[int, str, Answer]]:
    """Return incident, reference and answer of those of which the other system was told something else last."""
    last, first = _last(territory_id, system), aliased(Incident)
    rows = session.execute(
        select(
            Incident.id, Incident.external_ref, last.c.digest, Incident.number, Incident.status,
            func.coalesce(Unit.name, ""), func.coalesce(Unit.name_zh, ""), func.coalesce(first.number, ""),
            Incident.filed_at, Incident.due_at, Incident.handled_at, Incident.closed_at,
        )
        .outerjoin(last, last.c.incident_id == Incident.id)
        .outerjoin(Unit, Unit.id == Incident.unit_id)
        .outerjoin(first, first.id == Incident.duplicate_of)
        .where(
            Incident.territory_id == territory_id,
            Incident.source_system == system,
            Incident.external_ref.is_not(None),
        )
        .order_by(Incident.id)
    )  # fmt: skip
    found = []
    for incident_id, ref, digest, *told in rows:
        moments = ("" if at is None else at.astimezone(zone).isoformat(timespec="seconds") for at in told[5:])
        answer = Answer(*told[:5], *moments)
        if answer.digest() != digest:
            found.append((incident_id, ref, answer))
    return found


def last_batch(session: Session, territory_id: int, system: str) -> int:
    """Return the number of the newest batch; 0 before the first."""
    query = select(func.coalesce(func.max(UpstreamAnswer.batch), 0)).where(
        UpstreamAnswer.territory_id == territory_id, UpstreamAnswer.system == system
    )
    return session.execute(query).scalar_one()


def add_answers(session: Session, rows: Iterable[UpstreamAnswer]) -> None:
    """Insert what is told."""
    session.add_all(rows)
    session.flush()


def batch(session: Session, territory_id: int, system: str, number: int) -> list[tuple[str, Answer]]:
    """Return reference and answer of a batch, in its order."""
    rows = session.execute(
        select(UpstreamAnswer.ref, UpstreamAnswer.content)
        .where(
            UpstreamAnswer.territory_id == territory_id,
            UpstreamAnswer.system == system,
            UpstreamAnswer.batch == number,
        )
        .order_by(UpstreamAnswer.incident_id)
    )
    return [(ref, Answer(**content)) for ref, content in rows]


def batches(session: Session, territory_id: int, system: str, limit: int) -> list[tuple[int, dt.datetime, int]]:
    """Return number, time and rows of the newest batches."""
    rows = session.execute(
        select(UpstreamAnswer.batch, func.min(UpstreamAnswer.written_at), func.count())
        .where(UpstreamAnswer.territory_id == territory_id, UpstreamAnswer.system == system)
        .group_by(UpstreamAnswer.batch)
        .order_by(UpstreamAnswer.batch.desc())
        .limit(limit)
    )
    return [(number, at, count) for number, at, count in rows]


def _last(territory_id: int, system: str) -> Any:
    """Return the newest answer of each incident, as a part of a query."""
    return (
        select(UpstreamAnswer.incident_id, UpstreamAnswer.digest, UpstreamAnswer.content)
        .ext(distinct_on(UpstreamAnswer.incident_id))
        .where(UpstreamAnswer.territory_id == territory_id, UpstreamAnswer.system == system)
        .order_by(UpstreamAnswer.incident_id, UpstreamAnswer.batch.desc())
        .subquery()
    )
