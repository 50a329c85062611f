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


def forget_originals(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete unblurred photos of incidents that ended before a moment, and close their notes; return how many.

    The keys are destroyed, so that no older backup opens them either. The blurred copies stay.
    """
    require(actor, May.KEEP_RUNNING)
    return destroy_keys(session, forgetting.delete_originals(session, before))


def forget_evidence(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the pictures of incidents that ended before a moment; what was there, and its hash, stays."""
    require(actor, May.KEEP_RUNNING)
    return forgetting.delete_pictures(session, before)


def forget_reporters(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Erase reporter, phone and free text of incidents that ended before a moment; return of how many.

    The keys are destroyed, so that the record opens none of it either. The incident stays.
    """
    require(actor, May.KEEP_RUNNING)
    return destroy_keys(session, forgetting.delete_personal(session, before))
