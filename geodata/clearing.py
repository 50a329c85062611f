"""Removing a demo territory with all that hangs on it; the record of it stays, unreadable where it was sealed.

The tables are found by what they are: those with a territory of their own go row by row in the order in which they
refer to each other, so that a table that is added later is cleared as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, func, select, text, update
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from geodata import persons
from geodata.bulk import begin_load, finish_load
from geodata.record import note_event
from geodata.tables import Base, Incident, Territory

KIND = "clear"
EVENT = "clear_demo"
_KEPT = frozenset({"record", "load_row", "erasure"})
"""What happened and who was erased outlives the territory."""
_LAST = frozenset({"load"})
"""Rows that the record of this very act refers to; they go with the territory itself."""


@dataclass(frozen=True, slots=True)
class DemoContent:
    """What would go with a demo territory, counted by table; ``real_incidents`` were not made by the generator."""

    name: str
    rows: Mapping[str, int]
    real_incidents: int

    @property
    def total(self) -> int:
        """Return the number of rows."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Cleared:
    """What went with a demo territory."""

    name: str
    rows: Mapping[str, int]
    keys_destroyed: int

    @property
    def total(self) -> int:
        """Return the number of rows."""
        return sum(self.rows.values())


def demo_content(session: Session, actor: Actor, name: str) -> DemoContent:
    """Return what hangs on a demo territory; raise as `clear_demo_territory` does."""
    require(actor, May.SET_UP)
    territory_id = _demo(session, name, lock=False)
    real = session.scalar(
        select(func.count()).where(Incident.territory_id == territory_id, Incident.simulated.is_(False))
    )
    return DemoContent(name, _rows(session, territory_id), int(real or 0))


def clear_demo_territory(session: Session, actor: Actor, name: str, *, progress: Progress | None = None) -> Cleared:
    """Remove a demo territory and all its rows, and destroy the keys of every person in it.

    Called as the system, by a use case that has seen to the accounts. The record keeps what was done in the
    territory and that it was removed; names and notes in it can never be read again.

    Raises
    ------
    NotFound
        When there is no territory of that name.
    InvalidInput
        When it is no demo territory: those are never removed.
    """
    require(actor, May.SET_UP)
    progress = progress or Silent()
    territory_id = _demo(session, name, lock=True)
    tables = [table for table in _of_territory() if table.name not in _LAST]
    rows = _rows(session, territory_id)
    progress.step("Destroying keys")
    destroyed = _destroy_keys(session, territory_id)
    progress.step("Removing the demo", len(tables) + 1)
    load_id = begin_load(
        session, territory_id=territory_id, kind=KIND, source_name=name, content_sha256="", actor=actor
    )
    for table in tables:
        _let_go(session, table, territory_id)
        _remove(session, table, territory_id)
        progress.advance()
    told = {"territory": name, "rows": rows, "keys": destroyed}
    finish_load(session, load_id, told)
    note_event(session, EVENT, "territory", territory_id, told)
    session.execute(text("DELETE FROM territory WHERE id = :id AND is_demo"), {"id": territory_id})
    progress.advance()
    session.expire_all()
    return Cleared(name, rows, destroyed)


def _demo(session: Session, name: str, *, lock: bool) -> int:
    query = select(Territory.id, Territory.is_demo).where(Territory.name == name)
    found = session.execute(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound(f"There is no territory {name!r}.", hint="It may have been cleared already.")
    if not found.is_demo:
        raise InvalidInput(
            f"{name!r} is no demo territory, so it is never removed.", hint="Only what 'load demo' made can be cleared."
        )
    return int(found.id)


def _of_territory() -> list[Table]:
    """Return the tables whose rows belong to a territory, those that refer to others first."""
    return [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if "territory_id" in table.c and table.name not in _KEPT
    ]


def _rows(session: Session, territory_id: int) -> dict[str, int]:
    counts = {
        table.name: session.scalar(select(func.count()).select_from(table).where(table.c.territory_id == territory_id))
        for table in _of_territory()
    }
    return {name: count for name, count in counts.items() if count}


def _remove(session: Session, table: Table, territory_id: int) -> None:
    """Delete the rows of a table; where the login may not, they go with the territory."""
    allowed = session.execute(
        text("SELECT has_table_privilege(:table, 'DELETE')"), {"table": f"public.{table.name}"}
    ).scalar_one()
    if allowed:
        session.execute(table.delete().where(table.c.territory_id == territory_id))


def _let_go(session: Session, table: Table, territory_id: int) -> None:
    """Let rows that stay (accounts, the own job) refer to nothing where they referred to rows that go."""
    gone = select(table.c.id).where(table.c.territory_id == territory_id) if "id" in table.c else None
    if gone is None:
        return
    for stays, key in _references_from_outside(table):
        session.execute(update(stays).where(key.in_(gone)).values({key.name: None}))


def _references_from_outside(table: Table) -> list[tuple[Table, Column[Any]]]:
    return [
        (stays, key.parent)
        for stays in Base.metadata.sorted_tables
        if "territory_id" not in stays.c and stays.name != "territory"
        for key in stays.foreign_keys
        if key.column.table is table and key.parent.nullable and key.ondelete is None
    ]


def _destroy_keys(session: Session, territory_id: int) -> int:
    """Destroy the key of every subject that a row of the territory is sealed under; return how many."""
    subjects = [
        select(table.c.subject_id).where(table.c.territory_id == territory_id)
        for table in _of_territory()
        if "subject_id" in table.c and table.name != "person_key"
    ]
    return sum(persons.destroy_keys(session, session.scalars(query).all(), purpose="retention") for query in subjects)
