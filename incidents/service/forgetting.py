"""What of incidents is forgotten when its time has passed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.identity import Actor, May, require
from geodata.retention import destroy_keys
from incidents.store import forgetting


def forget_commands(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the answers to commands applied before a moment: none of them is sent again so late; return how many."""
    require(actor, May.KEEP_RUNNING)
    return forgetting.delete_commands(session, before)


def forget_reporters(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Erase reporter, phone and free text of incidents that ended before a moment; return of how many.

    The keys are destroyed, so that the record opens none of it either. The incident stays.
    """
    require(actor, May.KEEP_RUNNING)
    return destroy_keys(session, forgetting.delete_personal(session, before))
