"""What is forgotten when its time has passed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.identity import Actor, May, require
from geodata.retention import destroy_keys
from people import store, store_accounts, store_forgetting


def forget_ended_sessions(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the sessions that expired before a moment; return how many."""
    require(actor, May.KEEP_RUNNING)
    return store_accounts.delete_sessions(session, expired_before=before)


def forget_drafts(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the drafts that were last changed before a moment, and destroy their keys; return how many."""
    require(actor, May.KEEP_RUNNING)
    return destroy_keys(session, store.delete_drafts(session, changed_before=before))


def forget_codes(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the one-time codes that ran out before a moment, used or not; return how many."""
    require(actor, May.KEEP_RUNNING)
    return store_forgetting.delete_codes(session, expired_before=before)


def forget_absences(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the absences that ended before a moment: why somebody was away is his own; return how many."""
    require(actor, May.KEEP_RUNNING)
    return store_forgetting.delete_absences(session, ended_before=before.date())
