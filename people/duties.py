"""Use cases of the duty list: read, check, assign, end, replace from a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound
from core.identity import Actor, May
from core.words import one_line
from geodata.record import RecordEntry, history
from people import store_duty as store
from people import store_units
from people.duty import chains, problems, resolve
from people.duty_model import BASIS_MOST, Checked, DutyEntry, DutyList
from people.unit_model import UnitRecord, Violation
from people.units import changed_since, require_here

SCHEME = "gk"
AHEAD = dt.timedelta(days=365)
ONE_DAY = dt.timedelta(days=1)


def read(session: Session, actor: Actor, territory_id: int) -> DutyList:
    """Return the duty list of the territory with the classes, areas and units it may speak of."""
    require_here(actor, May.SEE_PEOPLE, territory_id)
    return _read(session, territory_id)


def check(listed: DutyList, *, first: dt.date | None = None, last: dt.date | None = None) -> Checked:
    """Return who owns what, with the gaps and conflicts, from ``first`` (today) to ``last`` (a year on)."""
    begin = first or today()
    end = last or begin + AHEAD
    communities = chains((area.id, area.level, area.parent_id) for area in listed.areas.values())
    found = resolve(listed.duties(), listed.classes, communities, begin, end)
    return Checked(begin, end, found, problems(found), len(communities))


def owners_on(session: Session, territory_id: int, day: dt.date | None = None) -> dict[tuple[int, int], int]:
    """Return class id and community id to the unit that owns the class there on a day (today when None).

    Gaps and conflicts are left out. No page asks this: it serves what takes incidents in.
    """
    listed = _read(session, territory_id)
    at = day or today()
    found = check(listed, first=at, last=at).stretches
    return {(each.class_id, each.area_id): each.unit_ids[0] for each in found if each.kind == "owned"}


def entry_history(session: Session, actor: Actor, territory_id: int, duty_id: int) -> list[RecordEntry]:
    """Return what happened to an entry, oldest first."""
    require_here(actor, May.SEE_PEOPLE, territory_id)
    return history(session, "class_owner", duty_id)


def assign(
    session: Session,
    actor: Actor,
    territory_id: int,
    *,
    class_ids: Sequence[int],
    area_ids: Sequence[int | None],
    unit_id: int,
    legal_basis: str = "",
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
) -> list[int]:
    """Give classes in areas (None: the whole territory) to a unit and return the ids of the new entries.

    Raises
    ------
    DataQuality
        With every class and area that has an owner on some of these days, and every other broken rule;
        nothing is written then.
    """
    require_here(actor, May.MANAGE_DUTIES, territory_id)
    listed = _read(session, territory_id)
    begin = valid_from or today()
    basis = one_line(legal_basis)
    broken = [] if class_ids and area_ids else [Violation("no class or no area is chosen", "未选择小类或区域")]
    broken += known(listed, class_ids, area_ids, unit_id)
    broken += broken_days(listed.units.get(unit_id), begin, valid_to, basis)
    wanted = {(class_id, area_id) for class_id in class_ids for area_id in area_ids}
    if not broken:
        taken = [each for each in listed.entries if (each.class_id, each.area_id) in wanted]
        broken += [overlap(listed, each) for each in taken if each.meets(begin, valid_to)]
    if broken:
        raise DataQuality(
            "This cannot be assigned:", broken, hint="Replace an entry from a date, or choose other days."
        )
    rows = [
        {
            "class_id": class_id,
            "area_id": area_id,
            "unit_id": unit_id,
            "legal_basis": basis,
            "valid_from": begin,
            "valid_to": valid_to,
        }
        for class_id in dict.fromkeys(class_ids)
        for area_id in dict.fromkeys(area_ids)
    ]
    with in_words():
        return store.add(session, territory_id, rows)


def end(
    session: Session, actor: Actor, territory_id: int, duty_id: int, *, version: int, last_day: dt.date | None
) -> int | None:
    """Set the last day of an entry (None: without end) and return its new version.

    A day before the first takes an entry back that has not begun; then None is returned.

    Raises
    ------
    Conflict
        When it was changed since ``version``, or another entry follows on these days.
    InvalidInput
        When the day lies before the first of an entry that has begun.
    """
    require_here(actor, May.MANAGE_DUTIES, territory_id)
    entry, listed = _locked(session, territory_id, duty_id, version)
    if last_day is not None and last_day < entry.valid_from:
        if entry.valid_from <= today():
            raise InvalidInput(
                f"The last day {last_day} is before the first, {entry.valid_from}.",
                hint="Choose a later day.",
                zh=f"截止日 {last_day} 早于起始日 {entry.valid_from}，请另选日期。",
            )
        store.remove(session, duty_id)
        return None
    _refuse_overlap(listed, entry, entry.valid_from, last_day)
    with in_words():
        return store.change(session, duty_id, {"valid_to": last_day})


def replace(
    session: Session,
    actor: Actor,
    territory_id: int,
    duty_id: int,
    *,
    version: int,
    unit_id: int,
    from_day: dt.date,
    legal_basis: str | None = None,
) -> int:
    """Give an entry to another unit from a day on, in one act, and return the id of the new entry.

    The old entry ends on the day before; the new one lasts as long as the old would have, under the
    same legal basis unless another is given.

    Raises
    ------
    Conflict
        When it was changed since ``version``.
    InvalidInput
        When the day lies outside the entry, or the unit stays the same.
    DataQuality
        When the new unit does not exist on these days.
    """
    require_here(actor, May.MANAGE_DUTIES, territory_id)
    entry, listed = _locked(session, territory_id, duty_id, version)
    if not entry.valid_from <= from_day <= (entry.valid_to or dt.date.max):
        raise InvalidInput(
            f"The entry holds from {entry.valid_from} to {entry.valid_to or 'without end'}; {from_day} is outside.",
            hint="Choose a day inside, or assign the class anew.",
            zh=f"该条目有效期为 {entry.valid_from} 至 {entry.valid_to or '长期'}，{from_day} 不在其内。",
        )
    basis = entry.legal_basis if legal_basis is None else one_line(legal_basis)
    if unit_id == entry.unit_id and basis == entry.legal_basis:
        raise InvalidInput(
            "The class belongs to this unit already.",
            hint="Choose another unit.",
            zh="该小类已属于此单位，请另选单位。",
        )
    broken = known(listed, [entry.class_id], [entry.area_id], unit_id)
    broken += broken_days(listed.units.get(unit_id), from_day, entry.valid_to, basis)
    if broken:
        raise DataQuality("This unit cannot take over:", broken, hint="Choose another unit or another day.")
    row = {
        "class_id": entry.class_id,
        "area_id": entry.area_id,
        "unit_id": unit_id,
        "legal_basis": basis,
        "valid_from": from_day,
        "valid_to": entry.valid_to,
    }
    with in_words():
        if from_day == entry.valid_from:
            store.change(session, duty_id, {"unit_id": unit_id, "legal_basis": basis})
            return duty_id
        store.change(session, duty_id, {"valid_to": from_day - ONE_DAY})
        return store.add(session, territory_id, [row])[0]


def known(listed: DutyList, class_ids: Sequence[int], area_ids: Sequence[int | None], unit_id: int) -> list[Violation]:
    """Return what of these does not exist in the territory."""
    found = []
    if any(class_id not in listed.classes for class_id in class_ids):
        found.append(Violation("there is no such class", "没有该小类"))
    if any(area_id is not None and area_id not in listed.areas for area_id in area_ids):
        found.append(Violation("there is no such area", "没有该区域"))
    if not unit_id:
        found.append(Violation("no unit is chosen", "未选择单位"))
    elif unit_id not in listed.units:
        found.append(Violation("there is no such unit", "没有该单位"))
    return found


def broken_days(unit: UnitRecord | None, first: dt.date, last: dt.date | None, basis: str) -> list[Violation]:
    """Return what is wrong with the days and the legal basis of an entry for a unit."""
    found = []
    if last is not None and last < first:
        found.append(
            Violation(f"the last day {last} is before the first, {first}", f"截止日 {last} 早于起始日 {first}")
        )
    if unit is not None and not unit.exists(first):
        found.append(
            Violation(
                f"{unit.spec.name} does not exist on {first}",
                f"{unit.spec.name_zh or unit.spec.name}在 {first} 不存在",
            )
        )
    if len(basis) > BASIS_MOST:
        found.append(
            Violation(f"the legal basis has more than {BASIS_MOST} characters", f"法律依据超过 {BASIS_MOST} 个字符")
        )
    return found


def overlap(listed: DutyList, entry: DutyEntry) -> Violation:
    """Return the sentence that an entry stands in the way."""
    kind, unit = listed.classes[entry.class_id], listed.units[entry.unit_id].spec
    area = listed.areas[entry.area_id] if entry.area_id is not None else None
    until = f"to {entry.valid_to}" if entry.valid_to else "without end"
    return Violation(
        f"{kind.name_en} in {area.name if area else 'the whole territory'} belongs to {unit.name}"
        f" from {entry.valid_from} {until}",
        f"{(area.name_zh or area.name) if area else '全辖区'}的“{kind.name_zh}”自 {entry.valid_from} 起"
        f"{f'至 {entry.valid_to} ' if entry.valid_to else '长期'}属于{unit.name_zh or unit.name}",
    )


@contextmanager
def in_words() -> Iterator[None]:
    """Say what the database refuses, as happens when two act at the same moment."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if name == "ex_class_owner_one_owner":
            raise Conflict(
                "Somebody else just gave one of these classes to a unit on some of these days.",
                hint="Look at the duty list again, then assign what is still free.",
                zh="刚有他人为其中某个小类指定了责任单位，请重新查看权责清单。",
            ) from error
        raise


def today() -> dt.date:
    """Return today as the database counts it."""
    return now().date()


def _read(session: Session, territory_id: int) -> DutyList:
    classes = store.classes(session, SCHEME)
    units = store_units.units(session, territory_id)
    of_scheme = {each.id: each for each in classes}
    return DutyList(
        # Classes that are out of use keep their entries; nothing is asked of them any more.
        tuple(each for each in store.entries(session, territory_id) if each.class_id in of_scheme),
        of_scheme,
        {each.id: each for each in store.areas(session, territory_id)},
        {each.id: each for each in units},
    )


def _locked(session: Session, territory_id: int, duty_id: int, version: int) -> tuple[DutyEntry, DutyList]:
    current = store.lock(session, territory_id, duty_id)
    listed = _read(session, territory_id)
    entry = next((each for each in listed.entries if each.id == duty_id), None)
    if current is None or entry is None:
        raise NotFound("There is no such entry in the duty list.", zh="权责清单中没有该条目。")
    if current != version:
        raise Conflict(
            f"This entry was changed meanwhile: {changed_since(session, 'class_owner', duty_id, version)}.",
            hint="Look at it again, then change what is still to be changed.",
            zh="该条目刚被他人修改，请重新查看后再改。",
        )
    return entry, listed


def _refuse_overlap(listed: DutyList, entry: DutyEntry, first: dt.date, last: dt.date | None) -> None:
    for each in listed.entries:
        same = (each.class_id, each.area_id) == (entry.class_id, entry.area_id)
        if same and each.id != entry.id and each.meets(first, last):
            said = overlap(listed, each)
            raise Conflict(f"{said}.", hint="End that entry first.", zh=f"{said.zh}，请先终止该条目。")
