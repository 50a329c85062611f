"""What a search of the record names: an object by its number or code, a local day."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.identity import Actor
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from people import service as people


def midnight(day: dt.date, territory: TerritoryInfo) -> dt.datetime:
    """Return when a local day begins."""
    return dt.datetime.combine(day, dt.time(), territory.zone)


def subject_of(session: Session, actor: Actor, territory: TerritoryInfo, table: str, find: str) -> tuple[str, str]:
    """Return table and id of what a number or code names: an incident, a unit, a worker, or a row of the table chosen.

    Raises
    ------
    NotFound
        When nothing is called so.
    """
    if table in {"", "incident"}:
        found = _incident(session, actor, find)
        if found is not None:
            return "incident", str(found)
    listed = {
        "unit": {each.code.casefold(): each.id for each in people.list_units(session, actor, territory.id)},
        "worker": {each.code.casefold(): each.id for each in people.list_workers(session, actor, territory.id)},
    }
    for kind, known in listed.items():
        if table in {"", kind} and find.casefold() in known:
            return kind, str(known[find.casefold()])
    if table:
        return table, find
    raise NotFound(
        f"Nothing here is called {find}.",
        hint="Give the number of an incident or the code of a unit or worker; for others choose the object first.",
        zh=f"没有编号或代码为 {find} 的对象。请输入案件编号、单位代码或网格员工号；查找其他对象请先选择对象类型。",
    )


def _incident(session: Session, actor: Actor, number: str) -> int | None:
    try:
        return incidents.find_incident(session, actor, number)
    except InvalidInput:
        return None  # no whole number of an incident
