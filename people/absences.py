"""Use cases of absences: leave, sickness, training; who stands in; never two at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata.tables import Absence, Worker
from people import store_workers as store
from people.staff import sealed_one
from people.worker_model import ABSENCE_KINDS, AbsenceRow, Away, check_days, overlapping

KIND_WORDS = {
    "leave": ("leave", "休假"),
    "sick": ("sick", "病假"),
    "training": ("training", "培训"),
    "other": ("other", "其他"),
}


@dataclass(frozen=True, slots=True)
class AbsenceKept:
    """What an act on an absence left behind.

    Attributes
    ----------
    id
        None when the absence was taken back.
    stands_in
        Absences of others in whose days this worker stands in and now cannot: they need another deputy.
    """

    id: int | None
    worker_code: str
    from_on: dt.date
    to_on: dt.date
    stands_in: tuple[Away, ...] = ()


def add_absence(
    session: Session,
    actor: Actor,
    territory_id: int,
    worker_id: int,
    *,
    kind: str,
    from_on: dt.date,
    to_on: dt.date,
    deputy_id: int | None = None,
) -> AbsenceKept:
    """Keep that a worker is away from ``from_on`` to ``to_on``, both included, and who stands in.

    Raises
    ------
    InvalidInput
        When he is away already in some of the days, naming the other absence; when he does not work
        here in them; when the deputy is away himself, has left, or is the worker.
    """
    require(actor, May.MANAGE_WORKERS)
    if kind not in ABSENCE_KINDS:
        raise InvalidInput(f"There is no kind of absence {kind!r}.", hint=f"Known are: {', '.join(ABSENCE_KINDS)}.")
    check_days(from_on, to_on)
    locked = store.lock(session, territory_id, [each for each in (worker_id, deputy_id) if each is not None])
    sealed_one(session, actor, territory_id, worker_id)
    worker = locked[worker_id]
    _check_employed(worker, from_on, to_on)
    _check_free(session, worker, from_on, to_on)
    _check_deputy(session, worker, locked, deputy_id, (from_on, to_on))
    absence = Absence(
        territory_id=territory_id,
        worker_id=worker_id,
        deputy_id=deputy_id,
        kind=kind,
        from_on=from_on,
        to_on=to_on,
    )
    _write(session, worker, absence)
    return AbsenceKept(absence.id, worker.code, from_on, to_on, _stands_in(session, worker, from_on, to_on))


def change_absence(
    session: Session,
    actor: Actor,
    territory_id: int,
    absence_id: int,
    *,
    to_on: dt.date,
    deputy_id: int | None,
    version: int | None,
) -> AbsenceKept:
    """Give an absence another last day or another deputy; one that would end before it begins is taken back.

    Raises
    ------
    Conflict
        When it is at another version than ``version``.
    InvalidInput
        As `add_absence`.
    """
    require(actor, May.MANAGE_WORKERS)
    known = store.absence(session, territory_id, absence_id)
    if known is None:
        raise _no_absence()
    worker_id = known.worker_id
    locked = store.lock(session, territory_id, [each for each in (worker_id, deputy_id) if each is not None])
    absence = store.absence(session, territory_id, absence_id)
    if absence is None:
        raise _no_absence()
    worker = locked[worker_id]
    if version is not None and version != absence.version:
        raise Conflict(
            f"This absence of {worker.code} was changed meanwhile: now to {absence.to_on:%d %b %Y}.",
            hint="Your act was not applied. Look at it anew and decide again.",
            zh=f"{worker.code} 的该缺勤已被他人更改，现至 {absence.to_on:%Y-%m-%d}。您的操作未执行，请查看后重新决定。",
        )
    first = absence.from_on
    if to_on < first:
        store.remove_absence(session, absence_id)
        return AbsenceKept(None, worker.code, first, to_on)
    check_days(first, to_on)
    if to_on > absence.to_on:
        _check_employed(worker, first, to_on)
        _check_free(session, worker, first, to_on, besides=absence_id)
    if deputy_id != absence.deputy_id or to_on > absence.to_on:
        _check_deputy(session, worker, locked, deputy_id, (first, to_on))
    if (to_on, deputy_id) != (absence.to_on, absence.deputy_id):
        absence.to_on, absence.deputy_id, absence.version = to_on, deputy_id, absence.version + 1
        _write(session, worker, absence)
    return AbsenceKept(absence.id, worker.code, first, to_on, _stands_in(session, worker, first, to_on))


def end_absence(
    session: Session,
    actor: Actor,
    territory_id: int,
    absence_id: int,
    *,
    back_on: dt.date,
    version: int | None,
) -> AbsenceKept:
    """Let a worker be back on a day: his absence ends on the day before, or is taken back when it had not begun."""
    require(actor, May.MANAGE_WORKERS)
    known = store.absence(session, territory_id, absence_id)
    if known is None:
        raise _no_absence()
    if back_on > known.to_on:
        raise InvalidInput(
            f"The absence ends on {known.to_on:%d %b %Y} anyway.",
            hint="Choose an earlier day, or make it longer.",
            zh=f"该缺勤本就于 {known.to_on:%Y-%m-%d} 结束。请选择更早的日期，或延长缺勤。",
        )
    return change_absence(
        session,
        actor,
        territory_id,
        absence_id,
        to_on=back_on - dt.timedelta(days=1),
        deputy_id=known.deputy_id,
        version=version,
    )


def _no_absence() -> NotFound:
    return NotFound("There is no such absence, or not of a worker of yours.", hint="Look for it at the worker.")


def _write(session: Session, worker: Worker, absence: Absence) -> None:
    """Write; where another act came first, say it in the same words as `_check_free`."""
    from_on, to_on, own = absence.from_on, absence.to_on, absence.id
    try:
        with session.begin_nested():
            session.add(absence)
            session.flush()
    except IntegrityError as error:
        if "ex_absence_worker_id_days" not in str(error.orig):
            raise
        _check_free(session, worker, from_on, to_on, besides=own)
        raise


def _check_employed(worker: Worker, from_on: dt.date, to_on: dt.date) -> None:
    if not worker.active:
        raise InvalidInput(
            f"{worker.code} does not work here any more.",
            hint="An absence needs an employment.",
            zh=f"{worker.code} 已离职，不能登记缺勤。",
        )
    if worker.employed_to and to_on > worker.employed_to:
        raise InvalidInput(
            f"{worker.code} leaves after {worker.employed_to:%d %b %Y}.",
            hint="Let the absence end by then.",
            zh=f"{worker.code} 将于 {worker.employed_to:%Y-%m-%d} 离职，缺勤不能超过该日。",
        )
    if worker.employed_from and from_on < worker.employed_from:
        raise InvalidInput(
            f"{worker.code} begins on {worker.employed_from:%d %b %Y}.",
            hint="Let the absence begin then or later.",
            zh=f"{worker.code} 于 {worker.employed_from:%Y-%m-%d} 入职，缺勤不能早于该日。",
        )


def _check_free(
    session: Session, worker: Worker, from_on: dt.date, to_on: dt.date, *, besides: int | None = None
) -> None:
    others = [each for each in store.absences(session, worker_id=worker.id) if each.id != besides]
    other = overlapping(others, from_on, to_on)
    if isinstance(other, AbsenceRow):
        english, chinese = KIND_WORDS[other.kind]
        raise InvalidInput(
            f"{worker.code} is away already from {other.from_on:%d %b %Y} to {other.to_on:%d %b %Y} ({english}).",
            hint="Choose other days, or change that absence.",
            zh=f"{worker.code} 在 {other.from_on:%Y-%m-%d} 至 {other.to_on:%Y-%m-%d} 已有缺勤（{chinese}）。"
            "请另选日期，或修改该缺勤。",
        )


def _check_deputy(
    session: Session,
    worker: Worker,
    locked: dict[int, Worker],
    deputy_id: int | None,
    days: tuple[dt.date, dt.date],
) -> None:
    if deputy_id is None:
        return
    from_on, to_on = days
    if deputy_id == worker.id:
        raise InvalidInput("A deputy is somebody else.", hint="Choose somebody else, or nobody.")
    deputy = locked.get(deputy_id)
    if deputy is None:
        raise NotFound("There is no such deputy.", hint="Choose one of the list.")
    if not deputy.active or (deputy.employed_to and deputy.employed_to < to_on):
        raise InvalidInput(
            f"{deputy.code} does not work here in all of these days.",
            hint="Choose somebody else.",
            zh=f"{deputy.code} 在这些日期内并非全部在职。请选择其他人。",
        )
    own = [each for each in store.away(session, worker.territory_id, from_on, to_on) if each.worker_id == deputy_id]
    away = overlapping(own, from_on, to_on)
    if away is not None:
        raise InvalidInput(
            f"{deputy.code} is away too from {away.from_on:%d %b %Y} to {away.to_on:%d %b %Y}.",
            hint="Choose somebody else, or nobody.",
            zh=f"{deputy.code} 本人在 {away.from_on:%Y-%m-%d} 至 {away.to_on:%Y-%m-%d} 缺勤。请选择其他人，或不指定。",
        )


def _stands_in(session: Session, worker: Worker, from_on: dt.date, to_on: dt.date) -> tuple[Away, ...]:
    away = store.away(session, worker.territory_id, from_on, to_on)
    return tuple(each for each in away if each.deputy_id == worker.id)
