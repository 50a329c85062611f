"""Who reported an incident: read for a purpose only, and recorded before it is told."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, May, require
from geodata.db import system_rights
from geodata.persons import unseal
from incidents.store import identity as store

PURPOSES = ("call back", "tell result", "check report", "appeal", "request", "oversight")
"""What a reporter's identity is read for: words and no free text, in which a name could stand."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reported; None where it was not given or was erased."""

    name: str | None
    phone: str | None


def read_reporter(session: Session, actor: Actor, incident_id: int, purpose: str) -> Reporter:
    """Return who reported an incident; the reading stands in the record, with its purpose, whatever it showed.

    The centres and the auditor may, and a worker while he has a live task on it.

    Raises
    ------
    InvalidInput
        For a purpose that is none of `PURPOSES`.
    NotPermitted
        For others; the database decides.
    """
    require(actor, May.READ_REPORTER)
    if purpose not in PURPOSES:
        raise InvalidInput(
            "A reporter's identity is read for a purpose only.",
            hint=f"One of: {', '.join(PURPOSES)}.",
            zh="查看上报人身份须选择用途。",
        )
    try:
        found = store.reporter(session, incident_id, purpose)
    except PermissionError as error:
        raise NotPermitted(
            "Who reported this incident is not for you.",
            hint="Ask the dispatcher to call back.",
            zh="您无权查看该案件的上报人身份。如需回访，请联系派遣员。",
        ) from error
    if found is None:
        return Reporter(None, None)
    subject, name, phone = found
    with system_rights(session, actor):  # an auditor holds no keys
        return Reporter(unseal(session, subject, name), unseal(session, subject, phone))
