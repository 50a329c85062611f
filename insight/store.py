"""SQL of evaluation: folding the record into facts, and counting them.

What is new is found by the batches of the record's seal, not by its sequence numbers: a transaction
that commits late brings a row with a number below one that was read already, and a watermark by number
would lose it. Batches are numbered by who found the rows committed, one sealer at a time, so a row that
was not there lands in a batch after the last one that was read. Rows that no batch has yet are looked at
every time. Whatever was touched is folded anew from all its acts, never added to, so that going on and
beginning again give the same facts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from insight.indicators import CHECKING_H, COUNTS, FILING_H
from insight.model import Cell

ALL_AT_ONCE = 20_000
"""More incidents than these are folded by reading the record once, not one by one."""
_LOCK = 577215664
_SUBJECT = {"department": "unit_id", "community": "community_id", "class": "class_id", "worker": "worker_id"}
_ACTS = """
    SELECT r.seq, r.subject_id::bigint AS id, r.before, r.after FROM record AS r
    WHERE r.territory_id = :territory AND r.subject_table = 'incident' AND r.action IN ('insert', 'update', 'delete')
    {of_record}
    UNION ALL
    SELECT l.record_seq, l.subject_id::bigint, l.before, l.after
    FROM record AS r JOIN load_row AS l ON l.record_seq = r.seq
    WHERE r.territory_id = :territory AND r.subject_table = 'incident'
      AND r.action IN ('bulk_insert', 'bulk_update', 'bulk_delete')
    {of_load}
"""
_TOUCHED = """
    SELECT DISTINCT id FROM (
        SELECT r.subject_id AS id FROM record AS r
        WHERE r.territory_id = :territory AND r.subject_table = 'incident' AND ({new})
          AND r.action IN ('insert', 'update', 'delete')
        UNION ALL
        SELECT l.subject_id FROM record AS r JOIN load_row AS l ON l.record_seq = r.seq
        WHERE r.territory_id = :territory AND r.subject_table = 'incident' AND ({new})
          AND r.action IN ('bulk_insert', 'bulk_update', 'bulk_delete')
    ) AS acts LIMIT :most
"""
_NEW = "r.batch_id > :batch OR r.batch_id IS NULL"
# The same rule as insight.facts.fold, for many incidents at once.
_FOLD = """
    WITH acts AS NOT MATERIALIZED ({acts}), told AS (
        SELECT id, count(*) AS acts, max(seq) AS last_seq,
               count(*) FILTER (WHERE after ->> 'dispatched_at' IS DISTINCT FROM before ->> 'dispatched_at'
                                  AND after ->> 'dispatched_at' IS NOT NULL) AS dispatches,
               count(*) FILTER (WHERE before ->> 'status' IN ('dispatched', 'handling')
                                  AND after ->> 'status' = 'filed') AS returns,
               max(seq) FILTER (WHERE after ->> 'status' = 'closed'
                                  AND before ->> 'status' IS DISTINCT FROM 'closed') AS closed_seq
        FROM acts GROUP BY id
    ), written AS (
        INSERT INTO incident_fact (
            incident_id, territory_id, status, source, class_id, category, priority, urgent, grid_id, community_id,
            unit_id, worker_id, dispatched_by, closed_by, reported_at, filed_at, dispatched_at, handled_at, closed_at,
            due_at, dispatches, returns, reworks, postponed, simulated, last_seq
        )
        SELECT a.id, :territory, a.after ->> 'status', a.after ->> 'source', (a.after ->> 'class_id')::integer,
               a.after ->> 'category', (a.after ->> 'priority')::smallint,
               (a.after ->> 'emergency')::boolean OR a.after ->> 'priority' = '1',
               (a.after ->> 'grid_id')::integer, (a.after ->> 'community_id')::integer,
               (a.after ->> 'unit_id')::integer, (a.after ->> 'worker_id')::integer,
               (a.after ->> 'dispatched_by')::integer, (a.after ->> 'closed_by')::integer,
               (a.after ->> 'reported_at')::timestamptz, (a.after ->> 'filed_at')::timestamptz,
               (a.after ->> 'dispatched_at')::timestamptz, (a.after ->> 'handled_at')::timestamptz,
               (a.after ->> 'closed_at')::timestamptz,
               CASE WHEN t.closed_seq < t.last_seq THEN (
                   SELECT q.after ->> 'due_at' FROM record AS q WHERE q.seq = t.closed_seq AND q.subject_id IS NOT NULL
                   UNION ALL
                   SELECT q.after ->> 'due_at' FROM load_row AS q
                   WHERE q.subject_id = a.id::text AND q.record_seq = t.closed_seq
               ) ELSE a.after ->> 'due_at' END::timestamptz,
               t.dispatches, t.returns, (a.after ->> 'reworks')::smallint, false,
               (a.after ->> 'simulated')::boolean, t.last_seq
        FROM told AS t JOIN acts AS a ON a.id = t.id AND a.seq = t.last_seq WHERE a.after IS NOT NULL
        RETURNING 1
    )
    SELECT (SELECT coalesce(sum(acts), 0) FROM told), (SELECT count(*) FROM written)
"""
_DUE = "due_at <= :moment AND filed_at IS NOT NULL AND status <> 'void'"
_HANDLED = "coalesce(handled_at, closed_at)"
_CHECK = "handled_at IS NOT NULL AND status IN ('checking', 'closed')"
_COUNT_SQL = {
    "accepted": "count(*)",
    "filed": "count(filed_at)",
    "filed_on_time": f"count(*) FILTER (WHERE filed_at <= reported_at + interval '{FILING_H} hours')",
    "dispatches": "coalesce(sum(dispatches), 0)",
    "returns": "coalesce(sum(returns), 0)",
    "due": f"count(*) FILTER (WHERE {_DUE})",
    "postponed": f"count(*) FILTER (WHERE {_DUE} AND postponed)",
    "closed": f"count(closed_at) FILTER (WHERE {_DUE} AND NOT postponed)",
    "closed_on_time": f"count(*) FILTER (WHERE {_DUE} AND NOT postponed AND closed_at <= due_at)",
    "urgent_due": f"count(*) FILTER (WHERE urgent AND {_DUE})",
    "urgent_postponed": f"count(*) FILTER (WHERE urgent AND {_DUE} AND postponed)",
    "urgent_closed": f"count(closed_at) FILTER (WHERE urgent AND {_DUE} AND NOT postponed)",
    "urgent_closed_on_time": f"count(*) FILTER (WHERE urgent AND {_DUE} AND NOT postponed AND closed_at <= due_at)",
    "to_handle": f"count(*) FILTER (WHERE dispatches > 0 AND {_DUE} AND NOT postponed)",
    "handled": f"count({_HANDLED}) FILTER (WHERE dispatches > 0 AND {_DUE} AND NOT postponed)",
    "handled_on_time": f"count(*) FILTER (WHERE dispatches > 0 AND {_DUE} AND NOT postponed AND {_HANDLED} <= due_at)",
    "ever_handled": "count(*) FILTER (WHERE handled_at IS NOT NULL OR reworks > 0)",
    "reworked": "count(*) FILTER (WHERE reworks > 0)",
    "checks": f"count(*) FILTER (WHERE {_CHECK} AND (closed_at IS NOT NULL OR handled_at + :checking <= :moment))",
    "checked_on_time": f"count(*) FILTER (WHERE {_CHECK} AND closed_at <= handled_at + :checking)",
}
_NAMES = {
    "department": "SELECT id, name, coalesce(name_zh, name) FROM unit WHERE territory_id = :territory",
    "community": "SELECT id, name, coalesce(name_zh, name) FROM area WHERE territory_id = :territory",
    "class": "SELECT id, name_en, name_zh FROM incident_class",
    "worker": "SELECT id, code, code FROM worker WHERE territory_id = :territory",
}


def lock(session: Session, territory_id: int) -> None:
    """Wait until nobody else folds the territory; held until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock, :territory)"), {"lock": _LOCK, "territory": territory_id})


def reached(session: Session, territory_id: int) -> tuple[int, dt.datetime] | None:
    """Return the last batch that is folded, and when; None before the first fold."""
    row = session.execute(
        text("SELECT batch_id, folded_at FROM fact_fold WHERE territory_id = :territory"), {"territory": territory_id}
    ).one_or_none()
    return None if row is None else (row.batch_id, row.folded_at)


def newest_batch(session: Session) -> int:
    """Return the newest sealed batch; 0 before the first."""
    return int(session.execute(text("SELECT coalesce(max(id), 0) FROM record_batch")).scalar_one())


def touched(session: Session, territory_id: int, after_batch: int) -> list[str] | None:
    """Return the incidents that the record tells something new of; None when they are too many to name."""
    found = session.scalars(
        text(_TOUCHED.format(new=_NEW)),
        {"territory": territory_id, "batch": after_batch, "most": ALL_AT_ONCE + 1},
    ).all()
    return None if len(found) > ALL_AT_ONCE else list(found)


def fold(session: Session, territory_id: int, ids: Sequence[str] | None) -> tuple[int, int]:
    """Fold the named incidents, or all, from all their acts; return the acts read and the facts written."""
    given: dict[str, Any] = {"territory": territory_id}
    narrowed = {"of_record": "", "of_load": ""}
    if ids is None:
        session.execute(text("DELETE FROM incident_fact WHERE territory_id = :territory"), given)
    else:
        given["ids"] = list(ids)
        narrowed = {"of_record": "AND r.subject_id = ANY (:ids)", "of_load": "AND l.subject_id = ANY (:ids)"}
        session.execute(text("DELETE FROM incident_fact WHERE incident_id = ANY ((:ids)::bigint[])"), given)
    acts, facts = session.execute(text(_FOLD.format(acts=_ACTS.format(**narrowed))), given).one()
    return int(acts), int(facts)


def note_reached(session: Session, territory_id: int, batch_id: int, at: dt.datetime) -> None:
    """Keep how far the record is folded."""
    session.execute(
        text(
            "INSERT INTO fact_fold (territory_id, batch_id, folded_at) VALUES (:territory, :batch, :at)"
            " ON CONFLICT (territory_id) DO UPDATE SET batch_id = excluded.batch_id, folded_at = excluded.folded_at"
        ),
        {"territory": territory_id, "batch": batch_id, "at": at},
    )


def cells(
    session: Session,
    territory_id: int,
    subject: str,
    *,
    first: dt.date,
    last: dt.date,
    moment: dt.datetime,
    subject_id: int | None = None,
    by_month: bool = False,
) -> list[Cell]:
    """Return what is counted of incidents reported on local days ``first`` to ``last``, by subject, class and month.

    For a post the subject is None. What counts as due is due at ``moment``. With a ``subject_id`` only its own.
    """
    column = _SUBJECT.get(subject, "NULL::integer")
    month = "date_trunc('month', reported_at AT TIME ZONE t.timezone)::date" if by_month else "NULL::date"
    only = f"AND {column} = :only" if subject_id is not None and subject in _SUBJECT else ""
    counts = ", ".join(_COUNT_SQL[name] for name in COUNTS)
    rows = session.execute(
        text(
            f"SELECT {column}, class_id, {month}, {counts}"  # noqa: S608  (names of ours only)
            " FROM incident_fact AS f JOIN territory AS t ON t.id = f.territory_id"
            " WHERE f.territory_id = :territory"
            " AND reported_at >= (SELECT CAST(:first AS timestamp) AT TIME ZONE timezone FROM territory"
            "                     WHERE id = :territory)"
            " AND reported_at < (SELECT CAST(:end AS timestamp) AT TIME ZONE timezone FROM territory"
            f"                   WHERE id = :territory) {only} GROUP BY 1, 2, 3"
        ),
        {
            "territory": territory_id,
            "first": first,
            "end": last + dt.timedelta(days=1),
            "moment": moment,
            "checking": dt.timedelta(hours=CHECKING_H),
            "only": subject_id,
        },
    )
    return [
        Cell(who, class_id, when, dict(zip(COUNTS, map(int, numbers), strict=True)))
        for who, class_id, when, *numbers in rows
    ]


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
