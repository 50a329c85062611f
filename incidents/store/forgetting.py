"""SQL of forgetting: answers to commands, and what names people in incidents that ended long ago."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from geodata.tables import Command, Incident, IncidentPersonal

ENDED = ("closed", "void")


def delete_commands(session: Session, before: dt.datetime) -> int:
    """Delete the commands made before a moment; return how many."""
    gone = session.scalars(delete(Command).where(Command.created_at < before).returning(Command.id))
    return len(gone.all())


def delete_personal(session: Session, before: dt.datetime) -> Sequence[str]:
    """Delete what names people in incidents that ended before a moment; return the subjects."""
    ended = select(Incident.id).where(
        Incident.status.in_(ENDED), func.coalesce(Incident.closed_at, Incident.reported_at) < before
    )
    gone = session.scalars(
        delete(IncidentPersonal)
        .where(IncidentPersonal.incident_id.in_(ended))
        .returning(IncidentPersonal.subject_id)
        .execution_options(synchronize_session=False)
    )
    return gone.all()
