"""SQL of emergencies: the words and numbers of a territory's own, and what was handed over."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from geodata.tables import EmergencyRule, HandOver, Incident, IncidentClass
from incidents.emergencies import Handed, OwnRule

LISTED_MOST = 200


def own_rules(session: Session, territory_id: int | None) -> list[OwnRule]:
    """Return the rules of a territory's own, oldest first."""
    rows = session.execute(
        select(EmergencyRule.kind, EmergencyRule.phrase, EmergencyRule.service, EmergencyRule.active)
        .where(EmergencyRule.territory_id == territory_id)
        .order_by(EmergencyRule.id)
    )
    return [OwnRule(*row) for row in rows]


def rule(session: Session, territory_id: int, kind: str, phrase: str) -> EmergencyRule | None:
    """Return one rule, locked; None when there is none."""
    return session.scalar(
        select(EmergencyRule)
        .where(EmergencyRule.territory_id == territory_id, EmergencyRule.kind == kind, EmergencyRule.phrase == phrase)
        .with_for_update()
    )


def number_of(session: Session, territory_id: int, service: str) -> EmergencyRule | None:
    """Return the row of the number to call for a service, locked."""
    return session.scalar(
        select(EmergencyRule)
        .where(
            EmergencyRule.territory_id == territory_id, EmergencyRule.kind == "number", EmergencyRule.service == service
        )
        .with_for_update()
    )


def lock(session: Session, territory_id: int | None, hand_over_id: int) -> HandOver | None:
    """Return a hand-over, locked; None when it is out of reach."""
    return session.scalar(
        select(HandOver)
        .where(HandOver.id == hand_over_id, HandOver.territory_id == territory_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def add(session: Session, rows: list[HandOver]) -> None:
    """Insert hand-overs."""
    session.add_all(rows)
    session.flush()


def covered(session: Session, incident_id: int) -> set[str]:
    """Return the services that an incident was handed over to or waits to be; one found needless is not among them."""
    query = select(HandOver.service).where(HandOver.incident_id == incident_id, HandOver.state != "dismissed")
    return set(session.scalars(query))


def of_incident(session: Session, incident_id: int) -> list[Handed]:
    """Return the hand-overs of an incident, oldest first."""
    query = _columns().where(HandOver.incident_id == incident_id).order_by(HandOver.id)
    return [Handed(*row) for row in session.execute(query)]


def listed(session: Session, territory_id: int, states: tuple[str, ...], since: dt.datetime | None) -> list[Handed]:
    """Return hand-overs by state, the newest first; those that wait are never left out by their age."""
    query = _columns().where(HandOver.territory_id == territory_id, HandOver.state.in_(states))
    if since is not None:
        query = query.where(or_(HandOver.state == "waiting", HandOver.raised_at >= since))
    newest = query.order_by(HandOver.raised_at.desc(), HandOver.id.desc()).limit(LISTED_MOST)
    return [Handed(*row) for row in session.execute(newest)]


def waiting(session: Session, territory_id: int) -> list[Handed]:
    """Return what waits to be handed over, the longest first."""
    query = _columns().where(HandOver.territory_id == territory_id, HandOver.state == "waiting")
    return [Handed(*row) for row in session.execute(query.order_by(HandOver.raised_at, HandOver.id))]


def never_raised(session: Session, territory_id: int) -> list[Handed]:
    """Return open emergencies of which no hand-over is known at all, the longest first; none of a simulated city."""
    query = (
        select(*_INCIDENT, Incident.reported_at)
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .where(
            Incident.territory_id == territory_id,
            Incident.emergency,
            Incident.status.not_in(("closed", "void")),
            Incident.duplicate_of.is_(None),
            ~Incident.simulated,
            ~select(HandOver.id).where(HandOver.incident_id == Incident.id).exists(),
        )
        .order_by(Incident.reported_at)
        .limit(LISTED_MOST)
    )
    return [Handed(None, *row[:-1], "", "", "", "waiting", row[-1]) for row in session.execute(query)]


_INCIDENT = (
    Incident.id,
    Incident.number,
    IncidentClass.name_en,
    IncidentClass.name_zh,
    Incident.status,
    Incident.place,
)


def _columns() -> Select[*tuple[Any, ...]]:
    return (
        select(
            HandOver.id,
            *_INCIDENT,
            HandOver.service,
            HandOver.phone,
            HandOver.because,
            HandOver.state,
            HandOver.raised_at,
            HandOver.raised_label,
            HandOver.called_at,
            HandOver.channel,
            HandOver.reference,
            HandOver.settled_at,
            HandOver.settled_label,
        )
        .join(Incident, Incident.id == HandOver.incident_id)
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
    )
