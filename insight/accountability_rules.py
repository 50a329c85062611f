"""What each rule of accountability looks for: in the acts of an incident, a person, a change of the rules (pure).

Every function takes all acts of its case and says all findings there are, so that reading the record in portions
and reading it anew come to the same. Acts of the platform itself (no user) are never held against anybody.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from insight.accountability import EXPORTS, MOST_EVIDENCE, READ_REPORTER, Act, Context, Finding

STAGE_TIMES = ("reported_at", "filed_at", "dispatched_at", "handled_at", "closed_at")
TASK_TIMES = ("accepted_at", "finished_at")
WORK_TABLES = frozenset({"incident", "task", "extension_request", "evidence"})
NO_TIME = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an incident stood from a moment on: its deadline, and whether it was open."""

    at: dt.datetime
    due_at: dt.datetime | None
    open: bool


def of_incident(incident_id: str, acts: Sequence[Act], context: Context, moment: dt.datetime) -> list[Finding]:
    """Return the findings in all acts about one incident: its own rows, those of its tasks, requests and readings.

    Parameters
    ----------
    moment
        What needs time to be judged is judged when that time has passed by then.
    """
    ordered = sorted(acts, key=lambda act: act.seq)
    found: list[Finding] = []
    for rule in (_self_close, _no_evidence, _backdated, _reopened, _identity_off_hours):
        found += rule(incident_id, ordered, context)
    found += _identity_unused(incident_id, ordered, context, moment)
    return found


def of_person(user_id: int, acts: Sequence[Act], context: Context) -> list[Finding]:
    """Return the findings in the acts of one account over whole local days; windows may begin a day earlier."""
    ordered = sorted(acts, key=lambda act: act.seq)
    found: list[Finding] = []
    for rule, wanted, weight in (
        ("bulk_export", lambda act: act.action in EXPORTS, _rows),
        ("many_voids", lambda act: act.table == "incident" and act.became("status", "void"), _one),
        ("many_extensions", lambda act: act.table == "extension_request" and act.became("state", "granted"), _one),
        ("hasty_closing", lambda act: act.table == "incident" and act.became("status", "closed"), _one),
    ):
        found += _crowded(rule, user_id, [act for act in ordered if wanted(act)], context, weight)
    return [*found, *_off_duty(user_id, ordered, context)]


def of_change(act: Act, context: Context) -> list[Finding]:
    """Return the finding in the approval of a change of the rules."""
    if act.table != "rule_change" or not act.became("state", "approved"):
        return []
    told = act.after or {}
    one, other = _user(told.get("proposed_by")), _user(told.get("decided_by"))
    if one is None or other is None or not context.thresholds.at("rules_shared", act.at).on:
        return []
    if not context.one_person(one, other) and (min(one, other), max(one, other)) not in context.close_to:
        return []
    return [_finding("rules_shared", act.subject_id, act, (one, other), [act])]


def of_limit(
    act: Act, standings: Mapping[str, Sequence[Standing]], context: Context, moment: dt.datetime
) -> list[Finding]:
    """Return the finding in a change of a limit, given how the incidents of its class stood over time.

    It is judged when the whole window has passed; one finding a class and local day.
    """
    limit = context.thresholds.at("limit_before_breach", act.at)
    class_id = (act.after or act.before or {}).get("class_id")
    if act.table != "time_limit" or act.user_id is None or class_id is None or not limit.on:
        return []
    end = act.at + dt.timedelta(minutes=limit.minutes or 0)
    if moment < end:
        return []
    late = sorted(
        (int(incident) for incident, told in standings.items() if any(act.at < each <= end for each in breaches(told)))
    )
    if not late:
        return []
    return [
        Finding(
            "limit_before_breach",
            f"{class_id}:{context.day(act.at)}",
            "time_limit",
            act.subject_id,
            (act.user_id,),
            (act.seq,),
            act.at,
            {"class_id": int(class_id), "incidents": len(late), "first": late[0]},
        )
    ]


def breaches(standings: Sequence[Standing]) -> Iterator[dt.datetime]:
    """Yield the moments at which an open incident passed the deadline that stood then."""
    for place, each in enumerate(standings):
        until = standings[place + 1].at if place + 1 < len(standings) else None
        if each.open and each.due_at is not None and each.at <= each.due_at and (until is None or each.due_at < until):
            yield each.due_at


def one_a_key(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings without those whose key came before, in order of what led to them."""
    kept: dict[tuple[str, str], Finding] = {}
    for each in sorted(findings, key=lambda finding: (finding.rule, finding.seqs[-1])):
        kept.setdefault((each.rule, each.key), each)
    return list(kept.values())


def _self_close(incident_id: str, acts: Sequence[Act], context: Context) -> list[Finding]:
    found = []
    sent: list[Act] = []
    handled: list[Act] = []
    for act in _of_people(acts):
        is_task, told = act.table == "task", act.after or {}
        closes = act.table == "incident" and act.became("status", "closed")
        verifies = (act.table == "incident" and act.became("status", "closed", "handling")
                    and (act.before or {}).get("status") == "checking")  # fmt: skip
        verifies |= is_task and told.get("kind") == "check" and act.became("state", "done")
        against = [
            *(each for each in sent if closes and _same(each, act, context)),
            *(each for each in handled if verifies and _same(each, act, context)),
        ]
        if against and context.thresholds.at("self_close", act.at).on:
            acts_ = [*{each.seq: each for each in against}.values(), act]
            persons = tuple(sorted({each.user_id for each in acts_ if each.user_id is not None}))
            found.append(
                _finding("self_close", f"{incident_id}:{act.seq}", act, persons, acts_, incident_id=incident_id)
            )
        made = is_task and act.action == "insert" and told.get("kind") == "handle"
        if made or (act.table == "incident" and act.became("status", "dispatched")):
            sent.append(act)
        if is_task and told.get("kind") == "handle" and act.became("state", "done"):
            handled.append(act)
    return found


def _no_evidence(incident_id: str, acts: Sequence[Act], context: Context) -> list[Finding]:
    found = []
    pieces = [act for act in acts if act.table == "evidence"]
    for act in acts:
        told = act.after or {}
        closes = act.table == "incident" and act.became("status", "closed")
        if not closes or act.user_id is None or not context.thresholds.at("no_evidence", act.at).on:
            continue
        wanted = context.demanded(int(told.get("class_id") or 0), act.at) if context.demanded else frozenset()
        # A photo after is of the round that was closed; an earlier one shows what was not good enough.
        missing = wanted - {
            (each.after or {}).get("kind")
            for each in pieces
            if each.at <= act.at
            and ((each.after or {}).get("kind") != "after" or (each.after or {}).get("round") == told.get("reworks"))
        }
        undone = told.get("handled_at") is None and not told.get("self_handled")
        if undone or missing:
            finding = _finding(
                "no_evidence", f"{incident_id}:{act.seq}", act, (act.user_id,), [act], incident_id=incident_id
            )
            found.append(finding)
    return found


def _backdated(incident_id: str, acts: Sequence[Act], context: Context) -> list[Finding]:
    """Return a finding for each command that set times back, of whatever rows."""
    by_command: dict[str, list[tuple[Act, dt.timedelta]]] = {}
    for act in _of_people(acts):
        columns = {"incident": STAGE_TIMES, "task": TASK_TIMES}.get(act.table, ())
        limit = context.thresholds.at("backdated", act.at)
        back = max((_behind(act, column) for column in columns), default=NO_TIME)
        if limit.on and back > dt.timedelta(minutes=limit.minutes or 0):
            by_command.setdefault(act.command_id or str(act.seq), []).append((act, back))
    found = []
    for told in by_command.values():
        first, backs = told[0][0], [back for _, back in told]
        persons = () if first.user_id is None else (first.user_id,)
        minutes = {"minutes": int(max(backs).total_seconds() // 60)}
        acts_ = [act for act, _ in told]
        key = f"{incident_id}:{first.seq}"
        found.append(_finding("backdated", key, first, persons, acts_, incident_id=incident_id, numbers=minutes))
    return found


def _behind(act: Act, column: str) -> dt.timedelta:
    """Return how far a time that the act wrote lies before it."""
    new = (act.after or {}).get(column)
    if not isinstance(new, str) or (act.before or {}).get(column) == new:
        return NO_TIME
    written = dt.datetime.fromisoformat(new)
    return act.at - (written if written.tzinfo else written.replace(tzinfo=dt.UTC))


def _reopened(incident_id: str, acts: Sequence[Act], context: Context) -> list[Finding]:
    opened: list[Act] = []
    closings: list[Act] = []
    for act in acts:
        if act.table != "incident":
            continue
        if act.became("status", "closed") and act.user_id is not None:
            closings.append(act)
        if (act.before or {}).get("status") == "closed" and (act.after or {}).get("status") not in {"closed", None}:
            opened.append(act)
            limit = context.thresholds.at("reopened", act.at)
            if limit.on and len(opened) >= (limit.count or 1):
                times = {"times": len(opened)}
                persons = tuple(sorted({each.user_id for each in closings if each.user_id is not None}))
                acts_ = [*closings, *opened]
                return [_finding("reopened", incident_id, act, persons, acts_, incident_id=incident_id, numbers=times)]
    return []


def _identity_unused(incident_id: str, acts: Sequence[Act], context: Context, moment: dt.datetime) -> list[Finding]:
    found = []
    for act in _of_people(acts):
        limit = context.thresholds.at("identity_unused", act.at)
        until = act.at + dt.timedelta(minutes=limit.minutes or 0)
        if act.action != READ_REPORTER or not limit.on or moment < until or act.user_id is None:
            continue
        used = any(
            each.action != READ_REPORTER and act.seq < each.seq and each.at <= until and _same(act, each, context)
            for each in acts
        )
        if not used:
            key = f"{incident_id}:{act.seq}"
            found.append(_finding("identity_unused", key, act, (act.user_id,), [act], incident_id=incident_id))
    return found


def _identity_off_hours(incident_id: str, acts: Sequence[Act], context: Context) -> list[Finding]:
    found = []
    for act in _of_people(acts):
        if act.action != READ_REPORTER or act.user_id is None:
            continue
        if not context.thresholds.at("identity_off_hours", act.at).on:
            continue
        on = context.on_shift(act.user_id, act.at, NO_TIME)
        if on is None and context.office is not None:
            on = context.office(act.at)
        if on is False:
            key = f"{incident_id}:{act.seq}"
            found.append(_finding("identity_off_hours", key, act, (act.user_id,), [act], incident_id=incident_id))
    return found


def _crowded(
    rule: str, user_id: int, acts: Sequence[Act], context: Context, weight: Callable[[Act], int]
) -> Iterator[Finding]:
    """Yield the first crossing of each local day: so much of it by one account within the window."""
    window: deque[Act] = deque()
    total = 0
    told: set[str] = set()
    for act in acts:
        limit = context.thresholds.at(rule, act.at)
        since = act.at - dt.timedelta(minutes=limit.minutes or 0)
        window.append(act)
        total += weight(act)
        while window and window[0].at <= since:
            total -= weight(window.popleft())
        day = context.day(act.at)
        if limit.on and total >= (limit.count or 1) and day not in told:
            told.add(day)
            yield _finding(rule, f"{user_id}:{day}", act, (user_id,), list(window), numbers={"count": total})


def _off_duty(user_id: int, acts: Sequence[Act], context: Context) -> Iterator[Finding]:
    days: dict[str, dict[str, Act]] = {}
    told: set[str] = set()
    for act in acts:
        limit = context.thresholds.at("off_duty", act.at)
        counts = act.table in WORK_TABLES and act.role == "grid_worker" and limit.on
        if not counts or context.on_shift(user_id, act.at, dt.timedelta(minutes=limit.minutes or 0)) is not False:
            continue
        day = context.day(act.at)
        days.setdefault(day, {}).setdefault(act.command_id or str(act.seq), act)
        if len(days[day]) >= (limit.count or 1) and day not in told:
            told.add(day)
            counted = {"count": len(days[day])}
            yield _finding("off_duty", f"{user_id}:{day}", act, (user_id,), list(days[day].values()), numbers=counted)


def _finding(
    rule: str,
    key: str,
    last: Act,
    persons: tuple[int, ...],
    acts: Sequence[Act],
    *,
    incident_id: str = "",
    numbers: Mapping[str, int] | None = None,
) -> Finding:
    table, subject = ("incident", incident_id) if incident_id else ("app_user", str(persons[0]))
    if rule == "rules_shared":
        table, subject = last.table, last.subject_id
    seqs = tuple(sorted(each.seq for each in acts))[-MOST_EVIDENCE:]
    return Finding(rule, key, table, subject, persons, seqs, last.at, dict(numbers or {}))


def _of_people(acts: Iterable[Act]) -> Iterator[Act]:
    return (act for act in acts if act.user_id is not None and act.role != "system")


def _same(first: Act, second: Act, context: Context) -> bool:
    if first.user_id is None or second.user_id is None:
        return False
    return context.one_person(first.user_id, second.user_id)


def _user(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _rows(act: Act) -> int:
    rows = (act.after or {}).get("rows")
    return max(1, rows) if isinstance(rows, int) else 1


def _one(_act: Act) -> int:
    return 1
