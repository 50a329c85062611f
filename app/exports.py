"""Lists that leave the platform as a file: each taking stands in the record, with how many rows it held."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.identity import Actor
from geodata.db import transaction
from geodata.record import note_event

Content = TypeVar("Content", bytes, str)


def recorded(actor: Actor, table: str, rows: int, make: Callable[[], Content]) -> Content:
    """Return the file that ``make`` writes, and record that the actor took so many rows of a table."""
    content = make()
    with transaction(actor, purpose=f"export {table}") as session:
        note_event(session, "export", table, actor.territory_id or 0, {"rows": rows})
    return content
