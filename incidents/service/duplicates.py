"""Use cases of duplicates: what looks the same, linking a report to the first one, and taking that back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.persons import unseal_many
from geodata.tables import Incident
from geodata.territory import list_territories
from incidents.classes import find_class
from incidents.duplicates import UNLINK_REASONS, WINDOW, Asked, Likeness, Nearby, Relative, alike, box_degrees
from incidents.lifecycle_guards import PUBLIC_SOURCES
from incidents.service import running
from incidents.service.catalogue import read_catalogue
from incidents.service.commands import once
from incidents.service.looks import find_looker
from incidents.store import acts, side
from incidents.store import duplicates as store
from incidents.work import Done

LINKED_FROM = ("reported", "filed", "dispatched")
LINKERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.SYSTEM})
AHEAD = dt.timedelta(days=1)


def look_alikes(
    session: Session,
    actor: Actor,
    *,
    class_key: str,
    place: tuple[float, float],
    text: str = "",
    moment: dt.datetime | None = None,
    besides: int | None = None,
) -> tuple[Likeness, ...]:
    """Return open incidents nearby that may be what is being reported, the likeliest first, with why.

    Parameters
    ----------
    class_key
        Empty while none is chosen.
    place
        Longitude and latitude.
    besides
        An incident that is left out: the one that is looked at.
    """
    require(actor, May.REPORT_INCIDENTS)
    at = now() if moment is None else aware(moment)
    found = store.nearby(
        session, actor.territory_id, place, box_degrees(place[1]), (at - WINDOW, at + AHEAD), besides=besides
    )
    if not found:
        return ()
    spec = find_class(class_key) if class_key else None
    category = next((each.category for each in found if each.class_key == class_key), spec.category if spec else "")
    asked = Asked(class_key, category, *place, text, at)
    return alike(asked, _with_texts(session, actor, found))


def link(
    session: Session,
    actor: Actor,
    incident_id: int,
    root_id: int,
    *,
    version: int | None,
    command_id: str,
    moment: dt.datetime | None = None,
) -> Done:
    """Let an incident follow another one from here on: nobody is sent to it, it ends when that one ends.

    One that is a duplicate itself stands for the one it follows; who followed the incident follows the other now.

    Raises
    ------
    InvalidInput
        When either is over, or somebody is at work on the incident.
    NotPermitted, NotFound, Conflict
        As `incidents.service.move` does.
    """
    require(actor, May.REPORT_INCIDENTS)
    _only(actor, LINKERS)
    at = now() if moment is None else aware(moment)
    return once(
        session,
        actor,
        command_id,
        act="link",
        asked={"incident_id": incident_id, "root_id": root_id, "version": version},
        apply=lambda: _link(session, actor, (incident_id, root_id), version, at),
        purpose="link",
    )


def unlink(
    session: Session,
    actor: Actor,
    incident_id: int,
    *,
    reason: str,
    version: int | None,
    command_id: str,
    moment: dt.datetime | None = None,
) -> Done:
    """Let a duplicate be an incident of its own again: it waits to be filed or sent out, under its own deadline.

    One that never was filed itself is looked at on site first where a new report would be.

    Parameters
    ----------
    reason
        A key of `UNLINK_REASONS`.

    Raises
    ------
    InvalidInput
        When it follows nobody, or for an unknown reason.
    NotPermitted, NotFound, Conflict
        As `incidents.service.move` does.
    """
    _only(actor, frozenset({Role.SUPERVISOR, Role.SYSTEM}))
    if reason not in UNLINK_REASONS:
        raise InvalidInput(
            "Unlinking needs a reason.", hint=f"Reasons are: {', '.join(UNLINK_REASONS)}.", zh="解除关联须选择原因。"
        )
    at = now() if moment is None else aware(moment)
    return once(
        session,
        actor,
        command_id,
        act="unlink",
        asked={"incident_id": incident_id, "reason": reason, "version": version},
        apply=lambda: _unlink(session, actor, incident_id, version, at),
        purpose=f"unlink: {reason}",
    )


def relatives(session: Session, actor: Actor, incident_id: int) -> tuple[Relative | None, tuple[Relative, ...]]:
    """Return the incident that this one follows, and those that follow it, as far as the actor reaches."""
    require(actor, May.SEE_INCIDENTS)
    root, children = store.relatives(session, incident_id)
    return root, tuple(children)


def root_of(session: Session, territory_id: int, incident_id: int) -> Incident:
    """Return the incident that a new report follows when it names ``incident_id``, locked.

    Raises
    ------
    NotFound
        When there is none within reach.
    InvalidInput
        When it is over.
    """
    found = acts.lock(session, territory_id, incident_id)
    if found is not None and found.duplicate_of is not None:
        found = acts.lock(session, territory_id, found.duplicate_of)
    if found is None:
        raise _absent()
    if found.status in {"closed", "void"}:
        raise InvalidInput(
            f"{found.number} is over, so nothing new follows it.",
            hint="File the report on its own, or have that one reopened.",
            zh=f"{found.number} 已办结，不能再关联。请单独登记，或重新打开原案件。",
        )
    return found


def _link(session: Session, actor: Actor, pair: tuple[int, int], version: int | None, at: dt.datetime) -> Done:
    incident_id, root_id = pair
    locked = store.lock_both(session, actor.territory_id, incident_id, root_id)
    if incident_id not in locked or root_id not in locked:
        raise _absent()
    incident = locked[incident_id]
    _check_version(incident, version)
    root = root_of(session, incident.territory_id, root_id)
    if root.id == incident.id:
        raise InvalidInput(
            f"{locked[root_id].number} follows {incident.number}, or is it: neither can follow the other way round.",
            hint="Link the later report to the first one.",
            zh="不能关联到自身或其重复上报，请将后来的上报关联到最早的一件。",
        )
    if incident.duplicate_of is None and incident.status not in LINKED_FROM:
        raise InvalidInput(
            f"{incident.number} is being worked on or over, so it stays an incident of its own.",
            hint="Link the other one to it, while that is not begun.",
            zh=f"{incident.number} 已在处置或已办结，不能作为重复上报。可将另一件关联到本案。",
        )
    if side.waiting_request(session, incident.id) is not None:
        raise InvalidInput(
            f"More time is asked for {incident.number}.", hint="Decide that first.", zh="有待批的延期申请，请先审批。"
        )
    acts.cancel_live(session, incident.id, at)
    session.flush()
    incident.duplicate_of, incident.version = root.id, incident.version + 1
    return _done(session, incident)


def _unlink(session: Session, actor: Actor, incident_id: int, version: int | None, at: dt.datetime) -> Done:
    incident = acts.lock(session, actor.territory_id, incident_id)
    if incident is None:
        raise _absent()
    _check_version(incident, version)
    if incident.duplicate_of is None:
        raise InvalidInput(f"{incident.number} is no duplicate.", zh=f"{incident.number} 不是重复上报。")
    territory = next(each for each in list_territories(session) if each.id == incident.territory_id)
    catalogue = read_catalogue(session, territory)
    begins = incident.own_filed_at or incident.reported_at
    with session.no_autoflush:  # the row changes at once: who stands for himself again has a deadline of his own
        incident.duplicate_of, incident.version = None, incident.version + 1
        incident.own_due_at, incident.own_filed_at, due_at = None, None, incident.own_due_at
        incident.limit_id = catalogue.limit_id(incident.class_id)
        incident.due_at = due_at or catalogue.due_at(incident.class_id, begins)
        running.set_warnings(session, incident, begins)
    done = _done(session, incident)
    if incident.status == "reported" and incident.source in PUBLIC_SOURCES and not incident.emergency:
        looked = [
            task for task in acts.tasks_of(session, incident.id) if task.kind == "verify" and task.state == "done"
        ]
        found = None if looked else find_looker(session, actor, incident.territory_id, incident.grid_id, at)
        if found is not None and found.worker_id is not None:
            side.add_look(session, incident, "verify", found.worker_id, at)
    return done


def _done(session: Session, incident: Incident) -> Done:
    """Return what the database made of the incident."""
    session.flush()
    session.refresh(incident)
    return Done(incident.id, incident.number, incident.status, incident.version)


def _with_texts(session: Session, actor: Actor, found: list[Nearby]) -> list[Nearby]:
    """Return the incidents with their notes, where the actor may read them."""
    sealed = store.notes(session, [each.id for each in found]) if actor.may(May.READ_NOTE) else {}
    ids = list(sealed)
    texts = unseal_many(session, [sealed[each][0] for each in ids], [sealed[each][1] for each in ids]) if ids else []
    plain = {each: note or "" for each, note in zip(ids, texts, strict=True)}
    return [replace(each, text=plain.get(each.id, "")) for each in found]


def _check_version(incident: Incident, version: int | None) -> None:
    if version is not None and version != incident.version:
        raise Conflict(
            f"{incident.number} was changed meanwhile.",
            hint="Look at it anew and decide again.",
            zh=f"{incident.number} 已被他人更改，请查看后重新决定。",
        )


def _only(actor: Actor, roles: frozenset[Role]) -> None:
    if actor.role not in roles:
        raise NotPermitted(
            "Linking is for dispatchers and supervisors, unlinking for supervisors.",
            zh="关联重复上报属于派遣员和监督员，解除关联属于监督员。",
        )


def _absent() -> NotFound:
    return NotFound(
        "There is no such incident, or it lies outside your reach.",
        hint="Look for it in the list.",
        zh="没有该案件，或不在您的范围内。请在列表中查找。",
    )
