"""Clearing a demo territory in one confirmed act: its accounts, its rows, its keys; other territories stay."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from core.identity import Actor, May, Role, require
from core.progress import Progress
from geodata import db, jobs
from geodata.clearing import DemoContent, clear_demo_territory, demo_content
from geodata.jobs import Job
from geodata.territory import find_territory
from people.demo import DemoAccounts, accounts_of_demo, retire_accounts_of_demo

KIND = "clear_demo"
PURPOSE = "clear the demo"
JOB_FROM_ROWS = 3_000
"""From so many rows on the work takes longer than two seconds and is done in the background."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """What would go with a demo territory, and what that means for accounts."""

    content: DemoContent
    accounts: DemoAccounts

    @property
    def locks_out(self) -> bool:
        """Return whether nobody could administer the territories that stay; then it is refused."""
        return bool(self.accounts.territories_left and not self.accounts.administrators_left)

    @property
    def is_long(self) -> bool:
        """Return whether the work is better done in the background."""
        return self.content.total > JOB_FROM_ROWS


def foresee(actor: Actor, name: str) -> Clearing:
    """Return what clearing a demo territory would remove; raise when it is none."""
    with db.transaction(_acting(actor), purpose=PURPOSE) as session:
        territory = find_territory(session, name)
        content = demo_content(session, actor, name)
        return Clearing(content, accounts_of_demo(session, actor, territory.id))


def clear(actor: Actor, name: str, progress: Progress) -> Mapping[str, Any]:
    """Clear a demo territory in one transaction and return what went."""
    acting = _acting(actor)
    with db.transaction(acting, purpose=PURPOSE) as session:
        # Says whether it is a demo territory before any account is touched.
        demo_content(session, acting, name)
        found = retire_accounts_of_demo(session, acting, find_territory(session, name).id)
        cleared = clear_demo_territory(session, acting, name, progress=progress)
    return {
        "territory": name,
        "rows": cleared.total,
        "by_table": dict(cleared.rows),
        "keys_destroyed": cleared.keys_destroyed,
        "accounts_retired": found.retired,
        "accounts_without_role": found.homeless,
    }


def ask(actor: Actor, name: str, typed: str) -> int:
    """Queue the clearing of a demo territory whose name was typed, and return the job.

    The job belongs to no territory, so that its row outlives the one that goes.

    Raises
    ------
    InvalidInput
        When the name that was typed is another.
    """
    if typed.strip() != name:
        raise InvalidInput(f"You typed {typed.strip()!r}, the territory is called {name!r}.", hint="Type its name.")
    acting = _acting(actor)
    with db.transaction(acting, purpose=PURPOSE) as session:
        found = accounts_of_demo(session, acting, find_territory(session, name).id)
        if found.territories_left and not found.administrators_left:
            retire_accounts_of_demo(session, acting, find_territory(session, name).id)  # says what is wrong
        return jobs.enqueue(session, acting, KIND, {"name": name})


def latest(actor: Actor) -> Job | None:
    """Return the newest clearing, whoever asked for it; None when there was none."""
    with db.transaction(_acting(actor)) as session:
        return next(iter(jobs.recent_jobs(session, None, KIND, limit=1)), None)


def _acting(actor: Actor) -> Actor:
    """Return the actor with the system's rights, of no territory; for who may set a platform up."""
    require(actor, May.SET_UP)
    return dataclasses.replace(actor, role=Role.SYSTEM, territory_id=None)
