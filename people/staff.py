"""Use cases of reading the staff list: who works here, who is away, who stands in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from core.errors import NotFound
from core.identity import Actor, May, Role, require
from geodata import persons
from geodata.record import RecordEntry, history
from people import store_workers as store
from people.staff_reach import reach_of, sees_names
from people.worker_model import AHEAD, GridRef, StaffDetail, StaffFilter, StaffRow, clean_code


def overview(
    session: Session, actor: Actor, territory_id: int, *, today: dt.date
) -> tuple[list[StaffRow], list[GridRef]]:
    """Return the workers in the actor's reach, those who left included, and the grids he may give to one."""
    require(actor, May.SEE_PEOPLE)
    areas, units = reach_of(actor)
    grids = store.grids(session, territory_id)
    sealed = store.staff(session, territory_id, area_ids=areas, unit_ids=units, known=grids)
    return _opened(session, actor, territory_id, sealed, today), _given_by(actor, grids)


def list_staff(
    session: Session, actor: Actor, territory_id: int, *, today: dt.date, wanted: StaffFilter | None = None
) -> list[StaffRow]:
    """Return the workers in the actor's reach that fit, by staff number; without a filter also those who left.

    A text is looked for in staff number, name and unit; five digits or more also as a phone number.
    """
    require(actor, May.SEE_PEOPLE)
    areas, units = reach_of(actor)
    sealed = store.staff(session, territory_id, area_ids=areas, unit_ids=units)
    rows = _opened(session, actor, territory_id, sealed, today)
    if wanted is None:
        return rows
    text = wanted.text.strip().casefold()
    held = persons.phone_hash(text) if sees_names(actor) and sum(map(str.isdecimal, text)) >= 5 else None
    return [
        row
        for row, item in zip(rows, sealed, strict=True)
        if wanted.takes(row) and (_says(row, text) or (held is not None and item.phone_hash == held))
    ]


def _says(row: StaffRow, text: str) -> bool:
    return any(text in (part or "").casefold() for part in (row.code, row.name, row.unit_name, row.unit_name_zh))


def _opened(
    session: Session, actor: Actor, territory_id: int, sealed: Sequence[store.SealedStaff], today: dt.date
) -> list[StaffRow]:
    """Return the rows with names, who is away today, and live tasks."""
    away = {each.worker_id: each for each in store.away(session, territory_id, today, today)}
    tasks = store.open_tasks(session, territory_id)
    names: dict[str, str | None] = {}
    if sees_names(actor):
        named = [item for item in sealed if item.subject_id and item.name_cipher]
        subjects = [item.subject_id or "" for item in named]
        ciphers = [item.name_cipher for item in named]
        names = dict(zip(subjects, persons.unseal_many(session, subjects, ciphers), strict=True))
    return [
        replace(
            item.row,
            name=names.get(item.subject_id or ""),
            person=item.row.person if sees_names(actor) else "hidden",
            away=away.get(item.row.id),
            tasks=tasks.get(item.row.id, 0),
        )
        for item in sealed
    ]


def staff_detail(session: Session, actor: Actor, territory_id: int, code: str, *, today: dt.date) -> StaffDetail:
    """Return one worker; raise `NotFound` when there is none with the staff number in the actor's reach."""
    require(actor, May.SEE_PEOPLE)
    item = sealed_one(session, actor, territory_id, id_of(session, territory_id, code))
    row = _opened(session, actor, territory_id, [item], today)[0]
    phone = None
    if sees_names(actor) and item.subject_id and item.phone_cipher:
        phone = persons.unseal(session, item.subject_id, item.phone_cipher)
    changes = actor.may(May.MANAGE_WORKERS)
    ahead = store.away(session, territory_id, today, today + AHEAD)
    return StaffDetail(
        row=row,
        phone=phone,
        absences=tuple(store.absences(session, worker_id=row.id)) if changes else (),
        coming=tuple(each for each in ahead if each.worker_id == row.id),
        stands_in=tuple(each for each in ahead if each.deputy_id == row.id),
        login=store.login_of(session, row.id),
        may_change=changes,
        sees_why=changes,
    )


def staff_history(session: Session, actor: Actor, row: StaffRow) -> list[RecordEntry]:
    """Return what the record holds on the worker and his absences, oldest first, as far as the actor may read it."""
    require(actor, May.SEE_PEOPLE)
    entries = history(session, "worker", row.id)
    known = {each.id for each in store.absences(session, worker_id=row.id)}
    for absence_id in sorted({*known, *store.absence_ids(session, row.id)}):
        entries += history(session, "absence", absence_id)
    return sorted(entries, key=lambda entry: entry.seq)


def stands_in_today(session: Session, actor: Actor, rows: Sequence[StaffRow]) -> list[tuple[StaffRow, str | None]]:
    """Return who of ``rows`` is away today and the staff number of who stands in; None where nobody does."""
    require(actor, May.SEE_PEOPLE)
    away = [row for row in rows if row.active and row.away]
    codes = store.codes_of(session, [row.away.deputy_id for row in away if row.away and row.away.deputy_id])
    return [(row, codes.get((row.away.deputy_id if row.away else None) or 0)) for row in away]


def codes_of(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, str]:
    """Return the staff numbers of workers."""
    require(actor, May.SEE_PEOPLE)
    return store.codes_of(session, ids)


def grid_choices(session: Session, actor: Actor, territory_id: int) -> list[GridRef]:
    """Return the responsibility grids that the actor may give to a worker, by code."""
    require(actor, May.SEE_PEOPLE)
    return _given_by(actor, store.grids(session, territory_id))


def _given_by(actor: Actor, grids: list[GridRef]) -> list[GridRef]:
    if actor.role is not Role.GRID_MANAGER:
        return grids
    return [grid for grid in grids if set(grid.community_ids) & set(actor.area_ids)]


def id_of(session: Session, territory_id: int, code: str) -> int:
    """Return the id of the worker with a staff number; raise `NotFound` when the territory has none."""
    found = store.codes(session, territory_id).get(clean_code(code))
    if found is None:
        raise NotFound(
            f"There is no worker {code.strip()[:20]}, or not in your area.",
            hint="Look in the list of workers.",
            zh=f"没有工号为 {code.strip()[:20]} 的网格员，或不在您的辖区范围内。请在列表中查找。",
        )
    return found


def sealed_one(session: Session, actor: Actor, territory_id: int, worker_id: int) -> store.SealedStaff:
    """Return a worker in the actor's reach with the personal fields sealed; raise `NotFound` elsewhere."""
    areas, units = reach_of(actor)
    found = store.staff(session, territory_id, area_ids=areas, unit_ids=units, worker_id=worker_id)
    if not found:
        raise NotFound(
            "There is no such worker, or not in your area.",
            hint="Look in the list of workers.",
        )
    return found[0]
