"""A few generated acts of the demo accounts that the rules of accountability ask about, and are labelled so.

They are done by the same use cases as everybody's acts; by `insight.accountability.GENERATED` the record tells them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy.orm import Session

from core.clock import now
from core.identity import Actor, Role, system_actor
from geodata.db import as_actor
from geodata.record import note_event
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.model import IncidentFilter
from insight import review_run
from insight.accountability import GENERATED
from people import accounts

SMALL_TOWN = 3_000
"""With fewer incidents than these nothing is closed: a small town keeps its few."""
LEAST_TO_CLOSE = 8
"""With fewer that wait only one is closed, with its time set back."""
CLOSED_AT_ONCE = 5
SET_BACK = dt.timedelta(hours=5)
TAKEN_ROWS = (1_900, 2_150, 1_700)


def plant(session: Session, actor: Actor, territory: TerritoryInfo, logins: list[str], *, reports: int) -> int:
    """Let the demo accounts do them and the rules find them, and return how many incidents were closed."""
    people = {each.role: each.actor() for each in (accounts.find_account(session, one, territory.id) for one in logins)}
    _take_out(session, territory, people)
    closed = _close(session, people) if reports >= SMALL_TOWN else 0
    keeper = system_actor(territory.id, label="accountability")
    as_actor(session, keeper)
    review_run.run(session, keeper, territory)
    as_actor(session, actor)
    return closed


def _take_out(session: Session, territory: TerritoryInfo, people: Mapping[Role, Actor]) -> None:
    """Save the register of components three times within minutes."""
    as_actor(session, people[Role.HANDLER], purpose=GENERATED)
    for rows in TAKEN_ROWS:
        note_event(session, "export", "component", territory.id, {"rows": rows})


def _close(session: Session, people: Mapping[Role, Actor]) -> int:
    """Close one with a time set back, and some one after the other without a look."""
    supervisor = people[Role.SUPERVISOR]
    as_actor(session, supervisor)
    waiting = incidents.list_incidents(
        session, supervisor, IncidentFilter(statuses=("checking",)), limit=LEAST_TO_CLOSE
    ).rows
    chosen = waiting[: CLOSED_AT_ONCE + 1 if len(waiting) >= LEAST_TO_CLOSE else 1]
    for place, row in enumerate(chosen):
        command, at = f"{GENERATED}-{uuid.uuid4()}", now() - (SET_BACK if place == 0 else dt.timedelta(0))
        incidents.move(session, supervisor, row.id, "close", version=None, command_id=command, moment=at)
    return len(chosen)
