"""SQL of counting facts: by subject, class and month, or one by one for who looks behind a number.

Incidents that are alike in all that is counted are gathered first, so that a million of them are looked at
once each; the counts are made of the groups. Both kinds of reading use the same conditions, and that is why
a list behind a number holds as many as the number says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from insight.appeals import IN_TIME, LEFT_OUT, NO_REWORK, NO_WORD
from insight.facts import CHECKING_H, MARKS
from insight.indicators import COUNTS, Indicator
from insight.model import Behind, Cell, Rule
from insight.store import past
from insight.store.past import Then

_SUBJECT = {"department": "unit_id", "community": "community_id", "class": "class_id", "worker": "worker_id"}
# What the citizen said, as bits, by the rule in force: 1 asked, 2 reached, 4 in time, 8 solved, 16 satisfied.
_WORD = """CASE WHEN word_at IS NULL OR class_id = ANY (:untold) THEN 0 ELSE 1
    + CASE WHEN word_reached THEN 2 ELSE 0 END
    + CASE WHEN word_reached AND word_at <= word_closed_at + :contact THEN 4 ELSE 0 END
    + CASE WHEN word_solved THEN 8 ELSE 0 END
    + CASE WHEN word_satisfied >= :satisfied THEN 16 ELSE 0 END END"""
_DUE_BIT, _HELD_BIT, _CHECK_BIT, _EXCUSED_AT, _WORD_AT = (len(MARKS) + place for place in (0, 1, 2, 3, 7))
# All that is counted of an incident in one number, so that a million of them are gathered by one key.
_LOOKS = f"""marks + CASE WHEN due_at <= :moment THEN {1 << _DUE_BIT} ELSE 0 END
    + CASE WHEN closed_at IS NULL AND postponed_until > :moment THEN {1 << _HELD_BIT} ELSE 0 END
    + CASE WHEN closed_at IS NOT NULL OR handled_at <= :checked THEN {1 << _CHECK_BIT} ELSE 0 END
    + (excused::integer << {_EXCUSED_AT}) + (({_WORD}) << {_WORD_AT})"""
_READ = f"""looks AS marks, looks & {1 << _DUE_BIT} > 0 AS due, looks & {1 << _HELD_BIT} > 0 AS held,
    looks & {1 << _CHECK_BIT} > 0 AS check_due, (looks >> {_EXCUSED_AT}) & 15 AS excused, looks >> {_WORD_AT} AS word"""
_PERIOD = """
    WHERE f.territory_id = :territory
    AND reported_at >= (SELECT CAST(:first AS timestamp) AT TIME ZONE timezone FROM territory WHERE id = :territory)
    AND reported_at < (SELECT CAST(:end AS timestamp) AT TIME ZONE timezone FROM territory WHERE id = :territory)
"""
_ZONE = "(SELECT timezone FROM territory WHERE id = :territory)"


def _has(*names: str) -> str:
    bits = sum(MARKS[name] for name in names)
    return f"marks & {bits} = {bits}"


_DUE = f"due AND {_has('eligible')}"
_URGENT = f"due AND {_has('eligible', 'urgent')}"
_TO_HANDLE = f"due AND NOT held AND {_has('eligible', 'given_out')}"
_CONDITIONS = {
    "accepted": "true",
    "filed": _has("filed"),
    "filed_on_time": _has("filed_on_time"),
    "due": _DUE,
    "postponed": f"{_DUE} AND held",
    "closed": f"{_DUE} AND NOT held AND {_has('closed')}",
    "closed_on_time": f"{_DUE} AND NOT held AND {_has('closed_on_time')}",
    "urgent_due": _URGENT,
    "urgent_postponed": f"{_URGENT} AND held",
    "urgent_closed": f"{_URGENT} AND NOT held AND {_has('closed')}",
    "urgent_closed_on_time": f"{_URGENT} AND NOT held AND {_has('closed_on_time')}",
    "to_handle": _TO_HANDLE,
    "handled": f"{_TO_HANDLE} AND {_has('handled')}",
    "handled_on_time": f"{_TO_HANDLE} AND {_has('handled_on_time')}",
    "ever_handled": _has("ever_handled"),
    "reworked": _has("reworked"),
    "ever_closed": _has("ever_closed"),
    "reopened": _has("reopened"),
    "checks": f"{_has('checking')} AND check_due",
    "checked_on_time": _has("checking", "checked_on_time"),
    "words": "word & 1 = 1",
    "reached_in_time": "word & 4 = 4",
    "answered": "word & 1 = 1 AND (word & 2 = 2 OR :whole)",
    "solved": "word & 8 = 8",
    "satisfied": "word & 16 = 16",
}
_SUMS = {"dispatches": "dispatches", "returns": "returns"}
"""What is counted more than once of an incident."""
_IN_TIME_OF = {
    "closed_on_time": "closed",
    "urgent_closed_on_time": "urgent_closed",
    "handled_on_time": "handled",
}
_OF_THE_HANDLING = {
    name for name in _CONDITIONS if name not in {"accepted", "filed", "filed_on_time", "checks", "checked_on_time"}
}


def _condition(name: str) -> str:
    """Return when an incident counts, with what was granted on appeal taken in unless ``:plain``."""
    condition, pardon = _CONDITIONS[name], 0
    if name in _OF_THE_HANDLING:
        pardon |= LEFT_OUT
    if name in {"reworked", "reopened"}:
        pardon |= NO_REWORK
    if name in {"words", "reached_in_time", "answered", "solved", "satisfied"}:
        pardon |= NO_WORD
    if name in _IN_TIME_OF:
        full = _CONDITIONS[_IN_TIME_OF[name]]
        condition = f"CASE WHEN (NOT :plain AND excused & {IN_TIME} > 0) THEN {full} ELSE {condition} END"
    return f"({condition}) AND (:plain OR excused & {pardon} = 0)" if pardon else condition


_BY_NAME = {name: f"({_condition(name)})" for name in _CONDITIONS}
_NAMES = {
    "department": "SELECT id, name, coalesce(name_zh, name) FROM unit WHERE territory_id = :territory",
    "community": "SELECT id, name, coalesce(name_zh, name) FROM area WHERE territory_id = :territory",
    "class": "SELECT id, name_en, name_zh FROM incident_class",
    "worker": "SELECT id, code, code FROM worker WHERE territory_id = :territory",
}


def cells(
    session: Session,
    territory_id: int,
    subject: str,
    *,
    first: dt.date,
    last: dt.date,
    moment: dt.datetime,
    rule: Rule,
    subject_id: int | None = None,
    by_month: bool = False,
    plain: bool = False,
    excused_only: bool = False,
    then: Then | None = None,
) -> list[Cell]:
    """Return what is counted of incidents reported on local days ``first`` to ``last``, by subject, class and month.

    For a post the subject is None. What counts as due is due at ``moment``. With a ``subject_id`` only its own.
    ``plain`` leaves granted appeals out of account; ``excused_only`` counts only what they are about. With a day of the
    past facts are counted as they stood at its end, which is ``moment``.
    """
    column = _SUBJECT.get(subject, "NULL::integer")
    month = f"date_trunc('month', reported_at AT TIME ZONE {_ZONE})::date" if by_month else "NULL::date"
    only = f"AND {column} = :only" if subject_id is not None and subject in _SUBJECT else ""
    only += " AND excused > 0" if excused_only else ""
    counts = ", ".join(
        f"coalesce(sum({_SUMS[name]}), 0)" if name in _SUMS else f"coalesce(sum(n) FILTER (WHERE {_BY_NAME[name]}), 0)"
        for name in COUNTS
    )
    rows = session.execute(
        text(
            f"SELECT who, class_id, month, {counts} FROM ("  # noqa: S608  (names of ours only)
            f" SELECT who, class_id, month, n, dispatches, returns, {_READ} FROM ("
            f" SELECT {column} AS who, class_id, {month} AS month, {_LOOKS} AS looks, count(*) AS n,"
            f" sum(dispatches) AS dispatches, sum(returns) AS returns FROM {_source(then)} AS f {_PERIOD} {only}"
            " GROUP BY 1, 2, 3, 4) AS alike OFFSET 0) AS read GROUP BY who, class_id, month"
        ),
        _given(territory_id, first, last, moment=moment, rule=rule, then=then) | {"only": subject_id, "plain": plain},
    )
    return [
        Cell(who, class_id, when, dict(zip(COUNTS, map(int, numbers), strict=True)))
        for who, class_id, when, *numbers in rows
    ]


def any_excused(session: Session, territory_id: int) -> bool:
    """Return whether an appeal was ever granted in the territory."""
    query = text("SELECT EXISTS (SELECT FROM incident_fact WHERE territory_id = :territory AND excused > 0)")
    return bool(session.scalar(query, {"territory": territory_id}))


def behind(
    session: Session,
    territory_id: int,
    subject: str,
    indicator: Indicator,
    part: str,
    *,
    first: dt.date,
    last: dt.date,
    moment: dt.datetime,
    rule: Rule,
    subject_id: int | None,
    limit: int,
    offset: int = 0,
    then: Then | None = None,
) -> tuple[int, int, list[Behind]]:
    """Return what a numerator or denominator counts: its value, how many incidents, and a page of them, newest first.

    An incident may count more than once: as often as it was given out. Without a ``subject_id`` those that
    belong to nobody, or to any for a post.
    """
    plus, minus = (
        (indicator.numerator, indicator.off) if part == "numerator" else (indicator.denominator, indicator.less)
    )
    times = _times(plus) + (f" - {_times(minus)}" if minus else "")
    column = _SUBJECT.get(subject)
    only = "" if column is None else f"AND {column} = :only" if subject_id is not None else f"AND {column} IS NULL"
    query = (
        f"SELECT * FROM (SELECT incident_id, reported_at, times, sum(times) OVER () AS total, count(*) OVER () AS n FROM ("  # noqa: S608, E501  (names of ours only)
        f" SELECT incident_id, reported_at, {times} AS times FROM ("
        f" SELECT incident_id, reported_at, dispatches, returns, {_READ} FROM ("
        f" SELECT incident_id, reported_at, dispatches, returns, {_LOOKS} AS looks FROM {_source(then)} AS f"
        f" {_PERIOD} {only} OFFSET 0) AS facts OFFSET 0) AS read OFFSET 0"
        ") AS counted WHERE times <> 0) AS page ORDER BY reported_at DESC, incident_id DESC LIMIT :limit OFFSET :offset"
    )
    rows = session.execute(
        text(query),
        _given(territory_id, first, last, moment=moment, rule=rule, then=then)
        | {"only": subject_id, "plain": False, "limit": limit, "offset": offset},
    ).all()
    if not rows:
        return 0, 0, []
    return int(rows[0].total), int(rows[0].n), _described(session, {row.incident_id: int(row.times) for row in rows})


def _times(name: str) -> str:
    return _SUMS.get(name) or f"CASE WHEN {_BY_NAME[name]} THEN 1 ELSE 0 END"


def _described(session: Session, times: Mapping[int, int]) -> list[Behind]:
    rows = session.execute(
        text(
            "SELECT f.incident_id, i.number, c.name_en, c.name_zh, i.place, f.status, f.reported_at, f.due_at,"
            " f.closed_at, f.reworks, f.reopens, f.excused FROM incident_fact AS f"
            " JOIN incident AS i ON i.id = f.incident_id JOIN incident_class AS c ON c.id = f.class_id"
            " WHERE f.incident_id = ANY (:ids) ORDER BY f.reported_at DESC, f.incident_id DESC"
        ),
        {"ids": list(times)},
    )
    return [Behind(**row, times=times[row["incident_id"]]) for row in rows.mappings()]


def _source(then: Then | None) -> str:
    return "incident_fact" if then is None else past.SOURCE


def _given(
    territory_id: int,
    first: dt.date,
    last: dt.date,
    *,
    moment: dt.datetime,
    rule: Rule,
    then: Then | None = None,
) -> dict[str, Any]:
    asked: dict[str, Any] = {} if then is None else {"day": then.day, "past": list(then.incident_ids)}
    return asked | {
        "territory": territory_id,
        "first": first,
        "end": last + dt.timedelta(days=1),
        "moment": moment,
        "checked": moment - dt.timedelta(hours=CHECKING_H),
        "contact": dt.timedelta(hours=rule.contact_hours),
        "satisfied": rule.satisfied_from,
        "untold": list(rule.excluded_classes),
        "whole": rule.base == "asked",
    }


def names(session: Session, territory_id: int, subject: str) -> dict[int, tuple[str, str]]:
    """Return the English and Chinese name of each subject by id."""
    rows = session.execute(text(_NAMES[subject]), {"territory": territory_id})
    return {identity: (english, chinese) for identity, english, chinese in rows}


def works_in(session: Session, worker_id: int, community_ids: Sequence[int]) -> bool:
    """Return whether a worker's responsibility grid touches one of the communities."""
    return bool(
        session.execute(
            text(
                "SELECT EXISTS (SELECT FROM worker AS w"
                " JOIN unit_grid AS g ON g.responsibility_grid_id = w.responsibility_grid_id AND g.ended_on IS NULL"
                " WHERE w.id = :worker AND g.community_id = ANY (:communities))"
            ),
            {"worker": worker_id, "communities": list(community_ids)},
        ).scalar_one()
    )
