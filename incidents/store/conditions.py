"""What the list asks of incidents, as SQL: the filter, the actor's reach, late, warned, marked.

Row-level security narrows every query anyway; the reach is said again in a form that an index can answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import ARRAY, BigInteger, ColumnElement, DateTime, any_, cast, false, func, or_, select, text

from core.identity import Actor, Role
from geodata.tables import ExtensionRequest, Incident, Task, Territory
from incidents.model import DUE_SOON, IncidentFilter
from incidents.store.acts import LIVE

LONGEST_PART = 200
"""No number and no place is longer; a longer text is not compared with every one of them."""

_GROUND = text("incident.id = ANY (ARRAY(SELECT g.incident_id FROM incident_ground AS g WHERE g.grid_id = :ground_of))")
"""Settled on the ground of a cell of today, under one that has ended; an array, so that both sides use an index."""


def conditions(actor: Actor, wanted: IncidentFilter, moment: dt.datetime) -> list[ColumnElement[bool]]:
    """Return what an incident has to be to be found."""
    found = within_reach(actor)
    if wanted.first_day is not None:
        found.append(Incident.reported_at >= _midnight(actor.territory_id, wanted.first_day))
    if wanted.last_day is not None:
        found.append(Incident.reported_at < _midnight(actor.territory_id, wanted.last_day + dt.timedelta(days=1)))
    if wanted.moved:
        happened = Incident.filed_at if wanted.moved == "filed" else Incident.closed_at
        found.append(happened >= yesterday(actor.territory_id, moment))
    return found + narrowing(actor, wanted, moment)


def _in_grid(grid_id: int | None) -> list[ColumnElement[bool]]:
    if grid_id is None:
        return []
    return [or_(Incident.grid_id == grid_id, _GROUND.bindparams(ground_of=grid_id))]


def narrowing(actor: Actor, wanted: IncidentFilter, moment: dt.datetime) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter but for its days and the actor's reach."""
    found: list[ColumnElement[bool]] = []
    if wanted.categories:
        found.append(Incident.category.in_(wanted.categories))
    if wanted.statuses:
        found.append(Incident.status.in_(wanted.statuses))
    found += _in_grid(wanted.grid_id)
    of = {
        Incident.community_id: wanted.community_id,
        Incident.unit_id: wanted.unit_id,
        Incident.worker_id: wanted.worker_id,
    }
    found += [column == number for column, number in of.items() if number is not None]
    if wanted.overdue:
        found += [is_open(), is_past(moment)]
    if wanted.due_soon:
        found += [is_open(), is_soon(moment)]
    if wanted.used:
        found += [is_open(), is_warned(moment, wanted.used)]
    if wanted.mark:
        found += [is_open(), MARKED[wanted.mark](actor, moment)]
    if wanted.mine:
        found.append(_mine(actor))
    part = wanted.text.strip()
    if len(part) > LONGEST_PART:
        found.append(false())
    elif part:
        found.append(
            or_(Incident.number.icontains(part, autoescape=True), Incident.place.icontains(part, autoescape=True))
        )
    return found


def within_reach(actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions that row-level security makes anyway, in a form that an index can answer."""
    found: list[ColumnElement[bool]] = [Incident.territory_id == actor.territory_id]
    if actor.role is Role.GRID_MANAGER:
        found.append(Incident.community_id.in_(actor.area_ids))
    elif actor.role is Role.GRID_WORKER:
        mine = Incident.worker_id == actor.worker_id
        found.append(or_(Incident.community_id.in_(actor.area_ids), mine, _called_to()))
    elif actor.role is Role.HANDLER:
        found.append(or_(Incident.unit_id.in_(actor.unit_ids), _called_to()))
    return found


def _called_to() -> ColumnElement[bool]:
    """Return whether the actor is called to it besides his own: a joint handling, a look on site."""
    return Incident.id == any_(cast(select(func.gk_called_to()).scalar_subquery(), ARRAY(BigInteger)))


def _mine(actor: Actor) -> ColumnElement[bool]:
    """Return whether it is the actor's own work; a manager's and a handler's is all in reach."""
    if actor.role is Role.GRID_WORKER:
        return or_(Incident.worker_id == actor.worker_id, _called_to())
    if actor.role is Role.DISPATCHER:
        return Incident.dispatched_by == actor.user_id
    return Incident.territory_id == actor.territory_id


def is_open() -> ColumnElement[bool]:
    """Return whether somebody still has to act; written as the partial indexes have it."""
    return Incident.status.not_in(("closed", "void"))


def running(moment: dt.datetime) -> ColumnElement[bool]:
    """Return whether the clock runs: it is not postponed now."""
    return or_(Incident.postponed_until.is_(None), Incident.postponed_until <= moment)


def is_past(moment: dt.datetime) -> ColumnElement[bool]:
    """Return whether the deadline has passed; what is postponed is never late."""
    return (Incident.due_at < moment) & running(moment)


def is_soon(moment: dt.datetime) -> ColumnElement[bool]:
    """Return whether the deadline comes within `DUE_SOON`."""
    return Incident.due_at.between(moment, moment + DUE_SOON) & running(moment)


def is_warned(moment: dt.datetime, share: int) -> ColumnElement[bool]:
    """Return whether so many per cent of the time are used and the deadline is still to come; 100 is past it."""
    if share >= 100:
        return is_past(moment)
    warned = Incident.warn_half_at if share < 80 else Incident.warn_most_at
    return (warned <= moment) & (Incident.due_at >= moment) & running(moment)


def _asked_time(_actor: Actor, _moment: dt.datetime) -> ColumnElement[bool]:
    return Incident.id.in_(select(ExtensionRequest.incident_id).where(ExtensionRequest.state == "waiting"))


def _look(actor: Actor, _moment: dt.datetime) -> ColumnElement[bool]:
    looks = select(Task.incident_id).where(
        Task.territory_id == actor.territory_id, Task.kind.in_(("verify", "check")), Task.state.in_(LIVE)
    )
    return Incident.id.in_(looks if actor.worker_id is None else looks.where(Task.worker_id == actor.worker_id))


MARKED: dict[str, Callable[[Actor, dt.datetime], ColumnElement[bool]]] = {
    "late": lambda _actor, moment: is_past(moment),
    "unsent": lambda _actor, moment: (Incident.status == "filed") & running(moment) & _alone(),
    "to_check": lambda _actor, _moment: (Incident.status == "checking") & _alone(),
    "look": _look,
    "asked_time": _asked_time,
    "urged": lambda _actor, _moment: Incident.urged_at.is_not(None),
    "postponed": lambda _actor, moment: Incident.postponed_until > moment,
    "reopened": lambda _actor, _moment: Incident.reopens > 0,
}
"""What each of `incidents.model.MARKS` asks of an open incident."""


def _alone() -> ColumnElement[bool]:
    """Return whether it stands for itself: nobody acts on a duplicate, which follows the first report."""
    return Incident.duplicate_of.is_(None)


def _zone(territory_id: int | None) -> ColumnElement[str]:
    return select(Territory.timezone).where(Territory.id == territory_id).scalar_subquery()


def yesterday(territory_id: int | None, moment: dt.datetime) -> ColumnElement[dt.datetime]:
    """Return the local midnight at which the day before that of ``moment`` began."""
    local = func.date_trunc("day", func.timezone(_zone(territory_id), moment)) - dt.timedelta(days=1)
    return func.timezone(_zone(territory_id), local, type_=DateTime(timezone=True))


def _midnight(territory_id: int | None, day: dt.date) -> ColumnElement[dt.datetime]:
    local = cast(dt.datetime.combine(day, dt.time(0)), DateTime(timezone=False))
    return func.timezone(_zone(territory_id), local, type_=DateTime(timezone=True))
