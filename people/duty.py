"""Who owns a class of incident in a community on a day: exactly one unit, a named gap, or a named conflict."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Chain = tuple[int | None, ...]
"""The areas a community lies in, itself first, the whole territory (None) last."""
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """An entry of the duty list, with the days on which its unit exists; every last day is included.

    Attributes
    ----------
    area_id
        None: the whole territory.
    valid_to, unit_to
        None: without end.
    """

    id: int
    class_id: int
    area_id: int | None
    unit_id: int
    valid_from: dt.date
    valid_to: dt.date | None = None
    unit_from: dt.date = dt.date.min
    unit_to: dt.date | None = None

    def stands(self, day: dt.date) -> bool:
        """Return whether the entry is in force on a day, whether its unit exists or not."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def holds(self, day: dt.date) -> bool:
        """Return whether the entry gives the class to its unit on a day: it stands, and the unit exists."""
        return self.stands(day) and self.unit_from <= day and (self.unit_to is None or day <= self.unit_to)

    @property
    def turns(self) -> tuple[dt.date, ...]:
        """Return the days on which something of the entry begins, or has just ended."""
        ends = [day + ONE_DAY for day in (self.valid_to, self.unit_to) if day is not None and day < dt.date.max]
        return (self.valid_from, self.unit_from, *ends)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which one answer holds for a class in a community.

    Attributes
    ----------
    last
        Included.
    duty_ids
        The entries that decide: those of the most specific area that has any in force.
    unit_ids
        The units they name: one owner; none is a gap; several are a conflict.
    lapsed
        In a gap, the units that entries name although they do not exist on these days.
    """

    class_id: int
    area_id: int
    first: dt.date
    last: dt.date
    duty_ids: tuple[int, ...]
    unit_ids: tuple[int, ...]
    lapsed: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """Return owned, gap or conflict."""
        return "gap" if not self.unit_ids else "owned" if len(self.unit_ids) == 1 else "conflict"


@dataclass(frozen=True, slots=True)
class Problem:
    """A gap or a conflict of one class on the same days in one or more communities."""

    class_id: int
    first: dt.date
    last: dt.date
    unit_ids: tuple[int, ...]
    lapsed: tuple[int, ...]
    area_ids: tuple[int, ...]

    @property
    def kind(self) -> str:
        """Return gap or conflict."""
        return "conflict" if self.unit_ids else "gap"


def chains(areas: Iterable[tuple[int, str, int | None]]) -> dict[int, Chain]:
    """Return community id to its chain, from rows of id, level and parent id.

    A ring of parents, which the database does not have, ends where it closes.
    """
    parents: dict[int, int | None] = {}
    communities = []
    for area_id, level, parent_id in areas:
        parents[area_id] = parent_id
        if level == "community":
            communities.append(area_id)
    found: dict[int, Chain] = {}
    for community in communities:
        chain: list[int | None] = []
        up: int | None = community
        while up is not None and up not in chain:
            chain.append(up)
            up = parents.get(up)
        found[community] = (*chain, None)
    return found


def deciding(duties: Sequence[Duty], chain: Chain, day: dt.date) -> list[Duty]:
    """Return the entries that decide on a day: those in force of the most specific area that has any.

    Parameters
    ----------
    duties
        Entries of one class.
    """
    holding = [duty for duty in duties if duty.holds(day)]
    for area in chain:
        found = [duty for duty in holding if duty.area_id == area]
        if found:
            return found
    return []


def resolve(
    duties: Iterable[Duty], class_ids: Iterable[int], areas: Mapping[int, Chain], first: dt.date, last: dt.date
) -> list[Stretch]:
    """Return who owns each class in each community from ``first`` to ``last``, both included.

    The stretches of a class and community follow each other without gap or overlap and differ from
    their neighbours. The most specific area wins: an entry for the community before one for its
    street, its district, and the whole territory. An entry whose unit does not exist on a day is as
    if it were not there, so a wider one may answer.
    """
    if last < first:
        return []
    by_class: dict[int, dict[int | None, list[Duty]]] = defaultdict(lambda: defaultdict(list))
    for duty in duties:
        by_class[duty.class_id][duty.area_id].append(duty)
    found: list[Stretch] = []
    for class_id in class_ids:
        of_area = by_class.get(class_id, {})
        known: dict[Chain, list[tuple[dt.date, dt.date, tuple[int, ...], tuple[int, ...], tuple[int, ...]]]] = {}
        for area_id, chain in areas.items():
            # Communities for which the same entries count share one answer.
            key = tuple(area for area in chain if area in of_area)
            if key not in known:
                known[key] = _answers([duty for area in key for duty in of_area[area]], key, first, last)
            found += [Stretch(class_id, area_id, *answer) for answer in known[key]]
    return found


def _answers(
    duties: list[Duty], chain: Chain, first: dt.date, last: dt.date
) -> list[tuple[dt.date, dt.date, tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    begins = sorted({first, *(day for duty in duties for day in duty.turns if first < day <= last)})
    answers: list[tuple[dt.date, dt.date, tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = []
    for begin, after in zip(begins, [*begins[1:], None], strict=True):
        chosen = deciding(duties, chain, begin)
        units = tuple(sorted({duty.unit_id for duty in chosen}))
        lapsed = () if chosen else tuple(sorted({duty.unit_id for duty in duties if duty.stands(begin)}))
        ids = tuple(sorted(duty.id for duty in chosen))
        end = last if after is None else after - ONE_DAY
        if answers and answers[-1][2:] == (ids, units, lapsed):
            answers[-1] = (answers[-1][0], end, ids, units, lapsed)
        else:
            answers.append((begin, end, ids, units, lapsed))
    return answers


def problems(stretches: Iterable[Stretch]) -> list[Problem]:
    """Return the gaps and conflicts, those of the same class, days and units in one; conflicts and earlier ones first.

    Days that follow each other with the same gap but for another reason stay apart.
    """
    together: dict[tuple[int, dt.date, dt.date, tuple[int, ...], tuple[int, ...]], list[int]] = defaultdict(list)
    for each in stretches:
        if each.kind != "owned":
            together[each.class_id, each.first, each.last, each.unit_ids, each.lapsed].append(each.area_id)
    found = [
        Problem(class_id, first, last, units, lapsed, tuple(areas))
        for (class_id, first, last, units, lapsed), areas in together.items()
    ]
    return sorted(found, key=lambda each: (each.kind == "gap", each.first, each.class_id))
