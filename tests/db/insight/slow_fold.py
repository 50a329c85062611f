"""The first way of folding, slow and plain: every value looked up where it stands; the oracle of the fast one."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

COLUMNS = (
    "incident_id, territory_id, status, source, class_id, urgent, grid_id, community_id, unit_id, worker_id,"
    " reported_at, filed_at, handled_at, closed_at, due_at, dispatches, returns, reworks, simulated, last_seq"
)
_ACTS = """
    SELECT r.seq, r.subject_id::bigint AS id, r.before, r.after FROM record AS r
    WHERE r.territory_id = :territory AND r.subject_table = 'incident' AND r.action IN ('insert', 'update', 'delete')
    UNION ALL
    SELECT l.record_seq, l.subject_id::bigint, l.before, l.after
    FROM record AS r JOIN load_row AS l ON l.record_seq = r.seq
    WHERE r.territory_id = :territory AND r.subject_table = 'incident'
      AND r.action IN ('bulk_insert', 'bulk_update', 'bulk_delete')
"""
_FOLD = f"""
    WITH acts AS MATERIALIZED ({_ACTS}), told AS (
        SELECT id, max(seq) AS last_seq,
               count(*) FILTER (WHERE after ->> 'dispatched_at' IS DISTINCT FROM before ->> 'dispatched_at'
                                  AND after ->> 'dispatched_at' IS NOT NULL) AS dispatches,
               count(*) FILTER (WHERE before ->> 'status' IN ('dispatched', 'handling')
                                  AND after ->> 'status' = 'filed') AS returns,
               max(seq) FILTER (WHERE after ->> 'status' = 'closed'
                                  AND before ->> 'status' IS DISTINCT FROM 'closed') AS closed_seq
        FROM acts GROUP BY id
    )
    SELECT a.id, :territory, a.after ->> 'status', a.after ->> 'source', (a.after ->> 'class_id')::integer,
           (a.after ->> 'emergency')::boolean OR a.after ->> 'priority' = '1',
           (a.after ->> 'grid_id')::integer, (a.after ->> 'community_id')::integer,
           (a.after ->> 'unit_id')::integer, (a.after ->> 'worker_id')::integer,
           (a.after ->> 'reported_at')::timestamptz, (a.after ->> 'filed_at')::timestamptz,
           (a.after ->> 'handled_at')::timestamptz, (a.after ->> 'closed_at')::timestamptz,
           CASE WHEN t.closed_seq < t.last_seq AND a.after ->> 'closed_at' IS NOT NULL
                THEN (SELECT q.after ->> 'due_at' FROM acts AS q WHERE q.id = a.id AND q.seq = t.closed_seq)
                ELSE a.after ->> 'due_at' END::timestamptz,
           t.dispatches, t.returns, (a.after ->> 'reworks')::smallint, (a.after ->> 'simulated')::boolean, t.last_seq
    FROM told AS t JOIN acts AS a ON a.id = t.id AND a.seq = t.last_seq WHERE a.after IS NOT NULL
"""


def differences(session: Session, territory_id: int) -> int:
    """Return how many facts differ, in any column that both ways know, from what the slow fold makes of the record."""
    query = f"WITH slow ({COLUMNS}) AS ({_FOLD}) SELECT count(*) FROM slow FULL JOIN incident_fact AS f"
    query += " ON f.incident_id = slow.incident_id WHERE " + " OR ".join(
        f"f.{name} IS DISTINCT FROM slow.{name}" for name in COLUMNS.split(", ")
    )
    return int(session.scalar(text(query), {"territory": territory_id}) or 0)
