"""SQL of forgetting: one-time codes and absences whose time has passed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete
from sqlalchemy.orm import Session

from geodata.tables import Absence, Invitation


def delete_codes(session: Session, *, expired_before: dt.datetime) -> int:
    """Delete the one-time codes that ran out before a moment; return how many."""
    gone = session.scalars(delete(Invitation).where(Invitation.expires_at < expired_before).returning(Invitation.id))
    return len(gone.all())


def delete_absences(session: Session, *, ended_before: dt.date) -> int:
    """Delete the absences whose last day was before a day; return how many."""
    gone = session.scalars(delete(Absence).where(Absence.to_on < ended_before).returning(Absence.id))
    return len(gone.all())
