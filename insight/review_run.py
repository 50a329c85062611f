"""Looking through the record by the rules of accountability, and opening a review for what they find.

Going on from the last time and beginning anew come to the same findings: each is a function of all acts of its case
(an incident, an account and a day, a change of the rules), and a case is read whole whenever something of it is new.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.orm import Session

from core.clock import WorkingCalendar, aware, now
from core.errors import NotFound, NotPermitted
from core.identity import Actor, Role
from geodata.territory import TerritoryInfo
from incidents.service.catalogue import read_catalogue
from insight import review_store as store
from insight.accountability import BY_KEY, READ_REPORTER, Act, Context, Finding, Thresholds, same_persons
from insight.accountability_rules import of_change, of_incident, of_limit, of_person, one_a_key
from people import rostering

AT_ONCE = 2000
"""Incidents read together."""
MONTH_DAYS = 36
"""A month with the days around it."""
EVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_OF_PERSONS = ("bulk_export", "many_voids", "many_extensions", "hasty_closing", "off_duty")


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking through the record: acts read, findings in them, reviews opened for new ones."""

    acts: int
    findings: int
    opened: tuple[int, ...]
    seconds: float


def run(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    *,
    anew: bool = False,
    moment: dt.datetime | None = None,
) -> Looked:
    """Look through what is new in the record of a territory, or all of it ``anew``, and open reviews.

    Called as the system, in a transaction of its own; two at once come one after the other. A finding that has its
    review already opens no other.
    """
    if actor.role is not Role.SYSTEM:
        raise NotPermitted("The platform itself looks through the record.", hint="Open Accountability.")
    begun, at = time.monotonic(), now() if moment is None else aware(moment)
    store.lock(session, territory.id)
    last = None if anew else store.reached(session, territory.id)
    batch = store.newest_batch(session)
    after = None if last is None else last.batch_id
    ran = EVER if last is None else last.ran_at
    approved = tuple(
        store.as_threshold(row) for row in store.thresholds(session, territory.id) if row.state == "approved"
    )
    rules = Thresholds(approved)
    by_person = _by_person(session, territory, rules, after)
    ids = set(store.touched(session, territory.id, after))
    ids |= store.read_since(session, territory.id, READ_REPORTER, ran - rules.longest("identity_unused"))
    changes = store.acts_on_rules(session, territory.id, ran - rules.longest("limit_before_breach"))
    context = _context(session, actor, territory, rules)
    found: list[Finding] = []
    count = len(changes) + sum(map(len, by_person.values()))
    for user_id, acts in by_person.items():
        found += of_person(user_id, acts, context)
    ordered = sorted(ids, key=int)
    for first in range(0, len(ordered), AT_ONCE):
        for incident, acts in store.acts_of_incidents(session, ordered[first : first + AT_ONCE]).items():
            count += len(acts)
            found += of_incident(incident, acts, context, at)
    for act in changes:
        found += of_change(act, context)
        found += _of_limit(session, territory, act, context, at)
    findings = one_a_key(found)
    opened = store.open_reviews(session, territory.id, findings, {key: rule.severity for key, rule in BY_KEY.items()})
    store.note_reached(session, territory.id, batch=batch, at=at, acts=count, findings=len(findings))
    return Looked(count, len(findings), tuple(opened), time.monotonic() - begun)


def _by_person(
    session: Session, territory: TerritoryInfo, rules: Thresholds, after: int | None
) -> Mapping[int, list[Act]]:
    """Return the acts by account from a local midnight before anything new."""
    since = EVER
    if after is not None:
        oldest = store.first_new(session, territory.id, after)
        if oldest is None:
            return {}
        day = oldest.astimezone(territory.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        since = day - rules.longest(*_OF_PERSONS)
    found: dict[int, list[Act]] = defaultdict(list)
    for act in store.acts_of_persons(session, territory.id, since):
        if act.user_id is not None:
            found[act.user_id].append(act)
    return found


def _of_limit(session: Session, territory: TerritoryInfo, act: Act, context: Context, at: dt.datetime) -> list[Finding]:
    class_id = (act.after or act.before or {}).get("class_id")
    if act.table != "time_limit" or class_id is None:
        return []
    window = dt.timedelta(minutes=context.thresholds.at("limit_before_breach", act.at).minutes or 0)
    if at < act.at + window:
        return []
    told = store.standings(session, territory.id, int(class_id), act.at, act.at + window)
    return of_limit(act, told, context, at)


def _context(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    rules: Thresholds,
) -> Context:
    held = store.accounts(session)
    return Context(
        territory.zone,
        rules,
        same=same_persons(held),
        worker_of={each.user_id: each.worker_id for each in held if each.worker_id is not None},
        shifts=_Duty(session, actor, territory),
        demanded=_demanded(session),
        office=_Office(session, territory),
        close_to=store.close_to(session, territory.id),
    )


class _Duty:
    """The duty of workers as the roster has it now, read a local month at a time."""

    def __init__(self, session: Session, actor: Actor, territory: TerritoryInfo) -> None:
        self._session, self._actor, self._territory = session, actor, territory
        self._months: dict[dt.date, dict[int, list[tuple[int, int]]]] = {}

    def __call__(self, worker_id: int, moment: dt.datetime) -> Sequence[tuple[int, int]] | None:
        """Return the spans of duty in the month of a moment; None for who has no roster in it."""
        month = moment.astimezone(self._territory.zone).date().replace(day=1)
        if month not in self._months:
            self._months[month] = self._read(month)
        return self._months[month].get(worker_id)

    def _read(self, month: dt.date) -> dict[int, list[tuple[int, int]]]:
        view = rostering.roster_view(
            self._session, self._actor, self._territory, month - dt.timedelta(days=2), MONTH_DAYS
        )
        planned = {each.worker_id for each in view.plan.assignments}
        planned |= {each.worker_id for each in view.plan.exceptions}
        found: dict[int, list[tuple[int, int]]] = {worker_id: [] for worker_id in planned}
        shifts = view.shifts
        for row, start, end in zip(shifts.worker.tolist(), shifts.start_s.tolist(), shifts.end_s.tolist(), strict=True):
            found.get(view.members[row].id, []).append((start, end))
        return found


def _demanded(session: Session) -> Callable[[int, dt.datetime], frozenset[str]]:
    now_, changes = store.demands(session)

    def at(class_id: int, moment: dt.datetime) -> frozenset[str]:
        later = (before for one, when, before, _ in changes if one == class_id and when > moment)
        return frozenset(next(later, now_.get(class_id, "")).split())

    return at


class _Office:
    """The hours of the office of a territory, read when they are first asked for."""

    def __init__(self, session: Session, territory: TerritoryInfo) -> None:
        self._session, self._territory = session, territory

    @cached_property
    def _calendar(self) -> WorkingCalendar | None:
        try:
            return read_catalogue(self._session, self._territory).calendar
        except NotFound:
            return None

    def __call__(self, moment: dt.datetime) -> bool | None:
        """Return whether a moment lies within the hours; None where no calendar says."""
        if self._calendar is None:
            return None
        day = moment.astimezone(self._territory.zone).date()
        return any(begin <= moment < end for begin, end in self._calendar.spans_on(day))
