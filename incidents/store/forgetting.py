"""SQL of forgetting: answers to commands, and what names people in incidents that ended long ago."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from geodata.tables import Command, Evidence, EvidenceImage, Incident, IncidentPersonal, PersonKey

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


def delete_originals(session: Session, before: dt.datetime) -> Sequence[str]:
    """Delete the unblurred pictures of incidents that ended before a moment; return the subjects still open."""
    of_ended = select(Evidence.id).where(Evidence.incident_id.in_(_ended(before)))
    session.execute(
        delete(EvidenceImage)
        .where(EvidenceImage.version == 0, EvidenceImage.evidence_id.in_(of_ended))
        .execution_options(synchronize_session=False)
    )
    return session.scalars(
        select(Evidence.subject_id)
        .join(PersonKey, PersonKey.subject_id == Evidence.subject_id)
        .where(Evidence.id.in_(of_ended), PersonKey.wrapped_key.is_not(None))
    ).all()


def delete_pictures(session: Session, before: dt.datetime) -> int:
    """Delete the blurred pictures of incidents that ended before a moment; return how many."""
    of_ended = select(Evidence.id).where(Evidence.incident_id.in_(_ended(before)))
    gone = session.scalars(
        delete(EvidenceImage)
        .where(EvidenceImage.version > 0, EvidenceImage.evidence_id.in_(of_ended))
        .returning(EvidenceImage.evidence_id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _ended(before: dt.datetime) -> Select[int]:
    return select(Incident.id).where(
        Incident.status.in_(ENDED), func.coalesce(Incident.closed_at, Incident.reported_at) < before
    )
