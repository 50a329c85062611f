"""Who reported, as the platform itself reads it: in the one way there is, with a purpose and recorded."""

from __future__ import annotations

from sqlalchemy.orm import Session

from geodata import persons
from incidents.store.identity import reporter


def reporter_of(session: Session, incident_id: int) -> tuple[str | None, str | None]:
    """Return name and phone in plain text; the session has to act as the system."""
    found = reporter(session, incident_id, "oversight")
    assert found is not None
    name, phone = persons.unseal_many(session, [found[0]] * 2, found[1:])
    return name, phone
