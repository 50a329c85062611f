"""Looking after the platform: every fact is gathered once and judged; what cannot be known says so."""

from __future__ import annotations

import os

from sqlalchemy.orm import Session

from app import guard, health_checks, health_dispatch, health_machine, health_outward, health_safety, tls
from app.health_model import Check, State, worst_first
from core.clock import now
from core.errors import InvalidInput, SourceUnavailable
from core.identity import Actor, May, require, system_actor
from core.settings import PREFIX, Settings, settings
from dispatch import feeds, standing_plan
from geodata import backup, basemaps, health, retention
from geodata.db import transaction
from incidents.service import clocks

HIDDEN = frozenset({"state_dir"})
"""Settings that differ on every machine and say nothing."""


def look(actor: Actor, *, local: bool | None = None) -> list[Check]:
    """Return every check, worst first; none raises for what it is there to find.

    Parameters
    ----------
    local
        Whether the pages are served to this machine alone; None asks the settings.
    """
    require(actor, May.KEEP_RUNNING)
    chosen, at = settings(), now()
    here = guard.is_this_machine(chosen.address) if local is None else local
    checks = _of_database(system_actor(label=actor.label), chosen, local=here)
    checks.append(health_checks.assets(health_machine.asset_facts()))
    found, problem = None, ""
    try:
        pair = tls.configured()
        found = None if pair is None else tls.read_pair(*pair)
    except InvalidInput as error:
        problem = error.message
    checks.append(health_safety.certificate(found, problem, local=here, now=at))
    checks.append(
        health_safety.unusual(
            chosen,
            weak_secret=health_machine.secret_is_weak(chosen),
            open_secret=health_machine.secret_file_open(chosen),
            set_names=_set_names(chosen),
        )
    )
    return worst_first(checks)


def ends_with(checks: list[Check]) -> int:
    """Return the exit code of a look: 1 when there is a fault, else 0, warnings included."""
    return int(any(check.state is State.FAULT for check in checks))


def _of_database(actor: Actor, chosen: Settings, *, local: bool) -> list[Check]:
    clock, disk = health_machine.clock_facts(), health_machine.disk_facts()
    try:
        with transaction(actor) as session:
            base = health.database_facts(session, actor)
            known = base.revision == base.head
            rest = _of_tables(session, actor, chosen, local=local) if known else []
            history = health.sizes(session, actor) if known else []
            newest = health.record_facts(session, actor).newest if known else None
    except SourceUnavailable:
        return [
            health_checks.database(None),
            health_checks.disk(disk, []),
            health_checks.schema(None),
            health_checks.clock(clock, None, None, now()),
            *_unknown(chosen, local=local),
        ]
    return [
        health_checks.database(base),
        health_checks.disk(disk, history),
        health_checks.schema(base),
        health_checks.clock(clock, base, newest, now()),
        *(rest or _unknown(chosen, local=local)),
    ]


def _of_tables(session: Session, actor: Actor, chosen: Settings, *, local: bool) -> list[Check]:
    at = now()
    access = health.access_facts(session, actor)
    runs = retention.last_runs(session)
    last_run = max((run.at for run in runs.values()), default=None)
    return [
        health_checks.jobs(health.queue_facts(session, actor), at),
        health_dispatch.dispatching(standing_plan.keeping(session, actor), at),
        health_outward.feeds(feeds.all_feeds(session, actor), at),
        health_outward.ground(basemaps.all_basemaps(session, actor)),
        health_safety.backup(backup.last_backup(session), known=True, demo=chosen.demo, now=at),
        health_safety.clean_up(last_run, known=True, now=at),
        health_safety.calendars(clocks.calendars_ending(session, actor, moment=at)),
        health_safety.access(access),
        health_safety.demo(access, chosen, local=local),
    ]


def _unknown(chosen: Settings, *, local: bool) -> list[Check]:
    at = now()
    return [
        health_checks.jobs(None, at),
        health_dispatch.dispatching(None, at),
        health_outward.feeds(None, at),
        health_outward.ground(None),
        health_safety.backup(None, known=False, demo=chosen.demo, now=at),
        health_safety.clean_up(None, known=False, now=at),
        health_safety.calendars(None),
        health_safety.access(None),
        health_safety.demo(None, chosen, local=local),
    ]


def _set_names(chosen: Settings) -> list[str]:
    """Return the names of the settings that were given from outside; never a value."""
    given = {name.upper().removeprefix(PREFIX).lower() for name in os.environ if name.upper().startswith(PREFIX)}
    return sorted(PREFIX + name.upper() for name in chosen.model_fields_set & given - HIDDEN)
