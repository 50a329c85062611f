"""Use cases of keeping the staff list: adding, changing and ending an employment, and erasing who left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require, system_actor
from geodata import persons
from geodata.db import as_actor
from geodata.erasure import erase_person
from geodata.record import history, note_event
from geodata.tables import Worker
from people import store_workers as store
from people.service import list_units
from people.staff import sealed_one
from people.staff_reach import check_reach
from people.worker_model import AHEAD, Away, StaffRow, WorkerFields, next_code

COLUMNS = {
    "code": ("staff number", "工号"),
    "unit_id": ("unit", "单位"),
    "responsibility_grid_id": ("responsibility grid", "责任网格"),
    "language": ("language", "语言"),
    "skills": ("skills", "技能"),
    "equipment": ("equipment", "装备"),
    "employed_from": ("first day", "入职日期"),
    "employed_to": ("last day", "离职日期"),
    "active": ("employment", "在职状态"),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What an act on a worker left behind.

    Attributes
    ----------
    changed
        False when everything stood so already, and nothing was written.
    stands_in
        Absences of others in which this worker stands in and from now on cannot.
    """

    id: int
    code: str
    version: int
    changed: bool = True
    stands_in: tuple[Away, ...] = ()


def propose_code(session: Session, actor: Actor, territory_id: int) -> str:
    """Return a staff number that nobody has, of the kind in use."""
    require(actor, May.MANAGE_WORKERS)
    return next_code(store.codes(session, territory_id))


def add_worker(session: Session, actor: Actor, territory_id: int, fields: WorkerFields, *, today: dt.date) -> Kept:
    """Add a worker and return him.

    Raises
    ------
    InvalidInput
        When a field cannot be kept, or staff number or phone is taken; says by whom.
    NotPermitted
        When unit or grid lie outside the actor's reach.
    """
    require(actor, May.MANAGE_WORKERS)
    if fields.name is None:
        raise InvalidInput("A worker needs a name.", hint="It is kept sealed and shown only to those who may see it.")
    new = fields.clean()
    _check_place(session, actor, territory_id, new)
    store.lock_staff(session, territory_id)
    if new.code in store.codes(session, territory_id):
        raise _taken(new.code)
    check_phone(session, territory_id, new.phone)
    worker = Worker(territory_id=territory_id, employed_from=today, version=1)
    _put(worker, new)
    _put_person(session, worker, new)
    session.add(worker)
    session.flush()
    return Kept(worker.id, worker.code, worker.version)


def change_worker(
    session: Session,
    actor: Actor,
    territory_id: int,
    worker_id: int,
    fields: WorkerFields,
    *,
    version: int | None,
) -> Kept:
    """Put the fields in place of what is kept of a worker; name and phone only where they are given.

    Raises
    ------
    Conflict
        When the worker is at another version than ``version``, naming who changed what.
    InvalidInput, NotPermitted, NotFound
        As `add_worker`.
    """
    require(actor, May.MANAGE_WORKERS)
    new = fields.clean()
    store.lock_staff(session, territory_id)
    worker, item = _locked(session, actor, territory_id, worker_id, version)
    _check_place(session, actor, territory_id, new, worker)
    if new.code != worker.code and new.code in store.codes(session, territory_id):
        raise _taken(new.code)
    check_phone(session, territory_id, new.phone, besides=worker.id)
    personal = _put_person(session, worker, new, item)
    changed = _put(worker, new)
    if not changed and not personal:
        return Kept(worker.id, worker.code, worker.version, changed=False)
    worker.version += 1
    session.flush()
    return Kept(worker.id, worker.code, worker.version)


def change_checked(session: Session, territory_id: int, changes: Sequence[tuple[StaffRow, WorkerFields]]) -> None:
    """Put fields, checked and in reach, in place of what is kept of many workers; the caller holds the staff's lock.

    Raises
    ------
    Conflict
        When one of them is at another version than the row it was checked against.
    """
    rows = store.lock(session, territory_id, [row.id for row, _ in changes])
    sealed = {item.row.id: item for item in store.staff(session, territory_id)} if changes else {}
    for row, new in changes:
        worker = rows[row.id]
        if worker.version != row.version:
            raise changed_meanwhile(session, worker)
        _put_person(session, worker, new, sealed[row.id])
        _put(worker, new)
        worker.version += 1
    session.flush()


def end_employment(
    session: Session,
    actor: Actor,
    territory_id: int,
    worker_id: int,
    last_day: dt.date,
    *,
    version: int | None,
    today: dt.date,
) -> Kept:
    """Let a worker leave after ``last_day``; from the day after he gets no more work.

    Raises
    ------
    Conflict
        When he has live tasks and the last day is today or past: they are handed over first.
    """
    require(actor, May.MANAGE_WORKERS)
    worker, _ = _locked(session, actor, territory_id, worker_id, version)
    if worker.employed_from and last_day < worker.employed_from:
        raise InvalidInput(
            f"{worker.code} began on {worker.employed_from:%d %b %Y}; the end cannot be earlier.",
            zh=f"{worker.code} 于 {worker.employed_from:%Y-%m-%d} 入职，离职日期不能早于该日。",
        )
    tasks = store.open_tasks(session, territory_id).get(worker.id, 0)
    if tasks and last_day <= today:
        raise Conflict(
            f"{worker.code} still has {tasks} open task{'' if tasks == 1 else 's'}.",
            hint="Hand tasks and grid over to somebody first: Accounts, Handover; then end the employment.",
            zh=f"{worker.code} 还有 {tasks} 件未完成的任务。请先在“账号”页面把任务和网格移交他人，再办理离职。",
        )
    stands_in = _stands_in_after(session, territory_id, worker.id, max(last_day, today))
    active = last_day >= today
    if (worker.employed_to, worker.active) == (last_day, active):
        return Kept(worker.id, worker.code, worker.version, changed=False, stands_in=stands_in)
    worker.employed_to, worker.active, worker.version = last_day, active, worker.version + 1
    session.flush()
    return Kept(worker.id, worker.code, worker.version, stands_in=stands_in)


def resume_employment(
    session: Session, actor: Actor, territory_id: int, worker_id: int, *, version: int | None
) -> Kept:
    """Take an end of employment back, or employ somebody again who left."""
    require(actor, May.MANAGE_WORKERS)
    worker, _ = _locked(session, actor, territory_id, worker_id, version)
    if worker.active and worker.employed_to is None:
        return Kept(worker.id, worker.code, worker.version, changed=False)
    worker.employed_to, worker.active, worker.version = None, True, worker.version + 1
    session.flush()
    return Kept(worker.id, worker.code, worker.version)


def close_ended(session: Session, actor: Actor, territory_id: int, *, today: dt.date) -> int:
    """Let those leave whose last day has passed; return how many. Nightly, as the system."""
    require(actor, May.MANAGE_WORKERS)
    ended = store.ended_before(session, today, territory_id)
    for worker in ended:
        worker.active, worker.version = False, worker.version + 1
    session.flush()
    return len(ended)


def erase_worker_person(
    session: Session, actor: Actor, territory_id: int, worker_id: int, *, purpose: str, reference: str = ""
) -> None:
    """Destroy name and phone of a worker who left, in every table and in the record; his work stays.

    Parameters
    ----------
    purpose
        One of `geodata.tables.PURPOSES`: a word, so that no name stands in it.
    reference
        Number of the letter or order.

    Raises
    ------
    NotPermitted
        For anybody but the administrator and the system.
    InvalidInput
        When he still works here, or purpose or reference cannot be kept.
    """
    if actor.role not in {Role.SYSTEM, Role.ADMINISTRATOR}:
        raise NotPermitted("Only an administrator erases a person.", hint="Ask an administrator.")
    worker, _ = _locked(session, actor, territory_id, worker_id, None)
    if worker.active:
        raise InvalidInput("A person who works here cannot be erased.", hint="End the employment first.")
    if worker.person_id is None:
        raise NotFound("Of this worker no person is kept.")
    subject = store.subject_of(session, worker.person_id)
    # Keys are destroyed by the system alone; it acts for the administrator, under his label.
    keeper = replace(system_actor(territory_id, label=actor.label), user_id=actor.user_id)
    as_actor(session, keeper, purpose="erase")
    erase_person(session, keeper, subject, purpose=purpose, reference=reference)
    note_event(session, "erase", "worker", worker.id, {"purpose": purpose, "reference": reference})
    as_actor(session, actor)


def changed_meanwhile(session: Session, worker: Worker) -> Conflict:
    """Return the conflict in words: who changed what of the worker last, when."""
    entries = history(session, "worker", worker.id)
    english, chinese = "", ""
    if entries:
        last = entries[-1]
        named = [COLUMNS[name] for name in last.changes if name in COLUMNS]
        english = f" by {last.actor_label} at {last.at:%H:%M} ({', '.join(en for en, _ in named)})"
        chinese = f"（{last.actor_label}，{last.at:%H:%M}：{'、'.join(zh for _, zh in named)}）"
    return Conflict(
        f"{worker.code} was changed meanwhile{english}.",
        hint="Your act was not applied. Look at it anew and decide again.",
        zh=f"{worker.code} 已被他人更改{chinese}。您的操作未执行，请查看后重新决定。",
    )


def check_phone(session: Session, territory_id: int, phone: str | None, *, besides: int | None = None) -> None:
    """Raise `InvalidInput` when another worker who is employed has the phone, naming him."""
    if not phone:
        return
    for _, worker_id, code, active in store.phone_holders(session, territory_id, [persons.phone_hash(phone)]):
        if active and worker_id != besides:
            raise InvalidInput(
                f"{code} has this phone number already.",
                hint="Is it the same person? Change that worker, or give another number.",
                zh=f"{code} 已登记此电话号码。若为同一人，请修改该网格员；否则请填写其他号码。",
            )


def _locked(
    session: Session, actor: Actor, territory_id: int, worker_id: int, version: int | None
) -> tuple[Worker, store.SealedStaff]:
    """Return a worker in the actor's reach with his row locked; raise `Conflict` at another ``version``."""
    worker = store.lock(session, territory_id, [worker_id]).get(worker_id)
    item = sealed_one(session, actor, territory_id, worker_id)
    if worker is None:
        raise NotFound("There is no such worker, or not in your area.", hint="Look in the list of workers.")
    if version is not None and version != worker.version:
        raise changed_meanwhile(session, worker)
    return worker, item


def _check_place(
    session: Session, actor: Actor, territory_id: int, new: WorkerFields, known: Worker | None = None
) -> None:
    """Raise unless unit and grid exist, hold today (or stay as they were), and lie in the actor's reach."""
    grids = {grid.id: grid for grid in store.grids(session, territory_id)}
    if new.grid_id is not None and new.grid_id not in grids:
        raise NotFound("There is no such responsibility grid.", hint="Choose one of the list.")
    same = known is not None and known.unit_id == new.unit_id
    if not same and new.unit_id not in {unit.id for unit in list_units(session, actor, territory_id)}:
        raise NotFound("There is no such unit, or not today.", hint="Choose one of the list.")
    check_reach(actor, new.unit_id, grids.get(new.grid_id or 0))


def _taken(code: str) -> InvalidInput:
    return InvalidInput(
        f"The staff number {code} is taken.",
        hint="Take the proposed one.",
        zh=f"工号 {code} 已被使用。请使用建议的工号。",
    )


def _put(worker: Worker, new: WorkerFields) -> bool:
    """Set what is kept in the open; return whether anything changed."""
    values = {
        "code": new.code,
        "unit_id": new.unit_id,
        "responsibility_grid_id": new.grid_id,
        "language": new.language,
        "skills": list(new.skills),
        "equipment": list(new.equipment),
        "employed_from": new.employed_from or worker.employed_from,
    }
    changed = {name: value for name, value in values.items() if getattr(worker, name) != value}
    for name, value in changed.items():
        setattr(worker, name, value)
    return bool(changed)


def _put_person(session: Session, worker: Worker, new: WorkerFields, item: store.SealedStaff | None = None) -> bool:
    """Seal name and phone where they are given and differ from the kept ones; return whether they did."""
    if new.name is None and new.phone is None:
        return False
    if item is None or item.person_id is None:
        subject, kept_name, kept_phone = persons.new_subject(session), None, None
    else:
        if item.row.person == "erased":
            raise NotFound("The person of this worker was erased; nothing can be sealed again.")
        subject = item.subject_id or ""
        kept_name, kept_phone = persons.unseal_many(session, [subject, subject], [item.name_cipher, item.phone_cipher])
    sealed: dict[str, bytes | None] = {}
    if new.name is not None and new.name != kept_name:
        sealed["name_cipher"] = persons.seal(session, subject, new.name)
    if new.phone is not None and new.phone != (kept_phone or ""):
        sealed["phone_cipher"] = persons.seal(session, subject, new.phone) if new.phone else None
        sealed["phone_hash"] = persons.phone_hash(new.phone) if new.phone else None
    if not sealed:
        return False
    if worker.person_id is None:
        worker.person_id = store.add_person(session, worker.territory_id, subject, **sealed)
    elif not store.set_person(session, worker.person_id, **sealed):
        raise NotPermitted("The name of this worker is not yours to change.", hint="Ask an administrator.")
    return True


def _stands_in_after(session: Session, territory_id: int, worker_id: int, day: dt.date) -> tuple[Away, ...]:
    ahead = store.away(session, territory_id, day, day + AHEAD)
    return tuple(each for each in ahead if each.deputy_id == worker_id and each.to_on > day)
