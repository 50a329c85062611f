"""Use cases of forgetting what the planner knew of workers: where each one was."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.identity import Actor, May, require
from dispatch import store_plan


def forget_snapshots(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete the problems of plans made before a moment, in which the places of workers stand; return how many."""
    require(actor, May.KEEP_RUNNING)
    return store_plan.forget_snapshots(session, before)
