"""SQL of bringing incidents in: running numbers, what is known already, rows in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geodata.bulk import copy_rows
from geodata.tables import Incident, Quarantine, UnitGrid


def take_numbers(session: Session, territory_id: int, year: int, count: int) -> int:
    """Take ``count`` running numbers of a year and return the first; a second taker waits for our commit."""
    return int(session.execute(select(func.gk_take_numbers(territory_id, year, count))).scalar_one())


def has_grids(session: Session, territory_id: int) -> bool:
    """Return whether the territory has a unit grid in force."""
    cell = select(UnitGrid.id).where(UnitGrid.territory_id == territory_id, UnitGrid.ended_on.is_(None)).limit(1)
    return session.scalar(cell) is not None


def known_references(session: Session, territory_id: int, source_system: str) -> set[str]:
    """Return the references of a source system that the territory holds already."""
    found = session.scalars(
        select(Incident.external_ref).where(
            Incident.territory_id == territory_id,
            Incident.source_system == source_system,
            Incident.external_ref.is_not(None),
        )
    )
    return {reference for reference in found if reference is not None}


def known_fingerprints(session: Session, territory_id: int) -> set[str]:
    """Return the fingerprints of the rows that are in quarantine or were decided on."""
    return set(session.scalars(select(Quarantine.fingerprint).where(Quarantine.territory_id == territory_id)))


def lock_loading(session: Session, territory_id: int) -> None:
    """Wait until no other load of incidents into the territory runs; held until the transaction ends.

    Two loads of one file at once would both find nothing known, and the second would fail at its
    last step instead of counting duplicates.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gridkeeper incidents'), :id)"), {"id": territory_id})


def add_rows(session: Session, table: str, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> int:
    """Append rows in bulk and return how many."""
    return copy_rows(session, table, columns)
