"""SQL of reading who reported an incident: through the one function of the database that records it."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

NO_RIGHT = "42501"


def reporter(session: Session, incident_id: int, purpose: str) -> tuple[str, bytes | None, bytes | None] | None:
    """Return the key and the sealed name and phone of who reported; None when nothing personal is kept.

    Raises
    ------
    PermissionError
        When the database refuses it to the role, or for the purpose.
    """
    query = text("SELECT subject_id, reporter_cipher, phone_cipher FROM gk_reporter(:incident, :purpose)")
    try:
        with session.begin_nested():
            row = session.execute(query, {"incident": incident_id, "purpose": purpose}).one_or_none()
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") == NO_RIGHT:
            raise PermissionError from error
        raise
    return None if row is None else (row.subject_id, row.reporter_cipher, row.phone_cipher)
