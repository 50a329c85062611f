"""Health & backup: how the platform stands, worst first; backups; what is kept how long."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, health, health_parts, i18n, retention, widgets
from app.health_model import Check
from app.i18n import t
from app.where import territory_of
from core.clock import now
from core.identity import May, require, system_actor
from geodata import backup, jobs
from geodata import health as facts
from geodata.db import transaction
from geodata.jobs import Job

BACKUPS_SHOWN = 3


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.KEEP_RUNNING)
    checks = health.look(actor, local=guard.listens_here_only())
    keeper = system_actor(label=actor.label)
    with transaction(keeper) as session:
        timezone = territory_of(session, actor).timezone
        taken = facts.recent_backups(session, keeper, limit=BACKUPS_SHOWN)
        last = backup.last_backup(session)
        latest = {kind: _latest(session, kind) for kind in (health_parts.BACKUP, retention.JOB)}
        widgets.title(t("Health & backup"), aside=t("as of {when}", when=i18n.clock(now(), timezone)))
        sizes = {"database": _number(checks, "database", "bytes"), "free": _free(checks)}
        health_parts.strip(checks, sizes, last, _number(checks, "sessions", "sessions"))
        left, right = st.columns([1.3, 1], gap="medium")
        with left:
            health_parts.table_of_checks(checks)
        with right:
            health_parts.backups(actor, latest[health_parts.BACKUP], taken, timezone)
            health_parts.kept(session, keeper, latest[retention.JOB], timezone)


def _latest(session: Session, kind: str) -> Job | None:
    return next(iter(jobs.recent_jobs(session, None, kind, limit=1)), None)


def _number(checks: list[Check], key: str, name: str) -> int | None:
    found = next((check.numbers.get(name) for check in checks if check.key == key), None)
    return found if isinstance(found, int) else None


def _free(checks: list[Check]) -> int | None:
    """Return the room where there is least."""
    found = [_number(checks, "disk", name) for name in ("state_free_bytes", "database_free_bytes")]
    return min((each for each in found if each is not None), default=None)


show()
