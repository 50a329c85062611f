"""Doing one act on many incidents: each by the ordinary use case, in a transaction of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import GridkeeperError
from core.identity import Actor
from geodata.db import transaction
from incidents import service as incidents
from incidents.model import IncidentRow


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one incident: its new status, or why it stays as it was, in both languages."""

    row: IncidentRow
    status: str = ""
    en: str = ""
    zh: str = ""

    @property
    def done(self) -> bool:
        """Return whether the act was done."""
        return bool(self.status)


def apply(actor: Actor, rows: Iterable[IncidentRow], act: str, given: Mapping[str, Any], batch: str) -> list[Outcome]:
    """Do ``act`` on each incident as it was seen and return what came of each, in order.

    Every incident is a command of its own, named by ``batch``: the same batch again changes nothing more. One that
    is refused, or that somebody else changed meanwhile, stays as it is and keeps no other from being done.
    """
    made = []
    for row in rows:
        command = str(uuid.uuid5(uuid.UUID(batch), f"{row.id} {act}"))
        try:
            with transaction(actor) as session:
                done = incidents.move(session, actor, row.id, act, version=row.version, command_id=command, **given)
        except GridkeeperError as error:
            words = " ".join(part for part in (error.message, error.hint) if part)
            made.append(Outcome(row, en=words, zh=error.zh or words))
        else:
            made.append(Outcome(row, status=done.status))
    return made
