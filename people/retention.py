"""What is forgotten when its time has passed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.identity import Actor, May, require
from people import store

ENDED_SESSION_KEPT = dt.timedelta(days=30)


def forget_ended_sessions(session: Session, actor: Actor, *, at: dt.datetime | None = None) -> int:
    """Delete the sessions that expired longer than `ENDED_SESSION_KEPT` ago; return how many."""
    require(actor, May.MANAGE_USERS)
    return store.delete_sessions(session, expired_before=(at or clock_now()) - ENDED_SESSION_KEPT)
