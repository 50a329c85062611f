"""SQL of evidence: photos and notes of an incident, and what its class demands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, any_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from core.identity import Actor
from geodata.tables import Evidence, EvidenceBlur, EvidenceImage, Incident, IncidentClass, Task
from incidents import evidence_rules

_SHOWN: tuple[ColumnElement[bool], ...] = (
    Evidence.kind == evidence_rules.AFTER,
    Evidence.taken_as.in_(evidence_rules.HANDS),
)
"""The photo after, from who handled it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row of evidence with the last row of its blurred copy."""

    row: Evidence
    blur: EvidenceBlur | None
    versions: tuple[int, ...]
    """Of the pictures that the actor may see."""


def lacking(session: Session, incident_id: int) -> tuple[str, ...]:
    """Return what the class of an incident demands and is not there.

    The photo after counts in its own round, and from who handles the incident; what the system brought counts too.
    """
    row = session.execute(
        select(IncidentClass.evidence, Incident.reworks)
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .where(Incident.id == incident_id)
    ).one_or_none()
    if row is None or not row.evidence:
        return ()
    there = session.scalars(
        select(Evidence.kind).where(
            Evidence.incident_id == incident_id,
            or_(
                Evidence.kind != evidence_rules.AFTER,
                and_(Evidence.round == row.reworks, Evidence.taken_as.in_((*evidence_rules.HANDS, ""))),
            ),
        )
    )
    return evidence_rules.lacking(row.evidence, set(there))


def shown_by(session: Session, incident_id: int) -> frozenset[int]:
    """Return who showed in a photo, as a handler or a worker, what became of an incident or its duplicates."""
    these = select(Incident.id).where(or_(Incident.id == incident_id, Incident.duplicate_of == incident_id))
    takers = select(Evidence.taken_by).where(Evidence.incident_id.in_(these), *_SHOWN)
    return frozenset(each for each in session.scalars(takers) if each is not None)


def demanded(session: Session, incident_id: int) -> tuple[str, ...]:
    """Return what the class of an incident demands."""
    text = session.scalar(
        select(IncidentClass.evidence)
        .join(Incident, Incident.class_id == IncidentClass.id)
        .where(Incident.id == incident_id)
    )
    return evidence_rules.demanded(text or "")


def add(session: Session, row: Evidence) -> Evidence:
    """Insert a row of evidence and return it as the database stamped it."""
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def add_image(session: Session, row: Evidence, version: int, content: bytes) -> None:
    """Insert a picture; blurred ones after `add_blur`."""
    session.add(EvidenceImage(evidence_id=row.id, version=version, territory_id=row.territory_id, content=content))
    session.flush()


def add_blur(session: Session, blur: EvidenceBlur) -> None:
    """Insert what is blurred in a copy."""
    session.add(blur)
    session.flush()


def known(session: Session, incident_id: int, sha256: str) -> bool:
    """Return whether an incident has this very photo."""
    return bool(session.scalar(select(exists().where(Evidence.incident_id == incident_id, Evidence.sha256 == sha256))))


def count(session: Session, incident_id: int, *, photos: bool = True) -> int:
    """Return how many photos, or notes, an incident has."""
    query = select(func.count()).select_from(Evidence).where(Evidence.incident_id == incident_id)
    return int(session.scalar(query.where(Evidence.sha256.is_not(None) == photos)) or 0)


def of_incident(session: Session, territory_id: int, incident_id: int) -> list[Found]:
    """Return all evidence of an incident, oldest first."""
    rows = session.scalars(
        select(Evidence)
        .where(Evidence.territory_id == territory_id, Evidence.incident_id == incident_id)
        .order_by(Evidence.id)
    ).all()
    return _found(session, rows)


def one(session: Session, territory_id: int, evidence_id: int) -> Found | None:
    """Return one piece of evidence; None when it is out of reach or absent."""
    rows = session.scalars(
        select(Evidence).where(Evidence.territory_id == territory_id, Evidence.id == evidence_id)
    ).all()
    return next(iter(_found(session, rows)), None)


def _found(session: Session, rows: Sequence[Evidence]) -> list[Found]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    blurs = {
        blur.evidence_id: blur
        for blur in session.scalars(
            select(EvidenceBlur).where(EvidenceBlur.evidence_id.in_(ids)).order_by(EvidenceBlur.version)
        )
    }
    versions: dict[int, list[int]] = {}
    for evidence_id, version in session.execute(
        select(EvidenceImage.evidence_id, EvidenceImage.version)
        .where(EvidenceImage.evidence_id.in_(ids))
        .order_by(EvidenceImage.version)
    ):
        versions.setdefault(evidence_id, []).append(version)
    return [Found(row, blurs.get(row.id), tuple(versions.get(row.id, ()))) for row in rows]


def content(session: Session, evidence_id: int, version: int) -> bytes | None:
    """Return a picture as it is stored; None when the actor may not see it or it is gone."""
    return session.scalar(
        select(EvidenceImage.content).where(EvidenceImage.evidence_id == evidence_id, EvidenceImage.version == version)
    )


def waiting(session: Session, actor: Actor, limit: int) -> list[tuple[int, bool, bool]]:
    """Return incidents that wait to be closed, most urgent first: id, given out by the actor, handled by him."""
    of_handling = (Task.incident_id == Incident.id, Task.kind == "handle")
    sent = exists().where(*of_handling, Task.assigned_by == actor.user_id)
    worked = exists().where(*of_handling, literal(actor.user_id) == any_(Task.handled_by))
    showed = exists().where(Evidence.incident_id == Incident.id, Evidence.taken_by == actor.user_id, *_SHOWN)
    handled = or_(worked, showed)
    rows = session.execute(
        select(Incident.id, sent, handled)
        .where(Incident.territory_id == actor.territory_id, Incident.status == "checking")
        .order_by(
            case((Incident.emergency, 0), else_=1), Incident.due_at.asc().nulls_last(), Incident.priority, Incident.id
        )
        .limit(limit)
    )
    return [(row[0], bool(row[1]), bool(row[2])) for row in rows]
