"""Use cases of the roster: see it, change it in one act with the rules checked before, bring it in from a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata.files import Table
from geodata.territory import TerritoryInfo
from people import store_roster as store
from people.cover import Cover, Gap, GridNeed, GridState, Home, Member, cover_of, gaps, states_at, windows
from people.model import WorkerInfo
from people.roster import DAY_MIN, DayException, Pattern, Plan, Roster, Shifts, check_pattern, expand, shifts_of
from people.roster_change import Change, broken_by, check_days, clock_words, give_pattern, judged_days, swap_shifts
from people.roster_files import Reading, columns_of, days_in, read_rows
from people.roster_rules import Rules, Violation, check_rules, lead_days, said, violations
from people.service import list_workers

LONGEST_DAYS = 400


@dataclass(frozen=True, eq=False, slots=True)
class RosterView:
    """The roster of some days.

    Attributes
    ----------
    members
        All active workers of the territory; the rows of the roster.
    workers
        Those in the actor's reach by id, with names for who may see them.
    lead
        Columns of the roster that lie before ``first``.
    """

    first: dt.date
    last: dt.date
    lead: int
    members: tuple[Member, ...]
    workers: Mapping[int, WorkerInfo]
    plan: Plan
    roster: Roster
    shifts: Shifts
    rules: Rules
    violations: tuple[Violation, ...]
    zone: ZoneInfo

    def rows(self) -> list[int]:
        """Return the rows of the roster in reach."""
        return [row for row, each in enumerate(self.members) if each.id in self.workers]

    def code_of(self, worker_id: int) -> str:
        """Return the staff number of a worker; a dash for one who works here no longer."""
        return next((each.code for each in self.members if each.id == worker_id), "–")


@dataclass(frozen=True, eq=False, slots=True)
class CoverView:
    """Who covers the responsibility grids in the time of a roster; grids are indices into ``grids``."""

    grids: tuple[GridNeed, ...]
    homes: tuple[Home, ...]
    gaps: tuple[Gap, ...]
    states: tuple[GridState, ...]
    at: dt.datetime


def roster_view(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    first: dt.date,
    days: int,
    *,
    at: dt.datetime | None = None,
) -> RosterView:
    """Return who works when on ``days`` days from ``first``, with the rules that are broken, for those in reach.

    The workers say what they do at the moment ``at``, now when None.
    """
    require(actor, May.SEE_PEOPLE)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"A roster is seen for 1 to {LONGEST_DAYS} days.")
    rules = store.rules(session, territory.id)
    last = first + dt.timedelta(days=days - 1)
    since = first - dt.timedelta(days=first.weekday() + lead_days(rules))
    until = last + dt.timedelta(days=6 - last.weekday())
    reached = list_workers(session, actor, territory.id, at=at, timezone=territory.timezone)
    workers = {each.id: each for each in reached}
    members = tuple(store.members(session, territory.id))
    plan = store.read_plan(session, territory.id, since, until)
    roster = expand(plan, [each.id for each in members], since, (until - since).days + 1)
    shifts = shifts_of(roster, territory.zone)
    broken = violations(roster, shifts, rules, first=first, last=last)
    return RosterView(
        first, last, (first - since).days, members, workers, plan, roster, shifts, rules,
        tuple(each for each in broken if each.worker_id in workers), territory.zone,
    )  # fmt: skip


def cover_view(
    session: Session, actor: Actor, territory: TerritoryInfo, view: RosterView, at: dt.datetime
) -> CoverView:
    """Return who covers which grid: the gaps of the days in view, and how each grid stands at a moment in them."""
    require(actor, May.SEE_PEOPLE)
    grids = store.grids(session, territory.id)
    mine: dict[int, list[int]] = {}
    for row, each in enumerate(view.members):
        if each.grid_id is not None:
            mine.setdefault(each.grid_id, []).append(row)
    if len(view.workers) < len(view.members):
        reached = {each.grid_id for each in view.members if each.id in view.workers}
        grids = [grid for grid in grids if grid.id in reached]
    homes = tuple(Home(grid.id, tuple(mine.get(grid.id, ())), grid.need) for grid in grids)
    needed = windows(view.roster, view.zone, view.rules.cover_from_min, view.rules.cover_to_min)
    short = gaps(view.roster, cover_of(view.roster, view.shifts, homes, needed), homes, needed)
    begins, ends = view.lead, view.lead + (view.last - view.first).days
    whole = windows(view.roster, view.zone, 0, DAY_MIN)
    around: Cover = cover_of(view.roster, view.shifts, homes, whole)
    day = view.roster.index_of(at.astimezone(view.zone).date())
    if not 0 <= day < view.roster.days:
        raise InvalidInput("The moment lies outside the days of the roster.")
    states = states_at(view.roster, around, homes, needed, moment_s=int(at.timestamp()), day=day)
    return CoverView(tuple(grids), homes, tuple(gap for gap in short if begins <= gap.day <= ends), tuple(states), at)


def grid_shapes(session: Session, actor: Actor, territory_id: int) -> dict[int, shapely.Geometry]:
    """Return the boundaries of the responsibility grids in EPSG:4326, simplified for a map of the whole territory."""
    require(actor, May.SEE_PEOPLE)
    return store.shapes(session, territory_id, 0.0002)


def own_shifts(
    session: Session, actor: Actor, territory: TerritoryInfo, first: dt.date, days: int
) -> list[DayException]:
    """Return a grid worker's own shifts, day by day; those of nobody else."""
    if actor.worker_id is None:
        return []
    plan = store.read_plan(session, territory.id, first, first + dt.timedelta(days=days - 1))
    roster = expand(plan, [actor.worker_id], first, days)
    return [
        DayException(
            actor.worker_id,
            roster.day(day),
            int(roster.start_min[0, day]),
            int(roster.end_min[0, day]),
            int(roster.break_min[0, day]),
            "plan",
        )
        for day in range(days)
        if roster.start_min[0, day] >= 0
    ]


def rules_of(session: Session, actor: Actor, territory_id: int) -> Rules:
    """Return the rules of the territory."""
    require(actor, May.SEE_PEOPLE)
    return store.rules(session, territory_id)


def set_rules(session: Session, actor: Actor, territory_id: int, rules: Rules) -> None:
    """Store the rules of the territory; their version is that of the ones that were seen."""
    require(actor, May.MANAGE_DUTIES)
    check_rules(rules)
    if not store.put_rules(session, territory_id, rules):
        raise Conflict("Somebody else changed the rules meanwhile.", hint="Look at them again.")


def set_need(session: Session, actor: Actor, territory_id: int, grid_code: str, need: int) -> None:
    """Store how many workers a responsibility grid needs at a time; 0 where nobody is needed."""
    require(actor, May.EDIT_GRIDS)
    if not 0 <= need <= 50:
        raise InvalidInput("A grid needs 0 to 50 workers at a time.")
    if not store.set_need(session, territory_id, grid_code, need):
        raise NotFound(f"There is no responsibility grid {grid_code}.", hint="Choose one of the list.")


def grids_of(session: Session, actor: Actor, territory_id: int) -> list[GridNeed]:
    """Return the responsibility grids by code, with how many workers each needs."""
    require(actor, May.SEE_PEOPLE)
    return store.grids(session, territory_id)


def set_pattern(session: Session, actor: Actor, territory_id: int, pattern: Pattern) -> int:
    """Store a new pattern (version 0), or change the one that was seen; return its id."""
    require(actor, May.MANAGE_DUTIES)
    if not pattern.code.strip() or len(pattern.code) > 6 or not pattern.name.strip():
        raise InvalidInput("A pattern has a code of 1 to 6 letters and a name.")
    check_pattern(pattern.cycle_days, pattern.steps)
    made = store.put_pattern(session, territory_id, pattern)
    if made is None:
        raise Conflict(
            f"The pattern {pattern.code} is there already, or somebody changed it meanwhile.",
            hint="Look at it again.",
            zh=f"班制 {pattern.code} 已存在，或刚被他人修改，请重新查看。",
        )
    return made


def pattern_change(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    worker_id: int,
    pattern_id: int,
    *,
    from_on: dt.date,
    anchor_on: dt.date | None = None,
    to_on: dt.date | None = None,
) -> Change:
    """Return the change that lets a worker work by a pattern from a day on; nothing is written."""
    require(actor, May.MANAGE_WORKERS)
    plan = store.read_plan(session, territory.id, from_on, dt.date.max)
    pattern = next((each for each in plan.patterns if each.id == pattern_id), None)
    if pattern is None:
        raise NotFound("There is no such pattern.", hint="Choose one of the list.")
    check_days(plan, [DayException(worker_id, from_on, None, None)])
    return give_pattern(plan.assignments, worker_id, pattern, from_on, anchor_on=anchor_on, to_on=to_on)


def first_patterns(
    session: Session, actor: Actor, territory: TerritoryInfo, worker_ids: Sequence[int], *, pattern_id: int,
    from_on: dt.date,
) -> Change:  # fmt: skip
    """Return the change that gives a pattern to several workers who have none yet; nothing is written."""
    require(actor, May.MANAGE_WORKERS)
    plan = store.read_plan(session, territory.id, from_on, dt.date.max)
    pattern = next((each for each in plan.patterns if each.id == pattern_id), None)
    if pattern is None:
        raise NotFound("There is no such pattern.", hint="Choose one of the list.")
    change = Change()
    for worker in worker_ids:
        check_days(plan, [DayException(worker, from_on, None, None)])
        change = change.and_also(give_pattern(plan.assignments, worker, pattern, from_on))
    return change


def swap_change(
    session: Session, actor: Actor, territory: TerritoryInfo, *, one: int, other: int, day: dt.date
) -> Change:  # fmt: skip
    """Return the change by which two workers do each other's shift of a day; nothing is written."""
    require(actor, May.MANAGE_WORKERS)
    return swap_shifts(store.read_plan(session, territory.id, day, day), one, other, day)


def judge(session: Session, actor: Actor, territory: TerritoryInfo, change: Change) -> tuple[Violation, ...]:
    """Return the rules that a change would break and that are not broken already."""
    require(actor, May.SEE_PEOPLE)
    if not change:
        return ()
    rules = store.rules(session, territory.id)
    plan = store.read_plan(session, territory.id, *judged_days(change, rules))
    check_days(plan, change.days)
    return broken_by(plan, change, rules, territory.zone)


def carry_out(
    session: Session, actor: Actor, territory: TerritoryInfo, change: Change, *, knowingly: bool = False
) -> tuple[Violation, ...]:
    """Write a change in one act, and return the rules it breaks, which is refused unless done ``knowingly``.

    Raises
    ------
    DataQuality
        When it breaks rules; nothing is written.
    Conflict
        When somebody changed one of the days or patterns meanwhile; nothing is written.
    """
    require(actor, May.MANAGE_WORKERS)
    if not change:
        return ()
    known = {each.id: each for each in list_workers(session, actor, territory.id, timezone=territory.timezone)}
    if not change.worker_ids <= set(known):
        raise NotFound("There is no such worker, or not in your reach.", hint="Choose one of the list.")
    broken = judge(session, actor, territory, change)
    if broken and not knowingly:
        raise DataQuality(
            "The change breaks the rules of hours and rest.",
            [said(each, known[each.worker_id].code) for each in broken],
            hint="Change it, or confirm that it is meant so.",
        )
    for assignment, last in change.ended:
        if not store.end_assignment(session, assignment, last):
            code = known[assignment.worker_id].code
            raise Conflict(
                f"The pattern of {code} was changed meanwhile.",
                hint="Look at it again.",
                zh=f"{code} 的班制刚被修改，请重新查看。",
            )
    if not store.add_assignments(session, territory.id, change.given):
        raise Conflict("Somebody gave one of these workers a pattern meanwhile.", hint="Look at it again.")
    stale = store.put_exceptions(session, territory.id, change.days)
    stale += [
        each for each in change.cleared if not store.remove_exception(session, each.worker_id, each.day, each.version)
    ]
    if stale:
        raise _overtaken(session, territory, stale[0], known)
    return broken


def _overtaken(
    session: Session, territory: TerritoryInfo, stale: DayException, known: Mapping[int, WorkerInfo]
) -> Conflict:
    """Return who was overtaken on which day, and what holds there now."""
    plan = store.read_plan(session, territory.id, stale.day, stale.day)
    roster = expand(plan, [stale.worker_id], stale.day, 1)
    now = clock_words(int(roster.start_min[0, 0]), int(roster.end_min[0, 0])) or "free"
    code = known[stale.worker_id].code
    return Conflict(
        f"{code} on {stale.day} was changed meanwhile; it is now {now}.",
        hint="Look at it again.",
        zh=f"{code} 在 {stale.day} 的排班刚被修改，现为 {now.replace('free', '休息')}，请重新查看。",
    )


def read_file(session: Session, actor: Actor, territory: TerritoryInfo, table: Table) -> Reading:
    """Return what the rows of a file would change, with every fault; nothing is written."""
    require(actor, May.MANAGE_WORKERS)
    columns = columns_of(table)
    span = days_in(columns) or (clock_now().astimezone(territory.zone).date(),) * 2
    if (span[1] - span[0]).days >= LONGEST_DAYS:
        raise InvalidInput(f"The file speaks of more than {LONGEST_DAYS} days.", hint="Split it.")
    workers = list_workers(session, actor, territory.id, timezone=territory.timezone)
    plan = store.read_plan(session, territory.id, *span)
    if "pattern" in columns:
        later = store.read_plan(session, territory.id, span[0], dt.date.max)
        plan = replace(plan, assignments=later.assignments)
    roster = expand(plan, [each.id for each in workers], span[0], (span[1] - span[0]).days + 1)
    return read_rows(columns, {each.code.upper(): each.id for each in workers}, plan, roster)


def bring_in(
    session: Session, actor: Actor, territory: TerritoryInfo, reading: Reading, *, knowingly: bool = False
) -> tuple[Violation, ...]:
    """Write what a file says in one act; the same file again changes nothing.

    Raises
    ------
    DataQuality
        When a row is wrong, with every fault, or a rule would be broken and it is not done ``knowingly``.
    """
    if reading.problems:
        raise DataQuality(
            "The file cannot be taken in as it is; nothing was written.",
            [each.words() for each in reading.problems],
            hint="Mend these rows and bring the file again.",
        )
    return carry_out(session, actor, territory, reading.change, knowingly=knowingly)


def patterns_of(session: Session, actor: Actor, territory_id: int) -> tuple[Pattern, ...]:
    """Return the shift patterns by code."""
    require(actor, May.SEE_PEOPLE)
    today = clock_now().date()
    return store.read_plan(session, territory_id, today, today).patterns


def exception_on(
    session: Session, actor: Actor, territory_id: int, worker_id: int, day: dt.date
) -> DayException | None:
    """Return what stands in place of a worker's pattern on a day, with its version; None for the pattern itself."""
    require(actor, May.SEE_PEOPLE)
    plan = store.read_plan(session, territory_id, day, day)
    return next((each for each in plan.exceptions if each.worker_id == worker_id), None)


def codes_of(session: Session, actor: Actor, territory: TerritoryInfo) -> dict[int, str]:
    """Return the staff numbers of the workers in reach by id."""
    require(actor, May.SEE_PEOPLE)
    return {each.id: each.code for each in list_workers(session, actor, territory.id, timezone=territory.timezone)}
